/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Connections in TIME-WAIT: what the records of proto/tcp/timewait.c decide is sent, counted and
 * traced here.
 *
 * A connection that enters TIME-WAIT leaves the demux at once, and its record takes the pair. If
 * nobody holds its handle the control block goes back to the pool. Else it stays behind for its
 * application, which may still read from it, and the pair is free for a new connection all the
 * same.
 */
#include "proto/tcp/isn.h"
#include "stack/internal.h"

static struct tern_timewait *find(struct tern_stack *s, const struct tern_endpoint *local,
                                  const struct tern_endpoint *remote)
{
    return tern_timewait_find(&s->time_waits, local, remote,
                              tern_stack_pair_hash(s, local, remote));
}

static void trace_end(struct tern_stack *s, const struct tern_timewait *t)
{
    struct tern_trace *trace;

    if (t->handle)
        return; /* its own timer tells */
    tern_stack_tell_waited(s, t->conn_id);
    trace = tern_trace_push(&s->traces, s->now, TERN_TRACE_STATE, t->conn_id);
    if (trace == NULL)
        return;
    trace->state.from = TERN_TCP_TIME_WAIT;
    trace->state.to = TERN_TCP_CLOSED;
}

static void end(struct tern_stack *s, struct tern_timewait *t)
{
    trace_end(s, t);
    tern_timewait_remove(&s->time_waits, t);
}

void tern_conn_leave_for_time_wait(struct tern_conn *conn)
{
    struct tern_stack *s = conn->stack;
    struct tern_segment_out last;
    struct tern_timewait *t;

    TERN_ASSERT(conn->tcb->state == TERN_TCP_TIME_WAIT);
    TERN_ASSERT(!conn->left);
    if (tern_tcb_output_ack(conn->tcb, s->now, &last)) /* of the FIN: the neighbour is not known */
        (void)tern_stack_queue_bare(s, &conn->tcb->local, &conn->tcb->remote, &last.h, last.cause);
    if (s->time_waits.pool.used == s->time_waits.pool.count)
        end(s, tern_timewait_first(&s->time_waits));
    t = tern_timewait_add(&s->time_waits, conn->tcb,
                          tern_stack_pair_hash(s, &conn->tcb->local, &conn->tcb->remote), s->now);
    t->handle = conn->owned;
    tern_conn_leave(conn);
}

void tern_conn_time_wait_disowned(struct tern_conn *conn)
{
    struct tern_timewait *t = find(conn->stack, &conn->tcb->local, &conn->tcb->remote);

    if (t != NULL && t->conn_id == conn->tcb->id)
        t->handle = false;
}

void tern_conn_time_wait_abort(struct tern_conn *conn)
{
    struct tern_timewait *t = find(conn->stack, &conn->tcb->local, &conn->tcb->remote);

    if (t != NULL && t->conn_id == conn->tcb->id)
        tern_timewait_remove(&conn->stack->time_waits, t);
}

bool tern_stack_timewait_blocks(struct tern_stack *s, const struct tern_endpoint *local,
                                const struct tern_endpoint *remote)
{
    const struct tern_timewait *t = find(s, local, remote);

    return t != NULL && !tern_timewait_ours_to_reuse(t, s->now);
}

bool tern_stack_timewait_any(struct tern_stack *s, const struct tern_endpoint *local,
                             const struct tern_endpoint *remote)
{
    return find(s, local, remote) != NULL;
}

void tern_stack_timewait_reuse(struct tern_stack *s, struct tern_tcb_options *o)
{
    struct tern_timewait *t = find(s, &o->local, &o->remote);

    if (t == NULL)
        return;
    o->iss = tern_timewait_iss(t, o->iss);
    end(s, t);
}

/* True: the segment was for a record, and is done with. */
bool tern_stack_timewait_input(struct tern_stack *s, const struct tern_endpoint *local,
                               const struct tern_endpoint *remote, const struct tern_segment *seg)
{
    struct tern_timewait *t = find(s, local, remote);
    struct tern_tcp_header answer;
    enum tern_drop why;
    enum tern_cause cause;

    if (t == NULL || (tern_timewait_reusable(t, seg) && tern_stack_listener_find(s, local) != NULL))
        return false;
    s->tcp.segments_in++;
    s->tcp.resets_in += (seg->h.flags & TERN_TCP_RST) != 0;
    switch (tern_timewait_input(&s->time_waits, t, seg, s->now, &why, &cause)) {
    case TERN_TIMEWAIT_TAKEN:
        break;
    case TERN_TIMEWAIT_ANSWER:
        tern_stack_drop(s, why);
        if (cause == TERN_CAUSE_CHALLENGE_ACK &&
            !tern_limit_take(&s->tcp.challenges, &s->tcp.random, TERN_TCP_CHALLENGES, s->now)) {
            tern_stack_drop(s, TERN_DROP_TCP_RATE);
            break;
        }
        tern_timewait_answer(t, tern_ts_offset(&s->ts_key, local, remote), s->now, &answer);
        tern_stack_send_bare(s, local, remote, &answer, cause);
        break;
    case TERN_TIMEWAIT_DROP:
        tern_stack_drop(s, why);
        break;
    }
    return true;
}

void tern_stack_timewait_end_all(struct tern_stack *s)
{
    struct tern_timewait *t;

    while ((t = tern_timewait_first(&s->time_waits)) != NULL)
        end(s, t);
}

void tern_stack_timewait_expire(struct tern_stack *s)
{
    while (tern_timewait_deadline(&s->time_waits, s->now) <= s->now)
        end(s, tern_timewait_first(&s->time_waits));
}
