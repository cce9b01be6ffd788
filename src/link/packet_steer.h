/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_LINK_PACKET_STEER_H
#define TERN_LINK_PACKET_STEER_H
/* The part of a classic BPF program that tells which queue an IPv4 packet comes to. */
#include <stdint.h>

#include <linux/filter.h>

#define TERN_PACKET_STEER_COUNT 42
/* base: where the IPv4 header begins. What comes behind these instructions finds the queue in the
 * accumulator: of TCP, UDP and the ICMP errors about them that of base/steer.h; 0 for all else,
 * fragments among them. A packet that is cut short ends the program, with 0. */
void tern_packet_steer(struct sock_filter out[TERN_PACKET_STEER_COUNT], uint32_t base,
                       uint32_t queues);

#endif
