/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_SIM_FINISH_H
#define TERN_SIM_FINISH_H
/*
 * What devices and routers do to frames on the way: finish checksums, cut super-segments, mark with
 * CE, say that a packet is too long. With nothing of src/.
 */
#include <stdbool.h>
#include <stdint.h>

#define FINISH_TOO_LONG_BYTES 70

/* Make a TCP/IPv4 frame's lengths and checksums whole. */
void finish_tcp(uint8_t *frame, uint32_t bytes);
/* The piece of a super-segment with so much text from `at` on: FIN, PSH on the last piece only, CWR
 * on the first. */
void finish_cut(uint8_t *piece, const uint8_t *whole, uint32_t header_bytes, uint32_t at,
                uint32_t text_bytes, bool last);
/* ECT becomes CE; what is not ECT stays: false. */
bool finish_mark(uint8_t *frame, uint32_t bytes);
/* The ICMP message about a frame, ready for its sender; returns its length. */
uint32_t finish_too_long(uint8_t *out, const uint8_t *frame, uint32_t mtu_bytes);

#endif
