/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ARP packets (RFC 826, "Packet format"), for the one pair of spaces that matters here: IPv4 over
 * Ethernet. The four leading fields must say so; what follows the 28 bytes is padding.
 */
#include "wire/arp.h"

#include "base/assert.h"

#define OFF_HARDWARE_SPACE 0
#define OFF_PROTOCOL_SPACE 2
#define OFF_HARDWARE_BYTES 4
#define OFF_PROTOCOL_BYTES 5
#define OFF_OP             6
#define OFF_SENDER_MAC     8
#define OFF_SENDER         14
#define OFF_TARGET_MAC     18
#define OFF_TARGET         24

#define HARDWARE_ETHERNET 1
#define PROTOCOL_IPV4     0x0800
#define MAC_BYTES         6
#define IPV4_ADDR_BYTES   4

static bool is_ipv4_over_ethernet(const uint8_t *p)
{
    return tern_get_be16(p + OFF_HARDWARE_SPACE) == HARDWARE_ETHERNET &&
           tern_get_be16(p + OFF_PROTOCOL_SPACE) == PROTOCOL_IPV4 &&
           p[OFF_HARDWARE_BYTES] == MAC_BYTES && p[OFF_PROTOCOL_BYTES] == IPV4_ADDR_BYTES;
}

bool tern_arp_parse(tern_span in, struct tern_arp *out)
{
    const uint8_t *p = in.data;

    if (in.bytes < TERN_ARP_BYTES || !is_ipv4_over_ethernet(p))
        return false;
    out->op = tern_get_be16(p + OFF_OP);
    memcpy(out->sender_mac.b, p + OFF_SENDER_MAC, MAC_BYTES);
    out->sender = tern_addr_from_be32(tern_get_be32(p + OFF_SENDER));
    memcpy(out->target_mac.b, p + OFF_TARGET_MAC, MAC_BYTES);
    out->target = tern_addr_from_be32(tern_get_be32(p + OFF_TARGET));
    return true;
}

void tern_arp_emit(const struct tern_arp *arp, struct tern_writer *w)
{
    TERN_ASSERT(tern_addr_is_v4(arp->sender));
    TERN_ASSERT(tern_addr_is_v4(arp->target));
    tern_write_be16(w, HARDWARE_ETHERNET);
    tern_write_be16(w, PROTOCOL_IPV4);
    tern_write_u8(w, MAC_BYTES);
    tern_write_u8(w, IPV4_ADDR_BYTES);
    tern_write_be16(w, arp->op);
    tern_write_bytes(w, arp->sender_mac.b, MAC_BYTES);
    tern_write_be32(w, tern_addr_to_be32(arp->sender));
    tern_write_bytes(w, arp->target_mac.b, MAC_BYTES);
    tern_write_be32(w, tern_addr_to_be32(arp->target));
}
