/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The answer to a request (RFC 9110, RFC 9112), decided in this order: method and expectation, the
 * path, what lies there, the conditions, the ranges. The head comes first in the text, then what is
 * sent of it as body: a page, or the heads of the parts between which the file's ranges go.
 *
 * The tag of a file is its time, its length and its inode number. It is weak while the file is so
 * young that it could change again within the same tick of the file system's clock (RFC 9110
 * §8.8.1), so that two states never share a strong one.
 */
#include "apps/http_answer.h"

#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

#include <tern/tern.h>

#include "apps/http_conditions.h"
#include "apps/http_date.h"
#include "apps/http_listing.h"
#include "apps/http_page.h"
#include "apps/http_path.h"

#define TEXT_KEPT     2048 /* of an answer's memory, between two answers */
#define YOUNG_SECONDS 1
#define ALLOW         "Allow: GET, HEAD, OPTIONS\r\n"
#define HTML          "text/html; charset=utf-8"
#define INDEX         "index.html"

void tern_http_site_init(struct tern_http_site *site, int root, uint64_t boundary)
{
    struct tern_http_text text = {.data = NULL};

    memset(site, 0, sizeof *site);
    site->root = root;
    site->listing = true;
    site->date_of = -1;
    tern_http_types_init(&site->types, NULL);
    tern_http_put(&text, "tern");
    tern_http_put_hex(&text, boundary);
    if (!text.failed)
        memcpy(site->boundary, text.data, text.bytes);
    tern_http_text_fini(&text);
}

void tern_http_site_fini(struct tern_http_site *site)
{
    tern_http_types_fini(&site->types);
}

void tern_http_answer_free(struct tern_http_answer *a)
{
    if (a->file.fd >= 0)
        (void)close(a->file.fd);
    a->file.fd = -1;
    a->pieces = 0;
    tern_http_text_clear(&a->text, TEXT_KEPT);
}

/* ---- heads ---- */

static void put_field(struct tern_http_text *t, const char *name, const char *value)
{
    tern_http_put(t, name);
    tern_http_put(t, ": ");
    tern_http_put(t, value);
    tern_http_put(t, "\r\n");
}

static void put_number_field(struct tern_http_text *t, const char *name, uint64_t value)
{
    tern_http_put(t, name);
    tern_http_put(t, ": ");
    tern_http_put_number(t, value);
    tern_http_put(t, "\r\n");
}

static void head_begin(struct tern_http_site *site, struct tern_http_answer *a, int status)
{
    if (site->date_of != site->wall) {
        site->date_of = site->wall;
        tern_http_date_text(site->wall, site->date);
    }
    a->status = status;
    a->body_bytes = 0;
    tern_http_put(&a->text, "HTTP/1.1 ");
    tern_http_put_number(&a->text, (uint64_t)status);
    tern_http_put(&a->text, " ");
    tern_http_put(&a->text, tern_http_reason(status));
    tern_http_put(&a->text, "\r\nServer: tern/" TERN_VERSION "\r\n");
    put_field(&a->text, "Date", site->date);
}

static void add_piece(struct tern_http_answer *a, bool file, uint64_t at, uint64_t bytes)
{
    if (bytes > 0)
        a->piece[a->pieces++] = (struct tern_http_piece){file, at, bytes};
}

/* The head is whole. RFC 9112 §9.3: silence means what the client's version takes for granted. */
static void head_end(struct tern_http_answer *a, const struct tern_http_request *request)
{
    if (a->close)
        tern_http_put(&a->text, "Connection: close\r\n");
    else if (request != NULL && request->minor == 0)
        tern_http_put(&a->text, "Connection: keep-alive\r\n");
    tern_http_put(&a->text, "\r\n");
    add_piece(a, false, 0, a->text.bytes);
}

static bool is_head(const struct tern_http_request *request)
{
    return request != NULL && request->method == TERN_HTTP_HEAD;
}

/* ---- pages ---- */

/* A page as body; fields: whole lines for the head, or "". */
static void answer_page(struct tern_http_site *site, const struct tern_http_request *request,
                        int status, const char *fields, struct tern_http_text *page,
                        struct tern_http_answer *a)
{
    a->text.failed = a->text.failed || page->failed;
    head_begin(site, a, status);
    tern_http_put(&a->text, fields);
    put_field(&a->text, "Content-Type", HTML);
    put_number_field(&a->text, "Content-Length", page->bytes);
    head_end(a, request);
    if (is_head(request) || page->failed)
        return;
    add_piece(a, false, a->text.bytes, page->bytes);
    a->body_bytes = page->bytes;
    tern_http_put_bytes(&a->text, page->data, page->bytes);
}

