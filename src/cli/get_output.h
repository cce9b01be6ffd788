/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_CLI_GET_OUTPUT_H
#define TERN_CLI_GET_OUTPUT_H
/* Where a body goes: a file that is made when the first byte comes, or standard output. */
#include "cli/get_options.h"

struct get_output {
    char *path; /* NULL: standard output */
    int fd;     /* -1: not open yet */
    bool append, create_dirs;
    bool may_be_binary; /* the terminal was asked for by name (-o -) */
    curl_off_t size_before;
    curl_off_t written;
    char words[256]; /* what went wrong, "" if nothing */
};

/* Work out the path and, to append, the size of what is there. 0 or 23 (words). */
int tern_get_output_init(struct get_output *out, const struct get_options *options,
                         const struct get_item *item);
/* false: it could not all be written (words). */
bool tern_get_output_write(struct get_output *out, const void *data, size_t bytes);
/* Undo what was written, for another try. */
void tern_get_output_rewind(struct get_output *out);
/* The transfer ended; make an empty file where it went well and had no body. 0 or 23 (words). */
int tern_get_output_finish(struct get_output *out, bool well);
void tern_get_output_fini(struct get_output *out);

/* The last part of a URL's path, to be freed; NULL: it has none. */
char *tern_get_remote_name(const char *url);

#endif
