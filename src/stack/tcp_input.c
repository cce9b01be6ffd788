/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TCP packets: checked, told to the connection they belong to, to a listener, or answered with a
 * reset.
 *
 * Each segment's ACK leaves with its burst, one by one, as RFC 5681 §4.2 has it. Super-frames that
 * follow one another in a burst have one together, as if the offloads had made one frame of them:
 * a peer that answers each ACK with a frame else goes on doing so (docs/decisions/0032-*.md).
 * The duplicate ACKs
 * of segments beyond a hole wait for the end of the burst: where several processors feed one
 * interface, neighbours change places within microseconds, and a hole that the same burst fills
 * was no loss; telling of it would make the peer send again what has arrived.
 *
 * While a connection is established nothing depends on whether it is brought up to date (timer,
 * lists, events) after each of its segments or after the last of several in a row.
 */
#include "stack/internal.h"

static bool checksum_is_good(const struct tern_tcp_packet *p, const struct tern_addr *src,
                             const struct tern_addr *dst)
{
    struct tern_sum sum = {0, false};

    if (p->verified)
        return true;
    tern_sum_add_pseudo(&sum, *src, *dst, TERN_IP_TCP, (uint32_t)p->bytes.bytes);
    tern_sum_add(&sum, p->bytes.data, p->bytes.bytes);
    return tern_sum_fold(&sum) == 0xffff;
}

static void answer_with_reset(struct tern_stack *s, const struct tern_packet *p,
                              const struct tern_endpoint *local, const struct tern_endpoint *remote,
                              const struct tern_segment *seg)
{
    struct tern_segment_out out;

    if (p->broadcast || !tern_tcp_reset_for(seg, &out))
        return;
    if (tern_limit_take(&s->tcp.resets, &s->tcp.random, TERN_TCP_RESETS, s->now))
        tern_stack_send_bare(s, local, remote, &out.h, out.cause);
    else
        tern_stack_drop(s, TERN_DROP_TCP_RATE);
}

static void input_without_conn(struct tern_stack *s, const struct tern_packet *p,
                               const struct tern_endpoint *local,
                               const struct tern_endpoint *remote, const struct tern_segment *seg)
{
    struct tern_listener *listener = tern_stack_listener_find(s, local);

    if (listener == NULL)
        tern_stack_drop(s, TERN_DROP_TCP_NO_CONNECTION);
    else if (tern_listener_input(listener, local, remote, seg))
        return;
    answer_with_reset(s, p, local, remote, seg);
}

/* For TIME-WAIT, a listener, or nobody. It is told once, here, unless a connection came of it that
 * took it as its first. */
static void input_elsewhere(struct tern_stack *s, const struct tern_packet *p,
                            const struct tern_endpoint *local, const struct tern_endpoint *remote,
                            const struct tern_segment *seg)
{
    const uint32_t told = s->tcp.observer.segments;

    s->tcp.observer.drop = TERN_DROP_COUNT;
    if (!tern_stack_timewait_input(s, local, remote, seg))
        input_without_conn(s, p, local, remote, seg);
    if (s->tcp.observer.segments == told)
        tern_stack_tell_stray(s, local, remote, &seg->h, (uint32_t)seg->text.bytes,
                              TERN_CAUSE_NONE);
}

/* The bare ACK that is due, now, if the burst has room and the next hop is known. */
static void emit_ack(struct tern_stack *s, struct tern_conn *conn)
{
    struct tern_segment_out out;
    struct tern_mac dst;

    if (!conn->tcb->ack.now || s->acks_count == TERN_BURST_MAX)
        return;
    if (tern_conn_next_hop(conn, &dst) != TERN_NEIGH_RESOLVED)
        return;
    if (!tern_tcb_output_ack(conn->tcb, s->now, &out))
        return;
    tern_stack_frame_conn(s, conn, &out, dst, &s->acks[s->acks_count],
                          s->ack_headers[s->acks_count]);
    s->acks_count++;
}

/* The handshake's last ACK goes with the text that waits for it (RFC 9293 §3.10.7.3). */
static bool goes_with_text(const struct tern_tcb *c)
{
    return c->ack.cause == TERN_CAUSE_HANDSHAKE_ACK && c->snd.end > c->snd.nxt;
}

/* What waits for the end of the burst may be said with what comes next in order, and with nothing
 * else. */
static void ack_before(struct tern_stack *s, struct tern_conn *conn, const struct tern_segment *seg)
{
    const struct tern_tcb *c = conn->tcb;

    if (c->ack.now && c->ack.cause == TERN_CAUSE_SECOND_SEGMENT && !tern_tcb_is_next(c, seg))
        emit_ack(s, conn);
}

