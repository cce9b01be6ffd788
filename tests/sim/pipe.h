/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_TEST_PIPE_H
#define TERN_TEST_PIPE_H
/* One direction of a long path: a bottleneck with a queue of so many bytes, then a delay. */
#include <stdbool.h>
#include <stdint.h>

#include <tern/tern.h>

#define PIPE_FRAME_BYTES 2048

struct pipe_options {
    uint64_t bytes_per_second;
    uint64_t queue_bytes;
    tern_time delay;
};

struct pipe {
    struct pipe_options o;
    tern_time busy_until; /* of the bottleneck */
    uint64_t sent, lost;  /* frames */
    uint32_t first, count, slots;
    struct pipe_slot *slot;
};

void pipe_open(struct pipe *p, const struct pipe_options *o);
void pipe_close(struct pipe *p);
void pipe_send(struct pipe *p, const struct tern_frame *f, tern_time now);
/* The frames that are there now, at most max; they stay valid until pipe_skip() of as many. */
int pipe_peek(struct pipe *p, tern_time now, struct tern_frame *out, int max);
void pipe_skip(struct pipe *p, int count);
tern_time pipe_deadline(const struct pipe *p);

#endif
