/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_SIM_WIRE_H
#define TERN_SIM_WIRE_H
/* Frames as the observer reads them: Ethernet, IPv4, TCP, from the RFCs' figures alone. */
#include "observer.h"

enum {
    WIRE_FIN = 0x01,
    WIRE_SYN = 0x02,
    WIRE_RST = 0x04,
    WIRE_PSH = 0x08,
    WIRE_ACK = 0x10,
    WIRE_URG = 0x20,
    WIRE_ECE = 0x40,
    WIRE_CWR = 0x80,
};

struct wire_segment {
    uint32_t source, destination; /* addresses */
    uint32_t source_port, destination_port;
    uint32_t seq, ack, window, flags, urgent;
    uint32_t ip_bytes, ip_tos, header_bytes; /* of TCP, with its options */
    bool df;
    const uint8_t *text;
    uint32_t text_bytes;
    bool has_mss, has_scale, has_sack_ok, has_ts, has_fastopen;
    uint32_t mss, scale, ts_value, ts_echo;
    uint32_t sack_count;
    uint32_t sack[4][2];
};

enum wire_kind { WIRE_BAD, WIRE_OTHER, WIRE_TCP };

/* sums: the checksums must be right (or rightly unfinished). *why: what is bad. */
enum wire_kind wire_read(const struct observed *f, bool sums, struct wire_segment *out,
                         const char **why);

#endif
