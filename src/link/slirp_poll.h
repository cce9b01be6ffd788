/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_LINK_SLIRP_POLL_H
#define TERN_LINK_SLIRP_POLL_H
/*
 * libslirp's sockets in one epoll set, so that a loop has one descriptor to sleep on. libslirp
 * names all that it wants to wait for before each sleep; the set is brought in line with that.
 */
#include <stdbool.h>
#include <stdint.h>

#include <slirp/libslirp.h>

struct tern_slirp_want {
    int fd;
    uint32_t events; /* epoll's bits */
    uint32_t ready;
    bool alone; /* epoll did not take it */
};

struct tern_slirp_poll {
    int epoll_fd;
    struct tern_slirp_want *want; /* in the order in which libslirp named them */
    uint32_t want_count, want_max;
    int *registered; /* descriptors in the set */
    uint32_t registered_count, registered_max;
    uint32_t *wanted_in; /* by descriptor: the last round in which it was wanted */
    uint32_t *want_of;   /* by descriptor: its place in want */
    uint32_t table_count;
    uint32_t round;
    bool missed; /* a socket of this round is alone, or unknown to us */
};

bool tern_slirp_poll_init(struct tern_slirp_poll *p);
void tern_slirp_poll_fini(struct tern_slirp_poll *p);
/* Ask libslirp what it waits for, and by when (milliseconds; UINT32_MAX: never). */
uint32_t tern_slirp_poll_fill(struct tern_slirp_poll *p, Slirp *slirp);
/* See what is ready; true: something is. Then tern_slirp_poll_run(). */
bool tern_slirp_poll_look(struct tern_slirp_poll *p, int wait_ms);
/* Let libslirp work on what was ready, and on its timers. */
void tern_slirp_poll_run(struct tern_slirp_poll *p, Slirp *slirp);
/* Does libslirp still hold bytes that the outer sockets have not taken? */
bool tern_slirp_poll_writing(const struct tern_slirp_poll *p);

#endif
