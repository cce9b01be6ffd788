/* SPDX-License-Identifier: BSD-2-Clause */
/* Telling that a frame belongs where the one before went, by its bytes: see flow.h. */
#include "wire/flow.h"

#include "wire/eth.h"
#include "wire/ipv4.h"

#define OFF_DST_MAC   0
#define OFF_SRC_MAC   6 /* and the type: eight bytes */
#define OFF_TYPE      12
#define OFF_IP        TERN_ETH_BYTES
#define OFF_TOS       (OFF_IP + 1)
#define OFF_TOTAL     (OFF_IP + 2)
#define OFF_FRAGMENT  (OFF_IP + 6) /* and TTL and protocol: four bytes */
#define OFF_PROTOCOL  (OFF_IP + 9)
#define OFF_ADDRESSES (OFF_IP + 12)
#define OFF_TCP       (OFF_IP + TERN_IPV4_BYTES)
#define BYTES_LEAST   (OFF_TCP + 20)

#define VERSION_4_WITHOUT_OPTIONS 0x45
#define FRAGMENTS                 0x3fff /* more of them, or an offset */

static uint64_t load64(const uint8_t *p)
{
    uint64_t v;

    memcpy(&v, p, sizeof v);
    return v;
}

static uint32_t load32(const uint8_t *p)
{
    uint32_t v;

    memcpy(&v, p, sizeof v);
    return v;
}

static struct tern_flow read_flow(const uint8_t *p)
{
    return (struct tern_flow){
        .dst_mac = load64(p + OFF_DST_MAC),
        .src_mac_type = load64(p + OFF_SRC_MAC),
        .addresses = load64(p + OFF_ADDRESSES),
        .ip = load32(p + OFF_FRAGMENT),
        .ports = load32(p + OFF_TCP),
    };
}

bool tern_flow_of(tern_span frame, struct tern_flow *out)
{
    const uint8_t *p = frame.data;

    if (frame.bytes < BYTES_LEAST || tern_get_be16(p + OFF_TYPE) != TERN_ETHERTYPE_IPV4 ||
        p[OFF_IP] != VERSION_4_WITHOUT_OPTIONS || p[OFF_PROTOCOL] != TERN_IP_TCP ||
        (tern_get_be16(p + OFF_FRAGMENT) & FRAGMENTS) != 0)
        return false;
    *out = read_flow(p);
    return true;
}

bool tern_flow_matches(const struct tern_flow *flow, tern_span frame, uint8_t *tos, tern_span *tcp)
{
    const uint8_t *p = frame.data;
    struct tern_flow other;
    size_t total;

    if (frame.bytes < BYTES_LEAST || p[OFF_IP] != VERSION_4_WITHOUT_OPTIONS)
        return false;
    other = read_flow(p);
    if (((other.dst_mac ^ flow->dst_mac) | (other.src_mac_type ^ flow->src_mac_type) |
         (other.addresses ^ flow->addresses) | (other.ip ^ flow->ip) |
         (other.ports ^ flow->ports)) != 0)
        return false;
    total = tern_get_be16(p + OFF_TOTAL);
    if (total < TERN_IPV4_BYTES || total > frame.bytes - TERN_ETH_BYTES ||
        !tern_ipv4_sum_is_good(p + OFF_IP))
        return false;
    *tos = p[OFF_TOS];
    *tcp = tern_span_of(p + OFF_TCP, total - TERN_IPV4_BYTES);
    return true;
}
