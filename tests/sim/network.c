/* SPDX-License-Identifier: BSD-2-Clause */
/* A heap of frames by arrival time, in slots that are used again. See network.h. */
#include "network.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "dice.h"
#include "finish.h"

#define SLOTS            16384
#define SLOT_BYTES       2048
#define FULL_FRAME_BYTES 1514 /* what the length of a queue is told in */
#define LENT_MAX         TERN_BURST_MAX

struct flying {
    tern_time at;
    uint64_t order; /* of equal times, the first sent comes first */
    uint32_t slot;
    uint32_t bytes;
    uint32_t tag;
    bool corrupted;
};

/* What flies one way. */
struct way {
    struct flying *heap;
    uint32_t count;
    uint32_t burst_left;
    tern_time burst_until; /* so that a slow flow does not lose minutes */
    tern_time busy_until;
    struct dice dice;
};

struct sim_network {
    struct sim_faults faults;
    struct sim_toll toll;
    struct way way[2]; /* by the end that sent */
    uint8_t *slots;
    uint32_t *free_slots;
    uint32_t free_count;
    uint64_t order;
    uint32_t lent[LENT_MAX];
    uint32_t lent_count;
};

static void *take_memory(size_t count, size_t bytes)
{
    void *memory = calloc(count, bytes);

    assert(memory != NULL);
    return memory;
}

struct sim_network *sim_network_create(const struct sim_faults *faults, uint64_t seed)
{
    struct sim_network *n = take_memory(1, sizeof(*n));

    for (int i = 0; i < 2; i++)
        n->way[i].heap = take_memory(SLOTS, sizeof(*n->way[i].heap));
    n->slots = take_memory(SLOTS, SLOT_BYTES);
    n->free_slots = take_memory(SLOTS, sizeof(*n->free_slots));
    for (uint32_t i = 0; i < SLOTS; i++)
        n->free_slots[i] = SLOTS - 1 - i;
    n->free_count = SLOTS;
    sim_network_reset(n, faults, seed);
    return n;
}

static void release_lent(struct sim_network *n)
{
    while (n->lent_count > 0)
        n->free_slots[n->free_count++] = n->lent[--n->lent_count];
}

void sim_network_reset(struct sim_network *n, const struct sim_faults *faults, uint64_t seed)
{
    release_lent(n);
    for (uint32_t i = 0; i < 2; i++) {
        struct way *w = &n->way[i];

        while (w->count > 0)
            n->free_slots[n->free_count++] = w->heap[--w->count].slot;
        w->burst_left = 0;
        w->burst_until = w->busy_until = 0;
        dice_init(&w->dice, seed, "network", i);
    }
    n->faults = *faults;
    n->order = 0;
    memset(&n->toll, 0, sizeof(n->toll));
}

void sim_network_destroy(struct sim_network *n)
{
    free(n->way[0].heap);
    free(n->way[1].heap);
    free(n->slots);
    free(n->free_slots);
    free(n);
}

void sim_network_heal(struct sim_network *n)
{
    n->faults.loss_ppm = n->faults.burst_ppm = n->faults.corrupt_ppm = 0;
    n->faults.duplicate_ppm = n->faults.reorder_ppm = 0;
    n->faults.cut_ways = 0;
    if (n->faults.mtu_silent)
        n->faults.mtu_bytes = 0;
    if (n->faults.queue_frames < 64)
        n->faults.queue_frames = 64;
    n->way[0].burst_left = n->way[1].burst_left = 0;
}

const struct sim_toll *sim_network_toll(const struct sim_network *n)
{
    return &n->toll;
}

