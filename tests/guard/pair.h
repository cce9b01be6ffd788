/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_GUARD_PAIR_H
#define TEST_GUARD_PAIR_H
/*
 * Two stacks on a cable in memory, in virtual time, whose instructions valgrind counts: those of
 * the near one, of the far one, or of both, and of nothing between them.
 */
#include <tern/tern.h>

enum { PAIR_NEAR, PAIR_FAR };

struct pair_options {
    bool offloads; /* super-segments, and no checksums in software */
    uint32_t connections_max;
};

struct pair_side {
    struct tern_stack *stack;
    struct tern_link *link;
    void *memory;
    size_t memory_bytes;
    void (*hear)(struct pair_side *side, const struct tern_event *event);
    bool counted;
    bool borrows; /* text is read where it stands in the frames */
};

struct pair {
    struct pair_side side[2];
    tern_time now;
};

/* 10.0.0.1 and 10.0.0.2, both claimed. Any failure ends the process with words. */
void pair_open(struct pair *pair, const struct pair_options *options);
void pair_close(struct pair *pair);
/* From here on instructions are counted, in calls on the sides that are `counted`. */
void pair_count(void);
/* Both stacks once: what arrived, what is due, what is to be heard, what is to be sent. Time goes
 * on by a little, or to the next deadline where nothing moved. */
void pair_turn(struct pair *pair);
/* Around what the application does on a side: a turn does it by itself for what hear() does. */
void pair_enter(const struct pair_side *side);
void pair_leave(const struct pair_side *side);
struct tern_endpoint pair_far(uint16_t port);
_Noreturn void pair_fail(const char *what);

#endif
