/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The four workloads as the client sees them. All of a stream's bytes are moved when its line says
 * that they can be: read until there is no more, write until there is no room.
 *
 *   recv  asks for bytes and counts them until the time is over, or the peer's FIN
 *   send  writes until the time is over, says FIN, and waits for the peer's count
 *   rr    writes a message when the answer to the last one is whole
 *   conn  a byte there and one back; once the peer's FIN is here the connection is closed and
 *         counted, and the next one begins
 */
#include "apps/bench_parts.h"
#include "base/assert.h"
#include "os/clock.h"

static enum tern_err say_head(struct tern_bench_state *b, struct tern_bench_stream *s, char kind,
                              uint64_t limit)
{
    uint8_t head[TERN_BENCH_HEAD_BYTES] = {(uint8_t)kind};

    tern_put_be32(head + TERN_BENCH_HEAD_SIZE, b->plan->message_bytes);
    tern_bench_put64(head + TERN_BENCH_HEAD_LIMIT, limit);
    return tern_bench_say(b->wire, s->line, head, sizeof head);
}

/* One peek and skip: bytes, 0 at the end, or an error. */
static ptrdiff_t take(struct tern_bench_state *b, struct tern_bench_stream *s)
{
    struct tern_slice slice;
    ptrdiff_t got = b->wire->ops->peek(s->line, &slice);

    if (got > 0)
        b->wire->ops->skip(s->line, slice.bytes);
    return got;
}

static enum tern_err end_now(struct tern_bench_state *b, struct tern_bench_stream *s)
{
    tern_bench_stream_close(b, s, true);
    return TERN_ERR_OK;
}

static enum tern_err nothing(struct tern_bench_state *b, struct tern_bench_stream *s)
{
    (void)b;
    (void)s;
    return TERN_ERR_OK;
}

/* ---- recv ---- */

static enum tern_err recv_begin(struct tern_bench_state *b, struct tern_bench_stream *s)
{
    return say_head(b, s, TERN_BENCH_KIND_SOURCE, s->quota);
}

static enum tern_err recv_readable(struct tern_bench_state *b, struct tern_bench_stream *s)
{
    ptrdiff_t got;

    while ((got = take(b, s)) > 0) {
        s->moved += (uint64_t)got;
        b->result->bytes += (uint64_t)got;
    }
    if (got == TERN_ERR_AGAIN)
        return TERN_ERR_OK;
    if (got < 0)
        return (enum tern_err)got;
    if (b->plan->limit == 0 || s->moved != s->quota)
        return TERN_ERR_CLOSED; /* the peer left */
    tern_bench_stream_close(b, s, false);
    return TERN_ERR_OK;
}

/* ---- send ---- */

static enum tern_err send_end(struct tern_bench_state *b, struct tern_bench_stream *s)
{
    if (!s->ending)
        b->wire->ops->shutdown(s->line);
    s->ending = true;
    return TERN_ERR_OK;
}

static enum tern_err send_writable(struct tern_bench_state *b, struct tern_bench_stream *s)
{
    while (!s->ending) {
        uint64_t left = b->plan->limit == 0 ? UINT64_MAX : s->quota - s->moved;
        size_t len = left < b->plan->message_bytes ? (size_t)left : b->plan->message_bytes;
        ptrdiff_t sent;

        if (len == 0)
            return send_end(b, s);
        sent = b->wire->ops->write(s->line, b->message, len);
        if (sent == TERN_ERR_AGAIN)
            return TERN_ERR_OK;
        if (sent < 0)
            return (enum tern_err)sent;
        s->moved += (uint64_t)sent;
    }
    return TERN_ERR_OK;
}

static enum tern_err send_begin(struct tern_bench_state *b, struct tern_bench_stream *s)
{
    enum tern_err err = say_head(b, s, TERN_BENCH_KIND_SINK, 0);

    return err != TERN_ERR_OK ? err : send_writable(b, s);
}

/* The reply is whole, and the peer's FIN is here. */
static enum tern_err send_replied(struct tern_bench_state *b, struct tern_bench_stream *s)
{
    uint64_t arrived = tern_bench_get64(s->reply);

    if (s->reply_bytes < TERN_BENCH_REPLY_BYTES || !s->ending || arrived != s->moved)
        return TERN_ERR_CLOSED; /* it left early, or is no peer of ours */
    b->result->bytes += arrived;
    tern_bench_stream_close(b, s, false);
    return TERN_ERR_OK;
}

static enum tern_err send_readable(struct tern_bench_state *b, struct tern_bench_stream *s)
{
    struct tern_slice slice;
    ptrdiff_t got;

