/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * RFC 9110 §13.2.2: If-Match, or without it If-Unmodified-Since; then If-None-Match, or without it
 * If-Modified-Since; then If-Range. A tag beats a date. A date that is none, or comes twice, is as
 * if it were absent (§13.1.3, §13.1.4); a list of tags counts as far as it can be read.
 */
#include "apps/http_conditions.h"

#include <string.h>

#include "apps/http_date.h"

/* The next tag of a list (RFC 9110 §8.8.3, §5.6.1): false at its end, or where it is malformed. */
static bool next_tag(const char **at, const char **tag, size_t *bytes)
{
    const char *p = *at + strspn(*at, " \t,");
    const char *open = strncmp(p, "W/", 2) == 0 ? p + 2 : p;
    const char *close = *open == '"' ? strchr(open + 1, '"') : NULL;

    if (close == NULL)
        return false;
    *tag = p;
    *bytes = (size_t)(close + 1 - p);
    *at = close + 1;
    return true;
}

static bool is_weak(const char *tag)
{
    return strncmp(tag, "W/", 2) == 0;
}

/* RFC 9110 §8.8.3.2 */
static bool tags_match(const char *tag, size_t bytes, const char *own, bool strong)
{
    if (strong && (is_weak(tag) || is_weak(own)))
        return false;
    if (is_weak(tag)) {
        tag += 2;
        bytes -= 2;
    }
    own += is_weak(own) ? 2 : 0;
    return strlen(own) == bytes && memcmp(own, tag, bytes) == 0;
}

static bool list_matches(const char *list, const char *own, bool strong)
{
    const char *tag;
    size_t bytes;

    if (strcmp(list, "*") == 0)
        return true;
    while (next_tag(&list, &tag, &bytes))
        if (tags_match(tag, bytes, own, strong))
            return true;
    return false;
}

/* A field that is one date. */
static bool date_of(const struct tern_http_request *request, enum tern_http_field field,
                    int64_t wall, int64_t *out)
{
    return request->field_times[field] == 1 &&
           tern_http_date_parse(request->field[field], wall, out);
}

static bool may_go_on(const struct tern_http_request *request,
                      const struct tern_http_validators *file, int64_t wall)
{
    const char *match = request->field[TERN_HTTP_IF_MATCH];
    int64_t since;

    if (match != NULL)
        return list_matches(match, file->etag, true);
    if (date_of(request, TERN_HTTP_IF_UNMODIFIED_SINCE, wall, &since))
        return file->modified <= since;
    return true;
}

static bool is_unmodified(const struct tern_http_request *request,
                          const struct tern_http_validators *file, int64_t wall)
{
    const char *none = request->field[TERN_HTTP_IF_NONE_MATCH];
    int64_t since;

    if (none != NULL)
        return list_matches(none, file->etag, false);
    if (date_of(request, TERN_HTTP_IF_MODIFIED_SINCE, wall, &since))
        return file->modified <= since;
    return false;
}

enum tern_http_condition tern_http_conditions(const struct tern_http_request *request,
                                              const struct tern_http_validators *file, int64_t wall)
{
    if (!may_go_on(request, file, wall))
        return TERN_HTTP_FAILED;
    return is_unmodified(request, file, wall) ? TERN_HTTP_NOT_MODIFIED : TERN_HTTP_GO_ON;
}

bool tern_http_if_range(const struct tern_http_request *request,
                        const struct tern_http_validators *file, int64_t wall)
{
    const char *field = request->field[TERN_HTTP_IF_RANGE];
    int64_t date;

    if (field == NULL)
        return true;
    if (request->field_times[TERN_HTTP_IF_RANGE] != 1)
        return false;
    if (field[0] == '"' || is_weak(field))
        return tags_match(field, strlen(field), file->etag, true);
    /* §13.1.5: the exact date, and only where it is a strong one (§8.8.2.2), as the tag then is */
    return tern_http_date_parse(field, wall, &date) && date == file->modified &&
           !is_weak(file->etag);
}
