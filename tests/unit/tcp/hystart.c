/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HyStart++ (RFC 9406): rounds by hand, as tables of round-trip times; then Reno and CUBIC over a
 * modelled bottleneck, which they must leave slow start on before it overflows.
 */
#include "bottleneck.h"

#include "proto/tcp/hystart.h"

struct trip {
    uint64_t una, nxt;
    enum tern_hystart_verdict last;
};

/* One round trip: so many ACKs, all of this RTT; with the last one as many segments go out again.
 * Returns the verdict on the last but one; that on the last is kept. */
static enum tern_hystart_verdict trip(struct tern_hystart *h, struct trip *t, uint32_t acks,
                                      tern_time rtt)
{
    enum tern_hystart_verdict v = TERN_HYSTART_GROW;

    t->nxt = t->una + acks;
    for (uint32_t i = 0; i < acks; i++) {
        const bool last = i + 1 == acks;
        const struct tern_cc_ack a = {.una = ++t->una,
                                      .nxt = last ? t->nxt + acks : t->nxt,
                                      .rtt = rtt,
                                      .cwnd_limited = true};

        if (!last)
            v = tern_hystart_on_ack(h, &a);
        else
            t->last = tern_hystart_on_ack(h, &a);
    }
    t->nxt += acks;
    return v;
}

/* RFC 9406 §4.2: the threshold is an eighth, not below 4 ms and not above 16 ms. */
static void test_threshold(void **state)
{
    static const struct {
        tern_time before, after; /* µs */
        enum tern_hystart_verdict verdict;
    } rows[] = {
        {1000, 1000, TERN_HYSTART_GROW},
        {1000, 4999, TERN_HYSTART_GROW},
        {1000, 5000, TERN_HYSTART_GROW_SLOWLY},
        {80000, 89999, TERN_HYSTART_GROW},
        {80000, 90000, TERN_HYSTART_GROW_SLOWLY},
        {32000, 35999, TERN_HYSTART_GROW},
        {32000, 36000, TERN_HYSTART_GROW_SLOWLY},
        {400000, 415999, TERN_HYSTART_GROW},
        {400000, 416000, TERN_HYSTART_GROW_SLOWLY},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct tern_hystart h = {0};
        struct trip t = {0};

        assert_int_equal(trip(&h, &t, 16, rows[i].before * TERN_US), TERN_HYSTART_GROW);
        if (trip(&h, &t, 16, rows[i].after * TERN_US) != rows[i].verdict)
            fail_msg("from %lld to %lld µs", (long long)rows[i].before, (long long)rows[i].after);
    }
}

/* RFC 9406 §4.2: N_RTT_SAMPLE: seven samples of a round say nothing, eight do. */
static void test_samples(void **state)
{
    struct tern_hystart h = {0};
    struct trip t = {0};

    (void)state;
    assert_int_equal(trip(&h, &t, 16, 50 * TERN_MS), TERN_HYSTART_GROW);
    assert_int_equal(trip(&h, &t, 8, 70 * TERN_MS), TERN_HYSTART_GROW); /* the 7th */
    assert_int_equal(t.last, TERN_HYSTART_GROW_SLOWLY);                 /* the 8th */
}

/* The least of a round counts: one fast ACK among slow ones, and there is no queue. */
static void test_least(void **state)
{
    struct tern_hystart h = {0};
    struct trip t = {0};
    struct tern_cc_ack a = {.una = 17, .nxt = 40, .rtt = 50 * TERN_MS};

    (void)state;
    (void)trip(&h, &t, 16, 50 * TERN_MS);
    assert_int_equal(tern_hystart_on_ack(&h, &a), TERN_HYSTART_GROW);
    a.rtt = 100 * TERN_MS;
    for (a.una = 18; a.una < 30; a.una++)
        assert_int_equal(tern_hystart_on_ack(&h, &a), TERN_HYSTART_GROW);
}

