/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The whole stack, in virtual time. The first bytes of the input choose its configuration; it then
 * has an address, a listener, an active connection, a UDP and a ping socket, and a peer
 * that answers ARP. The rest is a list of commands: a byte that says which (enum command), then
 * what it needs: frames of any bytes, TCP segments near the numbers of a connection (segment.h),
 * ICMP errors that quote one, ARP, fragments, waits, and the calls of the application.
 *
 * After each command the stack says all that it has to say, every frame is judged (no longer than
 * the link takes, every checksum right), and all structures are checked. At the end, with every
 * handle given up and everything reset, all connections and all buffers are back in their pools.
 */
#include "fuzz.h"

#include <stdlib.h>

#include "base/assert.h"
#include "base/checksum.h"
#include "stack_calls.h"
#include "stack_judge.h"
#include "stack_notes.h"
#include "wire/arp.h"
#include "wire/ecn.h"
#include "wire/eth.h"
#include "wire/icmp.h"
#include "wire/ipv4.h"
#include "wire/udp.h"
#include <tern/tern.h>

const size_t fuzz_head_bytes = 2;

#define COMMANDS_MAX 300
#define AT_ONCE_MAX  5000 /* frames at one moment: what buffers and queues hold, and far more */
#define TURNS_MAX    20   /* of the clock that stands still */
#define FRAME_MAX    (TERN_ETH_BYTES + 9000)

enum command {
    COMMAND_SEGMENT,
    COMMAND_SEGMENT_TOO, /* the most fruitful twice */
    COMMAND_CALL,
    COMMAND_WAIT,
    COMMAND_ARP,
    COMMAND_ICMP_ERROR,
    COMMAND_PACKET,
    COMMAND_FRAME,
};

static const struct tern_mac peer_mac = {{2, 0, 0, 0, 0, 2}};

/* ---- a frame in, all frames out ---- */

/* The frame that the stack has borrowed goes. */
static void settle(struct world *w)
{
    if (w->lent == NULL)
        return;
    tern_stack_settle(w->stack);
    free(w->lent);
    w->lent = NULL;
}

static void input(struct world *w, const uint8_t *bytes, size_t count, uint16_t gso_bytes)
{
    uint8_t *copy = malloc(count > 0 ? count : 1); /* of its very size, to see a byte too far */
    struct tern_frame f = {.piece_count = 1, .bytes = (uint32_t)count};

    TERN_ASSERT(copy != NULL);
    if (count > 0)
        memcpy(copy, bytes, count);
    f.piece[0] = tern_span_of(copy, count);
    f.gso = gso_bytes > 0 ? TERN_GSO_TCP4 : TERN_GSO_NONE;
    f.gso_bytes = gso_bytes;
    if (w->lends) {
        settle(w);
        w->lent = copy;
        tern_stack_input_borrowed(w->stack, &f, 1, w->now);
        return;
    }
    tern_stack_input(w->stack, &f, 1, w->now);
    free(copy);
}

static void input_arp(struct world *w, const struct tern_arp *arp, struct tern_mac to_mac)
{
    uint8_t bytes[TERN_ETH_BYTES + TERN_ARP_BYTES];
    struct tern_writer to = tern_writer_of(bytes, sizeof bytes);
    const struct tern_eth eth = {to_mac, arp->sender_mac, TERN_ETHERTYPE_ARP};

    tern_eth_emit(&eth, &to);
    tern_arp_emit(arp, &to);
    input(w, bytes, to.bytes, 0);
}

static void answer_arp(struct world *w)
{
    const struct tern_arp reply = {TERN_ARP_REPLY, peer_mac, host(2), own_mac, host(1)};

    input_arp(w, &reply, own_mac);
}

static void hear_events(struct world *w)
{
    struct tern_event e;
    struct tern_trace t;

    while (tern_stack_event(w->stack, &e))
        TERN_ASSERT(e.bits != 0 || e.kind == TERN_EVENT_LOAN);
    while (tern_stack_trace(w->stack, &t)) {
    }
}

