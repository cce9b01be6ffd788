/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_BASE_STEER_H
#define TERN_BASE_STEER_H
/*
 * Which of several queues that share an address a packet between two IPv4 endpoints comes to. It is
 * the same for both directions, so that who connects can choose a port whose answers come to him;
 * and one that a classic BPF program can compute too (link/packet_steer.c).
 *
 * The kernel's callers take each second port: without the multiplication all would meet in one of
 * two queues.
 */
#include "base/addr.h"

#define TERN_STEER_FACTOR 0x9e3779b1u /* 2^32 by the golden ratio, odd */
#define TERN_STEER_SHIFT  16

/* sum: of both addresses and both ports. */
static inline uint32_t tern_steer_sum(uint32_t sum, uint32_t queues)
{
    return ((sum * TERN_STEER_FACTOR) >> TERN_STEER_SHIFT) % queues;
}

static inline uint32_t tern_steer(const struct tern_endpoint *a, const struct tern_endpoint *b,
                                  uint32_t queues)
{
    return tern_steer_sum(
        tern_addr_to_be32(a->addr) + tern_addr_to_be32(b->addr) + a->port + b->port, queues);
}

#endif
