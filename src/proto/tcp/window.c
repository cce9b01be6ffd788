/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The window that we advertise: never more than the buffer, than the link can hold for us, than the
 * pool can give. Its right edge never moves back, and forward only in steps worth a segment
 * (RFC 9293 §3.8.6.2.2).
 *
 * The buffer's limit begins modest and follows the reader: in each round trip it is made room
 * enough for twice what the application took in the last one, and more while that grows, so that
 * the window stays ahead of a sender in slow start. A reader that is slow keeps the limit as it is,
 * and so the memory that its peer can fill. It never shrinks, and grows to no more than the path
 * can need. The round trip is the receiver's: from the echoed timestamps of full segments, or how
 * long a window's worth of bytes takes; before either, the handshake's.
 */
#include "proto/tcp/internal.h"

/* What the link holds of this connection's bytes, were it the only one: so many frames of the mean
 * length seen (halved, since the next ones may be shorter), at least of one segment. */
static uint64_t link_holds(const struct tern_tcb *c)
{
    const struct tern_tcp_env *env = c->env;
    const uint64_t frame = tern_max_u64(c->rcv.mss, c->rcv.frame_bytes / 2);

    if (env->hold_long_frames > 0 && frame > env->long_bytes)
        return env->hold_long_frames * frame;
    return tern_min_u64(env->hold_frames * frame, env->hold_bytes);
}

/* What so many bytes take of what the link holds. Connections whose frames differ in length cannot
 * be added up in bytes: what is little of one's is more than all of another's. */
static uint64_t load_of(const struct tern_tcb *c, uint64_t bytes)
{
    const uint64_t all = c->env->hold_frames == 0 ? 0 : link_holds(c);

    return all == 0 ? 0 : (bytes * TERN_TCP_LOAD_ALL + all - 1) / all;
}

/* For a half-open connection nothing is set aside: whoever forges SYNs would take it from those
 * that are established. */
static bool is_promised_room(const struct tern_tcb *c)
{
    return c->state != TERN_TCP_CLOSED && c->state != TERN_TCP_SYN_RECEIVED &&
           c->state != TERN_TCP_TIME_WAIT && !c->rcv.closed;
}

/* Bytes may come for this connection: they were promised room. */
void tern_tcb_note_promise(struct tern_tcb *c)
{
    const uint64_t promised = is_promised_room(c) ? c->rcv.adv - c->rcv.nxt : 0;

    if (promised > c->rcv.promised || promised < c->rcv.loaded / 2 ||
        (promised == 0 && c->rcv.load > 0)) {
        const uint64_t load = load_of(c, promised); /* a division: not for each segment */

        c->env->load += load - c->rcv.load;
        c->rcv.load = load;
        c->rcv.loaded = promised;
    }
    c->env->promised += promised - c->rcv.promised;
    c->rcv.promised = promised;
}

/* Of what is there for all: an even share, and no more than others' promises have left. */
static uint64_t share_of(const struct tern_tcb *c, uint64_t total, uint64_t others)
{
    const uint64_t sharers = c->env->synchronised_count;
    const uint64_t left = total > others ? total - others : 0;

    return sharers > 1 ? tern_min_u64(left, total / sharers) : left;
}

static uint64_t link_share(const struct tern_tcb *c)
{
    const struct tern_tcp_env *env = c->env;
    const uint64_t others = tern_min_u64(env->load - c->rcv.load, TERN_TCP_LOAD_ALL);
    uint64_t all;

    if (env->hold_frames == 0)
        return UINT64_MAX;
    all = link_holds(c);
    return share_of(c, all, all * others / TERN_TCP_LOAD_ALL);
}

/* What the half of the chunks that sendq.c leaves us can take; halved again, since each window
 * begins and ends within a chunk. */
