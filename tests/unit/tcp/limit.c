/* SPDX-License-Identifier: BSD-2-Clause */
/* The limit that connections share: about so many a second, never twice the same. */
#include "proto/tcp/limit.h"

#include "engine.h"

#define MEAN 200

static uint32_t taken_in(struct tern_limit *l, struct tern_random *r, tern_time second)
{
    uint32_t count = 0;

    for (int i = 0; i < 1000; i++)
        count += tern_limit_take(l, r, MEAN, second * TERN_SECOND + i * TERN_MS);
    return count;
}

static void within_bounds(void **state)
{
    struct tern_limit l = {.second = 0};
    struct tern_random r;
    uint32_t least = UINT32_MAX, most = 0;
    uint64_t all = 0;

    (void)state;
    tern_random_init(&r, "limit", 5, "test");
    for (tern_time s = 0; s < 1000; s++) {
        const uint32_t n = taken_in(&l, &r, s);

        assert_true(n >= MEAN / 2);
        assert_true(n < MEAN / 2 + MEAN);
        least = n < least ? n : least;
        most = n > most ? n : most;
        all += n;
    }
    assert_true(least < 110); /* the whole range is used, evenly */
    assert_true(most > 290);
    assert_true(all > 190 * 1000 && all < 210 * 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(within_bounds)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
