/* SPDX-License-Identifier: BSD-2-Clause */
/* See pair.h. The counting is switched on and off by requests that valgrind understands, and that
 * are nothing without it. */
#include "pair.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <valgrind/callgrind.h>

#define TURN_NS     (10 * TERN_US)
#define HOLD_FRAMES 4096

void pair_fail(const char *what)
{
    (void)fprintf(stderr, "guard: %s\n", what);
    exit(1);
}

void pair_count(void)
{
    CALLGRIND_START_INSTRUMENTATION;
}

void pair_enter(const struct pair_side *side)
{
    if (side->counted)
        CALLGRIND_TOGGLE_COLLECT;
}

void pair_leave(const struct pair_side *side)
{
    if (side->counted)
        CALLGRIND_TOGGLE_COLLECT;
}

struct tern_endpoint pair_far(uint16_t port)
{
    return (struct tern_endpoint){tern_addr_v4(10, 0, 0, 2), port};
}

static void side_open(struct pair_side *side, struct tern_link *link, uint8_t last,
                      const struct pair_options *options, tern_time now)
{
    const struct tern_cidr own = {tern_addr_v4(10, 0, 0, last), 24};
    struct tern_config config;

    tern_config_defaults(&config);
    memset(config.seed, last, sizeof config.seed);
    config.link = link->info;
    config.connections_max = options->connections_max;
    config.send_buffer_bytes = config.receive_buffer_bytes = 1u << 20;
    side->link = link;
    side->memory_bytes = tern_stack_bytes(&config);
    side->memory = mmap(NULL, side->memory_bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (side->memory_bytes == 0 || side->memory == MAP_FAILED)
        pair_fail("no memory for a stack");
    if (tern_stack_init(side->memory, side->memory_bytes, &config, now, &side->stack) !=
        TERN_ERR_OK)
        pair_fail("a stack cannot be laid out");
    if (tern_stack_address_add(side->stack, &own, TERN_CLAIM_NONE) != TERN_ERR_OK)
        pair_fail("an address is refused");
}

void pair_open(struct pair *pair, const struct pair_options *options)
{
    const struct tern_link_mem_options cable = {
        .mtu_bytes = 1500,
        .offloads = options->offloads ? TERN_OFFLOAD_CSUM_TX | TERN_OFFLOAD_TSO4 : 0,
        .hold_frames = options->offloads ? HOLD_FRAMES / 16 : HOLD_FRAMES,
        .mac = {{{2, 0, 0, 0, 0, 1}}, {{2, 0, 0, 0, 0, 2}}},
    };
    struct tern_link *end[2];

    memset(pair, 0, sizeof *pair);
    pair->now = TERN_SECOND;
    if (tern_link_mem_open(&cable, end) != TERN_ERR_OK)
        pair_fail("no cable");
    for (int i = 0; i < 2; i++)
        side_open(&pair->side[i], end[i], (uint8_t)(i + 1), options, pair->now);
    for (int i = 0; i < 10; i++)
        pair_turn(pair);
}

void pair_close(struct pair *pair)
{
    for (int i = 0; i < 2; i++) {
        pair->side[i].link->ops->close(pair->side[i].link);
        (void)munmap(pair->side[i].memory, pair->side[i].memory_bytes);
    }
}

/* What arrived, and what the application makes of it. */
static bool side_in(struct pair_side *side, tern_time now)
{
    struct tern_frame frames[TERN_BURST_MAX];
    struct tern_event event;
    int n = side->link->ops->receive(side->link, now, frames, TERN_BURST_MAX);
    bool moved = n > 0;

    pair_enter(side);
    if (n > 0 && side->borrows)
        tern_stack_input_borrowed(side->stack, frames, n, now);
    else if (n > 0)
        tern_stack_input(side->stack, frames, n, now);
    if (tern_stack_deadline(side->stack) <= now) {
        tern_stack_expire(side->stack, now);
        moved = true;
    }
    while (tern_stack_event(side->stack, &event))
        if (side->hear != NULL)
            side->hear(side, &event);
    if (n > 0 && side->borrows)
        tern_stack_settle(side->stack);
    pair_leave(side);
    side->link->ops->release(side->link);
    return moved;
}

static bool side_out(struct pair_side *side, tern_time now)
{
    struct tern_frame frames[TERN_BURST_MAX];
    int n;

    pair_enter(side);
    n = tern_stack_output(side->stack, frames, TERN_BURST_MAX, now);
    pair_leave(side);
    if (n > 0 && side->link->ops->transmit(side->link, now, frames, n) != n)
        pair_fail("the cable is full");
    return n > 0;
}

void pair_turn(struct pair *pair)
{
    bool moved = false;
    tern_time next = TERN_TIME_NEVER;

    pair->now += TURN_NS;
    for (int i = 0; i < 2; i++) {
        moved |= side_in(&pair->side[i], pair->now);
        moved |= side_out(&pair->side[i], pair->now);
    }
    if (moved)
        return;
    for (int i = 0; i < 2; i++)
        if (tern_stack_deadline(pair->side[i].stack) < next)
            next = tern_stack_deadline(pair->side[i].stack);
    if (next != TERN_TIME_NEVER && next > pair->now)
        pair->now = next;
}
