/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SEGMENT ARRIVES: RFC 9293 §3.10.7, as a table of contents. Each step looks, and returns a
 * verdict; the parent acts on it. The steps that change much live in files of their own: ack.c
 * (fifth), recvq.c (seventh and eighth).
 *
 * Blind attacks (RFC 5961): a reset is obeyed only at exactly rcv.nxt, a SYN never; what is merely
 * in the window is answered with a challenge ACK, at most one in TERN_TCP_CHALLENGE_INTERVAL,
 * and so many a second of all connections together (limit.c).
 */
#include "proto/tcp/internal.h"

enum arrive_verdict {
    ARRIVE_NEXT,      /* go on with the next step */
    ARRIVE_DROP,      /* nothing more, no answer */
    ARRIVE_DROP_ACK,  /* nothing more, say where we are */
    ARRIVE_CHALLENGE, /* nothing more, ask for proof */
};

static uint32_t pieces_of(const struct tern_segment *seg)
{
    if (seg->piece_bytes == 0 || seg->text.bytes <= seg->piece_bytes)
        return 1;
    return (uint32_t)((seg->text.bytes + seg->piece_bytes - 1) / seg->piece_bytes);
}

static uint64_t sequence_length(const struct tern_segment *seg)
{
    return seg->text.bytes + ((seg->h.flags & TERN_TCP_SYN) != 0) +
           ((seg->h.flags & TERN_TCP_FIN) != 0);
}

static void challenge(struct tern_tcb *c, tern_time now)
{
    if (c->ack.challenged_at != TERN_TIME_NEVER &&
        now - c->ack.challenged_at < TERN_TCP_CHALLENGE_INTERVAL)
        return;
    if (!tern_limit_take(&c->env->challenges, &c->env->random, TERN_TCP_CHALLENGES, now)) {
        tern_tcb_drop(c, TERN_DROP_TCP_RATE, now);
        return;
    }
    c->ack.challenged_at = now;
    tern_tcb_ack_now(c, TERN_CAUSE_CHALLENGE_ACK);
}

/* After weeks of silence the last timestamp proves nothing (RFC 7323 §5.5). */
static bool ts_recent_is_stale(const struct tern_tcb *c, tern_time now)
{
    return now - c->opt.ts_recent_at >= TERN_TCP_PAWS_IDLE;
}

/* RFC 7323 §4.3 (2), but only once the segment has passed all the checks: what a blind attacker
 * put into the window (RFC 5961 §4.2, §5.2) is not to make the peer's own segments look old. */
static void take_timestamp(struct tern_tcb *c, const struct tern_segment *seg, uint64_t seq,
                           tern_time now)
{
    if (!c->opt.timestamps || !seg->h.has_timestamps || seq > c->rcv.last_ack_sent)
        return;
    if ((int32_t)(seg->h.ts_value - c->opt.ts_recent) < 0 && !ts_recent_is_stale(c, now))
        return;
    c->opt.ts_recent = seg->h.ts_value;
    c->opt.ts_recent_at = now;
}

/* Late only, and of this round of the sequence numbers: sent since the holes came, of which it is
 * to fill one. A segment that was sent again overtook it (docs/decisions/0027). */
static bool is_for_hole(const struct tern_tcb *c, const struct tern_segment *seg, uint64_t seq)
{
    const struct tern_ranges *r = c->rcv.ooo;

    return r != NULL && seq < r->item[r->count - 1].end &&
           (int32_t)(seg->h.ts_value - c->opt.hole_ts) >= 0;
}

/* PAWS (RFC 7323 §5.3 R1): older than the last timestamp, on a connection that was not idle for
 * weeks. A segment without the agreed option is judged by its numbers alone: RFC 7323 §3.2 would
 * have it dropped, and a connection whose path eats the option hangs (docs/decisions/0025). */
static bool is_paws_old(const struct tern_tcb *c, const struct tern_segment *seg, uint64_t seq,
                        tern_time now)
{
    if (!c->opt.timestamps || !seg->h.has_timestamps || (seg->h.flags & TERN_TCP_RST) != 0)
        return false;
    return (int32_t)(seg->h.ts_value - c->opt.ts_recent) < 0 && !ts_recent_is_stale(c, now) &&
           !is_for_hole(c, seg, seq);
}

/*
 * First step: is any of it in the window? Departures that every host makes: an empty segment,
 * unless it is a reset, may stand at the right edge itself (its sender has filled the window), and
 * with a closed window a segment at rcv.nxt is let through for its ACK and RST
 * (RFC 9293 §3.10.7.4), its text being cut off later.
 */
