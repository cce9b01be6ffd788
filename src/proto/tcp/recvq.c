/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bytes that arrive: the seventh and eighth step of RFC 9293 §3.10.7.4.
 *
 * Text goes straight to its place in the receive queue, in order or not; what lies beyond a hole is
 * remembered as ranges (rcv.ooo), from which the SACK blocks are made (RFC 2018 §4). When a hole is
 * filled rcv.nxt jumps over them. ACKs are decided here and at no one's convenience: at once for
 * anything unusual and for every second full segment (a super-frame counting as its pieces), else
 * after TERN_TCP_DELACK.
 *
 * The window: never more than the buffer, than the link can hold for us, than the pool can give.
 * Its right edge never moves back, and forward only in steps worth a segment (RFC 9293 §3.8.6.2.2).
 */
#include "proto/tcp/internal.h"

/* Bytes may come for this connection: they were promised room. */
void tern_tcb_note_promise(struct tern_tcb *c)
{
    const bool open = c->state != TERN_TCP_CLOSED && c->state != TERN_TCP_TIME_WAIT;
    const uint64_t promised = open && !c->rcv.closed ? c->rcv.adv - c->rcv.nxt : 0;

    c->env->promised += promised - c->rcv.promised;
    c->rcv.promised = promised;
}

/* Of what is there for all: an even share, and no more than others' promises have left. */
static uint64_t share_of(const struct tern_tcb *c, uint64_t total)
{
    const uint64_t sharers = c->env->synchronised_count > 0 ? c->env->synchronised_count : 1;
    const uint64_t others = c->env->promised - c->rcv.promised;
    const uint64_t left = total > others ? total - others : 0;

    return tern_min_u64(left, total / sharers);
}

/* What the link can hold: so many frames of the mean length seen (halved, since the next ones may
 * be shorter), at least of one segment. */
static uint64_t link_share(const struct tern_tcb *c)
{
    const struct tern_tcp_env *env = c->env;
    const uint64_t frame = tern_max_u64(c->rcv.mss, c->rcv.frame_bytes / 2);

    if (env->hold_frames == 0)
        return UINT64_MAX;
    return share_of(c, tern_min_u64(env->hold_frames * frame, env->hold_bytes));
}

/* What the half of the chunks that sendq.c leaves us can take; halved again, since each window
 * begins and ends within a chunk. */
static uint64_t pool_share(const struct tern_tcb *c)
{
    const struct tern_tcp_env *env = c->env;
    const struct tern_pool *pool = &env->chunks.chunks;
    const uint64_t ours = pool->count / 2;
    const uint64_t taken = pool->used - env->send_chunks;

    return ours > taken ? share_of(c, (ours - taken) << env->chunks.chunk_shift) / 2 : 0;
}

/* However many share, each may have two segments under way, or nothing would move; but not once
 * the pool runs low, since in-order bytes that find no room are dropped and sent again. */
static uint64_t least_share(const struct tern_tcb *c)
{
    const struct tern_pool *pool = &c->env->chunks.chunks;

    return pool->count - pool->used >= pool->count / 4 ? 2 * (uint64_t)c->rcv.mss : 0;
}

uint64_t tern_tcb_window(const struct tern_tcb *c)
{
    const uint64_t buffer = c->env->receive_buffer_bytes;
    const uint64_t unread = c->rcv.nxt - c->rcv.head;
    const uint64_t room = unread < buffer ? buffer - unread : 0;
    const uint64_t share = tern_max_u64(tern_min_u64(link_share(c), pool_share(c)), least_share(c));
    const uint64_t wnd = c->rcv.closed ? 0 : tern_min_u64(room, share);
    const uint64_t promised = c->rcv.adv - c->rcv.nxt;
    const uint64_t step = tern_min_u64(buffer / 2, c->rcv.mss);

    if (wnd <= promised || wnd - promised < step)
        return promised;
    return wnd;
}

void tern_tcb_recvq_fini(struct tern_tcb *c)
{
    tern_bytequeue_clear(&c->recvq, &c->env->chunks);
    tern_tcb_ranges_give(c, &c->rcv.ooo);
    c->rcv.sack_recent_count = 0;
}

