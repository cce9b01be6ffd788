/* SPDX-License-Identifier: BSD-2-Clause */
/* A heap of frames by arrival time. See network.h. */
#include "network.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define FLYING_MAX 65536

struct flying {
    tern_time at;
    uint64_t order; /* of equal times, the first sent comes first */
    int to;
    bool corrupted;
    uint32_t bytes;
    uint8_t *data;
};

struct sim_network {
    struct sim_faults faults;
    struct tern_random random;
    struct flying *heap;
    uint32_t count;
    uint64_t order;
    uint32_t burst_left[2];
    tern_time burst_until[2]; /* so that a slow flow does not lose minutes */
    tern_time busy_until[2];
    uint8_t *lent;
};

struct sim_network *sim_network_create(const struct sim_faults *faults, uint64_t seed)
{
    struct sim_network *n = calloc(1, sizeof(*n));

    assert(n != NULL);
    n->faults = *faults;
    n->heap = calloc(FLYING_MAX, sizeof(*n->heap));
    assert(n->heap != NULL);
    tern_random_init(&n->random, &seed, sizeof(seed), "network");
    return n;
}

void sim_network_destroy(struct sim_network *n)
{
    for (uint32_t i = 0; i < n->count; i++)
        free(n->heap[i].data);
    free(n->heap);
    free(n->lent);
    free(n);
}

