/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_SIM_FLOW_H
#define TERN_SIM_FLOW_H
/*
 * The applications: what each side of each flow does with its connections, and the judgement of
 * what it reads and of how it ends. One connection's side is an `end`. Each stream begins with the
 * number of the end that writes it, so that a reader knows whose bytes it must see, whatever
 * became of earlier connections between the same two ports.
 */
#include "plan.h"

#define SIM_NAME_BYTES 2
#define SIM_ENDS_MAX   1024

struct world;

struct end {
    const struct end_plan *plan;
    uint32_t flow;
    int side;
    struct tern_conn *conn;
    struct end *peer; /* whose stream this is; NULL: not known yet */
    uint64_t written, read;
    uint32_t pieces;               /* written, by one who lends */
    uint8_t begun[SIM_NAME_BYTES]; /* the first bytes read */
    uint64_t name;                 /* of the stream that it writes */
    uint32_t bits;                 /* events not yet acted on */
    tern_time next_write, next_read, opened_at;
    bool asked;   /* keep-alive was turned on, long after the faults */
    bool changed; /* its settings are the later ones */
    bool pausing; /* between two writes */
    bool early;   /* wrote before the handshake */
    bool established;
    bool shut;     /* our FIN was asked for */
    bool finished; /* the peer's end of the stream was read */
    bool rude;     /* left without hearing the other side out */
    bool over;     /* the handle was given up */
    enum tern_err reason;
};

struct flow {
    const struct flow_plan *plan;
    uint32_t rounds_left;
    struct end *opened; /* of the round that runs */
    tern_time next_open;
};

void flows_open(struct world *w);
/* Everybody does what can be done now; returns when to ask again without an event. */
tern_time flows_run(struct world *w, int side);
bool flows_over(const struct world *w);
void flows_print(const struct world *w);

#endif
