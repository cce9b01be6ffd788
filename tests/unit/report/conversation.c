/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames made by the emitters of src/wire, cut into records as a link would. */
#include "conversation.h"

#include <string.h>

#include "base/assert.h"
#include "wire/eth.h"
#include "wire/ipv4.h"
#include "wire/udp.h"

static uint8_t frame[TERN_FRAME_BYTES_MAX];

static const struct tern_mac mac_us = {{0x02, 0x54, 0x45, 0x52, 0x4e, 0x01}};
static const struct tern_mac mac_peer = {{0x36, 0xcf, 0x89, 0x74, 0x32, 0x08}};

struct tern_addr talk_us(void)
{
    return tern_addr_v4(10, 9, 0, 77);
}

struct tern_addr talk_peer(void)
{
    return tern_addr_v4(10, 9, 0, 1);
}

void talk_open(struct talk *t, size_t steps_max)
{
    struct tern_model_options options = {.steps_max = steps_max};

    memset(t, 0, sizeof *t);
    t->model = tern_model_create(&options);
    t->window = 1000;
    TERN_ASSERT(t->model != NULL);
}

void talk_close(struct talk *t)
{
    tern_model_destroy(t->model);
}

void talk_from(struct talk *t, enum tern_lane from, uint32_t at_us)
{
    t->from = from;
    t->now = at_us * TERN_US;
    t->cause = TERN_CAUSE_NONE;
}

static void talk_record(struct talk *t, const struct tern_writer *w)
{
    struct tern_record r = {.at = t->now,
                            .sent = t->from == TERN_LANE_LEFT,
                            .cause = t->cause,
                            .frame_bytes = (uint32_t)w->bytes,
                            .gso_bytes = t->gso_bytes};

    TERN_ASSERT(!w->failed);
    r.snap_bytes = r.frame_bytes < TERN_RECORD_SNAP_BYTES ? r.frame_bytes : TERN_RECORD_SNAP_BYTES;
    memcpy(r.snap, w->data, r.snap_bytes);
    if (t->from == TERN_LANE_KERNEL)
        tern_model_kernel_frame(t->model, &r);
    else
        tern_model_frame(t->model, &r);
    /* A check walks all that there is. */
    if (t->frames++ < 1000 || t->frames % 97 == 0)
        tern_model_check(t->model);
}

static struct tern_writer eth_begin(const struct talk *t, uint16_t type)
{
    struct tern_writer w = {.data = frame, .bytes_max = sizeof frame};
    bool is_peer = t->from == TERN_LANE_RIGHT;
    struct tern_eth eth = {
        .dst = is_peer ? mac_us : mac_peer, .src = is_peer ? mac_peer : mac_us, .type = type};

    tern_eth_emit(&eth, &w);
    return w;
}

static void options_of_syn(struct tern_tcp_header *h)
{
    h->has_mss = true;
    h->mss = 1460;
    h->has_wscale = true;
    h->wscale = 7;
}

void talk_tcp(struct talk *t, uint8_t flags, int64_t seq, int64_t ack, const char *text,
              uint32_t bytes)
{
    bool is_peer = t->from == TERN_LANE_RIGHT;
    uint16_t port = t->port == 0 ? 50000 : t->port;
    uint32_t isn_own = (is_peer ? TALK_ISN_PEER : TALK_ISN_US) + 1;
    uint32_t isn_other = (is_peer ? TALK_ISN_US : TALK_ISN_PEER) + 1;
    struct tern_writer w = eth_begin(t, TERN_ETHERTYPE_IPV4);
    struct tern_ipv4 ip = {.ttl = 64,
                           .protocol = TERN_IP_TCP,
                           .src = is_peer ? talk_peer() : talk_us(),
                           .dst = is_peer ? talk_us() : talk_peer()};
    struct tern_tcp_header h = {.src_port = is_peer ? 80 : port,
                                .dst_port = is_peer ? port : 80,
                                .seq = tern_seq_of((uint32_t)seq + isn_own),
                                .flags = flags,
                                .window = t->window};

    if ((flags & TERN_TCP_ACK) != 0)
        h.ack = tern_seq_of((uint32_t)ack + isn_other);
    if ((flags & TERN_TCP_SYN) != 0)
        options_of_syn(&h);
    if (t->sack_hi > 0) {
        h.sack_count = 1;
        h.sack[0].start = tern_seq_of(t->sack_lo + isn_other);
        h.sack[0].end = tern_seq_of(t->sack_hi + isn_other);
    }
    if (text != NULL)
        bytes = (uint32_t)strlen(text);
    tern_ipv4_emit(&ip, (uint16_t)(tern_tcp_header_bytes(&h) + bytes), &w);
    tern_tcp_emit(&h, &w);
    for (uint32_t i = 0; i < bytes; i++)
        tern_write_u8(&w, text == NULL ? 'x' : (uint8_t)text[i]);
    talk_record(t, &w);
}

