/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_CLI_SERVE_OPTIONS_H
#define TERN_CLI_SERVE_OPTIONS_H
/* The command line of tern serve. */
#include "apps/http_serve.h"
#include "cli/talk.h"

struct tern_serve_options {
    struct tern_talk_options talk;
    struct tern_http_limits limits;
    const char *directory, *log; /* log NULL: standard error */
    uint16_t port;
    bool no_listing, dotfiles, quiet;
    tern_time grace; /* for transfers, after the first ^C */
};

/* 0: go on; else leave with code - 1. What is wrong was said. */
int tern_serve_parse(int argc, char **argv, struct tern_serve_options *o);

#endif
