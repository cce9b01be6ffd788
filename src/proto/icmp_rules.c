/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * When an ICMP error may be sent, how often, and what a received one means.
 *
 * Errors answer packets that anyone can forge, so they go out only about packets that name one
 * host as their source, are no error themselves, and within a token bucket's rate: they must
 * not turn this host into an amplifier, and two hosts must not answer each other's errors for
 * ever.
 *
 * A received error is a claim by whoever could guess the addresses and ports. So
 * this file only says what it would mean; the transport checks the quotation against what it really
 * sent before it believes a word.
 */
#include "proto/icmp_rules.h"

#include "base/assert.h"

#define BUCKET_TOKENS_MAX 50
#define BUCKET_INTERVAL   (10 * TERN_MS) /* a token each: 100 a second */

#define ICMP_SOURCE_QUENCH 4 /* deprecated by RFC 6633 */
#define ICMP_REDIRECT      5

/* Where things stand in the packet that an error quotes: RFC 791 §3.1. */
enum {
    QUOTE_OFF_VERSION = 0,
    QUOTE_OFF_TOTAL = 2,
    QUOTE_OFF_FRAGMENT = 6,
    QUOTE_OFF_PROTOCOL = 9,
    QUOTE_OFF_SRC = 12,
    QUOTE_OFF_DST = 16,
    QUOTE_BODY_BYTES_MIN = 8, /* RFC 792 promises no more */
};

void tern_icmp_bucket_init(struct tern_icmp_bucket *b, tern_time now)
{
    b->tokens = BUCKET_TOKENS_MAX;
    b->filled_at = now;
}

bool tern_icmp_bucket_take(struct tern_icmp_bucket *b, tern_time now)
{
    const tern_time fresh = (now - b->filled_at) / BUCKET_INTERVAL;

    TERN_ASSERT(now >= b->filled_at);
    TERN_ASSERT(b->tokens <= BUCKET_TOKENS_MAX);
    if (fresh >= BUCKET_TOKENS_MAX - (tern_time)b->tokens) {
        b->tokens = BUCKET_TOKENS_MAX;
        b->filled_at = now;
    } else {
        b->tokens += (uint32_t)fresh;
        b->filled_at += fresh * BUCKET_INTERVAL;
    }
    if (b->tokens == 0)
        return false;
    b->tokens--;
    return true;
}

/* RFC 1122 §3.2.2: a source that does not name a single host. */
static bool names_one_host(struct tern_addr a)
{
    uint32_t v;

    if (tern_addr_is_any(a) || tern_addr_is_multicast(a))
        return false;
    if (!tern_addr_is_v4(a))
        return true;
    v = tern_addr_to_be32(a);
    if (v >> 24 == 0 || v >> 24 == 127)
        return false;
    return v < 0xf0000000u; /* class E, and with it the limited broadcast */
}

/* Only messages that are known to ask something: unknown types might be errors. */
static bool is_icmp_query(tern_span body)
{
    static const uint8_t queries[] = {
        TERN_ICMP_ECHO_REPLY, TERN_ICMP_ECHO_REQUEST, 13, 14, 15, 16, 17, 18};

    if (body.bytes == 0)
        return false;
    for (size_t i = 0; i < sizeof queries; i++) {
        if (body.data[0] == queries[i])
            return true;
    }
    return false;
}

bool tern_icmp_error_allowed(const struct tern_ipv4 *ip, tern_span body, bool frame_is_group,
                             bool dst_is_broadcast)
{
    if (frame_is_group || dst_is_broadcast || tern_addr_is_multicast(ip->dst))
        return false;
    if (ip->fragment_offset_bytes != 0)
        return false;
    if (!names_one_host(ip->src) || tern_addr_equal(ip->src, ip->dst))
        return false;
    return ip->protocol != TERN_IP_ICMP || is_icmp_query(body);
}

static enum tern_icmp_effect unreachable_effect(uint8_t code)
{
    switch (code) {
    case TERN_ICMP_PROTOCOL_UNREACHABLE:
    case TERN_ICMP_PORT_UNREACHABLE:
    case 9: /* a firewall says no: network, host, everything prohibited (RFC 1812 §5.2.7.1) */
    case 10:
    case TERN_ICMP_ADMIN_PROHIBITED:
        return TERN_ICMP_EFFECT_HARD;
    case TERN_ICMP_FRAGMENTATION_NEEDED:
        return TERN_ICMP_EFFECT_TOO_BIG;
    default: /* RFC 1122 §4.2.3.9: 0, 1, 5 are soft; so is what we do not know */
        return TERN_ICMP_EFFECT_SOFT;
    }
}

enum tern_icmp_effect tern_icmp_effect_of(const struct tern_icmp *icmp)
{
    switch (icmp->type) {
    case TERN_ICMP_UNREACHABLE:
        return unreachable_effect(icmp->code);
    case TERN_ICMP_TIME_EXCEEDED:
    case TERN_ICMP_PARAMETER_PROBLEM:
        return TERN_ICMP_EFFECT_SOFT; /* RFC 9293 §3.9.2.2 */
    case ICMP_SOURCE_QUENCH:          /* RFC 9293 §3.9.2.2: must be discarded */
    case ICMP_REDIRECT:
    default:
        return TERN_ICMP_EFFECT_NONE;
    }
}

static bool parse_transport(const uint8_t *p, struct tern_icmp_quote *out)
{
    switch (out->protocol) {
    case TERN_IP_TCP:
        out->seq = tern_get_be32(p + 4);
        out->src_port = tern_get_be16(p);
        out->dst_port = tern_get_be16(p + 2);
        return true;
    case TERN_IP_UDP:
        out->src_port = tern_get_be16(p);
        out->dst_port = tern_get_be16(p + 2);
        return true;
    case TERN_IP_ICMP:
        out->echo_id = tern_get_be16(p + 4);
        out->echo_sequence = tern_get_be16(p + 6);
        return p[0] == TERN_ICMP_ECHO_REQUEST;
    default:
        return false;
    }
}

bool tern_icmp_quote_parse(tern_span body, struct tern_icmp_quote *out)
{
    struct tern_icmp_quote q = {0};
    size_t header_bytes;

    if (body.bytes < TERN_IPV4_BYTES)
        return false;
    header_bytes = (size_t)(body.data[QUOTE_OFF_VERSION] & 0x0f) * 4;
    if (body.data[QUOTE_OFF_VERSION] >> 4 != 4 || header_bytes < TERN_IPV4_BYTES)
        return false;
    if (body.bytes < header_bytes + QUOTE_BODY_BYTES_MIN)
        return false;
    if ((tern_get_be16(body.data + QUOTE_OFF_FRAGMENT) & 0x1fff) != 0) /* no ports in there */
        return false;
    q.total_bytes = tern_get_be16(body.data + QUOTE_OFF_TOTAL);
    q.protocol = body.data[QUOTE_OFF_PROTOCOL];
    q.src = tern_addr_from_be32(tern_get_be32(body.data + QUOTE_OFF_SRC));
    q.dst = tern_addr_from_be32(tern_get_be32(body.data + QUOTE_OFF_DST));
    if (!parse_transport(body.data + header_bytes, &q))
        return false;
    *out = q;
    return true;
}