static void hear_out(struct world *w)
{
    struct tern_frame frames[8];
    int n, count = 0;
    bool asked;

    do {
        asked = false;
        while ((n = tern_stack_output(w->stack, frames, 8, w->now)) > 0) {
            for (int i = 0; i < n; i++)
                asked = judge(w, &frames[i]) || asked;
            count += n;
            TERN_ASSERT(count < AT_ONCE_MAX);
        }
        if (asked && !w->silent)
            answer_arp(w);
    } while (asked && !w->silent);
    hear_events(w);
    tern_stack_check(w->stack);
}

/* Until it is silent, and wants nothing more of this moment. */
static void drain(struct world *w)
{
    int turns = 0;

    hear_out(w);
    while (tern_stack_deadline(w->stack) <= w->now) { /* of what a full link had kept waiting */
        TERN_ASSERT(++turns < TURNS_MAX);
        tern_stack_expire(w->stack, w->now);
        hear_out(w);
    }
}

/* A link that takes one frame and no more. */
static void take_one(struct world *w)
{
    struct tern_frame frame;

    if (tern_stack_output(w->stack, &frame, 1, w->now) == 1 && judge(w, &frame) && !w->silent)
        answer_arp(w);
    tern_stack_check(w->stack);
}

/* ---- what comes in ---- */

static void input_ip(struct world *w, struct tern_ipv4 *ip, tern_span body, uint16_t gso_bytes)
{
    uint8_t bytes[FRAME_MAX];
    struct tern_writer to = tern_writer_of(bytes, sizeof bytes);
    const struct tern_eth eth = {own_mac, peer_mac, TERN_ETHERTYPE_IPV4};

    tern_eth_emit(&eth, &to);
    tern_ipv4_emit(ip, (uint16_t)body.bytes, &to);
    tern_write_bytes(&to, body.data, body.bytes);
    if (!to.failed)
        input(w, bytes, to.bytes, gso_bytes);
}

static void segment(struct world *w, struct tern_reader *in, uint8_t which, uint8_t tos)
{
    static uint8_t bytes[TERN_TCP_HEADER_BYTES_MAX + FUZZ_TEXT_BYTES_MAX];
    struct fuzz_peer *peer = &w->peer[which % PEERS_MAX];
    struct tern_writer to = tern_writer_of(bytes, sizeof bytes);
    struct tern_ipv4 ip = {.ttl = 9, .protocol = TERN_IP_TCP, .src = host(2), .dst = host(1)};
    struct tern_tcp_header h;
    struct tern_sum sum = {0};
    const uint32_t text = fuzz_read_segment(in, peer, &h);

    ip.tos = tos;
    tern_tcp_emit(&h, &to);
    (void)tern_write_room(&to, text);
    TERN_ASSERT(!to.failed);
    tern_sum_add_pseudo(&sum, ip.src, ip.dst, TERN_IP_TCP, (uint32_t)to.bytes);
    tern_sum_add(&sum, bytes, to.bytes);
    tern_put_be16(bytes + TERN_TCP_OFF_CHECKSUM, tern_sum_finish(&sum));
    input_ip(w, &ip, tern_span_of(bytes, to.bytes), text > 1500 ? 700 : 0);
    if ((h.flags & TERN_TCP_ACK) != 0 && (int32_t)(h.ack.value - peer->our_una) > 0 &&
        (int32_t)(h.ack.value - peer->our_nxt) <= 0)
        peer->our_una = h.ack.value;
}

static void arp(struct world *w, struct tern_reader *in, uint8_t how)
{
    struct tern_arp a = {.op = how & 3, .sender_mac = peer_mac, .target_mac = own_mac};

    a.sender = host(tern_read_u8(in) & 7);
    a.target = host(tern_read_u8(in) & 7);
    a.sender_mac.b[5] = how >> 2;
    input_arp(w, &a, (how & 8) != 0 ? own_mac : tern_mac_broadcast);
}

