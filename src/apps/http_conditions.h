/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_APPS_HTTP_CONDITIONS_H
#define TERN_APPS_HTTP_CONDITIONS_H
/* Conditional requests (RFC 9110 §13): is the client's copy still good, may the range be sent? */
#include "apps/http_request.h"

#define TERN_HTTP_ETAG_MAX 64

/* What tells one state of a file from another. */
struct tern_http_validators {
    char etag[TERN_HTTP_ETAG_MAX]; /* with its quotes, and W/ before them where it is weak */
    int64_t modified;              /* seconds of Unix time */
};

enum tern_http_condition {
    TERN_HTTP_GO_ON,
    TERN_HTTP_NOT_MODIFIED, /* 304 */
    TERN_HTTP_FAILED,       /* 412 */
};

/* In the order of RFC 9110 §13.2.2; wall: Unix time, for dates of two digits. */
enum tern_http_condition tern_http_conditions(const struct tern_http_request *request,
                                              const struct tern_http_validators *file,
                                              int64_t wall);
/* If-Range (RFC 9110 §13.1.5): true where it is absent or holds. */
bool tern_http_if_range(const struct tern_http_request *request,
                        const struct tern_http_validators *file, int64_t wall);

#endif
