/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_SIM_WORLD_H
#define TERN_SIM_WORLD_H
/*
 * Two stacks, the network between them, the applications above, the observer beside: one seed's
 * run in virtual time. Memory is used again from seed to seed.
 */
#include "flow.h"
#include "observer.h"

struct side {
    struct tern_stack *stack;
    uint8_t *memory;
    size_t memory_bytes, used_bytes;
    struct tern_listener *listener;
    struct tern_udp_socket *udp;
    struct tern_ping_socket *ping;
    uint32_t datagrams_sent, pings_sent;
    tern_time next_beside;
    tern_time ahead; /* the stack's clock, of the world's */
};

struct world {
    struct plan plan;
    struct side side[2];
    struct sim_network *network;
    struct observer *judge, *scout; /* the second while a run only looks for numbers */
    struct observer *observer;      /* which of them */
    struct flow flow[SIM_FLOWS_MAX];
    struct end end[SIM_ENDS_MAX];
    uint32_t ends_count, ends_live;
    struct loan *loans; /* that are out */
    tern_time now, ended_at;
    uint64_t steps, frames, hash; /* of all frames with their times */
    bool healed;
    bool failed;
    char why[400];
};

struct world *world_create(void);
void world_destroy(struct world *w);
/* Draw the seed's plan (see plan_draw) and run it to its end; false: w->why. */
bool world_run(struct world *w, uint64_t seed, uint64_t off, uint64_t flows);
/* What went wrong; the first word on it stays. */
void world_fail(struct world *w, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