/* An ICMP error about a packet of ours: a connection's, the UDP socket's, or a ping. */
static void icmp_error(struct world *w, struct tern_reader *in, uint8_t which)
{
    static const uint8_t types[] = {TERN_ICMP_UNREACHABLE, TERN_ICMP_TIME_EXCEEDED,
                                    TERN_ICMP_PARAMETER_PROBLEM, TERN_ICMP_UNREACHABLE};
    static const uint8_t protocols[] = {TERN_IP_TCP, TERN_IP_TCP, TERN_IP_UDP, TERN_IP_ICMP};
    const struct fuzz_peer *peer = &w->peer[which % PEERS_MAX];
    struct tern_icmp icmp = {.type = types[(which >> 2) & 3]};
    struct tern_ipv4 quoted = {.ttl = 1, .src = host(1), .dst = host(2)};
    struct tern_ipv4 ip = {.ttl = 9, .protocol = TERN_IP_ICMP, .src = host(3), .dst = host(1)};
    uint8_t quote[64], bytes[128];
    struct tern_writer q = tern_writer_of(quote, sizeof quote);
    struct tern_writer to = tern_writer_of(bytes, sizeof bytes);

    icmp.code = tern_read_u8(in) & 15;
    icmp.mtu = (uint16_t)(tern_read_u8(in) * 6u);
    quoted.protocol = protocols[(which >> 4) & 3];
    tern_ipv4_emit(&quoted, 8, &q);
    if (quoted.protocol == TERN_IP_TCP) {
        tern_write_be16(&q, peer->our_port);
        tern_write_be16(&q, peer->port);
        tern_write_be32(&q, fuzz_near(in, peer->our_una, peer->our_nxt));
    } else {
        tern_write_be16(&q, quoted.protocol == TERN_IP_UDP ? 53 : 0x0800);
        tern_write_be16(&q, 53);
        tern_write_be32(&q, tern_read_be32(in));
    }
    tern_icmp_emit(&icmp, tern_span_of(quote, q.bytes), &to);
    input_ip(w, &ip, tern_span_of(bytes, to.bytes), 0);
}

/* Any bytes with a right IP header: UDP, ICMP, fragments of anything. */
static void packet(struct world *w, struct tern_reader *in, uint8_t how)
{
    static const uint8_t protocols[] = {TERN_IP_UDP, TERN_IP_ICMP, TERN_IP_TCP, 47};
    struct tern_ipv4 ip = {.ttl = 9, .src = host(2), .dst = host(1)};
    uint8_t body[512];
    const size_t bytes = tern_read_u8(in) * 2u;
    const size_t given = bytes < in->left.bytes ? bytes : in->left.bytes;

    memset(body, 0, sizeof body);
    if (given > 0)
        memcpy(body, tern_read_bytes(in, given), given);
    ip.protocol = protocols[how & 3];
    ip.id = w->ip_id + ((how >> 2) & 1);
    ip.more_fragments = (how & 8) != 0;
    if ((how & 16) != 0)
        ip.fragment_offset_bytes = (uint16_t)(tern_read_u8(in) * 8u);
    if ((how & 32) != 0)
        ip.dst = tern_addr_v4(10, 0, 0, 255);
    if (ip.protocol == TERN_IP_ICMP && bytes >= 8 && (how & 64) == 0) {
        struct tern_sum sum = {0};

        if (body[0] == TERN_ICMP_ECHO_REPLY) /* to the last request */
            memcpy(body + 4, w->echo, bytes - 4 < w->echo_bytes ? bytes - 4 : w->echo_bytes);
        tern_put_be16(body + 2, 0);
        tern_sum_add(&sum, body, bytes);
        tern_put_be16(body + 2, tern_sum_finish(&sum));
    }
    if (ip.protocol == TERN_IP_UDP && bytes >= 8 && (how & 64) == 0)
        tern_put_be16(body + 6, 0); /* no checksum */
    input_ip(w, &ip, tern_span_of(body, bytes), 0);
}

