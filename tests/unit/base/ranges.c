/* SPDX-License-Identifier: BSD-2-Clause */
/* Sets of ranges, in tables; tests/ref compares them with a naive model. */
#include "base/ranges.h"
#include "test.h"
#include "trap.h"

#define MAX 4

static struct tern_range items[MAX];
static struct tern_ranges set;

static void start_with(const struct tern_range *range, size_t count)
{
    tern_ranges_init(&set, items, MAX);
    for (size_t i = 0; i < count; i++)
        assert_true(tern_ranges_add(&set, range[i].start, range[i].end));
    tern_ranges_check(&set);
}

static void expect(const char *name, const char *words)
{
    char text[256];
    size_t used = 0;

    text[0] = '\0';
    for (unsigned i = 0; i < set.count; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%llu-%llu", i > 0 ? " " : "",
                                 (unsigned long long)set.item[i].start,
                                 (unsigned long long)set.item[i].end);
    if (strcmp(text, words) != 0)
        fail_msg("%s: got '%s', expected '%s'", name, text, words);
    tern_ranges_check(&set);
}

static const struct tern_range three[] = {{10, 20}, {30, 40}, {50, 60}};

static void adding(void **state)
{
    static const struct {
        const char *name;
        uint64_t start, end;
        const char *expected;
    } rows[] = {
        {"before all", 0, 5, "0-5 10-20 30-40 50-60"},
        {"behind all", 70, 80, "10-20 30-40 50-60 70-80"},
        {"in a gap", 22, 28, "10-20 22-28 30-40 50-60"},
        {"touching below", 20, 25, "10-25 30-40 50-60"},
        {"touching above", 25, 30, "10-20 25-40 50-60"},
        {"touching both", 20, 30, "10-40 50-60"},
        {"inside", 12, 18, "10-20 30-40 50-60"},
        {"the same", 10, 20, "10-20 30-40 50-60"},
        {"overlap left", 5, 15, "5-20 30-40 50-60"},
        {"overlap right", 15, 25, "10-25 30-40 50-60"},
        {"two at once", 15, 35, "10-40 50-60"},
        {"all of it", 0, 100, "0-100"},
        {"all, from the middle", 35, 55, "10-20 30-60"},
        {"empty", 25, 25, "10-20 30-40 50-60"},
        {"empty, inside", 15, 15, "10-20 30-40 50-60"},
        {"to the end of all offsets", 55, UINT64_MAX, "10-20 30-40 50-18446744073709551615"},
    };

    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        start_with(three, ROWS(three));
        assert_true(tern_ranges_add(&set, rows[i].start, rows[i].end));
        expect(rows[i].name, rows[i].expected);
    }
}

static void a_full_set(void **state)
{
    (void)state;
    start_with(three, ROWS(three));
    assert_true(tern_ranges_add(&set, 70, 80));
    assert_false(tern_ranges_add(&set, 90, 95));
    expect("no room behind", "10-20 30-40 50-60 70-80");
    assert_false(tern_ranges_add(&set, 0, 5));
    expect("no room before", "10-20 30-40 50-60 70-80");
    assert_true(tern_ranges_add(&set, 25, 25));
    expect("an empty range needs no room", "10-20 30-40 50-60 70-80");
    assert_true(tern_ranges_add(&set, 80, 90));
    assert_true(tern_ranges_add(&set, 18, 32));
    expect("merging needs none", "10-40 50-60 70-90");
    tern_ranges_init(&set, NULL, 0);
    assert_false(tern_ranges_add(&set, 1, 2));
    assert_true(tern_ranges_add(&set, 1, 1));
    assert_int_equal(set.count, 0);
}

static void trimming_and_cutting(void **state)
{
    static const struct {
        uint64_t at;
        const char *trimmed, *cut;
    } rows[] = {
        {0, "10-20 30-40 50-60", ""},       {10, "10-20 30-40 50-60", ""},
        {15, "15-20 30-40 50-60", "10-15"}, {20, "30-40 50-60", "10-20"},
        {25, "30-40 50-60", "10-20"},       {31, "31-40 50-60", "10-20 30-31"},
        {59, "59-60", "10-20 30-40 50-59"}, {60, "", "10-20 30-40 50-60"},
        {99, "", "10-20 30-40 50-60"},
    };

    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        start_with(three, ROWS(three));
        tern_ranges_trim(&set, rows[i].at);
        expect("trim", rows[i].trimmed);
        start_with(three, ROWS(three));
        tern_ranges_cut(&set, rows[i].at);
        expect("cut", rows[i].cut);
    }
    start_with(three, ROWS(three));
    tern_ranges_clear(&set);
    expect("clear", "");
}

static void asking(void **state)
{
    static const struct {
        uint64_t start, end;
        uint16_t seek;
        bool covers;
        uint64_t bytes;
    } rows[] = {
        {0, 5, 0, false, 0},
        {0, 10, 0, false, 0},
        {0, 100, 0, false, 30},
        {10, 20, 0, true, 10},
        {12, 18, 0, true, 6},
        {9, 11, 0, false, 1},
        {19, 21, 0, false, 1},
        {20, 30, 1, false, 0},
        {20, 20, 1, true, 0},
        {25, 55, 1, false, 15},
        {59, 60, 2, true, 1},
        {60, 61, 3, false, 0},
        {50, UINT64_MAX, 2, false, 10},
    };

    (void)state;
    start_with(three, ROWS(three));
    for (size_t i = 0; i < ROWS(rows); i++) {
        assert_int_equal(tern_ranges_seek(&set, rows[i].start), rows[i].seek);
        assert_int_equal(tern_ranges_covers(&set, rows[i].start, rows[i].end), rows[i].covers);
        assert_int_equal(tern_ranges_bytes_within(&set, rows[i].start, rows[i].end), rows[i].bytes);
    }
    assert_int_equal(tern_ranges_bytes(&set), 30);
}

static void check_set(void)
{
    tern_ranges_check(&set);
}

static void add_backwards(void)
{
    tern_ranges_add(&set, 9, 8);
}

static void misuse_and_damage(void **state)
{
    (void)state;
    start_with(three, ROWS(three));
    assert_true(trips(add_backwards));
    assert_false(trips(check_set));
    items[1].start = 20; /* touches its neighbour */
    assert_true(trips(check_set));
    items[1].start = 40; /* empty */
    assert_true(trips(check_set));
    items[1].start = 30;
    set.count_max = 2;
    assert_true(trips(check_set));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adding),
        cmocka_unit_test(a_full_set),
        cmocka_unit_test(trimming_and_cutting),
        cmocka_unit_test(asking),
        cmocka_unit_test(misuse_and_damage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
