/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The life of a connection in the stack: taken from the pool, entered in the demux by its pair of
 * endpoints, and after each verb brought up to date (timer, ready list, events, listener's queue),
 * until it is closed, its last reset is out and nobody holds its handle; then it goes back.
 *
 * Timers are lazy: one that is set too early stays, and finds out when it fires.
 */
#include "proto/tcp/isn.h"
#include "stack/internal.h"

/* One segment may ask for it several times: as a connection, in TIME-WAIT, and once more. */
uint64_t tern_stack_pair_hash(struct tern_stack *s, const struct tern_endpoint *local,
                              const struct tern_endpoint *remote)
{
    uint8_t bytes[TERN_PAIR_BYTES];

    memcpy(bytes, local->addr.b, 16);
    memcpy(bytes + 16, remote->addr.b, 16);
    tern_put_be16(bytes + 32, local->port);
    tern_put_be16(bytes + 34, remote->port);
    if (memcmp(bytes, s->pair.bytes, sizeof(bytes)) != 0) {
        memcpy(s->pair.bytes, bytes, sizeof(bytes));
        s->pair.hash = tern_hash(&s->demux_key, bytes, sizeof(bytes));
    }
    return s->pair.hash;
}

struct tern_conn *tern_stack_conn_find(struct tern_stack *s, const struct tern_endpoint *local,
                                       const struct tern_endpoint *remote)
{
    const uint64_t hash = tern_stack_pair_hash(s, local, remote);
    struct tern_table_node *node = tern_table_first(&s->conn_table, hash);

    for (; node != NULL; node = tern_table_next(node)) {
        struct tern_conn *conn = TERN_CONTAINER(node, struct tern_conn, by_pair);

        if (tern_endpoint_equal(&conn->local, local) && tern_endpoint_equal(&conn->remote, remote))
            return conn;
    }
    return NULL;
}

struct tern_conn *tern_conn_take(struct tern_stack *s)
{
    struct tern_awake *awake = tern_rest_block(s);
    struct tern_conn *conn = awake != NULL ? tern_pool_take(&s->conns) : NULL;

    if (conn == NULL) {
        if (awake != NULL)
            tern_rest_give(s, awake);
        return NULL;
    }
    memset(conn, 0, sizeof(*conn));
    conn->stack = s;
    conn->awake = awake;
    conn->more = TERN_LINE_NONE;
    awake->conn = conn;
    awake->event.kind = TERN_EVENT_CONN;
    return conn;
}

void tern_conn_enter(struct tern_conn *conn)
{
    struct tern_stack *s = conn->stack;

    conn->local = conn->tcb->local;
    conn->remote = conn->tcb->remote;
    tern_table_insert(&s->conn_table, &conn->by_pair,
                      tern_stack_pair_hash(s, &conn->local, &conn->remote));
}

void tern_conn_leave(struct tern_conn *conn)
{
    conn->left = true;
    if (conn->stack->last.conn == conn) {
        conn->stack->last.conn = NULL;
        conn->stack->last.stale = false;
    }
    tern_table_remove(&conn->stack->conn_table, &conn->by_pair);
    tern_list_remove(&conn->awake->ready);
    tern_list_remove(&conn->awake->starved);
    tern_list_remove(&conn->awake->holed);
}

static void feed(struct tern_stack *s, struct tern_list *hungry)
{
    struct tern_list *link;

    while ((link = tern_list_pop(hungry)) != NULL) {
        struct tern_conn *fed = TERN_CONTAINER(link, struct tern_awake, starved)->conn;

        fed->tcb->snd.pool_wanted = fed->tcb->snd.loan_wanted = false;
        if (fed->owned)
            tern_stack_event_raise(s, &fed->awake->event, TERN_CONN_WRITABLE);
    }
}

/* Writers that found no chunk hear of it once others have given enough back. */
static void feed_starved(struct tern_stack *s)
{
    if (!tern_list_is_empty(&s->starved) && tern_tcp_send_chunks_free(&s->tcp))
        feed(s, &s->starved);
}

void tern_stack_loan_is_free(struct tern_stack *s)
{
    feed(s, &s->loanless);
}

static void conn_free(struct tern_conn *conn)
{
    struct tern_stack *s = conn->stack;

    tern_conn_leave_listener(conn);
    tern_conn_fastopen_end(conn);
    tern_tcb_fini(conn->tcb);
    tern_wheel_cancel(&s->wheel, &conn->timer);
    tern_stack_event_drop(&conn->awake->event);
    tern_conn_leave(conn);
    tern_list_remove(&conn->wanting);
    tern_rest_give(s, conn->awake);
    tern_pool_give(&s->conns, conn);
    feed_starved(s);
}

/* Its record answers for it from now on. */
static void conn_forget(struct tern_conn *conn)
{
    if (conn->tcb->state == TERN_TCP_TIME_WAIT)
        tern_conn_time_wait_disowned(conn);
    tern_tcb_forget(conn->tcb);
    conn_free(conn);
}

static void update_timer(struct tern_conn *conn)
{
    const tern_time at = tern_tcb_deadline(conn->tcb);

    if (at == TERN_TIME_NEVER)
        tern_wheel_cancel(&conn->stack->wheel, &conn->timer);
    else if (!tern_timer_is_set(&conn->timer) || conn->timer.at > at)
        tern_wheel_set(&conn->stack->wheel, &conn->timer, at);
}

void tern_conn_raise(struct tern_conn *conn)
{
    struct tern_tcb *c = conn->tcb;

    if (!conn->owned || c->events == 0)
        return;
    if ((c->events & TERN_CONN_CLOSED) != 0 && c->reason != TERN_ERR_OK)
        conn->stack->counters.connections_failed++;
    tern_stack_event_raise(conn->stack, &conn->awake->event, c->events);
    c->events = 0;
}

void tern_conn_update(struct tern_conn *conn)
{
    struct tern_tcb *c = conn->tcb;

    tern_rest_used(conn->stack, conn->awake);
    tern_conn_fastopen_learn(conn);
    if (c->state != TERN_TCP_SYN_RECEIVED)
        tern_conn_fastopen_end(conn);
    if (c->state == TERN_TCP_TIME_WAIT && !conn->left)
        tern_conn_leave_for_time_wait(conn);
    if (conn->left && !conn->owned) {
        conn_forget(conn);
        return;
    }
    if (c->state == TERN_TCP_CLOSED && !conn->owned && !conn->awake->queued && !c->rst_due &&
        !c->stray_rst_due) {
        conn_free(conn);
        return;
    }
    if (c->hop_doubted)
        tern_stack_doubt_hop(conn->stack, c->local.addr, c->remote.addr);
    c->hop_doubted = false;
    update_timer(conn);
    tern_conn_queue_for_accept(conn);
    if (!tern_list_is_linked(&conn->awake->ready) && tern_tcb_wants_output(c))
        tern_list_push(&conn->stack->ready, &conn->awake->ready);
    tern_conn_raise(conn);
    if (c->snd.pool_wanted && !tern_list_is_linked(&conn->awake->starved))
        tern_list_push(&conn->stack->starved, &conn->awake->starved);
    if (c->snd.loan_wanted && !tern_list_is_linked(&conn->awake->starved))
        tern_list_push(&conn->stack->loanless, &conn->awake->starved);
    feed_starved(conn->stack);
}

void tern_conn_abort(struct tern_conn *conn)
{
    if (conn->left)
        tern_conn_time_wait_abort(conn);
    tern_tcb_abort(conn->tcb, TERN_CAUSE_RST_ABORT, conn->stack->now);
}

tern_seq tern_stack_isn(const struct tern_stack *s, const struct tern_tcb_options *o)
{
    return tern_isn(&s->isn_key, &o->local, &o->remote, s->now);
}

void tern_stack_tcb_options(struct tern_stack *s, struct tern_tcb_options *o,
                            const struct tern_endpoint *local, const struct tern_endpoint *remote)
{
    memset(o, 0, sizeof(*o));
    o->local = *local;
    o->remote = *remote;
    o->id = s->conn_id_next++;
    o->ts_offset = tern_ts_offset(&s->ts_key, local, remote);
    o->cc = tern_cc_find(s->config.congestion);
}

uint32_t tern_stack_connections_unfinished(const struct tern_stack *s)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < s->conns.fresh; i++) {
        const struct tern_conn *conn = tern_pool_at(&s->conns, i);

        if (tern_pool_is_taken(&s->conns, i) && conn->awake == NULL)
            count += !conn->over;
        else if (tern_pool_is_taken(&s->conns, i))
            count +=
                (conn->tcb->state != TERN_TCP_CLOSED && conn->tcb->state != TERN_TCP_TIME_WAIT) ||
                conn->tcb->rst_due || conn->tcb->ack.now;
    }
    return count;
}

void tern_stack_abort_all(struct tern_stack *s)
{
    for (uint32_t i = 0; i < s->conns.fresh; i++) {
        struct tern_conn *conn = tern_pool_at(&s->conns, i);

        if (!tern_pool_is_taken(&s->conns, i) || conn->over ||
            !tern_conn_wake_for(conn, TERN_WANT_ABORT))
            continue;
        tern_tcb_abort(conn->tcb, TERN_CAUSE_RST_ABORT, s->now);
        tern_conn_update(conn);
    }
    tern_stack_timewait_end_all(s);
}
