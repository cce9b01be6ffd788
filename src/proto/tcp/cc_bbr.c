/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BBR, version 3, as draft-ietf-ccwg-bbr-05 describes it: sections (§) here are the draft's.
 *
 * It does not wait for losses. It measures how fast the path delivers (max_bw) and how long it
 * takes when empty (min_rtt), paces at the one, and keeps about their product in flight. The model
 * is in cc_bbr_model.c; this is the state machine that goes round to keep it true:
 *
 *   STARTUP     doubles the rate until it stops growing, or losses say that the pipe is full
 *   DRAIN       empties the queue that this made
 *   DOWN        below the rate, until the queue is gone and, after losses, some room is left
 *   CRUISE      at the rate, for 2 to 3 seconds or as many rounds as Reno would need
 *   REFILL      a round with all bounds lifted that recent losses had set
 *   UP          a quarter faster, until the rate does not grow or more than 2 % are lost
 *   PROBE_RTT   half a BDP in flight for 200 ms, where 5 s brought no RTT as low as the least
 *
 * Losses and recovery: the engine resends; cwnd is BBR's own all the while (own_recovery). Losses
 * while probing set inflight_longterm, others lower the short-term bounds; a timeout takes cwnd to
 * a segment, and the end of a recovery gives back what it was before.
 *
 * Where tern differs from the draft: losses are counted by rounds and not by the packet that was
 * lost, since the engine tells of bytes; a mark of ECN, which the draft leaves open, counts as too
 * many losses (RFC 3168 §6.1.2); a pause ends the count of ACKs in lumps, which would add up over
 * many; and chance is a hash of what was delivered, so that runs repeat (docs/decisions/0023).
 */
#include "proto/tcp/cc_bbr.h"
#include "base/assert.h"

#define MIN_PIPE_SEGMENTS   4 /* §2.7 */
#define BETA_PERCENT        70
#define HEADROOM_PERCENT    15
#define PACING_MARGIN       99 /* §2.4: a percent below */
#define PROBE_RTT_DURATION  (200 * TERN_MS)
#define PROBE_WAIT_MIN      (2 * TERN_SECOND) /* §5.3.3.5.3 */
#define PROBE_WAIT_MORE     TERN_SECOND
#define RENO_ROUNDS_MAX     63
#define STARTUP_LOSS_EVENTS 6 /* §5.3.1.3 */
#define DRAIN_ROUNDS        3
#define QUANTUM_MAX         65536 /* §5.6.3 */
#define OFFLOAD_QUANTA      3     /* §5.5.8.1 */
#define UP_ROUNDS_MAX       30

/* §5.6.1, in percent, by enum tern_bbr_state */
static const uint16_t pacing_gain[] = {277, 50, 90, 100, 100, 125, 100};
static const uint16_t cwnd_gain[] = {200, 200, 200, 200, 200, 225, 50};

