/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_APPS_HTTP_TEST_H
#define TEST_APPS_HTTP_TEST_H
/* What the tests of the HTTP server share: cmocka, and directories of their own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A fresh directory, and root opened on its part that is served: DIR/www. The directory itself
 * holds `secret`. */
struct place {
    char path[64];
    int root;
};

void place_open(struct place *p);
void place_close(struct place *p);
/* A file below DIR, with these bytes. */
void place_write(const struct place *p, const char *name, const char *data, size_t bytes);
void place_directory(const struct place *p, const char *name);
void place_link(const struct place *p, const char *name, const char *target);
/* DIR/name, in storage that lives until the next call. */
const char *place_path(const struct place *p, const char *name);

#endif
