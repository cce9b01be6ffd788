/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_APPS_HTTP_PATH_H
#define TERN_APPS_HTTP_PATH_H
/* What a request's target names, as a path below the directory that is served. Text to text. */
#include <stdbool.h>
#include <stddef.h>

#define TERN_HTTP_PATH_MAX 4096 /* as the kernel's, with its NUL */

enum tern_http_path_verdict {
    TERN_HTTP_PATH_OK,
    TERN_HTTP_PATH_BAD,  /* no path at all, or one with . or .. or a NUL in it: 400 */
    TERN_HTTP_PATH_NONE, /* nothing that is served has such a name: 404 */
};

struct tern_http_path {
    char name[TERN_HTTP_PATH_MAX]; /* decoded, "." for the root; never begins with '/' */
    bool slash;                    /* the target's path ends in one */
    size_t query_at;               /* where in the target the query begins; its length: none */
    size_t path_at;                /* where in the target the path begins */
};

/* dotfiles: names that begin with a dot are served as well. */
enum tern_http_path_verdict tern_http_path(const char *target, bool dotfiles,
                                           struct tern_http_path *out);

#endif
