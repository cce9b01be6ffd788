/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The classic BPF program in front of a packet socket. It keeps frames that are not ours out of
 * the ring, so that a busy network cannot fill it, and is locked once set.
 *
 * The hardware has taken any 802.1Q tag out of the frame before the filter sees it; packet.c leaves
 * tagged frames alone.
 */
#include "link/packet_filter.h"

#include "base/assert.h"
#include "base/bytes.h"
#include "link/packet_ring.h"

enum {
    OFF_DST = 0,
    OFF_DST_END = 4,
    OFF_TYPE = 12,
    OFF_IP = 14,
    OFF_IP_DST = 30,
    TYPE_ARP = 0x0806,
    TYPE_IPV4 = 0x0800,
    TAKE_ALL = 0x40000,
};

/* Where the jumps lead: the program is short enough to be laid out by hand. With a queue there
 * stand, at AT_OURS, what computes the packet's and a comparison. */
enum {
    AT_BROADCAST = 4,
    AT_TYPE = 7,
    AT_OURS = 12,
    STEER_COUNT = TERN_PACKET_STEER_COUNT + 1,
    LENGTH_COUNT = 2,
    PROGRAM_COUNT = AT_OURS + LENGTH_COUNT + 2,
};

_Static_assert(PROGRAM_COUNT + STEER_COUNT <= TERN_PACKET_FILTER_MAX, "the program fits");

static struct sock_filter load(uint16_t width, uint32_t offset)
{
    return (struct sock_filter){.code = (uint16_t)(BPF_LD | BPF_ABS | width), .k = offset};
}

/* At instruction `at`: go to yes or no, both further on. */
static struct sock_filter equals(unsigned at, uint32_t value, unsigned yes, unsigned no)
{
    TERN_ASSERT(yes > at);
    TERN_ASSERT(no > at);
    return (struct sock_filter){.code = BPF_JMP | BPF_JEQ | BPF_K,
                                .k = value,
                                .jt = (uint8_t)(yes - at - 1),
                                .jf = (uint8_t)(no - at - 1)};
}

/* At instruction `at`: go to over where the value is greater, else to not_over. */
static struct sock_filter greater(unsigned at, uint32_t value, unsigned over, unsigned not_over)
{
    struct sock_filter jump = equals(at, value, over, not_over);

    jump.code = BPF_JMP | BPF_JGT | BPF_K;
    return jump;
}

static struct sock_filter go(unsigned at, unsigned to)
{
    return (struct sock_filter){.code = BPF_JMP | BPF_JA, .k = to - at - 1};
}

static struct sock_filter load_length(void)
{
    return (struct sock_filter){.code = BPF_LD | BPF_W | BPF_LEN};
}

static struct sock_filter answer(uint32_t bytes)
{
    return (struct sock_filter){.code = BPF_RET | BPF_K, .k = bytes};
}

static struct sock_filter judge_length(enum tern_packet_lengths lengths, unsigned at)
{
    const unsigned take = at + 1, drop = at + 2;

    switch (lengths) {
    case TERN_PACKET_SHORT:
        return greater(at, TERN_PACKET_SHORT_MAX, drop, take);
    case TERN_PACKET_LONG:
        return greater(at, TERN_PACKET_SHORT_MAX, take, drop);
    case TERN_PACKET_ANY_LENGTH:
    case TERN_PACKET_ARP_ONLY:
        break;
    }
    return go(at, take);
}

unsigned tern_packet_filter(struct sock_filter out[TERN_PACKET_FILTER_MAX], struct tern_mac mac,
                            struct tern_addr address, enum tern_packet_lengths lengths,
                            const struct tern_packet_queue *queue)
{
    const bool everything = !tern_addr_is_v4(address) || tern_addr_is_any(address);
    const bool arp_only = lengths == TERN_PACKET_ARP_ONLY;
    const unsigned length = AT_OURS + (queue != NULL ? STEER_COUNT : 0);
    const unsigned drop = length + LENGTH_COUNT + 1;

    out[0] = load(BPF_W, OFF_DST);
    out[1] = equals(1, tern_get_be32(mac.b), 2, AT_BROADCAST);
    out[2] = load(BPF_H, OFF_DST_END);
    out[3] = equals(3, tern_get_be16(mac.b + 4), AT_TYPE, drop);
    out[4] = equals(4, 0xffffffff, 5, drop);
    out[5] = load(BPF_H, OFF_DST_END);
    out[6] = equals(6, 0xffff, AT_TYPE, drop);
    out[7] = load(BPF_H, OFF_TYPE);
    out[8] = equals(8, TYPE_ARP, queue != NULL ? drop : length, 9);
    out[9] = arp_only ? go(9, drop) : equals(9, TYPE_IPV4, 10, drop);
    out[10] = load(BPF_W, OFF_IP_DST);
    out[11] = equals(11, everything ? 0 : tern_addr_to_be32(address), AT_OURS, drop);
    if (queue != NULL) {
        TERN_ASSERT(!everything);
        tern_packet_steer(out + AT_OURS, OFF_IP, queue->queues);
        out[length - 1] = equals(length - 1, queue->queue, length, drop);
    }
    out[length] = load_length();
    out[length + 1] = judge_length(lengths, length + 1);
    out[drop - 1] = answer(TAKE_ALL);
    out[drop] = answer(0);
    if (everything && !arp_only)
        out[AT_TYPE] = go(AT_TYPE, length);
    return drop + 1;
}