static uint64_t pool_share(const struct tern_tcb *c)
{
    const struct tern_tcp_env *env = c->env;
    const struct tern_pool *pool = &env->chunks.chunks;
    const uint64_t ours = pool->count / 2;
    const uint64_t taken = pool->used - env->send_chunks;

    const uint64_t others = env->promised - c->rcv.promised;

    return ours > taken ? share_of(c, (ours - taken) << env->chunks.chunk_shift, others) / 2 : 0;
}

/* However many share, each may have two segments under way, or nothing would move; but not once
 * the pool runs low, since in-order bytes that find no room are dropped and sent again. */
static uint64_t least_share(const struct tern_tcb *c)
{
    const struct tern_pool *pool = &c->env->chunks.chunks;

    return pool->count - pool->used >= pool->count / 4 ? 2 * (uint64_t)c->rcv.mss : 0;
}

/* Most bytes that may wait for the reader, or beyond holes. */
uint64_t tern_tcb_receive_limit(const struct tern_tcb *c)
{
    const uint64_t tuned = tern_max_u64(c->rcv.buffer, 2 * (uint64_t)c->set.readable_bytes);
    const uint64_t limit = c->set.receive_buffer_bytes > 0 ? c->set.receive_buffer_bytes : tuned;

    return tern_min_u64(limit, c->env->receive_buffer_bytes);
}

/* Most bytes that are kept for the reader. Where the window is tuned that is twice as much, or a
 * reader that merely has not had its turn would close it. */
uint64_t tern_tcb_receive_room(const struct tern_tcb *c)
{
    const uint64_t limit = tern_tcb_receive_limit(c);

    return c->set.receive_buffer_bytes > 0 ? limit
                                           : tern_min_u64(2 * limit, c->env->receive_buffer_bytes);
}

static uint64_t window_clamp(const struct tern_tcb *c)
{
    return c->set.window_clamp_bytes > 0 ? c->set.window_clamp_bytes : UINT64_MAX;
}

/* The shift for the largest window that this connection may ever advertise (RFC 7323 §2.3). */
uint8_t tern_tcb_wscale(const struct tern_tcb *c)
{
    const uint64_t most = tern_min_u64(c->env->receive_buffer_bytes, window_clamp(c));
    uint8_t shift = 0;

    while (shift < TERN_TCP_WSCALE_MAX && (most >> shift) > UINT16_MAX)
        shift++;
    return shift;
}

uint64_t tern_tcb_syn_promise_max(const struct tern_tcb *c)
{
    return tern_min_u64(tern_min_u64(tern_tcb_receive_limit(c), window_clamp(c)), UINT16_MAX);
}

uint64_t tern_tcb_window_field_max(const struct tern_tcb *c)
{
    return (uint64_t)UINT16_MAX << c->rcv.wscale;
}

uint64_t tern_tcb_window(const struct tern_tcb *c)
{
    const uint64_t limit = tern_tcb_receive_limit(c);
    const uint64_t clamp = window_clamp(c);
    const uint64_t unread = c->rcv.nxt - c->rcv.head;
    const uint64_t most = tern_tcb_receive_room(c);
    const uint64_t room =
        unread < most ? tern_min_u64(tern_min_u64(limit, most - unread), clamp) : 0;
    const uint64_t share = tern_max_u64(tern_min_u64(link_share(c), pool_share(c)), least_share(c));
    const uint64_t wnd = c->rcv.closed ? 0 : tern_min_u64(room, share);
    const uint64_t promised = c->rcv.adv - c->rcv.nxt;
    const uint64_t step = tern_min_u64(tern_min_u64(limit, clamp) / 2, c->rcv.mss);

    if (wnd <= promised || wnd - promised < step)
        return promised;
    return wnd;
}

/* More than one processor takes in the path's shortest round trip, and beside it what comes while
 * the reader waits for it. A longer buffer gains nothing: what is queued in it makes round trips
 * seem longer, by which it would grow further, and out of the processor's cache. */
