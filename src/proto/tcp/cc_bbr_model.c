/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BBR's model of the path (draft-ietf-ccwg-bbr-05 §5.5): what each ACK teaches, whatever the
 * state machine in cc_bbr.c makes of it.
 *
 * - max_bw: the highest delivery rate of this ProbeBW cycle and the one before (§5.5.2).
 * - min_rtt: the least RTT of the last ten seconds (§5.5.7); their product is the BDP.
 * - extra_acked: by how much ACKs come in lumps (§5.5.9), a maximum over five to ten rounds.
 * - the short-term bounds, bw_shortterm and inflight_shortterm: what still got through in rounds
 *   with losses that BBR did not provoke (§5.5.10.3), never less than 0.7 of what was before.
 * - inflight_longterm, which cc_bbr.c moves: how much may stand in the network before it
 *   loses more than 2 %.
 *
 * A round ends with the ACK of a packet that was sent after the round began, told by the count of
 * delivered bytes; a loss round likewise, begun anew by the first loss in it. Rates are bytes a
 * second.
 */
#include "base/assert.h"
#include "proto/tcp/cc_bbr.h"

#define BETA_PERCENT       70 /* §2.7 */
#define LOSS_PERCENT       2  /* §2.7: LossThresh */
#define FULL_BW_ROUNDS     3
#define MIN_RTT_WINDOW     (10 * TERN_SECOND)
#define PROBE_RTT_INTERVAL (5 * TERN_SECOND)
#define EXTRA_ROUNDS       5 /* in each of two slots: ExtraAckedFilterLen is 10 */

