/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames in: Ethernet, then ARP or IPv4; whole packets go to the transport they name. */
#include "stack/internal.h"

#define ALL_HOSTS UINT32_C(0xe0000001) /* 224.0.0.1 */

void tern_stack_drop(struct tern_stack *s, enum tern_drop reason)
{
    struct tern_trace *t;

    s->counters.drops[reason]++;
    t = tern_trace_push(&s->traces, s->now, TERN_TRACE_DROP, 0);
    if (t != NULL)
        t->drop.reason = reason;
    tern_tell_drop(&s->tcp.observer, reason, 0, s->now);
}

static void deliver(struct tern_stack *s, const struct tern_packet *p)
{
    tern_stack_tell_packet(s, &p->ip, p->body, TERN_CAUSE_NONE);
    switch (p->ip.protocol) {
    case TERN_IP_TCP:
        tern_stack_tcp_input(s, p);
        break;
    case TERN_IP_UDP:
        tern_stack_udp_input(s, p);
        break;
    case TERN_IP_ICMP:
        tern_stack_icmp_input(s, p);
        break;
    default:
        tern_stack_drop(s, TERN_DROP_IP_UNKNOWN_PROTOCOL);
        tern_stack_icmp_error(s, p, TERN_ICMP_UNREACHABLE, TERN_ICMP_PROTOCOL_UNREACHABLE);
        break;
    }
}

/* RFC 1122 §3.2.1.3: addresses that no packet may come from. Nor do our own packets come back, so
 * that one from ourselves is forged: a SYN of that kind would have us answer ourselves. */
static bool is_bad_source(struct tern_stack *s, struct tern_addr src)
{
    const uint32_t v4 = tern_addr_to_be32(src);

    return tern_addr_is_any(src) || tern_addr_is_multicast(src) || v4 >> 24 == 127 ||
           v4 >> 24 == 0 || v4 >= UINT32_C(0xf0000000) || tern_stack_is_broadcast(s, src) ||
           tern_stack_own(s, src) != NULL;
}

/* Everyone, or the one group that each host is in (RFC 1112 §4). No other is ever joined, and what
 * goes to those is not for us (RFC 1122 §3.2.1.3). */
static bool is_to_many(const struct tern_stack *s, struct tern_addr dst)
{
    return tern_addr_to_be32(dst) == ALL_HOSTS || tern_stack_is_broadcast(s, dst);
}

/* The addresses of the last one that was welcome, and nothing has changed that decided it. */
static bool is_from_known(const struct tern_stack *s, const struct tern_ipv4 *ip)
{
    return s->welcome.routes == s->routes && tern_addr_equal(ip->src, s->welcome.src) &&
           tern_addr_equal(ip->dst, s->welcome.dst);
}

/* False, and counted: it comes from nobody, or is for others. */
static bool is_welcome(struct tern_stack *s, struct tern_packet *p)
{
    const bool known = is_from_known(s, &p->ip);

    if (!known && is_bad_source(s, p->ip.src)) {
        tern_stack_drop(s, TERN_DROP_IP_BAD_SOURCE);
        return false;
    }
    p->broadcast = !known && is_to_many(s, p->ip.dst);
    /* A unicast packet in a group frame is somebody's mistake (RFC 1122 §3.3.6). */
    if (!known && tern_stack_own(s, p->ip.dst) == NULL ? !p->broadcast : p->to_group_mac) {
        tern_stack_drop(s, TERN_DROP_IP_NOT_OURS);
        return false;
    }
    if (!p->broadcast) {
        s->welcome.src = p->ip.src;
        s->welcome.dst = p->ip.dst;
        s->welcome.routes = s->routes;
    }
    return true;
}

static void count_reassembly(struct tern_stack *s)
{
    static const enum tern_drop reasons[] = {TERN_DROP_FRAG_BAD, TERN_DROP_FRAG_OVERLAP,
                                             TERN_DROP_FRAG_FULL, TERN_DROP_FRAG_TIMEOUT};

    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        const uint64_t count = tern_reass_dropped(&s->reass, reasons[i]);

        s->counters.drops[reasons[i]] += count;
        if (count > 0)
            tern_tell_drop(&s->tcp.observer, reasons[i], 0, s->now);
    }
}

