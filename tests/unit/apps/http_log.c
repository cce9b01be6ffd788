/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines of the access log; nothing of a request breaks out of its quotes. */
#include "http_test.h"

#include "apps/http_log.h"

static void lines(void **state)
{
    static const struct {
        struct tern_http_request request;
        const char *line;
    } rows[] = {
        {{.method_text = "GET", .target = "/a?b", .minor = 1},
         "10.0.0.2 - - [06/Nov/1994:08:49:37 +0000] \"GET /a?b HTTP/1.1\" 200 5\n"},
        {{.method_text = "GET", .target = "/\"\\\n\x1b[m\xc3\xa4", .minor = 0},
         "10.0.0.2 - - [06/Nov/1994:08:49:37 +0000] "
         "\"GET /\\x22\\x5c\\x0a\\x1b[m\\xc3\\xa4 HTTP/1.0\" 200 5\n"},
        {{.method_text = "", .target = ""},
         "10.0.0.2 - - [06/Nov/1994:08:49:37 +0000] \"-\" 200 5\n"},
        {{.method_text = "", .target = "/"},
         "10.0.0.2 - - [06/Nov/1994:08:49:37 +0000] \"- / HTTP/1.0\" 200 5\n"},
    };
    struct tern_http_text t = {.data = NULL};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        tern_http_text_clear(&t, SIZE_MAX);
        tern_http_log_line(&t, "10.0.0.2", 784111777, &rows[i].request, 200, 5);
        if (t.bytes != strlen(rows[i].line) || memcmp(t.data, rows[i].line, t.bytes) != 0)
            fail_msg("row %zu: %.*s", i, (int)t.bytes, t.data);
    }
    tern_http_text_fini(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(lines)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
