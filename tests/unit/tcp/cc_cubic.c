/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CUBIC against RFC 9438 computed again, in segments and with libm, as the RFC's formulas
 * stand: an oracle that shares no code with the controller. Then milestones that follow from
 * the curve by hand.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "proto/tcp/cc.h"

#define MSS 1448

/* RFC 9438 §4 for one stay in congestion avoidance, an ACK of whole segments at a time. */
struct oracle {
    double cwnd, w_max, w_est, k, cwnd_prior, epoch;
};

static double oracle_w_cubic(const struct oracle *o, double t)
{
    return 0.4 * pow(t - o->k, 3) + o->w_max; /* equation 1 */
}

static void oracle_start(struct oracle *o, double cwnd, double w_max, double cwnd_prior, double now)
{
    *o = (struct oracle){.cwnd = cwnd, .w_max = w_max, .w_est = cwnd, .cwnd_prior = cwnd_prior};
    o->k = cbrt((w_max - cwnd) / 0.4); /* equation 2 */
    o->epoch = now;
}

static void oracle_ack(struct oracle *o, double acked, double now, double rtt)
{
    const double t = now - o->epoch;
    const double alpha = o->w_est >= o->cwnd_prior ? 1.0 : 3.0 * (1.0 - 0.7) / (1.0 + 0.7);
    double target;

    o->w_est += alpha * acked / o->cwnd; /* equation 4 */
    if (oracle_w_cubic(o, t) < o->w_est) {
        if (o->w_est > o->cwnd)
            o->cwnd = o->w_est; /* §4.3 */
        return;
    }
    target = oracle_w_cubic(o, t + rtt); /* §4.2 */
    if (target < o->cwnd)
        target = o->cwnd;
    if (target > 1.5 * o->cwnd)
        target = 1.5 * o->cwnd;
    o->cwnd += acked * (target - o->cwnd) / o->cwnd; /* §4.4, §4.5 */
}

struct path {
    tern_time now, rtt;
};

static void ack(struct tern_cc_state *s, struct path *p, uint32_t segments, bool limited)
{
    const struct tern_cc_ack a = {.bytes = (uint64_t)segments * MSS,
                                  .in_flight = s->cwnd,
                                  .srtt = p->rtt,
                                  .now = p->now,
                                  .cwnd_limited = limited};

    tern_cc_cubic.on_ack(s, &a);
}

static double in_segments(uint64_t bytes)
{
    return (double)bytes / MSS;
}

static void lose_at(struct tern_cc_state *s, uint64_t segments, tern_time now)
{
    tern_cc_cubic.init(s, MSS);
    s->cwnd = segments * MSS;
    tern_cc_cubic.on_loss(s, s->cwnd, now);
    tern_cc_cubic.on_recovered(s, now);
}

/* One row: losses at w segments on a path of this RTT, ACKs of n segments, for so many seconds. */
static void compare(double w, tern_time rtt, uint32_t acked, tern_time duration)
{
    struct path p = {.now = 7 * TERN_SECOND, .rtt = rtt};
    struct tern_cc_state s;
    struct oracle o;

    lose_at(&s, (uint64_t)w, p.now);
    assert_int_equal(s.cwnd, (uint64_t)(w * MSS * 0.7));
    oracle_start(&o, in_segments(s.cwnd), w, w, (double)p.now / 1e9);
    while (p.now < 7 * TERN_SECOND + duration) {
        ack(&s, &p, acked, true);
        oracle_ack(&o, acked, (double)p.now / 1e9, (double)rtt / 1e9);
        if (fabs(in_segments(s.cwnd) - o.cwnd) > 0.01 + o.cwnd * 1e-5) {
            fail_msg("w %.0f rtt %lld at %.3f s: cwnd %.4f, RFC 9438 says %.4f", w, (long long)rtt,
                     (double)p.now / 1e9 - 7, in_segments(s.cwnd), o.cwnd);
        }
        p.now += (tern_time)((double)rtt * acked / o.cwnd);
    }
}

