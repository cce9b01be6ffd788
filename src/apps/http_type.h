/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_APPS_HTTP_TYPE_H
#define TERN_APPS_HTTP_TYPE_H
/* Content-Type by a file's name. */
#include <stddef.h>

struct tern_http_types {
    char *text; /* of mime.types, cut into words */
    struct tern_http_type_row {
        const char *ending, *type;
    } * row; /* sorted by ending */
    size_t count;
};

/* What the file says (NULL: /etc/mime.types) beside the built-in table; a file that cannot be read
 * leaves that alone. */
void tern_http_types_init(struct tern_http_types *types, const char *path);
void tern_http_types_fini(struct tern_http_types *types);
/* Never NULL: application/octet-stream where nothing is known. Text of the built-in table is told
 * to be UTF-8, as it is nearly everywhere. */
const char *tern_http_type(const struct tern_http_types *types, const char *name);

#endif
