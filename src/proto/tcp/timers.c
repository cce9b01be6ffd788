/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The timers of a connection: resend (RFC 6298 §5, and the window probe's: RFC 9293 §3.8.6.1),
 * what came late (RFC 8985 §6.3), the tail probe (§7.2), pacing, delayed ACK, waiting states,
 * giving up connecting, the cork's, and two that are no more than sums: the user timeout
 * (last.stuck_at and a setting) and the keep-alive's (keepalive.c), so that a changed setting holds
 * at once. One deadline tells of the earliest.
 *
 * User timeout (RFC 9293 §3.8.3; RFC 5482 §2): so long may bytes wait, unacknowledged or before a
 * closed window, while none of them is acknowledged. Where it is set it stands beside R2: whichever
 * is first ends the connection, without a reset, which would find nobody.
 */
#include "proto/tcp/internal.h"

bool tern_tcb_is_persisting(const struct tern_tcb *c)
{
    return tern_tcb_is_synchronised(c) && c->snd.end + c->snd.fin_queued > c->snd.una &&
           (c->snd.wnd == 0 || c->snd.nxt == c->snd.una);
}

/* It runs already, or starts now. */
void tern_tcb_timer_start_resend(struct tern_tcb *c, tern_time now)
{
    if (c->timer.resend == TERN_TIME_NEVER)
        c->timer.resend = now + c->rtt.rto;
    tern_tcb_note_stuck(c, now);
}

void tern_tcb_timer_arm_resend(struct tern_tcb *c, tern_time now)
{
    const bool outstanding = c->snd.nxt > c->snd.una;

    c->timer.resend = outstanding ? now + c->rtt.rto : TERN_TIME_NEVER; /* RFC 6298 §5.2, §5.3 */
    if (!outstanding)
        c->last.stuck_at = TERN_TIME_NEVER;
    else
        tern_tcb_note_stuck(c, now);
}

void tern_tcb_note_stuck(struct tern_tcb *c, tern_time now)
{
    if (c->last.stuck_at != TERN_TIME_NEVER && c->last.stuck_una == c->snd.una)
        return;
    c->last.stuck_at = now;
    c->last.stuck_una = c->snd.una;
}

void tern_tcb_start_fin_wait_2_timer(struct tern_tcb *c, tern_time now)
{
    c->timer.wait = now + (c->set.fin_wait_2 > 0 ? c->set.fin_wait_2 : TERN_TCP_FIN_WAIT_2_HOLD);
}

tern_time tern_tcb_user_deadline(const struct tern_tcb *c)
{
    if (c->set.user_timeout == 0 || c->last.stuck_at == TERN_TIME_NEVER)
        return TERN_TIME_NEVER;
    return c->last.stuck_at + c->set.user_timeout;
}

tern_time tern_tcb_deadline(const struct tern_tcb *c)
{
    tern_time at = c->timer.resend;
    const tern_time user_at = tern_tcb_user_deadline(c);
    const tern_time keep_at = tern_tcb_keep_deadline(c);

    at = user_at < at ? user_at : at;
    at = keep_at < at ? keep_at : at;
    at = c->timer.cork < at ? c->timer.cork : at;
    at = c->timer.delack < at ? c->timer.delack : at;
    at = c->timer.wait < at ? c->timer.wait : at;
    at = c->timer.reorder < at ? c->timer.reorder : at;
    at = c->timer.tail < at ? c->timer.tail : at;
    at = c->timer.pace < at ? c->timer.pace : at;
    return c->timer.give_up < at ? c->timer.give_up : at;
}

void tern_tcb_give_up(struct tern_tcb *c, tern_time now)
{
    const enum tern_err why = c->soft_error != TERN_ERR_OK ? c->soft_error : TERN_ERR_TIMEOUT;

    tern_tcb_finish(c, why, now);
}

static uint32_t retries_max(const struct tern_tcb *c)
{
    if (!tern_tcb_is_synchronised(c))
        return c->set.syn_retries > 0 ? c->set.syn_retries : TERN_TCP_SYN_RETRIES;
    return c->orphan ? TERN_TCP_ORPHAN_RETRIES : TERN_TCP_RETRIES;
}

static void probe(struct tern_tcb *c, tern_time now)
{
    /* A peer that answers (ack.c counts from zero then) may keep its window closed for ever
     * (RFC 9293 §3.8.6.1), unless nobody waits for it. */
    if (++c->loss.retries > retries_max(c)) {
        tern_tcb_give_up(c, now);
        return;
    }
    tern_rtt_backoff(&c->rtt);
    c->probe_due = true;
    c->timer.resend = now + (tern_time)tern_min_u64((uint64_t)c->rtt.rto, TERN_TCP_PERSIST_MAX);
}

static void resend(struct tern_tcb *c, tern_time now)
{
    c->timer.resend = TERN_TIME_NEVER;
    if (tern_tcb_is_persisting(c)) {
        probe(c, now);
        return;
    }
    if (++c->loss.retries > retries_max(c)) {
        tern_tcb_give_up(c, now);
        return;
    }
    if (c->loss.retries == TERN_TCP_R1) { /* RFC 9293 §3.8.3 (b), (e) */
        c->hop_doubted = true;
        c->events |= TERN_CONN_STALLED;
    }
    tern_rtt_backoff(&c->rtt); /* RFC 6298 §5.5 */
    if (!tern_tcb_is_synchronised(c)) {
        c->syn_due = true;
        return;
    }
    tern_tcb_mtu_on_rto(c, now);
    tern_tcb_loss_on_rto(c, now);
}

static void ack_later(struct tern_tcb *c, tern_time now)
{
    c->timer.delack = TERN_TIME_NEVER;
    c->ack.interactive = false; /* no answer came */
    if (c->ack.every == 0) {
        tern_tcb_ack_now(c, TERN_CAUSE_DELAYED_ACK);
        return;
    }
    c->ack.slow_nxt = tern_min_u64(c->rcv.nxt, c->ack.slow_nxt + c->rcv.piece_bytes);
    tern_tcb_ack_now(c, TERN_CAUSE_SLOW_ACK);
    if (c->ack.slow_nxt < c->rcv.nxt)
        c->timer.delack = now + c->ack.every;
}

static void expire(struct tern_tcb *c, tern_time now)
{
    if (tern_tcb_user_deadline(c) <= now)
        tern_tcb_give_up(c, now);
    if (c->timer.give_up <= now) {
        c->timer.give_up = TERN_TIME_NEVER;
        tern_tcb_give_up(c, now);
    }
    if (c->timer.wait <= now) {
        c->timer.wait = TERN_TIME_NEVER;
        tern_tcb_finish(c, TERN_ERR_OK, now);
    }
    if (c->timer.delack <= now)
        ack_later(c, now);
    if (c->timer.pace <= now)
        c->timer.pace = TERN_TIME_NEVER; /* output goes on by itself */
    if (c->timer.reorder <= now)
        tern_tcb_loss_on_reorder_timer(c, now);
    if (c->timer.tail <= now)
        tern_tcb_tlp_expire(c, now);
    if (c->timer.resend <= now)
        resend(c, now);
    if (c->timer.cork <= now) {
        c->timer.cork = TERN_TIME_NEVER;
        c->snd.short_to = c->snd.end;
        c->marks.unpushed_end = 0; /* nobody knows what comes when */
    }
    if (tern_tcb_keep_deadline(c) <= now)
        tern_tcb_keep_expire(c, now);
}

void tern_tcb_expire(struct tern_tcb *c, tern_time now)
{
    if (tern_tcb_is_observed(c))
        tern_tcb_observe_expire(c, now, expire);
    else
        expire(c, now);
}
