/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_LINK_SLIRP_QUEUE_H
#define TERN_LINK_SLIRP_QUEUE_H
/*
 * A queue of frames of any length in one stretch of memory, first in, first out: what libslirp
 * sends waits here until the stack fetches it.
 */
#include <tern/link.h>

#define TERN_SLIRP_QUEUE_FRAMES 8192u
#define TERN_SLIRP_QUEUE_BYTES  (16u << 20)

struct tern_slirp_queue {
    uint8_t *bytes; /* TERN_SLIRP_QUEUE_BYTES, mapped and touched lazily */
    struct {
        uint32_t at, bytes;
    } frame[TERN_SLIRP_QUEUE_FRAMES];
    uint32_t first, count; /* frames */
    uint32_t tail;         /* where the next one goes */
    uint32_t used_bytes;
};

bool tern_slirp_queue_init(struct tern_slirp_queue *q);
void tern_slirp_queue_fini(struct tern_slirp_queue *q);
/* Copy a frame in. False: no room. */
bool tern_slirp_queue_put(struct tern_slirp_queue *q, const void *data, size_t bytes);
/* The n-th oldest, n < count. */
struct tern_slice tern_slirp_queue_peek(const struct tern_slirp_queue *q, uint32_t n);
/* Forget the oldest n. */
void tern_slirp_queue_skip(struct tern_slirp_queue *q, uint32_t n);

#endif
