/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_LINK_QUEUE_STEER_H
#define TERN_LINK_QUEUE_STEER_H
/* Which of several links that share an address a frame is for: what link/packet_steer.c has the
 * kernel compute, for frames that are in our hands. */
#include <stddef.h>
#include <stdint.h>

#define TERN_QUEUE_ALL UINT32_MAX       /* ARP: all resolve for themselves */
#define TERN_QUEUE_ANY (UINT32_MAX - 1) /* nobody's: wherever it is, it will be dropped */

/* Of a frame with its Ethernet header, the first `bytes` of it. */
uint32_t tern_queue_of(const uint8_t *frame, size_t bytes, uint32_t queues);

#endif
