/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_CLI_NC_OPTIONS_H
#define TERN_CLI_NC_OPTIONS_H
/* The command line of tern nc. */
#include "cli/talk.h"

struct tern_nc_options {
    struct tern_talk_options talk;
    const char *host;
    uint16_t port, own_port;
    tern_time wait; /* 0: for ever */
    bool listen, half_close, only_connect, verbose;
};

/* 0: go on; else leave with code - 1. What is wrong was said. */
int tern_nc_parse(int argc, char **argv, struct tern_nc_options *o);

#endif