static uint64_t held_end(const struct tern_tcb *c)
{
    const struct tern_ranges *r = c->rcv.ooo;

    return r == NULL || r->count == 0 ? c->rcv.nxt : r->item[r->count - 1].end;
}

bool tern_tcb_has_hole(const struct tern_tcb *c)
{
    return c->rcv.ooo != NULL || (c->rcv.fin_at != 0 && !c->rcv.closed);
}

uint64_t tern_tcb_unread(const struct tern_tcb *c)
{
    const uint64_t end = c->rcv.closed ? c->rcv.nxt - 1 : c->rcv.nxt;

    return end - c->rcv.head;
}

void tern_tcb_skip(struct tern_tcb *c, size_t bytes, tern_time now)
{
    uint64_t before, after, from;

    if (bytes == 0)
        return;
    (void)tern_tcb_readable(c, &from);
    TERN_ASSERT(from - c->rcv.head + bytes <= tern_tcb_unread(c));
    c->rcv.head = from + bytes;
    tern_tcb_note_read(c);
    tern_bytequeue_advance(&c->recvq, &c->env->chunks, c->rcv.head,
                           tern_max_u64(held_end(c), c->rcv.head));
    if (!tern_tcb_can_receive(c))
        return;
    before = c->rcv.adv - c->rcv.nxt;
    after = tern_tcb_window(c);
    /* Tell of it only when the peer may be waiting for it: RFC 9293 §3.8.6.2.2. */
    if (after - before >= 2 * (uint64_t)c->rcv.mss && before < after / 2)
        tern_tcb_ack_now(c, TERN_CAUSE_WINDOW_UPDATE);
    else if (c->rcv.window_closed && after > before)
        tern_tcb_ack_now(c, TERN_CAUSE_WINDOW_UPDATE);
    (void)now;
}

/* The newest range first (RFC 2018 §4): remember a byte in it, forget others in the same range. */
static void note_recent(struct tern_tcb *c, uint64_t at)
{
    const struct tern_ranges *r = c->rcv.ooo;
    const struct tern_range mine = r->item[tern_ranges_seek(r, at)];
    uint8_t kept = 1;
    uint64_t list[TERN_TCP_SACK_BLOCKS_MAX] = {at};

    for (uint8_t i = 0; i < c->rcv.sack_recent_count && kept < TERN_TCP_SACK_BLOCKS_MAX; i++) {
        const uint64_t other = c->rcv.sack_recent[i];

        if (other < mine.start || other >= mine.end)
            list[kept++] = other;
    }
    memcpy(c->rcv.sack_recent, list, sizeof(list));
    c->rcv.sack_recent_count = kept;
}

/* A FIN that waits behind the last range has arrived as well: its number goes with it. */
static uint64_t sack_end(const struct tern_tcb *c, uint64_t end)
{
    return end + (c->rcv.fin_at != 0 && end == c->rcv.fin_at);
}

void tern_tcb_fill_sack(const struct tern_tcb *c, struct tern_tcp_header *h, uint32_t blocks_max)
{
    const struct tern_ranges *r = c->rcv.ooo;

    h->sack_count = 0;
    if (r == NULL || !c->opt.sack)
        return;
    for (uint8_t i = 0; i < c->rcv.sack_recent_count && h->sack_count < blocks_max; i++) {
        const uint16_t at = tern_ranges_seek(r, c->rcv.sack_recent[i]);

        if (at == r->count || r->item[at].start > c->rcv.sack_recent[i])
            continue; /* filled since */
        h->sack[h->sack_count].start = tern_tcb_wrap(r->item[at].start);
        h->sack[h->sack_count].end = tern_tcb_wrap(sack_end(c, r->item[at].end));
        h->sack_count++;
    }
}

/* Out-of-order bytes are a loan to the peer; the last of the pool is for what comes in order, or
 * queues full of tails could lock each other out. */
static bool pool_is_low(const struct tern_tcb *c)
{
    const struct tern_pool *pool = &c->env->chunks.chunks;
    const uint32_t keep = pool->count / 8 + 2 * c->env->synchronised_count;

    return pool->count - pool->used <= keep;
}

