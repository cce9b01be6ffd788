/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CUBIC (RFC 9438): after a loss the window climbs back along a cubic curve of the time since
 * then, flat around the window where the loss happened (w_max), steep far from it.
 *
 * An epoch is one stay in congestion avoidance. It begins with the first ACK after slow start
 * or after a recovery, and holds: origin_point, the height of the plateau; k, the seconds until
 * the plateau is reached; w_est, what Reno would have (the Reno-friendly region, §4.3). Windows
 * of the curve are in segments and times in seconds, as the RFC writes them; cwnd itself is in
 * bytes, and the fraction of a byte that an ACK gains is kept until it is whole.
 *
 * Time that is not spent at the limit of the window does not count (§5.8): epoch_start moves
 * along with it. That is every interval that ends with an ACK that was not cwnd-limited, and
 * whatever exceeds one round trip between two ACKs: the sender was idle then.
 *
 * What a loss leaves is a part of cwnd, not of what was in flight (RFC 9438 §4.6 allows it where
 * cwnd does not grow unless it is used, and here it does not: docs/decisions/0024). A sender
 * that had little to send when something was lost keeps what it knew of the path.
 *
 * After a timeout the curve starts flat where congestion avoidance starts (§4.8): w_max is
 * forgotten. No libm: the one cube root is a Newton iteration with a fixed number of steps.
 */
#include "base/assert.h"
#include "proto/tcp/cc.h"

#define CUBIC_BETA        0.7 /* RFC 9438 §4.6 */
#define CUBIC_C           0.4 /* RFC 9438 §5: segments a second cubed */
#define CUBIC_ALPHA       (3.0 * (1.0 - CUBIC_BETA) / (1.0 + CUBIC_BETA)) /* RFC 9438 §4.3 */
#define CUBIC_TARGET_MAX  1.5                                             /* RFC 9438 §4.2 */
#define CBRT_SCALE_STEPS  400 /* 8^400 is beyond any double */
#define CBRT_NEWTON_STEPS 6   /* from within a factor of 2, six leave rounding errors only */

static double seconds(tern_time t)
{
    return (double)t / (double)TERN_SECOND;
}

static double segments(const struct tern_cc_state *s, uint64_t bytes)
{
    return (double)bytes / (double)s->mss;
}

double tern_cc_cubic_root(double v)
{
    double scale = 1.0, x = 1.5;

    if (!(v > 0.0))
        return 0.0;
    for (int i = 0; i < CBRT_SCALE_STEPS && v >= 8.0; i++) {
        v /= 8.0;
        scale *= 2.0;
    }
    for (int i = 0; i < CBRT_SCALE_STEPS && v < 1.0; i++) {
        v *= 8.0;
        scale /= 2.0;
    }
    for (int i = 0; i < CBRT_NEWTON_STEPS; i++)
        x -= (x * x * x - v) / (3.0 * x * x);
    return x * scale;
}

static void cubic_init(struct tern_cc_state *s, uint32_t mss)
{
    tern_cc_start(s, mss);
    s->cubic.mss = mss;
    s->cubic.epoch_start = TERN_TIME_NEVER;
}

/* Segments have become longer or shorter, and the window is the same in bytes: so is the plateau,
 * to which a new curve leads from here. */
static void fit_segments(struct tern_cc_state *s)
{
    if (s->cubic.mss == s->mss)
        return;
    s->cubic.w_max *= (double)s->cubic.mss / (double)s->mss;
    s->cubic.mss = s->mss;
    s->cubic.epoch_start = TERN_TIME_NEVER;
}

/* RFC 9438 §4.2, §4.8, §4.10: congestion avoidance begins. */
static void epoch_begin(struct tern_cc_state *s, tern_time now)
{
    const double window = segments(s, s->cwnd);

    TERN_ASSERT(s->cubic.epoch_start == TERN_TIME_NEVER);
    s->cubic.epoch_start = now;
    s->cubic.last_ack_at = now;
    s->cubic.w_est = window;
    s->cubic.byte_fraction = 0.0;
    if (s->cubic.cwnd_prior == 0) /* §4.10: slow start ended without a loss */
        s->cubic.cwnd_prior = s->cwnd;
    if (s->cubic.w_max > window) {
        s->cubic.origin_point = s->cubic.w_max;
        s->cubic.k = tern_cc_cubic_root((s->cubic.w_max - window) / CUBIC_C); /* equation 2 */
    } else {
        s->cubic.origin_point = window;
        s->cubic.k = 0.0;
    }
}

/* RFC 9438 §4.2 equation 1. */
static double curve(const struct tern_cc_state *s, double t)
{
    const double d = t - s->cubic.k;

    return CUBIC_C * d * d * d + s->cubic.origin_point;
}

/* RFC 9438 §5.8: the curve's time stands still while the window is not what limits us. */
static void epoch_skip_idle(struct tern_cc_state *s, const struct tern_cc_ack *ack)
{
    const tern_time gap = ack->now - s->cubic.last_ack_at;
    tern_time counted = 0;

    TERN_ASSERT(gap >= 0);
    if (ack->cwnd_limited)
        counted = ack->srtt > 0 && gap > ack->srtt ? ack->srtt : gap;
    s->cubic.epoch_start += gap - counted;
    s->cubic.last_ack_at = ack->now;
    TERN_ASSERT(s->cubic.epoch_start <= ack->now);
}