static uint64_t path_needs(const struct tern_tcb *c)
{
    const tern_time least = c->rcv.rtt_least > 0 ? c->rcv.rtt_least : c->rtt.srtt;

    return TERN_TCP_TUNE_SLACK + TERN_TCP_TUNE_RATE * (uint64_t)least;
}

/* A sample of the receiver's round trip. From a window's worth it is too long as a rule, so only a
 * shorter one counts. */
static void round_trip(struct tern_tcb *c, tern_time sample, bool by_window)
{
    const tern_time known = c->rcv.rtt > 0 ? c->rcv.rtt : c->rtt.srtt;

    if (!by_window && c->rcv.rtt > 0)
        c->rcv.rtt += (sample - c->rcv.rtt) / 8;
    else if (!by_window || known == 0 || sample < known)
        c->rcv.rtt = sample;
    if (c->rcv.rtt_least == 0 || sample < c->rcv.rtt_least)
        c->rcv.rtt_least = sample;
}

/* Timestamps are too coarse for a path this short; the handshake was timed by the clock. */
static tern_time within_a_tick(const struct tern_tcb *c)
{
    return c->rtt.srtt > 0 && c->rtt.srtt < TERN_MS ? c->rtt.srtt : TERN_MS;
}

void tern_tcb_tune_on_text(struct tern_tcb *c, const struct tern_segment *seg, tern_time now)
{
    if (c->opt.timestamps && seg->h.has_timestamps) {
        const uint32_t ticks = tern_tcb_ts_now(c, now) - seg->h.ts_echo;

        if (seg->text.bytes < c->rcv.piece_bytes || seg->h.ts_echo == c->rcv.rtt_echo ||
            seg->h.ts_echo == 0 || ticks >= 1u << 16)
            return; /* a short one may have waited for its application */
        c->rcv.rtt_echo = seg->h.ts_echo;
        round_trip(c, ticks > 1 ? ticks * TERN_MS : within_a_tick(c), false);
        return;
    }
    if (c->rcv.nxt < c->rcv.rtt_end)
        return;
    if (c->rcv.rtt_end > 0)
        round_trip(c, now > c->rcv.rtt_at ? now - c->rcv.rtt_at : 1, true);
    c->rcv.rtt_end = c->rcv.adv;
    c->rcv.rtt_at = now;
}

/* The application took so many bytes in a round trip, more than ever before. */
static void grow(struct tern_tcb *c, uint64_t taken)
{
    const uint64_t before = c->rcv.tuned_bytes;
    uint64_t want = 2 * taken + TERN_TCP_TUNE_MARGIN * (uint64_t)c->rcv.mss;

    want += tern_min_u64(2 * want / before * (taken - before), 4 * want);
    want = tern_min_u64(want, path_needs(c));
    c->rcv.buffer = tern_min_u64(tern_max_u64(c->rcv.buffer, want), c->env->receive_buffer_bytes);
    c->rcv.tuned_bytes = taken;
}

void tern_tcb_tune_on_read(struct tern_tcb *c, tern_time now)
{
    const tern_time rtt = c->rcv.rtt > 0 ? c->rcv.rtt : c->rtt.srtt;
    const uint64_t taken = c->rcv.head - c->rcv.tuned_head;

    /* in the midst of reading there is more to count */
    if (rtt == 0 || now - c->rcv.tuned_at < (tern_tcb_unread(c) > 0 ? 2 * rtt : rtt))
        return;
    if (taken > c->rcv.tuned_bytes)
        grow(c, taken);
    c->rcv.tuned_at = now;
    c->rcv.tuned_head = c->rcv.head;
}

/* The first byte of the peer's is known: from here on. */
void tern_tcb_tune_start(struct tern_tcb *c, tern_time now)
{
    c->rcv.tuned_head = c->rcv.head;
    c->rcv.tuned_at = now;
    c->rcv.tuned_bytes = TERN_TCP_TUNE_START * (uint64_t)c->rcv.mss;
}
