/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_APPS_BENCH_WIRE_H
#define TERN_APPS_BENCH_WIRE_H
/*
 * What the workloads of `tern bench` stand on: one table of functions, once over tern's stack
 * (bench_wire_tern.c) and once over kernel sockets and epoll (bench_wire_kernel.c). The workloads
 * know no other difference, so that what is compared is what is below.
 *
 * Each side uses the best that its calls offer: tern lends received bytes and is lent long writes,
 * the kernel copies both.
 */
#include <stdbool.h>

#include <tern/event.h>
#include <tern/link.h>
#include <tern/loop.h>
#include <tern/tcp.h>

enum {
    TERN_BENCH_OPEN = 1u << 0,     /* the handshake of our connection is complete */
    TERN_BENCH_READABLE = 1u << 1, /* read until it says AGAIN */
    TERN_BENCH_WRITABLE = 1u << 2, /* room again after a write that was cut short */
    TERN_BENCH_OVER = 1u << 3,     /* it failed: close it; reason in the event */
    TERN_BENCH_CALLER = 1u << 4,   /* a new connection of a caller; maybe readable at once */
};

struct tern_bench_wire;

/* One connection. The implementations put it first in their own. */
struct tern_bench_line {
    void *user; /* the workload's; NULL with TERN_BENCH_CALLER */
};

struct tern_bench_event {
    struct tern_bench_line *line;
    uint32_t bits;
    enum tern_err reason; /* with OVER */
};

#define TERN_BENCH_EVENTS_MAX 64

struct tern_bench_ops {
    /* *port 0: any; it says which it became. */
    enum tern_err (*listen)(struct tern_bench_wire *wire, uint16_t *port);
    enum tern_err (*connect)(struct tern_bench_wire *wire, const struct tern_endpoint *peer,
                             void *user, struct tern_bench_line **out);
    /* As tern_tcp_peek() and tern_tcp_skip(): bytes, 0 at the end of the stream, an error. What was
     * shown stays until the next call of peek on any line; skip all of it. */
    ptrdiff_t (*peek)(struct tern_bench_line *line, struct tern_slice *out);
    void (*skip)(struct tern_bench_line *line, size_t bytes);
    /* As tern_tcp_write(); much at once may be lent instead of copied, so it stays as it is. */
    ptrdiff_t (*write)(struct tern_bench_line *line, const void *data, size_t len);
    void (*shutdown)(struct tern_bench_line *line);
    void (*nodelay)(struct tern_bench_line *line); /* no Nagle from now on */
    /* Give the line up: while its own event is looked at, or when none of a wait() is left. abort:
     * with a reset. */
    void (*close)(struct tern_bench_line *line, bool abort);
    uint64_t (*retransmits)(struct tern_bench_line *line);
    /*
     * Sleep, spin or both until something happens, or `until`. Returns the number of events, one a
     * line (0: nothing; it may be early), or TERN_ERR_LINK, TERN_ERR_ADDRESS_IN_USE or
     * TERN_ERR_SYSTEM once the ground is gone.
     */
    int (*wait)(struct tern_bench_wire *wire, struct tern_bench_event *events, tern_time until);
    /* Closes what is still open, with resets. */
    void (*destroy)(struct tern_bench_wire *wire);
};

struct tern_bench_wire {
    const struct tern_bench_ops *ops;
};

struct tern_bench_wire_options {
    enum tern_loop_wait wait;
    const char *congestion; /* NULL: the default of the stack or the kernel */
    bool copy;              /* tern: lend nothing either way, as the kernel's sockets do */
};

struct tern_bench_tern_options {
    struct tern_bench_wire_options common;
    struct tern_loop *loop; /* stays the caller's, and outlives the wire */
    struct tern_addr address;
    /* Turns the loop and hears the events that are no connection's; NULL: none of these. */
    enum tern_err (*turn)(void *user, tern_time until);
    bool (*hear)(void *user, const struct tern_event *event);
    void *user;
};

TERN_NODISCARD enum tern_err tern_bench_tern_create(const struct tern_bench_tern_options *options,
                                                    struct tern_bench_wire **out);
TERN_NODISCARD enum tern_err tern_bench_kernel_create(const struct tern_bench_wire_options *options,
                                                      struct tern_bench_wire **out);

#endif