static void answer_status(struct tern_http_site *site, const struct tern_http_request *request,
                          int status, const char *fields, struct tern_http_answer *a)
{
    struct tern_http_text page = {.data = NULL};

    tern_http_page_status(&page, status);
    answer_page(site, request, status, fields, &page, a);
    tern_http_text_fini(&page);
}

void tern_http_refuse(struct tern_http_site *site, int status, struct tern_http_answer *a)
{
    a->close = true;
    answer_status(site, NULL, status, status == 503 ? "Retry-After: 5\r\n" : "", a);
}

static void answer_options(struct tern_http_site *site, const struct tern_http_request *request,
                           struct tern_http_answer *a)
{
    head_begin(site, a, 204);
    tern_http_put(&a->text, ALLOW);
    head_end(a, request);
}

/* ---- files ---- */

static char *put_hex(char *at, uint64_t value)
{
    int shift = 60;

    while (shift > 0 && value >> shift == 0)
        shift -= 4;
    for (; shift >= 0; shift -= 4)
        *at++ = "0123456789abcdef"[value >> shift & 15];
    return at;
}

static void validators_of(const struct tern_http_site *site, const struct tern_http_file *file,
                          struct tern_http_validators *out)
{
    char *at = out->etag;

    if (file->modified >= site->wall - YOUNG_SECONDS) {
        *at++ = 'W';
        *at++ = '/';
    }
    *at++ = '"';
    at = put_hex(at, (uint64_t)file->modified * 1000000000u + file->modified_ns);
    *at++ = '-';
    at = put_hex(at, file->bytes);
    *at++ = '-';
    at = put_hex(at, file->inode);
    *at++ = '"';
    *at = '\0';
    out->modified = file->modified;
}

static void put_validators(struct tern_http_text *t, const struct tern_http_validators *v)
{
    char date[TERN_HTTP_DATE_BYTES + 1] = {0};

    tern_http_date_text(v->modified, date);
    put_field(t, "Last-Modified", date);
    put_field(t, "ETag", v->etag);
}

static void put_content_range(struct tern_http_text *t, struct tern_http_range range,
                              uint64_t file_bytes)
{
    tern_http_put(t, "Content-Range: bytes ");
    tern_http_put_number(t, range.at);
    tern_http_put(t, "-");
    tern_http_put_number(t, range.at + range.bytes - 1);
    tern_http_put(t, "/");
    tern_http_put_number(t, file_bytes);
    tern_http_put(t, "\r\n");
}

struct file_answer {
    const struct tern_http_request *request;
    const char *type;
    struct tern_http_validators validators;
    struct tern_http_range range[TERN_HTTP_RANGES_MAX];
    size_t ranges;
};

/* 200, or 206 with one range. */
static void answer_piece(struct tern_http_site *site, const struct file_answer *f,
                         struct tern_http_answer *a)
{
    struct tern_http_range whole = {0, a->file.bytes};
    struct tern_http_range range = f->ranges == 1 ? f->range[0] : whole;

    head_begin(site, a, f->ranges == 1 ? 206 : 200);
    put_field(&a->text, "Content-Type", f->type);
    put_number_field(&a->text, "Content-Length", range.bytes);
    put_validators(&a->text, &f->validators);
    if (f->ranges == 1)
        put_content_range(&a->text, range, a->file.bytes);
    else
        put_field(&a->text, "Accept-Ranges", "bytes");
    head_end(a, f->request);
    if (is_head(f->request))
        return;
    add_piece(a, true, range.at, range.bytes);
    a->body_bytes = range.bytes;
}

/* What stands before a part, and after the last one (RFC 2046 §5.1.1). */
static void put_part(const struct tern_http_site *site, const struct file_answer *f, size_t i,
                     uint64_t file_bytes, struct tern_http_text *t)
{
    tern_http_put(t, i == 0 ? "--" : "\r\n--");
    tern_http_put(t, site->boundary);
    tern_http_put(t, i == f->ranges ? "--\r\n" : "\r\n");
    if (i == f->ranges)
        return;
    put_field(t, "Content-Type", f->type);
    put_content_range(t, f->range[i], file_bytes);
    tern_http_put(t, "\r\n");
}

