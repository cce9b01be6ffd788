/* SPDX-License-Identifier: BSD-2-Clause */
/* The seeded generator: the right algorithm, repeatable, split by purpose, even. */
#include "base/random.h"
#include "test.h"

static void known_sequence(void **state)
{
    /* xoshiro256** from the state 1, 2, 3, 4: the values that other implementations test with */
    static const uint64_t expected[] = {
        11520, 0, 1509978240, UINT64_C(1215971899390074240), UINT64_C(1216172134540287360),
    };
    struct tern_random r = {{1, 2, 3, 4}};

    (void)state;
    for (size_t i = 0; i < ROWS(expected); i++)
        assert_true(tern_random_u64(&r) == expected[i]);
}

/* The state that a seed and a purpose give, worked out by another SipHash: recorded runs must
 * replay. */
static void known_start(void **state)
{
    static const uint64_t expected[] = {
        UINT64_C(0x04d66f39a3941b11),
        UINT64_C(0x57adb3fa56d93f5f),
        UINT64_C(0x7263ff51da7d4f26),
        UINT64_C(0xda907f1992f7608b),
    };
    struct tern_random r;

    (void)state;
    tern_random_init(&r, "seed", 4, "jitter");
    for (size_t i = 0; i < ROWS(expected); i++)
        assert_true(r.s[i] == expected[i]);
}

static void same_seed_same_numbers(void **state)
{
    struct tern_random a, b;

    (void)state;
    tern_random_init(&a, "seed", 4, "jitter");
    tern_random_init(&b, "seed", 4, "jitter");
    for (unsigned i = 0; i < 100; i++)
        assert_true(tern_random_u64(&a) == tern_random_u64(&b));
}

static unsigned equal_draws(struct tern_random a, struct tern_random b)
{
    unsigned equal = 0;

    for (unsigned i = 0; i < 1000; i++)
        equal += tern_random_u64(&a) == tern_random_u64(&b);
    return equal;
}

static void purposes_and_seeds_are_independent(void **state)
{
    struct tern_random a, b, c, d;

    (void)state;
    tern_random_init(&a, "seed", 4, "jitter");
    tern_random_init(&b, "seed", 4, "ports");
    tern_random_init(&c, "seee", 4, "jitter");
    tern_random_init(&d, "", 0, "");
    assert_int_equal(equal_draws(a, b), 0);
    assert_int_equal(equal_draws(a, c), 0);
    assert_int_equal(equal_draws(b, c), 0);
    assert_int_equal(equal_draws(a, d), 0);
}

static void below_stays_below_and_is_even(void **state)
{
    static const uint64_t bounds[] = {1, 2, 3, 10, 1000, UINT64_C(1) << 63, UINT64_MAX};
    unsigned hits[10] = {0};
    struct tern_random r;

    (void)state;
    tern_random_init(&r, "seed", 4, "below");
    for (size_t i = 0; i < ROWS(bounds); i++)
        for (unsigned n = 0; n < 1000; n++)
            assert_true(tern_random_below(&r, bounds[i]) < bounds[i]);
    for (unsigned n = 0; n < 100000; n++)
        hits[tern_random_below(&r, 10)]++;
    for (unsigned i = 0; i < 10; i++) /* 10,000 expected, standard deviation 95 */
        assert_in_range(hits[i], 9500, 10500);
}

/* 2^64 is four thirds of this bound: without rejection the lowest third would come up twice as
 * often. */
static void below_rejects_the_uneven_rest(void **state)
{
    const uint64_t third = UINT64_C(1) << 62;
    struct tern_random r;
    unsigned low = 0;

    (void)state;
    tern_random_init(&r, "seed", 4, "uneven");
    for (unsigned n = 0; n < 30000; n++)
        low += tern_random_below(&r, 3 * third) < third;
    assert_in_range(low, 9600, 10400); /* 10,000 expected; 15,000 without */
}

static void chance(void **state)
{
    struct tern_random r;
    unsigned hits = 0;

    (void)state;
    tern_random_init(&r, "seed", 4, "chance");
    for (unsigned n = 0; n < 1000; n++) {
        assert_false(tern_random_chance(&r, 0));
        assert_true(tern_random_chance(&r, 1000000));
    }
    for (unsigned n = 0; n < 100000; n++)
        hits += tern_random_chance(&r, 20000) != 0;
    assert_in_range(hits, 1800, 2200); /* 2,000 expected, standard deviation 44 */
}

static void bytes_fill_exactly(void **state)
{
    struct tern_random r;
    uint8_t b[40];

    (void)state;
    for (size_t n = 0; n < 32; n++) {
        tern_random_init(&r, "seed", 4, "bytes");
        memset(b, 0, sizeof b);
        tern_random_bytes(&r, b, n);
        for (size_t i = n; i < sizeof b; i++)
            assert_int_equal(b[i], 0);
        if (n >= 8)
            assert_memory_not_equal(b, b + 32, 8);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_sequence),
        cmocka_unit_test(known_start),
        cmocka_unit_test(same_seed_same_numbers),
        cmocka_unit_test(purposes_and_seeds_are_independent),
        cmocka_unit_test(below_stays_below_and_is_even),
        cmocka_unit_test(below_rejects_the_uneven_rest),
        cmocka_unit_test(chance),
        cmocka_unit_test(bytes_fill_exactly),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
