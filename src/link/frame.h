/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_LINK_FRAME_H
#define TERN_LINK_FRAME_H
/* What several drivers do with a frame: gather its pieces, finish its checksum, find its headers.
 */
#include <tern/link.h>

/* Copy a frame's bytes, from its start, at most bytes_max; returns how many. */
size_t tern_frame_copy(const struct tern_frame *frame, uint8_t *out, size_t bytes_max);

/*
 * Finish a checksum of which only the pseudo-header sum is filled in (TERN_CSUM_NEEDS), in the
 * frame's bytes. False, and nothing changed, where the place lies outside the frame.
 */
bool tern_frame_fill_checksum(uint8_t *data, size_t bytes, uint16_t csum_start,
                              uint16_t csum_offset);

/* Ethernet + IPv4 + TCP header bytes of a contiguous frame; 0: it is not TCP over IPv4, or cut. */
size_t tern_frame_tcp4_header_bytes(const uint8_t *data, size_t bytes);

#endif
