/* SPDX-License-Identifier: BSD-2-Clause */
/* RFC 6298 by hand: every expectation below was worked out on paper from §2.2, §2.3 and §5. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "proto/tcp/rtt.h"

struct row {
    const char *words;
    tern_time sample;
    uint32_t samples_per_rtt;
    tern_time srtt, rttvar, rto;
};

static void run_rows(const struct row *rows, size_t count)
{
    struct tern_rtt r;

    tern_rtt_init(&r);
    for (size_t i = 0; i < count; i++) {
        tern_rtt_sample(&r, rows[i].sample, rows[i].samples_per_rtt);
        if (r.srtt != rows[i].srtt || r.rttvar != rows[i].rttvar || r.rto != rows[i].rto) {
            fail_msg("row %zu (%s): srtt %lld, rttvar %lld, rto %lld", i, rows[i].words,
                     (long long)r.srtt, (long long)r.rttvar, (long long)r.rto);
        }
    }
}

/* RFC 6298 §2.2, §2.3 */
static void test_formula(void **state)
{
    static const struct row rows[] = {
        {"first: R, R/2, R + 4 * R/2", 100 * TERN_MS, 1, 100 * TERN_MS, 50 * TERN_MS,
         300 * TERN_MS},
        {"up: 3/4 * 50 + 1/4 * 100; 7/8 * 100 + 1/8 * 200", 200 * TERN_MS, 1, 112500 * TERN_US,
         62500 * TERN_US, 362500 * TERN_US},
        {"down again", 100 * TERN_MS, 1, 110937500, 50 * TERN_MS, 310937500},
        {"a leap", 1 * TERN_SECOND, 1, 222070312, 259765625, 1261132812},
    };

    (void)state;
    run_rows(rows, sizeof rows / sizeof rows[0]);
}

/* RFC 7323 appendix G: the same weight for a window, whatever the number of samples in it. */
static void test_many_samples(void **state)
{
    static const struct row rows[] = {
        {"first", 100 * TERN_MS, 10, 100 * TERN_MS, 50 * TERN_MS, 300 * TERN_MS},
        {"gains over ten", 200 * TERN_MS, 10, 101250 * TERN_US, 51250 * TERN_US, 306250 * TERN_US},
    };

    (void)state;
    run_rows(rows, sizeof rows / sizeof rows[0]);
}

/* The floor stands under the variance term. */
static void test_floor(void **state)
{
    struct tern_rtt r;

    (void)state;
    tern_rtt_init(&r);
    for (int i = 0; i < 200; i++)
        tern_rtt_sample(&r, 190 * TERN_MS, 1);
    assert_int_equal(r.srtt, 190 * TERN_MS);
    assert_true(r.rttvar < TERN_MS);
    assert_int_equal(r.rto, 390 * TERN_MS);
    tern_rtt_init(&r);
    tern_rtt_sample(&r, 20 * TERN_US, 1);
    assert_int_equal(r.rto, 200 * TERN_MS + 20 * TERN_US);
}

/* RFC 6298 §2.1, §5.5: 1 s, then doubled to the limit. */
static void test_backoff(void **state)
{
    static const int seconds[] = {1, 2, 4, 8, 16, 32, 64, 120, 120};
    struct tern_rtt r;

    (void)state;
    tern_rtt_init(&r);
    for (size_t i = 0; i < sizeof seconds / sizeof seconds[0]; i++) {
        assert_int_equal(r.rto, seconds[i] * TERN_SECOND);
        assert_int_equal(r.backoffs, i);
        tern_rtt_backoff(&r);
    }
    tern_rtt_backoff_end(&r);
    assert_int_equal(r.rto, TERN_RTO_INITIAL);
    assert_int_equal(r.backoffs, 0);
}

static void test_sample_ends_backoff(void **state)
{
    struct tern_rtt r;

    (void)state;
    tern_rtt_init(&r);
    tern_rtt_sample(&r, 100 * TERN_MS, 1);
    tern_rtt_backoff(&r);
    tern_rtt_backoff(&r);
    assert_int_equal(r.rto, 1200 * TERN_MS);
    tern_rtt_backoff_end(&r);
    assert_int_equal(r.rto, 300 * TERN_MS);
    tern_rtt_backoff(&r);
    tern_rtt_sample(&r, 100 * TERN_MS, 1); /* rttvar: 3/4 * 50 = 37.5; the floor of 200 counts */
    assert_int_equal(r.rto, 300 * TERN_MS);
    assert_int_equal(r.backoffs, 0);
}

/* RFC 6298 §5.7 */
static void test_syn_loss(void **state)
{
    struct tern_rtt r;

    (void)state;
    tern_rtt_init(&r);
    tern_rtt_backoff(&r);
    tern_rtt_after_syn_loss(&r);
    assert_int_equal(r.rto, 3 * TERN_SECOND);
    tern_rtt_backoff(&r);
    assert_int_equal(r.rto, 6 * TERN_SECOND);
    tern_rtt_backoff_end(&r);
    assert_int_equal(r.rto, 3 * TERN_SECOND);
    tern_rtt_sample(&r, 100 * TERN_MS, 1);
    assert_int_equal(r.rto, 300 * TERN_MS);
}

/* A peer that echoes nonsense gives nonsense samples. */
static void test_impossible_samples(void **state)
{
    static const tern_time samples[] = {0, -1, INT64_MIN, INT64_MAX, 49 * 86400 * TERN_SECOND};

    (void)state;
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        struct tern_rtt r;

        tern_rtt_init(&r);
        for (uint32_t n = 1; n < 100; n += 7) {
            tern_rtt_sample(&r, samples[i], n);
            tern_rtt_sample(&r, 100 * TERN_MS, n);
            assert_true(r.srtt > 0);
            assert_true(r.rttvar >= 0);
            assert_in_range(r.rto, TERN_RTO_MIN, TERN_RTO_MAX);
        }
    }
}

static void test_minimum(void **state)
{
    struct tern_rtt r;

    (void)state;
    tern_rtt_init(&r);
    assert_true(r.rtt_min == TERN_TIME_NEVER);
    tern_rtt_sample(&r, 30 * TERN_MS, 1);
    tern_rtt_sample(&r, 20 * TERN_MS, 1);
    tern_rtt_sample(&r, 90 * TERN_MS, 1);
    assert_int_equal(r.rtt_min, 20 * TERN_MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_formula),
        cmocka_unit_test(test_many_samples),
        cmocka_unit_test(test_floor),
        cmocka_unit_test(test_backoff),
        cmocka_unit_test(test_sample_ends_backoff),
        cmocka_unit_test(test_syn_loss),
        cmocka_unit_test(test_impossible_samples),
        cmocka_unit_test(test_minimum),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