static void test_oracle(void **state)
{
    static const double losses[] = {10, 50, 200, 1000, 5000};
    static const tern_time rtts[] = {1 * TERN_MS, 20 * TERN_MS, 100 * TERN_MS, 400 * TERN_MS};

    (void)state;
    for (size_t i = 0; i < sizeof losses / sizeof losses[0]; i++) {
        for (size_t j = 0; j < sizeof rtts / sizeof rtts[0]; j++) {
            const tern_time most = 40 * TERN_SECOND, rounds = 400 * rtts[j];

            compare(losses[i], rtts[j], 1, rounds < most ? rounds : most);
            compare(losses[i], rtts[j], 2, rounds < most ? rounds : most);
        }
    }
}

/* Runs at the limit of the window, one ACK each segment, until a time. */
static void run_until(struct tern_cc_state *s, struct path *p, tern_time until)
{
    while (p->now < until) {
        ack(s, p, 1, true);
        p->now += (tern_time)((double)p->rtt * MSS / (double)s->cwnd);
    }
}

/* K = cbrt(1000 * 0.3 / 0.4) = 9.086 s: the old window then, and as far above it again at 2 K. */
static void test_milestones(void **state)
{
    static const struct {
        double seconds, segments;
    } rows[] = {
        {1.0, 789.4},   /* 0.4 * (1 - 9.086)^3 + 1000 */
        {3.0, 910.2},   /* 0.4 * (3 - 9.086)^3 + 1000 */
        {9.086, 1000.}, /* the plateau */
        {12.0, 1009.9}, /* 0.4 * (12 - 9.086)^3 + 1000 */
        {18.17, 1300.}, /* as far above the plateau as it began below */
    };
    struct path p = {.now = 0, .rtt = 100 * TERN_MS};
    struct tern_cc_state s;

    (void)state;
    lose_at(&s, 1000, 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        run_until(&s, &p, (tern_time)(rows[i].seconds * 1e9));
        if (fabs(in_segments(s.cwnd) - rows[i].segments) > rows[i].segments * 0.01)
            fail_msg("after %.3f s: %.1f segments", rows[i].seconds, in_segments(s.cwnd));
    }
}

/* RFC 9438 §4.3: on a short path Reno is faster, and CUBIC keeps up: alpha = 0.53 a round trip. */
static void test_reno_friendly(void **state)
{
    struct path p = {.now = 0, .rtt = 10 * TERN_MS};
    struct tern_cc_state s;

    (void)state;
    lose_at(&s, 20, 0);
    run_until(&s, &p, 100 * TERN_MS); /* ten round trips: 14 + 10 * 0.529 = 19.3 */
    assert_true(fabs(in_segments(s.cwnd) - 19.3) < 0.5);
    run_until(&s, &p, 500 * TERN_MS); /* beyond the old window alpha is 1: 20 + about 39 */
    assert_true(fabs(in_segments(s.cwnd) - 58.5) < 2.0);
}

/* RFC 9438 §4.6, §4.7 */
static void test_loss(void **state)
{
    struct tern_cc_state s;

    (void)state;
    lose_at(&s, 100, 0);
    assert_int_equal(s.ssthresh, 70 * MSS);
    assert_int_equal(s.cwnd, 70 * MSS);
    assert_true(fabs(s.cubic.w_max - 100.0) < 1e-9);
    s.cwnd = 80 * MSS; /* lower than last time: fast convergence leaves room for others */
    tern_cc_cubic.on_loss(&s, s.cwnd, 0);
    assert_true(fabs(s.cubic.w_max - 80.0 * 0.85) < 1e-9);
    s.cwnd = 90 * MSS;
    tern_cc_cubic.on_loss(&s, s.cwnd, 0);
    assert_true(fabs(s.cubic.w_max - 90.0) < 1e-9);
    tern_cc_cubic.on_loss(&s, MSS, 0); /* what was in flight does not matter (decision 0024) */
    assert_true(fabs(in_segments(s.cwnd) - 90.0 * 0.7 * 0.7) < 0.01);
    s.cwnd = MSS;
    tern_cc_cubic.on_loss(&s, MSS, 0);
    assert_int_equal(s.cwnd, 2 * MSS);
}