static void frame(struct world *w, struct tern_reader *in, uint8_t how)
{
    uint8_t bytes[256];
    const size_t wanted = tern_read_u8(in);
    const size_t count = wanted < in->left.bytes ? wanted : in->left.bytes;

    if (count > 0)
        memcpy(bytes, tern_read_bytes(in, count), count);
    if ((how & 1) != 0 && count >= 6)
        memcpy(bytes, own_mac.b, 6);
    input(w, bytes, count, (how & 2) != 0 ? how : 0);
}

static void pass_time(struct world *w, uint8_t amount)
{
    const tern_time at = tern_stack_deadline(w->stack);
    const tern_time step = amount < 128 ? amount * TERN_MS : (amount - 127) * TERN_SECOND;

    if (amount == 0 && at > w->now && at != TERN_TIME_NEVER)
        w->now = at;
    else
        w->now += step;
    for (int i = 0; i < PEERS_MAX; i++)
        w->peer[i].ts += (uint32_t)(step / TERN_MS);
    settle(w);
    tern_stack_expire(w->stack, w->now);
}

void fuzz_skip_command(struct tern_reader *in)
{
    const struct fuzz_peer nobody = {.port = 80};
    const enum command command = tern_read_u8(in) & 7;
    const uint8_t how = tern_read_u8(in);
    struct tern_tcp_header h;
    size_t bytes;

    switch (command) {
    case COMMAND_SEGMENT:
    case COMMAND_SEGMENT_TOO:
        (void)fuzz_read_segment(in, &nobody, &h);
        break;
    case COMMAND_CALL:
        (void)tern_read_u8(in);
        break;
    case COMMAND_WAIT:
        break;
    case COMMAND_ARP:
        (void)tern_read_u8(in);
        (void)tern_read_u8(in);
        break;
    case COMMAND_ICMP_ERROR:
        (void)tern_read_u8(in);
        (void)tern_read_u8(in);
        if (((how >> 4) & 3) < 2)
            (void)fuzz_near(in, 0, 0);
        else
            (void)tern_read_be32(in);
        break;
    case COMMAND_PACKET:
    case COMMAND_FRAME:
        bytes = tern_read_u8(in) * (command == COMMAND_PACKET ? 2u : 1u);
        bytes = bytes < in->left.bytes ? bytes : in->left.bytes;
        if (bytes > 0)
            (void)tern_read_bytes(in, bytes);
        if (command == COMMAND_PACKET && (how & 16) != 0)
            (void)tern_read_u8(in);
        break;
    }
}

/* The body of a packet: a datagram for our socket, an echo request or reply, or bytes. */
static void fresh_body(uint32_t *random, struct tern_writer *w, uint8_t half_bytes)
{
    static const uint16_t begins[] = {53, TERN_ICMP_ECHO_REQUEST << 8, TERN_ICMP_ECHO_REPLY << 8};
    const size_t end = w->bytes + 1 + 2u * half_bytes;

    tern_write_u8(w, half_bytes);
    tern_write_be16(w, begins[fuzz_draw(random, 3)]);
    tern_write_be16(w, 53);
    tern_write_be16(w, (uint16_t)(2 * half_bytes));
    while (w->bytes < end)
        tern_write_u8(w, (uint8_t)fuzz_draw(random, 256));
}

