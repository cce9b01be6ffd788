/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ethernet II frames (RFC 894): destination, source, type. Tags of 802.1Q and 802.1ad, at most two,
 * are skipped: a link may hand us frames with a priority tag. Whether they name a VLAN is told
 * apart, so that whoever is in none can leave it. What stands behind a third tag is not
 * looked for; the type is then the tag's own, which nobody here speaks.
 */
#include "wire/eth.h"

#define OFF_DST  0
#define OFF_SRC  6
#define OFF_TYPE 12

#define TYPE_8021Q  0x8100
#define TYPE_8021AD 0x88a8
#define VLAN_MASK   0x0fff
#define TAG_BYTES   4 /* the type that announces it, and two bytes of priority and VLAN */

const struct tern_mac tern_mac_broadcast = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

static bool is_tag(uint16_t type)
{
    return type == TYPE_8021Q || type == TYPE_8021AD;
}

bool tern_eth_parse(tern_span in, struct tern_eth *out, tern_span *body)
{
    size_t header_bytes = TERN_ETH_BYTES;
    uint16_t type;

    if (in.bytes < TERN_ETH_BYTES)
        return false;
    type = tern_get_be16(in.data + OFF_TYPE);
    for (unsigned tag = 0; tag < TERN_ETH_TAGS_MAX && is_tag(type); tag++) {
        header_bytes += TAG_BYTES;
        if (in.bytes < header_bytes)
            return false;
        type = tern_get_be16(in.data + header_bytes - 2);
    }
    memcpy(out->dst.b, in.data + OFF_DST, sizeof out->dst.b);
    memcpy(out->src.b, in.data + OFF_SRC, sizeof out->src.b);
    out->type = type;
    *body = tern_span_from(in, header_bytes);
    return true;
}

uint16_t tern_eth_vlan(tern_span in)
{
    const uint8_t *p = in.data + OFF_TYPE;
    uint16_t vlan = 0;

    for (unsigned tag = 0; tag < TERN_ETH_TAGS_MAX && is_tag(tern_get_be16(p)); tag++) {
        vlan = vlan != 0 ? vlan : tern_get_be16(p + 2) & VLAN_MASK;
        p += TAG_BYTES;
    }
    return vlan;
}

void tern_eth_emit(const struct tern_eth *eth, struct tern_writer *w)
{
    uint8_t *p = tern_write_room(w, TERN_ETH_BYTES);

    if (p == NULL)
        return;
    memcpy(p + OFF_DST, eth->dst.b, sizeof eth->dst.b);
    memcpy(p + OFF_SRC, eth->src.b, sizeof eth->src.b);
    tern_put_be16(p + OFF_TYPE, eth->type);
}