/* RFC 9406 §4.2: five rounds of conservative slow start, the partial first one included. */
static void test_five_rounds(void **state)
{
    struct tern_hystart h = {0};
    struct trip t = {0};

    (void)state;
    (void)trip(&h, &t, 16, 50 * TERN_MS);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(trip(&h, &t, 16, 70 * TERN_MS), TERN_HYSTART_GROW_SLOWLY);
        assert_int_equal(t.last, TERN_HYSTART_GROW_SLOWLY);
    }
    assert_int_equal(trip(&h, &t, 16, 70 * TERN_MS), TERN_HYSTART_GROW_SLOWLY);
    assert_int_equal(t.last, TERN_HYSTART_LEAVE);
}

/* RFC 9406 §4.2: below the baseline again it was jitter: back to slow start, and from new. */
static void test_jitter(void **state)
{
    struct tern_hystart h = {0};
    struct trip t = {0};

    (void)state;
    (void)trip(&h, &t, 16, 50 * TERN_MS);
    for (int i = 0; i < 3; i++)
        assert_int_equal(trip(&h, &t, 16, 70 * TERN_MS), TERN_HYSTART_GROW_SLOWLY);
    assert_int_equal(trip(&h, &t, 16, 69 * TERN_MS), TERN_HYSTART_GROW);
    for (int i = 0; i < 20; i++)
        assert_int_equal(trip(&h, &t, 16, 69 * TERN_MS), TERN_HYSTART_GROW);
    for (int i = 0; i < 5; i++) /* the count begins again */
        assert_int_equal(trip(&h, &t, 16, 90 * TERN_MS), TERN_HYSTART_GROW_SLOWLY);
    assert_int_equal(t.last, TERN_HYSTART_LEAVE);
}

/* An application that pauses: a flight that ends with nothing behind it, then the next: a round a
 * flight, and the first ACK of one is not one of its own. */
static void test_pauses(void **state)
{
    struct tern_hystart h = {0};
    struct trip t = {0};
    struct tern_cc_ack a = {.una = 48, .nxt = 48, .rtt = 70 * TERN_MS};

    (void)state;
    (void)trip(&h, &t, 16, 50 * TERN_MS);
    assert_int_equal(trip(&h, &t, 16, 70 * TERN_MS), TERN_HYSTART_GROW_SLOWLY);
    assert_int_equal(h.css_rounds, 1);
    (void)tern_hystart_on_ack(&h, &a);
    assert_int_equal(h.css_rounds, 2);
    for (uint32_t flight = 0; flight < 2; flight++) {
        a.nxt += 10;
        for (a.una += 2; a.una < a.nxt; a.una += 2) {
            assert_int_equal(tern_hystart_on_ack(&h, &a), TERN_HYSTART_GROW_SLOWLY);
            assert_int_equal(h.css_rounds, 2 + flight);
        }
        assert_int_equal(tern_hystart_on_ack(&h, &a), TERN_HYSTART_GROW_SLOWLY);
        assert_int_equal(h.css_rounds, 3 + flight);
    }
}

/* The whole first slow start over a path with a buffer of so many BDPs. Returns what was lost until
 * its end and a round trip more; cwnd as it was at the end. blind: no RTTs, so no HyStart++. */
static uint64_t slow_start_on(const struct tern_cc_ops *ops, const struct bn *path, double bdps,
                              bool blind, uint64_t *cwnd)
{
    struct bn n;
    struct bn_flow *f;
    uint64_t lost;

    bn_open(&n, path->rate, path->delay, (uint64_t)((double)bn_bdp(path) * bdps));
    n.blind = blind;
    f = bn_flow_add(&n, ops, 0);
    for (int i = 0; i < 5000 && f->cc.ssthresh == TERN_CC_SSTHRESH_NONE; i++)
        bn_run(&n, path->delay / 10);
    assert_true(f->cc.ssthresh != TERN_CC_SSTHRESH_NONE);
    *cwnd = f->cc.cwnd;
    bn_run(&n, path->delay * 2);
    lost = n.dropped;
    bn_close(&n);
    return lost;
}