static void ipv4_input(struct tern_stack *s, tern_span bytes, const struct tern_frame *frame,
                       bool to_group_mac)
{
    struct tern_packet p = {.to_group_mac = to_group_mac};

    switch (tern_ipv4_parse(bytes, &p.ip, &p.body)) {
    case TERN_IPV4_OK:
        break;
    case TERN_IPV4_BAD_HEADER:
        tern_stack_drop(s, TERN_DROP_IP_BAD_HEADER);
        return;
    case TERN_IPV4_BAD_CHECKSUM:
        tern_stack_drop(s, TERN_DROP_IP_BAD_CHECKSUM);
        return;
    }
    p.header = tern_span_first(bytes, p.ip.header_bytes);
    if (!is_welcome(s, &p))
        return;
    p.verified = frame->csum != TERN_CSUM_UNKNOWN;
    p.stays = s->borrowing;
    p.piece_bytes = frame->gso != TERN_GSO_NONE ? frame->gso_bytes : 0;
    if (p.ip.more_fragments || p.ip.fragment_offset_bytes > 0) {
        struct tern_ipv4 whole;
        tern_span body;
        const bool complete = tern_reass_input(&s->reass, &p.ip, p.body, s->now, &whole, &body);

        count_reassembly(s);
        if (!complete)
            return;
        p.ip = whole;
        p.header = tern_span_of(NULL, 0);
        p.body = body;
        p.verified = false;
        p.stays = false;
    }
    deliver(s, &p);
}

/* A frame that looks like the last one goes where that went: all that decided it still holds. */
static bool is_like_the_last(struct tern_stack *s, const struct tern_frame *frame)
{
    struct tern_tcp_packet p;

    if (s->last.conn == NULL || s->last.routes != s->routes || frame->piece_count != 1 ||
        !tern_flow_matches(&s->last.flow, frame->piece[0], &p.tos, &p.bytes))
        return false;
    p.verified = frame->csum != TERN_CSUM_UNKNOWN;
    p.stays = s->borrowing;
    p.piece_bytes = frame->gso != TERN_GSO_NONE ? frame->gso_bytes : 0;
    tern_conn_packet(s->last.conn, &p);
    return true;
}

static void frame_input(struct tern_stack *s, const struct tern_frame *frame)
{
    struct tern_eth eth;
    tern_span body;
    bool to_group;

    if (frame->piece_count != 1 || !tern_eth_parse(frame->piece[0], &eth, &body)) {
        tern_stack_drop(s, TERN_DROP_ETH_SHORT);
        return;
    }
    to_group = tern_mac_is_group(eth.dst);
    if (!to_group && !tern_mac_equal(eth.dst, s->mac)) {
        tern_stack_drop(s, TERN_DROP_ETH_NOT_OURS);
        return;
    }
    if (tern_eth_vlan(frame->piece[0]) != 0) { /* an answer without a tag would be for others */
        tern_stack_drop(s, TERN_DROP_ETH_UNKNOWN_TYPE);
        return;
    }
    switch (eth.type) {
    case TERN_ETHERTYPE_ARP:
        tern_stack_arp_input(s, body);
        break;
    case TERN_ETHERTYPE_IPV4:
        ipv4_input(s, body, frame, to_group);
        break;
    default:
        tern_stack_drop(s, TERN_DROP_ETH_UNKNOWN_TYPE);
        break;
    }
}

static void input(struct tern_stack *s, const struct tern_frame *frames, int count, tern_time now)
{
    TERN_ASSERT(now >= s->now);
    TERN_ASSERT(s->tcp.borrow.count == 0); /* settle first */
    s->now = now;
    if (s->acks_taken == s->acks_count)
        s->acks_taken = s->acks_count = 0;
    for (int i = 0; i < count; i++) {
        s->counters.frames_in++;
        s->counters.bytes_in += frames[i].bytes;
        if (tern_stack_is_observed(s))
            tern_stack_tell_frame(s, frames[i].bytes);
        if (is_like_the_last(s, &frames[i]))
            continue;
        tern_stack_update_last(s);
        s->last.conn = NULL;
        frame_input(s, &frames[i]);
        if (s->last.conn != NULL && !tern_flow_of(frames[i].piece[0], &s->last.flow)) {
            tern_stack_update_last(s);
            s->last.conn = NULL;
        }
    }
    tern_stack_update_last(s);
    if (tern_stack_is_observed(s))
        tern_stack_tell_input_end(s);
    tern_stack_tcp_input_end(s);
    tern_rest_turn(s);
}

void tern_stack_input(struct tern_stack *s, const struct tern_frame *frames, int count,
                      tern_time now)
{
    s->borrowing = false;
    input(s, frames, count, now);
}

void tern_stack_input_borrowed(struct tern_stack *s, const struct tern_frame *frames, int count,
                               tern_time now)
{
    s->borrowing = true;
    input(s, frames, count, now);
}

void tern_stack_settle(struct tern_stack *s)
{
    tern_tcp_borrow_settle(&s->tcp);
}
