/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Recovery from losses: what an ACK, a timer or a mark of the network does to the state of the
 * connection and to its congestion window (RFC 5681 §3.2, RFC 6582, RFC 6675 §5, RFC 8985, RFC
 * 3168 §6.1.2).
 *
 * With SACK it is RACK that says what is lost; for want of memory for its log, RFC 6675's count of
 * what arrived above. Without SACK the same machine runs NewReno: each duplicate ACK counts as one
 * segment that left the network, three of them mark the first segment lost, and so does each
 * partial ACK (RFC 6582 §3.2).
 */
#include "proto/tcp/internal.h"

static void set_state(struct tern_tcb *c, enum tern_tcp_recovery to, tern_time now)
{
    const enum tern_tcp_recovery from = c->loss.state;

    c->loss.state = to;
    tern_tcb_tell_recovery(c, from, now);
}

static void trace_loss(struct tern_tcb *c, enum tern_cause cause, tern_time now)
{
    struct tern_trace *t = tern_trace_push(c->env->traces, now, TERN_TRACE_LOSS, c->id);

    if (t == NULL)
        return;
    t->loss.cause = cause;
    t->loss.offset = c->snd.una - c->snd.iss - 1;
    t->loss.bytes = (uint32_t)tern_min_u64(c->loss.lost_below - c->snd.una, UINT32_MAX);
}

/* Not what limited transmit added since the first duplicate (RFC 5681 §3.2 (2)). */
static uint64_t flight_size(const struct tern_tcb *c)
{
    return tern_min_u64(c->snd.nxt - c->snd.una, c->cc.cwnd);
}

static void enter_fast(struct tern_tcb *c, tern_time now)
{
    const bool reduced = c->loss.state == TERN_RECOVERY_CWR;
    const uint64_t flight = flight_size(c);

    set_state(c, TERN_RECOVERY_FAST, now);
    c->loss.recover = c->snd.nxt;
    c->loss.first_due = true;
    c->timed.active = false;
    c->timer.tail = TERN_TIME_NEVER;
    c->tlp.out = false;
    c->count.fast_recoveries++;
    if (!reduced) { /* once a round trip: RFC 3168 §6.1.2 */
        tern_tcb_undo_arm(c);
        tern_tcb_ecn_reduced(c);
        c->cc_ops->on_loss(&c->cc, flight, now);
        tern_tcb_prr_start(c, flight);
    }
    trace_loss(c, c->opt.sack ? TERN_CAUSE_SACK_RETRANSMIT : TERN_CAUSE_FAST_RETRANSMIT, now);
}

/* RFC 6937 §3: wherever the proportional reduction has come to, it was to come to ssthresh. */
static void end_reduction(struct tern_tcb *c, tern_time now)
{
    if (!c->cc_ops->own_recovery)
        c->cc.cwnd = c->cc.ssthresh;
    c->cc_ops->on_recovered(&c->cc, now);
}

static void leave(struct tern_tcb *c, tern_time now)
{
    if (c->loss.state == TERN_RECOVERY_FAST || c->loss.state == TERN_RECOVERY_CWR)
        end_reduction(c, now);
    if (c->loss.state == TERN_RECOVERY_CWR)
        c->loss.recover = c->snd.una - 1; /* nothing was resent that duplicates could come of */
    else
        tern_tcb_rack_recovered(c); /* RFC 8985 §6.2 step 4: from losses only */
    set_state(c, TERN_RECOVERY_OPEN, now);
    c->undo.frto = TERN_FRTO_OFF;
    tern_tcb_score_open(c);
}

void tern_tcb_undo(struct tern_tcb *c, enum tern_undo_by by, tern_time now)
{
    const uint64_t cwnd = c->cc.cwnd;

    if (c->cc_ops->on_undo != NULL)
        c->cc_ops->on_undo(&c->cc, &c->undo.cc, now);
    else
        c->cc = c->undo.cc;
    c->cc.cwnd = tern_max_u64(c->cc.cwnd, cwnd);
    tern_tcb_mtu_fit_window(c);
    tern_tcb_ecn_undone(c);
    tern_tcb_undo_disarm(c);
    set_state(c, TERN_RECOVERY_OPEN, now);
    tern_tcb_score_open(c);
    tern_rtt_backoff_end(&c->rtt);
    if (c->timer.resend == TERN_TIME_NEVER) /* it ran out, and nothing went since to start it */
        tern_tcb_timer_arm_resend(c, now);
    c->count.undone++;
    tern_tcb_tell_undo(c, by, cwnd, now);
}

