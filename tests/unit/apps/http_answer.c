/* SPDX-License-Identifier: BSD-2-Clause */
/* From a request's text to the bytes of its answer. RFC 9110 §9, §13, §14, §15; RFC 9112 §9.3 */
#include "http_test.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "apps/http_answer.h"

#define WALL  INT64_C(1795900000)
#define BEGAN 784111777 /* the files' time: Sun, 06 Nov 1994 08:49:37 GMT */

static struct place place;
static struct tern_http_site site;

static void set_time(const char *name)
{
    const struct timespec times[2] = {{BEGAN, 0}, {BEGAN, 0}};

    assert_int_equal(utimensat(AT_FDCWD, place_path(&place, name), times, 0), 0);
}

static int set_up(void **state)
{
    (void)state;
    place_open(&place);
    place_write(&place, "www/f.txt", "0123456789", 10);
    place_write(&place, "www/empty", "", 0);
    place_directory(&place, "www/d");
    place_directory(&place, "www/i");
    place_write(&place, "www/i/index.html", "<p>i", 4);
    place_write(&place, "www/.dot", "x", 1);
    assert_int_equal(mkfifo(place_path(&place, "www/fifo"), 0644), 0);
    set_time("www/f.txt");
    set_time("www/empty");
    set_time("www/i/index.html");
    tern_http_site_init(&site, place.root, 0xabc);
    site.wall = WALL;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    tern_http_site_fini(&site);
    place_close(&place);
    return 0;
}

/* The whole answer as text, which lives until the next call. */
static const char *say(struct tern_http_answer *a)
{
    static char out[65536];
    size_t at = 0;

    assert_false(a->text.failed);
    for (size_t i = 0; i < a->pieces; i++) {
        const struct tern_http_piece *piece = &a->piece[i];

        assert_true(at + piece->bytes < sizeof out);
        if (piece->file)
            assert_int_equal(pread(a->file.fd, out + at, piece->bytes, (off_t)piece->at),
                             piece->bytes);
        else
            memcpy(out + at, a->text.data + piece->at, piece->bytes);
        at += piece->bytes;
    }
    out[at] = '\0';
    tern_http_answer_free(a);
    tern_http_text_fini(&a->text);
    return out;
}

/* The answer to "METHOD TARGET" with further fields. */
static const char *ask(const char *line, const char *fields)
{
    struct tern_http_answer a = {.file.fd = -1};
    struct tern_http_parser p;
    char text[1024];
    size_t used;
    int n = snprintf(text, sizeof text, "%s HTTP/1.1\r\nHost: h\r\n%s\r\n", line, fields);

    tern_http_parser_init(&p, 8192);
    assert_int_equal(tern_http_parser_feed(&p, (uint8_t *)text, (size_t)n, &used), TERN_HTTP_ASKED);
    tern_http_answer(&site, &p.request, false, &a);
    return say(&a);
}

static const char *body_of(const char *answer)
{
    const char *end = strstr(answer, "\r\n\r\n");

    assert_non_null(end);
    return end + 4;
}

