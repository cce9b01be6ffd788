/* SPDX-License-Identifier: BSD-2-Clause */
/* The world of the floods: see world.h. */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/checksum.h"

#define DELAY       (5 * TERN_MS)
#define RATE        12500000 /* bytes a second: 100 Mbit/s */
#define THIEF_ISN   1000u
#define THIEF_PORT  7000
#define WRITE_BYTES 65536 /* what the victim's program says to each thief, if it says anything */

static const struct tern_mac macs[] = {
    {{2, 0, 0, 0, 0, 0}}, {{2, 0, 0, 0, 0, 1}}, {{2, 0, 0, 0, 0, 2}}, {{2, 0, 0, 0, 0, 3}}};

void flood_require(bool holds, const char *words, uint64_t found, uint64_t bound)
{
    if (holds)
        return;
    printf("FAIL %s: %llu, and the bound is %llu\n", words, (unsigned long long)found,
           (unsigned long long)bound);
    exit(1);
}

static void must(bool holds, const char *words)
{
    flood_require(holds, words, 0, 1);
}

static uint8_t byte_at(int side, uint64_t at)
{
    return (uint8_t)(at * 31 + (at >> 8) * 7 + (uint64_t)side * 101);
}

struct tern_addr flood_far(uint32_t n)
{
    return tern_addr_from_be32(0xac100000u + (n & 0xfffffu)); /* 172.16.0.0/12 */
}

struct tern_addr flood_near(uint32_t n)
{
    return tern_addr_from_be32(0x0a100000u + (n & 0xfffffu));
}

/* ---- frames ---- */

size_t flood_packet(uint8_t *out, struct tern_ipv4 ip, tern_span body)
{
    struct tern_writer w = tern_writer_of(out, FRAME_MAX);
    const struct tern_eth eth = {macs[1], macs[3], TERN_ETHERTYPE_IPV4};

    if (tern_addr_is_any(ip.dst))
        ip.dst = tern_addr_v4(10, 0, 0, 1);
    ip.ttl = 9;
    tern_eth_emit(&eth, &w);
    tern_ipv4_emit(&ip, (uint16_t)body.bytes, &w);
    tern_write_bytes(&w, body.data, body.bytes);
    must(!w.failed, "a packet fits its frame");
    return w.bytes;
}

size_t flood_segment(uint8_t *out, struct tern_addr from, const struct tern_tcp_header *h,
                     tern_span text)
{
    uint8_t bytes[FRAME_MAX];
    struct tern_writer w = tern_writer_of(bytes, sizeof bytes);
    const struct tern_ipv4 ip = {.protocol = TERN_IP_TCP, .src = from};
    struct tern_sum sum = {0};

    tern_tcp_emit(h, &w);
    tern_write_bytes(&w, text.data, text.bytes);
    must(!w.failed, "a segment fits its frame");
    tern_sum_add_pseudo(&sum, from, tern_addr_v4(10, 0, 0, 1), TERN_IP_TCP, (uint32_t)w.bytes);
    tern_sum_add(&sum, bytes, w.bytes);
    tern_put_be16(bytes + TERN_TCP_OFF_CHECKSUM, tern_sum_finish(&sum));
    return flood_packet(out, ip, tern_span_of(bytes, w.bytes));
}

static void put_in(struct tern_stack *s, const uint8_t *bytes, size_t count, tern_time now)
{
    struct tern_frame frame = {.piece_count = 1, .bytes = (uint32_t)count};

    frame.piece[0] = tern_span_of(bytes, count);
    tern_stack_input(s, &frame, 1, now);
}

void flood_input(struct flood *f, const uint8_t *bytes, size_t count)
{
    f->counts.hostile++;
    put_in(f->victim, bytes, count, f->now);
}

/* Friend and gateway answer; nobody else is there. */
static void answer_arp(struct flood *f, const struct tern_arp *asked)
{
    const uint32_t target = tern_addr_to_be32(asked->target);
    uint8_t bytes[TERN_ETH_BYTES + TERN_ARP_BYTES];
    struct tern_writer w = tern_writer_of(bytes, sizeof bytes);

    if (asked->op != TERN_ARP_REQUEST || (target != 0x0a000002 && target != 0x0a000003))
        return;
    const struct tern_mac mac = macs[target & 3];
    const struct tern_eth eth = {macs[1], mac, TERN_ETHERTYPE_ARP};
    const struct tern_arp arp = {TERN_ARP_REPLY, mac, asked->target, macs[1],
                                 tern_addr_v4(10, 0, 0, 1)};

    tern_eth_emit(&eth, &w);
    tern_arp_emit(&arp, &w);
    put_in(f->victim, bytes, w.bytes, f->now);
}

