/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_LINK_PACKET_RING_H
#define TERN_LINK_PACKET_RING_H
/*
 * A TPACKET_V2 receive ring: slots of one size, shared with the kernel, each frame behind a virtio
 * header.
 */
#include <tern/link.h>

struct tpacket2_hdr;

struct tern_packet_ring {
    uint8_t *memory; /* NULL: there is no ring */
    size_t bytes;
    uint32_t slot_bytes;
    uint32_t slots;
    uint32_t next;     /* the slot that the kernel fills next, as far as we have read */
    uint32_t consumed; /* slots before it that are not given back yet */
};

/* Slots for frames of any length (64 KiB and headers: 17 pages), and for those at most
 * TERN_PACKET_SHORT_MAX long. */
#define TERN_PACKET_SLOT_BYTES       69632u
#define TERN_PACKET_SHORT_SLOT_BYTES 8192u
#define TERN_PACKET_SHORT_MAX        (TERN_PACKET_SHORT_SLOT_BYTES - 128u)

/* At least so many slots on a socket that has its version and PACKET_VNET_HDR set; fewer where
 * memory is short. False with errno. */
bool tern_packet_ring_open(struct tern_packet_ring *ring, int fd, uint32_t slot_bytes,
                           uint32_t slots);
void tern_packet_ring_close(struct tern_packet_ring *ring);

/* Is a frame waiting? */
bool tern_packet_ring_ready(const struct tern_packet_ring *ring);
/* When the waiting frame came, in nanoseconds of the kernel's clock. */
uint64_t tern_packet_ring_time(const struct tern_packet_ring *ring);

enum tern_packet_verdict { TERN_PACKET_TAKE, TERN_PACKET_SKIP, TERN_PACKET_DROP };
/* Describe the waiting frame and step behind it. SKIP: it is not for us; DROP: it is cut, or of a
 * kind that cannot be passed on. */
enum tern_packet_verdict tern_packet_ring_read(struct tern_packet_ring *ring,
                                               struct tern_frame *out);
/* Give back every slot stepped over. */
void tern_packet_ring_give(struct tern_packet_ring *ring);

#endif
