/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines of JSON: numbers, nesting, and texts of any bytes, which jansson must read back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "apps/json_line.h"

static uint8_t room[4096];

static const char *text_of(struct tern_json_line *j)
{
    assert_false(j->w.failed);
    room[j->w.bytes] = '\0';
    return (const char *)room;
}

static void members(void **state)
{
    struct tern_json_line j;

    (void)state;
    tern_json_line_begin(&j, room, sizeof room - 1);
    tern_json_open(&j, NULL);
    tern_json_u64(&j, "a", 0);
    tern_json_u64(&j, "b", UINT64_MAX);
    tern_json_u64_some(&j, "no", 0);
    tern_json_open(&j, "c");
    tern_json_close(&j);
    tern_json_true(&j, "no", false);
    tern_json_bool(&j, "d", false);
    tern_json_ms(&j, "e", 1234567);
    tern_json_ms(&j, "f", -5);
    tern_json_raw(&j, "g", "[1]");
    tern_json_close(&j);
    assert_string_equal(text_of(&j), "{\"a\":0,\"b\":18446744073709551615,\"c\":{},\"d\":false,"
                                     "\"e\":1.234567,\"f\":-0.000005,\"g\":[1]}");
}

/* As it is read back; U+FFFD stands for each byte that is no UTF-8. The line itself has nothing
 * that a terminal would obey. */
static void texts(void **state)
{
    static const struct {
        const char *text, *read;
    } rows[] = {
        {"plain", "plain"},
        {"\"\\/\b\n\x01\x7f", "\"\\/\b\n\x01\x7f"},
        {"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\xa6", "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\xa6"},
        {"\xff"
         "a",
         "\xef\xbf\xbd"
         "a"},
        {"\xc0\x80", "\xef\xbf\xbd\xef\xbf\xbd"},
        {"\xe2\x82", "\xef\xbf\xbd\xef\xbf\xbd"},
        {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        {"\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        {"</script>", "</script>"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct tern_json_line j;
        json_error_t error;
        json_t *read;

        tern_json_line_begin(&j, room, sizeof room - 1);
        tern_json_open(&j, NULL);
        tern_json_text(&j, "t", rows[i].text);
        tern_json_close(&j);
        read = json_loads(text_of(&j), 0, &error);
        if (read == NULL)
            fail_msg("row %zu: %s: %s", i, error.text, (const char *)room);
        assert_string_equal(json_string_value(json_object_get(read, "t")), rows[i].read);
        for (size_t at = 0; at < j.w.bytes; at++)
            if (room[at] < ' ' || room[at] == 0x7f)
                fail_msg("row %zu: byte %zu is %02x", i, at, room[at]);
        json_decref(read);
    }
}

/* One byte too few, whichever: it fails, and writes no further. */
static void too_short(void **state)
{
    struct tern_json_line j;
    size_t whole = 0;

    (void)state;
    for (size_t max = 64; max > 0; max--) {
        memset(room, 0xaa, sizeof room);
        tern_json_line_begin(&j, room, max);
        tern_json_open(&j, NULL);
        tern_json_u64(&j, "number", 12345);
        tern_json_text(&j, "text", "a\x01");
        tern_json_close(&j);
        if (max == 64)
            whole = j.w.bytes;
        assert_int_equal(j.w.failed, max < whole);
        assert_int_equal(room[max], 0xaa);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(members), cmocka_unit_test(texts),
                                       cmocka_unit_test(too_short)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
