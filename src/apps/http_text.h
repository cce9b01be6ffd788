/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_APPS_HTTP_TEXT_H
#define TERN_APPS_HTTP_TEXT_H
/*
 * Text that grows as it is written: heads, pages, lines of the log. Where memory runs out it turns
 * sticky-failed and takes no more; test ->failed once at the end. All zero is an empty text.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct tern_http_text {
    char *data; /* not ended by a NUL */
    size_t bytes, room;
    bool failed;
};

void tern_http_text_fini(struct tern_http_text *t);
/* Empty again; its memory is kept, unless it is more than `keep` bytes. */
void tern_http_text_clear(struct tern_http_text *t, size_t keep);

void tern_http_put_bytes(struct tern_http_text *t, const void *data, size_t bytes);
static inline void tern_http_put(struct tern_http_text *t, const char *text)
{
    tern_http_put_bytes(t, text, strlen(text));
}
void tern_http_put_number(struct tern_http_text *t, uint64_t value);
void tern_http_put_hex(struct tern_http_text *t, uint64_t value);
/* As the text of HTML or of an attribute in double quotes: no byte of it is markup, and what is not
 * UTF-8 is shown as U+FFFD. */
void tern_http_put_html(struct tern_http_text *t, const char *text);
/* As the path of a reference: what RFC 3986 §3.3 does not let stand bare is percent-encoded; '/'
 * stands. */
void tern_http_put_path(struct tern_http_text *t, const char *path);

#endif
