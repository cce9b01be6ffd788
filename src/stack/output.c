/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames out: ACKs that were made while input ran, ARP, queued packets (ICMP, UDP, resets), then
 * the connections that are ready, each until it says no. A frame is a header in the stack's scratch
 * and slices of the sender's queue; nothing is copied. Checksums are left to links that offload
 * them.
 */
#include "base/addr.h"
#include "stack/internal.h"

#define FRAME_IP_AT  TERN_ETH_BYTES
#define FRAME_TCP_AT (TERN_ETH_BYTES + TERN_IPV4_BYTES)

static void emit_eth(struct tern_stack *s, struct tern_mac dst, struct tern_writer *w)
{
    const struct tern_eth eth = {dst, s->mac, TERN_ETHERTYPE_IPV4};

    tern_eth_emit(&eth, w);
}

/* The text of a segment, in slices; false: more slices than a frame has pieces. */
static bool attach_text(struct tern_conn *conn, uint64_t at, uint32_t bytes,
                        struct tern_frame *frame)
{
    while (bytes > 0) {
        struct tern_slice slice;

        if (frame->piece_count == TERN_FRAME_PIECES_MAX)
            return false;
        slice = tern_tcb_text(conn->tcb, at, bytes);
        frame->piece[frame->piece_count++] = slice;
        frame->bytes += (uint32_t)slice.bytes;
        at += slice.bytes;
        bytes -= (uint32_t)slice.bytes;
    }
    return true;
}

static void finish_checksum(struct tern_stack *s, const struct tern_conn *conn,
                            struct tern_frame *frame, uint8_t *headers)
{
    const uint32_t tcp_bytes = frame->bytes - FRAME_TCP_AT;
    struct tern_sum sum = {0, false};
    uint8_t *field = headers + FRAME_TCP_AT + TERN_TCP_OFF_CHECKSUM;

    tern_sum_add_pseudo4(&sum, tern_addr_mapped_be32(&conn->tcb->local.addr),
                         tern_addr_mapped_be32(&conn->tcb->remote.addr), TERN_IP_TCP, tcp_bytes);
    if ((s->config.link.offloads & TERN_OFFLOAD_CSUM_TX) != 0) {
        tern_put_be16(field, tern_sum_fold(&sum));
        frame->csum = TERN_CSUM_NEEDS;
        frame->csum_start = FRAME_TCP_AT;
        frame->csum_offset = TERN_TCP_OFF_CHECKSUM;
        return;
    }
    tern_sum_add(&sum, headers + FRAME_TCP_AT, frame->piece[0].bytes - FRAME_TCP_AT);
    for (uint32_t i = 1; i < frame->piece_count; i++)
        tern_sum_add(&sum, frame->piece[i].data, frame->piece[i].bytes);
    tern_put_be16(field, tern_sum_finish(&sum));
    frame->csum = TERN_CSUM_UNKNOWN;
    frame->csum_start = frame->csum_offset = 0;
}

/* TCP's first: the others need its length. Returns the length of all three. */
static uint32_t emit_headers(struct tern_stack *s, const struct tern_conn *conn,
                             const struct tern_segment_out *seg, struct tern_mac dst,
                             uint8_t *headers)
{
    struct tern_writer tcp =
        tern_writer_of(headers + FRAME_TCP_AT, TERN_HEADERS_BYTES - FRAME_TCP_AT);
    struct tern_writer w = tern_writer_of(headers, FRAME_TCP_AT);
    const struct tern_ipv4 ip = {
        .tos = (uint8_t)((conn->tcb->set.tos & ~TERN_ECN_MASK) | seg->ecn),
        .dont_fragment = true, /* RFC 1191 §3; so the ID means nothing (RFC 6864 §4.1) */
        .ttl = conn->tcb->set.ttl > 0 ? conn->tcb->set.ttl : TERN_TTL,
        .protocol = TERN_IP_TCP,
        .src = conn->tcb->local.addr,
        .dst = conn->tcb->remote.addr,
    };

    tern_tcp_emit(&seg->h, &tcp);
    emit_eth(s, dst, &w);
    tern_ipv4_emit(&ip, (uint16_t)(tcp.bytes + seg->text_bytes), &w);
    TERN_ASSERT(!tcp.failed);
    TERN_ASSERT(!w.failed);
    return (uint32_t)(FRAME_TCP_AT + tcp.bytes);
}

void tern_stack_frame_conn(struct tern_stack *s, struct tern_conn *conn,
                           const struct tern_segment_out *seg, struct tern_mac dst,
                           struct tern_frame *frame, uint8_t *headers)
{
    const uint32_t header_bytes = emit_headers(s, conn, seg, dst, headers);
    bool whole;

