/* SPDX-License-Identifier: BSD-2-Clause */
/* The bench: see bench.h. Sums are made here by hand, so that they judge the stack's. */
#include "bench.h"

#define STILL_MAX 10000 /* turns without progress: a stack that spins */

struct tern_addr bench_addr(uint8_t n)
{
    return tern_addr_v4(10, 0, 0, n);
}

struct tern_mac bench_mac(uint8_t n)
{
    return (struct tern_mac){{2, 0, 0, 0, 0, n}};
}

void bench_config(struct tern_config *c, uint8_t n)
{
    tern_config_defaults(c);
    memset(c->seed, n, sizeof c->seed);
    c->link.mac = bench_mac(n);
    c->link.mtu_bytes = 1500;
    c->connections_max = 8;
    c->listeners_max = 2;
    c->udp_sockets_max = 3;
    c->ping_sockets_max = 2;
    c->neighbours_max = 8;
    c->reassembly_max = 2;
    c->addresses_max = 3;
    c->chunk_bytes = 1024;
    c->chunks_max = 512;
    c->send_buffer_bytes = 65536;
    c->receive_buffer_bytes = 65535;
}

void bench_open(struct bench *b, const struct tern_config *c)
{
    const size_t bytes = tern_stack_bytes(c);

    memset(b, 0, sizeof *b);
    assert_true(bytes > 0);
    b->now = TERN_SECOND;
    b->memory = aligned_alloc(64, (bytes + 63) / 64 * 64);
    assert_non_null(b->memory);
    memset(b->memory, 0, bytes);
    assert_int_equal(tern_stack_init(b->memory, bytes, c, b->now, &b->stack), TERN_ERR_OK);
}

void bench_add(struct bench *b, const char *cidr)
{
    struct tern_cidr own;

    assert_int_equal(tern_cidr_parse(cidr, &own), TERN_ERR_OK);
    assert_int_equal(tern_stack_address_add(b->stack, &own, TERN_CLAIM_NONE), TERN_ERR_OK);
    bench_advance(b, 10 * TERN_SECOND); /* the announcements */
    (void)bench_events(b, TERN_EVENT_ADDRESS);
    bench_forget(b);
}

void bench_open_at(struct bench *b, const struct tern_config *c, uint8_t n)
{
    char cidr[32];

    bench_open(b, c);
    snprintf(cidr, sizeof cidr, "10.0.0.%u/24", n);
    bench_add(b, cidr);
    bench_know(b, 2);
}

void bench_close(struct bench *b)
{
    tern_stack_check(b->stack);
    bench_forget(b);
    free(b->memory);
}

void bench_forget(struct bench *b)
{
    for (uint32_t i = 0; i < b->sent_count; i++)
        free(b->sent[i].bytes);
    b->sent_count = 0;
}

static void keep(struct bench *b, const struct tern_frame *f)
{
    struct bench_sent *sent = &b->sent[b->sent_count++];

    assert_true(b->sent_count < BENCH_SENT_MAX);
    assert_true(f->cause != TERN_CAUSE_NONE);
    assert_true(f->piece_count <= TERN_FRAME_PIECES_MAX);
    *sent = (struct bench_sent){.frame = *f, .at = b->now};
    sent->bytes = malloc(f->bytes);
    assert_non_null(sent->bytes);
    for (uint32_t i = 0; i < f->piece_count; i++) {
        assert_true(sent->count + f->piece[i].bytes <= f->bytes);
        memcpy(sent->bytes + sent->count, f->piece[i].data, f->piece[i].bytes);
        sent->count += (uint32_t)f->piece[i].bytes;
    }
    assert_int_equal(sent->count, f->bytes);
}

void bench_drain(struct bench *b)
{
    struct tern_frame frames[5]; /* an odd few, so that bursts end anywhere */
    int n;

    while ((n = tern_stack_output(b->stack, frames, 5, b->now)) > 0)
        for (int i = 0; i < n; i++)
            keep(b, &frames[i]);
    tern_stack_check(b->stack);
}

