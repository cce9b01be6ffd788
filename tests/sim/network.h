/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_SIM_NETWORK_H
#define TERN_SIM_NETWORK_H
/*
 * A network in virtual time between two stacks, made of nodes that a frame passes one after the
 * other: partition, loss, bursts of loss, a shorter MTU (with a router that tells, or a black
 * hole), a bottleneck with a queue that may mark, delay, jitter, overtaking, duplication and
 * corruption, all drawn from one seed. It copies frames, fills in their checksums and cuts
 * super-segments, with code of its own: nothing of src/, so that it can judge what it carries.
 */
#include <tern/stack.h>

struct sim_faults {
    uint32_t loss_ppm, burst_ppm, burst_frames, duplicate_ppm, corrupt_ppm, reorder_ppm;
    uint32_t ways; /* losses and the like: bit 0 for what end 0 sends, bit 1 for end 1; 0: both */
    tern_time delay, jitter;
    tern_time reorder_by;      /* so much later; 0: half the delay, and a little */
    uint64_t bytes_per_second; /* 0: no bottleneck */
    uint32_t queue_frames;     /* of the bottleneck */
    uint32_t mark_frames;      /* from so many waiting on, CE; 0: never */
    uint32_t mtu_bytes;        /* of the path, from mtu_at on; 0: as the stacks' */
    tern_time mtu_at;
    bool mtu_silent;               /* a black hole: no ICMP */
    tern_time cut_from, cut_until; /* the partition */
    uint32_t cut_ways;             /* as ways; 0: none */
};

/* X(name, what befell so many frames) */
#define SIM_TOLL_KINDS(X)                                                                          \
    X(single, "lost singly")                                                                       \
    X(burst, "lost in a burst")                                                                    \
    X(cut, "lost in a partition")                                                                  \
    X(full, "dropped by a full queue")                                                             \
    X(marked, "marked by a queue")                                                                 \
    X(too_long, "too long for the path, and the sender was told")                                  \
    X(swallowed, "too long for the path, and nobody was told")                                     \
    X(corrupted, "corrupted")                                                                      \
    X(duplicated, "duplicated")                                                                    \
    X(overtaken, "held back, for others to overtake")                                              \
    X(jittered, "delayed by jitter")

/* Of what was done to frames, for those who judge. */
struct sim_toll {
    uint64_t sent, lost, arp_lost, last_lost_at;
#define SIM_TOLL_FIELD(name, what) uint64_t name;
    SIM_TOLL_KINDS(SIM_TOLL_FIELD)
#undef SIM_TOLL_FIELD
};

struct sim_arrival {
    struct tern_frame frame;
    uint32_t tag;
    bool corrupted;
};

struct sim_network;

struct sim_network *sim_network_create(const struct sim_faults *faults, uint64_t seed);
/* As new, with the memory that it has. */
void sim_network_reset(struct sim_network *n, const struct sim_faults *faults, uint64_t seed);
void sim_network_destroy(struct sim_network *n);
/* Faults stop: from now on everything arrives. */
void sim_network_heal(struct sim_network *n);
/* A frame leaves end 0 or 1. tag comes back with what arrives of it. */
void sim_network_send(struct sim_network *n, int from, const struct tern_frame *frame, uint32_t tag,
                      tern_time now);
/* The frames that have arrived at an end by now, at most max; valid until the next call. */
int sim_network_receive(struct sim_network *n, int at, tern_time now, struct sim_arrival *out,
                        int max);
tern_time sim_network_deadline(const struct sim_network *n);
const struct sim_toll *sim_network_toll(const struct sim_network *n);

#endif
