/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests, whole and in single bytes, good and bad. RFC 9112 §2, §3, §6; RFC 9110 §5.3 */
#include "http_test.h"

#include <sys/mman.h>
#include <unistd.h>

#include "apps/http_request.h"

struct outcome {
    enum tern_http_fed fed;
    size_t used;
};

/* Feed a text in pieces until something comes of it. */
static struct outcome feed(struct tern_http_parser *p, const char *text, size_t bytes, size_t piece)
{
    struct outcome o = {TERN_HTTP_MORE, 0};

    while (o.fed == TERN_HTTP_MORE && o.used < bytes) {
        size_t n = bytes - o.used < piece ? bytes - o.used : piece, used;

        o.fed = tern_http_parser_feed(p, (const uint8_t *)text + o.used, n, &used);
        assert_true(used <= n);
        o.used += used;
        if (o.fed == TERN_HTTP_MORE)
            assert_int_equal(used, n);
    }
    return o;
}

static const struct {
    const char *text;
    int refused; /* 0: none */
    enum tern_http_method method;
    const char *target;
    bool keep_alive, body;
} requests[] = {
    {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 0, TERN_HTTP_GET, "/", true, false},
    {"\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 0, TERN_HTTP_GET, "/", true, false},
    {"HEAD /a?b=c HTTP/1.1\r\nHost:\r\n\r\n", 0, TERN_HTTP_HEAD, "/a?b=c", true, false},
    {"GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 0, TERN_HTTP_GET, "/a", false,
     false},
    {"GET /a HTTP/1.0\r\n\r\n", 0, TERN_HTTP_GET, "/a", false, false},
    {"GET /a HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", 0, TERN_HTTP_GET, "/a", true, false},
    {"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 0, TERN_HTTP_OPTIONS, "*", true, false},
    {"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n", 0, TERN_HTTP_OTHER, "/a", true,
     true},
    {"GET /a HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", 0, TERN_HTTP_GET, "/a", true,
     false},
    {"GET /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", 0, TERN_HTTP_GET, "/a",
     true, true},
    {"GET /a HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n", 0, TERN_HTTP_GET,
     "/a", true, false},
    {"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", 0, TERN_HTTP_OTHER, "a:80", true, false},
    {"GET / HTTP/1.1\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: a\r\nX : a\r\n\r\n", 400}, /* §5.1 */
    {"GET / HTTP/1.1\r\nHost: a\r\nX\t: a\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: a\r\nX Y: a\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: a\r\nRange : bytes=0-\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: a\r\nContent-Length : 1\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: a\r\nConnection : close\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: a\r\n: a\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHo\x01st: a\r\n\r\n", 400},
    {"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 0, TERN_HTTP_GET, "/", true, false}, /* §3: may */
    {"\x16\x03\x01\x02", 400},                                                  /* TLS */
    {"BREW / HTTP/1.1\r\nHost: a\r\n\r\n", 501},
    {"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505},
    {"GET / HTTP/0.9\r\n\r\n", 505},
    {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
};

static void judge(size_t i, size_t piece)
{
    struct tern_http_parser p;
    struct outcome o;

    tern_http_parser_init(&p, 8192);
    o = feed(&p, requests[i].text, strlen(requests[i].text), piece);
    if (o.fed != (requests[i].refused ? TERN_HTTP_BAD : TERN_HTTP_ASKED) ||
        p.refused != requests[i].refused)
        fail_msg("row %zu by %zu: %d, %d", i, piece, (int)o.fed, p.refused);
    if (requests[i].refused != 0)
        return;
    assert_int_equal(o.used, strlen(requests[i].text));
    assert_int_equal(p.request.method, requests[i].method);
    assert_string_equal(p.request.target, requests[i].target);
    assert_int_equal(p.request.keep_alive, requests[i].keep_alive);
    assert_int_equal(p.request.body, requests[i].body);
}

static void table(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(requests); i++) {
        judge(i, 8192);
        judge(i, 1);
    }
}

/* RFC 9112 §3.2, RFC 3986 §3.2.2: what may stand in Host, and what is refused. */
static void hosts(void **state)
{
    static const char *const good[] = {
        "",         "a",     "A-b_c~.example", "10.0.0.1:80", "a:", "[::1]", "[fe80::1]:8080",
        "[v1.a:b]", "a%20b", "!$&'()*+,;=",    " a\t",
    };
    static const char *const bad[] = {
        "a b",    "a,b c", "a/b",  "a@b", "a:b", "a:80:80", "[::1", "[]",   "[::1]a", "::1",
        "[::1]]", "a%2",   "a%2g", "a%",  "a?",  "a#",      "a\\b", "a<b>", "\"a\"",  "a\xc3\xa4",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(good) + COUNT(bad); i++) {
        bool is_bad = i >= COUNT(good);
        const char *host = is_bad ? bad[i - COUNT(good)] : good[i];
        struct tern_http_parser p;
        enum tern_http_fed fed;
        char text[128];

        for (int minor = 0; minor < 2; minor++) {
            (void)snprintf(text, sizeof text, "GET / HTTP/1.%d\r\nHost: %s\r\n\r\n", minor, host);
            tern_http_parser_init(&p, 8192);
            fed = feed(&p, text, strlen(text), 8192).fed;
            if (fed != (is_bad ? TERN_HTTP_BAD : TERN_HTTP_ASKED) ||
                p.refused != (is_bad ? 400 : 0))
                fail_msg("Host: %s: %d, %d", host, (int)fed, p.refused);
        }
    }
}

/* What follows a chunked body is held to the rules of fields as well, in any pieces. */
static void trailers(void **state)
{
    static const char head[] = "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    static char rest[3 * TERN_HTTP_HEAD_MAX];
    struct tern_http_parser p;

    (void)state;
    (void)snprintf(rest, sizeof rest, "0\r\nRange: %0*d\r\n\r\n", 2 * TERN_HTTP_HEAD_MAX, 0);
    tern_http_parser_init(&p, 8192);
    assert_int_equal(feed(&p, head, sizeof head - 1, 8192).fed, TERN_HTTP_ASKED);
    assert_int_equal(feed(&p, rest, strlen(rest), 1000).fed, TERN_HTTP_BROKEN);
    (void)snprintf(rest, sizeof rest, "0\r\nX : a\r\n\r\n");
    tern_http_parser_init(&p, 8192);
    assert_int_equal(feed(&p, head, sizeof head - 1, 8192).fed, TERN_HTTP_ASKED);
    assert_int_equal(feed(&p, rest, strlen(rest), 1).fed, TERN_HTTP_BROKEN);
    (void)snprintf(rest, sizeof rest, "0\r\nX: a\r\n\r\n");
    tern_http_parser_init(&p, 8192);
    assert_int_equal(feed(&p, head, sizeof head - 1, 8192).fed, TERN_HTTP_ASKED);
    assert_int_equal(feed(&p, rest, strlen(rest), 1).fed, TERN_HTTP_ENDED);
}

static void fields(void **state)
{
    static const char text[] =
        "GET / HTTP/1.1\r\nHOST: a.example\r\nIf-None-Match: \"a\"\r\n"
        "X-Else: no\r\nif-none-match:   W/\"b\" \t\r\nRange: bytes=0-\r\n\r\n";
    struct tern_http_parser p;

    (void)state;
    for (size_t piece = 1; piece < sizeof text; piece += 3) {
        tern_http_parser_init(&p, 8192);
        assert_int_equal(feed(&p, text, sizeof text - 1, piece).fed, TERN_HTTP_ASKED);
        assert_string_equal(p.request.field[TERN_HTTP_HOST], "a.example");
        assert_string_equal(p.request.field[TERN_HTTP_IF_NONE_MATCH], "\"a\", W/\"b\"");
        assert_int_equal(p.request.field_times[TERN_HTTP_IF_NONE_MATCH], 2);
        assert_string_equal(p.request.field[TERN_HTTP_RANGE], "bytes=0-");
        assert_null(p.request.field[TERN_HTTP_IF_RANGE]);
    }
}

/* One after the other in the same bytes, with and without bodies: nothing is read ahead. */
static void pipeline(void **state)
{
    static const char text[] = "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n"
                               "POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nGET /"
                               "PUT /3 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                               "3\r\nabc\r\n0\r\n\r\n"
                               "GET /4 HTTP/1.1\r\nHost: a\r\n\r\n";
    static const char *const targets[] = {"/1", "/2", "/3", "/4"};
    static const uint64_t bodies[] = {0, 5, 3, 0};

    (void)state;
    for (size_t piece = 1; piece < sizeof text; piece++) {
        struct tern_http_parser p;
        size_t at = 0;

        tern_http_parser_init(&p, 8192);
        for (size_t i = 0; i < COUNT(targets); i++) {
            struct outcome o = feed(&p, text + at, sizeof text - 1 - at, piece);

            assert_int_equal(o.fed, TERN_HTTP_ASKED);
            assert_string_equal(p.request.target, targets[i]);
            at += o.used;
            if (p.request.body) {
                o = feed(&p, text + at, sizeof text - 1 - at, piece);
                assert_int_equal(o.fed, TERN_HTTP_ENDED);
                at += o.used;
            }
            assert_int_equal(p.body_bytes, bodies[i]);
            tern_http_parser_next(&p);
        }
        assert_int_equal(at, sizeof text - 1);
    }
}

static void put(char *text, size_t *at, const char *more)
{
    memcpy(text + *at, more, strlen(more));
    *at += strlen(more);
}

/* At the limit to the byte: taken, and one byte more is 431, or 414 where the line is too long. */
static void limits(void **state)
{
    enum { LIMIT = 512 };
    struct tern_http_parser p;
    char text[LIMIT + 8];
    size_t at;

    (void)state;
    for (size_t more = 0; more < 2; more++) {
        at = 0;
        put(text, &at, "GET / HTTP/1.1\r\nHost: a\r\nX: ");
        memset(text + at, 'x', LIMIT + more - 4 - at);
        at = LIMIT + more - 4;
        put(text, &at, "\r\n\r\n");
        tern_http_parser_init(&p, LIMIT);
        assert_int_equal(feed(&p, text, at, 7).fed, more ? TERN_HTTP_BAD : TERN_HTTP_ASKED);
        assert_int_equal(p.refused, more ? 431 : 0);
    }
    at = 0;
    put(text, &at, "GET /");
    memset(text + at, 'x', sizeof text - at);
    tern_http_parser_init(&p, LIMIT);
    assert_int_equal(feed(&p, text, sizeof text, 7).fed, TERN_HTTP_BAD);
    assert_int_equal(p.refused, 414);
}

/* A parser in memory that holds anything, and ends where the next byte cannot be read. */
static struct tern_http_parser *at_the_edge(void)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t bytes = (sizeof(struct tern_http_parser) + page - 1) / page * page;
    uint8_t *memory =
        mmap(NULL, bytes + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    assert_ptr_not_equal(memory, MAP_FAILED);
    assert_int_equal(mprotect(memory + bytes, page, PROT_NONE), 0);
    memset(memory, 0xff, bytes);
    return (void *)(memory + bytes - sizeof(struct tern_http_parser));
}

/* A field that comes again and again is joined again and again: bounded, and refused. */
static void many_fields(void **state)
{
    struct tern_http_parser *p = at_the_edge();
    char text[TERN_HTTP_HEAD_MAX];
    size_t at = 0;

    (void)state;
    put(text, &at, "GET / HTTP/1.1\r\nHost: a\r\n");
    while (at + 64 < sizeof text)
        put(text, &at, "If-Match: \"0123456789012345678901234567890123456789\"\r\n");
    put(text, &at, "\r\n");
    for (size_t piece = 1000; piece < 20000; piece += 15000) {
        tern_http_parser_init(p, TERN_HTTP_HEAD_MAX);
        assert_int_equal(feed(p, text, at, piece).fed, TERN_HTTP_BAD);
        assert_int_equal(p->refused, 431);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table),    cmocka_unit_test(fields),      cmocka_unit_test(pipeline),
        cmocka_unit_test(limits),   cmocka_unit_test(many_fields), cmocka_unit_test(hosts),
        cmocka_unit_test(trailers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
