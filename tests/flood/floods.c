/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The floods, a function each, which makes the nth hostile frame. Numbers that an attacker would
 * have to guess come from a fixed hash of n; those that he would know, or that make things worse
 * for us, from the connection itself.
 */
#include "floods.h"

#include "stack/internal.h"

#define FRIEND tern_addr_v4(10, 0, 0, 2)

static uint32_t scatter(uint32_t n)
{
    n = (n ^ n >> 16) * 0x7feb352du;
    n = (n ^ n >> 15) * 0x846ca68bu;
    return n ^ n >> 16;
}

static void segment_from(struct flood *f, struct tern_addr from, const struct tern_tcp_header *h,
                         uint32_t text_bytes)
{
    static const uint8_t text[64];
    uint8_t frame[FRAME_MAX];

    flood_input(f, frame, flood_segment(frame, from, h, tern_span_of(text, text_bytes)));
}

/* ---- from nobody ---- */

static void stray(struct flood *f, uint32_t n, struct tern_addr from, uint8_t flags)
{
    const struct tern_tcp_header h = {.src_port = (uint16_t)(1024 + n % 50000),
                                      .dst_port = PORT,
                                      .seq = tern_seq_of(scatter(n)),
                                      .ack = tern_seq_of(scatter(~n)),
                                      .flags = flags,
                                      .window = 1000,
                                      .has_mss = (flags & TERN_TCP_SYN) != 0,
                                      .mss = 1460};

    segment_from(f, from, &h, 0);
}

static void syn(struct flood *f, uint32_t n)
{
    stray(f, n, flood_far(n), TERN_TCP_SYN);
}

/* From neighbours that do not exist: each answer wants a MAC. */
static void syn_near(struct flood *f, uint32_t n)
{
    stray(f, n, flood_near(n), TERN_TCP_SYN);
}

static void ack(struct flood *f, uint32_t n)
{
    stray(f, n, flood_far(n), TERN_TCP_ACK);
}

static void syn_ack(struct flood *f, uint32_t n)
{
    stray(f, n, flood_far(n), TERN_TCP_SYN | TERN_TCP_ACK);
}

static void udp_closed(struct flood *f, uint32_t n)
{
    const struct tern_ipv4 ip = {.protocol = TERN_IP_UDP, .src = flood_far(n)};
    uint8_t body[8 + 18] = {0}, frame[FRAME_MAX];

    tern_put_be16(body, 5000);
    tern_put_be16(body + 2, (uint16_t)(scatter(n) | 1));
    tern_put_be16(body + 4, sizeof body);
    flood_input(f, frame, flood_packet(frame, ip, tern_span_of(body, sizeof body)));
}

/* ---- in the friend's name ---- */

/* Right ports, and a number at an offset from the next that the victim expects. */
static void forged(struct flood *f, uint8_t flags, uint32_t offset, uint32_t text_bytes)
{
    const struct tern_tcb *c = f->conn[0]->tcb;
    const struct tern_tcp_header h = {.src_port = c->remote.port,
                                      .dst_port = c->local.port,
                                      .seq = tern_seq_of((uint32_t)c->rcv.nxt + offset),
                                      .ack = tern_seq_of((uint32_t)c->snd.una),
                                      .flags = flags,
                                      .window = 1000};

    segment_from(f, FRIEND, &h, text_bytes);
}

static void rst_blind(struct flood *f, uint32_t n)
{
    forged(f, TERN_TCP_RST, 0x40000000u + scatter(n) / 4, 0);
}

static void rst_in_window(struct flood *f, uint32_t n)
{
    forged(f, TERN_TCP_RST, 1 + scatter(n) % 10000, 0);
}

static void syn_in_window(struct flood *f, uint32_t n)
{
    forged(f, TERN_TCP_SYN, scatter(n) % 10000, 0);
}

static void outside_window(struct flood *f, uint32_t n)
{
    forged(f, TERN_TCP_ACK, 0x40000000u + scatter(n) / 4, 40);
}

