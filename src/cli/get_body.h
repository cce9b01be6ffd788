/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_CLI_GET_BODY_H
#define TERN_CLI_GET_BODY_H
/* The arguments of -d and its kin. */
#include "cli/get_options.h"

enum get_body_kind {
    GET_BODY_TEXT,   /* -d: @FILE without its line ends */
    GET_BODY_BINARY, /* --data-binary: @FILE as it is */
    GET_BODY_RAW,    /* --data-raw: @ means nothing */
};

/* Append one argument, after an '&' where something was there. 0, or 2 with a line on standard
 * error (26, curl's "read error", where a file cannot be read). */
int tern_get_body_add(struct get_options *options, const char *argument, enum get_body_kind kind);
/* A whole file ("-": standard input) with a NUL after it, to be freed; NULL with errno. */
char *tern_get_slurp(const char *path, size_t *bytes);

#endif