static bool is_acceptable(const struct tern_tcb *c, uint64_t seq, uint64_t len, bool is_reset)
{
    if (len == 0)
        return seq == c->rcv.nxt ||
               (seq > c->rcv.nxt && (is_reset ? seq < c->rcv.adv : seq <= c->rcv.adv));
    if (c->rcv.adv == c->rcv.nxt)
        return seq == c->rcv.nxt;
    return seq < c->rcv.adv && seq + len > c->rcv.nxt;
}

/* What was acknowledged comes again. The peer lives (§3.8.4), but where nothing else comes our ACKs
 * are lost, and maybe all that we send: whoever only receives has no timeouts that would tell (RFC
 * 9293 §3.8.3, R1). */
static void note_old(struct tern_tcb *c, const struct tern_segment *seg, uint64_t seq, uint64_t len,
                     tern_time now)
{
    tern_tcb_dsack_note_old(c, seq, len);
    if (seq + len > c->rcv.nxt)
        return;
    if (tern_tcb_ack_is_known(c, seg))
        tern_tcb_note_heard(c, now);
    if (len == 0)
        return;
    if (++c->again_in_row < TERN_TCP_R1)
        return;
    c->again_in_row = 0;
    c->hop_doubted = true;
}

static enum arrive_verdict check_seq(struct tern_tcb *c, const struct tern_segment *seg,
                                     uint64_t seq, tern_time now)
{
    const uint64_t len = sequence_length(seg);
    const bool is_reset = (seg->h.flags & TERN_TCP_RST) != 0;

    if (c->state == TERN_TCP_SYN_RECEIVED && (seg->h.flags & TERN_TCP_SYN) != 0 &&
        seq == c->rcv.irs && !is_reset) {
        c->opt.ecn = tern_tcb_ecn_agreed(c, seg->h.flags);
        take_timestamp(c, seg, seq, now);
        c->syn_due = c->syn_due || (seg->h.flags & TERN_TCP_ACK) == 0;
        return (seg->h.flags & TERN_TCP_ACK) != 0 ? ARRIVE_NEXT : ARRIVE_DROP;
    }
    if (is_paws_old(c, seg, seq, now)) {
        tern_tcb_drop(c, TERN_DROP_TCP_PAWS, now);
        tern_tcb_dsack_note_old(c, seq, len);
        return ARRIVE_DROP_ACK;
    }
    if (!is_acceptable(c, seq, len, is_reset)) {
        tern_tcb_drop(
            c, seq + len <= c->rcv.nxt ? TERN_DROP_TCP_OLD_DUPLICATE : TERN_DROP_TCP_OUTSIDE_WINDOW,
            now);
        if (!is_reset)
            note_old(c, seg, seq, len, now);
        return is_reset ? ARRIVE_DROP : ARRIVE_DROP_ACK;
    }
    return ARRIVE_NEXT;
}

/* Second step. */
static enum arrive_verdict check_rst(struct tern_tcb *c, const struct tern_segment *seg,
                                     uint64_t seq, tern_time now)
{
    if ((seg->h.flags & TERN_TCP_RST) == 0)
        return ARRIVE_NEXT;
    if (seq != c->rcv.nxt) { /* RFC 5961 §3.2 */
        tern_tcb_drop(c, TERN_DROP_TCP_BAD_RST, now);
        return ARRIVE_CHALLENGE;
    }
    c->env->resets_in++;
    switch (c->state) {
    case TERN_TCP_SYN_RECEIVED:
        tern_tcb_finish(c, c->passive ? TERN_ERR_RESET : TERN_ERR_REFUSED, now);
        break;
    case TERN_TCP_CLOSING: /* in order, but only if nothing was lost but the FIN's ACK */
    case TERN_TCP_LAST_ACK:
        tern_tcb_finish(c, c->snd.una >= c->snd.end ? TERN_ERR_OK : TERN_ERR_RESET, now);
        break;
    default:
        tern_tcb_finish(c, TERN_ERR_RESET, now);
        break;
    }
    return ARRIVE_DROP;
}

