/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BBR (draft-ietf-ccwg-bbr-05) over a modelled bottleneck: what it must find, keep and survive.
 * Then its reactions to single events.
 */
#include "bottleneck.h"

#include "proto/tcp/cc_bbr.h"

#define RATE  UINT64_C(12500000) /* 100 Mbit/s */
#define DELAY (40 * TERN_MS)

static double share_of(const struct bn_flow *f, const struct bn *n, uint64_t before,
                       tern_time duration)
{
    return (double)(f->delivered - before) * 1e9 / (double)duration / (double)n->rate;
}

/* Runs, and returns which part of the bottleneck the flow had meanwhile. */
static double run(struct bn *n, const struct bn_flow *f, tern_time duration)
{
    const uint64_t before = f->delivered;

    bn_run(n, duration);
    return share_of(f, n, before, duration);
}

/* §5.5.2, §5.5.7: the rate within 5 %, the RTT exactly, and hardly a queue, on many paths. */
static void test_finds_the_path(void **state)
{
    static const struct {
        uint64_t rate;
        tern_time delay;
    } rows[] = {{125000, 100 * TERN_MS}, {1250000, 10 * TERN_MS},   {1250000, 200 * TERN_MS},
                {RATE, DELAY},           {125000000, 20 * TERN_MS}, {125000000, TERN_MS}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bn n;
        struct bn_flow *f;
        double share, bw;

        bn_open(&n, rows[i].rate, rows[i].delay, UINT64_C(10000000));
        f = bn_flow_add(&n, &tern_cc_bbr, 0);
        bn_run(&n, 3 * TERN_SECOND);
        bn_look_afresh(&n);
        share = run(&n, f, 4 * TERN_SECOND);
        bw = (double)tern_bbr_max_bw(&f->cc) / (double)rows[i].rate;
        if (bw < 0.95 || bw > 1.05 || share < 0.93)
            fail_msg("path %zu: rate %.3f, used %.3f", i, bw, share);
        assert_true(f->cc.bbr.min_rtt >= rows[i].delay);
        assert_true(f->cc.bbr.min_rtt <=
                    rows[i].delay + 15 * TERN_MS * 125000 / (tern_time)rows[i].rate);
        if (bn_queue_mean(&n) > 0.3 * (double)bn_bdp(&n) + 6 * BN_MSS)
            fail_msg("path %zu: %.2f BDP of queue", i, bn_queue_mean(&n) / (double)bn_bdp(&n));
        assert_int_equal(f->losses, 0);
        bn_close(&n);
    }
}

/* §5.3.1: startup doubles, leaves at the plateau, drains, and is in ProbeBW within a second. */
static void test_startup(void **state)
{
    struct bn n;
    const struct bn_flow *f;

    (void)state;
    bn_open(&n, RATE, DELAY, 100 * RATE);
    f = bn_flow_add(&n, &tern_cc_bbr, 0);
    bn_run(&n, 7 * DELAY);
    assert_int_equal(f->cc.bbr.state, TERN_BBR_STARTUP);
    assert_true(f->cc.pacing_rate > RATE);
    bn_run(&n, 18 * DELAY);
    assert_true(tern_bbr_is_probe_bw(&f->cc));
    assert_true(f->cc.bbr.full_bw_reached);
    assert_true(n.queue_max < 2 * bn_bdp(&n)); /* cwnd_gain 2: a BDP of queue, and little more */
    assert_true(bn_queued(&n) < bn_bdp(&n) / 20);
    bn_close(&n);
}

/* §5.3.3: the cycle goes round, in order, and probes each 2 to 3 seconds on this path. */
static void test_cycle(void **state)
{
    static const uint8_t next[] = {[TERN_BBR_DOWN] = TERN_BBR_CRUISE,
                                   [TERN_BBR_CRUISE] = TERN_BBR_REFILL,
                                   [TERN_BBR_REFILL] = TERN_BBR_UP,
                                   [TERN_BBR_UP] = TERN_BBR_DOWN};
    struct bn n;
    const struct bn_flow *f;
    uint8_t was;
    int probes = 0;

    (void)state;
    bn_open(&n, RATE, DELAY, 100 * RATE);
    f = bn_flow_add(&n, &tern_cc_bbr, 0);
    bn_run(&n, 2 * TERN_SECOND);
    was = f->cc.bbr.state;
    for (int i = 0; i < 40000; i++) {
        bn_run(&n, TERN_MS / 2);
        if (f->cc.bbr.state == was)
            continue;
        if (f->cc.bbr.state != TERN_BBR_PROBE_RTT && was != TERN_BBR_PROBE_RTT)
            assert_int_equal(f->cc.bbr.state, next[was]);
        was = f->cc.bbr.state;
        probes += was == TERN_BBR_UP;
    }
    assert_true(probes >= 4 && probes <= 10);
    bn_close(&n);
}