static void ack_segment(struct tern_stack *s, struct tern_conn *conn,
                        const struct tern_segment *seg)
{
    const struct tern_tcb *c = conn->tcb;

    if (c->ack.now && goes_with_text(c))
        return;
    if (c->ack.now && c->ack.cause == TERN_CAUSE_SECOND_SEGMENT && seg->piece_bytes > 0 &&
        seg->piece_bytes < seg->text.bytes)
        return; /* output comes to it, after the burst */
    if (!c->ack.now || c->ack.cause != TERN_CAUSE_OUT_OF_ORDER_ACK) {
        emit_ack(s, conn);
        return;
    }
    conn->tcb->ack.now = false;
    conn->awake->holed_acks++;
    if (!tern_list_is_linked(&conn->awake->holed))
        tern_list_push(&s->holed, &conn->awake->holed);
}

/* Holes that the burst left: as many duplicate ACKs as segments that arrived beyond them. */
void tern_stack_tcp_input_end(struct tern_stack *s)
{
    struct tern_list *link;

    while ((link = tern_list_pop(&s->holed)) != NULL) {
        struct tern_conn *conn = TERN_CONTAINER(link, struct tern_awake, holed)->conn;
        uint32_t acks = tern_tcb_has_hole(conn->tcb) ? conn->awake->holed_acks : 0;

        conn->awake->holed_acks = 0;
        for (; acks > 0; acks--) {
            tern_tcb_ack_again(conn->tcb);
            emit_ack(s, conn);
        }
        tern_conn_update(conn);
    }
}

void tern_stack_update_last(struct tern_stack *s)
{
    if (!s->last.stale)
        return;
    s->last.stale = false;
    tern_conn_update(s->last.conn);
}

static void conn_segment(struct tern_conn *conn, const struct tern_segment *seg)
{
    const bool was_open = conn->tcb->state == TERN_TCP_ESTABLISHED;
    struct tern_stack *s = conn->stack;

    if (tern_conn_handshake_input(conn, seg))
        return;
    ack_before(s, conn, seg);
    tern_tcb_input(conn->tcb, seg, s->now);
    ack_segment(s, conn, seg);
    if (was_open && conn->tcb->state == TERN_TCP_ESTABLISHED && s->last.conn == conn) {
        s->last.stale = true;
        return;
    }
    s->last.stale = false;
    tern_conn_update(conn); /* which may be its end */
}

/* False, and counted: it is no segment. */
static bool parse(struct tern_stack *s, const struct tern_tcp_packet *p,
                  const struct tern_addr *src, const struct tern_addr *dst,
                  struct tern_segment *seg)
{
    seg->piece_bytes = p->piece_bytes;
    seg->text_stays = p->stays;
    seg->ecn = p->tos & TERN_ECN_MASK;
    if (!tern_tcp_parse(p->bytes, &seg->h, &seg->text)) {
        tern_stack_drop(s, TERN_DROP_TCP_BAD_HEADER);
        return false;
    }
    if (!checksum_is_good(p, src, dst)) {
        tern_stack_drop(s, TERN_DROP_TCP_BAD_CHECKSUM);
        return false;
    }
    return true;
}

void tern_conn_packet(struct tern_conn *conn, const struct tern_tcp_packet *p)
{
    struct tern_segment seg;

    if (parse(conn->stack, p, &conn->tcb->remote.addr, &conn->tcb->local.addr, &seg))
        conn_segment(conn, &seg);
}

void tern_stack_tcp_input(struct tern_stack *s, const struct tern_packet *p)
{
    const struct tern_tcp_packet packet = {p->body, p->piece_bytes, p->ip.tos, p->verified,
                                           p->stays};
    struct tern_endpoint local = {.addr = p->ip.dst, .port = 0};
    struct tern_endpoint remote = {.addr = p->ip.src, .port = 0};
    struct tern_segment seg;
    struct tern_conn *conn;

    if (!parse(s, &packet, &p->ip.src, &p->ip.dst, &seg))
        return;
    if (p->broadcast) { /* RFC 9293 §3.9.2.3 */
        tern_stack_drop(s, TERN_DROP_TCP_NO_CONNECTION);
        return;
    }
    local.port = seg.h.dst_port;
    remote.port = seg.h.src_port;
    conn = tern_stack_conn_find(s, &local, &remote);
    if (conn == NULL) {
        input_elsewhere(s, p, &local, &remote, &seg);
        return;
    }
    if (!tern_conn_wake(conn)) {
        tern_stack_drop(s, TERN_DROP_TCP_ASLEEP);
        return;
    }
    s->last.conn = conn;
    s->last.routes = s->routes;
    conn_segment(conn, &seg);
}
