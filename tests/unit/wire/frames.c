/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames for a judge: prints seeded random packets, a line each, first the values that went into
 * the emitters and then the bytes that came out, for scapy_judge.py to build the same ones and
 * compare.
 *
 *     arp op=1 smac=02:... dmac=ff:... sender=10.0.0.1 ... hex=ffff...
 */
#include <stdio.h>

#include "base/checksum.h"
#include "base/random.h"
#include "wire/arp.h"
#include "wire/eth.h"
#include "wire/icmp.h"
#include "wire/ipv4.h"
#include "wire/tcp.h"
#include "wire/udp.h"

#define EACH_COUNT 60
#define FRAME_MAX  1514
#define DATA_MAX   200

static struct tern_random rng;

static uint8_t any_u8(void)
{
    return (uint8_t)tern_random_u32(&rng);
}

static uint16_t any_u16(void)
{
    return (uint16_t)tern_random_u32(&rng);
}

static bool any_bool(void)
{
    return tern_random_below(&rng, 2) == 0;
}

static struct tern_mac any_mac(void)
{
    struct tern_mac m;

    tern_random_bytes(&rng, m.b, sizeof m.b);
    return m;
}

static struct tern_addr any_addr(void)
{
    return tern_addr_from_be32(tern_random_u32(&rng));
}

static void print_hex(const char *key, const uint8_t *p, size_t bytes)
{
    printf(" %s=", key);
    for (size_t i = 0; i < bytes; i++)
        printf("%02x", p[i]);
}

static void print_mac(const char *key, struct tern_mac m)
{
    char text[TERN_MAC_TEXT_MAX];

    printf(" %s=%s", key, tern_mac_text(m, text));
}

static void print_addr(const char *key, struct tern_addr a)
{
    char text[TERN_ADDR_TEXT_MAX];

    printf(" %s=%s", key, tern_addr_text(a, text));
}

static void emit_ethernet(struct tern_writer *w, uint16_t type)
{
    struct tern_eth eth = {.dst = any_mac(), .src = any_mac(), .type = type};

    tern_eth_emit(&eth, w);
    print_mac("edst", eth.dst);
    print_mac("esrc", eth.src);
}

static struct tern_ipv4 emit_ip(struct tern_writer *w, uint8_t protocol, size_t body_bytes)
{
    struct tern_ipv4 ip = {
        .tos = any_u8(),
        .id = any_u16(),
        .dont_fragment = any_bool(),
        .ttl = any_u8(),
        .protocol = protocol,
        .src = any_addr(),
        .dst = any_addr(),
    };

    emit_ethernet(w, TERN_ETHERTYPE_IPV4);
    tern_ipv4_emit(&ip, (uint16_t)body_bytes, w);
    print_addr("src", ip.src);
    print_addr("dst", ip.dst);
    printf(" tos=%u id=%u df=%d ttl=%u", ip.tos, ip.id, ip.dont_fragment, ip.ttl);
    return ip;
}

static tern_span any_data(uint8_t *data)
{
    size_t bytes = tern_random_below(&rng, DATA_MAX + 1);

    tern_random_bytes(&rng, data, bytes);
    print_hex("data", data, bytes);
    return tern_span_of(data, bytes);
}

static void print_arp(struct tern_writer *w)
{
    struct tern_arp arp = {.op = (uint16_t)(1 + tern_random_below(&rng, 2)),
                           .sender_mac = any_mac(),
                           .sender = any_addr(),
                           .target_mac = any_mac(),
                           .target = any_addr()};

    printf("arp op=%u", arp.op);
    print_mac("smac", arp.sender_mac);
    print_mac("tmac", arp.target_mac);
    print_addr("sender", arp.sender);
    print_addr("target", arp.target);
    emit_ethernet(w, TERN_ETHERTYPE_ARP);
    tern_arp_emit(&arp, w);
}

static void print_ipv4(struct tern_writer *w)
{
    struct tern_ipv4 ip = {.tos = any_u8(),
                           .id = any_u16(),
                           .dont_fragment = any_bool(),
                           .more_fragments = any_bool(),
                           .fragment_offset_bytes = (uint16_t)(tern_random_below(&rng, 8192) * 8),
                           .ttl = any_u8(),
                           .protocol = 253, /* for experiments, RFC 3692 */
                           .src = any_addr(),
                           .dst = any_addr()};
    uint8_t data[DATA_MAX];
    tern_span body;

    printf("ipv4 tos=%u id=%u df=%d mf=%d offset=%u ttl=%u", ip.tos, ip.id, ip.dont_fragment,
           ip.more_fragments, ip.fragment_offset_bytes, ip.ttl);
    print_addr("src", ip.src);
    print_addr("dst", ip.dst);
    body = any_data(data);
    emit_ethernet(w, TERN_ETHERTYPE_IPV4);
    tern_ipv4_emit(&ip, (uint16_t)body.bytes, w);
    tern_write_bytes(w, body.data, body.bytes);
}