static void send(struct wire *w, const struct tern_frame *frame, tern_time now)
{
    const uint32_t nth = (w->first + w->count) % WIRE_MAX;
    const tern_time starts = w->free_at > now ? w->free_at : now;
    uint8_t *bytes;
    size_t count = 0;

    if (w->count == WIRE_MAX)
        return; /* a queue that is full */
    bytes = malloc(frame->bytes);
    must(bytes != NULL, "memory for a frame");
    for (uint32_t i = 0; i < frame->piece_count; i++) {
        memcpy(bytes + count, frame->piece[i].data, frame->piece[i].bytes);
        count += frame->piece[i].bytes;
    }
    w->free_at = starts + (tern_time)(count * TERN_SECOND / RATE);
    w->under_way[nth].bytes = bytes;
    w->under_way[nth].frame = *frame;
    w->under_way[nth].at = w->free_at + DELAY;
    w->count++;
}

static tern_time next_arrival(const struct wire *w)
{
    return w->count == 0 ? TERN_TIME_NEVER : w->under_way[w->first].at;
}

static void arrive(struct wire *w, struct tern_stack *to, tern_time now)
{
    while (next_arrival(w) <= now) {
        struct tern_frame frame = w->under_way[w->first].frame;
        uint8_t *bytes = w->under_way[w->first].bytes;

        frame.piece_count = 1;
        frame.piece[0] = tern_span_of(bytes, frame.bytes);
        tern_stack_input(to, &frame, 1, now);
        free(bytes);
        w->first = (w->first + 1) % WIRE_MAX;
        w->count--;
    }
}

/* ---- what the victim says ---- */

/* A thief hears: it learns the numbers, and says nothing by itself. */
static void thief_hears(struct flood *f, uint32_t n, tern_span body)
{
    struct tern_tcp_header h;
    tern_span text;
    struct thief *t = &f->thief[n % THIEVES_MAX];
    uint32_t end;

    if (!tern_tcp_parse(body, &h, &text) || (h.flags & TERN_TCP_RST) != 0)
        return;
    end = h.seq.value + (uint32_t)text.bytes + ((h.flags & TERN_TCP_FIN) != 0);
    if ((h.flags & TERN_TCP_SYN) != 0) {
        t->una = t->edge = h.seq.value + 1;
        t->open = true;
    } else if ((int32_t)(end - t->edge) > 0) {
        t->edge = end;
    }
}

static void hear_frame(struct flood *f, const struct tern_frame *frame)
{
    static uint8_t bytes[TERN_FRAME_BYTES_MAX];
    struct tern_writer w = tern_writer_of(bytes, sizeof bytes);
    struct tern_eth eth;
    struct tern_arp arp;
    struct tern_ipv4 ip;
    tern_span in, body;

    for (uint32_t i = 0; i < frame->piece_count; i++)
        tern_write_bytes(&w, frame->piece[i].data, frame->piece[i].bytes);
    must(tern_eth_parse(tern_span_of(bytes, w.bytes), &eth, &in), "an Ethernet frame");
    if (eth.type == TERN_ETHERTYPE_ARP) {
        must(tern_arp_parse(in, &arp), "an ARP packet");
        f->counts.requests += arp.op == TERN_ARP_REQUEST;
        if (arp.op == TERN_ARP_REPLY && tern_addr_equal(arp.target, tern_addr_v4(10, 0, 0, 2)))
            send(&f->to_friend, frame, f->now);
        else
            answer_arp(f, &arp);
        return;
    }
    must(tern_ipv4_parse(in, &ip, &body) == TERN_IPV4_OK, "an IP packet");
    f->counts.challenges += frame->cause == TERN_CAUSE_CHALLENGE_ACK;
    if (tern_addr_equal(ip.dst, tern_addr_v4(10, 0, 0, 2))) {
        send(&f->to_friend, frame, f->now);
        return;
    }
    f->counts.strangers++;
    if (ip.protocol == TERN_IP_TCP)
        thief_hears(f, tern_addr_to_be32(ip.dst) & 0xfffffu, body);
}

