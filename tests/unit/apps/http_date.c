/* SPDX-License-Identifier: BSD-2-Clause */
/* RFC 9110 §5.6.7 */
#include "http_test.h"

#include "apps/http_date.h"

#define NOW INT64_C(1795900000) /* November 2026 */

static const struct {
    const char *text;
    bool good;
    int64_t seconds;
} rows[] = {
    {"Sun, 06 Nov 1994 08:49:37 GMT", true, 784111777},
    {"Sunday, 06-Nov-94 08:49:37 GMT", true, 784111777},
    {"Sun Nov  6 08:49:37 1994", true, 784111777},
    {"Thu, 01 Jan 1970 00:00:00 GMT", true, 0},
    {"Thu, 29 Feb 2024 23:59:59 GMT", true, 1709251199},
    {"Wednesday, 06-Nov-30 08:49:37 GMT", true, 1920185377}, /* still to come */
    {"Sunday, 06-Nov-77 08:49:37 GMT", true, 247654177},     /* more than 50 years ahead: past */
    {"Sat, 31 Dec 2016 23:59:60 GMT", true, 1483228800},
    {"Sun, 31 Nov 1994 08:49:37 GMT", false},
    {"Thu, 29 Feb 2023 00:00:00 GMT", false},
    {"Sun, 06 Nov 1994 24:49:37 GMT", false},
    {"Sun, 06 Nov 1994 08:60:37 GMT", false},
    {"Sun, 6 Nov 1994 08:49:37 GMT", false},
    {"Sun, 00 Nov 1994 08:49:37 GMT", false},
    {"Sun, 06 Nov 1994 08:49:37 UTC", false},
    {"Sun, 06 Nov 1994 08:49:37 GMT ", false},
    {"Sun, 06 Nov 1994 08:49:37", false},
    {"Xxx, 06 Nov 1994 08:49:37 GMT", false},
    {"Sun, 06 nov 1994 08:49:37 GMT", false},
    {"Sun, 06 Nov  994 08:49:37 GMT", false},
    {"Sun Nov    08:49:37 1994", false},
    {"784111777", false},
    {"", false},
};

static void parse(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t seconds = -1;
        bool good = tern_http_date_parse(rows[i].text, NOW, &seconds);

        if (good != rows[i].good || (good && seconds != rows[i].seconds))
            fail_msg("%s: %d, %lld", rows[i].text, good, (long long)seconds);
    }
}

static void both_ways(void **state)
{
    char text[TERN_HTTP_DATE_BYTES + 1] = {0};
    int64_t seconds;

    (void)state;
    for (int64_t at = 0; at < INT64_C(253402300800); at += 86399 * 977) {
        tern_http_date_text(at, text);
        assert_true(tern_http_date_parse(text, NOW, &seconds));
        assert_int_equal(seconds, at);
    }
    tern_http_date_text(784111777, text);
    assert_string_equal(text, "Sun, 06 Nov 1994 08:49:37 GMT");
    tern_http_date_text(INT64_MAX, text);
    assert_string_equal(text, "Fri, 31 Dec 9999 23:59:59 GMT");
    tern_http_date_text(INT64_MIN, text);
    assert_string_equal(text, "Thu, 01 Jan 1970 00:00:00 GMT");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(parse), cmocka_unit_test(both_ways)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
