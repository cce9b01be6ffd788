/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers and seconds of the command line: the whole word, in range, or nothing. */
#include "cli/number.h"

#include "cli/talk.h"
#include "test.h"

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

static void test_number(void **state)
{
    static const struct {
        const char *text;
        uint64_t low, high, n;
        bool fine;
    } rows[] = {
        {"0", 0, 9, 0, true},
        {"9", 0, 9, 9, true},
        {"10", 0, 9, 0, false},
        {"0", 1, 9, 0, false},
        {"", 0, 9, 0, false},
        {"-1", 0, 9, 0, false},
        {" 1", 0, 9, 0, false},
        {"1 ", 0, 9, 0, false},
        {"0x1", 0, 9, 0, false},
        {"+1", 0, 9, 0, false},
        {"1e1", 0, 99, 0, false},
        {"007", 0, 9, 7, true},
        {"18446744073709551615", 0, UINT64_MAX, UINT64_MAX, true},
        {"18446744073709551616", 0, UINT64_MAX, 0, false},
    };

    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        uint64_t n = 77;
        bool fine = tern_number(rows[i].text, rows[i].low, rows[i].high, &n);

        print_message("'%s'\n", rows[i].text);
        assert_int_equal(fine, rows[i].fine);
        assert_int_equal(n, rows[i].fine ? rows[i].n : 77);
    }
}

static void test_seconds(void **state)
{
    static const struct {
        const char *text;
        tern_time at;
        bool fine;
    } rows[] = {
        {"1", TERN_SECOND, true},
        {"0.2", 200 * TERN_MS, true},
        {".5", 500 * TERN_MS, true},
        {"2.", 2 * TERN_SECOND, true},
        {"0.000000001", 1, true},
        {"0.0000000001", 0, true},
        {"999999", 999999 * TERN_SECOND, true},
        {"1000000", 0, false},
        {"99999999999999999999999", 0, false},
        {"", 0, false},
        {".", 0, false},
        {"-1", 0, false},
        {"1s", 0, false},
        {"1,5", 0, false},
        {"inf", 0, false},
    };

    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        tern_time at = -5;
        bool fine = tern_seconds(rows[i].text, &at);

        print_message("'%s'\n", rows[i].text);
        assert_int_equal(fine, rows[i].fine);
        assert_int_equal(at, rows[i].fine ? rows[i].at : -5);
    }
}

static void test_flags_join(void **state)
{
    static const struct option own[] = {{"help", no_argument, NULL, 'h'},
                                        {"count", required_argument, NULL, 'c'}};
    struct option all[64];

    (void)state;
    memset(all, 0xff, sizeof all);
    tern_flags_join(all, ROWS(all), own, ROWS(own));
    assert_string_equal(all[0].name, "help");
    assert_string_equal(all[1].name, "count");
    assert_string_equal(all[2].name, tern_talk_flags[0].name);
    assert_null(all[2 + tern_talk_flags_count].name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_number),
        cmocka_unit_test(test_seconds),
        cmocka_unit_test(test_flags_join),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
