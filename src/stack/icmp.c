/* SPDX-License-Identifier: BSD-2-Clause */
/* ICMP in and out (RFC 792; RFC 1122 §3.2.2): echo answered, errors sent within limits, errors
 * heard and told to whom they concern. */
#include "stack/internal.h"

static void answer_echo(struct tern_stack *s, const struct tern_packet *p,
                        const struct tern_icmp *icmp, tern_span data)
{
    static const size_t bytes_max = 65535 - TERN_IPV4_BYTES;
    struct tern_icmp reply = *icmp;
    uint8_t bytes[65535 - TERN_IPV4_BYTES];
    struct tern_writer w = tern_writer_of(bytes, bytes_max);

    if (p->broadcast || !tern_icmp_bucket_take(&s->icmp_bucket, s->now)) {
        /* RFC 1122 §3.2.2.6 lets us ignore broadcast pings, which serve floods best. */
        tern_stack_drop(s, p->broadcast ? TERN_DROP_ICMP_IGNORED : TERN_DROP_ICMP_RATE);
        return;
    }
    reply.type = TERN_ICMP_ECHO_REPLY;
    reply.code = 0;
    tern_icmp_emit(&reply, data, &w);
    if (!w.failed)
        (void)tern_stack_queue(s, p->ip.dst, p->ip.src, TERN_IP_ICMP, TERN_TTL,
                               TERN_CAUSE_ECHO_REPLY, tern_span_of(bytes, w.bytes));
}

static enum tern_err error_of(const struct tern_icmp *icmp)
{
    if (icmp->type == TERN_ICMP_UNREACHABLE &&
        (icmp->code == TERN_ICMP_PORT_UNREACHABLE || icmp->code == TERN_ICMP_PROTOCOL_UNREACHABLE))
        return TERN_ERR_REFUSED;
    return TERN_ERR_UNREACHABLE;
}

static void tell_tcp(struct tern_stack *s, const struct tern_icmp *icmp,
                     const struct tern_icmp_quote *quote)
{
    const struct tern_endpoint local = {quote->src, quote->src_port};
    const struct tern_endpoint remote = {quote->dst, quote->dst_port};
    struct tern_conn *conn = tern_stack_conn_find(s, &local, &remote);
    const enum tern_icmp_effect effect = tern_icmp_effect_of(icmp);

    if (conn == NULL || effect == TERN_ICMP_EFFECT_NONE) {
        tern_stack_drop(s, TERN_DROP_ICMP_IGNORED);
        return;
    }
    if (!tern_conn_wake(conn)) {
        tern_stack_drop(s, TERN_DROP_TCP_ASLEEP);
        return;
    }
    if (effect == TERN_ICMP_EFFECT_TOO_BIG)
        tern_tcb_path_mtu(conn->tcb, tern_seq_of(quote->seq), icmp->mtu, quote->total_bytes,
                          s->now);
    else
        tern_tcb_icmp(conn->tcb, tern_seq_of(quote->seq), effect == TERN_ICMP_EFFECT_HARD,
                      error_of(icmp), s->now);
    tern_conn_update(conn);
}

static void hear_error(struct tern_stack *s, const struct tern_packet *p,
                       const struct tern_icmp *icmp, tern_span body)
{
    struct tern_icmp_quote quote;

    if (!tern_icmp_quote_parse(body, &quote) || tern_stack_own(s, quote.src) == NULL) {
        tern_stack_drop(s, TERN_DROP_ICMP_IGNORED);
        return;
    }
    switch (quote.protocol) {
    case TERN_IP_TCP:
        tell_tcp(s, icmp, &quote);
        break;
    case TERN_IP_UDP:
        if (tern_icmp_effect_of(icmp) == TERN_ICMP_EFFECT_HARD)
            tern_stack_udp_error(s, &quote, error_of(icmp));
        else
            tern_stack_drop(s, TERN_DROP_ICMP_IGNORED);
        break;
    case TERN_IP_ICMP:
        tern_stack_ping_error(s, p, icmp, &quote);
        break;
    default:
        tern_stack_drop(s, TERN_DROP_ICMP_IGNORED);
        break;
    }
}

void tern_stack_icmp_input(struct tern_stack *s, const struct tern_packet *p)
{
    struct tern_icmp icmp;
    tern_span body;

    if (!tern_icmp_parse(p->body, &icmp, &body)) {
        tern_stack_drop(s, TERN_DROP_ICMP_BAD);
        return;
    }
    switch (icmp.type) {
    case TERN_ICMP_ECHO_REQUEST:
        answer_echo(s, p, &icmp, body);
        break;
    case TERN_ICMP_ECHO_REPLY:
        tern_stack_ping_input(s, p, &icmp, body);
        break;
    case TERN_ICMP_UNREACHABLE:
    case TERN_ICMP_TIME_EXCEEDED:
    case TERN_ICMP_PARAMETER_PROBLEM:
        hear_error(s, p, &icmp, body);
        break;
    default:
        tern_stack_drop(s, TERN_DROP_ICMP_IGNORED);
        break;
    }
}

/* Unchanged (RFC 1122 §3.2.2), but for the options of a packet that came in fragments. */
static void quote(const struct tern_packet *p, struct tern_writer *w)
{
    if (p->header.bytes > 0)
        tern_write_bytes(w, p->header.data, p->header.bytes);
    else
        tern_ipv4_emit(&p->ip, (uint16_t)(p->ip.total_bytes - p->ip.header_bytes), w);
    tern_write_bytes(w, p->body.data,
                     tern_span_first(p->body, TERN_ICMP_QUOTE_BYTES_MAX - w->bytes).bytes);
}

void tern_stack_icmp_error(struct tern_stack *s, const struct tern_packet *p, uint8_t type,
                           uint8_t code)
{
    const struct tern_icmp icmp = {.type = type, .code = code};
    uint8_t quotation[TERN_ICMP_QUOTE_BYTES_MAX];
    uint8_t bytes[TERN_ICMP_BYTES + TERN_ICMP_QUOTE_BYTES_MAX];
    struct tern_writer quoted = tern_writer_of(quotation, sizeof(quotation));
    struct tern_writer w = tern_writer_of(bytes, sizeof(bytes));

    if (!tern_icmp_error_allowed(&p->ip, p->body, p->to_group_mac, p->broadcast))
        return;
    if (!tern_icmp_bucket_take(&s->icmp_bucket, s->now)) {
        tern_stack_drop(s, TERN_DROP_ICMP_RATE);
        return;
    }
    quote(p, &quoted);
    tern_icmp_emit(&icmp, tern_span_of(quotation, quoted.bytes), &w);
    TERN_ASSERT(!quoted.failed);
    TERN_ASSERT(!w.failed);
    (void)tern_stack_queue(s, p->ip.dst, p->ip.src, TERN_IP_ICMP, TERN_TTL, TERN_CAUSE_ICMP_ERROR,
                           tern_span_of(bytes, w.bytes));
}
