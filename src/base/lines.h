/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_BASE_LINES_H
#define TERN_BASE_LINES_H
/*
 * Records of any length, kept in lines of 64 bytes of memory that the caller brings: a record takes
 * as many lines as it needs, wherever they are free, so that nothing is lost between records. Lines
 * that were never used stay untouched.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TERN_LINE_BYTES 60 /* of a record, a line */
#define TERN_LINE_NONE  UINT32_MAX

struct tern_line {
    uint8_t bytes[TERN_LINE_BYTES];
    uint32_t next; /* of the record, or of the free lines; TERN_LINE_NONE: the last */
};

struct tern_lines {
    struct tern_line *line;
    uint32_t count, fresh; /* lines below fresh have been used */
    uint32_t first_free, free_count;
};

/* memory: count * sizeof(struct tern_line) bytes, aligned to 64. */
void tern_lines_init(struct tern_lines *l, void *memory, uint32_t count);
/* Keep a record; returns its number, TERN_LINE_NONE for one of no bytes. *kept false: no room, and
 * nothing is kept. */
uint32_t tern_lines_put(struct tern_lines *l, const uint8_t *bytes, size_t count, bool *kept);
/* Copy a record out, as whole lines, for which there must be room. Returns their bytes. */
size_t tern_lines_get(const struct tern_lines *l, uint32_t record, uint8_t *out, size_t max);
void tern_lines_drop(struct tern_lines *l, uint32_t record);
/* Lines in use. */
uint32_t tern_lines_used(const struct tern_lines *l);
void tern_lines_check(const struct tern_lines *l);

#endif
