/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_SIM_NETWORK_H
#define TERN_SIM_NETWORK_H
/*
 * A network in virtual time between two stacks: delay, jitter, loss, bursts of loss, duplication,
 * corruption and a bottleneck with a queue, all drawn from one seed. It copies frames, fills in
 * their checksums and cuts super-segments, with code of its own: nothing of src/link or src/wire,
 * so that it can judge what it carries.
 */
#include "base/random.h"
#include <tern/stack.h>

struct sim_faults {
    uint32_t loss_ppm, burst_ppm, burst_frames, duplicate_ppm, corrupt_ppm, reorder_ppm;
    tern_time delay, jitter;
    uint64_t bytes_per_second; /* 0: no bottleneck */
    uint32_t queue_frames;     /* of the bottleneck */
};

struct sim_network;

struct sim_network *sim_network_create(const struct sim_faults *faults, uint64_t seed);
void sim_network_destroy(struct sim_network *n);
/* Faults stop: from now on everything arrives. */
void sim_network_heal(struct sim_network *n);
/* A frame leaves end 0 or 1. */
void sim_network_send(struct sim_network *n, int from, const struct tern_frame *frame,
                      tern_time now);
/* The next frame that has arrived at an end by now; valid until the next call; false: none. */
bool sim_network_receive(struct sim_network *n, int at, tern_time now, struct tern_frame *out);
tern_time sim_network_deadline(const struct sim_network *n);

#endif
