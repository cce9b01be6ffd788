/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_APPS_BENCH_H
#define TERN_APPS_BENCH_H
/*
 * The workloads of `tern bench`, over a wire of either kind (bench_wire.h).
 *
 * A client opens its connections, tells the peer in a few bytes what it wants on each, and then
 * measures; the peer serves all workloads at once, and many clients one after the other.
 */
#include "apps/bench_hist.h"
#include "apps/bench_wire.h"

#define TERN_BENCH_PORT        5201 /* iperf3's */
#define TERN_BENCH_STREAMS_MAX 512
#define TERN_BENCH_MESSAGE_MAX (1u << 20)

enum tern_bench_work {
    TERN_BENCH_RECV, /* the peer sends as fast as it can */
    TERN_BENCH_SEND, /* we send, and the peer says at the end how much it had */
    TERN_BENCH_RR,   /* a message there, one of the same length back, and so on */
    TERN_BENCH_CONN, /* connect, a byte there, a byte back, the peer closes, we close */
    TERN_BENCH_WORK_COUNT
};

struct tern_bench_plan {
    enum tern_bench_work work;
    struct tern_endpoint peer;
    tern_time duration; /* where limit is 0 */
    uint64_t limit;     /* bytes (recv, send), round trips (rr), connections (conn), of all streams
                           together; 0: none */
    uint32_t streams;   /* connections at the same time */
    uint32_t message_bytes; /* a write, or a message of rr */
    bool (*stop)(void);     /* asked each turn: the user wants an end; may be NULL */
};

struct tern_bench_result {
    enum tern_err err;    /* what ended it early */
    bool connected;       /* all streams were open once */
    bool stopped;         /* by the user; the figures are of what was until then */
    uint64_t bytes;       /* arrived: here, or as the peer says */
    uint64_t count;       /* round trips or connections */
    uint64_t retransmits; /* segments; send and rr only */
    tern_time elapsed, cpu_user, cpu_system;
    struct tern_bench_hist latency; /* rr and conn */
};

/* One run. The wire can be used again. Returns result->err. */
enum tern_err tern_bench_run(struct tern_bench_wire *wire, const struct tern_bench_plan *plan,
                             struct tern_bench_result *result);

/* The other end: serves all workloads on a wire, which stays the caller's. */
struct tern_bench_peer;

/* *port 0: any; it says which it became. */
enum tern_err tern_bench_peer_open(struct tern_bench_wire *wire, uint16_t *port,
                                   struct tern_bench_peer **out);
/* One wait of the wire, and what it brought. */
enum tern_err tern_bench_peer_turn(struct tern_bench_peer *peer, tern_time until);
/* There were callers, and all have gone. */
bool tern_bench_peer_is_done(const struct tern_bench_peer *peer);
/* Resets the callers that are left; NULL is fine. */
void tern_bench_peer_close(struct tern_bench_peer *peer);

#endif
