/* SPDX-License-Identifier: BSD-2-Clause */
/* JSON into a buffer, member by member. */
#include "apps/json_line.h"

#define DIGITS_MAX 20

static void put(struct tern_json_line *j, const char *text)
{
    tern_write_bytes(&j->w, text, strlen(text));
}

static void put_digits(struct tern_json_line *j, uint64_t value, int at_least)
{
    char digits[DIGITS_MAX];
    int at = DIGITS_MAX;

    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0 || DIGITS_MAX - at < at_least);
    tern_write_bytes(&j->w, digits + at, (size_t)(DIGITS_MAX - at));
}

static void put_key(struct tern_json_line *j, const char *key)
{
    if (j->comma)
        tern_write_u8(&j->w, ',');
    j->comma = true;
    tern_write_u8(&j->w, '"');
    put(j, key);
    put(j, "\":");
}

void tern_json_line_begin(struct tern_json_line *j, uint8_t *data, size_t bytes_max)
{
    j->w = tern_writer_of(data, bytes_max);
    j->comma = false;
}

void tern_json_open(struct tern_json_line *j, const char *key)
{
    if (key != NULL)
        put_key(j, key);
    tern_write_u8(&j->w, '{');
    j->comma = false;
}

void tern_json_close(struct tern_json_line *j)
{
    tern_write_u8(&j->w, '}');
    j->comma = true;
}

void tern_json_u64(struct tern_json_line *j, const char *key, uint64_t value)
{
    put_key(j, key);
    put_digits(j, value, 1);
}

void tern_json_u64_some(struct tern_json_line *j, const char *key, uint64_t value)
{
    if (value > 0)
        tern_json_u64(j, key, value);
}

void tern_json_bool(struct tern_json_line *j, const char *key, bool value)
{
    put_key(j, key);
    put(j, value ? "true" : "false");
}

void tern_json_true(struct tern_json_line *j, const char *key, bool value)
{
    if (value)
        tern_json_bool(j, key, true);
}

void tern_json_ms(struct tern_json_line *j, const char *key, int64_t ns)
{
    const uint64_t value = ns < 0 ? (uint64_t)-ns : (uint64_t)ns;

    put_key(j, key);
    if (ns < 0)
        tern_write_u8(&j->w, '-');
    put_digits(j, value / 1000000, 1);
    tern_write_u8(&j->w, '.');
    put_digits(j, value % 1000000, 6);
}

/* Bytes of the UTF-8 character that stands there; 0: it is none. */
static size_t character(const unsigned char *p)
{
    static const unsigned char lead[] = {0xc2, 0xe0,
                                         0xf0}; /* the least of two, three, four bytes */
    size_t bytes = p[0] < 0x80 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;

    if (bytes > 1 && (p[0] < lead[bytes - 2] || p[0] > 0xf4))
        return 0;
    for (size_t i = 1; i < bytes; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xf0 && p[1] < 0x90) ||
        (p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf4 && p[1] > 0x8f))
        return 0;
    return bytes;
}

static void put_control(struct tern_json_line *j, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";

    put(j, "\\u00");
    tern_write_u8(&j->w, (uint8_t)hex[c >> 4]);
    tern_write_u8(&j->w, (uint8_t)hex[c & 15]);
}

/* Bytes from there on that stand for themselves. */
static size_t plain(const unsigned char *p)
{
    size_t n = 0;

    while (p[n] >= 0x20 && p[n] < 0x7f && p[n] != '"' && p[n] != '\\')
        n++;
    return n;
}

void tern_json_text(struct tern_json_line *j, const char *key, const char *text)
{
    const unsigned char *p = (const unsigned char *)text;

    put_key(j, key);
    tern_write_u8(&j->w, '"');
    while (*p != '\0') {
        const size_t run = plain(p), bytes = run > 0 ? run : character(p);

        if (bytes == 0)
            put(j, "\xef\xbf\xbd");
        else if (run > 0)
            tern_write_bytes(&j->w, p, run);
        else if (*p < 0x20 || *p == 0x7f)
            put_control(j, *p);
        else if (*p == '"' || *p == '\\') {
            tern_write_u8(&j->w, '\\');
            tern_write_u8(&j->w, *p);
        } else
            tern_write_bytes(&j->w, p, bytes);
        p += bytes == 0 ? 1 : bytes;
    }
    tern_write_u8(&j->w, '"');
}

void tern_json_address(struct tern_json_line *j, const char *key, const struct tern_addr *a)
{
    char text[TERN_ADDR_TEXT_MAX];

    tern_json_text(j, key, tern_addr_text(*a, text));
}

void tern_json_endpoint(struct tern_json_line *j, const char *key, const struct tern_endpoint *e)
{
    char text[TERN_ENDPOINT_TEXT_MAX];

    tern_json_text(j, key, tern_endpoint_text(e, text));
}

void tern_json_mac(struct tern_json_line *j, const char *key, struct tern_mac mac)
{
    char text[TERN_MAC_TEXT_MAX];

    tern_json_text(j, key, tern_mac_text(mac, text));
}

void tern_json_raw(struct tern_json_line *j, const char *key, const char *json)
{
    put_key(j, key);
    put(j, json);
}