static uint64_t max_u64(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

uint32_t tern_bbr_clamp(uint64_t bytes)
{
    return bytes < TERN_BBR_NO_INFLIGHT ? (uint32_t)bytes : TERN_BBR_NO_INFLIGHT - 1;
}

/* Microseconds, so that 2^64 is not reached by 100 Gbit/s times a minute. */
uint64_t tern_bbr_bytes(uint64_t rate, tern_time time)
{
    const uint64_t us = (uint64_t)(time / TERN_US);

    TERN_ASSERT(time >= 0);
    if (us > 0 && rate > UINT64_MAX / us)
        return UINT64_MAX / 1000000;
    return rate * us / 1000000;
}

/* §4.1.2.3: an interval below the least RTT is no reliable one. */
uint64_t tern_bbr_rate(const struct tern_cc_ack *ack)
{
    const struct tern_rate_sample *r = &ack->rate;

    if (r->delivered == 0 || r->interval <= 0)
        return 0;
    if (ack->rtt_min != TERN_TIME_NEVER && r->interval < ack->rtt_min)
        return 0;
    return (uint64_t)((double)r->delivered * (double)TERN_SECOND / (double)r->interval);
}

uint64_t tern_bbr_max_bw(const struct tern_cc_state *s)
{
    return max_u64(s->bbr.max_bw[0], s->bbr.max_bw[1]);
}

uint64_t tern_bbr_bw(const struct tern_cc_state *s)
{
    const uint64_t max_bw = tern_bbr_max_bw(s);

    return max_bw < s->bbr.bw_shortterm ? max_bw : s->bbr.bw_shortterm;
}

uint64_t tern_bbr_bdp(const struct tern_cc_state *s)
{
    if (s->bbr.min_rtt == TERN_TIME_NEVER)
        return tern_cc_initial_window(s->mss);
    return tern_bbr_bytes(tern_bbr_bw(s), s->bbr.min_rtt);
}

bool tern_bbr_is_probe_bw(const struct tern_cc_state *s)
{
    return s->bbr.state >= TERN_BBR_DOWN && s->bbr.state <= TERN_BBR_UP;
}

bool tern_bbr_is_probing(const struct tern_cc_state *s)
{
    return s->bbr.state == TERN_BBR_STARTUP || s->bbr.state == TERN_BBR_REFILL ||
           s->bbr.state == TERN_BBR_UP;
}

void tern_bbr_round_restart(struct tern_cc_state *s)
{
    s->bbr.next_round_delivered = s->bbr.delivered;
}

void tern_bbr_full_bw_reset(struct tern_cc_state *s, uint64_t rate)
{
    s->bbr.full_bw = rate;
    s->bbr.full_bw_count = 0;
    s->bbr.full_bw_now = false;
}

void tern_bbr_short_term_reset(struct tern_cc_state *s)
{
    s->bbr.bw_shortterm = TERN_BBR_NO_RATE;
    s->bbr.inflight_shortterm = TERN_BBR_NO_INFLIGHT;
}

void tern_bbr_signals_reset(struct tern_cc_state *s)
{
    s->bbr.loss_in_round = false;
    s->bbr.lost_in_round = 0;
    s->bbr.bw_latest = 0;
    s->bbr.inflight_latest = 0;
}

bool tern_bbr_too_much_lost(const struct tern_cc_state *s, const struct tern_cc_ack *ack)
{
    const uint64_t flight = ack->rate.delivered > 0 ? ack->rate.in_flight_at_send : ack->in_flight;

    return s->bbr.marked || s->bbr.lost_in_round * UINT64_C(100) > flight * LOSS_PERCENT;
}

void tern_bbr_note_loss(struct tern_cc_state *s, uint64_t bytes)
{
    if (bytes == 0)
        return;
    if (!s->bbr.loss_in_round)
        s->bbr.loss_round_delivered = s->bbr.delivered;
    s->bbr.loss_in_round = true;
    s->bbr.lost_in_round = tern_bbr_clamp(s->bbr.lost_in_round + bytes);
    if (s->bbr.loss_events < UINT8_MAX)
        s->bbr.loss_events++;
}

/* §5.5.10.3 */
static void latest_signals(struct tern_cc_state *s, const struct tern_cc_ack *ack)
{
    const uint32_t delivered = tern_bbr_clamp(ack->rate.delivered);

    s->bbr.loss_round_start = false;
    s->bbr.bw_latest = max_u64(s->bbr.bw_latest, tern_bbr_rate(ack));
    if (delivered > s->bbr.inflight_latest)
        s->bbr.inflight_latest = delivered;
    if (ack->rate.delivered > 0 && ack->rate.prior_delivered >= s->bbr.loss_round_delivered) {
        s->bbr.loss_round_delivered = ack->delivered_total;
        s->bbr.loss_round_start = true;
    }
}

static void count_round(uint8_t *rounds)
{
    if (*rounds < UINT8_MAX)
        (*rounds)++;
}

/* §5.5.1 */
static void update_round(struct tern_cc_state *s, const struct tern_cc_ack *ack)
{
    s->bbr.round_start = false;
    if (ack->rate.delivered == 0 || ack->rate.prior_delivered < s->bbr.next_round_delivered)
        return;
    tern_bbr_round_restart(s);
    s->bbr.round_start = true;
    count_round(&s->bbr.rounds_since_probe);
    count_round(&s->bbr.rounds_in_state);
    if (s->bbr.ignore_rounds > 0)
        s->bbr.ignore_rounds--;
}

bool tern_bbr_is_limited(const struct tern_cc_state *s, const struct tern_cc_ack *ack)
{
    return ack->rate.is_app_limited || s->bbr.ignore_rounds > 0 ||
           s->bbr.state == TERN_BBR_PROBE_RTT;
}

/* §5.5.5: what the application held back counts only if it is more. */
static void update_max_bw(struct tern_cc_state *s, const struct tern_cc_ack *ack)
{
    const uint64_t rate = tern_bbr_rate(ack);

    if (rate > s->bbr.max_bw[0] && (rate >= tern_bbr_max_bw(s) || !tern_bbr_is_limited(s, ack)))
        s->bbr.max_bw[0] = rate;
}

/* §5.5.10.3: once a round with losses that were not provoked, or a mark, which the engine tells of
 * once a round. */
static void lower_bounds(struct tern_cc_state *s)
{
    struct tern_bbr *b = &s->bbr;

    if (!b->loss_round_start && !b->marked)
        return;
    if ((b->loss_in_round || b->marked) && !tern_bbr_is_probing(s)) {
        const uint64_t bw =
            b->bw_shortterm == TERN_BBR_NO_RATE ? tern_bbr_max_bw(s) : b->bw_shortterm;
        const uint64_t inflight =
            b->inflight_shortterm == TERN_BBR_NO_INFLIGHT ? s->cwnd : b->inflight_shortterm;

        b->bw_shortterm = max_u64(b->bw_latest, bw / 100 * BETA_PERCENT);
        b->inflight_shortterm =
            tern_bbr_clamp(max_u64(b->inflight_latest, inflight * BETA_PERCENT / 100));
    }
    b->loss_in_round = false;
}

/* §5.5.9 */
static void update_extra_acked(struct tern_cc_state *s, const struct tern_cc_ack *ack)
{
    struct tern_bbr *b = &s->bbr;
    uint64_t expected = tern_bbr_bytes(tern_bbr_bw(s), ack->now - b->extra_acked_start);
    uint64_t extra;

    if (b->round_start && ++b->extra_acked_rounds >= (b->full_bw_reached ? EXTRA_ROUNDS : 1)) {
        b->extra_acked_rounds = 0;
        b->extra_acked[1] = b->extra_acked[0];
        b->extra_acked[0] = 0;
    }
    if (b->extra_acked_delivered <= expected) {
        b->extra_acked_delivered = 0;
        b->extra_acked_start = ack->now;
        expected = 0;
    }
    b->extra_acked_delivered = tern_bbr_clamp(b->extra_acked_delivered + ack->delivered_bytes);
    extra = b->extra_acked_delivered - expected;
    extra = extra < s->cwnd ? extra : s->cwnd;
    if (extra > b->extra_acked[0])
        b->extra_acked[0] = tern_bbr_clamp(extra);
}

/* §5.3.1.2: three rounds in which the rate did not grow by a quarter. */
static void check_full_bw(struct tern_cc_state *s, const struct tern_cc_ack *ack)
{
    const uint64_t rate = tern_bbr_rate(ack);

    if (s->bbr.full_bw_now || !s->bbr.round_start || tern_bbr_is_limited(s, ack))
        return;
    if (rate >= s->bbr.full_bw + s->bbr.full_bw / 4) {
        tern_bbr_full_bw_reset(s, rate);
        return;
    }
    s->bbr.full_bw_now = ++s->bbr.full_bw_count >= FULL_BW_ROUNDS;
    s->bbr.full_bw_reached = s->bbr.full_bw_reached || s->bbr.full_bw_now;
}

/* §5.3.4.3 */
static void update_min_rtt(struct tern_cc_state *s, const struct tern_cc_ack *ack)
{
    struct tern_bbr *b = &s->bbr;

    b->probe_rtt_expired = ack->now > b->probe_rtt_min_stamp + PROBE_RTT_INTERVAL;
    if (ack->rtt > 0 && (ack->rtt < b->probe_rtt_min_delay || b->probe_rtt_expired)) {
        b->probe_rtt_min_delay = ack->rtt;
        b->probe_rtt_min_stamp = ack->now;
    }
    if (b->probe_rtt_min_delay < b->min_rtt || ack->now > b->min_rtt_stamp + MIN_RTT_WINDOW) {
        b->min_rtt = b->probe_rtt_min_delay;
        b->min_rtt_stamp = b->probe_rtt_min_stamp;
    }
    TERN_ASSERT(b->min_rtt > 0);
}

void tern_bbr_model_update(struct tern_cc_state *s, const struct tern_cc_ack *ack)
{
    s->bbr.delivered = ack->delivered_total;
    tern_bbr_note_loss(s, ack->lost_bytes);
    latest_signals(s, ack);
    update_round(s, ack);
    update_max_bw(s, ack);
    lower_bounds(s);
    update_min_rtt(s, ack);
    update_extra_acked(s, ack);
    check_full_bw(s, ack);
}

/* Last, so that the state machine sees the whole round. */
void tern_bbr_model_advance(struct tern_cc_state *s, const struct tern_cc_ack *ack)
{
    s->bbr.marked = false;
    if (!s->bbr.loss_round_start)
        return;
    s->bbr.bw_latest = tern_bbr_rate(ack);
    s->bbr.inflight_latest = tern_bbr_clamp(ack->rate.delivered);
    s->bbr.lost_in_round = 0;
    s->bbr.loss_events = 0;
}
