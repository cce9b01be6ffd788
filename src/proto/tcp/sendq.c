/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bytes that the application wrote, until they are acknowledged. All send queues together may hold
 * half of the shared chunks: were they to hold them all, no ACK's text could be taken in, on either
 * side, and nothing would ever be freed.
 */
#include "proto/tcp/internal.h"

/* How many bytes the queues' half of the chunks still takes from this connection. What its last
 * chunk has room for costs nothing. */
static uint64_t room(const struct tern_tcb *c)
{
    const struct tern_tcp_env *env = c->env;
    const uint64_t chunk_bytes = UINT64_C(1) << env->chunks.chunk_shift;
    const uint32_t most = (env->chunks.chunks.count + 1) / 2;
    const uint64_t left = most > env->send_chunks ? most - env->send_chunks : 0;
    const uint64_t within = c->snd.end & (chunk_bytes - 1);
    const bool in_last = c->sendq.held > 0 && within > 0;

    if (left == 0)
        return in_last ? chunk_bytes - within : 0;
    return (left + in_last) * chunk_bytes - within;
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
    const uint32_t held = c->sendq.held;
    const size_t fits = (size_t)tern_min_u64(bytes, room(c));
    const size_t taken = tern_bytequeue_write(&c->sendq, &c->env->chunks, c->snd.end, data, fits);

    account(c, held);
    if (taken < bytes)
        c->snd.pool_wanted = true;
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