static bool earlier(const struct flying *a, const struct flying *b)
{
    return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void swap(struct flying *a, struct flying *b)
{
    const struct flying t = *a;

    *a = *b;
    *b = t;
}

static void heap_push(struct way *w, struct flying f)
{
    uint32_t i = w->count++;

    w->heap[i] = f;
    for (; i > 0 && earlier(&w->heap[i], &w->heap[(i - 1) / 2]); i = (i - 1) / 2)
        swap(&w->heap[i], &w->heap[(i - 1) / 2]);
}

static struct flying heap_pop(struct way *w)
{
    const struct flying first = w->heap[0];

    w->heap[0] = w->heap[--w->count];
    for (uint32_t i = 0;;) {
        uint32_t least = i;

        for (uint32_t child = 2 * i + 1; child <= 2 * i + 2 && child < w->count; child++)
            if (earlier(&w->heap[child], &w->heap[least]))
                least = child;
        if (least == i)
            return first;
        swap(&w->heap[i], &w->heap[least]);
        i = least;
    }
}

static bool hits(uint32_t ways, int from)
{
    return (ways >> from & 1) != 0;
}

/* What befell a frame, if it did. */
static bool count_if(bool holds, uint64_t *toll)
{
    *toll += holds;
    return holds;
}

static bool is_cut(const struct sim_network *n, int from, tern_time now)
{
    const struct sim_faults *f = &n->faults;

    return hits(f->cut_ways, from) && now >= f->cut_from && now < f->cut_until;
}

static bool is_lost(struct sim_network *n, int from, tern_time now)
{
    struct way *w = &n->way[from];

    if (n->faults.ways != 0 && !hits(n->faults.ways, from))
        return false;
    if (w->burst_left > 0 && now < w->burst_until) {
        w->burst_left--;
        return count_if(true, &n->toll.burst);
    }
    if (dice_ppm(&w->dice, n->faults.burst_ppm)) {
        w->burst_until = now + TERN_SECOND;
        w->burst_left = dice_range(&w->dice, 0, n->faults.burst_frames);
        return count_if(true, &n->toll.burst);
    }
    return count_if(dice_ppm(&w->dice, n->faults.loss_ppm), &n->toll.single);
}

/* When a frame comes out of the bottleneck; false: its queue is full. */
static bool serialise(struct sim_network *n, int from, uint8_t *data, uint32_t bytes, tern_time now,
                      tern_time *at)
{
    struct way *w = &n->way[from];
    const tern_time start = w->busy_until > now ? w->busy_until : now;
    uint64_t waiting;

    *at = now;
    if (n->faults.bytes_per_second == 0)
        return true;
    waiting = (uint64_t)(start - now) * n->faults.bytes_per_second / UINT64_C(1000000000);
    waiting /= FULL_FRAME_BYTES;
    if (count_if(waiting > n->faults.queue_frames, &n->toll.full))
        return false;
    if (n->faults.mark_frames > 0 && waiting >= n->faults.mark_frames)
        n->toll.marked += finish_mark(data, bytes);
    w->busy_until =
        start + (tern_time)((uint64_t)bytes * UINT64_C(1000000000) / n->faults.bytes_per_second);
    *at = w->busy_until;
    return true;
}

/* A copy of a frame sets out; with no slot left it is lost. */
static uint8_t *put(struct sim_network *n, int from, const uint8_t *data, struct flying f)
{
    uint8_t *to;

    if (n->free_count == 0) {
        n->toll.lost++;
        return NULL;
    }
    f.slot = n->free_slots[--n->free_count];
    f.order = n->order++;
    to = n->slots + (size_t)f.slot * SLOT_BYTES;
    memcpy(to, data, f.bytes);
    heap_push(&n->way[from], f);
    return to;
}

/* The router before the narrow part of the path says so, from an address of its own. */
static void tell_too_long(struct sim_network *n, int from, const uint8_t *data, tern_time now)
{
    uint8_t answer[FINISH_TOO_LONG_BYTES];
    struct flying f = {.at = now + n->faults.delay, .tag = UINT32_MAX};

    f.bytes = finish_too_long(answer, data, n->faults.mtu_bytes);
    put(n, 1 - from, answer, f);
}

static bool is_too_long(struct sim_network *n, int from, const uint8_t *data, uint32_t bytes,
                        tern_time now)
{
    const struct sim_faults *f = &n->faults;

    if (f->mtu_bytes == 0 || now < f->mtu_at || bytes <= f->mtu_bytes + 14)
        return false;
    if (count_if(!f->mtu_silent && !is_cut(n, 1 - from, now), &n->toll.too_long))
        tell_too_long(n, from, data, now);
    else
        n->toll.swallowed++;
    return true;
}

static void lose(struct sim_network *n, const uint8_t *data, tern_time now)
{
    n->toll.lost++;
    n->toll.last_lost_at = (uint64_t)now;
    n->toll.arp_lost += data[12] == 0x08 && data[13] == 0x06;
}

static bool is_stopped(struct sim_network *n, int from, uint8_t *data, uint32_t bytes,
                       tern_time now, tern_time *out)
{
    return count_if(is_cut(n, from, now), &n->toll.cut) || is_lost(n, from, now) ||
           is_too_long(n, from, data, bytes, now) || !serialise(n, from, data, bytes, now, out);
}

static void fly(struct sim_network *n, int from, uint8_t *data, uint32_t bytes, uint32_t tag,
                tern_time now)
{
    struct dice *dice = &n->way[from].dice;
    const bool bad = n->faults.ways == 0 || hits(n->faults.ways, from);
    const uint32_t copies = 1 + (uint32_t)(bad && dice_ppm(dice, n->faults.duplicate_ppm));
    tern_time out;

    assert(bytes <= SLOT_BYTES);
    n->toll.sent++;
    if (is_stopped(n, from, data, bytes, now, &out)) {
        lose(n, data, now);
        return;
    }
    n->toll.duplicated += copies - 1;
    for (uint32_t i = 0; i < copies; i++) {
        struct flying f = {.at = out + n->faults.delay, .bytes = bytes, .tag = tag};
        uint8_t *to;

        if (count_if(n->faults.jitter > 0, &n->toll.jittered))
            f.at += (tern_time)(dice_u64(dice) % (uint64_t)n->faults.jitter);
        if (count_if(bad && dice_ppm(dice, n->faults.reorder_ppm), &n->toll.overtaken))
            f.at += n->faults.reorder_by > 0 ? n->faults.reorder_by
                                             : n->faults.delay / 2 + 100 * TERN_US;
        f.corrupted = bad && bytes > 60 && dice_ppm(dice, n->faults.corrupt_ppm);
        to = put(n, from, data, f);
        n->toll.corrupted += f.corrupted;
        if (f.corrupted && to != NULL)
            to[dice_range(dice, 14, bytes - 1)] ^= (uint8_t)(1u << dice_range(dice, 0, 7));
    }
}

void sim_network_send(struct sim_network *n, int from, const struct tern_frame *f, uint32_t tag,
                      tern_time now)
{
    static uint8_t whole[TERN_FRAME_BYTES_MAX];
    uint8_t piece[SLOT_BYTES];
    uint32_t bytes = 0;

    for (uint32_t i = 0; i < f->piece_count; i++) {
        assert(bytes + f->piece[i].bytes <= sizeof(whole));
        memcpy(whole + bytes, f->piece[i].data, f->piece[i].bytes);
        bytes += (uint32_t)f->piece[i].bytes;
    }
    assert(bytes == f->bytes);
    if (f->gso == TERN_GSO_NONE) {
        if (f->csum == TERN_CSUM_NEEDS)
            finish_tcp(whole, bytes);
        fly(n, from, whole, bytes, tag, now);
        return;
    }
    assert(f->header_bytes + f->gso_bytes <= sizeof(piece));
    for (uint32_t at = f->header_bytes; at < bytes; at += f->gso_bytes) {
        const uint32_t text = bytes - at < f->gso_bytes ? bytes - at : f->gso_bytes;

        finish_cut(piece, whole, f->header_bytes, at, text, at + text == bytes);
        fly(n, from, piece, f->header_bytes + text, tag, now);
    }
}

int sim_network_receive(struct sim_network *n, int at, tern_time now, struct sim_arrival *out,
                        int max)
{
    struct way *w = &n->way[1 - at];
    int count = 0;

    release_lent(n);
    for (; count < max && count < LENT_MAX && w->count > 0 && w->heap[0].at <= now; count++) {
        const struct flying f = heap_pop(w);
        struct sim_arrival *a = &out[count];

        n->lent[n->lent_count++] = f.slot;
        memset(a, 0, sizeof(*a));
        a->tag = f.tag;
        a->corrupted = f.corrupted;
        a->frame.piece[0] = (struct tern_slice){n->slots + (size_t)f.slot * SLOT_BYTES, f.bytes};
        a->frame.piece_count = 1;
        a->frame.bytes = f.bytes;
    }
    return count;
}

tern_time sim_network_deadline(const struct sim_network *n)
{
    tern_time at = TERN_TIME_NEVER;

    for (int i = 0; i < 2; i++)
        if (n->way[i].count > 0 && n->way[i].heap[0].at < at)
            at = n->way[i].heap[0].at;
    return at;
}
