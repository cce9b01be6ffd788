/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Boxes for frames that are passed on between links. A box is a ring of bytes in which entries
 * stand one behind the other, each in one piece: a descriptor, then the frame. head and tail only
 * grow; where an entry does not fit before the ring's end, a mark says that it goes on at its
 * start.
 *
 * Who puts holds the box's lock, who takes needs it only to say that room is free again, and to
 * silence the bell. So the lock is held for a copy at the longest. The bell is rung once, until the
 * box was seen empty: it costs no system call a frame.
 */
#include "link/queue_hub.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/assert.h"

#define BOX_BYTES ((size_t)4 << 20) /* some sixty of the longest frames; touched lazily */
#define ALIGN     64u
#define WRAPS     UINT32_MAX

struct entry {
    uint32_t bytes; /* of the whole entry; WRAPS: the next is at the ring's start */
    struct tern_frame frame;
};

struct box {
    pthread_mutex_t lock;
    uint8_t *ring;
    _Atomic uint64_t head; /* written under the lock */
    uint64_t tail;         /* under the lock: up to here there is room again */
    uint64_t taken;        /* the taker's alone: up to here it was lent */
    _Atomic uint64_t dropped;
    _Atomic bool rung; /* written under the lock */
    bool closed;       /* under the lock */
    int fd;
};

struct tern_queue_hub {
    uint32_t queues;
    _Atomic uint32_t users;
    struct box box[];
};

static bool ring_bell(const struct box *b)
{
    const uint64_t one = 1;
    ssize_t n;

    do {
        n = write(b->fd, &one, sizeof one);
    } while (n < 0 && errno == EINTR);
    return n == (ssize_t)sizeof one; /* else the next frame rings */
}

static bool silence_bell(const struct box *b)
{
    uint64_t rings;
    ssize_t n;

    do {
        n = read(b->fd, &rings, sizeof rings);
    } while (n < 0 && errno == EINTR);
    return n == (ssize_t)sizeof rings;
}

static size_t aligned(size_t bytes)
{
    return (bytes + ALIGN - 1) / ALIGN * ALIGN;
}

static struct entry *entry_at(const struct box *b, uint64_t offset)
{
    return (struct entry *)(void *)(b->ring + offset % BOX_BYTES);
}

static void hub_free(struct tern_queue_hub *hub)
{
    for (uint32_t i = 0; i < hub->queues; i++) {
        struct box *b = &hub->box[i];

        if (b->ring != NULL)
            (void)munmap(b->ring, BOX_BYTES);
        if (b->fd >= 0)
            (void)close(b->fd);
        (void)pthread_mutex_destroy(&b->lock);
    }
    free(hub);
}

static bool box_init(struct box *b)
{
    void *ring = mmap(NULL, BOX_BYTES, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (ring == MAP_FAILED)
        return false;
    b->ring = ring;
    b->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    return b->fd >= 0;
}

struct tern_queue_hub *tern_queue_hub_create(uint32_t queues)
{
    struct tern_queue_hub *hub = calloc(1, sizeof(*hub) + queues * sizeof(struct box));
    bool good = true;

    if (hub == NULL)
        return NULL;
    hub->queues = queues;
    hub->users = queues;
    for (uint32_t i = 0; i < queues; i++) {
        hub->box[i].fd = -1;
        (void)pthread_mutex_init(&hub->box[i].lock, NULL); /* of the plain kind: it cannot fail */
    }
    for (uint32_t i = 0; i < queues && good; i++)
        good = box_init(&hub->box[i]);
    if (good)
        return hub;
    hub_free(hub);
    return NULL;
}

void tern_queue_hub_leave(struct tern_queue_hub *hub, uint32_t queue)
{
    struct box *b = &hub->box[queue];

    (void)pthread_mutex_lock(&b->lock);
    TERN_ASSERT(!b->closed);
    b->closed = true;
    (void)pthread_mutex_unlock(&b->lock);
    if (atomic_fetch_sub(&hub->users, 1) == 1)
        hub_free(hub);
}

int tern_queue_hub_fd(const struct tern_queue_hub *hub, uint32_t queue)
{
    return hub->box[queue].fd;
}

/* ---- putting ---- */

/* Room for an entry in one piece; NULL: there is none. The lock is held. */
static struct entry *find_room(struct box *b, size_t bytes, uint64_t *at)
{
    const size_t to_end = BOX_BYTES - *at % BOX_BYTES;

    if (to_end < bytes) {
        if (*at + to_end + bytes - b->tail > BOX_BYTES)
            return NULL;
        entry_at(b, *at)->bytes = WRAPS;
        *at += to_end;
    }
    return *at + bytes - b->tail <= BOX_BYTES ? entry_at(b, *at) : NULL;
}

static bool put(struct box *b, const struct tern_frame *frame)
{
    const size_t bytes = aligned(sizeof(struct entry)) + aligned(frame->bytes);
    uint64_t at = b->head;
    struct entry *e = b->closed ? NULL : find_room(b, bytes, &at);
    uint8_t *copy;

    if (e == NULL)
        return false;
    copy = (uint8_t *)e + aligned(sizeof(struct entry));
    memcpy(copy, frame->piece[0].data, frame->bytes);
    e->bytes = (uint32_t)bytes;
    e->frame = *frame;
    e->frame.piece[0].data = copy;
    atomic_store_explicit(&b->head, at + bytes, memory_order_release);
    if (!b->rung)
        b->rung = ring_bell(b);
    return true;
}

bool tern_queue_hub_put(struct tern_queue_hub *hub, uint32_t to, const struct tern_frame *frame)
{
    struct box *b = &hub->box[to];
    bool done;

    TERN_ASSERT(to < hub->queues);
    TERN_ASSERT(frame->piece_count == 1);
    (void)pthread_mutex_lock(&b->lock);
    done = put(b, frame);
    (void)pthread_mutex_unlock(&b->lock);
    if (!done)
        atomic_fetch_add(&b->dropped, 1);
    return done;
}

/* ---- taking ---- */

/* What was taken has room again; where that was all, silence. */
static void settle(struct box *b)
{
    (void)pthread_mutex_lock(&b->lock);
    b->tail = b->taken;
    if (b->rung && b->tail == b->head)
        b->rung = !silence_bell(b);
    (void)pthread_mutex_unlock(&b->lock);
}

int tern_queue_hub_take(struct tern_queue_hub *hub, uint32_t queue, struct tern_frame *frames,
                        int max)
{
    struct box *b = &hub->box[queue];
    const uint64_t head = atomic_load_explicit(&b->head, memory_order_acquire);
    int n = 0;

    if (b->taken == head && b->rung)
        settle(b); /* it could not be silenced then */
    while (b->taken != head && n < max) {
        const struct entry *e = entry_at(b, b->taken);

        if (e->bytes == WRAPS) {
            b->taken += BOX_BYTES - b->taken % BOX_BYTES;
            continue;
        }
        frames[n++] = e->frame;
        b->taken += e->bytes;
    }
    return n;
}

void tern_queue_hub_release(struct tern_queue_hub *hub, uint32_t queue)
{
    struct box *b = &hub->box[queue];

    if (b->tail != b->taken) /* only we move it */
        settle(b);
}

uint64_t tern_queue_hub_dropped(const struct tern_queue_hub *hub, uint32_t queue)
{
    return hub->box[queue].dropped;
}
