/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ACKs that arrive: the fifth step of RFC 9293 §3.10.7.4. What is acknowledged leaves the send
 * queue, a round-trip time may be measured (RFC 6298 §3, RFC 7323 §4), the send window
 * moves, loss.c hears of it, and our own FIN's acknowledgment moves the state.
 */
#include "proto/tcp/internal.h"

/* How far behind an ACK may be (RFC 5961 §5.2): older ones are somebody's guess. */
static bool is_too_old(const struct tern_tcb *c, uint64_t ack)
{
    return ack + c->snd.wnd_max < c->snd.una;
}

bool tern_tcb_ack_is_known(const struct tern_tcb *c, const struct tern_segment *seg)
{
    const uint64_t ack = tern_tcb_unwrap(c->snd.nxt, seg->h.ack);

    return (seg->h.flags & TERN_TCP_ACK) != 0 && !is_too_old(c, ack) && ack <= c->snd.max;
}

void tern_tcb_take_window(struct tern_tcb *c, const struct tern_segment *seg, uint64_t seq,
                          tern_time now)
{
    const bool is_syn = (seg->h.flags & TERN_TCP_SYN) != 0;
    const uint64_t was = c->snd.wnd;

    c->snd.wnd = (uint64_t)seg->h.window << (is_syn ? 0 : c->snd.wscale);
    c->snd.wnd_max = tern_max_u64(c->snd.wnd_max, c->snd.wnd);
    c->snd.wl1 = seq;
    if (was > 0 || c->snd.wnd == 0)
        return;
    tern_rtt_backoff_end(&c->rtt);
    c->last.stuck_at = TERN_TIME_NEVER;
    if (c->probe_out) { /* the byte of a probe that was not taken goes again with the rest */
        c->snd.nxt = c->snd.una;
        c->probe_out = false;
    }
    if (tern_tcb_is_synchronised(c))
        tern_tcb_timer_arm_resend(c, now);
}

static void sample_rtt(struct tern_tcb *c, tern_time sample, tern_time now)
{
    struct tern_trace *t;

    if (sample > TERN_RTO_MAX) {
        /* The timer would have run out before: the clock leapt, as where a machine was stopped and
         * goes on. It says nothing of the path, and would slow it down for minutes. */
        tern_rtt_backoff_end(&c->rtt);
        return;
    }
    tern_rtt_sample(&c->rtt, sample, 1);
    c->tlp.untimed = false;
    t = tern_trace_push(c->env->traces, now, TERN_TRACE_RTT, c->id);
    if (t != NULL) {
        t->rtt.sample = sample;
        t->rtt.srtt = c->rtt.srtt;
        t->rtt.rto = c->rtt.rto;
    }
}

/* A sample by our own clock where the timed segment was sent once (Karn, RFC 6298 §3); by the
 * echoed timestamp, which is coarse but never ambiguous, while things are being sent again. */
static void measure(struct tern_tcb *c, const struct tern_segment *seg, uint64_t ack, tern_time now)
{
    if (c->timed.active) {
        if (ack >= c->timed.seq) {
            c->timed.active = false;
            sample_rtt(c, now - c->timed.at, now);
        }
        return;
    }
    if (c->loss.state == TERN_RECOVERY_OPEN && c->loss.retries == 0)
        return; /* what is timed next gives a finer sample */
    if (c->opt.timestamps && seg->h.has_timestamps && seg->h.ts_echo != 0) {
        const uint32_t ticks = tern_tcb_ts_now(c, now) - seg->h.ts_echo;

        if (ticks < 1u << 20)
            sample_rtt(c, (tern_time)tern_max_u64(ticks, 1) * TERN_MS, now);
    }
}

/* Everything below ack has arrived: let it go. */
static void advance_una(struct tern_tcb *c, uint64_t ack)
{
    const uint64_t bytes_end = tern_min_u64(ack, c->snd.end);
    const uint64_t bytes_start = tern_max_u64(c->snd.una, c->snd.iss + 1);

    TERN_ASSERT(ack > c->snd.una);
    TERN_ASSERT(ack <= c->snd.max);
    if (bytes_end > bytes_start)
        c->count.bytes_acked += bytes_end - bytes_start;
    c->snd.una = ack;
    c->snd.nxt = tern_max_u64(c->snd.nxt, ack);
    tern_tcb_sendq_advance(c, tern_max_u64(bytes_end, c->sendq.head));
    c->snd.fin_acked = c->snd.fin_sent && ack > c->snd.end;
    c->loss.retries = 0;
    c->soft_error = TERN_ERR_OK; /* the path that ICMP spoke of works again */
    c->probe_out = false;
    c->marks.held = false;
    if (c->snd.una >= c->snd.end + c->snd.fin_queued)
        c->events |= TERN_CONN_SENT_ALL;
}

