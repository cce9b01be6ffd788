/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_FUZZ_STACK_JUDGE_H
#define TERN_FUZZ_STACK_JUDGE_H
/*
 * Frames out, in the fuzz target of the whole stack: whole, no longer than the link takes, every
 * checksum right. What they say of a connection, the peer remembers.
 */
#include "base/assert.h"
#include "base/checksum.h"
#include "stack_calls.h"
#include "wire/arp.h"
#include "wire/eth.h"
#include "wire/icmp.h"
#include "wire/ipv4.h"

static const struct tern_mac own_mac = {{2, 0, 0, 0, 0, 1}};

static inline void judge_tcp(struct world *w, const struct tern_ipv4 *ip, tern_span body)
{
    struct tern_tcp_header h;
    tern_span text;

    TERN_ASSERT(tern_tcp_parse(body, &h, &text));
    if (!tern_addr_equal(ip->dst, host(2)))
        return;
    for (int i = 0; i < PEERS_MAX; i++)
        if (w->peer[i].port == h.dst_port && w->peer[i].our_port == h.src_port)
            fuzz_hear_segment(&w->peer[i], &h,
                              (uint32_t)text.bytes + ((h.flags & TERN_TCP_SYN) != 0) +
                                  ((h.flags & TERN_TCP_FIN) != 0));
}

static inline void judge_checksum(const struct tern_frame *f, const struct tern_ipv4 *ip,
                                  tern_span body)
{
    struct tern_sum sum = {0};

    if (ip->more_fragments || ip->fragment_offset_bytes > 0)
        return;
    if (ip->protocol != TERN_IP_ICMP)
        tern_sum_add_pseudo(&sum, ip->src, ip->dst, ip->protocol, (uint32_t)body.bytes);
    if (f->csum == TERN_CSUM_NEEDS) {
        TERN_ASSERT(ip->protocol == TERN_IP_TCP);
        TERN_ASSERT(tern_sum_fold(&sum) == tern_get_be16(body.data + TERN_TCP_OFF_CHECKSUM));
        return;
    }
    tern_sum_add(&sum, body.data, body.bytes);
    TERN_ASSERT(tern_sum_fold(&sum) == UINT16_MAX);
}

/* What a reply to it has to repeat. */
static inline void note_echo(struct world *w, tern_span request)
{
    w->echo_bytes = request.bytes - 4 < sizeof w->echo ? request.bytes - 4 : sizeof w->echo;
    memcpy(w->echo, request.data + 4, w->echo_bytes);
}

/* True: it was an ARP request for the peer, which wants an answer. */
static inline bool judge(struct world *w, const struct tern_frame *f)
{
    static uint8_t bytes[TERN_FRAME_BYTES_MAX];
    struct tern_writer to = tern_writer_of(bytes, sizeof bytes);
    struct tern_eth eth;
    struct tern_arp arp;
    struct tern_ipv4 ip;
    tern_span in, body;

    for (uint32_t i = 0; i < f->piece_count; i++)
        tern_write_bytes(&to, f->piece[i].data, f->piece[i].bytes);
    TERN_ASSERT(!to.failed);
    TERN_ASSERT(to.bytes == f->bytes);
    TERN_ASSERT(tern_eth_parse(tern_span_of(bytes, to.bytes), &eth, &in));
    TERN_ASSERT(tern_mac_equal(eth.src, own_mac));
    if (eth.type == TERN_ETHERTYPE_ARP) {
        TERN_ASSERT(tern_arp_parse(in, &arp));
        return arp.op == TERN_ARP_REQUEST && tern_addr_equal(arp.target, host(2));
    }
    TERN_ASSERT(tern_ipv4_parse(in, &ip, &body) == TERN_IPV4_OK);
    TERN_ASSERT(f->gso != TERN_GSO_NONE || in.bytes <= w->mtu_bytes);
    judge_checksum(f, &ip, body);
    if (ip.protocol == TERN_IP_TCP)
        judge_tcp(w, &ip, body);
    if (ip.protocol == TERN_IP_ICMP && body.data[0] == TERN_ICMP_ECHO_REQUEST)
        note_echo(w, body);
    return false;
}

#endif