static void icmp_about(struct flood *f, uint8_t code, uint16_t mtu, uint32_t seq)
{
    const struct tern_tcb *c = f->conn[0]->tcb;
    const struct tern_icmp icmp = {.type = TERN_ICMP_UNREACHABLE, .code = code, .mtu = mtu};
    const struct tern_ipv4 ip = {.protocol = TERN_IP_ICMP, .src = flood_far(seq)};
    const struct tern_ipv4 quoted = {
        .ttl = 3, .protocol = TERN_IP_TCP, .src = c->local.addr, .dst = c->remote.addr};
    uint8_t quote[64], body[128], frame[FRAME_MAX];
    struct tern_writer q = tern_writer_of(quote, sizeof quote);
    struct tern_writer w = tern_writer_of(body, sizeof body);

    tern_ipv4_emit(&quoted, 1480, &q);
    tern_write_be16(&q, c->local.port);
    tern_write_be16(&q, c->remote.port);
    tern_write_be32(&q, seq);
    tern_icmp_emit(&icmp, tern_span_of(quote, q.bytes), &w);
    flood_input(f, frame, flood_packet(frame, ip, tern_span_of(body, w.bytes)));
}

/* One that knows the numbers in flight, and one that guesses. */
static void icmp_too_big(struct flood *f, uint32_t n)
{
    const uint32_t una = (uint32_t)f->conn[0]->tcb->snd.una;

    icmp_about(f, TERN_ICMP_FRAGMENTATION_NEEDED, (uint16_t)(68 + scatter(n) % 500),
               (n & 1) != 0 ? una : scatter(n));
}

static void icmp_unreachable(struct flood *f, uint32_t n)
{
    const uint32_t una = (uint32_t)f->conn[0]->tcb->snd.una;

    icmp_about(f, (uint8_t)(n % 13), 0, (n & 1) != 0 ? una : scatter(n));
}

/* ---- fragments ---- */

static void fragment(struct flood *f, struct tern_addr from, uint16_t id, uint16_t offset_bytes)
{
    static const uint8_t body[64];
    const struct tern_ipv4 ip = {.protocol = TERN_IP_UDP,
                                 .src = from,
                                 .id = id,
                                 .more_fragments = true,
                                 .fragment_offset_bytes = offset_bytes};
    uint8_t frame[FRAME_MAX];

    flood_input(f, frame, flood_packet(frame, ip, tern_span_of(body, sizeof body)));
}

static void fragments(struct flood *f, uint32_t n)
{
    fragment(f, flood_far(n), (uint16_t)n, 0);
}

/* Of few packets: every other piece, from the end to the beginning. */
static void fragments_of_few(struct flood *f, uint32_t n)
{
    fragment(f, flood_far(n & 3), (uint16_t)(n >> 12), (uint16_t)(65000 / 8 * 8 - (n & 511) * 128));
}

/* ---- neighbours ---- */

static void arp(struct flood *f, uint32_t n, uint16_t op)
{
    const uint32_t bits = scatter(n);
    const struct tern_mac mac = {{2, 9, (uint8_t)(bits >> 16), (uint8_t)(bits >> 8), 0, 9}};
    const struct tern_mac own = {{2, 0, 0, 0, 0, 1}};
    const struct tern_eth eth = {own, mac, TERN_ETHERTYPE_ARP};
    const struct tern_arp a = {op, mac, flood_near(n), own, tern_addr_v4(10, 0, 0, 1)};
    uint8_t frame[TERN_ETH_BYTES + TERN_ARP_BYTES];
    struct tern_writer w = tern_writer_of(frame, sizeof frame);

    tern_eth_emit(&eth, &w);
    tern_arp_emit(&a, &w);
    flood_input(f, frame, w.bytes);
}

static void arp_requests(struct flood *f, uint32_t n)
{
    arp(f, n, TERN_ARP_REQUEST);
}

static void arp_replies(struct flood *f, uint32_t n)
{
    arp(f, n, TERN_ARP_REPLY);
}

/* ---- on connections of their own ---- */

/* A byte here, a byte there: each a hole more. */
static void tiny(struct flood *f, uint32_t n)
{
    flood_thief_says(f, n & 1, TERN_TCP_ACK, 1 + (n >> 1) * 2 % 60000, 60000, 1);
}

/* The same downwards, so that each goes before all of the others. */
static void tiny_down(struct flood *f, uint32_t n)
{
    flood_thief_says(f, n & 1, TERN_TCP_ACK, 60000 - (n >> 1) * 2 % 59000, 60000, 1);
}