/* Beyond a hole. Returns the bytes kept. */
static size_t keep_out_of_order(struct tern_tcb *c, uint64_t at, const uint8_t *text, size_t bytes)
{
    size_t kept;

    if (pool_is_low(c))
        return 0;
    if (c->rcv.ooo == NULL)
        c->rcv.ooo = tern_tcb_ranges_take(c);
    if (c->rcv.ooo == NULL)
        return 0;
    kept = tern_bytequeue_write(&c->recvq, &c->env->chunks, at, text, bytes);
    if (kept == 0 || !tern_ranges_add(c->rcv.ooo, at, at + kept))
        kept = 0;
    if (kept > 0)
        note_recent(c, at);
    if (c->rcv.ooo->count == 0)
        tern_tcb_ranges_give(c, &c->rcv.ooo);
    return kept;
}

/* Did rcv.nxt reach what was waiting beyond a hole? */
static bool join_out_of_order(struct tern_tcb *c)
{
    struct tern_ranges *r = c->rcv.ooo;
    const uint64_t was = c->rcv.nxt;

    if (r == NULL)
        return false;
    tern_ranges_trim(r, c->rcv.nxt); /* the text may have covered some of them, and part of one */
    if (r->count > 0 && r->item[0].start == c->rcv.nxt) {
        c->rcv.nxt = r->item[0].end;
        tern_ranges_trim(r, c->rcv.nxt);
    }
    c->count.bytes_received += c->rcv.nxt - was;
    if (r->count == 0) {
        tern_tcb_ranges_give(c, &c->rcv.ooo);
        c->rcv.sack_recent_count = 0;
    }
    return true;
}

static void note_sizes(struct tern_tcb *c, const struct tern_segment *seg)
{
    const uint32_t text = (uint32_t)seg->text.bytes;
    const uint32_t piece =
        seg->piece_bytes > 0 && seg->piece_bytes < text ? seg->piece_bytes : text;
    const int64_t step = ((int64_t)text - (int64_t)c->rcv.frame_bytes) / 8;

    c->rcv.frame_bytes = (uint32_t)((int64_t)c->rcv.frame_bytes + step);
    if (c->count.data_segs_in <= 1 || piece > c->rcv.piece_bytes)
        c->rcv.piece_bytes = piece;
    if (c->rcv.piece_bytes < TERN_TCP_MSS_MIN)
        c->rcv.piece_bytes = TERN_TCP_MSS_MIN;
}

/* In-order text: when is it acknowledged? (RFC 9293 §3.8.6.3; RFC 5681 §4.2) */
static void schedule_ack(struct tern_tcb *c, size_t bytes, bool hole, tern_time now)
{
    c->ack.bytes += (uint32_t)bytes;
    if (c->ack.every > 0) {
        if (c->timer.delack == TERN_TIME_NEVER)
            c->timer.delack = now + c->ack.every;
    } else if (hole) {
        tern_tcb_ack_now(c, TERN_CAUSE_HOLE_FILLED_ACK);
    } else if (c->ack.quick > 0) {
        c->ack.quick--;
        tern_tcb_ack_now(c, TERN_CAUSE_QUICK_ACK);
    } else if (c->ack.bytes >= 2 * c->rcv.piece_bytes) {
        tern_tcb_ack_now(c, TERN_CAUSE_SECOND_SEGMENT);
    } else if (c->timer.delack == TERN_TIME_NEVER) {
        c->timer.delack = now + TERN_TCP_DELACK;
    }
}

static void take_in_order(struct tern_tcb *c, const uint8_t *text, size_t bytes, tern_time now)
{
    const size_t kept = tern_bytequeue_write(&c->recvq, &c->env->chunks, c->rcv.nxt, text, bytes);
    bool hole;

    c->rcv.nxt += kept;
    c->count.bytes_received += kept;
    hole = join_out_of_order(c);
    if (kept < bytes && !hole)
        tern_tcb_drop(c, TERN_DROP_TCP_NO_BUFFER, now);
    if (kept > 0)
        c->events |= TERN_CONN_READABLE;
    schedule_ack(c, kept, hole, now);
    if (kept < bytes)
        tern_tcb_ack_now(c, TERN_CAUSE_DUPLICATE_ACK);
}

