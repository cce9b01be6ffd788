/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The two segments of which nearly all traffic consists, told at one glance (V. Jacobson's header
 * prediction): what is next in order and acknowledges new bytes; or text that is next in order and
 * acknowledges nothing new, while nothing of ours is under way. Everything about them is as
 * expected, so that most steps of RFC 9293 §3.10.7.4 would only find that they have nothing to do.
 * Those are left out here, each for the reason beside its condition; what a step would do is done
 * by the same functions, in the same order. Whatever else there is goes the long way of arrive.c.
 *
 * tests/unit/tcp/fast.c sends the same segments both ways and compares all of the state.
 */
#include "proto/tcp/internal.h"

/* Step one and the timestamps: in order, and no older than the last (RFC 7323 §5.3 R1). */
static bool is_next(const struct tern_tcb *c, const struct tern_segment *seg, uint64_t seq)
{
    if (seq != c->rcv.nxt)
        return false;
    return !c->opt.timestamps ||
           (seg->h.has_timestamps && (int32_t)(seg->h.ts_value - c->opt.ts_recent) >= 0);
}

static void take_timestamp(struct tern_tcb *c, const struct tern_segment *seg, uint64_t seq,
                           tern_time now)
{
    if (!c->opt.timestamps || seq > c->rcv.last_ack_sent)
        return;
    c->opt.ts_recent = seg->h.ts_value;
    c->opt.ts_recent_at = now;
}

/* Nothing of ours is under way, nor remembered: an ACK of nothing new tells nothing, whatever step
 * five asks. lost_below: nothing was acknowledged yet but the SYN. */
static bool only_receives(const struct tern_tcb *c)
{
    return c->snd.una == c->snd.nxt && c->log == NULL && c->loss.sacked == NULL &&
           c->loss.relost == NULL && c->loss.state == TERN_RECOVERY_OPEN &&
           c->loss.lost_below >= c->snd.una && !c->tlp.out && c->timer.reorder == TERN_TIME_NEVER;
}

/* Step five. False: there is more to it. */
static bool take_ack(struct tern_tcb *c, const struct tern_segment *seg, uint64_t seq,
                     tern_time now)
{
    const uint64_t ack = tern_tcb_unwrap(c->snd.una, seg->h.ack);
    const uint64_t wnd = (uint64_t)seg->h.window << c->snd.wscale;

    if (ack > c->snd.una && ack <= c->snd.max) {
        (void)tern_tcb_arrive_ack(c, seg, false, now); /* of new bytes, and no FIN: never refused */
        return true;
    }
    if (ack != c->snd.una || seg->text.bytes == 0 || !only_receives(c) || wnd != c->snd.wnd ||
        wnd == 0 || seg->h.sack_count > 0)
        return false;
    if (c->snd.wl1 <= seq)
        c->snd.wl1 = seq; /* all that is new of its window */
    return true;
}

bool tern_tcb_input_fast(struct tern_tcb *c, const struct tern_segment *seg, tern_time now)
{
    const uint64_t seq = tern_tcb_unwrap(c->rcv.nxt, seg->h.seq);

    if (c->state != TERN_TCP_ESTABLISHED || (seg->h.flags & ~TERN_TCP_PSH) != TERN_TCP_ACK ||
        c->rcv.fin_at != 0 || !is_next(c, seg, seq) || !take_ack(c, seg, seq, now))
        return false;
    tern_tcb_note_heard(c, now);
    take_timestamp(c, seg, seq, now);
    if (seg->text.bytes > 0)
        tern_tcb_arrive_text(c, seg, seq, now);
    return true;
}