static void overlapping(struct flood *f, uint32_t n)
{
    flood_thief_says(f, n & 1, TERN_TCP_ACK, 1 + scatter(n) % 50000, 60000, 1 + scatter(~n) % 1400);
}

/* All who hold a connection say again that their window is closed. */
static void zero_windows(struct flood *f, uint32_t n)
{
    flood_thief_says(f, n % (24 * f->scale), TERN_TCP_ACK, 0, 0, 0);
}

static void silent(struct flood *f, uint32_t n)
{
    syn(f, n | 0x80000u);
}

/* SACK blocks of a byte each, where no others are, of what the victim wrote. */
static void sacks(struct flood *f, uint32_t n)
{
    struct thief *t = &f->thief[n & 1];
    struct tern_tcp_header h = {.src_port = 7000,
                                .dst_port = PORT,
                                .seq = tern_seq_of(t->nxt),
                                .ack = tern_seq_of(t->una),
                                .flags = TERN_TCP_ACK,
                                .window = 60000,
                                .sack_count = 4};

    for (uint32_t i = 0; i < 4; i++) {
        const uint32_t at = t->una + 1 + scatter(4 * n + i) % 14000;

        h.sack[i].start = tern_seq_of(at);
        h.sack[i].end = tern_seq_of(at + 1);
    }
    segment_from(f, flood_far(n & 1), &h, 0);
}

/* A connection after the other: opened, closed by the victim's program, and left in TIME-WAIT. */
static void fins(struct flood *f, uint32_t n)
{
    struct thief *t = &f->thief[n % THIEVES_MAX];

    *t = (struct thief){.nxt = 1000};
    flood_thief_says(f, n, TERN_TCP_SYN, 0, 60000, 0);
    t->nxt++;
    flood_hear(f);
    flood_thief_says(f, n, TERN_TCP_ACK, 0, 60000, 0);
    flood_serve(f);
    flood_hear(f);
    t->una = t->edge;
    flood_thief_says(f, n, TERN_TCP_ACK | TERN_TCP_FIN, 0, 60000, 0);
}

const struct flood_kind flood_kinds[] = {
    {"syn", syn, 0, SERVE_LEAVE, ANSWER_EACH},
    {"syn-near", syn_near, 0, SERVE_LEAVE, ANSWER_EACH},
    {"ack", ack, 0, SERVE_LEAVE, ANSWER_LIMITED},
    {"syn-ack", syn_ack, 0, SERVE_LEAVE, ANSWER_LIMITED},
    {"udp-closed", udp_closed, 0, SERVE_LEAVE, ANSWER_LIMITED},
    {"rst-blind", rst_blind, 0, SERVE_LEAVE, ANSWER_NONE},
    {"rst-in-window", rst_in_window, 0, SERVE_LEAVE, ANSWER_NONE},
    {"syn-in-window", syn_in_window, 0, SERVE_LEAVE, ANSWER_NONE},
    {"outside-window", outside_window, 0, SERVE_LEAVE, ANSWER_NONE},
    {"icmp-too-big", icmp_too_big, 0, SERVE_LEAVE, ANSWER_NONE},
    {"icmp-unreachable", icmp_unreachable, 0, SERVE_LEAVE, ANSWER_NONE},
    {"fragments", fragments, 0, SERVE_LEAVE, ANSWER_LIMITED},
    {"fragments-of-few", fragments_of_few, 0, SERVE_LEAVE, ANSWER_LIMITED},
    {"arp-requests", arp_requests, 0, SERVE_LEAVE, ANSWER_NONE},
    {"arp-replies", arp_replies, 0, SERVE_LEAVE, ANSWER_NONE},
    {"tiny", tiny, 2, SERVE_LEAVE, ANSWER_EACH},
    {"tiny-down", tiny_down, 2, SERVE_LEAVE, ANSWER_EACH},
    {"overlapping", overlapping, 2, SERVE_LEAVE, ANSWER_EACH},
    {"zero-windows", zero_windows, 24, SERVE_WRITE, ANSWER_LIMITED},
    {"silent", silent, 40, SERVE_LEAVE, ANSWER_EACH},
    {"sacks", sacks, 2, SERVE_WRITE, ANSWER_EACH},
    {"fins", fins, 0, SERVE_CLOSE, ANSWER_EACH},
};
const size_t flood_kinds_count = sizeof flood_kinds / sizeof flood_kinds[0];
