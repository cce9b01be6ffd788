/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Callers by hand: see callers.h. Time goes in steps of BURST callers. A caller's number says when
 * it began and which pair of endpoints it has; a ring remembers what the stack answered to those
 * under way. All are behind a gateway, so that the stack has one neighbour.
 */
#include "callers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "base/bytes.h"
#include "resident.h"
#include "wire/arp.h"
#include "wire/eth.h"
#include "wire/ipv4.h"
#include "wire/tcp.h"

#define BURST       64u
#define PORT        80
#define FIRST_PORT  1024u
#define PORTS       60000u
#define PAIRS_MAX   (PORTS * 200u)
#define FRAME_BYTES 128u
#define STEPS_MAX   100000000u

struct caller {
    uint32_t iss; /* the stack's */
    uint32_t stamp;
};

static const struct tern_mac own_mac = {{2, 0, 0, 0, 0, 1}}, gateway_mac = {{2, 0, 0, 0, 0, 2}};

static void fail(const char *words)
{
    fprintf(stderr, "turnover: %s\n", words);
    exit(1);
}

static struct tern_addr own_address(void)
{
    return tern_addr_v4(10, 0, 0, 1);
}

static struct tern_addr gateway_address(void)
{
    return tern_addr_v4(10, 0, 0, 2);
}

static uint64_t thread_ns(void)
{
    struct timespec t = {0};

    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * TERN_SECOND + (uint64_t)t.tv_nsec;
}

static uint32_t pairs_of(const struct callers *c)
{
    return c->options.pairs > 0 ? c->options.pairs : PAIRS_MAX;
}

/* ---- to begin with ---- */

static void configure(const struct callers *c, struct tern_config *config)
{
    const struct callers_options *o = &c->options;

    tern_config_defaults(config);
    memset(config->seed, 7, sizeof config->seed);
    config->link = (struct tern_link_info){
        .mac = own_mac, .mtu_bytes = 1500, .offloads = TERN_OFFLOAD_CSUM_TX, .hold_frames = 1024};
    config->connections_max = 65536 + (uint32_t)(2 * o->rate * o->trip / TERN_SECOND);
    config->time_waits_max = o->time_waits > 0 ? o->time_waits : o->pairs + 1024;
    config->chunk_bytes = 2048;
    config->chunks_max = 1024;
    config->send_buffer_bytes = config->receive_buffer_bytes = 65536;
}

