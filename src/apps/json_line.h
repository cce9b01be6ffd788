/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_APPS_JSON_LINE_H
#define TERN_APPS_JSON_LINE_H
/*
 * One line of JSON, written straight into a buffer: what the event log needs for each segment,
 * where a tree of allocated values is too dear (docs/decisions/0060). Whoever calls keeps the
 * order: a member, or an object begun and ended. Where the buffer is too short the writer fails,
 * and the line is not to be used.
 */
#include "base/bytes.h"
#include <tern/addr.h>

struct tern_json_line {
    struct tern_writer w;
    bool comma; /* a member stands before */
};

void tern_json_line_begin(struct tern_json_line *j, uint8_t *data, size_t bytes_max);
/* An object as the value of a key. */
void tern_json_open(struct tern_json_line *j, const char *key);
void tern_json_close(struct tern_json_line *j);

void tern_json_u64(struct tern_json_line *j, const char *key, uint64_t value);
/* Left out where it is 0. */
void tern_json_u64_some(struct tern_json_line *j, const char *key, uint64_t value);
void tern_json_bool(struct tern_json_line *j, const char *key, bool value);
/* Left out where it is false. */
void tern_json_true(struct tern_json_line *j, const char *key, bool value);
/* Nanoseconds as milliseconds with six decimals. */
void tern_json_ms(struct tern_json_line *j, const char *key, int64_t ns);
/* Quoted and escaped; what is not UTF-8 becomes U+FFFD. */
void tern_json_text(struct tern_json_line *j, const char *key, const char *text);
void tern_json_address(struct tern_json_line *j, const char *key, const struct tern_addr *a);
void tern_json_endpoint(struct tern_json_line *j, const char *key, const struct tern_endpoint *e);
void tern_json_mac(struct tern_json_line *j, const char *key, struct tern_mac mac);
/* A key, and a value whose text is JSON already. */
void tern_json_raw(struct tern_json_line *j, const char *key, const char *json);

#endif