/* Fourth step; the third, security, is nobody's (RFC 9293 §3.10.7.4). */
static enum arrive_verdict check_syn(struct tern_tcb *c, const struct tern_segment *seg,
                                     tern_time now)
{
    if ((seg->h.flags & TERN_TCP_SYN) == 0)
        return ARRIVE_NEXT;
    if (c->state == TERN_TCP_SYN_RECEIVED && (seg->h.flags & TERN_TCP_ACK) != 0)
        return ARRIVE_NEXT; /* the SYN-ACK of a simultaneous open (RFC 9293 §3.5, figure 7) */
    tern_tcb_drop(c, TERN_DROP_TCP_BAD_SYN, now);
    if (c->state == TERN_TCP_SYN_RECEIVED && c->passive) { /* a peer that began anew: to LISTEN */
        tern_tcb_finish(c, TERN_ERR_RESET, now);
        return ARRIVE_DROP;
    }
    return ARRIVE_CHALLENGE; /* RFC 5961 §4.2 */
}

/* Fifth step, the part that concerns SYN-RECEIVED; the rest is in ack.c. */
static enum arrive_verdict check_ack(struct tern_tcb *c, const struct tern_segment *seg,
                                     tern_time now)
{
    const bool first = c->state == TERN_TCP_SYN_RECEIVED;

    if ((seg->h.flags & TERN_TCP_ACK) == 0) {
        tern_tcb_drop(c, TERN_DROP_TCP_NO_ACK, now);
        return ARRIVE_DROP;
    }
    if (first) {
        const uint64_t ack = tern_tcb_unwrap(c->snd.nxt, seg->h.ack);

        if (ack <= c->snd.iss || ack > c->snd.max) {
            tern_tcb_drop(c, TERN_DROP_TCP_BAD_ACK, now);
            tern_tcb_answer_reset(c, seg, TERN_CAUSE_RST_BAD_ACK);
            return ARRIVE_DROP;
        }
        tern_tcb_first_ack(c, seg, now);
        tern_tcb_set_state(c, TERN_TCP_ESTABLISHED, now);
        if (c->snd.fin_queued)
            tern_tcb_set_state(c, TERN_TCP_FIN_WAIT_1, now);
        tern_tcb_tlp_arm(c, now);
    }
    switch (tern_tcb_arrive_ack(c, seg, first, now)) {
    case TERN_ACK_GO_ON:
        tern_tcb_note_heard(c, now);
        return ARRIVE_NEXT;
    case TERN_ACK_DROP_AND_ACK:
        return ARRIVE_CHALLENGE;
    case TERN_ACK_DROP:
        break;
    }
    return ARRIVE_DROP;
}

/* Two ends with different ideas of the numbers would answer each other's ACKs for ever, as fast as
 * the path allows; so empty segments that do not fit are answered only so often. */
static bool may_answer(struct tern_tcb *c, const struct tern_segment *seg, tern_time now)
{
    if (sequence_length(seg) > 0)
        return true;
    if (c->ack.answered_at != TERN_TIME_NEVER &&
        now - c->ack.answered_at < TERN_TCP_ANSWER_INTERVAL)
        return false;
    c->ack.answered_at = now;
    return true;
}

static bool act_on(struct tern_tcb *c, const struct tern_segment *seg, enum arrive_verdict verdict,
                   tern_time now)
{
    switch (verdict) {
    case ARRIVE_NEXT:
        return true;
    case ARRIVE_DROP_ACK:
        if (!may_answer(c, seg, now))
            break;
        tern_tcb_ack_now(c, TERN_CAUSE_DUPLICATE_ACK);
        break;
    case ARRIVE_CHALLENGE:
        challenge(c, now);
        break;
    case ARRIVE_DROP:
        break;
    }
    return false;
}

/* RFC 9293 §3.10.7.4: all states but CLOSED, LISTEN, SYN-SENT and TIME-WAIT. */
static void arrive_otherwise(struct tern_tcb *c, const struct tern_segment *seg, tern_time now)
{
    const uint64_t seq = tern_tcb_unwrap(c->rcv.nxt, seg->h.seq);
    const uint64_t text_at = seq + ((seg->h.flags & TERN_TCP_SYN) != 0);

    if (!act_on(c, seg, check_seq(c, seg, seq, now), now))
        return;
    if (!act_on(c, seg, check_rst(c, seg, seq, now), now))
        return;
    if (!act_on(c, seg, check_syn(c, seg, now), now))
        return;
    if (!act_on(c, seg, check_ack(c, seg, now), now))
        return;
    take_timestamp(c, seg, seq, now);
    tern_tcb_arrive_urgent(c, seg, seq, now); /* sixth */
    tern_tcb_arrive_text(c, seg, text_at, now);
    tern_tcb_arrive_fin(c, seg, text_at, now);
}

