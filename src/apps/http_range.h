/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_APPS_HTTP_RANGE_H
#define TERN_APPS_HTTP_RANGE_H
/* The Range field (RFC 9110 §14), text -> pieces of a file. */
#include <stddef.h>
#include <stdint.h>

#define TERN_HTTP_RANGES_MAX 16

struct tern_http_range {
    uint64_t at, bytes; /* bytes > 0 */
};

enum tern_http_range_verdict {
    TERN_HTTP_RANGE_WHOLE,   /* not understood, too many or overlapping: as if it were absent */
    TERN_HTTP_RANGE_PARTS,   /* count of them, as they were asked for */
    TERN_HTTP_RANGE_OUTSIDE, /* 416: none of them lies in the file */
};

enum tern_http_range_verdict tern_http_ranges(const char *field, uint64_t file_bytes,
                                              struct tern_http_range out[TERN_HTTP_RANGES_MAX],
                                              size_t *count);

#endif
