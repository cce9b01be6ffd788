/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Before each sleep libslirp walks its sockets and names each with what it waits for; the
 * index of each is what it asks the result by. Here every named descriptor is set in epoll
 * (changed, or added where the kernel does not know it: it forgets descriptors that were closed,
 * and the same number may be another socket by now), and those no longer named are taken out.
 * That is a system call for each socket and round, in a driver that makes several anyway.
 *
 * What epoll does not take (out of memory, or of the user's share of watches) is looked at with
 * poll(2), each RETRY_MS: slow, but no connection is left without its bytes.
 */
#include "link/slirp_poll.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/assert.h"

#define BATCH    64
#define RETRY_MS 10
#define STEP     64u
#define FD_MAX   (1 << 20)

bool tern_slirp_poll_init(struct tern_slirp_poll *p)
{
    *p = (struct tern_slirp_poll){.epoll_fd = epoll_create1(EPOLL_CLOEXEC)};
    return p->epoll_fd >= 0;
}

void tern_slirp_poll_fini(struct tern_slirp_poll *p)
{
    if (p->epoll_fd >= 0)
        (void)close(p->epoll_fd);
    free(p->want);
    free(p->registered);
    free(p->wanted_in);
    free(p->want_of);
    *p = (struct tern_slirp_poll){.epoll_fd = -1};
}

/* Room for one more item; the array may move. */
static bool grow(void **items, size_t item_bytes, uint32_t count, uint32_t *max)
{
    void *more;

    if (count < *max)
        return true;
    more = realloc(*items, item_bytes * (*max + STEP));
    if (more == NULL)
        return false;
    *items = more;
    *max += STEP;
    return true;
}

/* Tables by descriptor, as far as this one. */
static bool grow_tables(struct tern_slirp_poll *p, int fd)
{
    uint32_t count = ((uint32_t)fd / STEP + 1) * STEP;
    uint32_t *a, *b;

    if ((uint32_t)fd < p->table_count)
        return true;
    a = realloc(p->wanted_in, count * sizeof(*a));
    if (a != NULL)
        p->wanted_in = a;
    b = realloc(p->want_of, count * sizeof(*b));
    if (b != NULL)
        p->want_of = b;
    if (a == NULL || b == NULL)
        return false;
    memset(a + p->table_count, 0, (count - p->table_count) * sizeof(*a));
    memset(b + p->table_count, 0, (count - p->table_count) * sizeof(*b));
    p->table_count = count;
    return true;
}

static uint32_t to_epoll(int events)
{
    return ((events & SLIRP_POLL_IN) != 0 ? (uint32_t)EPOLLIN : 0) |
           ((events & SLIRP_POLL_OUT) != 0 ? (uint32_t)EPOLLOUT : 0) |
           ((events & SLIRP_POLL_PRI) != 0 ? (uint32_t)EPOLLPRI : 0);
}

static int from_epoll(uint32_t events)
{
    return ((events & EPOLLIN) != 0 ? SLIRP_POLL_IN : 0) |
           ((events & EPOLLOUT) != 0 ? SLIRP_POLL_OUT : 0) |
           ((events & EPOLLPRI) != 0 ? SLIRP_POLL_PRI : 0) |
           ((events & EPOLLERR) != 0 ? SLIRP_POLL_ERR : 0) |
           ((events & EPOLLHUP) != 0 ? SLIRP_POLL_HUP : 0);
}

/* libslirp names a socket; the answer is the index that it will ask by, -1: it goes unwatched. */
static int on_want(int fd, int events, void *opaque)
{
    struct tern_slirp_poll *p = opaque;
    void *want = p->want;

    if (fd < 0 || fd >= FD_MAX)
        return -1;
    if (!grow_tables(p, fd) || !grow(&want, sizeof(*p->want), p->want_count, &p->want_max)) {
        p->missed = true;
        return -1;
    }
    p->want = want;
    p->want[p->want_count] = (struct tern_slirp_want){.fd = fd, .events = to_epoll(events)};
    p->wanted_in[fd] = p->round;
    p->want_of[fd] = p->want_count;
    return (int)p->want_count++;
}

static void drop_unwanted(struct tern_slirp_poll *p)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < p->registered_count; i++) {
        int fd = p->registered[i];

        if (p->wanted_in[fd] == p->round)
            p->registered[kept++] = fd;
        else
            (void)epoll_ctl(p->epoll_fd, EPOLL_CTL_DEL, fd, NULL); /* closed: gone already */
    }
    p->registered_count = kept;
}