void flood_hear(struct flood *f)
{
    struct tern_frame frames[16];
    struct tern_event event;
    int n;

    while ((n = tern_stack_output(f->victim, frames, 1, f->now)) > 0)
        hear_frame(f, &frames[0]);
    while (tern_stack_event(f->victim, &event)) {
    }
}

static void hear_friend(struct flood *f)
{
    struct tern_frame frame;
    struct tern_event event;

    while (tern_stack_output(f->friend, &frame, 1, f->now) > 0)
        send(&f->to_victim, &frame, f->now);
    while (tern_stack_event(f->friend, &event)) {
    }
}

/* ---- programs ---- */

/* One end of the friendship: write what fits, read what came, and look at each byte. */
static void talk(struct flood *f, int side)
{
    uint8_t bytes[4096];
    ptrdiff_t n = 1;

    while (n > 0 && f->written[side] < STREAM_BYTES) {
        const uint64_t left = STREAM_BYTES - f->written[side];
        const size_t count = left < sizeof bytes ? (size_t)left : sizeof bytes;

        for (size_t i = 0; i < count; i++)
            bytes[i] = byte_at(side, f->written[side] + i);
        n = tern_tcp_write(f->conn[side], bytes, count);
        f->written[side] += n > 0 ? (uint64_t)n : 0;
    }
    while ((n = tern_tcp_read(f->conn[side], bytes, sizeof bytes)) > 0) {
        for (ptrdiff_t i = 0; i < n; i++)
            must(bytes[i] == byte_at(1 - side, f->read[side] + (uint64_t)i), "the right byte");
        f->read[side] += (uint64_t)n;
    }
    must(n == TERN_ERR_AGAIN, "the friendship lives");
}

bool flood_is_done(const struct flood *f)
{
    return f->read[0] == STREAM_BYTES && f->read[1] == STREAM_BYTES;
}

void flood_serve(struct flood *f)
{
    static const uint8_t words[WRITE_BYTES];
    struct tern_conn *conn;

    while (f->serve != SERVE_NOT_AT_ALL && f->held_count < THIEVES_MAX &&
           tern_tcp_accept(f->listener, NULL, &conn) == TERN_ERR_OK) {
        if (f->serve == SERVE_CLOSE) {
            tern_tcp_close(conn);
            continue;
        }
        if (f->serve == SERVE_WRITE)
            (void)!tern_tcp_write(conn, words, sizeof words);
        f->held[f->held_count++] = conn;
    }
}

void flood_drop_held(struct flood *f)
{
    while (f->held_count > 0)
        tern_tcp_abort(f->held[--f->held_count]);
}

static void turn(struct flood *f)
{
    arrive(&f->to_victim, f->victim, f->now);
    arrive(&f->to_friend, f->friend, f->now);
    tern_stack_expire(f->victim, f->now);
    tern_stack_expire(f->friend, f->now);
    flood_serve(f);
    if (f->conn[0] != NULL)
        for (int side = 0; side < 2; side++)
            talk(f, side);
    flood_hear(f);
    hear_friend(f);
}

void flood_run(struct flood *f, tern_time until)
{
    for (;;) {
        tern_time at = until;
        const tern_time next[] = {tern_stack_deadline(f->victim), tern_stack_deadline(f->friend),
                                  next_arrival(&f->to_victim), next_arrival(&f->to_friend)};

        turn(f);
        if (f->now >= until || (f->conn[0] != NULL && flood_is_done(f)))
            return;
        for (size_t i = 0; i < sizeof next / sizeof next[0]; i++)
            at = next[i] < at ? next[i] : at;
        f->now = at > f->now ? at : f->now + TERN_US;
    }
}

/* ---- thieves ---- */

