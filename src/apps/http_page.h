/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_APPS_HTTP_PAGE_H
#define TERN_APPS_HTTP_PAGE_H
/* Small pages of HTML: the frame that all of them share, and those that tell of a status. */
#include "apps/http_text.h"

/* The reason phrase of a status (RFC 9110 §15); "Unknown" for those that are never sent. */
const char *tern_http_reason(int status);
/* Everything up to the page's own words. title: any bytes. */
void tern_http_page_begin(struct tern_http_text *t, const char *title);
void tern_http_page_end(struct tern_http_text *t);
/* The page of a status, in full. */
void tern_http_page_status(struct tern_http_text *t, int status);

#endif
