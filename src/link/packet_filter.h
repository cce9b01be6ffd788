/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_LINK_PACKET_FILTER_H
#define TERN_LINK_PACKET_FILTER_H
/* The classic BPF program in front of a packet socket. */
#include <linux/filter.h>

#include <tern/link.h>

enum tern_packet_lengths { TERN_PACKET_ANY_LENGTH, TERN_PACKET_SHORT, TERN_PACKET_LONG };

/*
 * Take frames to mac or to everybody which hold ARP, or IPv4 to address; all of them where
 * address is any, or not IPv4. Of those, the ones of these lengths (packet_ring.h tells where short
 * ends). Returns the number of instructions.
 */
#define TERN_PACKET_FILTER_MAX 16
unsigned tern_packet_filter(struct sock_filter out[TERN_PACKET_FILTER_MAX], struct tern_mac mac,
                            struct tern_addr address, enum tern_packet_lengths lengths);

#endif
