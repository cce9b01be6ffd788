/* SPDX-License-Identifier: BSD-2-Clause */
/* Text that grows, and the ways in which strangers' bytes go into it: as HTML, as a path. */
#include "apps/http_text.h"

#include <stdlib.h>

#define ROOM_FIRST 1024

void tern_http_text_fini(struct tern_http_text *t)
{
    free(t->data);
    *t = (struct tern_http_text){.data = NULL};
}

void tern_http_text_clear(struct tern_http_text *t, size_t keep)
{
    t->bytes = 0;
    t->failed = false;
    if (t->room > keep)
        tern_http_text_fini(t);
}

static bool reserve(struct tern_http_text *t, size_t bytes)
{
    size_t room = t->room < ROOM_FIRST ? ROOM_FIRST : t->room;
    char *data;

    if (t->failed)
        return false;
    if (t->room - t->bytes >= bytes)
        return true;
    while (room - t->bytes < bytes)
        room *= 2;
    data = realloc(t->data, room);
    if (data == NULL) {
        t->failed = true;
        return false;
    }
    t->data = data;
    t->room = room;
    return true;
}

void tern_http_put_bytes(struct tern_http_text *t, const void *data, size_t bytes)
{
    if (bytes == 0 || !reserve(t, bytes))
        return;
    memcpy(t->data + t->bytes, data, bytes);
    t->bytes += bytes;
}

void tern_http_put_number(struct tern_http_text *t, uint64_t value)
{
    char digits[20];
    size_t at = sizeof digits;

    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    tern_http_put_bytes(t, digits + at, sizeof digits - at);
}

void tern_http_put_hex(struct tern_http_text *t, uint64_t value)
{
    char digits[16];
    size_t at = sizeof digits;

    do {
        digits[--at] = "0123456789abcdef"[value % 16];
        value /= 16;
    } while (value > 0);
    tern_http_put_bytes(t, digits + at, sizeof digits - at);
}

/* Bytes of the UTF-8 character at p; 0: it is none (RFC 3629 §4). */
static size_t utf8_bytes(const unsigned char *p)
{
    static const unsigned char low[] = {[0xe0 - 0xe0] = 0xa0, [0xf0 - 0xe0] = 0x90};
    static const unsigned char high[] = {[0xed - 0xe0] = 0x9f, [0xf4 - 0xe0] = 0x8f};
    size_t more = p[0] < 0x80 ? 0 : p[0] < 0xe0 ? 1 : p[0] < 0xf0 ? 2 : 3;
    size_t row, i;

    if (p[0] < 0x80)
        return 1;
    if (p[0] < 0xc2 || p[0] > 0xf4)
        return 0;
    for (i = 1; i <= more; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    row = p[0] >= 0xe0 ? p[0] - 0xe0u : SIZE_MAX;
    if (row < sizeof low && low[row] != 0 && p[1] < low[row])
        return 0;
    if (row < sizeof high && high[row] != 0 && p[1] > high[row])
        return 0;
    return more + 1;
}

static const char *html_of(unsigned char byte)
{
    switch (byte) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return byte < 0x20 || byte == 0x7f ? "\xef\xbf\xbd" : NULL;
    }
}

void tern_http_put_html(struct tern_http_text *t, const char *text)
{
    const unsigned char *p = (const unsigned char *)text;

    while (*p != '\0') {
        size_t bytes = utf8_bytes(p);
        const char *instead = bytes == 0 ? "\xef\xbf\xbd" : html_of(*p);

        if (instead != NULL)
            tern_http_put(t, instead);
        else
            tern_http_put_bytes(t, p, bytes);
        p += bytes == 0 ? 1 : bytes;
    }
}

/* RFC 3986 §2.3 and, of §2.2, what means nothing in a path and needs no care in HTML. */
static bool stands_bare(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("-._~/!$()*+,=@", c) != NULL);
}

void tern_http_put_path(struct tern_http_text *t, const char *path)
{
    const unsigned char *p;

    for (p = (const unsigned char *)path; *p != '\0'; p++) {
        char coded[3] = {'%', "0123456789ABCDEF"[*p >> 4], "0123456789ABCDEF"[*p & 15]};

        if (stands_bare(*p))
            tern_http_put_bytes(t, p, 1);
        else
            tern_http_put_bytes(t, coded, sizeof coded);
    }
}