static uint64_t min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t max_u64(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static uint32_t max_u32(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

static uint64_t percent(uint64_t v, uint64_t p)
{
    return v / 100 * p + v % 100 * p / 100;
}

static uint64_t min_pipe(const struct tern_cc_state *s)
{
    return MIN_PIPE_SEGMENTS * (uint64_t)s->mss;
}

static void enter(struct tern_cc_state *s, enum tern_bbr_state to)
{
    s->bbr.state = (uint8_t)to;
    s->bbr.rounds_in_state = 0;
}

/* §5.6.4.2: room for the segments that offloads hold back. */
static uint64_t with_budget(const struct tern_cc_state *s, uint64_t inflight)
{
    uint64_t quantum = min_u64(tern_bbr_bytes(s->pacing_rate, TERN_MS), QUANTUM_MAX);

    quantum = max_u64(quantum, 2 * (uint64_t)s->mss);
    inflight = max_u64(max_u64(inflight, OFFLOAD_QUANTA * quantum), min_pipe(s));
    return s->bbr.state == TERN_BBR_UP ? inflight + 2 * (uint64_t)s->mss : inflight;
}

/* §5.3.3.6 */
static uint64_t target_inflight(const struct tern_cc_state *s)
{
    return min_u64(tern_bbr_bdp(s), s->cwnd);
}

static uint64_t with_headroom(const struct tern_cc_state *s)
{
    const uint64_t bound = s->bbr.inflight_longterm;
    const uint64_t headroom = max_u64(s->mss, percent(bound, HEADROOM_PERCENT));

    if (bound == TERN_BBR_NO_INFLIGHT)
        return UINT64_MAX;
    return bound > headroom + min_pipe(s) ? bound - headroom : min_pipe(s);
}

static uint64_t probe_rtt_cwnd(const struct tern_cc_state *s)
{
    return max_u64(percent(tern_bbr_bdp(s), cwnd_gain[TERN_BBR_PROBE_RTT]), min_pipe(s));
}

/* §5.6.4.4 */
static void save_cwnd(struct tern_cc_state *s)
{
    const uint32_t cwnd = tern_bbr_clamp(s->cwnd);

    if (!s->bbr.in_recovery && s->bbr.state != TERN_BBR_PROBE_RTT)
        s->bbr.prior_cwnd = cwnd;
    else if (cwnd > s->bbr.prior_cwnd)
        s->bbr.prior_cwnd = cwnd;
}

/* §5.3.3.5.3: when to probe again, a little different each time. */
static void pick_probe_wait(struct tern_cc_state *s)
{
    uint64_t chance = (s->bbr.delivered + 1) * UINT64_C(0x9e3779b97f4a7c15);

    chance = (chance ^ (chance >> 29)) * UINT64_C(0xbf58476d1ce4e5b9);
    s->bbr.rounds_since_probe = (uint8_t)(chance >> 63);
    s->bbr.bw_probe_wait = PROBE_WAIT_MIN + (tern_time)((chance >> 16) % (uint64_t)PROBE_WAIT_MORE);
}

static void start_down(struct tern_cc_state *s, tern_time now)
{
    tern_bbr_signals_reset(s);
    pick_probe_wait(s);
    s->bbr.cycle_stamp = now;
    s->bbr.acks_of = TERN_BBR_ACKS_STOPPING;
    tern_bbr_round_restart(s);
    enter(s, TERN_BBR_DOWN);
}

static void start_refill(struct tern_cc_state *s)
{
    tern_bbr_short_term_reset(s);
    s->bbr.up_rounds = 0;
    s->bbr.up_acked = 0;
    s->bbr.acks_of = TERN_BBR_ACKS_REFILLING;
    tern_bbr_round_restart(s);
    enter(s, TERN_BBR_REFILL);
}

static void start_up(struct tern_cc_state *s, const struct tern_cc_ack *ack)
{
    s->bbr.bw_probe_samples = true;
    s->bbr.acks_of = TERN_BBR_ACKS_STARTING;
    tern_bbr_round_restart(s);
    tern_bbr_full_bw_reset(s, tern_bbr_rate(ack));
    enter(s, TERN_BBR_UP);
}

/* §5.3.1.3 */
static void check_startup_losses(struct tern_cc_state *s, const struct tern_cc_ack *ack)
{
    const bool losses = s->bbr.loss_round_start && s->bbr.in_recovery &&
                        s->bbr.loss_events >= STARTUP_LOSS_EVENTS && tern_bbr_too_much_lost(s, ack);

    if (!losses && !s->bbr.marked)
        return;
    s->bbr.full_bw_reached = true;
    s->bbr.inflight_longterm = tern_bbr_clamp(max_u64(tern_bbr_bdp(s), s->bbr.inflight_latest));
}

static void check_startup_and_drain(struct tern_cc_state *s, const struct tern_cc_ack *ack)
{
    if (s->bbr.state == TERN_BBR_STARTUP) {
        check_startup_losses(s, ack);
        if (s->bbr.full_bw_reached)
            enter(s, TERN_BBR_DRAIN);
    }
    if (s->bbr.state == TERN_BBR_DRAIN &&
        (ack->pipe <= with_budget(s, tern_bbr_bdp(s)) || s->bbr.rounds_in_state > DRAIN_ROUNDS))
        start_down(s, ack->now);
}

/* The engine takes half a window for a full one in slow start, where it doubles; here it does not.
 */
static bool is_cwnd_limited(const struct tern_cc_state *s, const struct tern_cc_ack *ack)
{
    const uint64_t before = ack->pipe + ack->delivered_bytes + ack->lost_bytes;

    return ack->cwnd_limited && before + 3 * (uint64_t)s->mss > s->cwnd;
}

/* §5.5.10.2: once each time that it probes. */
static void inflight_too_high(struct tern_cc_state *s, const struct tern_cc_ack *ack)
{
    s->bbr.bw_probe_samples = false;
    if (!tern_bbr_is_limited(s, ack))
        s->bbr.inflight_longterm = tern_bbr_clamp(
            max_u64(ack->rate.in_flight_at_send, percent(target_inflight(s), BETA_PERCENT)));
    if (s->bbr.state == TERN_BBR_UP)
        start_down(s, ack->now);
}

/* §5.3.3.6: one segment more in the first round, two in the second, four … */
static void raise_inflight_longterm(struct tern_cc_state *s, const struct tern_cc_ack *ack)
{
    struct tern_bbr *b = &s->bbr;
    const uint64_t each = max_u64(s->cwnd >> b->up_rounds, s->mss);

    if (!is_cwnd_limited(s, ack) || s->cwnd < b->inflight_longterm)
        return;
    b->up_acked = tern_bbr_clamp(b->up_acked + ack->delivered_bytes);
    b->inflight_longterm =
        tern_bbr_clamp(b->inflight_longterm + b->up_acked / each * (uint64_t)s->mss);
    b->up_acked = (uint32_t)(b->up_acked % each);
    if (b->round_start && b->up_rounds < UP_ROUNDS_MAX)
        b->up_rounds++;
}

/* §5.3.3.6: what a probe's answers say of max_bw and inflight_longterm. */
static void adapt_long_term(struct tern_cc_state *s, const struct tern_cc_ack *ack)
{
    struct tern_bbr *b = &s->bbr;

    if (b->acks_of == TERN_BBR_ACKS_STARTING && b->round_start)
        b->acks_of = TERN_BBR_ACKS_FEEDBACK;
    if (b->acks_of == TERN_BBR_ACKS_STOPPING && b->round_start) {
        b->acks_of = TERN_BBR_ACKS_PLAIN;
        b->bw_probe_samples = false;
        if (tern_bbr_is_probe_bw(s) && !tern_bbr_is_limited(s, ack)) {
            b->max_bw[1] = b->max_bw[0]; /* §5.5.6: the next cycle */
            b->max_bw[0] = 0;
        }
    }
    if (tern_bbr_too_much_lost(s, ack)) {
        if (b->bw_probe_samples)
            inflight_too_high(s, ack);
        return;
    }
    if (b->inflight_longterm == TERN_BBR_NO_INFLIGHT)
        return;
    if (ack->rate.delivered > 0 && ack->rate.in_flight_at_send > b->inflight_longterm)
        b->inflight_longterm = tern_bbr_clamp(ack->rate.in_flight_at_send);
    if (b->state == TERN_BBR_UP)
        raise_inflight_longterm(s, ack);
}

/* §5.3.3.5.3 */
static bool is_time_to_probe(const struct tern_cc_state *s, tern_time now)
{
    const uint64_t reno_rounds = target_inflight(s) / s->mss;

    return now > s->bbr.cycle_stamp + s->bbr.bw_probe_wait ||
           s->bbr.rounds_since_probe >= min_u64(reno_rounds, RENO_ROUNDS_MAX);
}

static bool is_time_to_cruise(const struct tern_cc_state *s, const struct tern_cc_ack *ack)
{
    const uint64_t bdp = s->bbr.min_rtt == TERN_TIME_NEVER
                             ? tern_bbr_bdp(s)
                             : tern_bbr_bytes(tern_bbr_max_bw(s), s->bbr.min_rtt);

    return ack->pipe <= with_headroom(s) && ack->pipe <= with_budget(s, bdp);
}

/* §5.3.3.6: where inflight_longterm is what holds it, the rate says nothing of the path. */
static bool is_time_to_go_down(struct tern_cc_state *s, const struct tern_cc_ack *ack)
{
    if (is_cwnd_limited(s, ack) && s->cwnd >= s->bbr.inflight_longterm) {
        tern_bbr_full_bw_reset(s, tern_bbr_rate(ack));
        return false;
    }
    return s->bbr.full_bw_now;
}

static void cycle(struct tern_cc_state *s, const struct tern_cc_ack *ack)
{
    if (!s->bbr.full_bw_reached)
        return;
    adapt_long_term(s, ack);
    switch ((enum tern_bbr_state)s->bbr.state) {
    case TERN_BBR_DOWN:
        if (is_time_to_probe(s, ack->now))
            start_refill(s);
        else if (is_time_to_cruise(s, ack))
            enter(s, TERN_BBR_CRUISE);
        break;
    case TERN_BBR_CRUISE:
        if (is_time_to_probe(s, ack->now))
            start_refill(s);
        break;
    case TERN_BBR_REFILL:
        if (s->bbr.round_start)
            start_up(s, ack);
        break;
    case TERN_BBR_UP:
        if (is_time_to_go_down(s, ack))
            start_down(s, ack->now);
        break;
    case TERN_BBR_STARTUP:
    case TERN_BBR_DRAIN:
    case TERN_BBR_PROBE_RTT:
        break;
    }
}

/* §5.3.4.3, §5.3.4.4 */
static void check_probe_rtt_done(struct tern_cc_state *s, tern_time now)
{
    if (s->bbr.probe_rtt_done_stamp == TERN_TIME_NEVER || now <= s->bbr.probe_rtt_done_stamp)
        return;
    s->bbr.probe_rtt_min_stamp = now;
    s->bbr.ignore_rounds = 2;
    s->cwnd = max_u64(s->cwnd, s->bbr.prior_cwnd);
    tern_bbr_short_term_reset(s);
    if (!s->bbr.full_bw_reached) {
        enter(s, TERN_BBR_STARTUP);
        return;
    }
    start_down(s, now);
    enter(s, TERN_BBR_CRUISE); /* the queue is empty already */
}

static void probe_rtt(struct tern_cc_state *s, const struct tern_cc_ack *ack)
{
    struct tern_bbr *b = &s->bbr;

    if (b->probe_rtt_done_stamp == TERN_TIME_NEVER) {
        if (ack->pipe > probe_rtt_cwnd(s))
            return;
        b->probe_rtt_done_stamp = ack->now + PROBE_RTT_DURATION;
        b->probe_rtt_round_done = false;
        tern_bbr_round_restart(s);
        return;
    }
    if (b->round_start)
        b->probe_rtt_round_done = true;
    if (b->probe_rtt_round_done)
        check_probe_rtt_done(s, ack->now);
}

static void check_probe_rtt(struct tern_cc_state *s, const struct tern_cc_ack *ack)
{
    struct tern_bbr *b = &s->bbr;

    if (b->state != TERN_BBR_PROBE_RTT && b->probe_rtt_expired && !b->idle_restart) {
        save_cwnd(s);
        enter(s, TERN_BBR_PROBE_RTT);
        b->probe_rtt_done_stamp = TERN_TIME_NEVER;
        b->acks_of = TERN_BBR_ACKS_STOPPING;
        tern_bbr_round_restart(s);
    }
    if (b->state == TERN_BBR_PROBE_RTT)
        probe_rtt(s, ack);
    if (ack->rate.delivered > 0)
        b->idle_restart = false;
}

/* §5.6.2: until the pipe was full once, upward only. */
static void set_pacing_rate(struct tern_cc_state *s, uint64_t gain)
{
    const uint64_t rate = percent(percent(tern_bbr_bw(s), gain), PACING_MARGIN);

    if (rate > 0 && (s->bbr.full_bw_reached || rate > s->pacing_rate))
        s->pacing_rate = rate;
}

/* §5.6.4.7 */
static uint64_t model_bound(const struct tern_cc_state *s)
{
    uint64_t bound = UINT64_MAX;

    if (s->bbr.state == TERN_BBR_CRUISE || s->bbr.state == TERN_BBR_PROBE_RTT)
        bound = with_headroom(s);
    else if (s->bbr.state != TERN_BBR_STARTUP && s->bbr.inflight_longterm != TERN_BBR_NO_INFLIGHT)
        bound = s->bbr.inflight_longterm;
    if (s->bbr.inflight_shortterm != TERN_BBR_NO_INFLIGHT)
        bound = min_u64(bound, s->bbr.inflight_shortterm);
    return max_u64(bound, min_pipe(s));
}

/* §5.6.4.6 */
static void set_cwnd(struct tern_cc_state *s, const struct tern_cc_ack *ack)
{
    const uint64_t extra = max_u64(s->bbr.extra_acked[0], s->bbr.extra_acked[1]);
    const uint64_t most = with_budget(s, percent(tern_bbr_bdp(s), cwnd_gain[s->bbr.state]) + extra);

    if (s->bbr.full_bw_reached)
        s->cwnd = min_u64(s->cwnd + ack->delivered_bytes, most);
    else if (s->cwnd < most || ack->delivered_total < tern_cc_initial_window(s->mss))
        s->cwnd += ack->delivered_bytes;
    s->cwnd = max_u64(s->cwnd, min_pipe(s));
    if (s->bbr.state == TERN_BBR_PROBE_RTT)
        s->cwnd = min_u64(s->cwnd, probe_rtt_cwnd(s));
    s->cwnd = min_u64(s->cwnd, model_bound(s));
    TERN_ASSERT(s->cwnd >= s->mss);
}

static void bbr_init(struct tern_cc_state *s, uint32_t mss)
{
    tern_cc_start(s, mss);
    enter(s, TERN_BBR_STARTUP);
    tern_bbr_short_term_reset(s);
    s->bbr.inflight_longterm = TERN_BBR_NO_INFLIGHT;
    s->bbr.min_rtt = s->bbr.probe_rtt_min_delay = TERN_TIME_NEVER;
    s->bbr.probe_rtt_done_stamp = TERN_TIME_NEVER;
}

/* §5.2.1, as soon as there is a clock: the handshake has measured an RTT by then. */
static void first_ack(struct tern_cc_state *s, const struct tern_cc_ack *ack)
{
    struct tern_bbr *b = &s->bbr;
    const tern_time rtt = ack->srtt > 0 ? ack->srtt : TERN_MS;
    const uint64_t window = percent(s->cwnd, pacing_gain[TERN_BBR_STARTUP]);

    b->started = true;
    if (ack->rtt_min > 0)
        b->min_rtt = b->probe_rtt_min_delay = ack->rtt_min;
    b->min_rtt_stamp = b->probe_rtt_min_stamp = ack->now;
    b->extra_acked_start = b->cycle_stamp = ack->now;
    s->pacing_rate = (uint64_t)((double)window * (double)TERN_SECOND / (double)rtt);
}

static void bbr_on_recovered(struct tern_cc_state *s, tern_time now)
{
    (void)now;
    s->bbr.in_recovery = false;
    s->cwnd = min_u64(max_u64(s->cwnd, s->bbr.prior_cwnd), model_bound(s));
}

static void bbr_on_ack(struct tern_cc_state *s, const struct tern_cc_ack *ack)
{
    if (!s->bbr.started)
        first_ack(s, ack);
    if (s->bbr.in_recovery && !ack->in_recovery) /* of a timeout's end nobody tells */
        bbr_on_recovered(s, ack->now);
    tern_bbr_model_update(s, ack);
    check_startup_and_drain(s, ack);
    cycle(s, ack);
    check_probe_rtt(s, ack);
    tern_bbr_model_advance(s, ack);
    set_pacing_rate(s, pacing_gain[s->bbr.state]);
    set_cwnd(s, ack);
}

static void enter_recovery(struct tern_cc_state *s)
{
    save_cwnd(s);
    s->bbr.in_recovery = true;
}

/* §5.6.4.4: cwnd stays; the ACKs of the round lower the bounds. */
static void bbr_on_loss(struct tern_cc_state *s, uint64_t in_flight, tern_time now)
{
    (void)in_flight;
    (void)now;
    enter_recovery(s);
}

static void bbr_on_ecn(struct tern_cc_state *s, uint64_t in_flight, tern_time now)
{
    (void)in_flight;
    (void)now;
    enter_recovery(s);
    s->bbr.marked = true;
}

static void bbr_on_rto(struct tern_cc_state *s, uint64_t in_flight, bool first, tern_time now)
{
    (void)first;
    (void)now;
    enter_recovery(s);
    tern_bbr_note_loss(s, in_flight);
    s->cwnd = s->mss;
}

/* The draft's BBRHandleSpuriousLossDetection(): the bounds that losses had set are as they were;
 * what was measured meanwhile stays. */
static void bbr_on_undo(struct tern_cc_state *s, const struct tern_cc_state *was, tern_time now)
{
    struct tern_bbr *b = &s->bbr;

    (void)now;
    b->in_recovery = false;
    b->loss_in_round = false;
    tern_bbr_full_bw_reset(s, 0);
    b->bw_shortterm = max_u64(b->bw_shortterm, was->bbr.bw_shortterm);
    b->inflight_shortterm = max_u32(b->inflight_shortterm, was->bbr.inflight_shortterm);
    b->inflight_longterm = max_u32(b->inflight_longterm, was->bbr.inflight_longterm);
    s->cwnd = max_u64(s->cwnd, was->cwnd);
    if (was->bbr.state == TERN_BBR_STARTUP && b->state != TERN_BBR_PROBE_RTT) {
        b->full_bw_reached = false;
        enter(s, TERN_BBR_STARTUP);
    }
}

/* §5.4.1, each time that nothing is in flight: the model is kept, and the next flight paced at
 * exactly the rate; whatever queue there was is gone, and ProbeRTT not needed. */
static void bbr_on_restart(struct tern_cc_state *s, tern_time idle, tern_time rto, tern_time now)
{
    (void)idle;
    (void)rto;
    s->bbr.idle_restart = true;
    s->bbr.extra_acked_start = now;
    s->bbr.extra_acked_delivered = 0;
    if (tern_bbr_is_probe_bw(s))
        set_pacing_rate(s, 100);
    else if (s->bbr.state == TERN_BBR_PROBE_RTT)
        check_probe_rtt_done(s, now);
}

const struct tern_cc_ops tern_cc_bbr = {
    .name = "bbr",
    .own_recovery = true,
    .any_pause = true,
    .init = bbr_init,
    .on_ack = bbr_on_ack,
    .on_loss = bbr_on_loss,
    .on_ecn = bbr_on_ecn,
    .on_rto = bbr_on_rto,
    .on_recovered = bbr_on_recovered,
    .on_undo = bbr_on_undo,
    .on_restart = bbr_on_restart,
};
