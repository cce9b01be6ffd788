/* SPDX-License-Identifier: BSD-2-Clause */
/* From targets to paths: every way out that anybody thought of. RFC 9112 §3.2 */
#include "http_test.h"

#include "apps/http_path.h"

static const struct {
    const char *target;
    enum tern_http_path_verdict verdict;
    const char *name;
    bool slash;
    const char *query;
} rows[] = {
    {"/", TERN_HTTP_PATH_OK, ".", true, ""},
    {"/?x", TERN_HTTP_PATH_OK, ".", true, "?x"},
    {"/a", TERN_HTTP_PATH_OK, "a", false, ""},
    {"/a/", TERN_HTTP_PATH_OK, "a", true, ""},
    {"/a/b.txt?c=/../d", TERN_HTTP_PATH_OK, "a/b.txt", false, "?c=/../d"},
    {"//a///b//", TERN_HTTP_PATH_OK, "a/b", true, ""},
    {"/a%20b%c3%A4", TERN_HTTP_PATH_OK, "a b\xc3\xa4", false, ""},
    {"/a+b", TERN_HTTP_PATH_OK, "a+b", false, ""},
    {"/a#b", TERN_HTTP_PATH_OK, "a", false, "#b"},
    {"/a%3fb", TERN_HTTP_PATH_OK, "a?b", false, ""},
    {"/a\\..\\b", TERN_HTTP_PATH_OK, "a\\..\\b", false, ""},
    {"/...", TERN_HTTP_PATH_NONE},
    {"http://h/a/b", TERN_HTTP_PATH_OK, "a/b", false, ""},
    {"HTTP://h:80/a", TERN_HTTP_PATH_OK, "a", false, ""},
    {"http://h", TERN_HTTP_PATH_OK, ".", true, ""},
    {"http://h?q", TERN_HTTP_PATH_OK, ".", true, "?q"},
    {"https://h/a", TERN_HTTP_PATH_OK, "a", false, ""},
    {"", TERN_HTTP_PATH_BAD},
    {"*", TERN_HTTP_PATH_BAD},
    {"a", TERN_HTTP_PATH_BAD},
    {"h:80", TERN_HTTP_PATH_BAD},
    {"ftp://h/a", TERN_HTTP_PATH_BAD},
    {"/..", TERN_HTTP_PATH_BAD},
    {"/../a", TERN_HTTP_PATH_BAD},
    {"/a/../../b", TERN_HTTP_PATH_BAD},
    {"/a/..", TERN_HTTP_PATH_BAD},
    {"/./a", TERN_HTTP_PATH_BAD},
    {"/a/.", TERN_HTTP_PATH_BAD},
    {"/%2e%2e/a", TERN_HTTP_PATH_BAD},
    {"/.%2E/a", TERN_HTTP_PATH_BAD},
    {"/%2e/a", TERN_HTTP_PATH_BAD},
    {"http://h/../a", TERN_HTTP_PATH_BAD},
    {"/a%00", TERN_HTTP_PATH_BAD},
    {"/a%00.txt", TERN_HTTP_PATH_BAD},
    {"/a%", TERN_HTTP_PATH_BAD},
    {"/a%2", TERN_HTTP_PATH_BAD},
    {"/a%zz", TERN_HTTP_PATH_BAD},
    {"/a%2zb", TERN_HTTP_PATH_BAD},
    {"/a%z2b", TERN_HTTP_PATH_BAD},
    {"/a%2fb", TERN_HTTP_PATH_NONE},
    {"/..%2fa", TERN_HTTP_PATH_NONE},
    {"/..%2f..%2fetc/passwd", TERN_HTTP_PATH_NONE},
    {"/%2fetc/passwd", TERN_HTTP_PATH_NONE},
    {"/.git/config", TERN_HTTP_PATH_NONE},
    {"/a/.b", TERN_HTTP_PATH_NONE},
    {"/a/%2eb/c", TERN_HTTP_PATH_NONE},
    {"/%252e%252e/a", TERN_HTTP_PATH_OK, "%2e%2e/a", false, ""}, /* decoded once */
};

static void table(void **state)
{
    struct tern_http_path path;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        enum tern_http_path_verdict verdict = tern_http_path(rows[i].target, false, &path);

        if (verdict != rows[i].verdict)
            fail_msg("%s: %d", rows[i].target, (int)verdict);
        if (verdict != TERN_HTTP_PATH_OK)
            continue;
        assert_string_equal(path.name, rows[i].name);
        assert_int_equal(path.slash, rows[i].slash);
        assert_string_equal(rows[i].target + path.query_at, rows[i].query);
    }
}

static void dotfiles(void **state)
{
    struct tern_http_path path;

    (void)state;
    assert_int_equal(tern_http_path("/.git/config", true, &path), TERN_HTTP_PATH_OK);
    assert_string_equal(path.name, ".git/config");
    assert_int_equal(tern_http_path("/...", true, &path), TERN_HTTP_PATH_OK);
    assert_int_equal(tern_http_path("/../a", true, &path), TERN_HTTP_PATH_BAD);
    assert_int_equal(tern_http_path("/a/%2e.", true, &path), TERN_HTTP_PATH_BAD);
}

/* The longest name fits, one byte more has no file. */
static void length(void **state)
{
    static char target[TERN_HTTP_PATH_MAX + 8];
    struct tern_http_path path;

    (void)state;
    memset(target, 'a', sizeof target);
    target[0] = '/';
    target[TERN_HTTP_PATH_MAX] = '\0';
    assert_int_equal(tern_http_path(target, false, &path), TERN_HTTP_PATH_OK);
    assert_int_equal(strlen(path.name), TERN_HTTP_PATH_MAX - 1);
    target[TERN_HTTP_PATH_MAX] = 'a';
    target[TERN_HTTP_PATH_MAX + 1] = '\0';
    assert_int_equal(tern_http_path(target, false, &path), TERN_HTTP_PATH_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(table), cmocka_unit_test(dotfiles),
                                       cmocka_unit_test(length)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