void sim_network_heal(struct sim_network *n)
{
    n->faults.loss_ppm = n->faults.burst_ppm = n->faults.corrupt_ppm = 0;
    n->faults.duplicate_ppm = n->faults.reorder_ppm = 0;
    n->burst_left[0] = n->burst_left[1] = 0;
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

static void heap_push(struct sim_network *n, struct flying f)
{
    uint32_t i = n->count++;

    assert(n->count < FLYING_MAX);
    n->heap[i] = f;
    for (; i > 0 && earlier(&n->heap[i], &n->heap[(i - 1) / 2]); i = (i - 1) / 2)
        swap(&n->heap[i], &n->heap[(i - 1) / 2]);
}

static struct flying heap_pop(struct sim_network *n)
{
    const struct flying first = n->heap[0];

    n->heap[0] = n->heap[--n->count];
    for (uint32_t i = 0;;) {
        uint32_t least = i;

        for (uint32_t child = 2 * i + 1; child <= 2 * i + 2 && child < n->count; child++)
            if (earlier(&n->heap[child], &n->heap[least]))
                least = child;
        if (least == i)
            return first;
        swap(&n->heap[i], &n->heap[least]);
        i = least;
    }
}

/* Lost ARP is left out: three in a row are an honest failure, and not one to be judged. */
static bool is_lost(struct sim_network *n, int from, const uint8_t *frame, tern_time now)
{
    if (frame[12] == 0x08 && frame[13] == 0x06)
        return false;
    if (n->burst_left[from] > 0 && now < n->burst_until[from]) {
        n->burst_left[from]--;
        return true;
    }
    if (tern_random_chance(&n->random, n->faults.burst_ppm)) {
        n->burst_until[from] = now + TERN_SECOND;
        n->burst_left[from] = (uint32_t)tern_random_below(&n->random, n->faults.burst_frames + 1u);
        return true;
    }
    return tern_random_chance(&n->random, n->faults.loss_ppm) != 0;
}

/* When a frame comes out of the bottleneck; false: its queue is full. */
static bool serialise(struct sim_network *n, int from, uint32_t bytes, tern_time now, tern_time *at)
{
    tern_time start = n->busy_until[from] > now ? n->busy_until[from] : now;
    tern_time one;

    *at = now;
    if (n->faults.bytes_per_second == 0)
        return true;
    one = (tern_time)((uint64_t)bytes * UINT64_C(1000000000) / n->faults.bytes_per_second);
    if (one > 0 && (start - now) / one > n->faults.queue_frames)
        return false;
    n->busy_until[from] = start + one;
    *at = n->busy_until[from];
    return true;
}

static void fly(struct sim_network *n, int from, const uint8_t *data, uint32_t bytes, tern_time now)
{
    struct flying f = {.to = 1 - from, .bytes = bytes};
    const uint32_t copies = 1 + (uint32_t)tern_random_chance(&n->random, n->faults.duplicate_ppm);
    tern_time out;

    if (is_lost(n, from, data, now) || !serialise(n, from, bytes, now, &out))
        return;
    for (uint32_t i = 0; i < copies; i++) {
        f.data = malloc(bytes);
        assert(f.data != NULL);
        memcpy(f.data, data, bytes);
        f.at = out + n->faults.delay;
        if (n->faults.jitter > 0)
            f.at += (tern_time)tern_random_below(&n->random, (uint64_t)n->faults.jitter);
        if (tern_random_chance(&n->random, n->faults.reorder_ppm))
            f.at += n->faults.delay / 2 + 100 * TERN_US;
        if (tern_random_chance(&n->random, n->faults.corrupt_ppm) && bytes > 60)
            f.data[14 + tern_random_below(&n->random, bytes - 14)] ^=
                (uint8_t)(1u << tern_random_below(&n->random, 8));
        f.order = n->order++;
        heap_push(n, f);
    }
}

static uint32_t sum16(const uint8_t *p, uint32_t bytes)
{
    uint32_t sum = 0;

    for (uint32_t i = 0; i + 1 < bytes; i += 2)
        sum += (uint32_t)p[i] << 8 | p[i + 1];
    if ((bytes & 1) != 0)
        sum += (uint32_t)p[bytes - 1] << 8;
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

static void put16(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

/* Make a TCP/IPv4 frame's lengths and checksums whole. */
static void complete(uint8_t *f, uint32_t bytes)
{
    const uint32_t tcp_bytes = bytes - 34;
    uint32_t sum;

    put16(f + 16, bytes - 14);
    put16(f + 24, 0);
    put16(f + 24, ~sum16(f + 14, 20) & 0xffff);
    put16(f + 50, 0);
    sum = sum16(f + 26, 8) + 6 + tcp_bytes + sum16(f + 34, tcp_bytes);
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    put16(f + 50, ~sum & 0xffff);
}

static void put32(uint8_t *p, uint32_t v)
{
    put16(p, v >> 16);
    put16(p + 2, v & 0xffff);
}

static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Cut a super-segment: FIN and PSH on the last piece only. */
static void cut(struct sim_network *n, int from, const uint8_t *whole, const struct tern_frame *f,
                tern_time now)
{
    const uint32_t header = f->header_bytes;
    const uint32_t text = f->bytes - header;
    uint8_t piece[2048];

    assert(header + f->gso_bytes <= sizeof(piece));
    for (uint32_t at = 0; at < text; at += f->gso_bytes) {
        const uint32_t bytes = text - at < f->gso_bytes ? text - at : f->gso_bytes;

        memcpy(piece, whole, header);
        memcpy(piece + header, whole + header + at, bytes);
        put32(piece + 38, get32(whole + 38) + at);
        if (at + bytes < text)
            piece[47] &= (uint8_t)~0x09;
        complete(piece, header + bytes);
        fly(n, from, piece, header + bytes, now);
    }
}

void sim_network_send(struct sim_network *n, int from, const struct tern_frame *f, tern_time now)
{
    static uint8_t whole[TERN_FRAME_BYTES_MAX];
    uint32_t bytes = 0;

    for (uint32_t i = 0; i < f->piece_count; i++) {
        assert(bytes + f->piece[i].bytes <= sizeof(whole));
        memcpy(whole + bytes, f->piece[i].data, f->piece[i].bytes);
        bytes += (uint32_t)f->piece[i].bytes;
    }
    assert(bytes == f->bytes);
    if (f->gso != TERN_GSO_NONE) {
        cut(n, from, whole, f, now);
        return;
    }
    if (f->csum == TERN_CSUM_NEEDS)
        complete(whole, bytes);
    fly(n, from, whole, bytes, now);
}

bool sim_network_receive(struct sim_network *n, int at, tern_time now, struct tern_frame *out)
{
    struct flying f;

    if (n->count == 0 || n->heap[0].at > now || n->heap[0].to != at)
        return false;
    f = heap_pop(n);
    free(n->lent);
    n->lent = f.data;
    memset(out, 0, sizeof(*out));
    out->piece[0] = (struct tern_slice){f.data, f.bytes};
    out->piece_count = 1;
    out->bytes = f.bytes;
    return true;
}

tern_time sim_network_deadline(const struct sim_network *n)
{
    return n->count == 0 ? TERN_TIME_NEVER : n->heap[0].at;
}
