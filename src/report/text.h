/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_REPORT_TEXT_H
#define TERN_REPORT_TEXT_H
/* Small pieces of text for pictures: widths, numbers with commas, escaping. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define TERN_NUMBER_TEXT_MAX 28

/* Columns that UTF-8 text takes; each code point counts as one (our own words hold no others). */
size_t tern_text_columns(const char *utf8);

/* 144799 as "144,799"; out: TERN_NUMBER_TEXT_MAX bytes. Returns out. */
char *tern_text_number(uint64_t n, char *out);

/*
 * The first line of bytes from the wire, fit for a terminal: printable ASCII stays, but that a
 * backslash is doubled, and all else becomes \t or \xNN. Ends at the first line's end, or with "…"
 * where out is full. Returns the columns written. out_bytes: at least 8.
 */
size_t tern_text_escape(const uint8_t *data, size_t bytes, char *out, size_t out_bytes);

/* Does this look like the first line of a text protocol: at least 3 printable bytes, and no others?
 */
bool tern_text_is_words(const uint8_t *data, size_t bytes);

/* Append at most `columns` columns of text to out; "…" ends what was cut. out_bytes: the whole. */
void tern_text_append(char *out, size_t out_bytes, const char *utf8, size_t columns);

/* Text for XML and HTML: markup is escaped, and what is not UTF-8, or controls anything (the
 * direction of the text as well), becomes '?'. */
void tern_text_xml(FILE *out, const char *text);

/* The inside of a JSON string that may stand in a script element: as above, with < > & and
 * quotes as \\uNNNN. */
void tern_text_json(FILE *out, const char *text);

/* The ASCII stand-in of each sign that the pictures use, in place; unknown signs become '?'. */
void tern_text_to_ascii(char *utf8);

#endif
