/* SPDX-License-Identifier: BSD-2-Clause */
/* A ring of frames in the order in which they arrive. See pipe.h. */
#include "pipe.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct pipe_slot {
    tern_time at;
    uint32_t bytes;
    uint8_t data[PIPE_FRAME_BYTES];
};

void pipe_open(struct pipe *p, const struct pipe_options *o)
{
    const double seconds = (double)o->delay / 1e9;
    const double bytes = (double)o->queue_bytes + seconds * (double)o->bytes_per_second;

    memset(p, 0, sizeof(*p));
    p->o = *o;
    p->slots = (uint32_t)(bytes / 54.0) + 1024; /* were every frame an ACK */
    p->slots = p->slots > 65536 ? 65536 : p->slots;
    p->slot = calloc(p->slots, sizeof(*p->slot));
    assert(p->slot != NULL);
}

void pipe_close(struct pipe *p)
{
    free(p->slot);
}

void pipe_send(struct pipe *p, const struct tern_frame *f, tern_time now)
{
    struct pipe_slot *s = &p->slot[(p->first + p->count) % p->slots];
    const tern_time start = p->busy_until > now ? p->busy_until : now;
    const double waiting = (double)(start - now) * (double)p->o.bytes_per_second / 1e9;

    assert(f->gso == TERN_GSO_NONE && f->bytes <= sizeof(s->data));
    p->sent++;
    if (waiting + f->bytes > (double)p->o.queue_bytes || p->count == p->slots) {
        p->lost++;
        return;
    }
    p->busy_until =
        start + (tern_time)((uint64_t)f->bytes * UINT64_C(1000000000) / p->o.bytes_per_second);
    s->at = p->busy_until + p->o.delay;
    s->bytes = 0;
    for (uint32_t i = 0; i < f->piece_count; i++) {
        memcpy(s->data + s->bytes, f->piece[i].data, f->piece[i].bytes);
        s->bytes += (uint32_t)f->piece[i].bytes;
    }
    p->count++;
}

int pipe_peek(struct pipe *p, tern_time now, struct tern_frame *out, int max)
{
    int n = 0;

    for (; n < max && n < (int)p->count; n++) {
        struct pipe_slot *s = &p->slot[(p->first + (uint32_t)n) % p->slots];

        if (s->at > now)
            break;
        memset(&out[n], 0, sizeof(out[n]));
        out[n].piece[0] = (struct tern_slice){s->data, s->bytes};
        out[n].piece_count = 1;
        out[n].bytes = s->bytes;
        out[n].csum = TERN_CSUM_VALID;
    }
    return n;
}

void pipe_skip(struct pipe *p, int count)
{
    assert(count <= (int)p->count);
    p->first = (p->first + (uint32_t)count) % p->slots;
    p->count -= (uint32_t)count;
}

tern_time pipe_deadline(const struct pipe *p)
{
    return p->count == 0 ? TERN_TIME_NEVER : p->slot[p->first].at;
}
