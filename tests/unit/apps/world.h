/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_APPS_WORLD_H
#define TEST_APPS_WORLD_H
/*
 * Two stacks, each with its loop, joined by a cable in memory: 10.0.0.1 is ours, with the module
 * under test; 10.0.0.2 is the far end, played by the test.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <tern/tern.h>

#include "apps/sink.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct world {
    struct tern_loop *near, *far;
    void (*far_event)(struct world *world, const struct tern_event *event); /* may be NULL */
    void *far_user;
};

void world_open(struct world *world);
void world_close(struct world *world);
/* Both loops once; events of the near stack go to their sinks, of the far one to far_event. */
void world_turn(struct world *world);
/* Turns until *done; fails the test after very many. */
void world_run(struct world *world, const bool *done);
struct tern_endpoint world_far(uint16_t port);

#endif
