/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_OS_WATCH_H
#define TERN_OS_WATCH_H
/*
 * The descriptors that a loop sleeps on: one epoll set with the link's, the wake-up's, and
 * whatever the application asked to have watched.
 */
#include <stdbool.h>
#include <stdint.h>

#include <tern/loop.h>

struct tern_watch {
    tern_loop_watch_fn *callback; /* NULL: not watched */
    void *user;
    uint32_t bits;
    uint32_t generation; /* tells a descriptor from an earlier one of the same number */
    bool always;         /* a regular file: always ready, and no business of epoll's */
};

struct tern_watches {
    int epoll_fd;
    int wake_fd;
    struct tern_watch *table; /* by descriptor number */
    uint32_t table_count;
    uint32_t generation;
    int highest_always; /* no descriptor above is an always one; -1: none at all */
};

/* What one poll of the set found. */
struct tern_watch_result {
    bool link;  /* the link's descriptor is readable or in error */
    bool other; /* woken, or a callback was called */
};

enum tern_err tern_watches_init(struct tern_watches *w);
void tern_watches_fini(struct tern_watches *w);
/* link_fd -1: nothing to watch. */
enum tern_err tern_watches_link(struct tern_watches *w, int link_fd);
enum tern_err tern_watches_set(struct tern_watches *w, int fd, uint32_t poll_bits,
                               tern_loop_watch_fn *callback, void *user);
/* Sleep at most wait_ns (0: just look; TERN_TIME_NEVER: no limit), then call the callbacks. */
struct tern_watch_result tern_watches_poll(struct tern_watches *w, tern_time wait_ns);
void tern_watches_wake(const struct tern_watches *w);

#endif
