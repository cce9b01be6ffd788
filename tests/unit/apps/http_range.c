/* SPDX-License-Identifier: BSD-2-Clause */
/* RFC 9110 §14.1.2, §14.2 */
#include "http_test.h"

#include "apps/http_range.h"

static const struct {
    const char *field;
    uint64_t file;
    enum tern_http_range_verdict verdict;
    size_t count;
    struct tern_http_range range[3];
} rows[] = {
    {"bytes=0-99", 1000, TERN_HTTP_RANGE_PARTS, 1, {{0, 100}}},
    {"BYTES=0-0", 1000, TERN_HTTP_RANGE_PARTS, 1, {{0, 1}}},
    {"bytes=900-", 1000, TERN_HTTP_RANGE_PARTS, 1, {{900, 100}}},
    {"bytes=-1", 1000, TERN_HTTP_RANGE_PARTS, 1, {{999, 1}}},
    {"bytes=-5000", 1000, TERN_HTTP_RANGE_PARTS, 1, {{0, 1000}}},
    {"bytes=999-5000", 1000, TERN_HTTP_RANGE_PARTS, 1, {{999, 1}}},
    {"bytes=0-18446744073709551615", 1000, TERN_HTTP_RANGE_PARTS, 1, {{0, 1000}}},
    {"bytes=0-99999999999999999999999", 1000, TERN_HTTP_RANGE_PARTS, 1, {{0, 1000}}},
    {"bytes=0-9, 20-29 ,-10", 1000, TERN_HTTP_RANGE_PARTS, 3, {{0, 10}, {20, 10}, {990, 10}}},
    {"bytes=20-29,0-9", 1000, TERN_HTTP_RANGE_PARTS, 2, {{20, 10}, {0, 10}}},
    {"bytes=,0-9,,", 1000, TERN_HTTP_RANGE_PARTS, 1, {{0, 10}}},
    {"bytes=0-9,5000-", 1000, TERN_HTTP_RANGE_PARTS, 1, {{0, 10}}},
    {"bytes=0-9,10-19", 1000, TERN_HTTP_RANGE_PARTS, 2, {{0, 10}, {10, 10}}},
    {"bytes=1000-", 1000, TERN_HTTP_RANGE_OUTSIDE},
    {"bytes=-0", 1000, TERN_HTTP_RANGE_OUTSIDE},
    {"bytes=0-", 0, TERN_HTTP_RANGE_OUTSIDE},
    {"bytes=-5", 0, TERN_HTTP_RANGE_OUTSIDE},
    {"bytes=99999999999999999999-", 1000, TERN_HTTP_RANGE_OUTSIDE},
    {"bytes=5-4", 1000, TERN_HTTP_RANGE_WHOLE},
    {"bytes=", 1000, TERN_HTTP_RANGE_WHOLE},
    {"bytes=-", 1000, TERN_HTTP_RANGE_WHOLE},
    {"bytes=a-b", 1000, TERN_HTTP_RANGE_WHOLE},
    {"bytes=1-2x", 1000, TERN_HTTP_RANGE_WHOLE},
    {"bytes=1 -2", 1000, TERN_HTTP_RANGE_WHOLE},
    {"bytes=0-9 20-29", 1000, TERN_HTTP_RANGE_WHOLE},
    {"bytes 0-9", 1000, TERN_HTTP_RANGE_WHOLE},
    {"lines=0-9", 1000, TERN_HTTP_RANGE_WHOLE},
    {"", 1000, TERN_HTTP_RANGE_WHOLE},
    {"bytes=0-9,5-14", 1000, TERN_HTTP_RANGE_WHOLE},
    {"bytes=0-,0-,0-", 1000, TERN_HTTP_RANGE_WHOLE},
};

static void table(void **state)
{
    struct tern_http_range range[TERN_HTTP_RANGES_MAX];
    size_t count;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        enum tern_http_range_verdict verdict =
            tern_http_ranges(rows[i].field, rows[i].file, range, &count);

        if (verdict != rows[i].verdict)
            fail_msg("%s: %d", rows[i].field, (int)verdict);
        if (verdict != TERN_HTTP_RANGE_PARTS)
            continue;
        assert_int_equal(count, rows[i].count);
        for (size_t n = 0; n < count; n++) {
            assert_int_equal(range[n].at, rows[i].range[n].at);
            assert_int_equal(range[n].bytes, rows[i].range[n].bytes);
        }
    }
}

/* As many as the table holds; with one more the whole file is cheaper. */
static void most(void **state)
{
    struct tern_http_range range[TERN_HTTP_RANGES_MAX];
    char field[512] = "bytes=";
    size_t count;

    (void)state;
    for (int i = 0; i <= TERN_HTTP_RANGES_MAX; i++) {
        size_t at = strlen(field);

        (void)snprintf(field + at, sizeof field - at, "%d-%d,", 10 * i, 10 * i + 4);
        assert_int_equal(tern_http_ranges(field, 1000, range, &count),
                         i < TERN_HTTP_RANGES_MAX ? TERN_HTTP_RANGE_PARTS : TERN_HTTP_RANGE_WHOLE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(table), cmocka_unit_test(most)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
