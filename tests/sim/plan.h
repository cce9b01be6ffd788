/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_SIM_PLAN_H
#define TERN_SIM_PLAN_H
/*
 * All that a seed decides before the first frame: the network's faults, both stacks, and what the
 * applications will do. Kinds of trouble are switches: each is drawn by dice of its own and can be
 * turned off alone, with all else as it was.
 */
#include "network.h"
#include <tern/tern.h>

#define SIM_FLOWS_MAX 48

/* X(name, word, what it does) */
#define SIM_SWITCHES(X)                                                                            \
    X(DELAY, "delay", "a way takes time")                                                          \
    X(JITTER, "jitter", "and not always the same")                                                 \
    X(LOSS, "loss", "single frames are lost")                                                      \
    X(BURST, "burst", "several frames in a row are lost")                                          \
    X(REORDER, "reorder", "frames are overtaken")                                                  \
    X(DUPLICATE, "duplicate", "frames come twice")                                                 \
    X(CORRUPT, "corrupt", "a bit is flipped")                                                      \
    X(BOTTLENECK, "bottleneck", "a slow line with a queue")                                        \
    X(SHORT, "short", "the queue holds hardly anything, and drops what comes then")                \
    X(MARK, "mark", "the queue marks with CE before it drops")                                     \
    X(MTU, "mtu", "the path takes shorter packets from some moment on")                            \
    X(PARTITION, "partition", "for a while nothing gets through, one way or both")                 \
    X(BATCH, "batch", "frames that arrived together are handed over together")                     \
    X(BORROW, "borrow", "a stack shows text where it stands in frames, which then go")             \
    X(POOLS, "pools", "a stack has hardly any memory or connections")                              \
    X(SETTINGS, "settings", "TCP's options are other than the defaults")                           \
    X(OFFLOADS, "offloads", "super-segments and unfinished checksums")                             \
    X(HOLD, "hold", "the link says how much it holds")                                             \
    X(SLOW, "slow", "readers and writers pause")                                                   \
    X(BULK, "bulk", "some streams are long")                                                       \
    X(ABORT, "abort", "an application resets in the middle")                                       \
    X(UNREAD, "unread", "an application closes without reading all")                               \
    X(URGENT, "urgent", "some bytes are urgent")                                                   \
    X(LEND, "lend", "an application lends what it sends")                                          \
    X(CROSS, "cross", "both sides connect to each other at once")                                  \
    X(BACKLOG, "backlog", "a listener has room for hardly anybody")                                \
    X(AGAIN, "again", "a connection is opened again and again")                                    \
    X(CROWD, "crowd", "dozens of connections")                                                     \
    X(BESIDE, "beside", "datagrams and pings beside the streams")                                  \
    X(REST, "rest", "a stack folds each connection that rests, at once")                           \
    X(AWAKE, "awake", "and has fewer control blocks than connections")                             \
    X(WRAP, "wrap", "numbers or timestamps pass 2^31 or 2^32")                                     \
    X(MARKS, "marks", "an application says that more follows, or that a record ends")              \
    X(CHANGE, "change", "settings change while a connection lives")

enum {
#define SIM_SWITCH_ENUM(name, word, what) SIM_SWITCH_##name,
    SIM_SWITCHES(SIM_SWITCH_ENUM)
#undef SIM_SWITCH_ENUM
        SIM_SWITCH_COUNT
};

/* What of a stack's passes a border of 32 bits in the first connection, or soon after. */
enum sim_wrap { SIM_WRAPS_NOTHING, SIM_WRAPS_NUMBERS, SIM_WRAPS_STAMPS };

struct wrap_plan {
    enum sim_wrap what;
    uint32_t border; /* 2^31, or 0 for 2^32 */
    uint32_t before; /* so far before it the first one is: bytes, or milliseconds */
};

/* How an application ends its side. */
enum sim_manner {
    SIM_ANSWERS, /* shuts down once it has read all that the other side will write */
    SIM_SHUTS,   /* shuts down as soon as all is written */
    SIM_ABORTS,  /* resets once it has moved some bytes */
    SIM_LEAVES,  /* closes once it has read some bytes, whatever else may come */
};

struct end_plan {
    uint32_t bytes; /* to write: none, or SIM_NAME_BYTES at least */
    uint32_t write_max, read_max;
    tern_time write_pause, read_pause;
    enum sim_manner manner;
    uint32_t stop_at;   /* bytes moved, for those who leave early */
    uint32_t urgent_at; /* the byte that is written as urgent; 0: none */
    bool lends;         /* two pieces of three */
    bool marks;         /* two pieces of three as well */
    struct tern_tcp_settings settings;
    bool changes; /* to these, a while after it was opened: */
    struct tern_tcp_settings later;
    tern_time changes_after;
};

struct flow_plan {
    struct end_plan end[2];
    int opener;
    bool cross;
    uint32_t rounds;
    bool same_port; /* in each round */
    tern_time starts, gap;
};

struct plan {
    uint64_t seed;
    struct sim_faults faults;
    struct tern_config stack[2];
    uint32_t backlog[2];
    uint32_t flows_count;
    uint64_t flows; /* a bit each: those that take part */
    struct flow_plan flow[SIM_FLOWS_MAX];
    uint32_t batch; /* frames handed over at once, at most */
    bool borrows[2];
    uint32_t datagrams; /* to send beside the streams, each way */
    uint32_t pings;
    struct wrap_plan wrap[2];
    tern_time heal_at;
};

/* off: a bit for each switch that stays off. flows: as in struct plan, all ones for all. */
void plan_draw(struct plan *p, uint64_t seed, uint64_t off, uint64_t flows);
/* What the plan holds, a line each. */
void plan_print(const struct plan *p);
const char *plan_switch_word(int which);

#endif