/* §5.3.4: where no RTT as low came for 5 s, half a BDP for 200 ms: no more often and no longer. */
static void test_probe_rtt(void **state)
{
    struct bn n;
    const struct bn_flow *f;
    int in = 0, times = 0;
    uint64_t least = UINT64_MAX;
    bool was = false;

    (void)state;
    bn_open(&n, RATE, DELAY, 100 * RATE);
    f = bn_flow_add(&n, &tern_cc_bbr, 0);
    for (int i = 0; i < 30000; i++) {
        const bool is = f->cc.bbr.state == TERN_BBR_PROBE_RTT;

        bn_run(&n, TERN_MS);
        in += is;
        times += is && !was;
        was = is;
        if (is && f->in_flight < least)
            least = f->in_flight;
    }
    assert_true(times >= 4 && times <= 6);
    assert_true(in >= times * 200 && in <= times * 330);
    assert_true(least <= bn_bdp(&n) * 55 / 100 && least >= bn_bdp(&n) * 40 / 100);
    assert_int_equal(f->rtos, 0);
    bn_close(&n);
}

/* §2.7: losses at random below 2 %: it keeps most of the path, where Reno keeps a tenth. */
static void test_random_loss(void **state)
{
    double share[2];

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct bn n;
        const struct bn_flow *f;

        bn_open(&n, RATE, DELAY, 2 * RATE / 25);
        n.loss_ppm = 10000;
        f = bn_flow_add(&n, i == 0 ? &tern_cc_bbr : &tern_cc_reno, 0);
        bn_run(&n, 5 * TERN_SECOND);
        share[i] = run(&n, f, 20 * TERN_SECOND);
        bn_close(&n);
    }
    if (share[0] < 0.7 || share[1] > 0.25)
        fail_msg("BBR %.3f, Reno %.3f", share[0], share[1]);
}

/* §5.5.10.2: a buffer of a fifth of a BDP: inflight_longterm keeps it from overflowing for long. */
static void test_shallow_buffer(void **state)
{
    struct bn n;
    const struct bn_flow *f;
    double share;

    (void)state;
    bn_open(&n, RATE, DELAY, RATE / 25 / 5);
    f = bn_flow_add(&n, &tern_cc_bbr, 0);
    bn_run(&n, 5 * TERN_SECOND);
    bn_look_afresh(&n);
    share = run(&n, f, 20 * TERN_SECOND);
    assert_true(share > 0.9);
    assert_true((double)f->losses * BN_MSS < 0.01 * 20 * (double)RATE);
    assert_true(f->cc.bbr.inflight_longterm < bn_bdp(&n) * 3 / 2);
    assert_true(f->cc.bbr.inflight_longterm > bn_bdp(&n));
    bn_close(&n);
}

/* §5.5.4: an application that sends a tenth teaches it nothing false; then it takes what there is.
 */
static void test_application_limited(void **state)
{
    struct bn n;
    struct bn_flow *f;
    uint64_t found;

    (void)state;
    bn_open(&n, RATE, DELAY, 100 * RATE);
    f = bn_flow_add(&n, &tern_cc_bbr, 0);
    bn_run(&n, 4 * TERN_SECOND);
    found = tern_bbr_max_bw(&f->cc);
    assert_true(found > RATE * 95 / 100);
    f->app_interval = (tern_time)(UINT64_C(1000000000) * BN_MSS / (RATE / 10));
    assert_true(run(&n, f, 20 * TERN_SECOND) < 0.11);
    assert_true(tern_bbr_max_bw(&f->cc) >= found * 95 / 100);
    f->app_interval = 0;
    assert_true(run(&n, f, TERN_SECOND) > 0.9);
    bn_close(&n);
}

