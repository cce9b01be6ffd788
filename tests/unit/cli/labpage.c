/* SPDX-License-Identifier: BSD-2-Clause */
/* The lab's pages: sizes as promised, each byte the same from wherever one reads. */
#include "cli/labpage.h"

#include "test.h"

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

static struct tern_labpage answer(const char *request)
{
    struct tern_labpage page;

    tern_labpage_answer(request, strlen(request), &page);
    return page;
}

static void test_request_end(void **state)
{
    (void)state;
    assert_int_equal(tern_labpage_request_end("GET / HTTP/1.0\r\n\r\n", 18), 18);
    assert_int_equal(tern_labpage_request_end("GET / HTTP/1.0\r\n\r\nmore", 22), 18);
    assert_int_equal(tern_labpage_request_end("GET / HTTP/1.0\r\n\r", 17), 0);
    assert_int_equal(tern_labpage_request_end("", 0), 0);
    assert_int_equal(tern_labpage_request_end("\r\n\r", 3), 0);
}

static void test_answers(void **state)
{
    static const struct {
        const char *request, *status;
        int64_t body_bytes; /* -1: not fixed */
        enum tern_labpage_manner manner;
        bool close;
    } rows[] = {
        {"GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 200 ", -1, TERN_LABPAGE_PLAIN, false},
        {"GET /1000 HTTP/1.1\r\nConnection: close\r\n\r\n", "HTTP/1.1 200 ", 1000,
         TERN_LABPAGE_PLAIN, true},
        {"GET /1000 HTTP/1.1\r\nCONNECTION: Close\r\n\r\n", "HTTP/1.1 200 ", 1000,
         TERN_LABPAGE_PLAIN, true},
        {"GET /0 HTTP/1.1\r\n\r\n", "HTTP/1.1 200 ", 0, TERN_LABPAGE_PLAIN, false},
        {"GET /7?x=1 HTTP/1.1\r\n\r\n", "HTTP/1.1 200 ", 7, TERN_LABPAGE_PLAIN, false},
        {"HEAD /1000 HTTP/1.1\r\n\r\n", "HTTP/1.1 200 ", 0, TERN_LABPAGE_PLAIN, false},
        {"GET /reset HTTP/1.1\r\n\r\n", "HTTP/1.1 200 ", -1, TERN_LABPAGE_RESET, false},
        {"GET /half HTTP/1.1\r\n\r\n", "HTTP/1.1 200 ", -1, TERN_LABPAGE_HALF, true},
        {"GET /nothing HTTP/1.1\r\n\r\n", "HTTP/1.1 404 ", 0, TERN_LABPAGE_PLAIN, false},
        {"GET /12x HTTP/1.1\r\n\r\n", "HTTP/1.1 404 ", 0, TERN_LABPAGE_PLAIN, false},
        {"GET /99999999999999999999 HTTP/1.1\r\n\r\n", "HTTP/1.1 404 ", 0, TERN_LABPAGE_PLAIN,
         false},
        {"\r\n\r\n", "HTTP/1.1 404 ", 0, TERN_LABPAGE_PLAIN, false},
        {"GET\r\n / HTTP/1.1\r\n\r\n", "HTTP/1.1 404 ", 0, TERN_LABPAGE_PLAIN, false},
    };

    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct tern_labpage page = answer(rows[i].request);

        print_message("%s", rows[i].request);
        assert_memory_equal(page.head, rows[i].status, strlen(rows[i].status));
        assert_int_equal(page.manner, rows[i].manner);
        assert_int_equal(page.close, rows[i].close);
        if (rows[i].body_bytes >= 0)
            assert_int_equal(page.body_bytes, rows[i].body_bytes);
        assert_memory_equal(page.head + page.head_bytes - 4, "\r\n\r\n", 4);
    }
}

static void test_hundred_segments(void **state)
{
    static const char *const requests[] = {"GET / HTTP/1.1\r\n\r\n",
                                           "GET / HTTP/1.1\r\nConnection: close\r\n\r\n"};

    (void)state;
    for (size_t i = 0; i < ROWS(requests); i++) {
        struct tern_labpage page = answer(requests[i]);

        assert_int_equal(page.head_bytes + page.body_bytes, 100 * 1448);
    }
}

/* Reading in any pieces gives the same bytes. */
static void test_body_by_pieces(void **state)
{
    static const char *const requests[] = {"GET / HTTP/1.1\r\n\r\n", "GET /5000 HTTP/1.1\r\n\r\n",
                                           "GET /half HTTP/1.1\r\n\r\n"};
    static char whole[200000], piece[200000];

    (void)state;
    for (size_t i = 0; i < ROWS(requests); i++) {
        struct tern_labpage page = answer(requests[i]);
        size_t bytes = tern_labpage_body(&page, 0, whole, sizeof whole);

        assert_int_equal(bytes, page.body_bytes);
        assert_int_equal(tern_labpage_body(&page, bytes, piece, 1), 0);
        for (size_t step = 1; step < 3000; step = step * 3 + 1) {
            for (size_t at = 0; at < bytes;)
                at += tern_labpage_body(&page, at, piece + at, step);
            assert_memory_equal(piece, whole, bytes);
        }
    }
}

static void test_page_is_html(void **state)
{
    struct tern_labpage page = answer("GET / HTTP/1.1\r\n\r\n");
    static char whole[200000];
    size_t bytes = tern_labpage_body(&page, 0, whole, sizeof whole - 1);

    (void)state;
    assert_memory_equal(whole, "<!DOCTYPE html>", 15);
    assert_non_null(strstr(whole, "\n0000001 from pole to pole"));
    assert_string_equal(whole + bytes - 8, "</html>\n");
    assert_int_equal(strlen(whole), bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_request_end),      cmocka_unit_test(test_answers),
        cmocka_unit_test(test_hundred_segments), cmocka_unit_test(test_body_by_pieces),
        cmocka_unit_test(test_page_is_html),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
