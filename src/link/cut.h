/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_LINK_CUT_H
#define TERN_LINK_CUT_H
/*
 * Cut a super-segment into the frames that a device would send: for links that have to treat
 * each frame by itself.
 */
#include <tern/link.h>

struct tern_cut {
    const uint8_t *data; /* the super-segment in one piece */
    size_t bytes;
    size_t header_bytes;
    size_t step_bytes; /* payload of each frame but the last */
    size_t done_bytes; /* payload cut so far */
    uint16_t count;    /* frames cut so far */
};

/* False: not a super-segment of TCP over IPv4. data stays the caller's and is not changed. */
bool tern_cut_init(struct tern_cut *cut, const uint8_t *data, size_t bytes, size_t step_bytes);
/* The next frame, its checksums complete; returns its bytes, 0 after the last. Its length is at
 * most header_bytes + step_bytes. */
size_t tern_cut_next(struct tern_cut *cut, uint8_t *out);

#endif
