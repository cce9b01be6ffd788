/* SPDX-License-Identifier: BSD-2-Clause */
/* Reno: RFC 5681 §3.1, RFC 3465, RFC 6928 §2, as tables of what one event does to cwnd. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "proto/tcp/cc.h"

#define MSS 1000

static void ack(struct tern_cc_state *s, uint64_t bytes)
{
    const struct tern_cc_ack a = {
        .bytes = bytes, .in_flight = s->cwnd, .srtt = TERN_MS, .cwnd_limited = true};

    tern_cc_reno.on_ack(s, &a);
}

/* RFC 6928 §2 */
static void test_initial_window(void **state)
{
    static const struct {
        uint32_t mss;
        uint64_t window;
    } rows[] = {{536, 5360},     {1460, 14600}, {1448, 14480}, {2000, 14600}, {8960, 17920},
                {65495, 130990}, {7300, 14600}, {7301, 14602}, {1, 10}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (tern_cc_initial_window(rows[i].mss) != rows[i].window)
            fail_msg("mss %u: %llu", rows[i].mss,
                     (unsigned long long)tern_cc_initial_window(rows[i].mss));
    }
}

static void test_find(void **state)
{
    (void)state;
    assert_ptr_equal(tern_cc_find("reno"), &tern_cc_reno);
    assert_ptr_equal(tern_cc_find("cubic"), &tern_cc_cubic);
    assert_null(tern_cc_find("vegas"));
    assert_null(tern_cc_find(""));
    assert_null(tern_cc_find("reno "));
}

/* RFC 3465 §2.2 without its limit: by the bytes, however many one ACK covers. */
static void test_slow_start(void **state)
{
    static const struct {
        uint64_t acked, grown;
    } rows[] = {{1, 1}, {MSS, MSS}, {2 * MSS, 2 * MSS}, {3 * MSS, 3 * MSS}, {10 * MSS, 10 * MSS}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct tern_cc_state s;

        tern_cc_reno.init(&s, MSS);
        assert_int_equal(s.cwnd, 10 * MSS);
        assert_true(s.ssthresh == TERN_CC_SSTHRESH_NONE);
        ack(&s, rows[i].acked);
        if (s.cwnd != 10 * MSS + rows[i].grown)
            fail_msg("row %zu: cwnd %llu", i, (unsigned long long)s.cwnd);
    }
}

/* RFC 3465 §2.3: after a timeout one MSS an ACK, until slow start ends. */
static void test_slow_start_after_timeout(void **state)
{
    struct tern_cc_state s;

    (void)state;
    tern_cc_reno.init(&s, MSS);
    tern_cc_reno.on_rto(&s, 10 * MSS, true, 0);
    assert_int_equal(s.cwnd, MSS);
    assert_int_equal(s.ssthresh, 5 * MSS);
    for (uint64_t n = 2; n <= 5; n++) {
        ack(&s, 2 * MSS);
        assert_int_equal(s.cwnd, n * MSS);
    }
    assert_false(s.after_rto);
}

/* RFC 3465 §2.1: one MSS for each window, however it is cut into ACKs. */
static void test_congestion_avoidance(void **state)
{
    static const uint64_t sizes[] = {1, 10, 500, 1000, 2000, 5000, 10000};

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct tern_cc_state s;

        tern_cc_reno.init(&s, MSS);
        s.ssthresh = s.cwnd;
        for (uint64_t sum = 0; sum + sizes[i] < 10 * MSS; sum += sizes[i])
            ack(&s, sizes[i]);
        assert_int_equal(s.cwnd, 10 * MSS);
        ack(&s, sizes[i]);
        assert_int_equal(s.cwnd, 11 * MSS);
    }
}

/* Round after round: one MSS each, and no byte counts twice. */
static void test_many_rounds(void **state)
{
    struct tern_cc_state s;
    uint64_t acked = 0;

    (void)state;
    tern_cc_reno.init(&s, MSS);
    s.ssthresh = s.cwnd;
    for (uint64_t window = 10; window < 30; window++) {
        const uint64_t end = acked + window * MSS;

        assert_int_equal(s.cwnd, window * MSS);
        for (; acked + 300 < end; acked += 300)
            ack(&s, 300);
        ack(&s, end - acked);
        acked = end;
    }
    assert_int_equal(s.cwnd, 30 * MSS);
}

/* A loss starts the count anew, and ends the slow start that followed a timeout. */
static void test_loss_forgets(void **state)
{
    struct tern_cc_state s;

    (void)state;
    tern_cc_reno.init(&s, MSS);
    s.ssthresh = s.cwnd;
    ack(&s, 9 * MSS);
    tern_cc_reno.on_loss(&s, 10 * MSS, 0);
    assert_int_equal(s.cwnd, 5 * MSS);
    ack(&s, 4 * MSS);
    assert_int_equal(s.cwnd, 5 * MSS);
    tern_cc_reno.on_rto(&s, 20 * MSS, true, 0);
    tern_cc_reno.on_loss(&s, 20 * MSS, 0);
    s.ssthresh = 100 * MSS;
    ack(&s, 2 * MSS);
    assert_int_equal(s.cwnd, 12 * MSS);
}