/* Did the flight that is acknowledged fill the window? In slow start half of it is enough, since it
 * was to double (RFC 7661 §4.2). */
static bool was_limited(const struct tern_tcb *c, uint64_t flight_before)
{
    const uint64_t old_una = c->snd.nxt - flight_before;

    return old_una < c->snd.limited_end ||
           (c->cc.cwnd < c->cc.ssthresh && c->cc.cwnd < 2 * c->snd.peak);
}

/* In slow start and congestion avoidance; in recovery only for those that see to it themselves. */
static void tell_controller(struct tern_tcb *c, const struct tern_delivery *d,
                            uint64_t flight_before, const struct tern_rate_sample *rate,
                            tern_time now)
{
    const struct tern_cc_ack ack = {
        .bytes = tern_min_u64(d->acked, d->delivered),
        .delivered_bytes = d->delivered,
        .delivered_total = c->delivered.total,
        .lost_bytes = d->lost,
        .in_flight = flight_before,
        .pipe = tern_tcb_pipe(c),
        .una = c->snd.una,
        .nxt = c->snd.nxt,
        .rtt = d->rtt,
        .rtt_min = c->rtt.rtt_min,
        .srtt = c->rtt.srtt,
        .now = now,
        .rate = *rate,
        .cwnd_limited = was_limited(c, flight_before),
        .in_recovery = c->loss.state != TERN_RECOVERY_OPEN,
    };

    if (c->cc_ops->own_recovery ? d->delivered + d->lost > 0 : d->acked > 0)
        c->cc_ops->on_ack(&c->cc, &ack);
}

/* Without SACK: three duplicates, or, in recovery, a partial ACK. Duplicates of what was resent
 * look like a loss behind it (RFC 6582 §3.2). */
static void detect_newreno(struct tern_tcb *c, const struct tern_delivery *d)
{
    const uint64_t first = c->snd.una + tern_tcb_segment_bytes(c);

    if (c->loss.state == TERN_RECOVERY_OPEN || c->loss.state == TERN_RECOVERY_CWR) {
        if (c->loss.dupacks >= TERN_TCP_DUPACKS &&
            (c->snd.una > c->loss.recover || c->loss.state == TERN_RECOVERY_CWR))
            tern_tcb_mark_lost(c, first);
    } else if (c->loss.state == TERN_RECOVERY_FAST && d->acked > 0 &&
               c->snd.una < c->loss.recover) {
        c->loss.lost_below = tern_min_u64(first, c->snd.nxt);
        c->loss.resent_below = c->snd.una;
        c->loss.first_due = true;
        if (d->acked >= tern_tcb_segment_bytes(c)) /* less one: no duplicate told of the copy */
            c->loss.dupacks -=
                (uint32_t)tern_min_u64(c->loss.dupacks, d->acked / tern_tcb_segment_bytes(c) - 1);
    }
}

static void detect(struct tern_tcb *c, const struct tern_delivery *d, tern_time now)
{
    if (!c->opt.sack)
        detect_newreno(c, d);
    else if (c->log != NULL)
        tern_tcb_rack_detect(c, now);
    else
        tern_tcb_mark_lost(c, tern_tcb_lost_by_sack(c));
}

static void count_duplicates(struct tern_tcb *c, struct tern_delivery *d, bool duplicate)
{
    if (duplicate) {
        c->count.dup_acks_in++;
        if (!c->opt.sack || d->delivered > 0)
            c->loss.dupacks++;
        if (!c->opt.sack) /* a segment left the network, though nobody knows which */
            d->delivered += tern_tcb_segment_bytes(c);
    } else if (d->acked > 0 && c->loss.state == TERN_RECOVERY_OPEN) {
        if (!c->opt.sack) { /* those that the duplicates told of are no news */
            const uint64_t told = c->loss.dupacks * (uint64_t)tern_tcb_segment_bytes(c);

            d->delivered -= tern_min_u64(d->delivered - 1, told);
        }
        c->loss.dupacks = 0;
    }
}

