/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The loop's sleep. One epoll descriptor holds them all, so that it can be polled itself
 * (tern_fd()) and so that the cost does not grow with the number watched.
 *
 * The application's descriptors live in a table by number, grown when one is added. An event
 * carries the number and the generation: a callback may stop watching a descriptor whose
 * event was fetched in the same batch, or close it and open another of the same number.
 *
 * epoll refuses regular files (standard input may be one). poll(2) calls them always ready, and so
 * do we: while one is watched, no poll of the set sleeps.
 */
#include "os/watch.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"

#define BATCH         64
#define TOKEN_LINK    UINT64_MAX
#define TOKEN_WAKE    (UINT64_MAX - 1)
#define FD_MAX        (1 << 20)
#define TABLE_STEP    64u
#define ALWAYS_BITS   ((uint32_t)(POLLIN | POLLOUT))
#define NS_PER_MS     TERN_MS
#define WAIT_MS_LIMIT (INT64_C(3600) * 1000)

_Static_assert((int)EPOLLIN == POLLIN, "epoll's bits are poll's");
_Static_assert((int)EPOLLOUT == POLLOUT, "epoll's bits are poll's");
_Static_assert((int)EPOLLERR == POLLERR, "epoll's bits are poll's");
_Static_assert((int)EPOLLHUP == POLLHUP, "epoll's bits are poll's");

static enum tern_err epoll_add(const struct tern_watches *w, int fd, uint64_t token)
{
    struct epoll_event e = {.events = EPOLLIN, .data.u64 = token};

    return epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, fd, &e) == 0 ? TERN_ERR_OK : TERN_ERR_SYSTEM;
}

enum tern_err tern_watches_init(struct tern_watches *w)
{
    *w = (struct tern_watches){.epoll_fd = -1, .wake_fd = -1, .highest_always = -1};
    w->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    w->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (w->epoll_fd < 0 || w->wake_fd < 0)
        return TERN_ERR_SYSTEM;
    return epoll_add(w, w->wake_fd, TOKEN_WAKE);
}

void tern_watches_fini(struct tern_watches *w)
{
    if (w->epoll_fd >= 0)
        (void)close(w->epoll_fd);
    if (w->wake_fd >= 0)
        (void)close(w->wake_fd);
    free(w->table);
    *w = (struct tern_watches){.epoll_fd = -1, .wake_fd = -1, .highest_always = -1};
}

enum tern_err tern_watches_link(struct tern_watches *w, int link_fd)
{
    return link_fd < 0 ? TERN_ERR_OK : epoll_add(w, link_fd, TOKEN_LINK);
}

void tern_watches_wake(const struct tern_watches *w)
{
    uint64_t one = 1;
    ssize_t n = write(w->wake_fd, &one, sizeof(one));

    (void)n; /* full means that a wake-up is pending already */
}

static bool table_grow(struct tern_watches *w, int fd)
{
    uint32_t count = ((uint32_t)fd / TABLE_STEP + 1) * TABLE_STEP;
    struct tern_watch *table;

    if ((uint32_t)fd < w->table_count)
        return true;
    table = realloc(w->table, count * sizeof(*table));
    if (table == NULL)
        return false;
    memset(table + w->table_count, 0, (count - w->table_count) * sizeof(*table));
    w->table = table;
    w->table_count = count;
    return true;
}

static void find_highest_always(struct tern_watches *w)
{
    while (w->highest_always >= 0) {
        const struct tern_watch *watch = &w->table[w->highest_always];

        if (watch->callback != NULL && watch->always)
            return;
        w->highest_always--;
    }
}

static enum tern_err unwatch(struct tern_watches *w, int fd)
{
    if ((uint32_t)fd >= w->table_count || w->table[fd].callback == NULL)
        return TERN_ERR_OK;
    if (!w->table[fd].always)
        (void)epoll_ctl(w->epoll_fd, EPOLL_CTL_DEL, fd, NULL); /* closed already: gone already */
    w->table[fd].callback = NULL;
    find_highest_always(w);
    return TERN_ERR_OK;
}

/* Add or change, whatever was there: the number may be another file's by now. */
static int epoll_set(const struct tern_watches *w, int fd, struct epoll_event *e)
{
    if (epoll_ctl(w->epoll_fd, EPOLL_CTL_MOD, fd, e) == 0)
        return 0;
    if (errno == ENOENT && epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, fd, e) == 0)
        return 0;
    return errno;
}

