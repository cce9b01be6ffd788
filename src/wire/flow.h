/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_WIRE_FLOW_H
#define TERN_WIRE_FLOW_H
/*
 * Frames of one connection look alike: all that decides where a frame goes stands in bytes that do
 * not change from one to the next. Whoever has found out once need only compare.
 */
#include "base/bytes.h"

/* MACs, type, protocol, TTL, the flags of IP, addresses and ports: as they stand in the frame. */
struct tern_flow {
    uint64_t dst_mac, src_mac_type; /* two bytes of the one stand in the other as well */
    uint64_t addresses;
    uint32_t ip, ports;
};

/* False: it is not TCP over IPv4 over Ethernet without tags, IP options or fragments. */
bool tern_flow_of(tern_span frame, struct tern_flow *out);
/* A frame of the same flow, whose IP header is sound (length and checksum)? Then its TOS, and what
 * follows the IP header, padding cut off. */
bool tern_flow_matches(const struct tern_flow *flow, tern_span frame, uint8_t *tos, tern_span *tcp);

#endif
