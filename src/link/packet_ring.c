/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading the kernel's ring. A slot belongs to whom its status word names; the word is read and
 * written with acquire and release, everything else in the slot is plain memory in between. Frames
 * are lent straight from their slots.
 *
 * Blocks are as near below 1 MiB as whole slots go (15 of 69,632 bytes, 128 of 8,192): the kernel
 * rounds a block up to a power of two, so little is wasted, and the slots follow one another
 * through the whole mapping without gaps.
 */
#include "link/packet_ring.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <linux/if_packet.h>

#include "base/assert.h"
#include "link/vnet.h"

#define BLOCK_BYTES_MAX (1u << 20)
/* The sender's address follows the slot's header, aligned to 16 (TPACKET_ALIGN). */
#define SENDER_OFFSET ((sizeof(struct tpacket2_hdr) + 15) / 16 * 16)

static bool reserve(int fd, struct tern_packet_ring *ring, uint32_t slots)
{
    uint32_t slots_a_block = BLOCK_BYTES_MAX / ring->slot_bytes;
    uint32_t blocks = (slots + slots_a_block - 1) / slots_a_block;
    struct tpacket_req req = {
        .tp_block_size = slots_a_block * ring->slot_bytes,
        .tp_block_nr = blocks,
        .tp_frame_size = ring->slot_bytes,
        .tp_frame_nr = blocks * slots_a_block,
    };

    if (setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &req, sizeof(req)) != 0)
        return false;
    ring->slots = req.tp_frame_nr;
    ring->bytes = (size_t)req.tp_block_nr * req.tp_block_size;
    return true;
}

bool tern_packet_ring_open(struct tern_packet_ring *ring, int fd, uint32_t slot_bytes,
                           uint32_t slots)
{
    void *memory;

    TERN_ASSERT(slot_bytes % 4096 == 0);
    TERN_ASSERT(slots > 0);
    *ring = (struct tern_packet_ring){.slot_bytes = slot_bytes};
    while (!reserve(fd, ring, slots)) {
        if (errno != ENOMEM || slots == 1)
            return false;
        slots /= 2;
    }
    memory = mmap(NULL, ring->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED)
        return false;
    ring->memory = memory;
    return true;
}

void tern_packet_ring_close(struct tern_packet_ring *ring)
{
    if (ring->memory != NULL)
        (void)munmap(ring->memory, ring->bytes);
    *ring = (struct tern_packet_ring){0};
}

static struct tpacket2_hdr *slot_at(const struct tern_packet_ring *ring, uint32_t index)
{
    void *slot = ring->memory + (size_t)index * ring->slot_bytes;

    return slot;
}

bool tern_packet_ring_ready(const struct tern_packet_ring *ring)
{
    const struct tpacket2_hdr *slot;

    if (ring->memory == NULL || ring->consumed == ring->slots)
        return false;
    slot = slot_at(ring, ring->next);
    return (__atomic_load_n(&slot->tp_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER) != 0;
}

uint64_t tern_packet_ring_time(const struct tern_packet_ring *ring)
{
    const struct tpacket2_hdr *slot = slot_at(ring, ring->next);

    return (uint64_t)slot->tp_sec * (uint64_t)TERN_SECOND + slot->tp_nsec;
}

static bool is_for_us(const struct tpacket2_hdr *slot)
{
    const struct sockaddr_ll *from =
        (const void *)((const uint8_t *)(const void *)slot + SENDER_OFFSET);
    bool tagged = (slot->tp_status & TP_STATUS_VLAN_VALID) != 0 && (slot->tp_vlan_tci & 0xfff) != 0;

    return from->sll_pkttype != PACKET_OUTGOING && !tagged;
}

enum tern_packet_verdict tern_packet_ring_read(struct tern_packet_ring *ring,
                                               struct tern_frame *out)
{
    const struct tpacket2_hdr *slot = slot_at(ring, ring->next);
    const uint8_t *base = (const uint8_t *)(const void *)slot;
    struct virtio_net_hdr v;

    TERN_ASSERT(ring->consumed < ring->slots);
    ring->next = ring->next + 1 == ring->slots ? 0 : ring->next + 1;
    ring->consumed++;
    if (!is_for_us(slot))
        return TERN_PACKET_SKIP;
    if (slot->tp_snaplen != slot->tp_len || slot->tp_mac < sizeof(v) ||
        slot->tp_mac + (size_t)slot->tp_snaplen > ring->slot_bytes)
        return TERN_PACKET_DROP;
    memcpy(&v, base + slot->tp_mac - sizeof(v), sizeof(v));
    *out = (struct tern_frame){.piece_count = 1, .bytes = slot->tp_snaplen};
    out->piece[0] = (struct tern_slice){.data = base + slot->tp_mac, .bytes = slot->tp_snaplen};
    return tern_vnet_to_frame(&v, out) ? TERN_PACKET_TAKE : TERN_PACKET_DROP;
}

void tern_packet_ring_give(struct tern_packet_ring *ring)
{
    uint32_t at;

    if (ring->consumed == 0)
        return;
    at = (ring->next + ring->slots - ring->consumed) % ring->slots;
    for (; ring->consumed > 0; ring->consumed--) {
        struct tpacket2_hdr *slot = slot_at(ring, at);

        __atomic_store_n(&slot->tp_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
        at = at + 1 == ring->slots ? 0 : at + 1;
    }
}