static void enter_if_lost(struct tern_tcb *c, tern_time now)
{
    if ((c->loss.state != TERN_RECOVERY_OPEN && c->loss.state != TERN_RECOVERY_CWR) ||
        tern_tcb_lost_bytes(c) == 0)
        return;
    if (tern_tcb_mtu_probe_lost(c)) /* which says nothing of congestion (RFC 4821 §7.7) */
        tern_tcb_mtu_probe_failed(c, now);
    else
        enter_fast(c, now);
}

static void reduce(struct tern_tcb *c, const struct tern_delivery *d)
{
    if ((c->loss.state == TERN_RECOVERY_FAST || c->loss.state == TERN_RECOVERY_CWR) &&
        !c->cc_ops->own_recovery)
        tern_tcb_prr_on_ack(c, d);
}

void tern_tcb_loss_on_ack(struct tern_tcb *c, const struct tern_segment *seg, uint64_t old_una,
                          bool duplicate, tern_time now)
{
    const uint64_t flight_before = c->snd.nxt - old_una;
    const bool was_open = c->loss.state == TERN_RECOVERY_OPEN;
    const bool was_loss = c->loss.state == TERN_RECOVERY_LOSS;
    struct tern_delivery d = {0};
    struct tern_rate_sample rate;
    enum tern_undo_by undo_by;
    uint64_t lost_before;
    bool may_grow;

    tern_tcb_score_ack(c, seg, old_una, &d, now);
    d.marked = tern_tcb_ecn_sends(c) && (seg->h.flags & TERN_TCP_ECE) != 0;
    tern_tcb_note_delivered(c, &d, &rate, now);
    count_duplicates(c, &d, duplicate);
    undo_by = tern_tcb_undo_try(c, seg, &d, duplicate);
    if (undo_by != TERN_UNDO_NONE) {
        /* What was held to be lost was late. RFC 8985 §6.2 step 3 does not see it where it was sent
         * again before it came, and without this the next is not waited for either. */
        if (c->loss.state == TERN_RECOVERY_FAST)
            c->rack.reordering_seen = true;
        tern_tcb_undo(c, undo_by, now);
    }
    if (tern_tcb_tlp_ack(c, seg, &d, duplicate) && was_open) {
        tern_tcb_undo_disarm(c);
        tern_tcb_tell_loss(c, TERN_LOSS_TAIL_PROBE, c->tlp.end - c->tlp.bytes, c->tlp.end, false,
                           now);
        tern_tcb_ecn_reduced(c);
        c->cc_ops->on_loss(&c->cc, flight_before, now);
        c->cc_ops->on_recovered(&c->cc, now);
    }
    if (c->loss.state != TERN_RECOVERY_OPEN && c->snd.una >= c->loss.recover)
        leave(c, now);
    lost_before = tern_tcb_lost_bytes(c);
    detect(c, &d, now);
    d.lost = tern_tcb_lost_bytes(c);
    d.lost = d.lost > lost_before ? d.lost - lost_before : 0;
    enter_if_lost(c, now);
    reduce(c, &d);
    may_grow = (was_open && c->loss.state == TERN_RECOVERY_OPEN) || was_loss;
    if ((may_grow && !d.marked) || c->cc_ops->own_recovery)
        tell_controller(c, &d, flight_before, &rate, now);
    if (d.acked > 0 || c->loss.state != TERN_RECOVERY_OPEN || c->timer.reorder != TERN_TIME_NEVER)
        tern_tcb_tlp_arm(c, now);
}

void tern_tcb_loss_on_reorder_timer(struct tern_tcb *c, tern_time now)
{
    const uint64_t lost_before = tern_tcb_lost_bytes(c);
    const uint64_t flight = c->snd.nxt - c->snd.una;
    const struct tern_rate_sample no_rate = {0};
    struct tern_delivery d = {0};

    c->timer.reorder = TERN_TIME_NEVER;
    tern_tcb_rack_detect(c, now);
    d.lost = tern_tcb_lost_bytes(c);
    d.lost = d.lost > lost_before ? d.lost - lost_before : 0;
    enter_if_lost(c, now);
    reduce(c, &d);
    if (c->cc_ops->own_recovery)
        tell_controller(c, &d, flight, &no_rate, now);
}

