/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_CLI_GET_CODE_H
#define TERN_CLI_GET_CODE_H
/* From libcurl's result behind the SOCKS endpoint to the one that curl gives on kernel sockets. */
#include <curl/curl.h>

#include "apps/socks.h"

#define TERN_GET_WORDS_MAX 640

struct get_end {
    CURLcode result;   /* libcurl's */
    const char *error; /* libcurl's words, or "" */
    bool asked;        /* outcome holds the newest request of this transfer */
    struct tern_socks_outcome outcome;
    bool until_close; /* the body's end was the connection's end */
};

/* The exit code; words (TERN_GET_WORDS_MAX bytes) say what failed, without prefix; "" where
 * nothing did. */
int tern_get_code(const struct get_end *end, char *words);

#endif
