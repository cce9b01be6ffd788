/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bytes that the application wrote, until they are acknowledged; those that it lent are lent.c's.
 * All send queues together may hold half of the shared chunks: were they to hold them all, no ACK's
 * text could be taken in, on either side, and nothing would ever be freed.
 *
 * A connection's own limit follows its congestion window, twice of which keeps the network busy
 * while the application fills up what was acknowledged. It never shrinks. The application hears
 * that it may write again when a third of the limit is free, not at each byte.
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
    const bool in_last = within > 0 && tern_bytequeue_holds(&c->sendq, &env->chunks, c->snd.end);

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
    size_t fits, taken;

    if (bytes == 0) /* loans may reach further than a queue */
        return 0;
    fits = (size_t)tern_min_u64(bytes, room(c));
    taken = tern_bytequeue_write(&c->sendq, &c->env->chunks, c->snd.end, data, fits);
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
    tern_tcb_lent_advance(c, head);
}

void tern_tcb_sendq_clear(struct tern_tcb *c)
{
    const uint32_t held = c->sendq.held;

    tern_bytequeue_clear(&c->sendq, &c->env->chunks);
    account(c, held);
    tern_tcb_lent_clear(c);
}

static uint64_t send_limit(const struct tern_tcb *c)
{
    const uint64_t limit = c->set.send_buffer_bytes > 0 ? c->set.send_buffer_bytes : c->snd.buffer;

    return tern_min_u64(limit, c->env->send_buffer_bytes);
}

static uint64_t unsent_bytes(const struct tern_tcb *c)
{
    return c->snd.end > c->snd.nxt ? c->snd.end - c->snd.nxt : 0;
}

/* One super-segment, but half of what the peer ever took at most. */
static uint64_t super_bytes(const struct tern_tcb *c)
{
    const uint64_t segment = tern_tcb_segment_bytes(c);
    const uint64_t most =
        tern_min_u64(c->env->tso ? c->env->super_bytes_max : segment, c->snd.wnd_max / 2);

    return most > segment ? most - most % segment : segment;
}

/* What may still be written under a mark of unsent bytes: what leaves at once is not unsent, and
 * a mark below a super-segment does not forbid to fill one. */
static uint64_t unsent_room(const struct tern_tcb *c)
{
    const uint64_t mark = c->set.notsent_lowat_bytes;
    const uint64_t most = tern_tcb_goes_now(c) + tern_max_u64(mark, super_bytes(c));
    const uint64_t unsent = unsent_bytes(c);

    if (mark == 0)
        return UINT64_MAX;
    return unsent < most ? most - unsent : 0;
}

/* What a write takes. */
static size_t write_room(const struct tern_tcb *c)
{
    const uint64_t used = c->snd.end - tern_max_u64(c->snd.una, c->snd.iss + 1);
    const uint64_t limit = send_limit(c);

    if (c->snd.fin_queued || c->state == TERN_TCP_CLOSED || c->state == TERN_TCP_TIME_WAIT)
        return 0;
    return used < limit ? (size_t)tern_min_u64(limit - used, unsent_room(c)) : 0;
}

size_t tern_tcb_write_space(const struct tern_tcb *c)
{
    const uint64_t mark = c->set.notsent_lowat_bytes;

    return mark > 0 && unsent_bytes(c) >= mark ? 0 : write_room(c);
}

void tern_tcb_note_written(struct tern_tcb *c, size_t bytes)
{
    c->snd.end += bytes;
    c->marks.held = false;
    if (bytes > 0)
        tern_tcb_fastopen_go(c);
    c->events &= ~(uint32_t)TERN_CONN_SENT_ALL;
}

size_t tern_tcb_write(struct tern_tcb *c, const uint8_t *data, size_t bytes)
{
    const size_t space = write_room(c);
    const size_t taken = tern_tcb_sendq_write(c, data, bytes < space ? bytes : space);

    tern_tcb_note_written(c, taken);
    if (taken < bytes)
        c->snd.writable_wanted = true;
    return taken;
}

void tern_tcb_note_writable(struct tern_tcb *c)
{
    uint64_t enough;

    c->snd.buffer =
        tern_max_u64(c->snd.buffer, tern_min_u64(2 * c->cc.cwnd, c->env->send_buffer_bytes));
    if (!c->snd.writable_wanted)
        return;
    enough = send_limit(c) / 3;
    if (c->set.notsent_lowat_bytes > 0) {
        if (unsent_bytes(c) > c->set.notsent_lowat_bytes / 2)
            return;
        enough = tern_min_u64(enough, (c->set.notsent_lowat_bytes + 1) / 2);
    }
    if (tern_tcb_write_space(c) < enough)
        return;
    c->snd.writable_wanted = false;
    c->events |= TERN_CONN_WRITABLE;
}
