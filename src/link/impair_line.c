/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One direction of a bad network. A frame's fate is decided when it enters, in this order:
 * numbered drops, mtu, burst and single loss, duplication; then for each copy: the queue's limit,
 * corruption, and the time of its release. That is the end of its last bit on a line of `rate`,
 * plus the delay with its jitter; a reordered frame skips the delay (netem's meaning). Frames leave
 * by release time and, at the same time, in the order in which they came.
 *
 * Survivors are copied into a fixed pool of limit + TERN_BURST_MAX slots (those lent out at the
 * moment no longer count as queued). The memory is mapped at once and touched only as far as it is
 * used.
 *
 * Corruption flips one bit behind the Ethernet header of an IPv4 packet, where a checksum is bound
 * to notice; ARP has none, and a wrong answer there would be a riddle rather than a test.
 */
#include "link/impair_line.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "link/cut.h"
#include "link/frame.h"

#define ETH_BYTES          14u
#define OFF_TYPE           12u
#define TYPE_IPV4          0x0800u
#define LIMIT_DEFAULT      10000u
#define LIMIT_DEFAULT_RATE 1000u /* netem's: a bottleneck with a queue that can be told from none */
#define POOL_BYTES_MAX     (UINT64_C(256) << 20)
#define SLOT_ALIGN         64u

struct tern_impair_held {
    tern_time release;
    uint64_t order;
    uint32_t bytes;
    enum tern_cause cause;
};

static void seed_one(struct tern_random *r, uint64_t seed, const char *purpose, const char *what)
{
    char name[32];

    (void)snprintf(name, sizeof(name), "impair %s %s", purpose, what);
    tern_random_init(r, &seed, sizeof(seed), name);
}

static uint32_t limit_for(const struct tern_impair_way *way, size_t slot_bytes)
{
    uint32_t limit = way->rate_bits != 0 ? LIMIT_DEFAULT_RATE : LIMIT_DEFAULT;

    if (way->limit != 0)
        return way->limit;
    return limit * slot_bytes > POOL_BYTES_MAX ? (uint32_t)(POOL_BYTES_MAX / slot_bytes) : limit;
}

static bool make_pool(struct tern_impair_line *line)
{
    uint32_t slots = line->limit + TERN_BURST_MAX;
    void *memory;

    line->memory_bytes = slots * line->slot_bytes;
    memory = mmap(NULL, line->memory_bytes, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    line->memory = memory == MAP_FAILED ? NULL : memory;
    line->held = calloc(slots, sizeof(*line->held));
    line->free_slot = calloc(slots, sizeof(*line->free_slot));
    line->heap = calloc(slots, sizeof(*line->heap));
    line->lent = calloc(TERN_BURST_MAX, sizeof(*line->lent));
    if (line->memory == NULL || line->held == NULL || line->free_slot == NULL ||
        line->heap == NULL || line->lent == NULL)
        return false;
    for (uint32_t i = 0; i < slots; i++)
        line->free_slot[i] = slots - 1 - i; /* the first slot is taken first */
    line->free_count = slots;
    return true;
}

bool tern_impair_line_init(struct tern_impair_line *line, const struct tern_impair_way *way,
                           uint64_t seed, const char *purpose, size_t frame_bytes)
{
    *line = (struct tern_impair_line){.way = *way, .free_at = INT64_MIN};
    seed_one(&line->loss, seed, purpose, "loss");
    seed_one(&line->burst, seed, purpose, "burst");
    seed_one(&line->jitter, seed, purpose, "jitter");
    seed_one(&line->reorder, seed, purpose, "reorder");
    seed_one(&line->duplicate, seed, purpose, "duplicate");
    seed_one(&line->corrupt, seed, purpose, "corrupt");
    line->slot_bytes = (frame_bytes + SLOT_ALIGN - 1) / SLOT_ALIGN * SLOT_ALIGN;
    line->limit = limit_for(way, line->slot_bytes);
    if (make_pool(line))
        return true;
    tern_impair_line_fini(line);
    return false;
}

void tern_impair_line_fini(struct tern_impair_line *line)
{
    if (line->memory != NULL)
        (void)munmap(line->memory, line->memory_bytes);
    free(line->held);
    free(line->free_slot);
    free(line->heap);
    free(line->lent);
    *line = (struct tern_impair_line){0};
}

static uint8_t *slot_bytes_of(const struct tern_impair_line *line, uint32_t slot)
{
    return line->memory + slot * line->slot_bytes;
}

/* Does slot a leave before slot b? */
static bool leaves_before(const struct tern_impair_line *line, uint32_t a, uint32_t b)
{
    const struct tern_impair_held *x = &line->held[a], *y = &line->held[b];

    return x->release != y->release ? x->release < y->release : x->order < y->order;
}

static void heap_swap(struct tern_impair_line *line, uint32_t i, uint32_t j)
{
    uint32_t slot = line->heap[i];

    line->heap[i] = line->heap[j];
    line->heap[j] = slot;
}

static void heap_push(struct tern_impair_line *line, uint32_t slot)
{
    uint32_t at = line->heap_count++;

    line->heap[at] = slot;
    while (at > 0 && leaves_before(line, line->heap[at], line->heap[(at - 1) / 2])) {
        heap_swap(line, at, (at - 1) / 2);
        at = (at - 1) / 2;
    }
}

static uint32_t heap_pop(struct tern_impair_line *line)
{
    uint32_t slot = line->heap[0];
    uint32_t at = 0;

    TERN_ASSERT(line->heap_count > 0);
    line->heap[0] = line->heap[--line->heap_count];
    for (;;) {
        uint32_t first = at;

        for (uint32_t child = 2 * at + 1; child <= 2 * at + 2; child++) {
            if (child < line->heap_count &&
                leaves_before(line, line->heap[child], line->heap[first]))
                first = child;
        }
        if (first == at)
            return slot;
        heap_swap(line, at, first);
        at = first;
    }
}

/* Does the frame vanish? Every generator that may be asked is asked, whatever the others said. */
static bool is_lost(struct tern_impair_line *line, size_t bytes)
{
    const struct tern_impair_way *way = &line->way;
    bool lost = tern_random_chance(&line->loss, way->loss_ppm);

    if (line->burst_left == 0 && tern_random_chance(&line->burst, way->burst_ppm))
        line->burst_left = way->burst_count;
    if (line->burst_left > 0) {
        line->burst_left--;
        lost = true;
    }
    for (uint32_t i = 0; i < way->drop_count; i++)
        lost = lost || way->drop[i] == line->counts.offered;
    if (lost) {
        line->counts.lost++;
        return true;
    }
    if (way->mtu_bytes == 0 || bytes <= way->mtu_bytes + ETH_BYTES)
        return false;
    line->counts.too_long++;
    return true;
}

static void maybe_corrupt(struct tern_impair_line *line, uint8_t *data, size_t bytes)
{
    uint64_t bit;

    if (!tern_random_chance(&line->corrupt, line->way.corrupt_ppm))
        return;
    if (bytes <= ETH_BYTES || tern_get_be16(data + OFF_TYPE) != TYPE_IPV4)
        return;
    bit = tern_random_below(&line->corrupt, (bytes - ETH_BYTES) * 8);
    data[ETH_BYTES + bit / 8] ^= (uint8_t)(1u << (bit % 8));
    line->counts.corrupted++;
}

/* The end of the frame's last bit on the line. */
static tern_time departure(struct tern_impair_line *line, tern_time now, size_t bytes)
{
    tern_time start = line->free_at > now ? line->free_at : now;

    if (line->way.rate_bits == 0)
        return now;
    line->free_at =
        start + (tern_time)((uint64_t)bytes * 8 * (uint64_t)TERN_SECOND / line->way.rate_bits);
    return line->free_at;
}

static tern_time delay_of(struct tern_impair_line *line)
{
    const struct tern_impair_way *way = &line->way;
    tern_time delay = way->delay;

    if (way->jitter > 0)
        delay += (tern_time)tern_random_below(&line->jitter, 2 * (uint64_t)way->jitter + 1) -
                 way->jitter;
    if (way->reorder_ppm > 0 && tern_random_chance(&line->reorder, way->reorder_ppm)) {
        line->counts.reordered++;
        return 0;
    }
    return delay > 0 ? delay : 0;
}

/* Put one copy on its way, if the queue has room. */
static void hold(struct tern_impair_line *line, tern_time now, const uint8_t *data, size_t bytes,
                 enum tern_cause cause)
{
    struct tern_impair_held *held;
    uint32_t slot;

    if (line->heap_count >= line->limit || line->free_count == 0 || bytes > line->slot_bytes) {
        line->counts.full++;
        return;
    }
    slot = line->free_slot[--line->free_count];
    held = &line->held[slot];
    memcpy(slot_bytes_of(line, slot), data, bytes);
    maybe_corrupt(line, slot_bytes_of(line, slot), bytes);
    held->release = departure(line, now, bytes) + delay_of(line);
    held->order = line->counts.offered;
    held->bytes = (uint32_t)bytes;
    held->cause = cause;
    heap_push(line, slot);
}

void tern_impair_line_offer(struct tern_impair_line *line, tern_time now, const uint8_t *data,
                            size_t bytes, enum tern_cause cause)
{
    bool twice;

    line->counts.offered++;
    twice = tern_random_chance(&line->duplicate, line->way.duplicate_ppm);
    if (is_lost(line, bytes))
        return;
    hold(line, now, data, bytes, cause);
    if (!twice)
        return;
    line->counts.duplicated++;
    hold(line, now, data, bytes, cause);
}

void tern_impair_line_offer_frame(struct tern_impair_line *line, tern_time now,
                                  const struct tern_frame *frame,
                                  struct tern_impair_scratch *scratch)
{
    size_t bytes = tern_frame_copy(frame, scratch->whole, sizeof(scratch->whole));
    struct tern_cut cut;

    if (frame->gso != TERN_GSO_NONE &&
        tern_cut_init(&cut, scratch->whole, bytes, frame->gso_bytes)) {
        while ((bytes = tern_cut_next(&cut, scratch->piece)) > 0)
            tern_impair_line_offer(line, now, scratch->piece, bytes, frame->cause);
        return;
    }
    if (frame->csum == TERN_CSUM_NEEDS)
        (void)tern_frame_fill_checksum(scratch->whole, bytes, frame->csum_start,
                                       frame->csum_offset);
    tern_impair_line_offer(line, now, scratch->whole, bytes, frame->cause);
}

tern_time tern_impair_line_next(const struct tern_impair_line *line)
{
    return line->heap_count == 0 ? TERN_TIME_NEVER : line->held[line->heap[0]].release;
}

int tern_impair_line_take(struct tern_impair_line *line, tern_time now, struct tern_frame *frames,
                          int max)
{
    int n = 0;

    TERN_ASSERT(line->lent_count == 0);
    while (n < max && n < TERN_BURST_MAX && tern_impair_line_next(line) <= now) {
        uint32_t slot = heap_pop(line);
        struct tern_frame *f = &frames[n];

        *f = (struct tern_frame){
            .piece_count = 1, .bytes = line->held[slot].bytes, .cause = line->held[slot].cause};
        f->piece[0] = (struct tern_slice){.data = slot_bytes_of(line, slot), .bytes = f->bytes};
        line->lent[line->lent_count++] = slot;
        n++;
    }
    return n;
}

void tern_impair_line_give(struct tern_impair_line *line)
{
    while (line->lent_count > 0)
        line->free_slot[line->free_count++] = line->lent[--line->lent_count];
}
