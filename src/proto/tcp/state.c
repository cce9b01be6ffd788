/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The states of RFC 9293 §3.3.2 and what happens at their borders: traces, events, the count of
 * connections that share the link, and giving memory back as soon as a state no longer needs it.
 */
#include "proto/tcp/internal.h"

bool tern_tcb_is_synchronised(const struct tern_tcb *c)
{
    return c->state >= TERN_TCP_ESTABLISHED;
}

bool tern_tcb_can_receive(const struct tern_tcb *c)
{
    return c->state == TERN_TCP_ESTABLISHED || c->state == TERN_TCP_FIN_WAIT_1 ||
           c->state == TERN_TCP_FIN_WAIT_2;
}

/* Does a connection in this state share what the link can hold? */
static bool shares_link(enum tern_tcp_state state)
{
    return state >= TERN_TCP_ESTABLISHED && state != TERN_TCP_TIME_WAIT;
}

void tern_tcb_set_state(struct tern_tcb *c, enum tern_tcp_state to, tern_time now)
{
    const enum tern_tcp_state from = c->state;
    struct tern_trace *t;

    if (from == to)
        return;
    c->state = to;
    tern_tcb_note_promise(c);
    if (shares_link(to) && !shares_link(from))
        c->env->synchronised_count++;
    if (!shares_link(to) && shares_link(from)) {
        TERN_ASSERT(c->env->synchronised_count > 0);
        c->env->synchronised_count--;
    }
    if (to == TERN_TCP_ESTABLISHED && c->established_at == TERN_TIME_NEVER)
        c->established_at = now;
    if (to == TERN_TCP_ESTABLISHED)
        c->events |= TERN_CONN_ESTABLISHED | TERN_CONN_WRITABLE;
    if (to == TERN_TCP_FIN_WAIT_2 && c->orphan)
        tern_tcb_start_fin_wait_2_timer(c, now);
    t = tern_trace_push(c->env->traces, now, TERN_TRACE_STATE, c->id);
    if (t != NULL) {
        t->state.from = from;
        t->state.to = to;
    }
    tern_tcb_tell_state(c, from, now);
}

/* The connection is over for its user: the last figures, and the event. */
static void tell_closed(struct tern_tcb *c, tern_time now)
{
    struct tern_trace *t;

    if (c->closed_at != TERN_TIME_NEVER)
        return;
    c->closed_at = now;
    c->events |= TERN_CONN_CLOSED | TERN_CONN_READABLE | TERN_CONN_WRITABLE;
    t = tern_trace_push(c->env->traces, now, TERN_TRACE_CLOSED, c->id);
    if (t != NULL)
        tern_tcb_info(c, now, &t->closed);
    tern_tcb_tell_closed(c, now);
}

static void stop_sending(struct tern_tcb *c)
{
    tern_tcb_sendq_clear(c);
    tern_tcb_loss_fini(c);
    c->timer.resend = TERN_TIME_NEVER;
    c->timer.give_up = TERN_TIME_NEVER;
    c->timer.cork = TERN_TIME_NEVER;
    c->last.stuck_at = TERN_TIME_NEVER;
    c->keep.due = false;
    c->timer.reorder = TERN_TIME_NEVER;
    c->timer.tail = TERN_TIME_NEVER;
    c->timer.pace = TERN_TIME_NEVER;
    c->tlp.due = false;
    c->syn_due = false;
    c->probe_due = false;
}

void tern_tcb_finish(struct tern_tcb *c, enum tern_err reason, tern_time now)
{
    c->reason = reason;
    stop_sending(c);
    c->timer.delack = TERN_TIME_NEVER;
    c->timer.wait = TERN_TIME_NEVER;
    c->ack.now = false;
    tern_tcb_set_state(c, TERN_TCP_CLOSED, now);
    tell_closed(c, now);
}

void tern_tcb_enter_time_wait(struct tern_tcb *c, tern_time now)
{
    stop_sending(c);
    c->timer.wait = now + TERN_TCP_TIME_WAIT_HOLD;
    c->ack.every = 0; /* its record knows nothing of slow ACKs */
    tern_tcb_set_state(c, TERN_TCP_TIME_WAIT, now);
    tell_closed(c, now);
}

void tern_tcb_trace_window(struct tern_tcb *c, uint64_t bytes, tern_time now)
{
    struct tern_trace *t = tern_trace_push(c->env->traces, now, TERN_TRACE_WINDOW, c->id);

    if (t != NULL)
        t->window.bytes = bytes;
}

struct tern_ranges *tern_tcb_ranges_take(struct tern_tcb *c)
{
    struct tern_ranges *r = tern_pool_take(&c->env->ranges);

    if (r != NULL)
        tern_ranges_init(r, (struct tern_range *)(void *)(r + 1), c->env->ranges_count);
    return r;
}

void tern_tcb_ranges_give(struct tern_tcb *c, struct tern_ranges **ranges)
{
    if (*ranges != NULL)
        tern_pool_give(&c->env->ranges, *ranges);
    *ranges = NULL;
}
