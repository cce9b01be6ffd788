/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * -w: the variables that people use, in curl's formats. Addresses and the times of resolving and
 * connecting come from the endpoint's outcome, since libcurl knows only the way to the endpoint.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cli/get_body.h"
#include "cli/get_transfer.h"
#include "cli/say.h"

/* What is being written. */
struct text {
    char *data;
    size_t bytes, room;
};

static bool add(struct text *out, const char *data, size_t bytes)
{
    if (out->bytes + bytes + 1 > out->room) {
        size_t room = (out->bytes + bytes + 1) * 2;
        char *more = realloc(out->data, room);

        if (more == NULL)
            return false;
        out->data = more;
        out->room = room;
    }
    memcpy(out->data + out->bytes, data, bytes);
    out->bytes += bytes;
    out->data[out->bytes] = '\0';
    return true;
}

static bool add_text(struct text *out, const char *text)
{
    return text == NULL || add(out, text, strlen(text));
}

__attribute__((format(printf, 2, 3))) static bool add_format(struct text *out, const char *format,
                                                             ...)
{
    char text[64];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return add_text(out, text);
}

enum source {
    FROM_LONG, /* curl_easy_getinfo, a long */
    FROM_CODE, /* the same, three digits */
    FROM_SIZE, /* a curl_off_t */
    FROM_TIME, /* a curl_off_t of microseconds, as seconds */
    FROM_TEXT, /* a string */
    FROM_TERN, /* function */
};

struct variable {
    const char *name;
    enum source source;
    CURLINFO info;
    bool (*write)(const struct get_transfer *t, struct text *out);
};

static bool write_host(struct text *out, const struct tern_endpoint *endpoint)
{
    char text[TERN_ADDR_TEXT_MAX];

    return add_text(out, tern_addr_text(endpoint->addr, text));
}

static bool write_remote_ip(const struct get_transfer *t, struct text *out)
{
    return !t->outcome.established || write_host(out, &t->outcome.remote);
}

static bool write_local_ip(const struct get_transfer *t, struct text *out)
{
    return !t->outcome.established || write_host(out, &t->outcome.local);
}

static bool write_remote_port(const struct get_transfer *t, struct text *out)
{
    return add_format(out, "%u", t->outcome.established ? t->outcome.remote.port : 0);
}

static bool write_local_port(const struct get_transfer *t, struct text *out)
{
    return add_format(out, "%u", t->outcome.established ? t->outcome.local.port : 0);
}

/* A moment of the endpoint's, since the start of the transfer; 0 where it did not happen in it. */
static bool write_moment(const struct get_transfer *t, tern_time at, struct text *out)
{
    bool happened = t->outcome.serial > t->serial_before && at != TERN_TIME_NEVER;

    return add_format(out, "%.6f",
                      happened && at > t->started_at ? (double)(at - t->started_at) / 1e9 : 0.0);
}

static bool write_namelookup(const struct get_transfer *t, struct text *out)
{
    return write_moment(t, t->outcome.resolved_at, out);
}

static bool write_connect(const struct get_transfer *t, struct text *out)
{
    return write_moment(t, t->outcome.established_at, out);
}

static bool write_exit(const struct get_transfer *t, struct text *out)
{
    return add_format(out, "%d", t->code);
}

static bool write_error(const struct get_transfer *t, struct text *out)
{
    return add_text(out, t->words);
}

static bool write_file(const struct get_transfer *t, struct text *out)
{
    return add_text(out, t->output.path);
}

static bool write_url(const struct get_transfer *t, struct text *out)
{
    return add_text(out, t->item->url);
}

static bool write_http_version(const struct get_transfer *t, struct text *out)
{
    long version = 0;

    (void)curl_easy_getinfo(t->job->easy, CURLINFO_HTTP_VERSION, &version);
    switch (version) {
    case CURL_HTTP_VERSION_1_0:
        return add_text(out, "1.0");
    case CURL_HTTP_VERSION_1_1:
        return add_text(out, "1.1");
    case CURL_HTTP_VERSION_2_0:
        return add_text(out, "2");
    case CURL_HTTP_VERSION_3:
        return add_text(out, "3");
    default:
        return add_text(out, "0");
    }
}