static const struct {
    const char *line, *fields, *status;
    const char *head; /* a line of the head; NULL: any */
    const char *body; /* NULL: any */
} rows[] = {
    {"GET /f.txt", "", "200 OK", "Content-Length: 10", "0123456789"},
    {"GET /f.txt", "", "200 OK", "Content-Type: text/plain; charset=utf-8", NULL},
    {"GET /f.txt", "", "200 OK", "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT", NULL},
    {"GET /f.txt", "", "200 OK", "Date: Sat, 28 Nov 2026 21:06:40 GMT", NULL},
    {"GET /f.txt", "", "200 OK", "Accept-Ranges: bytes", NULL},
    {"GET http://h/f.txt", "", "200 OK", NULL, "0123456789"},
    {"HEAD /f.txt", "", "200 OK", "Content-Length: 10", ""},
    {"GET /empty", "", "200 OK", "Content-Length: 0", ""},
    {"GET /f.txt/", "", "404 Not Found", NULL, NULL},
    {"GET /none", "", "404 Not Found", "Content-Type: text/html; charset=utf-8", NULL},
    {"HEAD /none", "", "404 Not Found", NULL, ""},
    {"GET /.dot", "", "404 Not Found", NULL, NULL},
    {"GET /../secret", "", "400 Bad Request", NULL, NULL},
    {"GET /fifo", "", "403 Forbidden", NULL, NULL},
    {"GET /d", "", "301 Moved Permanently", "Location: /d/", NULL},
    {"GET /d?q=1", "", "301 Moved Permanently", "Location: /d/?q=1", NULL},
    {"GET /%64", "", "301 Moved Permanently", "Location: /d/", NULL},
    {"GET //d", "", "301 Moved Permanently", "Location: /d/", NULL},
    {"GET /i/", "", "200 OK", "Content-Length: 4", "<p>i"},
    {"HEAD /d/", "", "200 OK", "Content-Type: text/html; charset=utf-8", ""},
    {"POST /f.txt", "", "405 Method Not Allowed", "Allow: GET, HEAD, OPTIONS", NULL},
    {"DELETE /none", "", "405 Method Not Allowed", NULL, NULL},
    {"OPTIONS *", "", "204 No Content", "Allow: GET, HEAD, OPTIONS", ""},
    {"GET /f.txt", "Expect: 100-Continue\r\n", "200 OK", NULL, "0123456789"},
    {"GET /f.txt", "Expect: wonders\r\n", "417 Expectation Failed", NULL, NULL},
    {"GET /f.txt", "If-None-Match: *\r\n", "304 Not Modified", NULL, ""},
    {"GET /f.txt", "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n", "304 Not Modified",
     "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT", ""},
    {"GET /f.txt", "If-Match: \"x\"\r\n", "412 Precondition Failed", NULL, NULL},
    {"GET /f.txt", "Range: bytes=2-4\r\n", "206 Partial Content", "Content-Range: bytes 2-4/10",
     "234"},
    {"GET /f.txt", "Range: bytes=-3\r\n", "206 Partial Content", "Content-Length: 3", "789"},
    {"GET /f.txt", "Range: bytes=10-\r\n", "416 Range Not Satisfiable", "Content-Range: bytes */10",
     NULL},
    {"GET /f.txt", "Range: bytes=2-4\r\nRange: bytes=5-\r\n", "200 OK", NULL, "0123456789"},
    {"GET /f.txt", "Range: lines=2-4\r\n", "200 OK", NULL, "0123456789"},
    {"HEAD /f.txt", "Range: bytes=2-4\r\n", "200 OK", "Content-Length: 10", ""},
    {"GET /f.txt", "Range: bytes=2-4\r\nIf-Range: \"x\"\r\n", "200 OK", NULL, "0123456789"},
    {"GET /f.txt", "Range: bytes=2-4\r\nIf-Range: Sun, 06 Nov 1994 08:49:37 GMT\r\n",
     "206 Partial Content", NULL, "234"},
    {"GET /f.txt", "Range: bytes=10-\r\nIf-None-Match: *\r\n", "304 Not Modified", NULL, ""},
    {"GET /f.txt", "Range: bytes=1-2,4-5\r\n", "206 Partial Content",
     "Content-Type: multipart/byteranges; boundary=ternabc",
     "--ternabc\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Range: bytes 1-2/10\r\n\r\n12"
     "\r\n--ternabc\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Range: bytes "
     "4-5/10\r\n\r\n45"
     "\r\n--ternabc--\r\n"},
};

static bool has_line(const char *answer, const char *line)
{
    const char *found = strstr(answer, line);

    return found != NULL && found < body_of(answer) && strncmp(found - 2, "\r\n", 2) == 0 &&
           strncmp(found + strlen(line), "\r\n", 2) == 0;
}

