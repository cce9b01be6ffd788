/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_LINK_PACKET_FILTER_H
#define TERN_LINK_PACKET_FILTER_H
/* The classic BPF program in front of a packet socket. */
#include <linux/filter.h>

#include <tern/link.h>

#include "link/packet_steer.h"

/* ARP_ONLY: of any length, and nothing but ARP. */
enum tern_packet_lengths {
    TERN_PACKET_ANY_LENGTH,
    TERN_PACKET_SHORT,
    TERN_PACKET_LONG,
    TERN_PACKET_ARP_ONLY,
};

/* One of several links that share an address. */
struct tern_packet_queue {
    uint32_t queue, queues;
};

/*
 * Take frames to mac or to everybody which hold ARP, or IPv4 to address; all of them where
 * address is any, or not IPv4. Of those, the ones of these lengths (packet_ring.h tells where short
 * ends). With a queue (else NULL), which takes an IPv4 address: only what is steered to it, and no
 * ARP. Returns the number of instructions.
 */
#define TERN_PACKET_FILTER_MAX (17 + TERN_PACKET_STEER_COUNT)
unsigned tern_packet_filter(struct sock_filter out[TERN_PACKET_FILTER_MAX], struct tern_mac mac,
                            struct tern_addr address, enum tern_packet_lengths lengths,
                            const struct tern_packet_queue *queue);

#endif
