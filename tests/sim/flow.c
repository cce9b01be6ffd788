/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the applications do. They act when an event told them to or a pause of theirs is over, and
 * never look otherwise: an event that does not come leaves them waiting for ever, which the world
 * notices. See flow.h.
 */
#include "world.h"

#include "ends.h"
#include "loans.h"

#define PORT_LISTEN 80
#define PORT_FIRST  1000
#define PORTS_EACH  16
#define PORT_CROSS  5000
#define CROSS_APART 1000 /* between the two ports of a crossed connection */
#define TRY_AGAIN   (500 * TERN_MS)

static struct tern_addr address_of(int i)
{
    return tern_addr_v4(10, 0, 0, (uint8_t)(1 + i));
}

static const struct end_plan *listener_plan(const struct world *w, int side)
{
    for (uint32_t i = 0; i < w->plan.flows_count; i++)
        if (w->plan.flow[i].opener != side)
            return &w->plan.flow[i].end[side];
    return NULL;
}

/* A side where nobody listens has no listener: the settings are those of its first flow. */
static void open_listener(struct world *w, int side)
{
    const struct end_plan *plan = listener_plan(w, side);
    struct tern_tcp_options o = {.local = {.port = PORT_LISTEN}};

    if (plan == NULL)
        return;
    o.local.addr = address_of(side);
    o.settings = &plan->settings;
    if (tern_tcp_listen(w->side[side].stack, &o, w->plan.backlog[side], &w->side[side].listener) !=
        TERN_ERR_OK)
        world_fail(w, "no listener");
}

void flows_open(struct world *w)
{
    for (uint32_t i = 0; i < w->plan.flows_count; i++) {
        struct flow *f = &w->flow[i];

        *f = (struct flow){.plan = &w->plan.flow[i]};
        f->rounds_left = (w->plan.flows >> i & 1) != 0 ? f->plan->rounds : 0;
        f->next_open = f->plan->starts;
    }
    open_listener(w, 0);
    open_listener(w, 1);
}

static struct tern_tcp_options options_of(const struct flow *f, uint32_t i, int side)
{
    const uint32_t round = f->plan->same_port ? 0 : f->rounds_left;
    struct tern_tcp_options o = {
        .local = {.port = (uint16_t)(PORT_FIRST + PORTS_EACH * i + round)},
        .remote = {.addr = address_of(1 - side), .port = PORT_LISTEN},
        .settings = &f->plan->end[side].settings,
    };

    if (f->plan->cross) {
        o.local.port = (uint16_t)(PORT_CROSS + CROSS_APART * side + (int)i);
        o.remote.port = (uint16_t)(PORT_CROSS + CROSS_APART * (1 - side) + (int)i);
    }
    return o;
}

/* TERN_ERR_AGAIN: not now. */
static enum tern_err connect_side(struct world *w, uint32_t i, int side)
{
    struct flow *f = &w->flow[i];
    struct tern_tcp_options o = options_of(f, i, side);
    struct end *e = end_take(w, i, side);
    enum tern_err err;

    if (e == NULL)
        return TERN_ERR_AGAIN;
    o.user = e;
    err = tern_tcp_connect(w->side[side].stack, &o, &e->conn);
    if (err != TERN_ERR_OK) {
        end_untake(w, e);
        if (err == TERN_ERR_FULL || err == TERN_ERR_ADDRESS_IN_USE)
            return TERN_ERR_AGAIN;
        world_fail(w, "connect: %s", tern_err_text(err));
        return err;
    }
    if (side == f->plan->opener || f->opened == NULL)
        f->opened = e;
    return TERN_ERR_OK;
}

static void open_round(struct world *w, uint32_t i)
{
    struct flow *f = &w->flow[i];
    const int side = f->plan->opener;

    f->opened = NULL;
    if (connect_side(w, i, side) == TERN_ERR_AGAIN) {
        f->next_open = w->now + TRY_AGAIN;
        return;
    }
    f->next_open = TERN_TIME_NEVER;
    if (f->plan->cross && connect_side(w, i, 1 - side) == TERN_ERR_AGAIN)
        end_abort(w, f->opened); /* nobody will ever answer there */
}

static tern_time run_flow(struct world *w, uint32_t i)
{
    struct flow *f = &w->flow[i];

    if (f->rounds_left == 0)
        return TERN_TIME_NEVER;
    if (f->opened != NULL && f->opened->over) {
        f->opened = NULL;
        f->rounds_left--;
        f->next_open = f->rounds_left > 0 ? w->now + f->plan->gap : TERN_TIME_NEVER;
    }
    if (f->rounds_left > 0 && f->opened == NULL && f->next_open <= w->now)
        open_round(w, i);
    return f->next_open;
}

static void accept_all(struct world *w, int side)
{
    struct tern_listener *listener = w->side[side].listener;

    while (listener != NULL && tern_listener_is_ready(listener)) {
        struct end *e = end_take(w, 0, side);
        struct tern_tcp_info info;

        if (e == NULL)
            return;
        if (tern_tcp_accept(listener, e, &e->conn) != TERN_ERR_OK) {
            world_fail(w, "a listener that was ready had nobody");
            return;
        }
        tern_tcp_info(e->conn, &info);
        e->flow = (info.remote.port - (uint32_t)PORT_FIRST) / PORTS_EACH;
        if (info.remote.port < PORT_FIRST || e->flow >= w->plan.flows_count ||
            w->plan.flow[e->flow].opener == side) {
            world_fail(w, "a connection from port %u, where nobody connects", info.remote.port);
            return;
        }
        e->plan = &w->plan.flow[e->flow].end[side];
        e->bits = TERN_CONN_ESTABLISHED | TERN_CONN_READABLE | TERN_CONN_WRITABLE;
    }
}

/* Somebody may lend again, who found no room for it. */
static void wake_lenders(struct world *w, int side)
{
    for (uint32_t i = 0; i < w->ends_count; i++)
        if (w->end[i].side == side && w->end[i].established && w->end[i].plan->lends)
            w->end[i].bits |= TERN_CONN_WRITABLE;
}

static void hear(struct world *w, int side)
{
    struct tern_event event;
    struct tern_trace trace;

    while (tern_stack_event(w->side[side].stack, &event)) {
        if (event.kind == TERN_EVENT_LISTENER)
            accept_all(w, side);
        if (event.kind == TERN_EVENT_CONN && event.user != NULL)
            ((struct end *)event.user)->bits |= event.bits;
        if (event.kind == TERN_EVENT_LOAN) {
            loan_back(w, side, &event);
            wake_lenders(w, side);
        }
    }
    while (tern_stack_trace(w->side[side].stack, &trace)) {
    }
}

tern_time flows_run(struct world *w, int side)
{
    tern_time next = TERN_TIME_NEVER, at;

    for (uint32_t i = 0; i < w->plan.flows_count && !w->failed; i++) {
        if (w->flow[i].plan->opener != side)
            continue;
        at = run_flow(w, i);
        next = at < next ? at : next;
    }
    hear(w, side);
    for (uint32_t i = 0; i < w->ends_count && !w->failed; i++) {
        if (w->end[i].side != side || w->end[i].over)
            continue;
        at = end_run(w, &w->end[i]);
        next = at < next ? at : next;
        if (w->end[i].over)
            next = w->now; /* its flow may open the next round */
    }
    return next;
}

bool flows_over(const struct world *w)
{
    for (uint32_t i = 0; i < w->plan.flows_count; i++)
        if (w->flow[i].rounds_left > 0)
            return false;
    return w->ends_live == 0;
}