static void table(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *answer = ask(rows[i].line, rows[i].fields);
        char status[64];

        (void)snprintf(status, sizeof status, "HTTP/1.1 %s\r\n", rows[i].status);
        if (strncmp(answer, status, strlen(status)) != 0 ||
            (rows[i].head != NULL && !has_line(answer, rows[i].head)) ||
            (rows[i].body != NULL && strcmp(body_of(answer), rows[i].body) != 0))
            fail_msg("row %zu, %s: %s", i, rows[i].line, answer);
    }
}

/* What is told as Content-Length is what comes, for all that have one. */
static void lengths(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *answer = ask(rows[i].line, rows[i].fields);
        const char *field = strstr(answer, "Content-Length: ");
        const char *body = body_of(answer);

        if (strncmp(rows[i].line, "HEAD", 4) == 0 || field == NULL || field > body)
            assert_int_equal(strlen(body), 0);
        else
            assert_int_equal(strtoul(field + 16, NULL, 10), strlen(body));
    }
}

static void copy_tag(const char *answer, char out[64])
{
    const char *tag = strstr(answer, "ETag: ");

    assert_non_null(tag);
    tag += 6;
    memset(out, 0, 64);
    memcpy(out, tag, strcspn(tag, "\r"));
}

/* A tag comes back and is known; another state of the file has another; a young one is weak. */
static void tags(void **state)
{
    char tag[64], other[64], field[256];

    (void)state;
    copy_tag(ask("GET /f.txt", ""), tag);
    assert_int_equal(tag[0], '"');
    (void)snprintf(field, sizeof field, "If-None-Match: \"x\", %s\r\n", tag);
    assert_non_null(strstr(ask("GET /f.txt", field), "304 Not Modified"));
    (void)snprintf(field, sizeof field, "If-Match: %s\r\nRange: bytes=0-0\r\nIf-Range: %s\r\n", tag,
                   tag);
    assert_string_equal(body_of(ask("GET /f.txt", field)), "0");
    place_write(&place, "www/f.txt", "9876543210", 10);
    copy_tag(ask("GET /f.txt", ""), other);
    assert_string_not_equal(tag, other);
    assert_non_null(strstr(ask("GET /f.txt", field), "412 Precondition Failed"));
    set_time("www/f.txt");
    site.wall = BEGAN + 1;
    copy_tag(ask("GET /f.txt", ""), tag);
    assert_int_equal(strncmp(tag, "W/\"", 3), 0);
    site.wall = WALL;
}

static void switches(void **state)
{
    (void)state;
    site.listing = false;
    assert_non_null(strstr(ask("GET /d/", ""), "403 Forbidden"));
    assert_non_null(strstr(ask("GET /i/", ""), "200 OK"));
    site.listing = true;
    assert_non_null(strstr(ask("GET /d/", ""), "Nothing is in here"));
    site.dotfiles = true;
    assert_string_equal(body_of(ask("GET /.dot", "")), "x");
    site.dotfiles = false;
}

static void last_words(void **state)
{
    struct tern_http_answer a = {.file.fd = -1};
    struct tern_http_request r = {.method = TERN_HTTP_GET, .target = "/f.txt", .minor = 0};

    (void)state;
    tern_http_refuse(&site, 503, &a);
    assert_true(a.close);
    assert_true(has_line(say(&a), "Retry-After: 5"));
    tern_http_answer(&site, &r, true, &a);
    assert_true(has_line(say(&a), "Connection: close"));
    tern_http_answer(&site, &r, false, &a); /* HTTP/1.0 that asked for it */
    assert_true(has_line(say(&a), "Connection: keep-alive"));
}

/* A name that is a reference's or a head's undoing comes back harmless. */
static void odd_names(void **state)
{
    const char *answer;

    (void)state;
    place_directory(&place, "www/a\r\nSet-Cookie: x");
    answer = ask("GET /a%0d%0aSet-Cookie:%20x", "");
    assert_true(has_line(answer, "Location: /a%0D%0ASet-Cookie%3A%20x/"));
    assert_null(strstr(answer, "\r\nSet-Cookie"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table),    cmocka_unit_test(lengths),    cmocka_unit_test(tags),
        cmocka_unit_test(switches), cmocka_unit_test(last_words), cmocka_unit_test(odd_names),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
