/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The lab's pages. Every byte is a function of its offset, so that a receiver can verify any of
 * them without keeping a copy, and a gigabyte costs no memory.
 */
#include "cli/labpage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

#define BODY_BYTES_MAX UINT64_C(1000000000000)

static const char page_top[] =
    "<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"><title>tern</title></head>\n<body>\n"
    "<h1>A page over your own TCP</h1>\n"
    "<p>Each of these lines came in a segment that tern acknowledged by itself, beside\n"
    "the kernel. A tern is the bird that flies farthest, and a set of three: SYN, SYN ACK,\n"
    "ACK.</p>\n<pre>\n";
static const char page_line[] = "0000000 from pole to pole and back, and not one byte was lost.\n";
static const char page_end[] = "\n</pre>\n</body></html>\n";

#define LINE_BYTES    (sizeof page_line - 1)
#define LINE_DIGITS   7
#define LITERAL(text) (sizeof(text) - 1)

size_t tern_labpage_request_end(const char *text, size_t bytes)
{
    for (size_t i = 3; i < bytes; i++)
        if (memcmp(text + i - 3, "\r\n\r\n", 4) == 0)
            return i + 1;
    return 0;
}

/* Is `what` in the request, in these letters whatever their case? */
static bool request_has(const char *request, size_t bytes, const char *what)
{
    size_t n = strlen(what);

    for (size_t i = 0; i + n <= bytes; i++) {
        size_t k = 0;

        while (k < n && (request[i + k] | 0x20) == (what[k] | 0x20))
            k++;
        if (k == n)
            return true;
    }
    return false;
}

static bool path_is(const char *path, size_t bytes, const char *what)
{
    return bytes == strlen(what) && memcmp(path, what, bytes) == 0;
}

static void head_write(struct tern_labpage *page, const char *status)
{
    int n = snprintf(page->head, sizeof page->head,
                     "HTTP/1.1 %s\r\nServer: tern-lab\r\nContent-Type: %s\r\n"
                     "Content-Length: %llu\r\nConnection: %s\r\n\r\n",
                     status, page->pattern ? "application/octet-stream" : "text/html",
                     (unsigned long long)page->body_bytes, page->close ? "close" : "keep-alive");

    TERN_ASSERT(n > 0);
    TERN_ASSERT((size_t)n < sizeof page->head);
    page->head_bytes = (size_t)n;
}

/* "/123": a number of bytes. */
static bool path_number(const char *path, size_t bytes, uint64_t *out)
{
    uint64_t n = 0;

    if (bytes < 2 || bytes > 14)
        return false;
    for (size_t i = 1; i < bytes; i++) {
        if (path[i] < '0' || path[i] > '9')
            return false;
        n = n * 10 + (uint64_t)(path[i] - '0');
    }
    *out = n;
    return n <= BODY_BYTES_MAX;
}

/* A page whose header and body together have the size that was promised. */
static void page_of_100_segments(struct tern_labpage *page)
{
    page->body_bytes = TERN_LABPAGE_BYTES;
    for (int i = 0; i < 3; i++) {
        head_write(page, "200 OK");
        page->body_bytes = TERN_LABPAGE_BYTES - page->head_bytes;
    }
    TERN_ASSERT(page->head_bytes + page->body_bytes == TERN_LABPAGE_BYTES);
}

void tern_labpage_answer(const char *request, size_t bytes, struct tern_labpage *page)
{
    const char *path = memchr(request, '/', bytes);
    const char *line_end = memchr(request, '\r', bytes);
    size_t path_bytes = 0;
    bool is_head = bytes > 5 && memcmp(request, "HEAD ", 5) == 0;

    memset(page, 0, sizeof *page);
    page->close = request_has(request, bytes, "connection: close");
    if (path != NULL && line_end != NULL && path < line_end)
        path_bytes = strcspn(path, " \r?");
    if (path_is(path, path_bytes, "/")) {
        page_of_100_segments(page);
    } else if (path_is(path, path_bytes, "/reset")) {
        page->manner = TERN_LABPAGE_RESET;
        page->body_bytes = 10 * TERN_LABPAGE_RESET_BYTES;
        head_write(page, "200 OK");
    } else if (path_is(path, path_bytes, "/half")) {
        page->manner = TERN_LABPAGE_HALF;
        page->close = true;
        page->body_bytes = LITERAL(page_top);
        head_write(page, "200 OK");
    } else if (path_number(path, path_bytes, &page->body_bytes)) {
        page->pattern = true;
        head_write(page, "200 OK");
    } else {
        page->body_bytes = 0;
        head_write(page, "404 Not Found");
    }
    if (is_head)
        page->body_bytes = 0;
}

static char page_byte(const struct tern_labpage *page, uint64_t offset)
{
    uint64_t tail = page->body_bytes - offset;

    if (offset < LITERAL(page_top))
        return page_top[offset];
    if (tail <= LITERAL(page_end) && page->body_bytes > LITERAL(page_top) + LITERAL(page_end))
        return page_end[LITERAL(page_end) - tail];
    offset -= LITERAL(page_top);

    uint64_t number = offset / LINE_BYTES;
    size_t column = (size_t)(offset % LINE_BYTES);

    if (column >= LINE_DIGITS)
        return page_line[column];
    for (size_t i = column + 1; i < LINE_DIGITS; i++)
        number /= 10;
    return (char)('0' + number % 10);
}

size_t tern_labpage_body(const struct tern_labpage *page, uint64_t offset, void *out, size_t len)
{
    char *to = out;

    if (offset >= page->body_bytes)
        return 0;
    if (len > page->body_bytes - offset)
        len = (size_t)(page->body_bytes - offset);
    for (size_t i = 0; i < len; i++) {
        uint64_t at = offset + i;

        to[i] = page->pattern ? (char)(at ^ at >> 8 ^ at >> 16 ^ at >> 24) : page_byte(page, at);
    }
    return len;
}
