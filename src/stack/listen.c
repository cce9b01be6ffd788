/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Listeners: what reaches a port where nobody is connected yet (RFC 9293 §3.10.7.2).
 *
 * Two counts, each limited by the backlog: handshakes that are not finished, and finished
 * connections that nobody accepted yet. While the second is full, SYNs are dropped, and the ACKs
 * that would finish a handshake as well: the peer sends again, and there may be room by then. When
 * the first is full SYNs are answered with cookies (cookie.c), so that a flood of SYNs from
 * nowhere keeps no real peer out; an ACK without a connection is looked at as a cookie's answer
 * only while some may be on their way, and each cookie opens one connection. Whose last connection
 * is in TIME-WAIT here gets no cookie: it is somebody real, and the record would take the ACK that
 * brings the cookie back for its own.
 *
 * A SYN that got a cookie may come again when there is room, and then has a handshake of its own,
 * with another number. The peer holds to the answer that reaches it first. Its ACK tells which:
 * that of the cookie takes the place of the handshake, of which nobody has heard yet.
 */
#include "proto/tcp/cookie.h"
#include "stack/internal.h"

struct tern_listener *tern_stack_listener_find(struct tern_stack *s,
                                               const struct tern_endpoint *local)
{
    struct tern_table_node *node = tern_table_first(&s->listener_table, local->port);
    struct tern_listener *wild = NULL;

    for (; node != NULL; node = tern_table_next(node)) {
        struct tern_listener *l = TERN_CONTAINER(node, struct tern_listener, by_port);

        if (tern_addr_equal(l->local.addr, local->addr))
            return l;
        if (tern_addr_is_any(l->local.addr))
            wild = l;
    }
    return wild;
}

bool tern_listener_is_full(const struct tern_listener *l)
{
    return l->waiting_count >= l->backlog;
}

static void child_options(struct tern_listener *l, struct tern_tcb_options *o,
                          const struct tern_endpoint *local, const struct tern_endpoint *remote)
{
    tern_stack_tcb_options(l->stack, o, local, remote);
    o->cc = l->cc;
    o->ack_every = l->ack_every;
    o->set = l->set;
}

static struct tern_conn *take_child(struct tern_stack *s)
{
    struct tern_conn *conn = tern_conn_take(s);

    if (conn == NULL)
        tern_stack_drop(s, TERN_DROP_TCP_LIMIT);
    return conn;
}

static void enter_child(struct tern_listener *l, struct tern_conn *conn)
{
    conn->awake->listener = l;
    l->unfinished_count++;
    tern_list_push(&l->children, &conn->awake->child);
    tern_conn_enter(conn);
}

static void open_child(struct tern_listener *l, const struct tern_endpoint *local,
                       const struct tern_endpoint *remote, const struct tern_segment *syn)
{
    struct tern_stack *s = l->stack;
    struct tern_tcb_options o;
    struct tern_conn *conn = take_child(s);

    if (conn == NULL)
        return;
    child_options(l, &o, local, remote);
    o.iss = tern_stack_isn(s, &o);
    tern_listener_fastopen(l, syn, &o);
    tern_stack_timewait_reuse(s, &o);
    tern_tcb_open_passive(conn->tcb, &s->tcp, &o, syn, s->now);
    enter_child(l, conn);
    if (o.fastopen.accept)
        tern_conn_fastopen_begin(conn, l);
    tern_conn_update(conn);
}

static void send_cookie(struct tern_listener *l, const struct tern_endpoint *local,
                        const struct tern_endpoint *remote, const struct tern_segment *syn)
{
    struct tern_stack *s = l->stack;
    struct tern_tcb_options o;
    struct tern_segment_out out;

    child_options(l, &o, local, remote);
    tern_cookie_answer(&s->cookie_key, &s->tcp, &o, syn, s->now, &out);
    l->cookies_until = s->now + TERN_COOKIE_LIFE;
    s->counters.syn_cookies_sent++;
    s->tcp.segments_in++;
    tern_stack_send_bare(s, local, remote, &out.h, out.cause);
}

static void hear_syn(struct tern_listener *l, const struct tern_endpoint *local,
                     const struct tern_endpoint *remote, const struct tern_segment *syn)
{
    if (tern_listener_is_full(l))
        tern_stack_drop(l->stack, TERN_DROP_TCP_LISTEN_FULL);
    else if (l->unfinished_count >= l->backlog && !tern_stack_timewait_any(l->stack, local, remote))
        send_cookie(l, local, remote, syn);
    else
        open_child(l, local, remote, syn);
}

/*
 * Without memory a listener would take the ACK that it has had for another handshake's end: a late
 * one, after the connection was reset, would open a second life of it with the same numbers, and
 * the peer would read on in its text. A walk, but only for cookies that are genuine.
 */
static bool is_spent(const struct tern_spent_cookies *spent, tern_seq cookie)
{
    for (uint32_t i = 0; i < spent->count && i < TERN_COOKIES_SPENT; i++)
        if (tern_seq_eq(spent->cookie[i], cookie))
            return true;
    return false;
}

static void spend(struct tern_spent_cookies *spent, tern_seq cookie)
{
    spent->cookie[spent->count++ % TERN_COOKIES_SPENT] = cookie;
}

