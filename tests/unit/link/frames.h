/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_TESTS_FRAMES_H
#define TERN_TESTS_FRAMES_H
/* Frames made and read by hand, for tests of links: no code of the stack's is involved. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <tern/link.h>

#include "base/bytes.h"
#include "base/checksum.h"

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16 };
enum { ETH = 14, IP = 20, TCP = 20, ARP_BYTES = 42 };

static const struct tern_mac everybody = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

struct segment {
    struct tern_mac src_mac, dst_mac;
    struct tern_addr src, dst;
    uint16_t sport, dport;
    uint32_t seq, ack;
    uint8_t flags;
    uint16_t window;
    uint16_t mss;   /* 0: no such option */
    uint8_t wscale; /* 0: no such option */
    const uint8_t *data;
    size_t bytes;
};

static inline struct tern_frame one_piece(const uint8_t *data, size_t bytes)
{
    struct tern_frame f = {.piece_count = 1, .bytes = (uint32_t)bytes};

    f.piece[0] = (struct tern_slice){.data = data, .bytes = bytes};
    return f;
}

static inline size_t put_eth(uint8_t *p, struct tern_mac dst, struct tern_mac src, uint16_t type)
{
    memcpy(p, dst.b, 6);
    memcpy(p + 6, src.b, 6);
    tern_put_be16(p + 12, type);
    return ETH;
}

/* An ARP packet; op 1 asks, 2 answers. 42 bytes. */
static inline size_t put_arp(uint8_t *p, uint16_t op, struct tern_mac src, struct tern_addr src_ip,
                             struct tern_addr dst_ip)
{
    static const uint8_t head[] = {0, 1, 8, 0, 6, 4};

    memset(p, 0, ARP_BYTES);
    put_eth(p, everybody, src, 0x0806);
    memcpy(p + 14, head, sizeof head);
    tern_put_be16(p + 20, op);
    memcpy(p + 22, src.b, 6);
    tern_put_be32(p + 28, tern_addr_to_be32(src_ip));
    tern_put_be32(p + 38, tern_addr_to_be32(dst_ip));
    return ARP_BYTES;
}

static inline size_t put_tcp_options(uint8_t *p, const struct segment *s)
{
    size_t n = 0;

    if (s->mss != 0) {
        p[n] = 2;
        p[n + 1] = 4;
        tern_put_be16(p + n + 2, s->mss);
        n += 4;
    }
    if (s->wscale != 0) {
        const uint8_t option[] = {1, 3, 3, s->wscale};

        memcpy(p + n, option, sizeof option);
        n += 4;
    }
    return n;
}

/* Pseudo-header sum over a TCP segment of so many bytes. */
static inline struct tern_sum pseudo_sum(struct tern_addr src, struct tern_addr dst, size_t bytes)
{
    struct tern_sum sum = {0};

    tern_sum_add_pseudo(&sum, src, dst, 6, (uint32_t)bytes);
    return sum;
}

/* A whole TCP frame with right checksums; returns its bytes. */
static inline size_t put_tcp(uint8_t *p, const struct segment *s)
{
    uint8_t *ip = p + put_eth(p, s->dst_mac, s->src_mac, 0x0800);
    uint8_t *tcp = ip + IP;
    size_t header = TCP + put_tcp_options(tcp + TCP, s);
    struct tern_sum sum = {0};

    memset(ip, 0, IP + TCP);
    ip[0] = 0x45;
    tern_put_be16(ip + 2, (uint16_t)(IP + header + s->bytes));
    tern_put_be16(ip + 4, 7);
    ip[6] = 0x40;
    ip[8] = 64;
    ip[9] = 6;
    tern_put_be32(ip + 12, tern_addr_to_be32(s->src));
    tern_put_be32(ip + 16, tern_addr_to_be32(s->dst));
    tern_sum_add(&sum, ip, IP);
    tern_put_be16(ip + 10, tern_sum_finish(&sum));
    tern_put_be16(tcp, s->sport);
    tern_put_be16(tcp + 2, s->dport);
    tern_put_be32(tcp + 4, s->seq);
    tern_put_be32(tcp + 8, s->ack);
    tcp[12] = (uint8_t)(header / 4 << 4);
    tcp[13] = s->flags;
    tern_put_be16(tcp + 14, s->window);
    if (s->bytes > 0)
        memcpy(tcp + header, s->data, s->bytes);
    sum = pseudo_sum(s->src, s->dst, header + s->bytes);
    tern_sum_add(&sum, tcp, header + s->bytes);
    tern_put_be16(tcp + 16, tern_sum_finish(&sum));
    return ETH + IP + header + s->bytes;
}

/* The same with only the pseudo-header sum in its checksum field, as offloading senders leave it.
 */
static inline struct tern_frame tcp_unfinished(uint8_t *p, const struct segment *s)
{
    struct tern_frame f = one_piece(p, put_tcp(p, s));
    struct tern_sum sum = pseudo_sum(s->src, s->dst, f.bytes - ETH - IP);

    tern_put_be16(p + ETH + IP + 16, tern_sum_fold(&sum));
    f.csum = TERN_CSUM_NEEDS;
    f.csum_start = ETH + IP;
    f.csum_offset = 16;
    return f;
}

/* Are the IP and TCP checksums of a frame right? */
static inline bool checksums_right(const uint8_t *p, size_t bytes)
{
    struct tern_sum ip = {0}, tcp;
    struct tern_addr src = tern_addr_from_be32(tern_get_be32(p + ETH + 12));
    struct tern_addr dst = tern_addr_from_be32(tern_get_be32(p + ETH + 16));

    if (bytes < ETH + IP + TCP || tern_get_be16(p + ETH + 2) != bytes - ETH)
        return false;
    tern_sum_add(&ip, p + ETH, IP);
    tcp = pseudo_sum(src, dst, bytes - ETH - IP);
    tern_sum_add(&tcp, p + ETH + IP, bytes - ETH - IP);
    return tern_sum_fold(&ip) == 0xffff && tern_sum_fold(&tcp) == 0xffff;
}

/* Copy a received frame into one piece. */
static inline size_t gather(const struct tern_frame *f, uint8_t *out, size_t max)
{
    size_t n = 0;

    for (uint32_t i = 0; i < f->piece_count; i++) {
        assert_true(n + f->piece[i].bytes <= max);
        memcpy(out + n, f->piece[i].data, f->piece[i].bytes);
        n += f->piece[i].bytes;
    }
    assert_int_equal(n, f->bytes);
    return n;
}

/* Send one frame and insist. */
static inline void send_one(struct tern_link *link, tern_time now, struct tern_frame f)
{
    assert_int_equal(link->ops->transmit(link, now, &f, 1), 1);
}

#endif
