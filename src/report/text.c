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

void tern_text_to_ascii(char *utf8)
{
    static const struct {
        const char *sign;
        char ascii;
    } table[] = {
        {"─", '-'}, {"═", '='}, {"▶", '>'}, {"◀", '<'}, {"·", '-'},  {"…", '~'}, {"✗", 'x'},
        {"⋮", ':'}, {"│", '|'}, {"→", '>'}, {"╌", '.'}, {"’", '\''}, {"é", 'e'}, {"µ", 'u'},
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
