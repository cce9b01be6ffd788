/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The IPv4 header (RFC 791 §3.1). Options are covered by the header checksum and skipped. The
 * reserved flag is not looked at. What a link padded behind the total length is cut off.
 */
#include "wire/ipv4.h"

#include "base/addr.h"
#include "base/assert.h"
#include "base/checksum.h"

#define OFF_VERSION_IHL 0
#define OFF_TOS         1
#define OFF_TOTAL       2
#define OFF_ID          4
#define OFF_FRAGMENT    6
#define OFF_TTL         8
#define OFF_PROTOCOL    9
#define OFF_CHECKSUM    10
#define OFF_SRC         12
#define OFF_DST         16

#define VERSION             4
#define FLAG_DONT_FRAGMENT  0x4000
#define FLAG_MORE_FRAGMENTS 0x2000
#define FRAGMENT_MASK       0x1fff /* of the offset, in units of 8 bytes */
#define FRAGMENT_UNIT       8

static bool lengths_fit(tern_span in, size_t header_bytes, size_t total_bytes)
{
    return header_bytes >= TERN_IPV4_BYTES && header_bytes <= total_bytes &&
           total_bytes <= in.bytes;
}

static bool sum_is_good(const uint8_t *p, uint16_t header_bytes)
{
    struct tern_sum sum = {0};

    if (header_bytes == TERN_IPV4_BYTES)
        return tern_ipv4_sum_is_good(p);
    tern_sum_add(&sum, p, header_bytes);
    return tern_sum_finish(&sum) == 0;
}

enum tern_ipv4_verdict tern_ipv4_parse(tern_span in, struct tern_ipv4 *out, tern_span *body)
{
    const uint8_t *p = in.data;
    uint16_t header_bytes, total_bytes, fragment;

    if (in.bytes < TERN_IPV4_BYTES || p[OFF_VERSION_IHL] >> 4 != VERSION)
        return TERN_IPV4_BAD_HEADER;
    header_bytes = (uint16_t)((p[OFF_VERSION_IHL] & 0x0f) * 4);
    total_bytes = tern_get_be16(p + OFF_TOTAL);
    if (!lengths_fit(in, header_bytes, total_bytes))
        return TERN_IPV4_BAD_HEADER;
    if (!sum_is_good(p, header_bytes))
        return TERN_IPV4_BAD_CHECKSUM;
    fragment = tern_get_be16(p + OFF_FRAGMENT);
    *out = (struct tern_ipv4){
        .tos = p[OFF_TOS],
        .id = tern_get_be16(p + OFF_ID),
        .dont_fragment = (fragment & FLAG_DONT_FRAGMENT) != 0,
        .more_fragments = (fragment & FLAG_MORE_FRAGMENTS) != 0,
        .fragment_offset_bytes = (uint16_t)((fragment & FRAGMENT_MASK) * FRAGMENT_UNIT),
        .ttl = p[OFF_TTL],
        .protocol = p[OFF_PROTOCOL],
        .header_bytes = header_bytes,
        .total_bytes = total_bytes,
        .src = tern_addr_from_be32(tern_get_be32(p + OFF_SRC)),
        .dst = tern_addr_from_be32(tern_get_be32(p + OFF_DST)),
    };
    *body = tern_span_first(tern_span_from(in, header_bytes), (size_t)total_bytes - header_bytes);
    return TERN_IPV4_OK;
}

/* Of the header that is being written, its own field being zero. */
static uint16_t header_checksum(const struct tern_ipv4 *ip, uint16_t total, uint16_t fragment)
{
    const uint32_t src = tern_addr_mapped_be32(&ip->src), dst = tern_addr_mapped_be32(&ip->dst);
    uint32_t sum = (uint32_t)((VERSION << 4 | TERN_IPV4_BYTES / 4) << 8 | ip->tos);

    sum += (uint32_t)total + ip->id + fragment + ((uint32_t)ip->ttl << 8 | ip->protocol);
    sum += (src >> 16) + (src & UINT16_MAX) + (dst >> 16) + (dst & UINT16_MAX);
    sum = (sum >> 16) + (sum & UINT16_MAX);
    return (uint16_t) ~((sum >> 16) + sum);
}

void tern_ipv4_emit(const struct tern_ipv4 *ip, uint16_t body_bytes, struct tern_writer *w)
{
    const uint16_t total = (uint16_t)(TERN_IPV4_BYTES + body_bytes);
    uint8_t *p = tern_write_room(w, TERN_IPV4_BYTES);
    unsigned fragment = ip->fragment_offset_bytes / FRAGMENT_UNIT;

    TERN_ASSERT(body_bytes <= UINT16_MAX - TERN_IPV4_BYTES);
    TERN_ASSERT(ip->fragment_offset_bytes % FRAGMENT_UNIT == 0);
    TERN_ASSERT(tern_addr_is_mapped(&ip->src));
    TERN_ASSERT(tern_addr_is_mapped(&ip->dst));
    if (p == NULL)
        return;
    fragment |= ip->dont_fragment ? FLAG_DONT_FRAGMENT : 0;
    fragment |= ip->more_fragments ? FLAG_MORE_FRAGMENTS : 0;
    p[OFF_VERSION_IHL] = VERSION << 4 | TERN_IPV4_BYTES / 4;
    p[OFF_TOS] = ip->tos;
    tern_put_be16(p + OFF_TOTAL, total);
    tern_put_be16(p + OFF_ID, ip->id);
    tern_put_be16(p + OFF_FRAGMENT, (uint16_t)fragment);
    p[OFF_TTL] = ip->ttl;
    p[OFF_PROTOCOL] = ip->protocol;
    tern_put_be16(p + OFF_CHECKSUM, header_checksum(ip, total, (uint16_t)fragment));
    memcpy(p + OFF_SRC, ip->src.b + 12, 4);
    memcpy(p + OFF_DST, ip->dst.b + 12, 4);
}