static void move_state(struct tern_tcb *c, tern_time now)
{
    if (!c->snd.fin_acked)
        return;
    switch (c->state) {
    case TERN_TCP_FIN_WAIT_1:
        tern_tcb_set_state(c, TERN_TCP_FIN_WAIT_2, now);
        break;
    case TERN_TCP_CLOSING:
        tern_tcb_enter_time_wait(c, now);
        break;
    case TERN_TCP_LAST_ACK:
        tern_tcb_finish(c, TERN_ERR_OK, now);
        break;
    default:
        break;
    }
}

/* The ACK of our SYN: what only the first one does. What else a SYN-ACK's ACK covers is text that
 * Fast Open sent ahead, and waits for tern_tcb_arrive_ack(). */
void tern_tcb_first_ack(struct tern_tcb *c, const struct tern_segment *seg, tern_time now)
{
    const uint64_t all = tern_tcb_unwrap(c->snd.nxt, seg->h.ack);
    const uint64_t ack = c->state == TERN_TCP_SYN_RECEIVED ? c->snd.iss + 1 : all;
    const bool syn_resent = c->loss.retries > 0;

    c->timer.give_up = TERN_TIME_NEVER;
    c->syn_due = false;
    measure(c, seg, ack, now);
    advance_una(c, ack);
    if (ack == c->snd.iss + 1)
        c->events &= ~(uint32_t)TERN_CONN_SENT_ALL;
    if (syn_resent) {
        tern_rtt_after_syn_loss(&c->rtt);
        c->cc.cwnd = c->cc.mss; /* RFC 5681 §3.1 */
    }
    if (!c->passive || c->state == TERN_TCP_SYN_SENT)
        c->rcv.adv = tern_max_u64(c->rcv.adv, c->rcv.nxt);
    tern_tcb_take_window(c, seg, tern_tcb_unwrap(c->rcv.nxt, seg->h.seq), now);
    tern_tcb_timer_arm_resend(c, now);
    TERN_ASSERT(c->snd.una == ack);
}

/* RFC 5681 §2: nothing new, no text, no change of window, and something is outstanding; or it was
 * until a moment ago, and a tail loss probe is not answered yet (RFC 8985 §7.4.2). */
static bool is_duplicate(const struct tern_tcb *c, const struct tern_segment *seg, uint64_t ack,
                         uint64_t old_wnd)
{
    return ack == c->snd.una && (c->snd.nxt > c->snd.una || c->tlp.out) && !c->probe_out &&
           seg->text.bytes == 0 && (seg->h.flags & (TERN_TCP_FIN | TERN_TCP_SYN)) == 0 &&
           c->snd.wnd == old_wnd;
}

enum tern_ack_verdict tern_tcb_arrive_ack(struct tern_tcb *c, const struct tern_segment *seg,
                                          bool first, tern_time now)
{
    const uint64_t seq = tern_tcb_unwrap(c->rcv.nxt, seg->h.seq);
    const uint64_t ack = tern_tcb_unwrap(c->snd.una, seg->h.ack);
    const uint64_t old_una = c->snd.una;
    const uint64_t old_wnd = c->snd.wnd;
    bool duplicate;

    if (ack > c->snd.max || is_too_old(c, ack)) {
        tern_tcb_drop(c, TERN_DROP_TCP_BAD_ACK, now);
        return TERN_ACK_DROP_AND_ACK;
    }
    if (ack < old_una) { /* overtaken by a later one; but its SACK may still be news */
        if (seg->h.sack_count > 0)
            tern_tcb_loss_on_ack(c, seg, old_una, false, now);
        return TERN_ACK_GO_ON;
    }
    if (old_wnd == 0 && !c->orphan)
        c->loss.retries = 0; /* somebody answers the window probes */
    if (ack > old_una) {
        measure(c, seg, ack, now);
        advance_una(c, ack);
        tern_tcb_mtu_on_ack(c, now);
        tern_tcb_timer_arm_resend(c, now);
        tern_tcb_note_writable(c);
    }
    /* One that acknowledges more is the newest word, though it came on text that was sent again:
     * the old window counted from the new edge would reach beyond what was promised. SND.WL2 is
     * never above SND.UNA, and so never above this ACK. */
    if (ack > old_una || c->snd.wl1 <= seq)
        tern_tcb_take_window(c, seg, seq, now);
    duplicate = !first && ack == old_una && is_duplicate(c, seg, ack, old_wnd);
    tern_tcb_loss_on_ack(c, seg, old_una, duplicate, now);
    if (tern_tcb_ecn_sends(c) && (seg->h.flags & TERN_TCP_ECE) != 0)
        tern_tcb_ecn_echo(c, ack - old_una, now);
    move_state(c, now);
    return c->state == TERN_TCP_CLOSED ? TERN_ACK_DROP : TERN_ACK_GO_ON;
}
