/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_SIM_PATH_H
#define TERN_SIM_PATH_H
/*
 * One or two connections from one stack to another over a bottleneck, in virtual time, with the
 * faults asked for and no others: how much arrives?
 */
#include "network.h"
#include <tern/tern.h>

#define PATH_MTU       1500
#define PATH_FLOWS_MAX 2

struct path_options {
    const char *congestion[PATH_FLOWS_MAX]; /* NULL: no such flow */
    uint64_t rate;                          /* bytes a second */
    tern_time delay;                        /* there and back */
    uint32_t buffer_percent;                /* of a BDP */
    uint32_t loss_ppm, reorder_ppm;
    tern_time reorder_by;
    tern_time apart; /* the second flow begins so much later */
};

struct path_flow {
    struct tern_conn *conn, *accepted;
    uint64_t received;
};

struct path {
    struct path_options o;
    struct tern_stack *stack[2];
    void *memory[2];
    struct path_flow flow[PATH_FLOWS_MAX];
    struct tern_listener *listener;
    struct sim_network *network;
    tern_time now; /* begins at one second */
};

void path_open(struct path *p, const struct path_options *o);
void path_run(struct path *p, tern_time until);
/* So many bytes in a time, as percent of the rate: headers and all. */
double path_percent(const struct path *p, uint64_t bytes, tern_time time);
void path_close(struct path *p);

#endif