static void tick(struct bench *b)
{
    tern_stack_expire(b->stack, b->now);
    bench_drain(b);
}

void bench_advance(struct bench *b, tern_time step)
{
    const tern_time end = b->now + step;
    int still = 0;

    bench_drain(b);
    while (tern_stack_deadline(b->stack) <= end) {
        const tern_time at = tern_stack_deadline(b->stack);

        still = at > b->now ? 0 : still + 1;
        assert_true(still < STILL_MAX);
        b->now = at > b->now ? at : b->now;
        tick(b);
    }
    b->now = end;
    tick(b);
}

/* ---- frames in ---- */

void bench_frame(struct bench *b, const struct tern_frame *frame)
{
    tern_stack_input(b->stack, frame, 1, b->now);
    bench_drain(b);
}

void bench_input(struct bench *b, const uint8_t *bytes, size_t count)
{
    uint8_t *copy = malloc(count > 0 ? count : 1); /* of its very size, to see a byte too far */
    struct tern_frame f = {.piece_count = 1, .bytes = (uint32_t)count};

    assert_non_null(copy);
    if (count > 0)
        memcpy(copy, bytes, count);
    f.piece[0] = tern_span_of(copy, count);
    bench_frame(b, &f);
    free(copy);
}

void bench_arp(struct bench *b, uint16_t op, uint8_t sender, uint8_t target)
{
    uint8_t bytes[TERN_ETH_BYTES + TERN_ARP_BYTES];
    struct tern_writer w = tern_writer_of(bytes, sizeof bytes);
    const struct tern_eth eth = {tern_mac_broadcast, bench_mac(sender), TERN_ETHERTYPE_ARP};
    const struct tern_arp arp = {op, bench_mac(sender), bench_addr(sender), bench_mac(target),
                                 bench_addr(target)};

    tern_eth_emit(&eth, &w);
    tern_arp_emit(&arp, &w);
    bench_input(b, bytes, w.bytes);
}

void bench_know(struct bench *b, uint8_t n)
{
    const uint32_t had = b->sent_count;

    bench_arp(b, TERN_ARP_REQUEST, n, 1);
    while (b->sent_count > had) /* our answer */
        free(b->sent[--b->sent_count].bytes);
}

void bench_ip(struct bench *b, struct tern_ipv4 ip, tern_span body)
{
    uint8_t *bytes = malloc(TERN_ETH_BYTES + TERN_IPV4_BYTES + body.bytes);
    struct tern_writer w = tern_writer_of(bytes, TERN_ETH_BYTES + TERN_IPV4_BYTES + body.bytes);
    const struct tern_eth eth = {bench_mac(1), bench_mac(2), TERN_ETHERTYPE_IPV4};

    assert_non_null(bytes);
    if (tern_addr_is_any(ip.src))
        ip.src = bench_addr(2);
    if (tern_addr_is_any(ip.dst))
        ip.dst = bench_addr(1);
    ip.ttl = ip.ttl == 0 ? 64 : ip.ttl;
    tern_eth_emit(&eth, &w);
    tern_ipv4_emit(&ip, (uint16_t)body.bytes, &w);
    tern_write_bytes(&w, body.data, body.bytes);
    assert_false(w.failed);
    bench_input(b, bytes, w.bytes);
    free(bytes);
}