    frame->piece[0] = tern_span_of(headers, header_bytes);
    frame->piece_count = 1;
    frame->bytes = frame->header_bytes = (uint16_t)header_bytes;
    frame->cause = seg->cause;
    frame->gso = seg->piece_bytes > 0 ? TERN_GSO_TCP4 : TERN_GSO_NONE;
    frame->gso_bytes = (uint16_t)seg->piece_bytes;
    frame->mark = 0;
    whole = attach_text(conn, seg->text_at, seg->text_bytes, frame);
    TERN_ASSERT(whole);
    finish_checksum(s, conn, frame, headers);
}

/* The next piece of a text, as long as the one before: but for its number, its flags and its sum
 * its headers are the same. */
static void frame_alike(struct tern_stack *s, struct tern_conn *conn,
                        const struct tern_segment_out *piece, struct tern_frame *frame,
                        uint8_t *headers)
{
    const struct tern_frame *before = frame - 1;
    const size_t header_bytes = before->piece[0].bytes;
    bool whole;

    memcpy(headers, before->piece[0].data, header_bytes);
    tern_put_be32(headers + FRAME_TCP_AT + TERN_TCP_OFF_SEQ, piece->h.seq.value);
    headers[FRAME_TCP_AT + TERN_TCP_OFF_FLAGS] = piece->h.flags;
    *frame = *before;
    frame->piece[0] = tern_span_of(headers, header_bytes);
    frame->piece_count = 1;
    frame->bytes = (uint32_t)header_bytes;
    whole = attach_text(conn, piece->text_at, piece->text_bytes, frame);
    TERN_ASSERT(whole);
    if (frame->csum != TERN_CSUM_NEEDS) {
        tern_put_be16(headers + FRAME_TCP_AT + TERN_TCP_OFF_CHECKSUM, 0);
        finish_checksum(s, conn, frame, headers);
    }
}

/* A text that the link does not cut, in as many frames as it has pieces. PSH and FIN belong to the
 * last, CWR to the first (RFC 3168 §6.1.2). How many frames. */
static int frame_pieces(struct tern_stack *s, struct tern_conn *conn,
                        const struct tern_segment_out *seg, struct tern_mac dst,
                        struct tern_frame *frames, uint8_t (*headers)[TERN_HEADERS_BYTES])
{
    struct tern_segment_out piece = *seg;
    uint32_t left = seg->text_bytes;
    int n = 0;

    piece.piece_bytes = 0;
    piece.text_bytes = seg->piece_bytes;
    piece.h.flags &= (uint8_t) ~(TERN_TCP_PSH | TERN_TCP_FIN);
    for (; left > seg->piece_bytes; n++, left -= seg->piece_bytes) {
        if (n == 0)
            tern_stack_frame_conn(s, conn, &piece, dst, &frames[n], headers[n]);
        else
            frame_alike(s, conn, &piece, &frames[n], headers[n]);
        piece.h.flags &= (uint8_t)~TERN_TCP_CWR;
        piece.h.seq = tern_seq_add(piece.h.seq, seg->piece_bytes);
        piece.text_at += seg->piece_bytes;
    }
    piece.text_bytes = left;
    piece.h.flags |= seg->h.flags & (TERN_TCP_PSH | TERN_TCP_FIN);
    tern_stack_frame_conn(s, conn, &piece, dst, &frames[n], headers[n]);
    return n + 1;
}

bool tern_stack_queue(struct tern_stack *s, struct tern_addr src, struct tern_addr dst,
                      uint8_t protocol, uint8_t ttl, enum tern_cause cause, tern_span payload)
{
    struct tern_dgram meta = {.ttl = ttl, .kind = protocol, .code = (uint8_t)cause, .at = s->now};

    meta.peer.addr = dst;
    meta.peer.port = UINT16_MAX;
    for (uint32_t i = 0; i < s->config.addresses_max; i++)
        if (s->addresses[i].used && tern_addr_equal(s->addresses[i].cidr.addr, src)) {
            meta.peer.port = (uint16_t)i; /* of a packet to send: the number of its source */
            meta.tag = s->addresses[i].serial;
        }
    if (meta.peer.port == UINT16_MAX)
        return false;
    return tern_dgram_queue_push(&s->tx, &meta, payload);
}

bool tern_stack_queue_bare(struct tern_stack *s, const struct tern_endpoint *local,
                           const struct tern_endpoint *remote, const struct tern_tcp_header *h,
                           enum tern_cause cause)
{
    uint8_t bytes[TERN_TCP_HEADER_BYTES_MAX];
    struct tern_writer w = tern_writer_of(bytes, sizeof(bytes));
    struct tern_sum sum = {0, false};

