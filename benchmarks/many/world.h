/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_BENCHMARKS_MANY_WORLD_H
#define TERN_BENCHMARKS_MANY_WORLD_H
/*
 * Two stacks at the ends of a cable in memory, in one thread and in virtual time: the one calls,
 * the other answers. Each stack's memory is a mapping of its own, so that what it has touched can
 * be counted for itself.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tern/tern.h>

#define WORLD_PORTS     128  /* that the answering stack listens on */
#define WORLD_LOCAL_MIN 1024 /* the caller's ports: with those above, 8,257,536 pairs */
#define WORLD_LOCAL     64512
#define MESSAGE_BYTES   64

struct world_options {
    uint32_t connections, awake, time_waits;
    bool keepalive; /* of all connections, so that each has a timer in the wheel */
    bool huge;      /* huge pages for the stacks' memory */
};

struct side {
    struct tern_stack *stack;
    struct tern_link *link;
    void *memory;
    size_t bytes;
};

struct world {
    struct side side[2]; /* the caller, the answerer */
    struct tern_listener *listener[WORLD_PORTS];
    struct tern_conn **caller, **answerer; /* handles */
    uint32_t count, accepted, connections;
    bool closing; /* the answerer closes what it has answered */
    bool chat;    /* who is answered asks again */
    uint64_t messages, answers, ended;
    uint32_t next_pair;
    tern_time now;
    struct tern_tcp_settings settings;
};

/* Exits with words where it cannot be had. */
void world_open(struct world *w, const struct world_options *o);
void world_close(struct world *w);
/* So many more connections, established at both ends. */
void world_connect(struct world *w, uint32_t count);
/* Frames cross until both are silent. */
void world_settle(struct world *w);
/* Let time pass, from deadline to deadline. */
void world_run(struct world *w, tern_time span);
/* The first `active` each ask again as soon as they are answered: begin, go on until so many more
 * were answered, and let it come to its end. */
void world_chat_begin(struct world *w, uint32_t active);
void world_chat(struct world *w, uint64_t messages);
void world_chat_end(struct world *w);
/* Messages one after the other, `burst` at once, in turn from number `from` on. at: where to go on. */
struct round_robin {
    uint32_t from, burst;
    tern_time pace; /* from burst to burst, at least */
};
void world_round(struct world *w, const struct round_robin *r, uint64_t messages, uint32_t *at);
/* Connections opened, asked, answered and closed by the answerer, a given number a virtual second. */
void world_turnover(struct world *w, uint64_t count, uint32_t burst, uint32_t a_second);

uint64_t world_segments(const struct world *w); /* received, by both */
struct tern_stack_counters world_counters(const struct world *w, int side);
/* Bytes of a stack's mapping that are in memory. */
size_t world_resident(const struct world *w, int side);

#endif