size_t fuzz_fresh_command(uint32_t *random, uint8_t *out)
{
    static const uint8_t kinds[] = {COMMAND_SEGMENT, COMMAND_SEGMENT,   COMMAND_SEGMENT,
                                    COMMAND_SEGMENT, COMMAND_CALL,      COMMAND_CALL,
                                    COMMAND_CALL,    COMMAND_WAIT,      COMMAND_ARP,
                                    COMMAND_PACKET,  COMMAND_ICMP_ERROR};
    struct tern_writer w = tern_writer_of(out, FUZZ_COMMAND_BYTES_MAX);
    const uint8_t kind = kinds[fuzz_draw(random, sizeof kinds)];
    uint8_t how = (uint8_t)fuzz_draw(random, 256);

    if (kind == COMMAND_SEGMENT || (kind == COMMAND_CALL && fuzz_draw(random, 2) == 0))
        how &= kind == COMMAND_CALL ? 0x8f : 3; /* accept and its kin, reads and writes */
    if (kind == COMMAND_WAIT && fuzz_draw(random, 2) == 0)
        how = 0;
    tern_write_u8(
        &w, (uint8_t)(kind | (fuzz_draw(random, 8) == 0 ? 0x80 : 0) | (fuzz_draw(random, 4) << 3)));
    tern_write_u8(&w, how);
    if (kind == COMMAND_SEGMENT)
        return 2 + fuzz_fresh_segment(random, out + 2);
    if (kind == COMMAND_PACKET) {
        fresh_body(random, &w, (uint8_t)(4 + fuzz_draw(random, 28)));
        if ((how & 16) != 0)
            tern_write_u8(&w, (uint8_t)fuzz_draw(random, 8));
    } else if (kind != COMMAND_WAIT) {
        for (int i = kind == COMMAND_CALL ? 1 : kind == COMMAND_ARP ? 2 : 3; i > 0; i--)
            tern_write_u8(&w, (uint8_t)fuzz_draw(random, 256));
    }
    return w.bytes;
}

static void step(struct world *w, struct tern_reader *in)
{
    const uint8_t command = tern_read_u8(in);
    const uint8_t how = tern_read_u8(in);

    switch ((enum command)(command & 7)) {
    case COMMAND_SEGMENT:
    case COMMAND_SEGMENT_TOO:
        segment(w, in, how, (command >> 3) & TERN_ECN_MASK);
        break;
    case COMMAND_CALL:
        call(w, in, how);
        break;
    case COMMAND_WAIT:
        pass_time(w, how);
        break;
    case COMMAND_ARP:
        arp(w, in, how);
        break;
    case COMMAND_ICMP_ERROR:
        icmp_error(w, in, how);
        break;
    case COMMAND_PACKET:
        packet(w, in, how);
        break;
    case COMMAND_FRAME:
        frame(w, in, how);
        break;
    }
    if ((command & 0x80) == 0) /* else several go into one burst */
        drain(w);
    else if ((command & 0x40) != 0)
        take_one(w);
}

/* ---- birth and end ---- */

static void configure(struct tern_config *c, uint8_t how, uint8_t more)
{
    tern_config_defaults(c);
    memset(c->seed, 7, sizeof c->seed);
    c->link.mac = own_mac;
    c->link.mtu_bytes = (how & 1) != 0 ? 576 : 1500;
    c->link.offloads = (how & 2) != 0 ? TERN_OFFLOAD_TSO4 : 0;
    c->link.offloads |= (how & 4) != 0 ? TERN_OFFLOAD_CSUM_TX : 0;
    c->link.hold_frames = (how & 8) != 0 ? 16 : 0;
    c->link.hold_bytes = c->link.hold_frames * UINT64_C(65536);
    c->connections_max = 6;
    c->listeners_max = c->udp_sockets_max = c->ping_sockets_max = 1;
    c->neighbours_max = 3;
    c->reassembly_max = 2;
    c->addresses_max = 2;
    c->chunk_bytes = 1024;
    c->chunks_max = (how & 16) != 0 ? 8 : 96;
    c->send_buffer_bytes = (how & 32) != 0 ? 3000 : 30000;
    c->receive_buffer_bytes = (how & 64) != 0 ? 3000 : 150000;
    c->traces_count = (how & 128) != 0 ? 4 : 0;
    c->observer = (how & 128) != 0 ? fuzz_note : NULL;
    c->congestion = (more & 1) != 0 ? "reno" : "cubic";
    c->time_waits_max = 2;
    c->rest_at_once = (more & 128) == 0; /* most inputs, and all that were found before */
    c->awake_max = (more & 64) != 0 ? 3 : 0;
    c->fastopen_peers_max = 2;
}