/* What a genuine cookie, which opened nothing yet, brings back. */
struct recalled {
    struct tern_tcb_options o;
    struct tern_segment syn;
};

static bool recall(struct tern_listener *l, const struct tern_endpoint *local,
                   const struct tern_endpoint *remote, const struct tern_segment *ack,
                   struct recalled *r)
{
    struct tern_stack *s = l->stack;

    child_options(l, &r->o, local, remote);
    return tern_cookie_accept(&s->cookie_key, &r->o, ack, s->now, &r->syn) &&
           !is_spent(&s->spent, r->o.iss);
}

/* The segment that brought it goes on as its connection's first. */
static void open_recalled(struct tern_listener *l, const struct recalled *r,
                          const struct tern_segment *seg)
{
    struct tern_stack *s = l->stack;
    struct tern_conn *conn = take_child(s);

    if (conn == NULL)
        return;
    spend(&s->spent, r->o.iss);
    s->counters.syn_cookies_accepted++;
    tern_tcb_open_cookie(conn->tcb, &s->tcp, &r->o, &r->syn, s->now);
    enter_child(l, conn);
    tern_tcb_input(conn->tcb, seg, s->now);
    tern_conn_update(conn);
}

/* Does this ACK bring a cookie back? */
static bool hear_cookie(struct tern_listener *l, const struct tern_endpoint *local,
                        const struct tern_endpoint *remote, const struct tern_segment *seg)
{
    struct recalled r;

    if (!recall(l, local, remote, seg, &r))
        return false;
    if (tern_listener_is_full(l))
        tern_stack_drop(l->stack, TERN_DROP_TCP_ACCEPT_FULL);
    else
        open_recalled(l, &r, seg);
    return true;
}

static uint8_t handshake_flags(const struct tern_segment *seg)
{
    return seg->h.flags & (TERN_TCP_SYN | TERN_TCP_ACK | TERN_TCP_RST);
}

/* Is it a cookie's that answered the same SYN? */
static bool give_way_to_cookie(struct tern_listener *l, struct tern_conn *conn,
                               const struct tern_segment *seg)
{
    struct tern_segment first;
    struct recalled r;

    if (l->stack->now >= l->cookies_until || !tern_cookie_may_answer(conn->tcb, seg, &first) ||
        !recall(l, &conn->tcb->local, &conn->tcb->remote, &first, &r))
        return false;
    TERN_ASSERT(!conn->owned);
    tern_tcb_give_way(conn->tcb, l->stack->now);
    tern_conn_update(conn); /* gone */
    open_recalled(l, &r, seg);
    return true;
}

bool tern_conn_handshake_input(struct tern_conn *conn, const struct tern_segment *seg)
{
    struct tern_listener *l = conn->awake->listener;

    if (l == NULL || conn->awake->queued || conn->tcb->state != TERN_TCP_SYN_RECEIVED ||
        handshake_flags(seg) != TERN_TCP_ACK)
        return false;
    if (tern_listener_is_full(l)) {
        tern_stack_drop(l->stack, TERN_DROP_TCP_ACCEPT_FULL);
        return true;
    }
    return give_way_to_cookie(l, conn, seg);
}

bool tern_listener_input(struct tern_listener *l, const struct tern_endpoint *local,
                         const struct tern_endpoint *remote, const struct tern_segment *seg)
{
    const uint8_t flags = handshake_flags(seg);
    const bool may_be_cookie = flags == TERN_TCP_ACK && l->stack->now < l->cookies_until;

    if (flags == TERN_TCP_SYN) {
        hear_syn(l, local, remote, seg);
        return true;
    }
    if (may_be_cookie && hear_cookie(l, local, remote, seg))
        return true;
    tern_stack_drop(l->stack,
                    may_be_cookie ? TERN_DROP_TCP_BAD_COOKIE : TERN_DROP_TCP_NO_CONNECTION);
    return (flags & TERN_TCP_ACK) == 0; /* RFC 9293 §3.10.7.2, fourth */
}

void tern_conn_leave_listener(struct tern_conn *conn)
{
    struct tern_listener *l = conn->awake->listener;
    uint32_t *count;

    if (l == NULL)
        return;
    count = conn->awake->queued ? &l->waiting_count : &l->unfinished_count;
    TERN_ASSERT(*count > 0);
    --*count;
    tern_list_remove(&conn->awake->child);
    conn->awake->queued = false;
    conn->awake->listener = NULL;
}

void tern_conn_queue_for_accept(struct tern_conn *conn)
{
    struct tern_listener *l = conn->awake->listener;

    const bool fast = conn->awake->fastopen_of != NULL && conn->tcb->state == TERN_TCP_SYN_RECEIVED;

    if (l == NULL || conn->awake->queued || (conn->tcb->state < TERN_TCP_ESTABLISHED && !fast))
        return;
    tern_list_remove(&conn->awake->child);
    tern_list_push(&l->accepted, &conn->awake->child);
    conn->awake->queued = true;
    l->unfinished_count--;
    l->waiting_count++;
    l->stack->counters.connections_accepted++;
    tern_stack_event_raise(l->stack, &l->event, TERN_CONN_READABLE);
}
