/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A queue of datagrams in a ring of bytes.
 *
 * A record is a header, then the body, rounded up to 8 bytes. Records lie one after the other
 * from head on. One that would not fit between the tail and the end of the ring starts at 0
 * instead, and the bytes between are a gap, marked by a record header without a body (or too
 * short even for that). Gaps count as used. A gap is never at the head: pop takes it along, so
 * that peek has nothing to change. An empty queue starts over at 0, where the longest body
 * fits.
 */
#include "proto/dgram_queue.h"

#include "base/assert.h"

#define GAP UINT32_MAX

struct record {
    uint32_t body_bytes; /* GAP: nothing until the end of the ring */
    uint32_t spare;
    struct tern_dgram meta;
};

#define RECORD_BYTES ((uint32_t)sizeof(struct record))

_Static_assert(sizeof(struct record) % 8 == 0, "records stay aligned");

static uint32_t round_up(uint32_t bytes)
{
    return (bytes + 7u) & ~7u;
}

void tern_dgram_queue_init(struct tern_dgram_queue *q, void *ring, uint32_t ring_bytes)
{
    TERN_ASSERT(ring != NULL);
    TERN_ASSERT(ring_bytes % 8 == 0);
    *q = (struct tern_dgram_queue){.ring = ring, .ring_bytes = ring_bytes};
}

static struct record record_at(const struct tern_dgram_queue *q, uint32_t pos)
{
    struct record r;

    TERN_ASSERT(pos + RECORD_BYTES <= q->ring_bytes);
    memcpy(&r, q->ring + pos, sizeof r);
    return r;
}

/* Where the next record of so many bytes would start; false: there is no room. */
static bool find_room(const struct tern_dgram_queue *q, uint32_t bytes, uint32_t *pos)
{
    const uint32_t tail = q->head + q->used; /* not wrapped: may lie beyond the end */

    TERN_ASSERT(q->used <= q->ring_bytes);
    if (tail >= q->ring_bytes) { /* the free bytes are one piece */
        *pos = tail - q->ring_bytes;
        return bytes <= q->head - *pos;
    }
    if (bytes <= q->ring_bytes - tail) {
        *pos = tail;
        return true;
    }
    *pos = 0;
    return bytes <= q->head;
}

static void mark_gap(struct tern_dgram_queue *q)
{
    const uint32_t tail = q->head + q->used;
    const struct record gap = {.body_bytes = GAP};

    TERN_ASSERT(tail < q->ring_bytes);
    if (q->ring_bytes - tail >= RECORD_BYTES)
        memcpy(q->ring + tail, &gap, sizeof gap);
    q->used = q->ring_bytes - q->head;
}

bool tern_dgram_queue_push(struct tern_dgram_queue *q, const struct tern_dgram *meta,
                           tern_span body)
{
    struct record r = {.meta = *meta};
    uint32_t bytes, pos;

    if (body.bytes > q->ring_bytes || q->ring_bytes - (uint32_t)body.bytes < RECORD_BYTES)
        return false;
    r.body_bytes = (uint32_t)body.bytes;
    bytes = round_up(RECORD_BYTES + r.body_bytes);
    if (!find_room(q, bytes, &pos))
        return false;
    if (pos == 0 && q->head + q->used < q->ring_bytes && q->used > 0)
        mark_gap(q);
    memcpy(q->ring + pos, &r, sizeof r);
    if (body.bytes > 0)
        memcpy(q->ring + pos + RECORD_BYTES, body.data, body.bytes);
    q->used += bytes;
    q->count++;
    TERN_ASSERT(q->used <= q->ring_bytes);
    return true;
}

bool tern_dgram_queue_peek(const struct tern_dgram_queue *q, struct tern_dgram *meta,
                           tern_span *body)
{
    struct record r;

    if (q->count == 0)
        return false;
    r = record_at(q, q->head);
    TERN_ASSERT(r.body_bytes != GAP);
    *meta = r.meta;
    *body = tern_span_of(q->ring + q->head + RECORD_BYTES, r.body_bytes);
    return true;
}

/* Where the record after pos starts, pos being behind a record; *gap: bytes skipped for it. */
static uint32_t next_record(const struct tern_dgram_queue *q, uint32_t pos, uint32_t *gap)
{
    const uint32_t left = q->ring_bytes - pos;

    TERN_ASSERT(pos <= q->ring_bytes);
    *gap = 0;
    if (left >= RECORD_BYTES && record_at(q, pos).body_bytes != GAP)
        return pos;
    *gap = left;
    return 0;
}

void tern_dgram_queue_pop(struct tern_dgram_queue *q)
{
    uint32_t bytes, gap;

    TERN_ASSERT(q->count > 0);
    bytes = round_up(RECORD_BYTES + record_at(q, q->head).body_bytes);
    TERN_ASSERT(bytes <= q->used);
    q->count--;
    if (q->count == 0) {
        q->head = 0;
        q->used = 0;
        return;
    }
    q->head = next_record(q, q->head + bytes, &gap);
    q->used -= bytes + gap;
}

void tern_dgram_queue_check(const struct tern_dgram_queue *q)
{
    uint32_t pos = q->head, used = 0;

    TERN_ASSERT(q->head < q->ring_bytes || q->ring_bytes == 0);
    TERN_ASSERT(q->used <= q->ring_bytes);
    for (uint32_t i = 0; i < q->count; i++) {
        uint32_t bytes, gap = 0;

        if (i > 0)
            pos = next_record(q, pos, &gap);
        used += gap;
        bytes = round_up(RECORD_BYTES + record_at(q, pos).body_bytes);
        TERN_ASSERT(bytes <= q->ring_bytes - pos);
        pos += bytes;
        used += bytes;
    }
    TERN_ASSERT(used == q->used);
}
