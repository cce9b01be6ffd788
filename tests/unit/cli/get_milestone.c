/* SPDX-License-Identifier: BSD-2-Clause */
/* libcurl's words, and what is told of them. */
#include "test.h"

#include "cli/get_milestone.h"

static struct tern_milestones queue;
static struct get_milestone g;

static void hear(curl_infotype kind, const char *line)
{
    tern_get_milestone(&g, &queue, kind, line, strlen(line));
}

static struct tern_milestone next(void)
{
    struct tern_milestone m;

    assert_true(tern_milestones_take(&queue, &m));
    return m;
}

static void a_fetch(void **state)
{
    struct tern_milestone m;

    (void)state;
    tern_milestones_init(&queue);
    hear(CURLINFO_TEXT, "Trying 10.9.0.1:443...\n");
    hear(CURLINFO_TEXT, "SSL connection using TLSv1.3 / TLS_AES_256_GCM_SHA384\n");
    hear(CURLINFO_TEXT, "ALPN: server accepted h2\n");
    hear(CURLINFO_HEADER_OUT, "GET /a?b HTTP/2\r\nHost: x\r\n\r\n");
    hear(CURLINFO_HEADER_IN, "HTTP/2 200 \r\n");
    hear(CURLINFO_HEADER_IN, "server: HTTP/9\r\n");
    tern_get_milestone_body(&queue, 77);
    m = next();
    assert_int_equal(m.kind, TERN_MILESTONE_TLS_DONE);
    assert_string_equal(m.text, "TLSv1.3 / TLS_AES_256_GCM_SHA384");
    assert_string_equal(m.more, "h2");
    m = next();
    assert_int_equal(m.kind, TERN_MILESTONE_HTTP_REQUEST);
    assert_string_equal(m.text, "GET");
    assert_string_equal(m.more, "/a?b");
    assert_string_equal(m.version, "HTTP/2");
    m = next();
    assert_int_equal(m.kind, TERN_MILESTONE_HTTP_RESPONSE);
    assert_int_equal(m.number, 200);
    m = next();
    assert_int_equal(m.kind, TERN_MILESTONE_HTTP_BODY);
    assert_int_equal(m.number, 77);
    assert_false(tern_milestones_take(&queue, &m));
    hear(CURLINFO_HEADER_OUT, "HEAD / HTTP/1.1\r\n"); /* the same session: told once */
    assert_int_equal(next().kind, TERN_MILESTONE_HTTP_REQUEST);
    tern_milestones_fini(&queue);
}

/* Anything may come from a server. */
static void nonsense(void **state)
{
    static char line[1000];
    struct tern_milestone m;

    (void)state;
    tern_milestones_init(&queue);
    hear(CURLINFO_HEADER_IN, "");
    hear(CURLINFO_HEADER_IN, "HTTP/");
    memset(line, 'x', sizeof line - 1);
    memcpy(line, "HTTP/1.1", 8);
    hear(CURLINFO_HEADER_IN, line);
    assert_int_equal(next().number, 0);
    m = next();
    assert_int_equal(strlen(m.version), sizeof m.version - 1);
    tern_milestones_fini(&queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_fetch), cmocka_unit_test(nonsense)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