/* RFC 9438 §4.8: one segment, slow start to 0.7 of the window, then a curve that starts flat. */
static void test_timeout(void **state)
{
    struct path p = {.now = 0, .rtt = 100 * TERN_MS};
    struct tern_cc_state s;

    (void)state;
    tern_cc_cubic.init(&s, MSS);
    s.cwnd = 100 * MSS;
    tern_cc_cubic.on_rto(&s, s.cwnd, true, 0);
    assert_int_equal(s.cwnd, MSS);
    assert_int_equal(s.ssthresh, 70 * MSS);
    tern_cc_cubic.on_rto(&s, MSS, false, 0);
    assert_int_equal(s.ssthresh, 70 * MSS);
    while (s.cwnd < s.ssthresh)
        ack(&s, &p, 1, true);
    assert_int_equal(s.cwnd, 70 * MSS);
    p.now += p.rtt;
    ack(&s, &p, 1, true);
    assert_true(s.cubic.k < 1e-9);
    assert_true(fabs(s.cubic.origin_point - 70.0) < 0.1);
    p.now += 1;
    run_until(&s, &p, 5 * TERN_SECOND); /* 70 + 0.4 * 4.9^3 = 117 */
    assert_true(fabs(in_segments(s.cwnd) - 117.0) < 8.0);
}

/* RFC 9438 §4.10: slow start left without a loss: the curve starts flat where it is. */
static void test_no_loss_yet(void **state)
{
    struct path p = {.now = 0, .rtt = 100 * TERN_MS};
    struct tern_cc_state s;

    (void)state;
    tern_cc_cubic.init(&s, MSS);
    s.ssthresh = 10 * MSS;
    ack(&s, &p, 1, true);
    assert_true(s.cubic.k < 1e-9);
    assert_int_equal(s.cubic.cwnd_prior, 10 * MSS);
    assert_true(s.cwnd < 11 * MSS);
}

/* RFC 9438 §5.8: neither an idle hour nor an hour of few bytes is time on the curve. */
static void test_time_not_limited(void **state)
{
    struct path p = {.now = 0, .rtt = 100 * TERN_MS};
    struct tern_cc_state s;
    uint64_t before;

    (void)state;
    lose_at(&s, 1000, 0);
    run_until(&s, &p, 3 * TERN_SECOND);
    before = s.cwnd;
    for (int i = 0; i < 36000; i++) { /* an hour at a fraction of the window */
        p.now += 100 * TERN_MS;
        ack(&s, &p, 1, false);
    }
    assert_int_equal(s.cwnd, before);
    p.now += 3600 * TERN_SECOND; /* an hour of nothing */
    ack(&s, &p, 1, true);
    assert_true(s.cwnd < before + MSS);
    run_until(&s, &p, 2 * 3600 * TERN_SECOND + 3 * TERN_SECOND + 1 * TERN_SECOND);
    assert_true(fabs(in_segments(s.cwnd) - 946.0) < 8.0); /* as after 4 s: 0.4 (4-9.086)^3 + 1000 */
}

/* RFC 9438 §4.6: a mark takes the same 0.7, but a window may go down to one segment. */
static void test_mark(void **state)
{
    static const struct {
        uint64_t in_flight, cwnd, ssthresh;
    } rows[] = {{100 * MSS, 70 * MSS, 70 * MSS}, {2 * MSS, 2027, 2 * MSS}, {MSS, MSS, 2 * MSS}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct tern_cc_state s;

        tern_cc_cubic.init(&s, MSS);
        s.cwnd = rows[i].in_flight;
        tern_cc_cubic.on_ecn(&s, rows[i].in_flight, 0);
        assert_int_equal(s.cwnd, rows[i].cwnd);
        assert_int_equal(s.ssthresh, rows[i].ssthresh);
        assert_true(s.cubic.epoch_start == TERN_TIME_NEVER);
    }
}

/* RFC 5681 §4.1, RFC 9438 §5.8: slow start from the initial window, then a curve that begins then,
 * with the plateau that was known. */