/* 206 with several ranges (RFC 9110 §14.6). */
static void answer_parts(struct tern_http_site *site, const struct file_answer *f,
                         struct tern_http_answer *a)
{
    struct tern_http_text parts = {.data = NULL};
    size_t end[TERN_HTTP_RANGES_MAX + 1], begin = 0, at, i;

    a->body_bytes = 0;
    for (i = 0; i <= f->ranges; i++) {
        put_part(site, f, i, a->file.bytes, &parts);
        end[i] = parts.bytes;
    }
    head_begin(site, a, 206);
    tern_http_put(&a->text, "Content-Type: multipart/byteranges; boundary=");
    tern_http_put(&a->text, site->boundary);
    tern_http_put(&a->text, "\r\n");
    for (i = 0; i < f->ranges; i++)
        a->body_bytes += f->range[i].bytes;
    a->body_bytes += parts.bytes;
    put_number_field(&a->text, "Content-Length", a->body_bytes);
    put_validators(&a->text, &f->validators);
    head_end(a, f->request);
    at = a->text.bytes;
    tern_http_put_bytes(&a->text, parts.data, parts.bytes);
    for (i = 0; i <= f->ranges; begin = end[i++]) {
        add_piece(a, false, at + begin, end[i] - begin);
        if (i < f->ranges)
            add_piece(a, true, f->range[i].at, f->range[i].bytes);
    }
    a->text.failed = a->text.failed || parts.failed;
    tern_http_text_fini(&parts);
}

static void answer_outside(struct tern_http_site *site, const struct tern_http_request *request,
                           struct tern_http_answer *a)
{
    struct tern_http_text field = {.data = NULL};

    tern_http_put(&field, "Content-Range: bytes */");
    tern_http_put_number(&field, a->file.bytes);
    tern_http_put_bytes(&field, "\r\n", sizeof "\r\n");
    answer_status(site, request, 416, field.failed ? "" : field.data, a);
    tern_http_text_fini(&field);
}

/* RFC 9110 §15.4.5: what a 200 would have told of the copy, and no body. */
static void answer_not_modified(struct tern_http_site *site, const struct file_answer *f,
                                struct tern_http_answer *a)
{
    head_begin(site, a, 304);
    put_validators(&a->text, &f->validators);
    head_end(a, f->request);
}

/* RFC 9110 §14.2: Range is for GET, and after the conditions. */
static enum tern_http_range_verdict ranges_of(const struct tern_http_site *site,
                                              struct file_answer *f, uint64_t file_bytes)
{
    const struct tern_http_request *request = f->request;

    if (request->method != TERN_HTTP_GET || request->field_times[TERN_HTTP_RANGE] != 1 ||
        !tern_http_if_range(request, &f->validators, site->wall))
        return TERN_HTTP_RANGE_WHOLE;
    return tern_http_ranges(request->field[TERN_HTTP_RANGE], file_bytes, f->range, &f->ranges);
}

static void answer_file(struct tern_http_site *site, const struct tern_http_request *request,
                        const char *name, struct tern_http_answer *a)
{
    struct file_answer f = {.request = request, .type = tern_http_type(&site->types, name)};
    enum tern_http_condition condition;

    validators_of(site, &a->file, &f.validators);
    condition = tern_http_conditions(request, &f.validators, site->wall);
    if (condition == TERN_HTTP_FAILED) {
        answer_status(site, request, 412, "", a);
        return;
    }
    if (condition == TERN_HTTP_NOT_MODIFIED) {
        answer_not_modified(site, &f, a);
        return;
    }
    switch (ranges_of(site, &f, a->file.bytes)) {
    case TERN_HTTP_RANGE_OUTSIDE:
        answer_outside(site, request, a);
        return;
    case TERN_HTTP_RANGE_PARTS:
        break;
    case TERN_HTTP_RANGE_WHOLE:
        f.ranges = 0;
        break;
    }
    if (f.ranges > 1)
        answer_parts(site, &f, a);
    else
        answer_piece(site, &f, a);
}

/* ---- directories ---- */