/* The path becomes twice as fast, then half: found within a few cycles. */
static void test_path_changes(void **state)
{
    struct bn n;
    const struct bn_flow *f;

    (void)state;
    bn_open(&n, RATE / 2, DELAY, 2 * RATE / 25);
    f = bn_flow_add(&n, &tern_cc_bbr, 0);
    bn_run(&n, 4 * TERN_SECOND);
    n.rate = RATE;
    bn_run(&n, 15 * TERN_SECOND);
    assert_true(tern_bbr_max_bw(&f->cc) > RATE * 95 / 100);
    n.rate = RATE / 2;
    bn_run(&n, 15 * TERN_SECOND);
    assert_true(tern_bbr_max_bw(&f->cc) < RATE * 55 / 100);
    assert_true(run(&n, f, 5 * TERN_SECOND) > 0.9);
    bn_close(&n);
}

/* Two flows, whatever they are: each has a fifth at least, and together all of it. */
static void test_fairness(void **state)
{
    static const struct tern_cc_ops *const pairs[][2] = {{&tern_cc_bbr, &tern_cc_bbr},
                                                         {&tern_cc_bbr, &tern_cc_cubic},
                                                         {&tern_cc_cubic, &tern_cc_cubic},
                                                         {&tern_cc_reno, &tern_cc_reno},
                                                         {&tern_cc_reno, &tern_cc_cubic}};

    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        const tern_time duration = 60 * TERN_SECOND;
        struct bn n;
        struct bn_flow *f[2];
        uint64_t before[2];
        double share[2];

        bn_open(&n, RATE / 5, DELAY, RATE / 5 / 25 * 3 / 2);
        for (int k = 0; k < 2; k++)
            f[k] = bn_flow_add(&n, pairs[i][k], k * TERN_SECOND);
        bn_run(&n, 20 * TERN_SECOND);
        for (int k = 0; k < 2; k++)
            before[k] = f[k]->delivered;
        bn_run(&n, duration);
        for (int k = 0; k < 2; k++)
            share[k] = share_of(f[k], &n, before[k], duration);
        if (share[0] < 0.2 || share[1] < 0.2 || share[0] + share[1] < 0.9)
            fail_msg("%s %.3f, %s %.3f", pairs[i][0]->name, share[0], pairs[i][1]->name, share[1]);
        bn_close(&n);
    }
}

/* A bottleneck that marks instead of dropping: the queue stays about where marks begin. */
static void test_marks(void **state)
{
    struct bn n;
    const struct bn_flow *f;
    double share;

    (void)state;
    bn_open(&n, RATE, DELAY, 100 * RATE);
    n.mark_above = bn_bdp(&n) / 4;
    f = bn_flow_add(&n, &tern_cc_bbr, 0);
    bn_run(&n, 5 * TERN_SECOND);
    bn_look_afresh(&n);
    share = run(&n, f, 10 * TERN_SECOND);
    assert_true(f->marks > 0);
    assert_true(share > 0.85);
    assert_true(n.queue_max < bn_bdp(&n) * 6 / 10);
    assert_true(f->cc.bbr.inflight_longterm < 2 * bn_bdp(&n));
    bn_close(&n);
}

/* §5.6.4.4: a timeout leaves a segment; the next ACK lets four go, and the end of it all. */
static void test_timeout(void **state)
{
    struct bn n;
    struct bn_flow *f;
    struct tern_cc_ack a = {.bytes = BN_MSS, .delivered_bytes = BN_MSS, .srtt = DELAY};
    uint64_t before;

    (void)state;
    bn_open(&n, RATE, DELAY, 100 * RATE);
    f = bn_flow_add(&n, &tern_cc_bbr, 0);
    bn_run(&n, TERN_SECOND);
    before = f->cc.cwnd;
    tern_cc_bbr.on_rto(&f->cc, f->in_flight, true, n.now);
    assert_int_equal(f->cc.cwnd, BN_MSS);
    a.now = n.now;
    a.rtt_min = DELAY;
    a.delivered_total = f->delivered;
    a.in_recovery = true;
    tern_cc_bbr.on_ack(&f->cc, &a);
    assert_int_equal(f->cc.cwnd, 4 * BN_MSS);
    a.in_recovery = false;
    tern_cc_bbr.on_ack(&f->cc, &a);
    assert_true(f->cc.cwnd >= before);
    bn_close(&n);
}