static void test_restart(void **state)
{
    struct path p = {.now = 0, .rtt = 100 * TERN_MS};
    struct tern_cc_state s;

    (void)state;
    lose_at(&s, 100, 0);
    run_until(&s, &p, TERN_SECOND);
    assert_true(s.cwnd > 70 * MSS);
    s.cwnd = 80 * MSS;
    tern_cc_cubic.on_restart(&s, 3600 * TERN_SECOND, TERN_SECOND, 3601 * TERN_SECOND);
    assert_int_equal(s.cwnd, 10 * MSS);
    assert_int_equal(s.ssthresh, 70 * MSS);
    p.now = 3601 * TERN_SECOND;
    run_until(&s, &p, p.now + 200 * TERN_MS); /* ln 7 round trips */
    assert_true(s.cwnd >= 69 * MSS && s.cwnd < 72 * MSS);
    run_until(&s, &p, p.now + 4200 * TERN_MS); /* K = cbrt(30 / 0.4) = 4.2 s */
    assert_true(fabs(in_segments(s.cwnd) - 100.0) < 2.0);
}

/* Segments become longer or shorter (RFC 1191 §3, §6.3): the window is the same in bytes, and so is
 * the plateau, which the curve finds after the K of what it is in the new ones. */
static void test_other_segments(void **state)
{
    static const struct {
        uint32_t mss;
        double seconds; /* cbrt((250 - 212) / 0.4), cbrt((4000 - 3400) / 0.4) */
    } rows[] = {{4 * MSS, 4.6}, {MSS / 4, 11.4}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct path p = {.now = 0, .rtt = 100 * TERN_MS};
        struct tern_cc_state s;

        lose_at(&s, 1000, 0);
        run_until(&s, &p, 2 * TERN_SECOND);
        s.mss = rows[i].mss;
        run_until(&s, &p, p.now + (tern_time)(rows[i].seconds * 1e9));
        if (fabs(in_segments(s.cwnd) - 1000.0) > 30.0)
            fail_msg("segments of %u: %.1f of the old ones", rows[i].mss, in_segments(s.cwnd));
        tern_cc_cubic.on_loss(&s, s.cwnd, p.now);
        s.mss = MSS;
        /* below the last plateau, whatever that counts in */
        tern_cc_cubic.on_loss(&s, s.cwnd, p.now);
        assert_true(s.cubic.w_max < in_segments(s.cwnd) / 0.7);
    }
}

static void test_slow_start(void **state)
{
    struct path p = {.now = 0, .rtt = 100 * TERN_MS};
    struct tern_cc_state s;

    (void)state;
    tern_cc_cubic.init(&s, MSS);
    assert_int_equal(s.cwnd, 10 * MSS);
    ack(&s, &p, 1, true);
    assert_int_equal(s.cwnd, 11 * MSS);
    ack(&s, &p, 9, true);
    assert_int_equal(s.cwnd, 20 * MSS);
    ack(&s, &p, 2, false);
    assert_int_equal(s.cwnd, 20 * MSS);
}

static void test_cubic_root(void **state)
{
    static const double values[] = {1e-300, 1e-9, 0.001, 0.3, 0.999999, 1,    1.5,  2,
                                    7.9999, 8,    27,    750, 1e6,      1e18, 3e38, 1e300};

    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        const double want = cbrt(values[i]), got = tern_cc_cubic_root(values[i]);

        if (fabs(got - want) > want * 1e-14)
            fail_msg("cubic root of %g: %.17g, libm says %.17g", values[i], got, want);
    }
    assert_true(tern_cc_cubic_root(0.0) <= 0.0);
    assert_true(tern_cc_cubic_root(-8.0) <= 0.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_oracle),           cmocka_unit_test(test_milestones),
        cmocka_unit_test(test_reno_friendly),    cmocka_unit_test(test_loss),
        cmocka_unit_test(test_timeout),          cmocka_unit_test(test_no_loss_yet),
        cmocka_unit_test(test_time_not_limited), cmocka_unit_test(test_slow_start),
        cmocka_unit_test(test_cubic_root),       cmocka_unit_test(test_mark),
        cmocka_unit_test(test_restart),          cmocka_unit_test(test_other_segments),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
