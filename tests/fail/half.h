/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_TESTS_FAIL_HALF_H
#define TERN_TESTS_FAIL_HALF_H
/* One side of a life: a link, the loop and the stack on it, and sockets over that. */
#include "life.h"

#include <tern/socket.h>
#include <tern/tern.h>

#define HALF_TURNS_MAX 250000 /* a full link is offered frames each 50 us */
#define HALF_GONE_MAX  20
#define HALF_TURN      (200 * TERN_US)

struct half;
/* What else has to move while this side waits; false: it failed, and has told the end. */
typedef bool half_meanwhile_fn(void *user);

struct half {
    struct tern_link *link; /* until the loop has it */
    struct tern_loop *loop;
    struct tern_stack *stack;
    void *memory;
    struct tern_sockets *sockets;
    half_meanwhile_fn *meanwhile;
    void *user;
    uint32_t turns, quiet; /* quiet: those in a row without a frame */
    uint64_t frames_seen;
    bool fills_up; /* the link may be full for good: see HALF_TURNS_MAX */
    bool stubborn; /* goes on where the link is gone, for HALF_GONE_MAX turns in a row */
    uint32_t gone;
    struct life_end *end;
};

/* Each of them: false where it failed, and then the end is told. */
bool half_open(struct half *h, struct tern_link *link, const char *address, struct life_end *end);
bool half_claimed(struct half *h);
/* One turn of the loop. */
bool half_turn(struct half *h);
/* Whatever was opened is given back, link included. */
void half_close(struct half *h);

/* The first failure is the one that is told. Returns false. */
bool life_fail(struct life_end *end, const char *step, int error);
bool life_fail_errno(struct life_end *end, const char *step);
/* An error that comes with words: without them it is wrong. */
bool life_refused(struct life_end *end, const char *step, int error, const char *words);
bool life_wrong(struct life_end *end, const char *step);

/* The bytes of the transfer. */
#define LIFE_BYTES 20000
uint8_t life_byte(uint32_t at);
/* Connect there, send LIFE_BYTES, read them back, end. */
bool half_echo(struct half *h, struct tern_addr host, uint16_t port);

#endif
