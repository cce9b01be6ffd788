/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The four timers of a connection: resend (RFC 6298 §5, and the window probe's: RFC 9293 §3.8.6.1),
 * delayed ACK, waiting states, and giving up connecting. One deadline tells of the earliest.
 */
#include "proto/tcp/internal.h"

static bool is_persisting(const struct tern_tcb *c)
{
    return tern_tcb_is_synchronised(c) && c->snd.end + c->snd.fin_queued > c->snd.una &&
           (c->snd.wnd == 0 || c->snd.nxt == c->snd.una);
}

void tern_tcb_timer_arm_resend(struct tern_tcb *c, tern_time now)
{
    const bool outstanding = c->snd.nxt > c->snd.una;

    c->timer.resend = outstanding ? now + c->rtt.rto : TERN_TIME_NEVER; /* RFC 6298 §5.2, §5.3 */
}

tern_time tern_tcb_deadline(const struct tern_tcb *c)
{
    tern_time at = c->timer.resend;

    at = c->timer.delack < at ? c->timer.delack : at;
    at = c->timer.wait < at ? c->timer.wait : at;
    return c->timer.give_up < at ? c->timer.give_up : at;
}

static void give_up(struct tern_tcb *c, tern_time now)
{
    const enum tern_err why = c->soft_error != TERN_ERR_OK ? c->soft_error : TERN_ERR_TIMEOUT;

    tern_tcb_finish(c, why, now);
}

static uint32_t retries_max(const struct tern_tcb *c)
{
    if (!tern_tcb_is_synchronised(c))
        return TERN_TCP_SYN_RETRIES;
    return c->orphan ? TERN_TCP_ORPHAN_RETRIES : TERN_TCP_RETRIES;
}

static void probe(struct tern_tcb *c, tern_time now)
{
    /* A peer that answers (ack.c counts from zero then) may keep its window closed for ever
     * (RFC 9293 §3.8.6.1), unless nobody waits for it. */
    if (++c->loss.retries > retries_max(c)) {
        give_up(c, now);
        return;
    }
    tern_rtt_backoff(&c->rtt);
    c->probe_due = true;
    c->timer.resend = now + (tern_time)tern_min_u64((uint64_t)c->rtt.rto, TERN_TCP_PERSIST_MAX);
}

static void resend(struct tern_tcb *c, tern_time now)
{
    c->timer.resend = TERN_TIME_NEVER;
    if (is_persisting(c)) {
        probe(c, now);
        return;
    }
    if (++c->loss.retries > retries_max(c)) {
        give_up(c, now);
        return;
    }
    tern_rtt_backoff(&c->rtt); /* RFC 6298 §5.5 */
    if (!tern_tcb_is_synchronised(c)) {
        c->syn_due = true;
        return;
    }
    tern_tcb_loss_on_rto(c, now);
}

static void ack_later(struct tern_tcb *c, tern_time now)
{
    c->timer.delack = TERN_TIME_NEVER;
    if (c->ack.every == 0) {
        tern_tcb_ack_now(c, TERN_CAUSE_DELAYED_ACK);
        return;
    }
    c->ack.slow_nxt = tern_min_u64(c->rcv.nxt, c->ack.slow_nxt + c->rcv.piece_bytes);
    tern_tcb_ack_now(c, TERN_CAUSE_SLOW_ACK);
    if (c->ack.slow_nxt < c->rcv.nxt)
        c->timer.delack = now + c->ack.every;
}

void tern_tcb_expire(struct tern_tcb *c, tern_time now)
{
    if (c->timer.give_up <= now) {
        c->timer.give_up = TERN_TIME_NEVER;
        give_up(c, now);
    }
    if (c->timer.wait <= now) {
        c->timer.wait = TERN_TIME_NEVER;
        tern_tcb_finish(c, TERN_ERR_OK, now);
    }
    if (c->timer.delack <= now)
        ack_later(c, now);
    if (c->timer.resend <= now)
        resend(c, now);
}
