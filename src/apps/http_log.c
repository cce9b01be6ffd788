/* SPDX-License-Identifier: BSD-2-Clause */
/* A line of the access log. Times are UTC, so that no daylight saving makes two of an hour. */
#include "apps/http_log.h"

#include <time.h>

static void put_escaped(struct tern_http_text *t, const char *text)
{
    const unsigned char *p;

    for (p = (const unsigned char *)text; *p != '\0'; p++) {
        char coded[4] = {'\\', 'x', "0123456789abcdef"[*p >> 4], "0123456789abcdef"[*p & 15]};

        if (*p >= 0x20 && *p < 0x7f && *p != '"' && *p != '\\')
            tern_http_put_bytes(t, p, 1);
        else
            tern_http_put_bytes(t, coded, sizeof coded);
    }
}

/* strftime() would ask the locale for the month. */
static void put_time(struct tern_http_text *t, int64_t wall)
{
    static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t at = wall;
    char text[32];
    struct tm tm;

    if (gmtime_r(&at, &tm) == NULL)
        return;
    tern_http_put_bytes(t, text, strftime(text, sizeof text, "%d/", &tm));
    tern_http_put(t, months[tm.tm_mon]);
    tern_http_put_bytes(t, text, strftime(text, sizeof text, "/%Y:%H:%M:%S +0000", &tm));
}

void tern_http_log_line(struct tern_http_text *t, const char *peer, int64_t wall,
                        const struct tern_http_request *request, int status, uint64_t bytes)
{
    tern_http_put(t, peer);
    tern_http_put(t, " - - [");
    put_time(t, wall);
    tern_http_put(t, "] \"");
    if (*request->target == '\0') {
        tern_http_put(t, "-");
    } else {
        tern_http_put(t, *request->method_text == '\0' ? "-" : request->method_text);
        tern_http_put(t, " ");
        put_escaped(t, request->target);
        tern_http_put(t, " HTTP/1.");
        tern_http_put_number(t, request->minor);
    }
    tern_http_put(t, "\" ");
    tern_http_put_number(t, (uint64_t)status);
    tern_http_put(t, " ");
    tern_http_put_number(t, bytes);
    tern_http_put(t, "\n");
}
