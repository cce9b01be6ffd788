/* SPDX-License-Identifier: BSD-2-Clause */
/* The histogram: exact where it says so, within its precision elsewhere. */
#include "apps/bench_hist.h"

#include "world.h"

static struct tern_bench_hist hist;

static void nothing(void **state)
{
    (void)state;
    tern_bench_hist_init(&hist);
    assert_int_equal(tern_bench_hist_at(&hist, 500), 0);
    assert_int_equal(tern_bench_hist_at(&hist, 1000), 0);
    assert_int_equal(tern_bench_hist_mean(&hist), 0);
}

/* One value alone is every percentile, exactly, as it is the least and the most. */
static void one_value(void **state)
{
    static const tern_time values[] = {
        0,     1,     127, 128, 129, 255, 256, 999999, 7 * TERN_SECOND, 200 * TERN_SECOND,
        65535, 65536, 1000};

    (void)state;
    for (size_t i = 0; i < COUNT(values); i++) {
        tern_bench_hist_init(&hist);
        tern_bench_hist_add(&hist, values[i]);
        assert_int_equal(tern_bench_hist_at(&hist, 0), values[i]);
        assert_int_equal(tern_bench_hist_at(&hist, 500), values[i]);
        assert_int_equal(tern_bench_hist_at(&hist, 1000), values[i]);
        assert_int_equal(tern_bench_hist_mean(&hist), values[i]);
    }
}

/* In each of many orders of magnitude: a value between two others is found to 1/128. */
static void precision(void **state)
{
    (void)state;
    for (tern_time value = 1; value < 30 * TERN_SECOND; value = value * 5 / 4 + 1) {
        tern_time found;

        tern_bench_hist_init(&hist);
        tern_bench_hist_add(&hist, 0);
        tern_bench_hist_add(&hist, value);
        tern_bench_hist_add(&hist, 40 * TERN_SECOND);
        found = tern_bench_hist_at(&hist, 500);
        assert_true(found >= value - value / 128);
        assert_true(found <= value + value / 128);
    }
}

/* 1 to 100,000: the n-th thousandth is known. */
static void percentiles(void **state)
{
    static const unsigned asked[] = {1, 10, 250, 500, 900, 990, 999};

    (void)state;
    tern_bench_hist_init(&hist);
    for (tern_time v = 100000; v >= 1; v--)
        tern_bench_hist_add(&hist, v);
    assert_int_equal(hist.count, 100000);
    assert_int_equal(hist.least, 1);
    assert_int_equal(hist.most, 100000);
    assert_int_equal(tern_bench_hist_mean(&hist), 50000);
    for (size_t i = 0; i < COUNT(asked); i++) {
        tern_time truth = (tern_time)asked[i] * 100;
        tern_time found = tern_bench_hist_at(&hist, asked[i]);

        assert_true(found >= truth - truth / 128);
        assert_true(found <= truth + truth / 128);
    }
}

/* Longer than the last bucket, or before the clock's beginning. */
static void beyond(void **state)
{
    (void)state;
    tern_bench_hist_init(&hist);
    tern_bench_hist_add(&hist, 3600 * TERN_SECOND);
    tern_bench_hist_add(&hist, 7200 * TERN_SECOND);
    tern_bench_hist_add(&hist, -5);
    assert_int_equal(hist.count, 3);
    assert_int_equal(hist.least, 0);
    assert_int_equal(tern_bench_hist_at(&hist, 1000), 7200 * TERN_SECOND);
    assert_true(tern_bench_hist_at(&hist, 990) > 60 * TERN_SECOND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing),     cmocka_unit_test(one_value), cmocka_unit_test(precision),
        cmocka_unit_test(percentiles), cmocka_unit_test(beyond),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
