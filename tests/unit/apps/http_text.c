/* SPDX-License-Identifier: BSD-2-Clause */
/* What strangers' bytes become in HTML and in references. RFC 3629 §4, RFC 3986 §3.3 */
#include "http_test.h"

#include "apps/http_text.h"

#define BAD "\xef\xbf\xbd"

static const struct {
    const char *in, *html, *path;
} rows[] = {
    {"a.txt", "a.txt", "a.txt"},
    {"<b>&\"'", "&lt;b&gt;&amp;&quot;&#39;", "%3Cb%3E%26%22%27"},
    {"a b?c#d%e", "a b?c#d%e", "a%20b%3Fc%23d%25e"},
    {"a/b:c", "a/b:c", "a/b%3Ac"},
    {"\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\xa6", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\xa6",
     "%C3%A4%E2%82%AC%F0%9F%90%A6"},
    {"\xe4", BAD, "%E4"},
    {"\xc3<", BAD "&lt;", "%C3%3C"},
    {"\xc0\xbc", BAD BAD, "%C0%BC"},            /* '<' made long */
    {"\xe0\x80\xbc", BAD BAD BAD, "%E0%80%BC"}, /* and longer */
    {"\xed\xa0\x80", BAD BAD BAD, "%ED%A0%80"}, /* half a pair */
    {"\xf4\x90\x80\x80", BAD BAD BAD BAD, "%F4%90%80%80"},
    {"\x01\n\x7f", BAD BAD BAD, "%01%0A%7F"},
    {"", "", ""},
};

static bool is(const struct tern_http_text *t, const char *wanted)
{
    return t->bytes == strlen(wanted) && (t->bytes == 0 || memcmp(t->data, wanted, t->bytes) == 0);
}

static void escapes(void **state)
{
    struct tern_http_text t = {.data = NULL};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        tern_http_text_clear(&t, SIZE_MAX);
        tern_http_put_html(&t, rows[i].in);
        if (!is(&t, rows[i].html))
            fail_msg("row %zu: %.*s", i, (int)t.bytes, t.data);
        tern_http_text_clear(&t, 0);
        assert_null(t.data);
        tern_http_put_path(&t, rows[i].in);
        if (!is(&t, rows[i].path))
            fail_msg("row %zu: %.*s", i, (int)t.bytes, t.data);
    }
    tern_http_text_fini(&t);
}

static void numbers(void **state)
{
    static const char wanted[] = "0 9 10 18446744073709551615 0 f 10 ffffffffffffffff";
    struct tern_http_text t = {.data = NULL};

    (void)state;
    for (int hex = 0; hex < 2; hex++) {
        const uint64_t values[] = {0, hex ? 15 : 9, hex ? 16 : 10, UINT64_MAX};

        for (size_t i = 0; i < COUNT(values); i++) {
            if (t.bytes > 0)
                tern_http_put(&t, " ");
            if (hex)
                tern_http_put_hex(&t, values[i]);
            else
                tern_http_put_number(&t, values[i]);
        }
    }
    assert_int_equal(t.bytes, strlen(wanted));
    assert_memory_equal(t.data, wanted, t.bytes);
    tern_http_text_fini(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(escapes), cmocka_unit_test(numbers)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