    while ((got = b->wire->ops->peek(s->line, &slice)) > 0) {
        for (size_t i = 0; i < slice.bytes && s->reply_bytes < TERN_BENCH_REPLY_BYTES; i++)
            s->reply[s->reply_bytes++] = slice.data[i];
        b->wire->ops->skip(s->line, slice.bytes);
    }
    if (got == TERN_ERR_AGAIN)
        return TERN_ERR_OK;
    return got < 0 ? (enum tern_err)got : send_replied(b, s);
}

/* ---- rr ---- */

static enum tern_err rr_writable(struct tern_bench_state *b, struct tern_bench_stream *s)
{
    while (s->owed > 0) {
        ptrdiff_t sent = b->wire->ops->write(s->line, b->message, s->owed);

        if (sent == TERN_ERR_AGAIN)
            return TERN_ERR_OK;
        if (sent < 0)
            return (enum tern_err)sent;
        s->owed -= (uint32_t)sent;
    }
    return TERN_ERR_OK;
}

static enum tern_err rr_ask(struct tern_bench_state *b, struct tern_bench_stream *s)
{
    s->owed = s->awaited = b->plan->message_bytes;
    s->began = tern_clock_now();
    return rr_writable(b, s);
}

static enum tern_err rr_begin(struct tern_bench_state *b, struct tern_bench_stream *s)
{
    enum tern_err err;

    b->wire->ops->nodelay(s->line);
    err = say_head(b, s, TERN_BENCH_KIND_ECHO, 0);
    return err != TERN_ERR_OK ? err : rr_ask(b, s);
}

/* An answer is whole: note its time, and ask again. */
static enum tern_err rr_answered(struct tern_bench_state *b, struct tern_bench_stream *s)
{
    tern_bench_hist_add(&b->result->latency, tern_clock_now() - s->began);
    b->result->count++;
    b->result->bytes += 2 * (uint64_t)b->plan->message_bytes;
    s->moved++;
    if (b->plan->limit == 0 || s->moved < s->quota)
        return rr_ask(b, s);
    return end_now(b, s);
}

static enum tern_err rr_readable(struct tern_bench_state *b, struct tern_bench_stream *s)
{
    ptrdiff_t got = 1;

    while (s->awaited > 0 && (got = take(b, s)) > 0) {
        if ((uint64_t)got > s->awaited)
            return TERN_ERR_INVAL; /* more than was asked for */
        s->awaited -= (uint32_t)got;
    }
    if (got == 0)
        return TERN_ERR_CLOSED;
    if (got < 0)
        return got == TERN_ERR_AGAIN ? TERN_ERR_OK : (enum tern_err)got;
    return rr_answered(b, s);
}

/* ---- conn ---- */

static enum tern_err conn_begin(struct tern_bench_state *b, struct tern_bench_stream *s)
{
    static const uint8_t kind = TERN_BENCH_KIND_CONN;

    s->awaited = 1;
    return tern_bench_say(b->wire, s->line, &kind, 1);
}

static enum tern_err conn_again(struct tern_bench_state *b, struct tern_bench_stream *s)
{
    s->open = false;
    s->began = tern_clock_now();
    b->living++;
    return b->wire->ops->connect(b->wire, &b->plan->peer, s, &s->line);
}

static enum tern_err conn_readable(struct tern_bench_state *b, struct tern_bench_stream *s)
{
    ptrdiff_t got;

    while ((got = take(b, s)) > 0) {
        if ((uint64_t)got > s->awaited)
            return TERN_ERR_INVAL;
        s->awaited -= (uint32_t)got;
    }
    if (got < 0)
        return got == TERN_ERR_AGAIN ? TERN_ERR_OK : (enum tern_err)got;
    if (s->awaited > 0)
        return TERN_ERR_CLOSED;
    tern_bench_stream_close(b, s, false);
    tern_bench_hist_add(&b->result->latency, tern_clock_now() - s->began);
    b->result->count++;
    b->result->bytes += 2;
    s->moved++;
    if (b->timed_out || (b->plan->limit != 0 && s->moved >= s->quota))
        return TERN_ERR_OK;
    return conn_again(b, s);
}

const struct tern_bench_workload tern_bench_workloads[TERN_BENCH_WORK_COUNT] = {
    [TERN_BENCH_RECV] = {recv_begin, recv_readable, nothing, end_now},
    [TERN_BENCH_SEND] = {send_begin, send_readable, send_writable, send_end},
    [TERN_BENCH_RR] = {rr_begin, rr_readable, rr_writable, end_now},
    [TERN_BENCH_CONN] = {conn_begin, conn_readable, nothing, end_now},
};
