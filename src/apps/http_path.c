/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From target to path, RFC 9112 §3.2: origin-form, and absolute-form whose scheme and host are
 * skipped. The path is decoded once, then judged segment by segment, so that no spelling gets past:
 * a segment . or .. is refused whoever coded it how; a slash that was coded (%2f) and a NUL cannot
 * be part of a name. Empty segments ("//") are passed over, as the kernel does. A backslash is a
 * letter like others. What is left goes to openat2(), which is the judge of all that lies on disk
 * (http_file.c): neither trusts the other.
 */
#include "apps/http_path.h"

#include <string.h>
#include <strings.h>

static int hex_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* The byte at *at, decoded; *at moves past it. -1: a '%' without two digits. */
static int decode(const char *target, size_t *at)
{
    int high, low;

    if (target[*at] != '%')
        return (unsigned char)target[(*at)++];
    high = hex_of(target[*at + 1]);
    low = high < 0 ? -1 : hex_of(target[*at + 2]);
    if (low < 0)
        return -1;
    *at += 3;
    return high * 16 + low;
}

/* Where the path begins; false: the target is neither of the two forms. */
static bool find_path(const char *target, size_t *at)
{
    size_t scheme = strncasecmp(target, "http://", 7) == 0    ? 7
                    : strncasecmp(target, "https://", 8) == 0 ? 8
                                                              : 0;

    *at = scheme == 0 ? 0 : scheme + strcspn(target + scheme, "/?#");
    return scheme > 0 || target[0] == '/';
}

static bool is_dots(const char *segment, size_t bytes)
{
    return (bytes == 1 && segment[0] == '.') ||
           (bytes == 2 && segment[0] == '.' && segment[1] == '.');
}

/* A segment is over: out->name from `from` to `end`. */
static enum tern_http_path_verdict judge(const struct tern_http_path *out, size_t from, size_t end,
                                         bool dotfiles)
{
    if (is_dots(out->name + from, end - from))
        return TERN_HTTP_PATH_BAD;
    if (end > from && out->name[from] == '.' && !dotfiles)
        return TERN_HTTP_PATH_NONE;
    return TERN_HTTP_PATH_OK;
}

/* Decode into name, with one slash between segments; *length: of the name. */
static enum tern_http_path_verdict decode_all(const char *target, size_t at, bool dotfiles,
                                              struct tern_http_path *out, size_t *length)
{
    enum tern_http_path_verdict verdict = TERN_HTTP_PATH_OK;
    size_t end = 0, from = 0;

    while (target[at] != '\0' && target[at] != '?' && target[at] != '#') {
        bool slash = target[at] == '/';
        int byte = decode(target, &at);

        if (byte <= 0)
            return TERN_HTTP_PATH_BAD;
        if (byte == '/' && !slash)
            verdict = TERN_HTTP_PATH_NONE;
        out->slash = slash;
        if (slash && end == from)
            continue;
        if (slash && judge(out, from, end, dotfiles) == TERN_HTTP_PATH_BAD)
            return TERN_HTTP_PATH_BAD;
        if (slash && judge(out, from, end, dotfiles) == TERN_HTTP_PATH_NONE)
            verdict = TERN_HTTP_PATH_NONE;
        if (end + 1 >= sizeof out->name)
            return TERN_HTTP_PATH_NONE;
        out->name[end++] = (char)byte;
        if (slash)
            from = end;
    }
    out->query_at = at;
    *length = end;
    if (judge(out, from, end, dotfiles) != TERN_HTTP_PATH_OK)
        return judge(out, from, end, dotfiles);
    return verdict;
}

enum tern_http_path_verdict tern_http_path(const char *target, bool dotfiles,
                                           struct tern_http_path *out)
{
    enum tern_http_path_verdict verdict;
    size_t length = 0;

    out->slash = false;
    if (!find_path(target, &out->path_at))
        return TERN_HTTP_PATH_BAD;
    verdict = decode_all(target, out->path_at, dotfiles, out, &length);
    if (verdict != TERN_HTTP_PATH_OK)
        return verdict;
    if (length > 0 && out->name[length - 1] == '/')
        length--;
    if (length == 0) {
        out->name[length++] = '.';
        out->slash = true; /* no path at all means the root (RFC 9110 §4.2.3) */
    }
    out->name[length] = '\0';
    return TERN_HTTP_PATH_OK;
}