    tern_tcp_emit(h, &w);
    TERN_ASSERT(!w.failed);
    tern_sum_add_pseudo(&sum, local->addr, remote->addr, TERN_IP_TCP, (uint32_t)w.bytes);
    tern_sum_add(&sum, bytes, w.bytes);
    tern_put_be16(bytes + TERN_TCP_OFF_CHECKSUM, tern_sum_finish(&sum));
    if (!tern_stack_queue(s, local->addr, remote->addr, TERN_IP_TCP, TERN_TTL, cause,
                          tern_span_of(bytes, w.bytes)))
        return false;
    s->tcp.resets_out += (h->flags & TERN_TCP_RST) != 0;
    s->tcp.segments_out++;
    return true;
}

void tern_stack_send_bare(struct tern_stack *s, const struct tern_endpoint *local,
                          const struct tern_endpoint *remote, const struct tern_tcp_header *h,
                          enum tern_cause cause)
{
    if (tern_stack_queue_bare(s, local, remote, h, cause))
        tern_stack_tell_stray(s, local, remote, h, 0, cause);
}

/* One packet, or one fragment of it (RFC 791 §3.2); true: the whole packet is out. */
static bool frame_packet(struct tern_stack *s, const struct tern_dgram *meta, tern_span payload,
                         struct tern_addr src, struct tern_mac dst, struct tern_frame *frame,
                         uint8_t *headers)
{
    struct tern_writer w = tern_writer_of(headers, TERN_HEADERS_BYTES);
    const uint32_t room = (s->tcp.mtu_bytes - TERN_IPV4_BYTES) & ~7u;
    const uint32_t left = (uint32_t)payload.bytes - s->tx_fragment_at;
    const bool last = left + TERN_IPV4_BYTES <= s->tcp.mtu_bytes;
    const uint32_t bytes = last ? left : room;
    const struct tern_ipv4 ip = {
        .id = s->tx_fragment_at == 0 ? ++s->ip_id : s->ip_id,
        .more_fragments = !last,
        .fragment_offset_bytes = (uint16_t)s->tx_fragment_at,
        .ttl = meta->ttl,
        .protocol = meta->kind,
        .src = src,
        .dst = meta->peer.addr,
    };

    emit_eth(s, dst, &w);
    tern_ipv4_emit(&ip, (uint16_t)bytes, &w);
    memset(frame, 0, sizeof(*frame));
    frame->piece[0] = tern_span_of(headers, w.bytes);
    frame->piece[1] = tern_span_first(tern_span_from(payload, s->tx_fragment_at), bytes);
    frame->piece_count = 2;
    frame->bytes = (uint32_t)w.bytes + bytes;
    frame->cause = (enum tern_cause)meta->code;
    if (s->tx_fragment_at == 0)
        tern_stack_tell_packet(s, &ip, payload, frame->cause);
    s->tx_fragment_at = last ? 0 : s->tx_fragment_at + bytes;
    return last;
}

/* An ARP reply was queued whole, its destination inside it: RFC 826's ar$tha. */
static void frame_arp_reply(struct tern_stack *s, tern_span arp_bytes, struct tern_frame *frame,
                            uint8_t *headers)
{
    struct tern_writer w = tern_writer_of(headers, TERN_HEADERS_BYTES);
    struct tern_eth eth = {.src = s->mac, .type = TERN_ETHERTYPE_ARP};
    struct tern_arp arp;

    if (tern_arp_parse(arp_bytes, &arp)) {
        eth.dst = arp.target_mac;
        tern_stack_tell_arp(s, &arp, TERN_CAUSE_ARP_REPLY);
    }
    tern_eth_emit(&eth, &w);
    tern_write_bytes(&w, arp_bytes.data, arp_bytes.bytes);
    TERN_ASSERT(!w.failed);
    memset(frame, 0, sizeof(*frame));
    frame->piece[0] = tern_span_of(headers, w.bytes);
    frame->piece_count = 1;
    frame->bytes = (uint32_t)w.bytes;
    frame->cause = TERN_CAUSE_ARP_REPLY;
}

static enum tern_neigh_verdict hop_of(struct tern_stack *s, const struct tern_dgram *meta,
                                      struct tern_addr *src, struct tern_mac *dst)
{
    const struct tern_own_address *own = &s->addresses[meta->peer.port];

    *src = own->cidr.addr;
    if (!own->used || own->serial != meta->tag) /* its source was removed meanwhile */
        return TERN_NEIGH_FAILED;
    return tern_stack_next_hop(s, *src, meta->peer.addr, dst);
}

/* A frame from the head of the packet queue; false: the head made none (it waits, or was dropped).
 * Popped bytes stay as they are until the next push, which is not before the next call on the
 * stack. */