/* Slow start ends on ssthresh exactly; what an ACK has beyond counts for what follows. */
static void test_crossing(void **state)
{
    struct tern_cc_state s;

    (void)state;
    tern_cc_reno.init(&s, MSS);
    s.ssthresh = 10 * MSS + 500;
    ack(&s, 2 * MSS);
    assert_int_equal(s.cwnd, 10 * MSS + 500);
    assert_int_equal(s.reno.acked, 1500);
}

/* RFC 5681 §3.1 (4): half of what was in flight, at least two segments. */
static void test_loss(void **state)
{
    static const struct {
        uint64_t in_flight, ssthresh;
    } rows[] = {{20 * MSS, 10 * MSS}, {7 * MSS, 3500}, {3 * MSS, 2 * MSS}, {0, 2 * MSS}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct tern_cc_state s;

        tern_cc_reno.init(&s, MSS);
        tern_cc_reno.on_loss(&s, rows[i].in_flight, 0);
        assert_int_equal(s.ssthresh, rows[i].ssthresh);
        assert_int_equal(s.cwnd, rows[i].ssthresh);
        s.cwnd += 3 * MSS; /* the engine inflates, RFC 5681 §3.2 step 3 */
        tern_cc_reno.on_recovered(&s, 0);
        assert_int_equal(s.cwnd, rows[i].ssthresh);
    }
}

/* RFC 5681 §3.1: the same segment again: ssthresh stays. */
static void test_second_timeout(void **state)
{
    struct tern_cc_state s;

    (void)state;
    tern_cc_reno.init(&s, MSS);
    tern_cc_reno.on_rto(&s, 20 * MSS, true, 0);
    assert_int_equal(s.ssthresh, 10 * MSS);
    tern_cc_reno.on_rto(&s, MSS, false, 0);
    assert_int_equal(s.ssthresh, 10 * MSS);
    assert_int_equal(s.cwnd, MSS);
    tern_cc_reno.on_recovered(&s, 0);
    assert_int_equal(s.cwnd, MSS);
}

/* RFC 3168 §6.1.2: a mark halves, as a loss does; the window may go down to one segment. */
static void test_mark(void **state)
{
    static const struct {
        uint64_t in_flight, cwnd, ssthresh;
    } rows[] = {{20 * MSS, 10 * MSS, 10 * MSS}, {3 * MSS, 1500, 2 * MSS}, {MSS, MSS, 2 * MSS}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct tern_cc_state s;

        tern_cc_reno.init(&s, MSS);
        tern_cc_reno.on_ecn(&s, rows[i].in_flight, 0);
        assert_int_equal(s.cwnd, rows[i].cwnd);
        assert_int_equal(s.ssthresh, rows[i].ssthresh);
    }
}

/* RFC 5681 §4.1: no more than the initial window after idling; ssthresh remembers three quarters.
 */
static void test_restart(void **state)
{
    static const struct {
        uint64_t cwnd, ssthresh, cwnd_after, ssthresh_after;
    } rows[] = {
        {40 * MSS, 20 * MSS, 10 * MSS, 30 * MSS},
        {40 * MSS, 50 * MSS, 10 * MSS, 50 * MSS},
        {40 * MSS, TERN_CC_SSTHRESH_NONE, 10 * MSS, TERN_CC_SSTHRESH_NONE},
        {3 * MSS, 2 * MSS, 3 * MSS, 2250},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct tern_cc_state s;

        tern_cc_reno.init(&s, MSS);
        s.cwnd = rows[i].cwnd;
        s.ssthresh = rows[i].ssthresh;
        tern_cc_restart(&s);
        assert_int_equal(s.cwnd, rows[i].cwnd_after);
        assert_true(s.ssthresh == rows[i].ssthresh_after);
    }
}

static void test_not_limited(void **state)
{
    const struct tern_cc_ack a = {.bytes = 5 * MSS, .in_flight = MSS, .srtt = TERN_MS};
    struct tern_cc_state s;

    (void)state;
    tern_cc_reno.init(&s, MSS);
    for (int i = 0; i < 100; i++)
        tern_cc_reno.on_ack(&s, &a);
    assert_int_equal(s.cwnd, 10 * MSS);
    s.ssthresh = s.cwnd;
    for (int i = 0; i < 100; i++)
        tern_cc_reno.on_ack(&s, &a);
    assert_int_equal(s.cwnd, 10 * MSS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_initial_window),
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_slow_start),
        cmocka_unit_test(test_slow_start_after_timeout),
        cmocka_unit_test(test_congestion_avoidance),
        cmocka_unit_test(test_many_rounds),
        cmocka_unit_test(test_loss_forgets),
        cmocka_unit_test(test_crossing),
        cmocka_unit_test(test_loss),
        cmocka_unit_test(test_second_timeout),
        cmocka_unit_test(test_mark),
        cmocka_unit_test(test_restart),
        cmocka_unit_test(test_not_limited),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
