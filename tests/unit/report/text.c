/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers, widths, escaping, and the ASCII stand-ins. */
#include "report/text.h"
#include "test.h"

static void test_number(void **state)
{
    static const struct {
        uint64_t n;
        const char *text;
    } rows[] = {{0, "0"},
                {7, "7"},
                {999, "999"},
                {1000, "1,000"},
                {144799, "144,799"},
                {12345678, "12,345,678"},
                {UINT64_MAX, "18,446,744,073,709,551,615"}};
    char out[TERN_NUMBER_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++)
        assert_string_equal(tern_text_number(rows[i].n, out), rows[i].text);
}

static void test_escape(void **state)
{
    static const struct {
        const char *in;
        size_t bytes;
        const char *out;
    } rows[] = {
        {"GET / HTTP/1.1\r\nHost: x\r\n", 25, "GET / HTTP/1.1"},
        {"one\ntwo", 7, "one"},
        {"", 0, ""},
        {"a\\b\tc", 5, "a\\\\b\\tc"},
        {"\033[2J", 4, "\\x1b[2J"},
        {"a\0b", 3, "a\\x00b"},
        {"\x7f\x80\xff", 3, "\\x7f\\x80\\xff"},
        {"cr\ralone", 8, "cr\\x0dalone"},
        {"ends with cr\r", 13, "ends with cr\\x0d"},
    };
    char out[64];

    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        size_t n = tern_text_escape((const uint8_t *)rows[i].in, rows[i].bytes, out, sizeof out);

        assert_string_equal(out, rows[i].out);
        assert_int_equal(n, strlen(out));
    }
}

/* Whatever the length of the output, it ends in time, and never in the middle of an escape. */
static void test_escape_is_bounded(void **state)
{
    uint8_t in[64];
    char out[80];

    (void)state;
    memset(in, 0x1b, sizeof in);
    for (size_t room = 8; room < sizeof out; room++) {
        memset(out, '#', sizeof out);
        (void)tern_text_escape(in, sizeof in, out, room);
        assert_true(strlen(out) < room);
        assert_int_equal(out[room], '#');
        assert_int_equal((strlen(out) - strlen("…")) % 4, 0);
    }
}

static void test_is_words(void **state)
{
    static const struct {
        const char *in;
        size_t bytes;
        bool is_words;
    } rows[] = {{"GET / HTTP/1.1\r\n", 16, true},
                {"220 hello", 9, true},
                {"\x16\x03\x01", 3, false},
                {"ab", 2, false},
                {"ab\x80z", 4, false},
                {"a\033b", 3, false},
                {"\r\nabc", 5, false}};

    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++)
        assert_int_equal(tern_text_is_words((const uint8_t *)rows[i].in, rows[i].bytes),
                         rows[i].is_words);
}

static void test_append(void **state)
{
    static const struct {
        const char *before, *add;
        size_t columns;
        const char *after;
    } rows[] = {{"", "hello", 5, "hello"},
                {"", "hello", 4, "hel…"},
                {"a", "hello", 0, "a"},
                {"a", "──▶", 3, "a──▶"},
                {"", "──▶", 2, "─…"},
                {"", "x", 1, "x"},
                {"12345678901", "abc", 9, "12345678901"}};
    char out[12];

    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        (void)snprintf(out, sizeof out, "%s", rows[i].before);
        tern_text_append(out, sizeof out, rows[i].add, rows[i].columns);
        assert_string_equal(out, rows[i].after);
    }
}

static void test_ascii(void **state)
{
    char text[] = "◀══ 3 · … ✗ ⋮ ─▶ 日 ok";

    (void)state;
    tern_text_to_ascii(text);
    assert_string_equal(text, "<== 3 - ~ x : -> ? ok");
    assert_int_equal(tern_text_columns("◀══ ·"), 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_number),
        cmocka_unit_test(test_escape),
        cmocka_unit_test(test_escape_is_bounded),
        cmocka_unit_test(test_is_words),
        cmocka_unit_test(test_append),
        cmocka_unit_test(test_ascii),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