/* The same path with a slash; the query as it came, but for bytes that no head may hold. */
static void answer_moved(struct tern_http_site *site, const struct tern_http_request *request,
                         const struct tern_http_path *path, struct tern_http_answer *a)
{
    struct tern_http_text field = {.data = NULL};
    const char *query = request->target + path->query_at;

    tern_http_put(&field, "Location: /");
    tern_http_put_path(&field, path->name);
    tern_http_put(&field, "/");
    for (; *query > 0x20 && *query < 0x7f; query++)
        tern_http_put_bytes(&field, query, 1);
    tern_http_put_bytes(&field, "\r\n", sizeof "\r\n");
    answer_status(site, request, 301, field.failed ? "" : field.data, a);
    tern_http_text_fini(&field);
}

static void answer_listing(struct tern_http_site *site, const struct tern_http_request *request,
                           const char *name, struct tern_http_answer *a)
{
    struct tern_http_text page = {.data = NULL};
    struct tern_http_entry *entries;
    size_t count;
    bool more;

    if (!tern_http_entries(site->root, name, site->dotfiles, &entries, &count, &more)) {
        answer_status(site, request, 503, "", a);
        return;
    }
    tern_http_listing(&page, strcmp(name, ".") == 0 ? "" : name, entries, count, more);
    tern_http_entries_free(entries, count);
    answer_page(site, request, 200, "", &page, a);
    tern_http_text_fini(&page);
}

static int status_of(enum tern_http_open verdict)
{
    switch (verdict) {
    case TERN_HTTP_OPEN_OK:
        return 200;
    case TERN_HTTP_OPEN_NONE:
        return 404;
    case TERN_HTTP_OPEN_FORBIDDEN:
        return 403;
    case TERN_HTTP_OPEN_BUSY:
        return 503;
    case TERN_HTTP_OPEN_FAILED:
        break;
    }
    return 500;
}

/* The directory's own page, or a listing. a->file is the directory. */
static void answer_directory(struct tern_http_site *site, const struct tern_http_request *request,
                             const struct tern_http_path *path, struct tern_http_answer *a)
{
    char name[TERN_HTTP_PATH_MAX + sizeof INDEX];
    size_t length = strlen(path->name);
    enum tern_http_open verdict;

    (void)close(a->file.fd);
    memcpy(name, path->name, length);
    name[length] = '/';
    memcpy(name + length + 1, INDEX, sizeof INDEX);
    verdict = tern_http_file_open(site->root, name, &a->file);
    if (verdict == TERN_HTTP_OPEN_OK && !a->file.is_directory)
        answer_file(site, request, name, a);
    else if (verdict != TERN_HTTP_OPEN_OK && verdict != TERN_HTTP_OPEN_NONE)
        answer_status(site, request, status_of(verdict), "", a);
    else if (site->listing)
        answer_listing(site, request, path->name, a);
    else
        answer_status(site, request, 403, "", a);
}

static void answer_path(struct tern_http_site *site, const struct tern_http_request *request,
                        struct tern_http_answer *a)
{
    struct tern_http_path path;
    enum tern_http_path_verdict judged = tern_http_path(request->target, site->dotfiles, &path);
    enum tern_http_open verdict;

    if (judged != TERN_HTTP_PATH_OK) {
        answer_status(site, request, judged == TERN_HTTP_PATH_BAD ? 400 : 404, "", a);
        return;
    }
    verdict = tern_http_file_open(site->root, path.name, &a->file);
    if (verdict == TERN_HTTP_OPEN_OK && path.slash && !a->file.is_directory)
        verdict = TERN_HTTP_OPEN_NONE;
    if (verdict != TERN_HTTP_OPEN_OK)
        answer_status(site, request, status_of(verdict), "", a);
    else if (!a->file.is_directory)
        answer_file(site, request, path.name, a);
    else if (!path.slash)
        answer_moved(site, request, &path, a);
    else
        answer_directory(site, request, &path, a);
}

void tern_http_answer(struct tern_http_site *site, const struct tern_http_request *request,
                      bool close, struct tern_http_answer *a)
{
    const char *expect = request->field[TERN_HTTP_EXPECT];

    a->close = close;
    if (expect != NULL && strcasecmp(expect, "100-continue") != 0)
        answer_status(site, request, 417, "", a);
    else if (request->method == TERN_HTTP_OTHER)
        answer_status(site, request, 405, ALLOW, a);
    else if (request->method == TERN_HTTP_OPTIONS)
        answer_options(site, request, a);
    else
        answer_path(site, request, a);
}
