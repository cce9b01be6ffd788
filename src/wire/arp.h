/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_WIRE_ARP_H
#define TERN_WIRE_ARP_H
/* ARP for IPv4 over Ethernet (RFC 826). */
#include "base/bytes.h"

#define TERN_ARP_BYTES 28

enum tern_arp_op { TERN_ARP_REQUEST = 1, TERN_ARP_REPLY = 2 };

struct tern_arp {
    uint16_t op; /* others than the two are parsed, for the caller to ignore */
    struct tern_mac sender_mac;
    struct tern_addr sender;
    struct tern_mac target_mac;
    struct tern_addr target;
};

/* False: short, or not IPv4 over Ethernet. */
bool tern_arp_parse(tern_span in, struct tern_arp *out);
void tern_arp_emit(const struct tern_arp *arp, struct tern_writer *w);

#endif
