/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ranges against a model: one bool an offset, 200 offsets from a base. The same random calls on
 * both, and after each one the same answers: the set itself, room refused or not, covers, bytes,
 * seek.
 */
#include "base/ranges.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"

#define OFFSETS    200
#define ITEMS_MAX  32
#define STEPS      20000
#define GUARD_ITEM UINT64_C(0x5a5a5a5a5a5a5a5a)

static struct tern_random rng;
static bool model[OFFSETS];
static struct tern_range items[ITEMS_MAX + 1];
static struct tern_ranges set;
static uint64_t base;

static unsigned model_runs(const bool *m)
{
    unsigned runs = 0;

    for (unsigned i = 0; i < OFFSETS; i++)
        runs += m[i] && (i == 0 || !m[i - 1]);
    return runs;
}

static uint64_t model_bytes(unsigned start, unsigned end)
{
    uint64_t bytes = 0;

    for (unsigned i = start; i < end; i++)
        bytes += model[i];
    return bytes;
}

/* Two offsets in order; mostly near to each other. */
static void any_pair(unsigned *start, unsigned *end)
{
    unsigned a = (unsigned)tern_random_below(&rng, OFFSETS + 1);
    unsigned width = (unsigned)tern_random_below(&rng, tern_random_below(&rng, 8) == 0 ? 100 : 8);

    *start = a;
    *end = a + width > OFFSETS ? OFFSETS : a + width;
}

static void step_add(void)
{
    bool grown[OFFSETS];
    unsigned start, end;

    any_pair(&start, &end);
    memcpy(grown, model, sizeof grown);
    for (unsigned i = start; i < end; i++)
        grown[i] = true;
    if (tern_ranges_add(&set, base + start, base + end)) {
        assert_true(model_runs(grown) <= set.count_max);
        memcpy(model, grown, sizeof model);
    } else {
        assert_true(model_runs(grown) > set.count_max);
    }
}

static void step_remove(void)
{
    bool left[OFFSETS];
    unsigned start, end;

    any_pair(&start, &end);
    memcpy(left, model, sizeof left);
    memset(left + start, 0, end - start);
    if (tern_ranges_remove(&set, base + start, base + end)) {
        assert_true(model_runs(left) <= set.count_max);
        memcpy(model, left, sizeof model);
    } else {
        assert_true(model_runs(left) > set.count_max);
    }
}

static void step_trim(void)
{
    unsigned below = (unsigned)tern_random_below(&rng, OFFSETS / 4);

    tern_ranges_trim(&set, base + below);
    memset(model, 0, below);
}

static void step_cut(void)
{
    unsigned from = OFFSETS - (unsigned)tern_random_below(&rng, OFFSETS / 4);

    tern_ranges_cut(&set, base + from);
    memset(model + from, 0, OFFSETS - from);
}

static void compare_set(void)
{
    unsigned run = 0;

    tern_ranges_check(&set);
    assert_int_equal(set.count, model_runs(model));
    for (unsigned i = 0; i < OFFSETS; i++) {
        if (model[i] && (i == 0 || !model[i - 1]))
            assert_true(set.item[run].start == base + i);
        if (model[i] && (i + 1 == OFFSETS || !model[i + 1]))
            assert_true(set.item[run++].end == base + i + 1);
    }
    assert_true(tern_ranges_bytes(&set) == model_bytes(0, OFFSETS));
    assert_true(items[set.count_max].start == GUARD_ITEM);
}

static void compare_gap(unsigned start, unsigned end)
{
    struct tern_range gap;
    unsigned from = start;

    while (from < end && model[from])
        from++;
    assert_int_equal(tern_ranges_gap(&set, base + start, base + end, &gap), from < end);
    if (from == end)
        return;
    assert_true(gap.start == base + from);
    while (from < end && !model[from])
        from++;
    assert_true(gap.end == base + from);
}

static void compare_answers(void)
{
    unsigned start, end, above, last = 0;

    any_pair(&start, &end);
    assert_true(tern_ranges_bytes_within(&set, base + start, base + end) ==
                model_bytes(start, end));
    assert_int_equal(tern_ranges_covers(&set, base + start, base + end),
                     model_bytes(start, end) == end - start);
    compare_gap(start, end);
    above = tern_ranges_seek(&set, base + start);
    for (unsigned i = 0; i < start; i++) /* runs that end at or before start */
        last += model[i] && (i + 1 == OFFSETS || !model[i + 1]);
    assert_int_equal(above, last);
}

static void run(uint16_t count_max, uint64_t from)
{
    base = from;
    memset(model, 0, sizeof model);
    items[count_max].start = GUARD_ITEM;
    tern_ranges_init(&set, items, count_max);
    for (unsigned i = 0; i < STEPS; i++) {
        uint64_t choice = tern_random_below(&rng, 40);

        if (choice < 30) {
            step_add();
        } else if (choice < 36) {
            step_remove();
        } else if (choice < 38) {
            step_trim();
        } else if (choice < 39) {
            step_cut();
        } else {
            tern_ranges_clear(&set);
            memset(model, 0, sizeof model);
        }
        compare_set();
        compare_answers();
    }
}

static void same_as_a_bit_array(void **state)
{
    static const uint16_t maxima[] = {0, 1, 2, 5, ITEMS_MAX};
    static const uint64_t bases[] = {0, (UINT64_C(1) << 32) - 100, UINT64_MAX - OFFSETS};

    (void)state;
    tern_random_init(&rng, "ref", 3, "ranges");
    for (unsigned m = 0; m < sizeof maxima / sizeof maxima[0]; m++)
        for (unsigned b = 0; b < sizeof bases / sizeof bases[0]; b++)
            run(maxima[m], bases[b]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(same_as_a_bit_array)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