/* BBRHandleSpuriousLossDetection(): bounds are as before, what was measured since then stays. */
static void test_undo(void **state)
{
    struct tern_cc_state was, s;

    (void)state;
    tern_cc_bbr.init(&was, BN_MSS);
    was.cwnd = 50 * BN_MSS;
    was.bbr.state = TERN_BBR_CRUISE;
    was.bbr.max_bw[0] = 1000;
    was.bbr.inflight_longterm = 40 * BN_MSS;
    s = was;
    s.cwnd = BN_MSS;
    s.bbr.in_recovery = s.bbr.loss_in_round = true;
    s.bbr.max_bw[0] = 2000;
    s.bbr.bw_shortterm = 700;
    s.bbr.inflight_shortterm = 20 * BN_MSS;
    s.bbr.inflight_longterm = 30 * BN_MSS;
    tern_cc_bbr.on_undo(&s, &was, 0);
    assert_int_equal(s.cwnd, 50 * BN_MSS);
    assert_false(s.bbr.in_recovery);
    assert_false(s.bbr.loss_in_round);
    assert_int_equal(s.bbr.max_bw[0], 2000);
    assert_true(s.bbr.bw_shortterm == TERN_BBR_NO_RATE);
    assert_int_equal(s.bbr.inflight_shortterm, TERN_BBR_NO_INFLIGHT);
    assert_int_equal(s.bbr.inflight_longterm, 40 * BN_MSS);
    assert_int_equal(s.bbr.state, TERN_BBR_CRUISE);
    was.bbr.state = TERN_BBR_STARTUP; /* it was ended by that loss */
    tern_cc_bbr.on_undo(&s, &was, 0);
    assert_int_equal(s.bbr.state, TERN_BBR_STARTUP);
    assert_false(s.bbr.full_bw_reached);
}

/* §5.4.1: after an idle time: the same window, exactly the rate, and no ProbeRTT for it. */
static void test_restart(void **state)
{
    struct bn n;
    struct bn_flow *f;
    uint64_t cwnd;

    (void)state;
    bn_open(&n, RATE, DELAY, 100 * RATE);
    f = bn_flow_add(&n, &tern_cc_bbr, 0);
    bn_run(&n, 2 * TERN_SECOND);
    f->app_next = n.now + 20 * TERN_SECOND;
    bn_run(&n, 20 * TERN_SECOND - TERN_MS);
    assert_int_equal(f->in_flight, 0);
    cwnd = f->cc.cwnd;
    tern_cc_bbr.on_restart(&f->cc, 20 * TERN_SECOND, TERN_SECOND, n.now);
    assert_int_equal(f->cc.cwnd, cwnd);
    assert_true(f->cc.pacing_rate > RATE * 95 / 100 && f->cc.pacing_rate <= RATE);
    f->app_limited = f->delivered + 1; /* as the sampler has it: the bubble ends with the next */
    for (int i = 0; i < 100; i++) {
        bn_run(&n, TERN_MS);
        assert_true(f->cc.bbr.state != TERN_BBR_PROBE_RTT);
    }
    assert_true(run(&n, f, TERN_SECOND) > 0.9);
    bn_close(&n);
}

/* Before any RTT: the initial window, and the engine paces. The first ACK sets a rate. */
static void test_first_ack(void **state)
{
    struct tern_cc_state s;
    const struct tern_cc_ack a = {.bytes = 1000,
                                  .delivered_bytes = 1000,
                                  .delivered_total = 1000,
                                  .srtt = 100 * TERN_MS,
                                  .rtt_min = 100 * TERN_MS,
                                  .now = TERN_SECOND};

    (void)state;
    tern_cc_bbr.init(&s, 1000);
    assert_int_equal(s.cwnd, 10000);
    assert_int_equal(s.pacing_rate, 0);
    tern_cc_bbr.on_ack(&s, &a);
    assert_int_equal(s.pacing_rate, 277000); /* 2.77 * 10000 bytes each 100 ms */
    assert_int_equal(s.cwnd, 11000);
    assert_ptr_equal(tern_cc_find("bbr"), &tern_cc_bbr);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_finds_the_path),
        cmocka_unit_test(test_startup),
        cmocka_unit_test(test_cycle),
        cmocka_unit_test(test_probe_rtt),
        cmocka_unit_test(test_random_loss),
        cmocka_unit_test(test_shallow_buffer),
        cmocka_unit_test(test_application_limited),
        cmocka_unit_test(test_path_changes),
        cmocka_unit_test(test_fairness),
        cmocka_unit_test(test_marks),
        cmocka_unit_test(test_timeout),
        cmocka_unit_test(test_undo),
        cmocka_unit_test(test_restart),
        cmocka_unit_test(test_first_ack),
    };

    _Static_assert(sizeof(struct tern_bbr) <= 216, "a connection keeps two of it");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