void callers_open(struct callers *c, const struct callers_options *options)
{
    const struct tern_cidr own = {own_address(), 24};
    const struct tern_tcp_options at = {.local = {.port = PORT}};
    const uint32_t backlog = options->backlog > 0 ? options->backlog : 65536;
    struct tern_config config;

    memset(c, 0, sizeof *c);
    c->options = *options;
    c->now = TERN_SECOND;
    configure(c, &config);
    c->bytes = tern_stack_bytes(&config);
    c->memory = mmap(NULL, c->bytes, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    c->ring = 4096 + (uint32_t)(4 * options->rate * options->trip / TERN_SECOND);
    c->caller = calloc(c->ring, sizeof c->caller[0]);
    if (c->bytes == 0 || c->memory == MAP_FAILED || c->caller == NULL)
        fail("no memory");
    if (tern_stack_init(c->memory, c->bytes, &config, c->now, &c->stack) != TERN_ERR_OK ||
        tern_stack_address_add(c->stack, &own, TERN_CLAIM_NONE) != TERN_ERR_OK ||
        tern_tcp_listen(c->stack, &at, backlog, &c->listener) != TERN_ERR_OK)
        fail("the stack refused its configuration");
    tern_stack_gateway_set(c->stack, gateway_address());
}

void callers_close(struct callers *c)
{
    munmap(c->memory, c->bytes);
    free(c->caller);
}

/* ---- what callers say ---- */

static struct tern_endpoint endpoint_of(const struct callers *c, uint64_t number)
{
    const uint32_t pair = (uint32_t)(number % pairs_of(c));
    const uint32_t host = pair / PORTS;

    return (struct tern_endpoint){tern_addr_v4(10, 1, (uint8_t)(host >> 8), (uint8_t)host),
                                  (uint16_t)(FIRST_PORT + pair % PORTS)};
}

static uint32_t iss_of(uint64_t number)
{
    return (uint32_t)number * 2654435761u;
}

static void put_tcp(const struct callers *c, uint64_t number, struct tern_tcp_header *h,
                    uint8_t *bytes, struct tern_frame *frame)
{
    const struct tern_endpoint from = endpoint_of(c, number);
    const struct tern_eth eth = {own_mac, gateway_mac, TERN_ETHERTYPE_IPV4};
    const struct tern_ipv4 ip = {
        .ttl = 64, .protocol = TERN_IP_TCP, .src = from.addr, .dst = own_address()};
    uint8_t tcp[60];
    struct tern_writer body = tern_writer_of(tcp, sizeof tcp);
    struct tern_writer w = tern_writer_of(bytes, FRAME_BYTES);

    h->src_port = from.port;
    h->dst_port = PORT;
    h->window = 60000;
    h->has_timestamps = true;
    h->ts_value = (uint32_t)(c->now / TERN_MS);
    h->ts_echo = c->caller[number % c->ring].stamp;
    tern_tcp_emit(h, &body);
    tern_eth_emit(&eth, &w);
    tern_ipv4_emit(&ip, (uint16_t)body.bytes, &w);
    tern_write_bytes(&w, tcp, body.bytes);
    *frame =
        (struct tern_frame){.piece_count = 1, .bytes = (uint32_t)w.bytes, .csum = TERN_CSUM_VALID};
    frame->piece[0] = (struct tern_slice){.data = bytes, .bytes = w.bytes};
}

static void put_syn(struct callers *c, uint64_t number, uint8_t *bytes, struct tern_frame *frame)
{
    struct tern_tcp_header h = {
        .seq = tern_seq_of(iss_of(number)), .flags = TERN_TCP_SYN, .has_mss = true, .mss = 1460};

    c->caller[number % c->ring] = (struct caller){0, 0};
    put_tcp(c, number, &h, bytes, frame);
}

/* The ACK of the SYN; with FIN, of the stack's FIN as well. */
static void put_ack(struct callers *c, uint64_t number, bool fin, uint8_t *bytes,
                    struct tern_frame *frame)
{
    const struct caller *it = &c->caller[number % c->ring];
    struct tern_tcp_header h = {.seq = tern_seq_of(iss_of(number) + 1),
                                .ack = tern_seq_of(it->iss + (fin ? 2 : 1)),
                                .flags = fin ? TERN_TCP_ACK | TERN_TCP_FIN : TERN_TCP_ACK};

    put_tcp(c, number, &h, bytes, frame);
}

/* ---- what the stack says ---- */

static void hear_arp(struct callers *c, tern_span body)
{
    const struct tern_eth eth = {own_mac, gateway_mac, TERN_ETHERTYPE_ARP};
    struct tern_arp arp, reply;
    uint8_t bytes[64];
    struct tern_writer w = tern_writer_of(bytes, sizeof bytes);
    struct tern_frame frame = {.piece_count = 1};

    if (!tern_arp_parse(body, &arp) || arp.op != TERN_ARP_REQUEST ||
        !tern_addr_equal(arp.target, gateway_address()))
        return;
    reply =
        (struct tern_arp){TERN_ARP_REPLY, gateway_mac, gateway_address(), own_mac, own_address()};
    tern_eth_emit(&eth, &w);
    tern_arp_emit(&reply, &w);
    frame.bytes = (uint32_t)w.bytes;
    frame.piece[0] = tern_span_of(bytes, w.bytes);
    tern_stack_input(c->stack, &frame, 1, c->now);
}

/* The last caller who had that pair of endpoints. */
static uint64_t number_of(const struct callers *c, struct tern_addr addr, uint16_t port)
{
    const uint32_t host = tern_addr_to_be32(addr) & 0xffff, pairs = pairs_of(c);
    const uint64_t pair = (uint64_t)host * PORTS + (port - FIRST_PORT), last = c->begun - 1;

    return last - (last + pairs - pair % pairs) % pairs;
}

static void hear_frame(struct callers *c, const struct tern_frame *frame)
{
    struct tern_tcp_header h;
    struct tern_ipv4 ip;
    struct tern_eth eth;
    tern_span body, packet, text;
    uint8_t whole[FRAME_BYTES];
    struct tern_writer w = tern_writer_of(whole, sizeof whole);

    for (uint32_t i = 0; i < frame->piece_count; i++)
        tern_write_bytes(&w, frame->piece[i].data, frame->piece[i].bytes);
    if (w.failed || !tern_eth_parse(tern_span_of(whole, w.bytes), &eth, &packet))
        fail("a frame that is none");
    if (eth.type == TERN_ETHERTYPE_ARP) {
        hear_arp(c, packet);
        return;
    }
    if (tern_ipv4_parse(packet, &ip, &body) != TERN_IPV4_OK || !tern_tcp_parse(body, &h, &text))
        fail("a packet that is none");
    c->resets += (h.flags & TERN_TCP_RST) != 0;
    if ((h.flags & TERN_TCP_SYN) != 0) {
        struct caller *it = &c->caller[number_of(c, ip.dst, h.dst_port) % c->ring];

        c->answered += it->iss == 0;
        *it = (struct caller){h.seq.value, h.ts_value};
    }
}

static void hear_events(struct callers *c)
{
    struct tern_conn *conn;
    struct tern_event e;

    while (tern_stack_event(c->stack, &e)) {
        while (e.kind == TERN_EVENT_LISTENER &&
               tern_tcp_accept(c->listener, NULL, &conn) == TERN_ERR_OK) {
            c->accepted++;
            if (c->options.then == THEN_CLOSE)
                tern_tcp_close(conn);
            else
                tern_tcp_abort(conn);
        }
    }
}

/* A burst in, and all that follows from it; the stack's own time is counted. */
static void exchange(struct callers *c, const struct tern_frame *frames, uint32_t count)
{
    uint64_t from = thread_ns();
    int n;

    tern_stack_input(c->stack, frames, (int)count, c->now);
    hear_events(c);
    tern_stack_expire(c->stack, c->now);
    do {
        struct tern_frame out[TERN_BURST_MAX];

        n = tern_stack_output(c->stack, out, TERN_BURST_MAX, c->now);
        c->spent_ns += thread_ns() - from;
        for (int i = 0; i < n; i++)
            hear_frame(c, &out[i]);
        from = thread_ns();
    } while (n > 0);
}

/* ---- time ---- */

static bool is_due(const struct callers *c, uint64_t number, int trips)
{
    return number < c->begun && TERN_SECOND + (tern_time)(number * TERN_SECOND / c->options.rate) +
                                        trips * c->options.trip <=
                                    c->now;
}

/* Each kind is a burst of its own: a FIN must not overtake what the stack makes of the ACK. */
static void step(struct callers *c)
{
    static uint8_t bytes[BURST][FRAME_BYTES];
    struct tern_frame frames[BURST];
    uint32_t n;

    for (n = 0; n < BURST; n++)
        put_syn(c, c->begun++, bytes[n], &frames[n]);
    exchange(c, frames, n);
    for (n = 0; c->options.then != THEN_NOTHING && n < BURST && is_due(c, c->acknowledged, 1); n++)
        put_ack(c, c->acknowledged++, false, bytes[n], &frames[n]);
    exchange(c, frames, n);
    for (n = 0; c->options.then == THEN_CLOSE && n < BURST && is_due(c, c->finished, 2); n++)
        put_ack(c, c->finished++, true, bytes[n], &frames[n]);
    exchange(c, frames, n);
    c->now = TERN_SECOND + (tern_time)(c->begun * TERN_SECOND / c->options.rate);
}

void callers_run(struct callers *c, tern_time span)
{
    const tern_time end = c->now + span;

    for (uint32_t i = 0; c->now < end && i < STEPS_MAX; i++)
        step(c);
}

struct tern_stack_counters callers_counters(const struct callers *c)
{
    struct tern_stack_counters counters;

    tern_stack_counters(c->stack, &counters);
    return counters;
}

void callers_judge(const struct callers *c)
{
    const struct tern_stack_counters n = callers_counters(c);
    const struct callers_options *o = &c->options;

    tern_stack_check(c->stack);
    if (c->answered != c->begun)
        fail("not every SYN was answered");
    if (o->then == THEN_NOTHING && (n.syn_cookies_sent == 0 || n.connections_used > o->backlog))
        fail("a backlog that is full sends cookies, and grows no more");
    if (o->then == THEN_NOTHING)
        return;
    if (n.syn_cookies_sent > 0 || n.connections_failed > 0)
        fail("half-open connections did not wait for their ACK");
    if (c->accepted != c->acknowledged)
        fail("not every caller was accepted");
    if (c->resets != (o->then == THEN_RESET ? c->accepted : 0))
        fail("resets where none belong, or the other way round");
    if (o->then == THEN_CLOSE && n.time_waits_used > (o->pairs > 0 ? o->pairs : o->time_waits))
        fail("more records than pairs");
    if (o->pairs > 0 && n.time_waits_used < o->pairs - o->pairs / 10)
        fail("fewer records than pairs");
}

size_t callers_resident(const struct callers *c)
{
    size_t resident;

    if (!resident_bytes(c->memory, c->bytes, &resident))
        fail("mincore");
    return resident;
}
