/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * RFC 9110 §14.1.2: bytes=0-99, 500-, -200. Ranges beyond the end are cut or left out. §14.2 lets a
 * server ignore what would cost more than it gives: more ranges than fit the table, and ranges
 * that overlap (one file asked for a thousand times over in one request).
 */
#include "apps/http_range.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

/* Digits at *at, saturated; false: there is none. */
static bool take_number(const char **at, uint64_t *out)
{
    const char *p = *at;
    uint64_t value = 0;

    for (; *p >= '0' && *p <= '9'; p++) {
        uint64_t digit = (uint64_t)(*p - '0');

        value = value > (UINT64_MAX - digit) / 10 ? UINT64_MAX : 10 * value + digit;
    }
    if (p == *at)
        return false;
    *at = p;
    *out = value;
    return true;
}

/* One range at *at; out->bytes 0: it lies outside. False: it is none. */
static bool take_range(const char **at, uint64_t file_bytes, struct tern_http_range *out)
{
    uint64_t first = 0, last = UINT64_MAX;
    bool has_first = take_number(at, &first), has_last;

    if (**at != '-')
        return false;
    (*at)++;
    has_last = take_number(at, &last);
    if (!has_first) { /* the last so many bytes */
        uint64_t bytes = last < file_bytes ? last : file_bytes;

        *out = (struct tern_http_range){file_bytes - bytes, bytes};
        return has_last;
    }
    if (has_last && last < first)
        return false;
    *out = (struct tern_http_range){first, 0};
    if (first < file_bytes)
        out->bytes = (last < file_bytes ? last + 1 : file_bytes) - first;
    return true;
}

static bool overlaps(const struct tern_http_range *ranges, size_t count, struct tern_http_range new)
{
    for (size_t i = 0; i < count; i++)
        if (new.at < ranges[i].at + ranges[i].bytes && ranges[i].at < new.at + new.bytes)
            return true;
    return false;
}

enum tern_http_range_verdict tern_http_ranges(const char *field, uint64_t file_bytes,
                                              struct tern_http_range out[TERN_HTTP_RANGES_MAX],
                                              size_t *count)
{
    struct tern_http_range range;
    bool any = false;

    *count = 0;
    if (strncasecmp(field, "bytes=", 6) != 0)
        return TERN_HTTP_RANGE_WHOLE;
    field += 6;
    for (field += strspn(field, " \t,"); *field != '\0'; field += strspn(field, " \t,")) {
        if (!take_range(&field, file_bytes, &range))
            return TERN_HTTP_RANGE_WHOLE;
        if (field[strspn(field, " \t")] != ',' && field[strspn(field, " \t")] != '\0')
            return TERN_HTTP_RANGE_WHOLE;
        any = true;
        if (range.bytes == 0)
            continue;
        if (*count == TERN_HTTP_RANGES_MAX || overlaps(out, *count, range))
            return TERN_HTTP_RANGE_WHOLE;
        out[(*count)++] = range;
    }
    if (*count > 0)
        return TERN_HTTP_RANGE_PARTS;
    return any ? TERN_HTTP_RANGE_OUTSIDE : TERN_HTTP_RANGE_WHOLE;
}
