/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_CLI_DRAW_H
#define TERN_CLI_DRAW_H
/* What tern draw was asked for. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DRAW_FILTER_BYTES 4096

struct draw_options {
    const char *file;
    const char *json, *svg, *html; /* where to; "-": standard output; NULL: not asked for */
    bool ladder;                   /* asked for beside the others */
    bool ascii;
    bool is_tern; /* found out on reading: the capture is tern's own */
    bool has_stream, help;
    uint32_t stream;
    size_t width; /* 0: the terminal's */
    char filter[DRAW_FILTER_BYTES];
};

/* False: it was said on standard error what is wrong. */
bool draw_parse(int argc, char **argv, struct draw_options *out);

#endif
