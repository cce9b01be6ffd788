/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_APPS_HTTP_LOG_H
#define TERN_APPS_HTTP_LOG_H
/* The access log's lines, in the common format that every tool for such logs reads. */
#include "apps/http_request.h"
#include "apps/http_text.h"

/* peer - - [28/Nov/2026:21:26:30 +0000] "GET / HTTP/1.1" 200 1234; bytes: of the body, that were
 * handed to the stack. What the request holds is escaped: no line break, no quote gets through. */
void tern_http_log_line(struct tern_http_text *t, const char *peer, int64_t wall,
                        const struct tern_http_request *request, int status, uint64_t bytes);

#endif
