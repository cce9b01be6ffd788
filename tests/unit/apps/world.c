/* SPDX-License-Identifier: BSD-2-Clause */
#include "world.h"

#define TURNS_MAX 2000000

static struct tern_loop *make_loop(struct tern_link *link, uint8_t last)
{
    const struct tern_cidr own = {tern_addr_v4(10, 0, 0, last), 24};
    struct tern_config config;
    struct tern_loop *loop = NULL;

    tern_config_defaults(&config);
    memset(config.seed, last, sizeof config.seed);
    config.send_buffer_bytes = 1u << 18;
    config.receive_buffer_bytes = 1u << 18;
    assert_int_equal(tern_loop_create(link, &config, &loop), TERN_ERR_OK);
    assert_int_equal(tern_stack_address_add(tern_loop_stack(loop), &own, TERN_CLAIM_NONE),
                     TERN_ERR_OK);
    return loop;
}

void world_open(struct world *world)
{
    const struct tern_link_mem_options options = {
        .mtu_bytes = 1500,
        .hold_frames = 256,
        .mac = {{{2, 0, 0, 0, 0, 1}}, {{2, 0, 0, 0, 0, 2}}},
    };
    struct tern_link *ends[2];

    memset(world, 0, sizeof *world);
    assert_int_equal(tern_link_mem_open(&options, ends), TERN_ERR_OK);
    world->near = make_loop(ends[0], 1);
    world->far = make_loop(ends[1], 2);
}

void world_close(struct world *world)
{
    tern_loop_destroy(world->near);
    tern_loop_destroy(world->far);
}

void world_turn(struct world *world)
{
    struct tern_event event;

    assert_int_equal(tern_process(world->near), TERN_ERR_OK);
    while (tern_stack_event(tern_loop_stack(world->near), &event))
        if (event.kind != TERN_EVENT_ADDRESS)
            tern_sink_hear(&event);
    tern_stack_check(tern_loop_stack(world->near));
    assert_int_equal(tern_process(world->far), TERN_ERR_OK);
    while (tern_stack_event(tern_loop_stack(world->far), &event))
        if (event.kind != TERN_EVENT_ADDRESS && world->far_event != NULL)
            world->far_event(world, &event);
}

void world_run(struct world *world, const bool *done)
{
    int turns;

    for (turns = 0; turns < TURNS_MAX && !*done; turns++)
        world_turn(world);
    assert_true(*done);
}

struct tern_endpoint world_far(uint16_t port)
{
    return (struct tern_endpoint){tern_addr_v4(10, 0, 0, 2), port};
}
