/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Small pieces of text for pictures. Bytes that came over the wire are escaped here before they
 * reach a terminal: nothing but printable ASCII gets through, so no peer can move the cursor.
 */
#include "report/text.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"

static bool starts_code_point(char c)
{
    return ((unsigned char)c & 0xc0) != 0x80;
}

size_t tern_text_columns(const char *utf8)
{
    size_t columns = 0;

    for (; *utf8 != '\0'; utf8++)
        columns += starts_code_point(*utf8);
    return columns;
}

char *tern_text_number(uint64_t n, char *out)
{
    char digits[TERN_NUMBER_TEXT_MAX];
    int count = snprintf(digits, sizeof digits, "%llu", (unsigned long long)n);
    char *to = out;

    TERN_ASSERT(count > 0);
    for (int i = 0; i < count; i++) {
        if (i > 0 && (count - i) % 3 == 0)
            *to++ = ',';
        *to++ = digits[i];
    }
    *to = '\0';
    return out;
}

/* One byte as it may be shown; returns the columns. out: 5 bytes. */
static size_t escape_byte(uint8_t c, char *out)
{
    if (c == '\\')
        return (size_t)snprintf(out, 5, "\\\\");
    if (c == '\t')
        return (size_t)snprintf(out, 5, "\\t");
    if (c >= 0x20 && c < 0x7f)
        return (size_t)snprintf(out, 5, "%c", c);
    return (size_t)snprintf(out, 5, "\\x%02x", (unsigned)c);
}

size_t tern_text_escape(const uint8_t *data, size_t bytes, char *out, size_t out_bytes)
{
    size_t used = 0;

    TERN_ASSERT(out_bytes >= 8);
    for (size_t i = 0; i < bytes && data[i] != '\n'; i++) {
        char one[5];

        if (data[i] == '\r' && i + 1 < bytes && data[i + 1] == '\n')
            break;
        size_t columns = escape_byte(data[i], one);

        if (used + columns + sizeof "…" > out_bytes) {
            memcpy(out + used, "…", sizeof "…");
            return used + 1;
        }
        memcpy(out + used, one, columns);
        used += columns;
    }
    out[used] = '\0';
    return used;
}

bool tern_text_is_words(const uint8_t *data, size_t bytes)
{
    size_t n = 0;

    for (; n < bytes && data[n] != '\r' && data[n] != '\n'; n++)
        if (data[n] < 0x20 || data[n] >= 0x7f)
            return false;
    return n >= 3;
}

void tern_text_append(char *out, size_t out_bytes, const char *utf8, size_t columns)
{
    size_t used = strlen(out);
    size_t all = tern_text_columns(utf8);
    size_t keep = all <= columns ? all : columns - (columns > 0);

    for (size_t shown = 0; *utf8 != '\0' && used + 1 < out_bytes; utf8++) {
        if (starts_code_point(*utf8) && shown++ == keep)
            break;
        out[used++] = *utf8;
    }
    out[used] = '\0';
    if (all > columns && columns > 0 && used + sizeof "…" <= out_bytes)
        memcpy(out + used, "…", sizeof "…");
}

/* What changes the direction of the text around it, so that it reads as what it is not. */
static bool is_directing(uint32_t value)
{
    return value == 0x061c || value == 0x200e || value == 0x200f ||
           (value >= 0x202a && value <= 0x202e) || (value >= 0x2066 && value <= 0x2069);
}

/* Bytes of the code point that begins here; 0: it is none, or one that XML does not allow, or
 * directs. */
static size_t code_point_bytes(const unsigned char *p)
{
    size_t bytes = p[0] < 0x80 ? 1 : p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    uint32_t value = bytes == 1 ? p[0] : p[0] & (0x7fu >> bytes);

    if ((p[0] >= 0x80 && p[0] < 0xc2) || p[0] > 0xf4 || p[0] < 0x20 || p[0] == 0x7f)
        return 0;
    for (size_t i = 1; i < bytes; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        value = value << 6 | (p[i] & 0x3f);
    }
    if ((bytes == 3 && value < 0x800) || (bytes == 4 && (value < 0x10000 || value > 0x10ffff)))
        return 0;
    if ((value >= 0x80 && value < 0xa0) || (value >= 0xd800 && value < 0xe000) ||
        (value & 0xfffe) == 0xfffe || is_directing(value))
        return 0;
    return bytes;
}

void tern_text_xml(FILE *out, const char *text)
{
    while (*text != '\0') {
        size_t bytes = code_point_bytes((const unsigned char *)text);
        const char *safe = *text == '<'   ? "&lt;"
                           : *text == '>' ? "&gt;"
                           : *text == '&' ? "&amp;"
                           : *text == '"' ? "&quot;"
                                          : NULL;

        if (safe != NULL)
            (void)fputs(safe, out);
        else if (bytes == 0)
            (void)fputc('?', out);
        else
            (void)fwrite(text, 1, bytes, out);
        text += bytes == 0 ? 1 : bytes;
    }
}

void tern_text_json(FILE *out, const char *text)
{
    while (*text != '\0') {
        size_t bytes = code_point_bytes((const unsigned char *)text);

        if (bytes == 0)
            (void)fputc('?', out);
        else if (bytes == 1 && strchr("<>&\"'\\", *text) != NULL)
            (void)fprintf(out, "\\u%04x", (unsigned)(unsigned char)*text);
        else
            (void)fwrite(text, 1, bytes, out);
        text += bytes == 0 ? 1 : bytes;
    }
}

void tern_text_to_ascii(char *utf8)
{
    static const struct {
        const char *sign;
        char ascii;
    } table[] = {
        {"─", '-'}, {"═", '='}, {"▶", '>'}, {"◀", '<'}, {"·", '-'}, {"…", '~'},
        {"✗", 'x'}, {"⋮", ':'}, {"│", '|'}, {"→", '>'}, {"╌", '.'}, {"’", '\''},
        {"é", 'e'}, {"µ", 'u'}, {"├", '+'}, {"┼", '+'},
    };
    char *to = utf8;

    while (*utf8 != '\0') {
        size_t bytes = 1;
        char ascii = *utf8;

        while (!starts_code_point(utf8[bytes]))
            bytes++;
        if (bytes > 1) {
            ascii = '?';
            for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
                if (strncmp(utf8, table[i].sign, bytes) == 0)
                    ascii = table[i].ascii;
        }
        *to++ = ascii;
        utf8 += bytes;
    }
    *to = '\0';
}