static void enter_loss(struct tern_tcb *c, enum tern_cause cause, tern_time now)
{
    set_state(c, TERN_RECOVERY_LOSS, now);
    c->loss.recover = c->snd.nxt;
    c->loss.resent_below = c->snd.una;
    tern_tcb_ranges_give(c, &c->loss.relost);
    c->loss.dupacks = 0;
    c->loss.first_due = false;
    c->timed.active = false;
    c->tlp.out = c->tlp.due = false;
    c->timer.tail = c->timer.reorder = TERN_TIME_NEVER;
    c->pace.next = now;
    trace_loss(c, cause, now);
    tern_tcb_tell_loss(c, cause == TERN_CAUSE_RTO ? TERN_LOSS_TIMEOUT : TERN_LOSS_PATH_MTU,
                       c->snd.una, c->loss.lost_below, false, now);
}

void tern_tcb_loss_below(struct tern_tcb *c, uint64_t below, enum tern_cause cause, tern_time now)
{
    tern_tcb_undo_disarm(c);
    c->loss.lost_below = below;
    enter_loss(c, cause, now);
}

void tern_tcb_loss_of_all(struct tern_tcb *c, enum tern_cause cause, tern_time now)
{
    tern_tcb_loss_below(c, c->snd.nxt, cause, now);
}

void tern_tcb_loss_on_rto(struct tern_tcb *c, tern_time now)
{
    const bool fresh = c->loss.state != TERN_RECOVERY_LOSS;
    const bool first = fresh || c->loss.retries <= 1; /* probes of an orphan's count as retries */

    tern_tcb_score_renege(c);
    if (first && fresh) {
        const bool undoable = c->loss.state == TERN_RECOVERY_OPEN || !c->undo.armed;

        if (undoable)
            tern_tcb_undo_arm(c);
        /* where recovery was not over something was lost (RFC 5682 §3.1 (1)) */
        c->undo.frto = c->loss.state == TERN_RECOVERY_FAST ? TERN_FRTO_OFF : TERN_FRTO_RESENT;
    } else {
        c->undo.frto = TERN_FRTO_OFF;
    }
    c->cc_ops->on_rto(&c->cc, c->snd.nxt - c->snd.una, first, now);
    c->count.rtos++;
    tern_tcb_ecn_reduced(c);
    c->loss.lost_below = tern_tcb_rack_old_below(c, now);
    enter_loss(c, TERN_CAUSE_RTO, now);
    c->loss.first_due = true;
}

void tern_tcb_loss_take_over(struct tern_tcb *c, tern_time now)
{
    const uint64_t flight = flight_size(c);

    TERN_ASSERT(c->loss.state != TERN_RECOVERY_OPEN);
    if (c->loss.state == TERN_RECOVERY_LOSS) {
        c->cc_ops->on_rto(&c->cc, flight, true, now);
    } else {
        c->cc_ops->on_loss(&c->cc, flight, now);
        tern_tcb_prr_start(c, flight);
    }
}

void tern_tcb_loss_on_mark(struct tern_tcb *c, uint64_t flight, tern_time now)
{
    const bool in_flight = c->snd.nxt > c->snd.una; /* ACKs to come bring cwnd down evenly */

    flight = tern_min_u64(flight, c->cc.cwnd);
    TERN_ASSERT(c->loss.state == TERN_RECOVERY_OPEN);
    if (in_flight)
        set_state(c, TERN_RECOVERY_CWR, now);
    c->loss.recover = in_flight ? c->snd.nxt : c->snd.una - 1; /* as leave() has it */
    c->count.ecn_reductions++;
    if (c->cc_ops->on_ecn != NULL)
        c->cc_ops->on_ecn(&c->cc, flight, now);
    else
        c->cc_ops->on_loss(&c->cc, flight, now);
    if (in_flight)
        tern_tcb_prr_start(c, flight);
    else
        c->cc_ops->on_recovered(&c->cc, now);
}