/* Bytes for an application that has gone: they are lost, so say so (RFC 9293 §3.6.1). */
static void refuse_text(struct tern_tcb *c, tern_time now)
{
    tern_tcb_drop(c, TERN_DROP_TCP_AFTER_CLOSE, now);
    tern_tcb_abort(c, TERN_CAUSE_RST_UNREAD, now);
}

void tern_tcb_arrive_text(struct tern_tcb *c, const struct tern_segment *seg, uint64_t seq,
                          tern_time now)
{
    const uint64_t limit =
        c->rcv.fin_at != 0 ? tern_min_u64(c->rcv.adv, c->rcv.fin_at) : c->rcv.adv;
    const uint64_t start = tern_max_u64(seq, c->rcv.nxt);
    const uint64_t stop = tern_min_u64(seq + seg->text.bytes, limit);

    if (seg->text.bytes == 0 || !tern_tcb_can_receive(c))
        return;
    if (stop <= start) {
        tern_tcb_drop(
            c, seq >= c->rcv.nxt ? TERN_DROP_TCP_OUTSIDE_WINDOW : TERN_DROP_TCP_OLD_DUPLICATE, now);
        tern_tcb_ack_now(c, TERN_CAUSE_DUPLICATE_ACK);
        return;
    }
    if (c->rcv.no_reader) {
        refuse_text(c, now);
        return;
    }
    tern_tcb_ecn_text(c, seg);
    note_sizes(c, seg);
    c->last.data_received_at = now;
    if (start == c->rcv.nxt) {
        take_in_order(c, seg->text.data + (start - seq), stop - start, now);
        return;
    }
    c->count.out_of_order_in++;
    if (keep_out_of_order(c, start, seg->text.data + (start - seq), stop - start) == 0)
        tern_tcb_drop(c, TERN_DROP_TCP_NO_BUFFER, now);
    tern_tcb_ack_now(c, TERN_CAUSE_OUT_OF_ORDER_ACK);
}

/* RFC 9293 §3.10.7.4, eighth: the state after the peer's FIN. */
static void take_fin(struct tern_tcb *c, tern_time now)
{
    c->rcv.nxt++;
    c->rcv.adv = tern_max_u64(c->rcv.adv, c->rcv.nxt);
    c->rcv.closed = true;
    c->events |= TERN_CONN_PEER_FIN | TERN_CONN_READABLE;
    tern_tcb_ack_now(c, TERN_CAUSE_FIN_ACK);
    switch (c->state) {
    case TERN_TCP_ESTABLISHED:
        tern_tcb_set_state(c, TERN_TCP_CLOSE_WAIT, now);
        break;
    case TERN_TCP_FIN_WAIT_1:
        tern_tcb_set_state(c, TERN_TCP_CLOSING, now);
        break;
    case TERN_TCP_FIN_WAIT_2:
        tern_tcb_enter_time_wait(c, now);
        break;
    default:
        break;
    }
}

void tern_tcb_arrive_fin(struct tern_tcb *c, const struct tern_segment *seg, uint64_t seq,
                         tern_time now)
{
    const uint64_t fin_at = seq + seg->text.bytes;

    if (!tern_tcb_can_receive(c))
        return;
    if ((seg->h.flags & TERN_TCP_FIN) != 0 && c->rcv.fin_at == 0 && fin_at >= held_end(c) &&
        fin_at <= c->rcv.adv) {
        c->rcv.fin_at = fin_at;
        if (c->ack.every > 0 && c->timer.delack == TERN_TIME_NEVER)
            c->timer.delack = now + c->ack.every;
    }
    if ((seg->h.flags & TERN_TCP_FIN) != 0 && fin_at > c->rcv.nxt)
        tern_tcb_ack_now(c, TERN_CAUSE_OUT_OF_ORDER_ACK); /* each time that it comes */
    if (c->rcv.fin_at != 0 && c->rcv.nxt == c->rcv.fin_at)
        take_fin(c, now);
}