static bool frame_queued(struct tern_stack *s, struct tern_frame *frame, uint8_t *headers)
{
    struct tern_dgram meta;
    tern_span payload;
    struct tern_addr src;
    struct tern_mac dst;
    bool made = false;

    if (!tern_dgram_queue_peek(&s->tx, &meta, &payload))
        return false;
    if (meta.kind == 0) {
        frame_arp_reply(s, payload, frame, headers);
        tern_dgram_queue_pop(&s->tx);
        return true;
    }
    switch (hop_of(s, &meta, &src, &dst)) {
    case TERN_NEIGH_RESOLVED:
        if (!frame_packet(s, &meta, payload, src, dst, frame, headers))
            return true;
        made = true;
        break;
    case TERN_NEIGH_PENDING:
        if (!tern_dgram_queue_push(&s->tx_waiting, &meta, payload))
            tern_stack_drop(s, TERN_DROP_NO_NEIGHBOUR);
        break;
    case TERN_NEIGH_BUSY: /* nobody asks for it, so that nothing would ever end its wait */
    case TERN_NEIGH_FAILED:
        tern_stack_drop(s, TERN_DROP_NO_NEIGHBOUR);
        break;
    }
    s->tx_fragment_at = 0;
    tern_dgram_queue_pop(&s->tx);
    return made;
}

/* It has nothing more to say now. Its wish may not be grantable (a window, Nagle): then its timer
 * or an ACK comes, and it must not stand in the list until then. */
static void leave_ready(struct tern_stack *s, struct tern_conn *conn)
{
    const tern_time at = tern_tcb_deadline(conn->tcb);

    tern_list_remove(&conn->awake->ready);
    if (conn->tcb->state == TERN_TCP_CLOSED) {
        tern_conn_update(conn); /* which may be its end */
        return;
    }
    if (at != TERN_TIME_NEVER && (!tern_timer_is_set(&conn->timer) || conn->timer.at > at))
        tern_wheel_set(&s->wheel, &conn->timer, at);
    tern_conn_raise(conn);
}

/* The next hop does not answer: what it wants to send is lost, as on the wire. */
static void output_to_nobody(struct tern_stack *s, struct tern_conn *conn)
{
    struct tern_segment_out lost;

    tern_tcb_unreachable(conn->tcb, s->now);
    s->tcp.cut_max = 1;
    while (tern_tcb_output(conn->tcb, s->now, &lost))
        tern_stack_drop(s, TERN_DROP_NO_NEIGHBOUR);
    leave_ready(s, conn);
}

/* Frames of one segment of the first ready connection, max at the most; 0: it had none (and has
 * left the list). */
static int frame_ready(struct tern_stack *s, struct tern_frame *frames,
                       uint8_t (*headers)[TERN_HEADERS_BYTES], int max)
{
    struct tern_conn *conn = TERN_CONTAINER(s->ready.next, struct tern_awake, ready)->conn;
    struct tern_segment_out seg;
    struct tern_mac dst;

    switch (tern_conn_next_hop(conn, &dst)) {
    case TERN_NEIGH_RESOLVED:
        break;
    case TERN_NEIGH_PENDING:
    case TERN_NEIGH_BUSY:
        tern_list_remove(&conn->awake->ready);
        tern_list_push(&s->waiting, &conn->awake->ready);
        return 0;
    case TERN_NEIGH_FAILED:
        output_to_nobody(s, conn);
        return 0;
    }
    /* an observer hears of each segment by itself */
    s->tcp.cut_max = tern_stack_is_observed(s) ? 1 : (uint32_t)max;
    if (tern_tcb_output(conn->tcb, s->now, &seg)) {
        if (seg.piece_bytes > 0 && !s->tcp.tso)
            return frame_pieces(s, conn, &seg, dst, frames, headers);
        tern_stack_frame_conn(s, conn, &seg, dst, frames, *headers);
        return 1;
    }
    leave_ready(s, conn);
    return 0;
}

static int take_acks(struct tern_stack *s, struct tern_frame *frames, int max)
{
    int n = 0;

    while (n < max && s->acks_taken < s->acks_count)
        frames[n++] = s->acks[s->acks_taken++];
    return n;
}

int tern_stack_output(struct tern_stack *s, struct tern_frame *frames, int max, tern_time now)
{
    int n;

    TERN_ASSERT(now >= s->now);
    s->now = now;
    tern_rest_serve(s);
    if (max > TERN_BURST_MAX)
        max = TERN_BURST_MAX;
    n = take_acks(s, frames, max);
    while (n < max && s->tx.count > 0)
        n += frame_queued(s, &frames[n], s->headers[n]);
    while (n < max && !tern_list_is_empty(&s->ready))
        n += frame_ready(s, &frames[n], &s->headers[n], max - n);
    while (n < max && tern_stack_arp_output(s, &frames[n], s->headers[n]))
        n++;
    for (int i = 0; i < n; i++)
        s->counters.bytes_out += frames[i].bytes;
    s->counters.frames_out += (uint64_t)n;
    tern_rest_turn(s);
    return n;
}