/* The other side's SYN reached SYN-SENT: RFC 9293 §3.10.7.3, fourth. */
static void take_syn(struct tern_tcb *c, const struct tern_segment *seg, tern_time now)
{
    const uint64_t promised = c->rcv.adv - c->rcv.nxt; /* by our SYN */

    c->rcv.irs = (UINT64_C(1) << 32) + seg->h.seq.value;
    c->rcv.nxt = c->rcv.head = c->rcv.irs + 1;
    c->rcv.adv = c->rcv.nxt + promised;
    c->rcv.last_ack_sent = c->rcv.nxt;
    c->ack.slow_nxt = c->rcv.nxt;
    tern_bytequeue_init(&c->recvq, c->rcv.nxt);
    tern_tcb_tune_start(c, now);
    tern_tcb_negotiate(c, &seg->h, now);
}

static void arrive_syn_sent(struct tern_tcb *c, const struct tern_segment *seg, tern_time now)
{
    const bool has_ack = (seg->h.flags & TERN_TCP_ACK) != 0;
    const uint64_t ack = tern_tcb_unwrap(c->snd.nxt, seg->h.ack);
    uint64_t text_at;

    if (has_ack && (ack <= c->snd.iss || ack > c->snd.max)) { /* first */
        tern_tcb_drop(c, TERN_DROP_TCP_BAD_ACK, now);
        if ((seg->h.flags & TERN_TCP_RST) == 0)
            tern_tcb_answer_reset(c, seg, TERN_CAUSE_RST_BAD_ACK);
        return;
    }
    if ((seg->h.flags & TERN_TCP_RST) != 0) { /* second; without ACK it proves nothing */
        if (has_ack) {
            c->env->resets_in++;
            tern_tcb_finish(c, TERN_ERR_REFUSED, now);
        }
        return;
    }
    if ((seg->h.flags & TERN_TCP_SYN) == 0) { /* fifth */
        tern_tcb_drop(c, TERN_DROP_TCP_BAD_SYN, now);
        return;
    }
    take_syn(c, seg, now);
    text_at = c->rcv.irs + 1;
    if (!has_ack) { /* simultaneous open (RFC 9293 §3.5, figure 7) */
        tern_tcb_take_window(c, seg, c->rcv.irs, now);
        tern_tcb_set_state(c, TERN_TCP_SYN_RECEIVED, now);
        c->syn_due = true;
        return;
    }
    tern_tcb_first_ack(c, seg, now);
    tern_tcb_fastopen_answer(c, seg);
    tern_tcb_set_state(c, TERN_TCP_ESTABLISHED, now);
    if (c->snd.fin_queued)
        tern_tcb_set_state(c, TERN_TCP_FIN_WAIT_1, now);
    tern_tcb_ack_now(c, TERN_CAUSE_HANDSHAKE_ACK);
    tern_tcb_arrive_urgent(c, seg, c->rcv.irs, now); /* and all that follows */
    tern_tcb_arrive_text(c, seg, text_at, now);
    tern_tcb_arrive_fin(c, seg, text_at, now);
}

/* By its state: RFC 9293 §3.10.7. */
static void arrive(struct tern_tcb *c, const struct tern_segment *seg, tern_time now)
{
    switch (c->state) {
    case TERN_TCP_CLOSED:
    case TERN_TCP_LISTEN:
    case TERN_TCP_TIME_WAIT: /* its record answers: timewait.c */
        break;
    case TERN_TCP_SYN_SENT:
        arrive_syn_sent(c, seg, now);
        break;
    default:
        arrive_otherwise(c, seg, now);
        break;
    }
}

static void input(struct tern_tcb *c, const struct tern_segment *seg, bool fast, tern_time now)
{
    const uint32_t pieces = pieces_of(seg);

    c->env->segments_in += pieces;
    c->count.segs_in += pieces;
    if (seg->text.bytes > 0)
        c->count.data_segs_in += pieces;
    if (!fast || !tern_tcb_input_fast(c, seg, now))
        arrive(c, seg, now);
    tern_tcb_note_held(c, now);
    tern_tcb_note_promise(c);
}

static void input_plain(struct tern_tcb *c, const struct tern_segment *seg, tern_time now)
{
    input(c, seg, true, now);
}

void tern_tcb_input(struct tern_tcb *c, const struct tern_segment *seg, tern_time now)
{
    if (tern_tcb_is_observed(c))
        tern_tcb_observe_input(c, seg, now, input_plain);
    else
        input_plain(c, seg, now);
}

void tern_tcb_input_long(struct tern_tcb *c, const struct tern_segment *seg, tern_time now)
{
    input(c, seg, false, now);
}
