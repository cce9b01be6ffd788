/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_BENCHMARKS_TURNOVER_CALLERS_H
#define TERN_BENCHMARKS_TURNOVER_CALLERS_H
/* A stack that listens, and callers made by hand who come at a steady rate, in virtual time. */
#include <tern/tern.h>

enum callers_then {
    THEN_NOTHING, /* the SYN is all */
    THEN_RESET,   /* the ACK comes a round trip later; who accepts resets it */
    THEN_CLOSE,   /* the same, but who accepts closes it, and the caller after it */
};

struct callers_options {
    enum callers_then then;
    uint32_t rate;       /* a second */
    tern_time trip;      /* of a caller */
    uint32_t pairs;      /* that come in turn; 0: none comes again */
    uint32_t backlog;    /* 0: more than there will be */
    uint32_t time_waits; /* records; 0: as many as pairs */
};

struct caller;

struct callers {
    struct callers_options options;
    struct tern_stack *stack;
    struct tern_listener *listener;
    void *memory;
    size_t bytes;
    struct caller *caller; /* a ring of those under way */
    uint32_t ring;
    tern_time now, next;
    uint64_t begun, answered, spent_ns;
    uint64_t acknowledged, accepted, finished; /* finished: they said FIN */
    uint64_t resets;                           /* from the stack */
};

/* Each of them exits with words where something is not as it must be. */
void callers_open(struct callers *c, const struct callers_options *options);
void callers_run(struct callers *c, tern_time span);
void callers_judge(const struct callers *c);
void callers_close(struct callers *c);

struct tern_stack_counters callers_counters(const struct callers *c);
/* Bytes of the stack's memory that it has touched. */
size_t callers_resident(const struct callers *c);

#endif