static const struct variable variables[] = {
    {"http_code", FROM_CODE, CURLINFO_RESPONSE_CODE, NULL},
    {"response_code", FROM_CODE, CURLINFO_RESPONSE_CODE, NULL},
    {"num_redirects", FROM_LONG, CURLINFO_REDIRECT_COUNT, NULL},
    {"num_connects", FROM_LONG, CURLINFO_NUM_CONNECTS, NULL},
    {"size_header", FROM_LONG, CURLINFO_HEADER_SIZE, NULL},
    {"size_request", FROM_LONG, CURLINFO_REQUEST_SIZE, NULL},
    {"ssl_verify_result", FROM_LONG, CURLINFO_SSL_VERIFYRESULT, NULL},
    {"size_download", FROM_SIZE, CURLINFO_SIZE_DOWNLOAD_T, NULL},
    {"size_upload", FROM_SIZE, CURLINFO_SIZE_UPLOAD_T, NULL},
    {"speed_download", FROM_SIZE, CURLINFO_SPEED_DOWNLOAD_T, NULL},
    {"speed_upload", FROM_SIZE, CURLINFO_SPEED_UPLOAD_T, NULL},
    {"time_total", FROM_TIME, CURLINFO_TOTAL_TIME_T, NULL},
    {"time_appconnect", FROM_TIME, CURLINFO_APPCONNECT_TIME_T, NULL},
    {"time_pretransfer", FROM_TIME, CURLINFO_PRETRANSFER_TIME_T, NULL},
    {"time_starttransfer", FROM_TIME, CURLINFO_STARTTRANSFER_TIME_T, NULL},
    {"time_redirect", FROM_TIME, CURLINFO_REDIRECT_TIME_T, NULL},
    {"url_effective", FROM_TEXT, CURLINFO_EFFECTIVE_URL, NULL},
    {"redirect_url", FROM_TEXT, CURLINFO_REDIRECT_URL, NULL},
    {"content_type", FROM_TEXT, CURLINFO_CONTENT_TYPE, NULL},
    {"method", FROM_TEXT, CURLINFO_EFFECTIVE_METHOD, NULL},
    {"scheme", FROM_TEXT, CURLINFO_SCHEME, NULL},
    {"time_namelookup", FROM_TERN, CURLINFO_NONE, write_namelookup},
    {"time_connect", FROM_TERN, CURLINFO_NONE, write_connect},
    {"remote_ip", FROM_TERN, CURLINFO_NONE, write_remote_ip},
    {"remote_port", FROM_TERN, CURLINFO_NONE, write_remote_port},
    {"local_ip", FROM_TERN, CURLINFO_NONE, write_local_ip},
    {"local_port", FROM_TERN, CURLINFO_NONE, write_local_port},
    {"http_version", FROM_TERN, CURLINFO_NONE, write_http_version},
    {"filename_effective", FROM_TERN, CURLINFO_NONE, write_file},
    {"exitcode", FROM_TERN, CURLINFO_NONE, write_exit},
    {"errormsg", FROM_TERN, CURLINFO_NONE, write_error},
    {"url", FROM_TERN, CURLINFO_NONE, write_url},
};

static bool write_variable(const struct get_transfer *t, const struct variable *v, struct text *out)
{
    CURL *easy = t->job->easy;
    curl_off_t size = 0;
    char *text = NULL;
    long number = 0;

    switch (v->source) {
    case FROM_LONG:
    case FROM_CODE:
        (void)curl_easy_getinfo(easy, v->info, &number);
        return add_format(out, v->source == FROM_CODE ? "%03ld" : "%ld", number);
    case FROM_SIZE:
        (void)curl_easy_getinfo(easy, v->info, &size);
        return add_format(out, "%lld", (long long)size);
    case FROM_TIME:
        (void)curl_easy_getinfo(easy, v->info, &size);
        return add_format(out, "%lld.%06lld", (long long)(size / 1000000),
                          (long long)(size % 1000000));
    case FROM_TEXT:
        (void)curl_easy_getinfo(easy, v->info, &text);
        return add_text(out, text);
    case FROM_TERN:
    default:
        return v->write(t, out);
    }
}

/* %{name}: returns what follows it, or NULL without memory. */
static const char *write_named(const struct get_transfer *t, const char *p, struct text *out)
{
    const char *end = strchr(p, '}');
    size_t i, bytes;

    if (end == NULL)
        return add(out, "%{", 2) ? p : NULL;
    bytes = (size_t)(end - p);
    for (i = 0; i < sizeof variables / sizeof variables[0]; i++)
        if (strlen(variables[i].name) == bytes && memcmp(variables[i].name, p, bytes) == 0)
            return write_variable(t, &variables[i], out) ? end + 1 : NULL;
    tern_complain("-w: no variable '%.*s'", (int)bytes, p);
    return end + 1;
}

static bool add_escape(struct text *out, char letter)
{
    switch (letter) {
    case 'n':
        return add(out, "\n", 1);
    case 'r':
        return add(out, "\r", 1);
    case 't':
        return add(out, "\t", 1);
    default:
        return add(out, "\\", 1) && add(out, &letter, 1);
    }
}

static char *fill_in(const struct get_transfer *t, const char *format)
{
    struct text out = {0};
    const char *p = format;
    bool fine = add(&out, "", 0);

    while (fine && p != NULL && *p != '\0') {
        if (p[0] == '%' && p[1] == '{') {
            p = write_named(t, p + 2, &out);
        } else if (p[0] == '%' && p[1] == '%') {
            fine = add(&out, "%", 1);
            p += 2;
        } else if (p[0] == '\\' && p[1] != '\0') {
            fine = add_escape(&out, p[1]);
            p += 2;
        } else {
            fine = add(&out, p, 1);
            p++;
        }
    }
    if (fine && p != NULL)
        return out.data;
    free(out.data);
    return NULL;
}

char *tern_get_write_out(const struct get_transfer *t, const char *format)
{
    char *from_file, *text;
    size_t bytes;

    if (*format != '@')
        return fill_in(t, format);
    from_file = tern_get_slurp(format + 1, &bytes);
    if (from_file == NULL) {
        tern_complain("-w: cannot read %s: %s", format + 1, strerror(errno));
        return NULL;
    }
    text = fill_in(t, from_file);
    free(from_file);
    return text;
}