/* The second byte of the input has more to say than configure() asks of it. */
static void set(struct tern_tcp_settings *set, const uint8_t *data, size_t size)
{
    const uint8_t more = size > 1 ? data[1] : 0;

    tern_tcp_settings_defaults(set);
    set->fastopen = (more & 2) != 0;
    set->congestion = (more & 4) != 0 ? "bbr" : NULL;
    set->keepalive = (more & 8) != 0;
    set->keep_idle = set->keep_interval = TERN_SECOND;
    set->urgent_inline = (more & 16) == 0;
    set->mtu_probe = (more & 32) != 0 ? TERN_MTU_PROBE_ALWAYS : TERN_MTU_PROBE_BLACK_HOLE;
    set->ecn = (more & 64) == 0;
    set->user_timeout = (more & 128) != 0 ? 3 * TERN_SECOND : 0;
}

static void create(struct world *w, const struct tern_config *c)
{
    static void *memory;
    static size_t memory_bytes;
    const size_t bytes = (tern_stack_bytes(c) + 63) / 64 * 64;

    if (bytes > memory_bytes) {
        free(memory);
        memory = aligned_alloc(64, bytes);
        memory_bytes = bytes;
    }
    TERN_ASSERT(memory != NULL);
    memset(memory, 0, bytes);
    TERN_ASSERT(tern_stack_init(memory, bytes, c, w->now, &w->stack) == TERN_ERR_OK);
}

static void populate(struct world *w)
{
    const struct tern_cidr own = {host(1), 24};
    const struct tern_endpoint local = {host(1), 53};
    struct tern_tcp_options o = {.local = {.port = 80}, .settings = &w->settings};

    TERN_ASSERT(tern_stack_address_add(w->stack, &own, TERN_CLAIM_NONE) == TERN_ERR_OK);
    drain(w);
    TERN_ASSERT(tern_tcp_listen(w->stack, &o, 2, &w->listener) == TERN_ERR_OK);
    TERN_ASSERT(tern_udp_open(w->stack, &local, NULL, &w->udp) == TERN_ERR_OK);
    TERN_ASSERT(tern_ping_open(w->stack, NULL, &w->ping) == TERN_ERR_OK);
    o.local.port = 5000;
    o.remote = (struct tern_endpoint){host(2), 1000};
    TERN_ASSERT(tern_tcp_connect(w->stack, &o, &w->conn[0]) == TERN_ERR_OK);
    drain(w);
}

static void finish(struct world *w)
{
    struct tern_stack_counters counters;

    for (int i = 0; i < CONNS_MAX; i++)
        if (w->conn[i] != NULL)
            tern_tcp_abort(w->conn[i]);
    if (w->listener != NULL)
        tern_tcp_unlisten(w->listener);
    tern_stack_abort_all(w->stack);
    drain(w);
    for (int i = 0; i < 10; i++) { /* resets may wait for a neighbour that never answers */
        pass_time(w, 128);
        drain(w);
    }
    settle(w);
    tern_stack_counters(w->stack, &counters);
    TERN_ASSERT(counters.connections_used == 0);
    TERN_ASSERT(counters.chunks_used == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct world world;
    static struct fuzz_notes notes;
    struct world *w = &world;
    struct tern_reader in = tern_reader_of(tern_span_of(data, size));
    struct tern_config c;

    memset(w, 0, sizeof *w);
    w->now = TERN_SECOND;
    configure(&c, tern_read_u8(&in), tern_read_u8(&in));
    memset(&notes, 0, sizeof notes);
    c.observer_user = &notes;
    w->mtu_bytes = c.link.mtu_bytes;
    set(&w->settings, data, size);
    create(w, &c);
    for (uint16_t i = 0; i < PEERS_MAX; i++)
        w->peer[i] = (struct fuzz_peer){.our_port = i == 0 ? 5000 : 80,
                                        .port = i == 0 ? 1000 : (uint16_t)(2000 + i),
                                        .nxt = UINT32_MAX - 20,
                                        .edge = UINT32_MAX - 20};
    populate(w);
    for (int i = 0; i < COMMANDS_MAX && in.left.bytes > 0; i++) {
        struct tern_reader same = in;

        fuzz_skip_command(&same);
        step(w, &in);
        TERN_ASSERT(in.left.data == same.left.data);
    }
    drain(w);
    finish(w);
    return 0;
}
