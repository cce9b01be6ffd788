/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_LINK_RECORD_H
#define TERN_LINK_RECORD_H
/*
 * Wrap a link so that the first bytes of each frame, with time, direction and cause, are handed to
 * a sink: what the pictures of a live run are drawn from.
 */
#include <tern/link.h>

#define TERN_RECORD_SNAP_BYTES 256

struct tern_record {
    tern_time at;
    bool sent;
    enum tern_cause cause;
    uint32_t frame_bytes; /* of the whole frame */
    uint32_t snap_bytes;  /* of it that are in snap */
    uint32_t gso_bytes;   /* 0: a single frame */
    uint8_t snap[TERN_RECORD_SNAP_BYTES];
};

typedef void tern_record_fn(void *user, const struct tern_record *record);

enum tern_err tern_link_record_open(struct tern_link *inner, tern_record_fn *sink, void *user,
                                    struct tern_link **out);

#endif