static void print_icmp(struct tern_writer *w)
{
    struct tern_icmp icmp = {.type = any_bool() ? TERN_ICMP_ECHO_REQUEST : TERN_ICMP_ECHO_REPLY,
                             .id = any_u16(),
                             .sequence = any_u16()};
    uint8_t data[DATA_MAX];
    tern_span body;

    if (tern_random_below(&rng, 3) == 0)
        icmp = (struct tern_icmp){.type = TERN_ICMP_UNREACHABLE,
                                  .code = TERN_ICMP_FRAGMENTATION_NEEDED,
                                  .mtu = any_u16()};
    printf("icmp type=%u code=%u seq=%u eid=%u mtu=%u", icmp.type, icmp.code, icmp.sequence,
           icmp.id, icmp.mtu);
    body = any_data(data);
    emit_ip(w, TERN_IP_ICMP, TERN_ICMP_BYTES + body.bytes);
    tern_icmp_emit(&icmp, body, w);
}

static void print_udp(struct tern_writer *w)
{
    struct tern_udp udp = {any_u16(), any_u16()};
    struct tern_ipv4 ip;
    uint8_t data[DATA_MAX];
    tern_span body;

    printf("udp sport=%u dport=%u", udp.src_port, udp.dst_port);
    body = any_data(data);
    ip = emit_ip(w, TERN_IP_UDP, TERN_UDP_BYTES + body.bytes);
    tern_udp_emit(&udp, ip.src, ip.dst, body, w);
}

static struct tern_tcp_header any_tcp(void)
{
    struct tern_tcp_header h = {
        .src_port = any_u16(),
        .dst_port = any_u16(),
        .seq = tern_seq_of(tern_random_u32(&rng)),
        .ack = tern_seq_of(tern_random_u32(&rng)),
        .flags = any_u8(),
        .window = any_u16(),
        .urgent = any_u16(),
        .has_mss = any_bool(),
        .has_wscale = any_bool(),
        .has_timestamps = any_bool(),
        .sack_permitted = any_bool(),
        .mss = any_u16(),
        .wscale = any_u8(),
        .ts_value = tern_random_u32(&rng),
        .ts_echo = tern_random_u32(&rng),
    };

    h.sack_count = (uint8_t)tern_random_below(&rng, 3); /* two fit beside all the others */
    for (unsigned i = 0; i < h.sack_count; i++) {
        h.sack[i].start = tern_seq_of(tern_random_u32(&rng));
        h.sack[i].end = tern_seq_of(tern_random_u32(&rng));
    }
    return h;
}

static void print_tcp_values(const struct tern_tcp_header *h)
{
    printf("tcp sport=%u dport=%u seq=%u ack=%u flags=%u window=%u urgent=%u", h->src_port,
           h->dst_port, h->seq.value, h->ack.value, h->flags, h->window, h->urgent);
    if (h->has_mss)
        printf(" mss=%u", h->mss);
    if (h->sack_permitted)
        printf(" sackok=1");
    if (h->has_timestamps)
        printf(" ts=%u,%u", h->ts_value, h->ts_echo);
    if (h->has_wscale)
        printf(" wscale=%u", h->wscale);
    for (unsigned i = 0; i < h->sack_count; i++)
        printf("%s%u,%u", i == 0 ? " sack=" : ",", h->sack[i].start.value, h->sack[i].end.value);
}

static void print_tcp(struct tern_writer *w)
{
    struct tern_tcp_header h = any_tcp();
    size_t header_bytes = tern_tcp_header_bytes(&h);
    struct tern_sum sum = {0};
    struct tern_ipv4 ip;
    uint8_t data[DATA_MAX];
    uint8_t *segment;
    tern_span body;

    print_tcp_values(&h);
    body = any_data(data);
    ip = emit_ip(w, TERN_IP_TCP, header_bytes + body.bytes);
    segment = w->data + w->bytes;
    tern_tcp_emit(&h, w);
    tern_sum_add_pseudo(&sum, ip.src, ip.dst, TERN_IP_TCP, (uint32_t)(header_bytes + body.bytes));
    tern_sum_add(&sum, segment,
                 header_bytes); /* header and body as two pieces, as a link has them */
    tern_sum_add(&sum, body.data, body.bytes);
    tern_put_be16(segment + TERN_TCP_OFF_CHECKSUM, tern_sum_finish(&sum));
    tern_write_bytes(w, body.data, body.bytes);
}

int main(void)
{
    static void (*const kinds[])(struct tern_writer *) = {print_arp, print_ipv4, print_icmp,
                                                          print_udp, print_tcp};

    tern_random_init(&rng, "frames", 6, "judge");
    for (unsigned kind = 0; kind < sizeof kinds / sizeof kinds[0]; kind++) {
        for (unsigned i = 0; i < EACH_COUNT; i++) {
            uint8_t frame[FRAME_MAX];
            struct tern_writer w = tern_writer_of(frame, sizeof frame);

            kinds[kind](&w);
            print_hex("hex", frame, w.bytes);
            putchar('\n');
            if (w.failed)
                return 1;
        }
    }
    return 0;
}
