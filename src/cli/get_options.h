/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_CLI_GET_OPTIONS_H
#define TERN_CLI_GET_OPTIONS_H
/* The command line of `tern get`: curl's flags, and those that all talking verbs share. */
#include <curl/curl.h>

#include "apps/socks.h"
#include "cli/talk.h"

/* One URL with what belongs to it: the n-th -o or -O and the n-th -T go with the n-th URL. */
struct get_item {
    const char *url;
    const char *output; /* NULL: standard output, or remote_name */
    bool remote_name;   /* -O */
    const char *upload; /* -T; "-": standard input */
};

struct get_options {
    struct tern_talk_options talk;
    struct get_item *items;
    int items_count; /* some may lack a URL until all is parsed */
    int outputs_count, uploads_count, urls_count;

    bool location, head, include, silent, show_error, fail, fail_with_body, insecure, compressed;
    bool create_dirs, bar, no_meter, ipv6, as_get, retry_connrefused, retry_all, help;
    const char *method, *range, *agent, *cookie, *cookie_jar, *referer, *user, *write_out;
    const char *cacert, *capath, *cert, *key, *output_dir, *dump_header;
    long max_redirs, retry, http_version, tls_version;
    long max_ms, connect_ms, retry_delay_ms;
    curl_off_t limit_rate;
    bool resume, resume_auto;
    curl_off_t resume_from;
    struct curl_slist *headers;
    char *body; /* -d, all of them joined */
    size_t body_bytes;
    bool has_body;
    struct tern_socks_override *overrides; /* --resolve */
};

/*
 * Read the command line. Returns 0, or the exit code after one line on standard error (2, curl's
 * own for flags that it does not know; 6 for -6). options->help: only --help was asked for. Call
 * tern_get_options_free() in any case. The strings stay argv's.
 */
int tern_get_options_parse(struct get_options *options, int argc, char **argv);
void tern_get_options_free(struct get_options *options);

extern const char tern_get_help[];

#endif
