/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A segment with text: how much may go in one, its header and flags, and what it counts as once it
 * is out. One emission is one segment, or several that the link or the stack cuts (piece_bytes);
 * which text goes, and when, is output.c's.
 */
#include "proto/tcp/internal.h"

#define SACK_MSS_MIN 64

void tern_tcb_time_segment(struct tern_tcb *c, uint64_t end, tern_time now)
{
    if (c->timed.active)
        return;
    c->timed.active = true;
    c->timed.seq = end;
    c->timed.at = now;
}

/* Where segments are tiny, text goes without the blocks: they would not fit the path. */
static bool text_bears_sack(const struct tern_tcb *c)
{
    return c->snd.mss >= SACK_MSS_MIN && tern_tcb_sack_wanted(c);
}

/* Two in flight at least, so that ACKs keep coming. */
static uint64_t super_bytes_max(const struct tern_tcb *c)
{
    const uint64_t most = tern_min_u64(c->env->super_bytes_max, tern_tcb_pace_burst(c));

    return tern_min_u64(most, c->cc.cwnd / 2);
}

/* Where the stack cuts it is as if each piece had been asked for by itself. Each has its moment
 * where they are paced. */
static uint64_t cut_bytes_max(const struct tern_tcb *c, uint32_t segment)
{
    const uint64_t most = (uint64_t)c->env->cut_max * segment;

    return most > segment && tern_tcb_pace_rate(c) == 0
               ? tern_min_u64(most, c->env->super_bytes_max)
               : 0;
}

/* The most text that one emission may carry, given the SACK blocks that want to come along. */
uint32_t tern_tcb_text_bytes_max(const struct tern_tcb *c, uint32_t *segment)
{
    uint64_t most;

    *segment = tern_tcb_segment_bytes(c);
    if (text_bears_sack(c)) {
        const uint32_t sack_bytes = 4 + 8 * 3; /* with timestamps no more than three fit */

        *segment = c->snd.mss - 12 - sack_bytes;
        return *segment;
    }
    if (tern_tcb_is_urgent(c)) /* each piece needs a pointer of its own */
        return *segment;
    most = c->env->tso ? super_bytes_max(c) : cut_bytes_max(c, *segment);
    return most <= *segment ? *segment : (uint32_t)(most - most % *segment);
}

/* The same for what is never cut up. */
uint32_t tern_tcb_piece_bytes_max(const struct tern_tcb *c)
{
    uint32_t segment;

    (void)tern_tcb_text_bytes_max(c, &segment);
    return segment;
}

/* Sent before: all of it, or only the byte of a window probe that the rest now follows. */
static void count_again(struct tern_tcb *c, uint64_t bytes, uint32_t segment)
{
    const uint64_t pieces = bytes <= segment ? 1 : (bytes + segment - 1) / segment;

    c->count.bytes_retrans += bytes;
    c->count.retrans += pieces;
    c->env->retransmits += pieces;
}

/* Emit text [from, from + bytes), with FIN if fin, new or again. */
void tern_tcb_emit_text(struct tern_tcb *c, struct tern_segment_out *out, uint64_t from,
                        uint32_t bytes, uint32_t segment, bool fin, tern_time now)
{
    const uint64_t end = from + bytes + fin;
    const uint32_t pieces = bytes <= segment ? 1 : (bytes + segment - 1) / segment;
    uint8_t flags = TERN_TCP_ACK;

    /* A super-segment as well: the receiver need not wait for more to join. */
    if ((bytes > 0 && tern_tcb_is_pushed(c, from + bytes)) || (pieces > 1 && c->env->tso))
        flags |= TERN_TCP_PSH;
    if (fin)
        flags |= TERN_TCP_FIN;
    tern_tcb_fill_header(c, out, from, flags, now);
    if (text_bears_sack(c))
        tern_tcb_sack_fill(c, &out->h, 3);
    out->text_at = from;
    out->text_bytes = bytes;
    if (bytes > 0)
        c->last.data_sent_at = now;
    out->piece_bytes = pieces > 1 ? segment : 0;
    c->env->segments_out += pieces - 1;
    c->count.segs_out += pieces - 1;
    c->count.data_segs_out += bytes > 0 ? pieces : 0;
    c->count.bytes_sent += bytes;
    if (bytes > 0 && bytes != segment && bytes % segment != 0)
        c->snd.small_end = tern_max_u64(c->snd.small_end, from + bytes);
    if (from < c->snd.max) {
        count_again(c, tern_min_u64(bytes, c->snd.max - from), segment);
        if (c->timed.active && c->timed.seq > from)
            c->timed.active = false; /* Karn */
    } else {
        /* the first piece, as without a link that cuts */
        tern_tcb_time_segment(c, pieces > 1 ? from + segment : end, now);
    }
    c->snd.nxt = tern_max_u64(c->snd.nxt, end);
    c->snd.max = tern_max_u64(c->snd.max, c->snd.nxt);
    c->snd.fin_sent = c->snd.fin_sent || fin;
    tern_tcb_timer_start_resend(c, now);
}

/* How much of the window a round trip uses, at its fullest (RFC 7661 §4.2's pipeACK, seen from the
 * sending side). */
static void note_peak(struct tern_tcb *c)
{
    const uint64_t flight = c->snd.nxt - c->snd.una;

    if (c->snd.una >= c->snd.peak_end || flight > c->snd.peak) {
        c->snd.peak = flight;
        c->snd.peak_end = c->snd.nxt;
    }
    if (tern_tcb_pipe(c) >= c->cc.cwnd)
        c->snd.limited_end = c->snd.nxt;
}

/* What all text has in common once it is out. */
void tern_tcb_note_text(struct tern_tcb *c, uint64_t from, uint64_t to, uint32_t segment,
                        bool again, tern_time now)
{
    tern_tcb_note_sent(c, from, to, segment, again, now);
    tern_tcb_pace_sent(c, to - from, now);
    c->snd.sent_at = now;
    c->prr.out += to - from;
    if (!again) {
        note_peak(c);
        tern_tcb_tlp_arm(c, now);
        return;
    }
    tern_tcb_note_resent(c, from, to);
    tern_tcb_undo_note_resent(c, from, to - from, now);
}
