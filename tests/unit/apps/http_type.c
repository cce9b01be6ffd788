/* SPDX-License-Identifier: BSD-2-Clause */
/* Content-Type by name: the built-in table first, a file for the rest. */
#include "http_test.h"

#include "apps/http_type.h"

static const char mime_types[] = "# a comment\n"
                                 "text/x-odd\todd  ODDER\r\n"
                                 "\n"
                                 "application/x-nothing\n"
                                 "text/wrong html\n";

static const struct {
    const char *name, *type;
} rows[] = {
    {"a.html", "text/html; charset=utf-8"},
    {"d.x/A.JPG", "image/jpeg"},
    {"a.tar.gz", "application/gzip"},
    {"a.odd", "text/x-odd"},
    {"a.odder", "text/x-odd"},
    {"a.none", "application/octet-stream"},
    {"a", "application/octet-stream"},
    {"d.html/a", "application/octet-stream"},
    {"a.", "application/octet-stream"},
    {"", "application/octet-stream"},
    {"a.averyveryverylongendingindeed", "application/octet-stream"},
};

static void table(void **state)
{
    struct tern_http_types types;
    struct place p;

    (void)state;
    place_open(&p);
    place_write(&p, "types", mime_types, sizeof mime_types - 1);
    tern_http_types_init(&types, place_path(&p, "types"));
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_string_equal(tern_http_type(&types, rows[i].name), rows[i].type);
    tern_http_types_fini(&types);
    tern_http_types_init(&types, place_path(&p, "none"));
    assert_string_equal(tern_http_type(&types, "a.css"), "text/css; charset=utf-8");
    assert_string_equal(tern_http_type(&types, "a.odd"), "application/octet-stream");
    tern_http_types_fini(&types);
    place_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(table)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