/* It fills the path. The queue shows in the least RTT of a round once the flight of the round
 * before stood at twice the BDP, and up to five rounds of a quarter more follow (RFC 9406 §4.2): a
 * buffer of ten BDPs must not overflow; of one of a BDP, far less is lost than without. */
static void test_leaves_in_time(void **state)
{
    static const struct bn rows[] = {{.rate = 1250000, .delay = 100 * TERN_MS},
                                     {.rate = 12500000, .delay = 40 * TERN_MS},
                                     {.rate = 12500000, .delay = 100 * TERN_MS},
                                     {.rate = 12500000, .delay = 200 * TERN_MS},
                                     {.rate = 2500000, .delay = 60 * TERN_MS}};
    static const struct tern_cc_ops *const ops[] = {&tern_cc_reno, &tern_cc_cubic};

    (void)state;
    for (size_t i = 0; i < 2 * sizeof rows / sizeof rows[0]; i++) {
        const struct bn *path = &rows[i / 2];
        uint64_t cwnd, ignored, lost[3];

        lost[0] = slow_start_on(ops[i % 2], path, 10, false, &cwnd);
        lost[1] = slow_start_on(ops[i % 2], path, 1, false, &ignored);
        lost[2] = slow_start_on(ops[i % 2], path, 1, true, &ignored);
        if (lost[0] > 0 || cwnd < bn_bdp(path) || cwnd > 10 * bn_bdp(path) ||
            lost[1] * 4 > lost[2] * 3)
            fail_msg("%s, path %zu: left at %.2f BDP, lost %llu, %llu and %llu", ops[i % 2]->name,
                     i / 2, (double)cwnd / (double)bn_bdp(path), (unsigned long long)lost[0],
                     (unsigned long long)lost[1], (unsigned long long)lost[2]);
    }
}

/* RFC 9406 §4.2: the first slow start only: one with a known ssthresh is not slowed down. */
static void test_first_slow_start_only(void **state)
{
    struct tern_cc_state s;
    struct tern_cc_ack a = {.bytes = 1000, .cwnd_limited = true, .srtt = 50 * TERN_MS};

    (void)state;
    tern_cc_reno.init(&s, 1000);
    s.ssthresh = 1000000;
    for (a.una = 0; a.una < 100; a.una++) {
        a.nxt = a.una + 10;
        a.rtt = (50 + (tern_time)a.una) * TERN_MS;
        tern_cc_reno.on_ack(&s, &a);
    }
    assert_int_equal(s.cwnd, 110000);
}

/* RFC 9406 §4.2: a quarter in conservative slow start; ssthresh at its end is cwnd. */
static void test_growth(void **state)
{
    struct tern_cc_state s;
    struct tern_cc_ack a = {.bytes = 1000, .cwnd_limited = true, .srtt = 50 * TERN_MS};

    (void)state;
    tern_cc_reno.init(&s, 1000);
    a.nxt = 16;
    for (a.una = 1; a.una <= 33; a.una++) {
        a.rtt = (a.una <= 17 ? 50 : 70) * TERN_MS;
        a.nxt = a.una <= 16 ? 16 + a.una : 50;
        tern_cc_reno.on_ack(&s, &a);
    }
    assert_true(s.hystart.in_css);
    a.una = 34;
    s.cwnd = 40000;
    tern_cc_reno.on_ack(&s, &a);
    assert_int_equal(s.cwnd, 40250);
    a.cwnd_limited = false;
    for (int round = 0; round < 5; round++) {
        a.una = a.nxt;
        a.nxt += 10;
        tern_cc_reno.on_ack(&s, &a);
    }
    assert_int_equal(s.cwnd, 40250);
    assert_int_equal(s.ssthresh, 40250);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_threshold),
        cmocka_unit_test(test_samples),
        cmocka_unit_test(test_least),
        cmocka_unit_test(test_five_rounds),
        cmocka_unit_test(test_jitter),
        cmocka_unit_test(test_pauses),
        cmocka_unit_test(test_first_slow_start_only),
        cmocka_unit_test(test_growth),
        cmocka_unit_test(test_leaves_in_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
