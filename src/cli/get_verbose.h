/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_CLI_GET_VERBOSE_H
#define TERN_CLI_GET_VERBOSE_H
/* -v in curl's manner: '> ' and '< ' lines as they are, '* ' lines without those about the SOCKS
 * way. */
#include <curl/curl.h>
#include <stdbool.h>

#define TERN_TLS_PART_MAX 160

struct get_verbose {
    char tls[TERN_TLS_PART_MAX], alpn[TERN_TLS_PART_MAX], subject[TERN_TLS_PART_MAX];
};

/* CURLOPT_DEBUGFUNCTION; user is a struct get_verbose. */
int tern_get_verbose(CURL *easy, curl_infotype kind, char *data, size_t bytes, void *user);
/* What a '* ' line of libcurl's becomes: itself, another line in out, or NULL: nothing. */
const char *tern_get_verbose_text(struct get_verbose *state, const char *line, char *out,
                                  size_t bytes);

#endif
