/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Chunk number n of a stream (offset >> chunk_shift) stands in slot n & (map_count - 1) of the map.
 * The map is one larger than the most chunks that a full buffer can touch, so a slot never serves
 * two live chunks. An entry is the chunk's number + 1, and 0 where there is none: the memory comes
 * zeroed and a map goes back empty, so that taking one costs nothing however long it is.
 *
 * Invariants: every held chunk covers some offset at or above head; map is NULL if and only if held
 * is 0.
 */
#include "proto/tcp/bytequeue.h"

#include "base/assert.h"

#define NO_CHUNK 0

static uint32_t *slot_of(const struct tern_bytequeue *q, const struct tern_chunks *pools,
                         uint64_t at)
{
    return &q->map[(at >> pools->chunk_shift) & (pools->map_count - 1)];
}

void tern_bytequeue_init(struct tern_bytequeue *q, uint64_t head)
{
    q->map = NULL;
    q->head = head;
    q->held = 0;
}

uint64_t tern_bytequeue_span_max(const struct tern_chunks *pools)
{
    return (uint64_t)(pools->map_count - 1) << pools->chunk_shift;
}

static bool take_map(struct tern_bytequeue *q, struct tern_chunks *pools)
{
    q->map = tern_pool_take(&pools->maps);
    return q->map != NULL;
}

/* The chunk for an offset, taken from the pool if it is not there yet; NULL: the pool is empty. */
static uint8_t *chunk_for(struct tern_bytequeue *q, struct tern_chunks *pools, uint64_t at)
{
    uint32_t *slot = slot_of(q, pools, at);
    void *chunk;

    if (*slot != NO_CHUNK)
        return tern_pool_at(&pools->chunks, *slot - 1);
    chunk = tern_pool_take(&pools->chunks);
    if (chunk == NULL)
        return NULL;
    *slot = tern_pool_index(&pools->chunks, chunk) + 1;
    q->held++;
    return chunk;
}

bool tern_bytequeue_holds(const struct tern_bytequeue *q, const struct tern_chunks *pools,
                          uint64_t at)
{
    return q->map != NULL && *slot_of(q, pools, at) != NO_CHUNK;
}

static void give_map_if_empty(struct tern_bytequeue *q, struct tern_chunks *pools)
{
    if (q->map != NULL && q->held == 0) {
        tern_pool_give(&pools->maps, q->map);
        q->map = NULL;
    }
}

/* data NULL: take the chunks, leave what is in them. */
static size_t fill(struct tern_bytequeue *q, struct tern_chunks *pools, uint64_t at,
                   const uint8_t *data, size_t bytes)
{
    const size_t chunk_bytes = (size_t)1 << pools->chunk_shift;
    size_t done = 0;

    TERN_ASSERT(at >= q->head);
    TERN_ASSERT(at + bytes - q->head <= tern_bytequeue_span_max(pools));
    if (bytes == 0 || (q->map == NULL && !take_map(q, pools)))
        return 0;
    while (done < bytes) {
        const size_t within = (at + done) & (chunk_bytes - 1);
        const size_t room = chunk_bytes - within;
        const size_t n = bytes - done < room ? bytes - done : room;
        uint8_t *chunk = chunk_for(q, pools, at + done);

        if (chunk == NULL)
            break;
        if (data != NULL)
            memcpy(chunk + within, data + done, n);
        done += n;
    }
    give_map_if_empty(q, pools);
    return done;
}

size_t tern_bytequeue_write(struct tern_bytequeue *q, struct tern_chunks *pools, uint64_t at,
                            const uint8_t *data, size_t bytes)
{
    return fill(q, pools, at, data, bytes);
}

size_t tern_bytequeue_reserve(struct tern_bytequeue *q, struct tern_chunks *pools, uint64_t at,
                              size_t bytes)
{
    return fill(q, pools, at, NULL, bytes);
}

struct tern_slice tern_bytequeue_slice(const struct tern_bytequeue *q,
                                       const struct tern_chunks *pools, uint64_t at,
                                       size_t bytes_max)
{
    const size_t chunk_bytes = (size_t)1 << pools->chunk_shift;
    const size_t within = at & (chunk_bytes - 1);
    const size_t room = chunk_bytes - within;
    const uint8_t *chunk;

    TERN_ASSERT(at >= q->head);
    TERN_ASSERT(q->map != NULL);
    TERN_ASSERT(*slot_of(q, pools, at) != NO_CHUNK);
    chunk = tern_pool_at(&pools->chunks, *slot_of(q, pools, at) - 1);
    return (struct tern_slice){chunk + within, bytes_max < room ? bytes_max : room};
}

static void give_chunk(struct tern_bytequeue *q, struct tern_chunks *pools, uint32_t *slot)
{
    tern_pool_give(&pools->chunks, tern_pool_at(&pools->chunks, *slot - 1));
    *slot = NO_CHUNK;
    q->held--;
}

void tern_bytequeue_clear(struct tern_bytequeue *q, struct tern_chunks *pools)
{
    const uint64_t first = q->head >> pools->chunk_shift; /* near the front, as a rule */

    for (uint64_t n = first; q->held > 0 && n < first + pools->map_count; n++) {
        uint32_t *slot = &q->map[n & (pools->map_count - 1)];

        if (*slot != NO_CHUNK)
            give_chunk(q, pools, slot);
    }
    give_map_if_empty(q, pools);
}

void tern_bytequeue_advance(struct tern_bytequeue *q, struct tern_chunks *pools, uint64_t new_head,
                            uint64_t end)
{
    const uint64_t first = q->head >> pools->chunk_shift;
    const uint64_t keep = new_head >> pools->chunk_shift;

    TERN_ASSERT(new_head >= q->head);
    TERN_ASSERT(new_head <= end);
    for (uint64_t n = first; n < keep && q->held > 0; n++) {
        uint32_t *slot = slot_of(q, pools, n << pools->chunk_shift);

        if (*slot != NO_CHUNK)
            give_chunk(q, pools, slot);
    }
    q->head = new_head;
    if (new_head == end)
        tern_bytequeue_clear(q, pools);
    else
        give_map_if_empty(q, pools);
}

void tern_bytequeue_check(const struct tern_bytequeue *q, const struct tern_chunks *pools)
{
    uint32_t held = 0;

    if (q->map == NULL) {
        TERN_ASSERT(q->held == 0);
        return;
    }
    for (uint32_t i = 0; i < pools->map_count; i++) {
        if (q->map[i] == NO_CHUNK)
            continue;
        TERN_ASSERT(tern_pool_is_taken(&pools->chunks, q->map[i] - 1));
        held++;
    }
    TERN_ASSERT(held == q->held);
}
