/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A ring of slices between two threads, and a bell.
 *
 * The ring: `put` and `taken` count slices and only grow; each is written by one side. A slice is
 * written before `put` covers it, and read before `taken` does. `read_bytes` tells the giver what
 * it may take back; it is counted slice by slice, so that memory goes round while it is in the
 * cache.
 *
 * The bell is a byte in the reader's socket, so that poll(2) of any mixture of descriptors tells
 * the truth. `silent` says that there is none. Whoever turns silent from true to false puts the
 * byte in; only the reader takes it out, and only then turns silent to true. So there is one byte
 * at most, and:
 *
 *   the giver    puts, then looks at silent: where it was true, it rings
 *   the reader   finds nothing, takes the byte out, sets silent, then looks once more: where
 *                something has come, it unsets silent again, and has to read all of it, or ring for
 *                itself if the giver did not
 *
 * Each side writes its own word before it reads the other's (in the one order that all such
 * accesses have), so one of the two sees the other, and no wake-up is lost. A byte that is on its
 * way while the reader looks for it makes poll(2) say "readable" once for nothing, never the
 * reverse.
 *
 * The call in the other direction, `call_at`, works alike: the giver writes it and then looks at
 * read_bytes; the reader writes read_bytes and then looks at call_at; whoever takes the number out
 * acts on it.
 *
 * The mutex is the reader's, and free of rivals until the lane is cut: the giver takes it there
 * only, to wait for a copy that is under way.
 */
#include "apps/lane.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/assert.h"

/* Tests put a change of threads here. */
#ifndef TERN_LANE_STEP
#define TERN_LANE_STEP() ((void)0)
#endif

#define NEVER UINT64_MAX

struct tern_lane {
    struct tern_slice slice[TERN_LANE_SLICES_MAX];
    void (*call)(void *user);
    void *user;
    int bell_fd;   /* our own name of the giver's end, so that either side can ring */
    int reader_fd; /* the reader's; closed by it */
    atomic_int owners;

    _Alignas(64) atomic_uint_fast64_t put; /* slices; the giver's */
    uint64_t put_bytes;                    /* the giver's */
    uint32_t words_bytes;
    uint8_t words[TERN_LANE_WORDS_MAX];
    atomic_bool ended;
    atomic_uint_fast64_t call_at; /* NEVER: no call is wanted */

    _Alignas(64) atomic_uint_fast64_t taken; /* slices; the reader's */
    atomic_uint_fast64_t read_bytes;
    size_t offset; /* read of the slice `taken` */
    atomic_bool silent;
    pthread_mutex_t reading;
    bool cut; /* under reading */
};

struct tern_lane *tern_lane_open(void (*call)(void *user), void *user, int *giver_fd,
                                 int *reader_fd)
{
    struct tern_lane *lane = aligned_alloc(64, (sizeof *lane + 63) / 64 * 64);
    int ends[2];

    if (lane == NULL)
        return NULL;
    memset(lane, 0, sizeof *lane);
    lane->call = call;
    lane->user = user;
    lane->owners = 2;
    lane->call_at = NEVER;
    lane->silent = true;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0) {
        free(lane);
        return NULL;
    }
    lane->bell_fd = fcntl(ends[0], F_DUPFD_CLOEXEC, 0);
    if (lane->bell_fd < 0) {
        (void)close(ends[0]);
        (void)close(ends[1]);
        free(lane);
        return NULL;
    }
    (void)pthread_mutex_init(&lane->reading, NULL);
    lane->reader_fd = *reader_fd = ends[1];
    *giver_fd = ends[0];
    return lane;
}

void tern_lane_give(struct tern_lane *lane)
{
    if (atomic_fetch_sub(&lane->owners, 1) > 1)
        return;
    (void)close(lane->bell_fd);
    (void)pthread_mutex_destroy(&lane->reading);
    free(lane);
}

/* The reader's descriptor becomes readable, if it is not. */
void tern_lane_ring(struct tern_lane *lane)
{
    TERN_LANE_STEP();
    if (!lane->silent || !atomic_exchange(&lane->silent, false))
        return;
    TERN_LANE_STEP();
    (void)!send(lane->bell_fd, "", 1, MSG_NOSIGNAL | MSG_DONTWAIT); /* gone: it needs no bell */
}

/* ---- the giver ---- */

uint32_t tern_lane_room(const struct tern_lane *lane)
{
    return TERN_LANE_SLICES_MAX - (uint32_t)(lane->put - lane->taken);
}

void tern_lane_put(struct tern_lane *lane, const struct tern_slice *slices, uint32_t count)
{
    const uint64_t put = lane->put;

    TERN_ASSERT(count <= tern_lane_room(lane));
    TERN_ASSERT(!lane->ended);
    for (uint32_t i = 0; i < count; i++) {
        TERN_ASSERT(slices[i].bytes > 0);
        lane->slice[(put + i) % TERN_LANE_SLICES_MAX] = slices[i];
        lane->put_bytes += slices[i].bytes;
    }
    TERN_LANE_STEP();
    atomic_store(&lane->put, put + count);
}