/* RFC 9438 §4.3: what Reno with this beta would have by now. */
static double reno_estimate(struct tern_cc_state *s, double acked)
{
    const double alpha = s->cubic.w_est < segments(s, s->cubic.cwnd_prior) ? CUBIC_ALPHA : 1.0;

    s->cubic.w_est += alpha * acked / segments(s, s->cwnd);
    return s->cubic.w_est;
}

/* The window, in segments, after this many more were acknowledged. */
static double next_window(struct tern_cc_state *s, const struct tern_cc_ack *ack, double acked)
{
    const double t = seconds(ack->now - s->cubic.epoch_start);
    const double window = segments(s, s->cwnd) + s->cubic.byte_fraction / (double)s->mss;
    const double friendly = reno_estimate(s, acked);
    double target, grown;

    if (curve(s, t) < friendly) /* §4.3 */
        return friendly > window ? friendly : window;
    target = curve(s, t + seconds(ack->srtt)); /* §4.4, §4.5 */
    if (target > CUBIC_TARGET_MAX * window)
        target = CUBIC_TARGET_MAX * window;
    if (target <= window)
        return window;
    grown = window + (target - window) * acked / window;
    return grown < target ? grown : target;
}

static void cubic_on_ack(struct tern_cc_state *s, const struct tern_cc_ack *ack)
{
    uint64_t bytes = ack->bytes;
    double window_bytes;

    fit_segments(s);
    if (s->cubic.epoch_start != TERN_TIME_NEVER)
        epoch_skip_idle(s, ack);
    if (s->cwnd < s->ssthresh)
        bytes = tern_cc_slow_start(s, ack);
    if (!ack->cwnd_limited || s->cwnd < s->ssthresh)
        return;
    if (s->cubic.epoch_start == TERN_TIME_NEVER)
        epoch_begin(s, ack->now);
    window_bytes = next_window(s, ack, segments(s, bytes)) * (double)s->mss;
    if (window_bytes < (double)s->cwnd) /* rounding */
        return;
    TERN_ASSERT(window_bytes < (double)(UINT64_MAX / 2));
    s->cwnd = (uint64_t)window_bytes;
    s->cubic.byte_fraction = window_bytes - (double)s->cwnd;
}

/* RFC 9438 §4.6, §4.7: what a loss, however noticed, does to ssthresh and the curve. */
static void reduce(struct tern_cc_state *s)
{
    const double window = segments(s, s->cwnd);
    const uint64_t reduced = (uint64_t)((double)s->cwnd * CUBIC_BETA);
    const uint64_t least = 2 * (uint64_t)s->mss;

    fit_segments(s);
    s->cubic.w_max =
        window < s->cubic.w_max ? window * (1.0 + CUBIC_BETA) / 2.0 : window; /* §4.7 */
    s->cubic.cwnd_prior = s->cwnd;
    s->ssthresh = reduced > least ? reduced : least;
    s->cubic.epoch_start = TERN_TIME_NEVER;
    s->cubic.byte_fraction = 0.0;
}

static void cubic_on_loss(struct tern_cc_state *s, uint64_t in_flight, tern_time now)
{
    (void)in_flight;
    (void)now;
    reduce(s);
    s->cwnd = s->ssthresh;
    s->after_rto = false;
    TERN_ASSERT(s->cwnd >= 2 * (uint64_t)s->mss);
}

/* RFC 9438 §4.6: a mark is answered as a loss is, but down to one segment (docs/decisions/0021). */
static void cubic_on_ecn(struct tern_cc_state *s, uint64_t in_flight, tern_time now)
{
    const uint64_t reduced = (uint64_t)((double)s->cwnd * CUBIC_BETA);

    cubic_on_loss(s, in_flight, now);
    if (reduced < s->cwnd)
        s->cwnd = reduced > s->mss ? reduced : s->mss;
    TERN_ASSERT(s->cwnd <= s->ssthresh);
}

static void cubic_on_rto(struct tern_cc_state *s, uint64_t in_flight, bool first, tern_time now)
{
    (void)in_flight;
    (void)now;
    if (first)
        reduce(s);
    s->cubic.w_max = 0.0; /* §4.8: the next plateau is where congestion avoidance begins */
    s->cubic.epoch_start = TERN_TIME_NEVER;
    s->cwnd = s->mss;
    s->after_rto = true;
    TERN_ASSERT(s->ssthresh > s->cwnd);
}

static void cubic_on_recovered(struct tern_cc_state *s, tern_time now)
{
    (void)now;
    if (s->cwnd > s->ssthresh)
        s->cwnd = s->ssthresh;
    s->cubic.epoch_start = TERN_TIME_NEVER; /* recovery is no part of congestion avoidance */
}

/* RFC 5681 §4.1, RFC 9438 §5.8: the idle time is no part of the curve, which starts anew where slow
 * start ends, towards the same plateau. */
static void cubic_on_restart(struct tern_cc_state *s, tern_time idle, tern_time rto, tern_time now)
{
    (void)idle;
    (void)rto;
    (void)now;
    tern_cc_restart(s);
    s->cubic.epoch_start = TERN_TIME_NEVER;
    s->cubic.byte_fraction = 0.0;
}

const struct tern_cc_ops tern_cc_cubic = {
    .name = "cubic",
    .init = cubic_init,
    .on_ack = cubic_on_ack,
    .on_loss = cubic_on_loss,
    .on_ecn = cubic_on_ecn,
    .on_rto = cubic_on_rto,
    .on_recovered = cubic_on_recovered,
    .on_restart = cubic_on_restart,
};
