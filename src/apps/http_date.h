/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_APPS_HTTP_DATE_H
#define TERN_APPS_HTTP_DATE_H
/* Dates of HTTP (RFC 9110 §5.6.7): seconds of Unix time <-> text. */
#include <stdbool.h>
#include <stdint.h>

#define TERN_HTTP_DATE_BYTES 29 /* "Sun, 06 Nov 1994 08:49:37 GMT" */

/* The preferred form, without a NUL. Years beyond 9999 are shown as 9999's last second, and before
 * 1970 as 1970's first. */
void tern_http_date_text(int64_t seconds, char out[TERN_HTTP_DATE_BYTES]);
/* All three forms; now: what a year of two digits is near to. False: it is none. */
bool tern_http_date_parse(const char *text, int64_t now, int64_t *out);

#endif
