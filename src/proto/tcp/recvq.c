/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bytes that arrive: the seventh and eighth step of RFC 9293 §3.10.7.4.
 *
 * Text goes straight to its place in the receive queue, in order or not; what lies beyond a hole is
 * remembered as ranges (rcv.ooo), from which sack.c makes its blocks. When a hole is filled rcv.nxt
 * jumps over them. ACKs are decided here and at no one's convenience: at once for anything unusual
 * and for every second full segment (a super-frame counting as its pieces), else after
 * TERN_TCP_DELACK. How much may come is window.c's concern.
 */
#include "proto/tcp/internal.h"

#define HOLE_SPAN (UINT64_C(1) << 28) /* with a window of 2^30 not half of the numbers */

void tern_tcb_recvq_fini(struct tern_tcb *c)
{
    tern_tcb_borrow_fini(c);
    tern_bytequeue_clear(&c->recvq, &c->env->chunks);
    tern_tcb_ranges_give(c, &c->rcv.ooo);
    c->rcv.sack_recent_count = 0;
    c->rcv.twice_end = 0;
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

bool tern_tcb_is_next(const struct tern_tcb *c, const struct tern_segment *seg)
{
    return seg->text.bytes > 0 && tern_tcb_unwrap(c->rcv.nxt, seg->h.seq) == c->rcv.nxt;
}

uint64_t tern_tcb_unread(const struct tern_tcb *c)
{
    const uint64_t end = c->rcv.closed ? c->rcv.nxt - 1 : c->rcv.nxt;

    return end - c->rcv.head;
}

void tern_tcb_skip(struct tern_tcb *c, size_t bytes, tern_time now)
{
    uint64_t before, after, from;

    (void)tern_tcb_readable(c, &from);
    if (bytes == 0 && from == c->rcv.head)
        return;
    TERN_ASSERT(bytes <= tern_tcb_unread(c));
    if (from - c->rcv.head + bytes > tern_tcb_unread(c))
        from = c->rcv.head; /* urgent_inline was changed since the caller looked */
    c->rcv.head = from + bytes;
    tern_tcb_note_read(c);
    tern_tcb_borrow_read(c);
    tern_bytequeue_advance(&c->recvq, &c->env->chunks, c->rcv.head,
                           tern_max_u64(held_end(c), c->rcv.head));
    tern_tcb_tune_on_read(c, now);
    if (!tern_tcb_can_receive(c))
        return;
    before = c->rcv.adv - c->rcv.nxt;
    after = tern_min_u64(tern_tcb_window(c), tern_tcb_window_field_max(c));
    /* Tell of it only when the peer may be waiting for it (RFC 9293 §3.8.6.2.2), and of what it can
     * be told. */
    if (after >= before + 2 * (uint64_t)c->rcv.mss && before < after / 2)
        tern_tcb_ack_now(c, TERN_CAUSE_WINDOW_UPDATE);
    else if (before < c->rcv.mss && after > before) /* no full segment fits, told or not */
        tern_tcb_ack_now(c, TERN_CAUSE_WINDOW_UPDATE);
}

void tern_tcb_note_readable(struct tern_tcb *c)
{
    const uint64_t unread = tern_tcb_unread(c);
    const uint64_t wanted = tern_max_u64(c->set.readable_bytes, 1);

    if (unread >= wanted || (unread > 0 && c->rcv.window_closed))
        c->events |= TERN_CONN_READABLE;
}

/* Out-of-order bytes are a loan to the peer; the last of the pool is for what comes in order, or
 * queues full of tails could lock each other out. */
static bool pool_is_low(const struct tern_tcb *c)
{
    const struct tern_pool *pool = &c->env->chunks.chunks;
    const uint32_t keep = pool->count / 8 + 2 * c->env->synchronised_count;

    return pool->count - pool->used <= keep;
}

/* What was sent since then cannot be of an earlier round of the sequence numbers, as long as that
 * is not much of a round ago. */
static void note_hole(struct tern_tcb *c)
{
    if (c->rcv.ooo != NULL && c->rcv.nxt - c->opt.hole_at < HOLE_SPAN)
        return;
    c->opt.hole_at = c->rcv.nxt;
    c->opt.hole_ts = c->opt.ts_recent;
}

/* Beyond a hole. Returns the bytes kept. */
static size_t keep_out_of_order(struct tern_tcb *c, uint64_t at, const uint8_t *text, size_t bytes)
{
    size_t kept;

    if (pool_is_low(c))
        return 0;
    note_hole(c);
    if (c->rcv.ooo == NULL)
        c->rcv.ooo = tern_tcb_ranges_take(c);
    if (c->rcv.ooo == NULL)
        return 0;
    kept = tern_bytequeue_write(&c->recvq, &c->env->chunks, at, text, bytes);
    if (kept == 0 || !tern_ranges_add(c->rcv.ooo, at, at + kept))
        kept = 0;
    if (kept > 0)
        tern_tcb_sack_note(c, at);
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

/* The start of a flow, and of a new one after a pause: its sender counts ACKs to open its window.
 * Where our answers follow at once they carry the ACKs. */
static bool is_quick(struct tern_tcb *c)
{
    if (c->set.quickack)
        return true;
    if (c->ack.quick == 0 || c->ack.interactive)
        return false;
    c->ack.quick--;
    return true;
}

/* We send text: does it answer what has just come? */
void tern_tcb_note_answer(struct tern_tcb *c, tern_time now)
{
    if (c->last.data_received_at != TERN_TIME_NEVER &&
        now - c->last.data_received_at < TERN_TCP_DELACK)
        c->ack.interactive = true;
}

static void note_pause(struct tern_tcb *c, tern_time now)
{
    if (c->last.data_received_at != TERN_TIME_NEVER &&
        now - c->last.data_received_at > c->rtt.rto) {
        c->ack.quick = TERN_TCP_QUICK_ACKS;
        c->ack.interactive = false;
    }
    c->last.data_received_at = now;
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
    } else if (is_quick(c)) {
        tern_tcb_ack_now(c, TERN_CAUSE_QUICK_ACK);
    } else if (c->ack.bytes >= 2 * c->rcv.piece_bytes) {
        tern_tcb_ack_now(c, TERN_CAUSE_SECOND_SEGMENT);
    } else if (c->timer.delack == TERN_TIME_NEVER) {
        c->timer.delack = now + TERN_TCP_DELACK;
    }
}

static void take_in_order(struct tern_tcb *c, const uint8_t *text, size_t bytes, bool stays,
                          tern_time now)
{
    size_t kept = stays ? tern_tcb_borrow(c, text, bytes) : 0;
    bool hole;

    if (kept == 0)
        kept = tern_bytequeue_write(&c->recvq, &c->env->chunks, c->rcv.nxt, text, bytes);
    c->rcv.nxt += kept;
    c->again_in_row = 0;
    c->count.bytes_received += kept;
    if (c->rcv.twice_end == 0)
        tern_tcb_dsack_note_held(c, c->rcv.nxt - kept, c->rcv.nxt);
    hole = join_out_of_order(c);
    if (kept < bytes && !hole)
        tern_tcb_drop(c, TERN_DROP_TCP_NO_BUFFER, now);
    tern_tcb_note_readable(c);
    schedule_ack(c, kept, hole, now);
    if (kept < bytes || c->rcv.twice_end > 0)
        tern_tcb_ack_now(c, TERN_CAUSE_DUPLICATE_ACK);
}

/* Beyond a hole: kept, or come twice. */
static void take_beyond(struct tern_tcb *c, uint64_t at, const uint8_t *text, size_t bytes,
                        tern_time now)
{
    c->count.out_of_order_in++;
    tern_tcb_dsack_note_held(c, at, at + bytes);
    if (c->rcv.ooo != NULL && tern_ranges_covers(c->rcv.ooo, at, at + bytes)) {
        tern_tcb_sack_note(c, at); /* their range comes second (RFC 2883 §4.2) */
        tern_tcb_drop(c, TERN_DROP_TCP_OLD_DUPLICATE, now);
        tern_tcb_ack_now(c, TERN_CAUSE_DUPLICATE_ACK);
        return;
    }
    if (keep_out_of_order(c, at, text, bytes) == 0)
        tern_tcb_drop(c, TERN_DROP_TCP_NO_BUFFER, now);
    tern_tcb_ack_now(c, TERN_CAUSE_OUT_OF_ORDER_ACK);
}

/* Bytes for an application that has gone, or neither reads nor writes: they are lost, so say so
 * (RFC 9293 §3.6.1). By the number that the segment acknowledges, for that is what its sender must
 * see to believe it (RFC 5961 §3.2); our own next number may lie beyond a lost FIN. */
static void refuse_text(struct tern_tcb *c, const struct tern_segment *seg, tern_time now)
{
    tern_tcb_drop(c, TERN_DROP_TCP_AFTER_CLOSE, now);
    tern_tcb_answer_reset(c, seg, TERN_CAUSE_RST_UNREAD);
    tern_tcb_finish(c, TERN_ERR_ABORTED, now);
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
    if (c->rcv.no_reader && c->state != TERN_TCP_ESTABLISHED) {
        refuse_text(c, seg, now);
        return;
    }
    tern_tcb_ecn_text(c, seg);
    note_sizes(c, seg);
    note_pause(c, now);
    tern_tcb_tune_on_text(c, seg, now);
    tern_tcb_dsack_note_old(c, seq, seg->text.bytes);
    if (start == c->rcv.nxt)
        take_in_order(c, seg->text.data + (start - seq), stop - start, seg->text_stays, now);
    else
        take_beyond(c, start, seg->text.data + (start - seq), stop - start, now);
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
