/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_WIRE_ICMP_H
#define TERN_WIRE_ICMP_H
/* ICMP for IPv4 (RFC 792; RFC 1191 §4 for the next-hop MTU). */
#include "base/bytes.h"

#define TERN_ICMP_BYTES 8

enum tern_icmp_type {
    TERN_ICMP_ECHO_REPLY = 0,
    TERN_ICMP_UNREACHABLE = 3,
    TERN_ICMP_ECHO_REQUEST = 8,
    TERN_ICMP_TIME_EXCEEDED = 11,
    TERN_ICMP_PARAMETER_PROBLEM = 12,
};

enum tern_icmp_unreachable {
    TERN_ICMP_NET_UNREACHABLE = 0,
    TERN_ICMP_HOST_UNREACHABLE = 1,
    TERN_ICMP_PROTOCOL_UNREACHABLE = 2,
    TERN_ICMP_PORT_UNREACHABLE = 3,
    TERN_ICMP_FRAGMENTATION_NEEDED = 4,
    TERN_ICMP_ADMIN_PROHIBITED = 13,
};

enum tern_icmp_time_exceeded { TERN_ICMP_REASSEMBLY_TIMEOUT = 1 };

struct tern_icmp {
    uint8_t type, code;
    uint16_t id, sequence; /* echo and echo reply */
    uint16_t mtu;          /* unreachable, fragmentation needed */
    uint8_t pointer;       /* parameter problem */
};

/* False: short or wrong checksum (over all of `in`). body: what follows the 8 bytes: echo data, or
 * the packet at fault. Types not listed parse too, with the last four header bytes unread. */
bool tern_icmp_parse(tern_span in, struct tern_icmp *out, tern_span *body);
/* Header, body and checksum. */
void tern_icmp_emit(const struct tern_icmp *icmp, tern_span body, struct tern_writer *w);

#endif