/* RFC 1071, the slow way. */
static uint32_t sum_words(uint32_t sum, const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        sum += (uint32_t)bytes[i] << (i % 2 == 0 ? 8 : 0);
    while (sum > 0xffff)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

static uint32_t sum_pseudo(struct tern_addr src, struct tern_addr dst, uint8_t protocol,
                           size_t bytes)
{
    uint32_t sum = sum_words(0, src.b + 12, 4);

    sum = sum_words(sum, dst.b + 12, 4);
    return sum_words(sum + protocol + (uint32_t)bytes, NULL, 0);
}

void bench_tcp(struct bench *b, struct tern_tcp_header h, tern_span text)
{
    uint8_t *bytes = malloc(TERN_TCP_HEADER_BYTES_MAX + text.bytes);
    struct tern_writer w = tern_writer_of(bytes, TERN_TCP_HEADER_BYTES_MAX + text.bytes);
    uint32_t sum;

    assert_non_null(bytes);
    tern_tcp_emit(&h, &w);
    tern_write_bytes(&w, text.data, text.bytes);
    sum = sum_pseudo(bench_addr(2), bench_addr(1), TERN_IP_TCP, w.bytes);
    tern_put_be16(bytes + TERN_TCP_OFF_CHECKSUM, (uint16_t)~sum_words(sum, bytes, w.bytes));
    bench_ip(b, (struct tern_ipv4){.protocol = TERN_IP_TCP}, tern_span_of(bytes, w.bytes));
    free(bytes);
}

void bench_udp(struct bench *b, uint16_t src_port, uint16_t dst_port, tern_span data)
{
    uint8_t bytes[4096];
    struct tern_writer w = tern_writer_of(bytes, sizeof bytes);
    const struct tern_udp udp = {src_port, dst_port};

    tern_udp_emit(&udp, bench_addr(2), bench_addr(1), data, &w);
    assert_false(w.failed);
    bench_ip(b, (struct tern_ipv4){.protocol = TERN_IP_UDP}, tern_span_of(bytes, w.bytes));
}

void bench_icmp(struct bench *b, const struct tern_icmp *icmp, tern_span data)
{
    uint8_t bytes[4096];
    struct tern_writer w = tern_writer_of(bytes, sizeof bytes);

    tern_icmp_emit(icmp, data, &w);
    assert_false(w.failed);
    bench_ip(b, (struct tern_ipv4){.protocol = TERN_IP_ICMP}, tern_span_of(bytes, w.bytes));
}

void bench_icmp_error(struct bench *b, uint8_t type, uint8_t code, uint8_t protocol,
                      uint16_t our_port, uint16_t port, uint32_t seq)
{
    const struct tern_icmp icmp = {.type = type, .code = code};
    const struct tern_ipv4 ip = {
        .ttl = 3, .protocol = protocol, .src = bench_addr(1), .dst = bench_addr(2)};
    uint8_t bytes[64];
    struct tern_writer w = tern_writer_of(bytes, sizeof bytes);

    tern_ipv4_emit(&ip, 8, &w);
    tern_write_be16(&w, our_port);
    tern_write_be16(&w, port);
    tern_write_be32(&w, seq);
    bench_icmp(b, &icmp, tern_span_of(bytes, w.bytes));
}

/* ---- frames out ---- */

static bool is_ip(const struct bench_sent *sent, struct tern_ipv4 *ip, tern_span *body)
{
    struct tern_eth eth;
    tern_span in;

    assert_true(tern_eth_parse(tern_span_of(sent->bytes, sent->count), &eth, &in));
    return eth.type == TERN_ETHERTYPE_IPV4 && tern_ipv4_parse(in, ip, body) == TERN_IPV4_OK;
}

static void check_sum(const struct bench_sent *sent, const struct tern_ipv4 *ip, tern_span body)
{
    uint32_t sum = 0;

    if (ip->more_fragments || ip->fragment_offset_bytes > 0)
        return;
    if (ip->protocol != TERN_IP_ICMP)
        sum = sum_pseudo(ip->src, ip->dst, ip->protocol, body.bytes);
    if (sent->frame.csum == TERN_CSUM_NEEDS) { /* the pseudo-header's alone is there */
        assert_int_equal(sent->frame.csum_start + body.bytes, sent->count);
        assert_int_equal(sent->frame.csum_offset, TERN_TCP_OFF_CHECKSUM);
        assert_int_equal(tern_get_be16(body.data + TERN_TCP_OFF_CHECKSUM), sum);
        return;
    }
    assert_int_equal(sum_words(sum, body.data, body.bytes), 0xffff);
}

bool bench_sent_ip(const struct bench *b, uint8_t protocol, uint32_t nth, struct tern_ipv4 *ip,
                   tern_span *body)
{
    for (uint32_t i = 0; i < b->sent_count; i++) {
        if (!is_ip(&b->sent[i], ip, body) || ip->protocol != protocol)
            continue;
        check_sum(&b->sent[i], ip, *body);
        if (nth-- == 0)
            return true;
    }
    return false;
}

uint32_t bench_sent_count(const struct bench *b, uint8_t protocol)
{
    struct tern_ipv4 ip;
    tern_span body;
    uint32_t n = 0;

    while (bench_sent_ip(b, protocol, n, &ip, &body))
        n++;
    return n;
}

bool bench_sent_arp(const struct bench *b, uint32_t nth, struct tern_arp *out)
{
    for (uint32_t i = 0; i < b->sent_count; i++) {
        struct tern_eth eth;
        tern_span in;

        assert_true(tern_eth_parse(tern_span_of(b->sent[i].bytes, b->sent[i].count), &eth, &in));
        if (eth.type != TERN_ETHERTYPE_ARP)
            continue;
        assert_true(tern_arp_parse(in, out));
        if (nth-- == 0)
            return true;
    }
    return false;
}

bool bench_sent_tcp(const struct bench *b, uint32_t nth, struct tern_tcp_header *h, tern_span *text)
{
    struct tern_ipv4 ip;
    tern_span body;

    return bench_sent_ip(b, TERN_IP_TCP, nth, &ip, &body) && tern_tcp_parse(body, h, text);
}

bool bench_sent_icmp(const struct bench *b, uint32_t nth, struct tern_icmp *icmp, tern_span *data)
{
    struct tern_ipv4 ip;
    tern_span body;

    return bench_sent_ip(b, TERN_IP_ICMP, nth, &ip, &body) && tern_icmp_parse(body, icmp, data);
}

uint64_t bench_drops(const struct bench *b, enum tern_drop reason)
{
    struct tern_stack_counters c;

    tern_stack_counters(b->stack, &c);
    return c.drops[reason];
}

uint32_t bench_events(struct bench *b, enum tern_event_kind kind)
{
    struct tern_event e;
    uint32_t bits = 0;

    while (tern_stack_event(b->stack, &e)) {
        assert_true(e.bits != 0);
        if (e.kind == kind)
            bits |= e.bits;
    }
    return bits;
}

static struct tern_conn *connect_by_hand(struct bench *b, uint16_t port, bool sack,
                                         struct tern_tcp_header *peer)
{
    const struct tern_tcp_options o = {.remote = {bench_addr(2), port}};
    struct tern_conn *conn;
    struct tern_tcp_header syn;
    tern_span text;

    bench_forget(b);
    assert_int_equal(tern_tcp_connect(b->stack, &o, &conn), TERN_ERR_OK);
    bench_drain(b);
    assert_true(bench_sent_tcp(b, 0, &syn, &text));
    assert_int_equal(syn.flags, TERN_TCP_SYN | TERN_TCP_ECE | TERN_TCP_CWR);
    *peer = (struct tern_tcp_header){.src_port = port,
                                     .dst_port = syn.src_port,
                                     .seq = tern_seq_of(1000),
                                     .ack = tern_seq_add(syn.seq, 1),
                                     .flags = TERN_TCP_SYN | TERN_TCP_ACK,
                                     .window = 60000,
                                     .has_mss = true,
                                     .mss = 1460,
                                     .sack_permitted = sack};
    bench_tcp(b, *peer, text);
    assert_int_equal(tern_tcp_state(conn), TERN_TCP_ESTABLISHED);
    peer->seq = tern_seq_of(1001);
    peer->flags = TERN_TCP_ACK;
    peer->has_mss = peer->sack_permitted = false;
    bench_forget(b);
    return conn;
}

struct tern_conn *bench_connect(struct bench *b, uint16_t port, struct tern_tcp_header *peer)
{
    return connect_by_hand(b, port, false, peer);
}

struct tern_conn *bench_connect_sack(struct bench *b, uint16_t port, struct tern_tcp_header *peer)
{
    return connect_by_hand(b, port, true, peer);
}

/* ---- two of them ---- */

void pair_open(struct pair *p, const struct tern_config *first, const struct tern_config *second)
{
    memset(p, 0, sizeof *p);
    bench_open(&p->end[0], first);
    bench_open(&p->end[1], second);
    bench_add(&p->end[0], "10.0.0.1/24");
    bench_add(&p->end[1], "10.0.0.2/24");
}

void pair_open_small(struct pair *p)
{
    struct tern_config first, second;

    bench_config(&first, 1);
    bench_config(&second, 2);
    pair_open(p, &first, &second);
}

void pair_close(struct pair *p)
{
    bench_close(&p->end[0]);
    bench_close(&p->end[1]);
}

static bool cross(struct pair *p, int from)
{
    struct bench *b = &p->end[from];
    const uint32_t count = b->sent_count;

    for (uint32_t i = 0; i < count && !p->cut; i++) {
        struct tern_frame f = b->sent[i].frame;

        f.piece[0] = tern_span_of(b->sent[i].bytes, b->sent[i].count);
        f.piece_count = 1;
        bench_frame(&p->end[1 - from], &f);
    }
    bench_forget(b);
    return count > 0;
}

void pair_settle(struct pair *p)
{
    int turns = 0;
    bool more;

    do {
        bench_drain(&p->end[0]);
        more = cross(p, 0);
        bench_drain(&p->end[1]);
        more = cross(p, 1) || more;
        assert_true(++turns < STILL_MAX);
    } while (more);
}

void pair_run(struct pair *p, tern_time step)
{
    const tern_time end = p->end[0].now + step;
    int still = 0;

    for (;;) {
        tern_time at = end;

        pair_settle(p);
        for (int i = 0; i < 2; i++)
            if (tern_stack_deadline(p->end[i].stack) < at)
                at = tern_stack_deadline(p->end[i].stack);
        if (at <= p->end[0].now)
            at = p->end[0].now;
        still = at > p->end[0].now ? 0 : still + 1;
        assert_true(still < STILL_MAX);
        for (int i = 0; i < 2; i++) {
            p->end[i].now = at;
            tern_stack_expire(p->end[i].stack, at);
        }
        if (at == end)
            break;
    }
    pair_settle(p);
}

struct tern_listener *pair_listen(struct pair *p, uint32_t backlog)
{
    const struct tern_tcp_options o = {.local = {.port = 80}};
    struct tern_listener *l;

    assert_int_equal(tern_tcp_listen(p->end[1].stack, &o, backlog, &l), TERN_ERR_OK);
    return l;
}

struct tern_conn *pair_dial(struct pair *p)
{
    const struct tern_tcp_options o = {.remote = {bench_addr(2), 80}};
    struct tern_conn *conn;

    assert_int_equal(tern_tcp_connect(p->end[0].stack, &o, &conn), TERN_ERR_OK);
    pair_settle(p);
    return conn;
}

void pair_connect(struct pair *p, struct tern_listener *l, struct tern_conn *conn[2])
{
    conn[0] = pair_dial(p);
    assert_int_equal(tern_tcp_state(conn[0]), TERN_TCP_ESTABLISHED);
    assert_int_equal(tern_tcp_accept(l, NULL, &conn[1]), TERN_ERR_OK);
}
