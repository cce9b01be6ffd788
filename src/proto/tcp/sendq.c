/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bytes that the application wrote, until they are acknowledged. All send queues together may hold
 * half of the shared chunks: were they to hold them all, no ACK's text could be taken in, on either
 * side, and nothing would ever be freed.
 */
#include "proto/tcp/internal.h"

static bool may_take_more(const struct tern_tcb *c, size_t bytes)
{
    const struct tern_tcp_env *env = c->env;
    const uint32_t wanted = (uint32_t)(bytes >> env->chunks.chunk_shift) + 1;

    return env->send_chunks + wanted <= (env->chunks.chunks.count + 1) / 2;
}

static void account(struct tern_tcb *c, uint32_t held_before)
{
    c->env->send_chunks += c->sendq.held - held_before;
}

bool tern_tcp_send_chunks_free(const struct tern_tcp_env *env)
{
    return env->send_chunks <= env->chunks.chunks.count / 8 * 3;
}

size_t tern_tcb_sendq_write(struct tern_tcb *c, const uint8_t *data, size_t bytes)
{
    const size_t chunk_bytes = (size_t)1 << c->env->chunks.chunk_shift;
    const uint32_t held = c->sendq.held;
    const size_t in_last = (size_t)(c->snd.end & (chunk_bytes - 1));
    size_t taken;

    if (!may_take_more(c, bytes)) { /* what the last chunk still has room for costs nothing */
        c->snd.pool_wanted = true;
        bytes = c->sendq.held > 0 && in_last > 0 ? tern_min_u64(bytes, chunk_bytes - in_last) : 0;
    }
    taken = tern_bytequeue_write(&c->sendq, &c->env->chunks, c->snd.end, data, bytes);
    account(c, held);
    return taken;
}

void tern_tcb_sendq_advance(struct tern_tcb *c, uint64_t head)
{
    const uint32_t held = c->sendq.held;

    tern_bytequeue_advance(&c->sendq, &c->env->chunks, head, c->snd.end);
    account(c, held);
}

void tern_tcb_sendq_clear(struct tern_tcb *c)
{
    const uint32_t held = c->sendq.held;

    tern_bytequeue_clear(&c->sendq, &c->env->chunks);
    account(c, held);
}
