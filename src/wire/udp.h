/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_WIRE_UDP_H
#define TERN_WIRE_UDP_H
/* UDP (RFC 768). */
#include "base/bytes.h"

#define TERN_UDP_BYTES 8

struct tern_udp {
    uint16_t src_port, dst_port;
};

/* Parse and, unless verified says that somebody has, check the checksum (0: none sent). body: the
 * length field's bytes, padding cut off. False: short, impossible length, or wrong checksum. */
bool tern_udp_parse(tern_span in, struct tern_addr src, struct tern_addr dst, bool verified,
                    struct tern_udp *out, tern_span *body);
/* Header and body, with the whole checksum. */
void tern_udp_emit(const struct tern_udp *udp, struct tern_addr src, struct tern_addr dst,
                   tern_span body, struct tern_writer *w);

#endif
