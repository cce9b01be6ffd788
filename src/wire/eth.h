/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_WIRE_ETH_H
#define TERN_WIRE_ETH_H
/* Ethernet II (RFC 894), 802.1Q tags skipped on the way in. */
#include "base/bytes.h"

#define TERN_ETH_BYTES    14
#define TERN_ETH_TAGS_MAX 2 /* 802.1Q and 802.1ad */

enum {
    TERN_ETHERTYPE_IPV4 = 0x0800,
    TERN_ETHERTYPE_ARP = 0x0806,
    TERN_ETHERTYPE_IPV6 = 0x86dd,
};

struct tern_eth {
    struct tern_mac dst, src;
    uint16_t type; /* the one behind any tags */
};

/* False: too short. body: what follows the header and any tags. */
bool tern_eth_parse(tern_span in, struct tern_eth *out, tern_span *body);
/* The number in its tags that is not 0, the outer one first; 0: it has none, or tags that bear a
 * priority alone. Of what parse took. */
uint16_t tern_eth_vlan(tern_span in);
void tern_eth_emit(const struct tern_eth *eth, struct tern_writer *w);

extern const struct tern_mac tern_mac_broadcast;

#endif