void flood_thief_says(struct flood *f, uint32_t n, uint8_t flags, uint32_t offset, uint16_t window,
                      uint32_t text_bytes)
{
    static const uint8_t text[1460];
    struct thief *t = &f->thief[n % THIEVES_MAX];
    uint8_t frame[FRAME_MAX];
    struct tern_tcp_header h = {.src_port = THIEF_PORT,
                                .dst_port = PORT,
                                .seq = tern_seq_of(t->nxt + offset),
                                .ack = tern_seq_of(t->una),
                                .flags = flags,
                                .window = window};

    h.has_mss = h.sack_permitted = (flags & TERN_TCP_SYN) != 0;
    h.mss = 1460;
    flood_input(f, frame, flood_segment(frame, flood_far(n), &h, tern_span_of(text, text_bytes)));
}

void flood_steal(struct flood *f, uint32_t count)
{
    for (uint32_t n = 0; n < count; n++) {
        f->thief[n] = (struct thief){.nxt = THIEF_ISN};
        flood_thief_says(f, n, TERN_TCP_SYN, 0, 60000, 0);
        f->thief[n].nxt++;
        flood_hear(f);
        if (f->thief[n].open)
            flood_thief_says(f, n, TERN_TCP_ACK, 0, 60000, 0);
        flood_serve(f);
        flood_hear(f);
    }
}

/* ---- birth and end ---- */

static struct tern_stack *open_stack(struct flood *f, uint8_t n, uint32_t scale)
{
    const struct tern_cidr own = {tern_addr_v4(10, 0, 0, n), 8};
    struct tern_config c;
    struct tern_stack *s;
    size_t bytes;
    void **memory = &f->memory[n - 1];

    tern_config_defaults(&c);
    memset(c.seed, n, sizeof c.seed);
    c.link.mac = macs[n];
    c.link.mtu_bytes = 1500;
    c.connections_max = 64 * scale;
    c.time_waits_max = 64 * scale;
    c.fastopen_peers_max = 16 * scale;
    c.neighbours_max = 16 * scale;
    c.reassembly_max = 4 * scale;
    c.chunk_bytes = 4096;
    c.chunks_max = 4096 * scale; /* 256 KiB a connection, as the default has it */
    c.send_buffer_bytes = c.receive_buffer_bytes = scale << 20;
    bytes = f->memory_bytes[n - 1] = tern_stack_bytes(&c);
    *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    must(*memory != MAP_FAILED, "memory for a stack");
    must(tern_stack_init(*memory, bytes, &c, TERN_SECOND, &s) == TERN_ERR_OK, "a stack");
    must(tern_stack_address_add(s, &own, TERN_CLAIM_NONE) == TERN_ERR_OK, "an address");
    tern_stack_gateway_set(s, tern_addr_v4(10, 0, 0, 3));
    return s;
}

void flood_open(struct flood *f, uint32_t scale)
{
    const struct tern_tcp_options listen = {.local = {.port = PORT}};
    const struct tern_tcp_options dial = {.remote = {tern_addr_v4(10, 0, 0, 1), PORT}};
    struct tern_conn *conn[2];

    memset(f, 0, sizeof *f);
    f->now = TERN_SECOND;
    f->scale = scale;
    f->serve = SERVE_NOT_AT_ALL;
    f->victim = open_stack(f, 1, scale);
    f->friend = open_stack(f, 2, 1);
    flood_run(f, f->now + 10 * TERN_SECOND); /* the announcements */
    must(tern_tcp_listen(f->victim, &listen, 16 * scale, &f->listener) == TERN_ERR_OK, "a port");
    must(tern_tcp_connect(f->friend, &dial, &conn[1]) == TERN_ERR_OK, "a dial");
    flood_run(f, f->now + TERN_SECOND);
    must(tern_tcp_accept(f->listener, NULL, &conn[0]) == TERN_ERR_OK, "a friendship");
    memcpy(f->conn, conn, sizeof conn);
    f->serve = SERVE_LEAVE;
    f->counts = (struct counts){0};
}

static void forget_wire(struct wire *w)
{
    for (; w->count > 0; w->count--, w->first = (w->first + 1) % WIRE_MAX)
        free(w->under_way[w->first].bytes);
}

void flood_close(struct flood *f)
{
    forget_wire(&f->to_victim);
    forget_wire(&f->to_friend);
    for (int i = 0; i < 2; i++)
        (void)munmap(f->memory[i], f->memory_bytes[i]);
}
