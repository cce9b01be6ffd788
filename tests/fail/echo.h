/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_TESTS_FAIL_ECHO_H
#define TERN_TESTS_FAIL_ECHO_H
/*
 * The other end of a life over a driver: a server of the kernel's sockets that sends everything
 * back. It moves when it is asked to, so that time can be ours. Its own calls do not fail and are
 * not counted.
 */
#include <netinet/in.h>
#include <stddef.h>

#include "life.h"

struct echo {
    int listener, conn; /* -1: none */
    struct sockaddr_in at;
    uint8_t held[4096];
    size_t held_start, held_end;
    bool done;
};

/* On a port of this machine's address. False: it could not, and has told the end. */
bool echo_open(struct echo *e, uint32_t address, struct life_end *end);
/* A half_meanwhile_fn; user: the echo. */
bool echo_turn(void *user);
/* The next caller, instead of the last. */
void echo_next(struct echo *e);
void echo_close(struct echo *e);

#endif