void talk_arp(struct talk *t, uint16_t op, struct tern_addr sender, struct tern_addr target)
{
    struct tern_writer w = eth_begin(t, TERN_ETHERTYPE_ARP);
    struct tern_arp arp = {.op = op,
                           .sender_mac = t->from == TERN_LANE_RIGHT ? mac_peer : mac_us,
                           .sender = sender,
                           .target = target};

    tern_arp_emit(&arp, &w);
    talk_record(t, &w);
}

void talk_udp(struct talk *t, uint16_t from, uint16_t to, const void *data, size_t bytes)
{
    bool is_peer = t->from == TERN_LANE_RIGHT;
    struct tern_writer w = eth_begin(t, TERN_ETHERTYPE_IPV4);
    struct tern_ipv4 ip = {.ttl = 64,
                           .protocol = TERN_IP_UDP,
                           .src = is_peer ? talk_peer() : talk_us(),
                           .dst = is_peer ? talk_us() : talk_peer()};
    struct tern_udp udp = {.src_port = from, .dst_port = to};

    tern_ipv4_emit(&ip, (uint16_t)(TERN_UDP_BYTES + bytes), &w);
    tern_udp_emit(&udp, ip.src, ip.dst, tern_span_of(data, bytes), &w);
    talk_record(t, &w);
}

void talk_state(struct talk *t, enum tern_tcp_state to)
{
    struct tern_trace trace = {.at = t->now, .kind = TERN_TRACE_STATE, .conn_id = 7};

    trace.state.to = to;
    tern_model_trace(t->model, &trace);
    tern_model_check(t->model);
}

void talk_handshake(struct talk *t)
{
    talk_state(t, TERN_TCP_SYN_SENT);
    talk_from(t, TERN_LANE_LEFT, 1000);
    talk_tcp(t, TERN_TCP_SYN, -1, 0, NULL, 0);
    talk_from(t, TERN_LANE_RIGHT, 1100);
    talk_tcp(t, TERN_TCP_SYN | TERN_TCP_ACK, -1, 0, NULL, 0);
    talk_state(t, TERN_TCP_ESTABLISHED);
    talk_from(t, TERN_LANE_LEFT, 1200);
    talk_tcp(t, TERN_TCP_ACK, 0, 0, NULL, 0);
}

static void talk_page(struct talk *t)
{
    for (uint32_t i = 0; i < 100; i++) {
        talk_from(t, TERN_LANE_RIGHT, 1700 + i * 28);
        talk_tcp(t, TERN_TCP_ACK, i * 1448, 78, i == 0 ? NULL : NULL, 1448);
        if (i % 2 == 0)
            continue;
        talk_from(t, TERN_LANE_LEFT, 1700 + i * 28);
        talk_tcp(t, TERN_TCP_ACK, 78, (i + 1) * 1448, NULL, 0);
    }
}

void talk_tour(struct talk *t)
{
    struct tern_addr any = tern_addr_v4(0, 0, 0, 0);

    for (uint32_t i = 0; i < 3; i++) {
        talk_from(t, TERN_LANE_LEFT, 100 + i);
        talk_arp(t, TERN_ARP_REQUEST, any, talk_us());
    }
    talk_arp(t, TERN_ARP_REQUEST, talk_us(), talk_us());
    talk_from(t, TERN_LANE_LEFT, 800);
    talk_arp(t, TERN_ARP_REQUEST, talk_us(), talk_peer());
    talk_from(t, TERN_LANE_RIGHT, 900);
    talk_arp(t, TERN_ARP_REPLY, talk_peer(), talk_us());
    talk_handshake(t);
    talk_from(t, TERN_LANE_LEFT, 1300);
    talk_tcp(
        t, TERN_TCP_ACK | TERN_TCP_PSH, 0, 0,
        "GET / HTTP/1.1\r\nHost: 10.9.0.1\r\nUser-Agent: tern/0.1\r\nConnection: close\r\n\r\n...",
        0);
    talk_page(t);
    talk_from(t, TERN_LANE_RIGHT, 4800);
    talk_tcp(t, TERN_TCP_ACK | TERN_TCP_FIN, 144800, 78, NULL, 0);
    talk_state(t, TERN_TCP_CLOSE_WAIT);
    talk_from(t, TERN_LANE_LEFT, 4900);
    talk_state(t, TERN_TCP_LAST_ACK);
    talk_tcp(t, TERN_TCP_ACK | TERN_TCP_FIN, 78, 144801, NULL, 0);
    talk_from(t, TERN_LANE_RIGHT, 5000);
    talk_tcp(t, TERN_TCP_ACK, 144801, 79, NULL, 0);
    talk_state(t, TERN_TCP_CLOSED);
}