enum tern_err tern_watches_set(struct tern_watches *w, int fd, uint32_t poll_bits,
                               tern_loop_watch_fn *callback, void *user)
{
    struct epoll_event e = {.events = poll_bits};
    struct tern_watch *watch;
    int error;

    if (fd < 0 || fd >= FD_MAX || (poll_bits != 0 && callback == NULL))
        return TERN_ERR_INVAL;
    if (poll_bits == 0)
        return unwatch(w, fd);
    if (!table_grow(w, fd))
        return TERN_ERR_MEMORY;
    e.data.u64 = (uint64_t)++w->generation << 32 | (uint32_t)fd;
    error = epoll_set(w, fd, &e);
    if (error != 0 && error != EPERM)
        return TERN_ERR_SYSTEM;
    watch = &w->table[fd];
    *watch = (struct tern_watch){.callback = callback,
                                 .user = user,
                                 .bits = poll_bits,
                                 .generation = w->generation,
                                 .always = error == EPERM};
    if (watch->always && fd > w->highest_always)
        w->highest_always = fd;
    find_highest_always(w);
    return TERN_ERR_OK;
}

static int wait_events(const struct tern_watches *w, struct epoll_event *events, tern_time wait_ns)
{
    struct timespec t = {.tv_sec = (time_t)(wait_ns / TERN_SECOND),
                         .tv_nsec = (long)(wait_ns % TERN_SECOND)};
    int64_t ms = (wait_ns - 1) / NS_PER_MS + 1;
    int n;

    if (wait_ns == 0)
        return epoll_wait(w->epoll_fd, events, BATCH, 0);
    n = epoll_pwait2(w->epoll_fd, events, BATCH, wait_ns == TERN_TIME_NEVER ? NULL : &t, NULL);
    if (n >= 0 || errno != ENOSYS)
        return n;
    /* Before Linux 5.11: whole milliseconds, rounded up. */
    if (ms > WAIT_MS_LIMIT)
        ms = WAIT_MS_LIMIT;
    return epoll_wait(w->epoll_fd, events, BATCH, (int)ms);
}

static void drain_wake(const struct tern_watches *w)
{
    uint64_t count;
    ssize_t n = read(w->wake_fd, &count, sizeof(count));

    (void)n;
}

/* Call one descriptor's callback, unless that has been unwatched meanwhile. */
static bool dispatch(const struct tern_watches *w, const struct epoll_event *e)
{
    uint32_t fd = (uint32_t)e->data.u64;
    uint32_t generation = (uint32_t)(e->data.u64 >> 32);
    const struct tern_watch *watch;

    if (fd >= w->table_count)
        return false;
    watch = &w->table[fd];
    if (watch->callback == NULL || watch->generation != generation)
        return false;
    watch->callback(watch->user, (int)fd, e->events);
    return true;
}

static bool dispatch_always(const struct tern_watches *w)
{
    bool called = false;

    for (int fd = 0; fd <= w->highest_always; fd++) {
        const struct tern_watch *watch = &w->table[fd];

        if (watch->callback == NULL || !watch->always || (watch->bits & ALWAYS_BITS) == 0)
            continue;
        watch->callback(watch->user, fd, watch->bits & ALWAYS_BITS);
        called = true;
    }
    return called;
}

struct tern_watch_result tern_watches_poll(struct tern_watches *w, tern_time wait_ns)
{
    struct tern_watch_result result = {0};
    struct epoll_event events[BATCH];
    int n;

    TERN_ASSERT(wait_ns >= 0);
    TERN_ASSERT(w->epoll_fd >= 0);
    n = wait_events(w, events, w->highest_always >= 0 ? 0 : wait_ns);
    for (int i = 0; i < n; i++) {
        if (events[i].data.u64 == TOKEN_LINK) {
            result.link = true;
        } else if (events[i].data.u64 == TOKEN_WAKE) {
            drain_wake(w);
            result.other = true;
        } else if (dispatch(w, &events[i])) {
            result.other = true;
        }
    }
    if (dispatch_always(w))
        result.other = true;
    return result;
}
