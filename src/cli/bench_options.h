/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_CLI_BENCH_OPTIONS_H
#define TERN_CLI_BENCH_OPTIONS_H
/* The command line of `tern bench`. */
#include "apps/bench.h"
#include "cli/talk.h"

#define TERN_BENCH_LAB_HOST "10.9.0.1" /* with --link lab */

struct tern_bench_options {
    struct tern_talk_options talk;
    struct tern_bench_wire_options wire;
    struct tern_bench_plan plan; /* of a client; the peer's address not yet looked up */
    const char *workload;        /* "recv", "send", "rr", "conn" or "peer" */
    const char *host;            /* not with peer */
    uint16_t port;
    uint64_t bytes, count; /* as given; the plan has one of them as its limit */
    bool is_peer, once;
    bool kernel; /* --link kernel */
    bool json;
};

/* 0: go on; else leave with code - 1 (help was printed, or words on stderr). */
int tern_bench_parse(int argc, char **argv, struct tern_bench_options *out);

#endif