static void leave_alone(struct tern_slirp_poll *p, struct tern_slirp_want *want)
{
    want->alone = true;
    p->missed = true;
}

static void set_wanted(struct tern_slirp_poll *p, struct tern_slirp_want *want)
{
    struct epoll_event e = {.events = want->events, .data.fd = want->fd};
    void *registered = p->registered;

    if (epoll_ctl(p->epoll_fd, EPOLL_CTL_MOD, want->fd, &e) == 0)
        return;
    if (epoll_ctl(p->epoll_fd, EPOLL_CTL_ADD, want->fd, &e) != 0) {
        leave_alone(p, want);
        return;
    }
    /* The number may be listed from an earlier socket; twice in the list does no harm but space. */
    for (uint32_t i = 0; i < p->registered_count; i++) {
        if (p->registered[i] == want->fd)
            return;
    }
    if (!grow(&registered, sizeof(*p->registered), p->registered_count, &p->registered_max)) {
        (void)epoll_ctl(p->epoll_fd, EPOLL_CTL_DEL, want->fd, NULL); /* or nobody ever would */
        leave_alone(p, want);
        return;
    }
    p->registered = registered;
    p->registered[p->registered_count++] = want->fd;
}

uint32_t tern_slirp_poll_fill(struct tern_slirp_poll *p, Slirp *slirp)
{
    uint32_t timeout_ms = UINT32_MAX;

    p->round++;
    p->want_count = 0;
    p->missed = false;
    slirp_pollfds_fill(slirp, &timeout_ms, on_want, p);
    drop_unwanted(p);
    for (uint32_t i = 0; i < p->want_count; i++)
        set_wanted(p, &p->want[i]);
    return p->missed && timeout_ms > RETRY_MS ? RETRY_MS : timeout_ms;
}

/* Those that epoll did not take. */
static bool look_alone(struct tern_slirp_poll *p)
{
    bool found = false;

    for (uint32_t i = 0; i < p->want_count; i++) {
        struct tern_slirp_want *want = &p->want[i];
        struct pollfd polled = {.fd = want->fd, .events = (short)want->events};

        if (!want->alone || poll(&polled, 1, 0) <= 0)
            continue;
        want->ready = (uint32_t)(unsigned short)polled.revents;
        found = true;
    }
    return found;
}

bool tern_slirp_poll_look(struct tern_slirp_poll *p, int wait_ms)
{
    struct epoll_event events[BATCH];
    int n = epoll_wait(p->epoll_fd, events, BATCH, wait_ms);

    for (int i = 0; i < n; i++) {
        int fd = events[i].data.fd;

        TERN_ASSERT(fd >= 0);
        if ((uint32_t)fd < p->table_count && p->wanted_in[fd] == p->round)
            p->want[p->want_of[fd]].ready = events[i].events;
    }
    if (p->missed && look_alone(p))
        return true;
    return n > 0;
}

static int on_ready(int index, void *opaque)
{
    const struct tern_slirp_poll *p = opaque;

    const struct tern_slirp_want *want;

    if (index < 0 || (uint32_t)index >= p->want_count)
        return 0;
    want = &p->want[index];
    /* A registration that could not be changed tells of what is no longer wanted, and libslirp ends
     * a connection that it may write to with nothing to write. */
    return from_epoll(want->ready & (want->events | EPOLLERR | EPOLLHUP));
}

void tern_slirp_poll_run(struct tern_slirp_poll *p, Slirp *slirp)
{
    slirp_pollfds_poll(slirp, 0, on_ready, p);
    for (uint32_t i = 0; i < p->want_count; i++)
        p->want[i].ready = 0;
}

bool tern_slirp_poll_writing(const struct tern_slirp_poll *p)
{
    for (uint32_t i = 0; i < p->want_count; i++) {
        if ((p->want[i].events & EPOLLOUT) != 0)
            return true;
    }
    return false;
}