void tern_lane_say(struct tern_lane *lane, const void *data, uint32_t bytes)
{
    const struct tern_slice slice = {lane->words + lane->words_bytes, bytes};

    TERN_ASSERT(bytes <= TERN_LANE_WORDS_MAX - lane->words_bytes);
    memcpy(lane->words + lane->words_bytes, data, bytes);
    lane->words_bytes += bytes;
    tern_lane_put(lane, &slice, 1);
    tern_lane_ring(lane);
}

uint64_t tern_lane_put_bytes(const struct tern_lane *lane)
{
    return lane->put_bytes;
}

uint64_t tern_lane_read_bytes(const struct tern_lane *lane)
{
    return atomic_load(&lane->read_bytes);
}

bool tern_lane_call_at(struct tern_lane *lane, uint64_t bytes)
{
    atomic_store(&lane->call_at, bytes);
    TERN_LANE_STEP();
    return atomic_load(&lane->read_bytes) < bytes ||
           atomic_exchange(&lane->call_at, NEVER) == NEVER;
}

void tern_lane_end(struct tern_lane *lane)
{
    atomic_store(&lane->ended, true);
    (void)shutdown(lane->bell_fd, SHUT_WR); /* readable for good */
}

void tern_lane_cut(struct tern_lane *lane)
{
    (void)pthread_mutex_lock(&lane->reading);
    lane->cut = true;
    (void)pthread_mutex_unlock(&lane->reading);
    (void)shutdown(lane->bell_fd, SHUT_WR);
}

/* ---- the reader ---- */

static bool is_empty(const struct tern_lane *lane)
{
    return lane->taken == lane->put;
}

/* Look at bytes from the first unread on, without being done with them. */
static size_t peek(const struct tern_lane *lane, uint8_t *data, size_t bytes)
{
    const uint64_t put = lane->put;
    size_t offset = lane->offset, done = 0;

    for (uint64_t at = lane->taken; at < put && done < bytes; at++) {
        const struct tern_slice *s = &lane->slice[at % TERN_LANE_SLICES_MAX];
        const size_t n = s->bytes - offset < bytes - done ? s->bytes - offset : bytes - done;

        memcpy(data + done, s->data + offset, n);
        done += n;
        offset = 0;
    }
    return done;
}

/* Read what is there, as far as there is room for it. */
static size_t take(struct tern_lane *lane, uint8_t *data, size_t bytes)
{
    size_t done = 0;

    while (done < bytes && !is_empty(lane)) {
        const struct tern_slice *s = &lane->slice[lane->taken % TERN_LANE_SLICES_MAX];
        const size_t left = s->bytes - lane->offset;
        const size_t n = left < bytes - done ? left : bytes - done;

        memcpy(data + done, s->data + lane->offset, n);
        done += n;
        lane->offset += n;
        if (n == left) {
            lane->offset = 0;
            lane->taken++;
        }
        lane->read_bytes += n;
        TERN_LANE_STEP();
    }
    return done;
}

/* All was read: take the bell's byte out. True: it is, and nothing has come meanwhile. */
static bool fall_silent(struct tern_lane *lane)
{
    char byte;

    TERN_LANE_STEP();
    if (lane->silent)
        return true;
    if (syscall(SYS_recvfrom, lane->reader_fd, &byte, sizeof byte, MSG_DONTWAIT, NULL, NULL) != 1)
        return true; /* it is on its way, or this is the end: poll(2) will say more than is so */
    TERN_LANE_STEP();
    atomic_store(&lane->silent, true);
    TERN_LANE_STEP();
    return is_empty(lane);
}

/* Read all there is room for, and see to it that the bell tells the truth about the rest. */
static size_t read_all(struct tern_lane *lane, uint8_t *data, size_t bytes)
{
    size_t done = take(lane, data, bytes);

    while (is_empty(lane) && !fall_silent(lane) && done < bytes)
        done += take(lane, data + done, bytes - done);
    if (!is_empty(lane))
        tern_lane_ring(lane);
    return done;
}

static void call_giver(struct tern_lane *lane)
{
    TERN_LANE_STEP();
    if (lane->read_bytes >= atomic_load(&lane->call_at) &&
        atomic_exchange(&lane->call_at, NEVER) != NEVER)
        lane->call(lane->user);
}

static ssize_t read_locked(struct tern_lane *lane, void *data, size_t bytes, int flags)
{
    const bool ended = lane->ended; /* before looking: what was put before it is seen */
    size_t done;

    if (lane->cut) {
        errno = ECONNRESET;
        return -1;
    }
    done = (flags & MSG_PEEK) != 0 ? peek(lane, data, bytes) : read_all(lane, data, bytes);
    if ((flags & MSG_PEEK) == 0 && done > 0)
        call_giver(lane);
    if (done > 0 || bytes == 0 || ended)
        return (ssize_t)done;
    errno = EAGAIN;
    return -1;
}

ssize_t tern_lane_read(struct tern_lane *lane, void *data, size_t bytes, int flags)
{
    ssize_t n;

    (void)pthread_mutex_lock(&lane->reading);
    n = read_locked(lane, data, bytes, flags);
    (void)pthread_mutex_unlock(&lane->reading);
    return n;
}
