/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames in: a row for each reason to drop one that the stack itself counts, and frames that are
 * odd but right. Reasons of a connection are in the scripts of packets. */
#include "bench.h"

#include "base/checksum.h"

/* Each fills in a frame for 10.0.0.1 on a bench with one connection and says how long it is. */
typedef size_t maker(struct bench *b, uint8_t *frame);

#define FRAME_MAX 4096

static size_t ip_frame(uint8_t *frame, const struct tern_ipv4 *ip, const void *body, size_t bytes)
{
    struct tern_writer w = tern_writer_of(frame, FRAME_MAX);
    const struct tern_eth eth = {bench_mac(1), bench_mac(2), TERN_ETHERTYPE_IPV4};

    tern_eth_emit(&eth, &w);
    tern_ipv4_emit(ip, (uint16_t)bytes, &w);
    tern_write_bytes(&w, body, bytes);
    assert_false(w.failed);
    return w.bytes;
}

static struct tern_ipv4 to_us(uint8_t protocol)
{
    return (struct tern_ipv4){
        .ttl = 64, .protocol = protocol, .src = bench_addr(2), .dst = bench_addr(1)};
}

static void fix_ip_sum(uint8_t *frame)
{
    struct tern_sum sum = {0};
    uint8_t *ip = frame + TERN_ETH_BYTES;

    tern_put_be16(ip + 10, 0);
    tern_sum_add(&sum, ip, (size_t)(ip[0] & 15) * 4);
    tern_put_be16(ip + 10, tern_sum_finish(&sum));
}

static size_t make_ping(uint8_t *frame)
{
    const struct tern_icmp icmp = {.type = TERN_ICMP_ECHO_REQUEST, .id = 1, .sequence = 2};
    const struct tern_ipv4 ip = to_us(TERN_IP_ICMP);
    uint8_t message[12];
    struct tern_writer w = tern_writer_of(message, sizeof message);

    tern_icmp_emit(&icmp, tern_span_of("ping", 4), &w);
    return ip_frame(frame, &ip, message, w.bytes);
}

static size_t a_short_frame(struct bench *b, uint8_t *frame)
{
    (void)b;
    memcpy(frame, bench_mac(1).b, 6);
    memset(frame + 6, 0, 7);
    return 13;
}

static size_t another_mac(struct bench *b, uint8_t *frame)
{
    const size_t n = make_ping(frame);

    (void)b;
    memcpy(frame, bench_mac(3).b, 6);
    return n;
}

static size_t another_type(struct bench *b, uint8_t *frame)
{
    const size_t n = make_ping(frame);

    (void)b;
    tern_put_be16(frame + 12, 0x88cc);
    return n;
}

/* IEEE 802.1Q: what bears the number of a VLAN is for its stations, and we are in none. */
static size_t of_a_vlan(struct bench *b, uint8_t *frame)
{
    const size_t n = make_ping(frame);

    (void)b;
    memmove(frame + 16, frame + 12, n - 12);
    tern_put_be32(frame + 12, 0x8100a005);
    return n + 4;
}

static size_t of_an_inner_vlan(struct bench *b, uint8_t *frame)
{
    const size_t n = of_a_vlan(b, frame);

    memmove(frame + 16, frame + 12, n - 12);
    tern_put_be32(frame + 12, 0x88a86000);
    return n + 4;
}

static size_t version_6(struct bench *b, uint8_t *frame)
{
    const size_t n = make_ping(frame);

    (void)b;
    tern_put_be16(frame + 12, TERN_ETHERTYPE_IPV6);
    return n;
}

static size_t short_arp(struct bench *b, uint8_t *frame)
{
    struct tern_writer w = tern_writer_of(frame, FRAME_MAX);
    const struct tern_eth eth = {tern_mac_broadcast, bench_mac(2), TERN_ETHERTYPE_ARP};

    (void)b;
    tern_eth_emit(&eth, &w);
    tern_write_be32(&w, 0x00010800);
    return w.bytes;
}

static size_t cut_off(struct bench *b, uint8_t *frame)
{
    (void)b;
    return make_ping(frame) - 1;
}

static size_t bad_ip_sum(struct bench *b, uint8_t *frame)
{
    const size_t n = make_ping(frame);

    (void)b;
    frame[TERN_ETH_BYTES + 10] ^= 1;
    return n;
}

static size_t another_address(struct bench *b, uint8_t *frame)
{
    struct tern_ipv4 ip = to_us(TERN_IP_ICMP);

    (void)b;
    ip.dst = bench_addr(3);
    return ip_frame(frame, &ip, "12345678", 8);
}

/* RFC 1122 §3.3.6: a host's packet in everyone's frame. */
static size_t unicast_in_broadcast(struct bench *b, uint8_t *frame)
{
    const size_t n = make_ping(frame);

    (void)b;
    memset(frame, 0xff, 6);
    return n;
}

static size_t unknown_protocol(struct bench *b, uint8_t *frame)
{
    const struct tern_ipv4 ip = to_us(47);

    (void)b;
    return ip_frame(frame, &ip, "12345678", 8);
}

static size_t odd_fragment(struct bench *b, uint8_t *frame)
{
    struct tern_ipv4 ip = to_us(TERN_IP_UDP);

    (void)b;
    ip.more_fragments = true; /* so its length must be a multiple of 8 */
    return ip_frame(frame, &ip, "12345", 5);
}

static size_t overlapping_fragment(struct bench *b, uint8_t *frame)
{
    struct tern_ipv4 ip = to_us(TERN_IP_UDP);

    ip.more_fragments = true;
    bench_input(b, frame, ip_frame(frame, &ip, "1234567812345678", 16));
    ip.fragment_offset_bytes = 8;
    return ip_frame(frame, &ip, "abcdefghabcdefgh", 16);
}

static size_t third_packet_in_pieces(struct bench *b, uint8_t *frame)
{
    struct tern_ipv4 ip = to_us(TERN_IP_UDP);

    ip.more_fragments = true;
    for (ip.id = 1; ip.id < 3; ip.id++)
        bench_input(b, frame, ip_frame(frame, &ip, "12345678", 8));
    return ip_frame(frame, &ip, "12345678", 8);
}

static size_t bad_icmp_sum(struct bench *b, uint8_t *frame)
{
    const size_t n = make_ping(frame);

    (void)b;
    frame[n - 1] ^= 1;
    return n;
}

static size_t reply_to_nobody(struct bench *b, uint8_t *frame)
{
    const struct tern_icmp icmp = {.type = TERN_ICMP_ECHO_REPLY};
    const struct tern_ipv4 ip = to_us(TERN_IP_ICMP);
    uint8_t message[8];
    struct tern_writer w = tern_writer_of(message, sizeof message);

    (void)b;
    tern_icmp_emit(&icmp, tern_span_of("", 0), &w);
    return ip_frame(frame, &ip, message, w.bytes);
}

static size_t make_udp(uint8_t *frame, uint16_t port)
{
    const struct tern_ipv4 ip = to_us(TERN_IP_UDP);
    const struct tern_udp udp = {99, port};
    uint8_t bytes[32];
    struct tern_writer w = tern_writer_of(bytes, sizeof bytes);

    tern_udp_emit(&udp, ip.src, ip.dst, tern_span_of("data", 4), &w);
    return ip_frame(frame, &ip, bytes, w.bytes);
}

static size_t bad_udp_sum(struct bench *b, uint8_t *frame)
{
    const size_t n = make_udp(frame, 53);

    (void)b;
    frame[n - 1] ^= 1;
    return n;
}

static size_t closed_udp_port(struct bench *b, uint8_t *frame)
{
    (void)b;
    return make_udp(frame, 54);
}

static size_t make_tcp(uint8_t *frame, const struct tern_tcp_header *h, struct tern_addr dst)
{
    struct tern_ipv4 ip = to_us(TERN_IP_TCP);
    uint8_t bytes[60];
    struct tern_writer w = tern_writer_of(bytes, sizeof bytes);
    struct tern_sum sum = {0};

    ip.dst = dst;
    tern_tcp_emit(h, &w);
    tern_sum_add_pseudo(&sum, ip.src, ip.dst, TERN_IP_TCP, (uint32_t)w.bytes);
    tern_sum_add(&sum, bytes, w.bytes);
    tern_put_be16(bytes + TERN_TCP_OFF_CHECKSUM, tern_sum_finish(&sum));
    return ip_frame(frame, &ip, bytes, w.bytes);
}

static const struct tern_tcp_header some_ack = {
    .src_port = 9, .dst_port = 10, .flags = TERN_TCP_ACK};

static size_t bad_tcp_header(struct bench *b, uint8_t *frame)
{
    const size_t n = make_tcp(frame, &some_ack, bench_addr(1));

    (void)b;
    frame[TERN_ETH_BYTES + TERN_IPV4_BYTES + 12] = 0x40; /* 16 bytes of header */
    return n;
}

static size_t bad_tcp_sum(struct bench *b, uint8_t *frame)
{
    const size_t n = make_tcp(frame, &some_ack, bench_addr(1));

    (void)b;
    frame[n - 1] ^= 1;
    return n;
}

static size_t no_connection(struct bench *b, uint8_t *frame)
{
    (void)b;
    return make_tcp(frame, &some_ack, bench_addr(1));
}

/* RFC 9293 §3.9.2.3: TCP to everyone is for no one. */
static size_t broadcast_tcp(struct bench *b, uint8_t *frame)
{
    const struct tern_tcp_header syn = {.src_port = 9, .dst_port = 80, .flags = TERN_TCP_SYN};
    const size_t n = make_tcp(frame, &syn, bench_addr(255));

    (void)b;
    memset(frame, 0xff, 6);
    return n;
}

/* One connection waits to be accepted, which is all that the listener takes. */
static size_t syn_too_many(struct bench *b, uint8_t *frame)
{
    struct tern_tcp_header h = {.src_port = 8, .dst_port = 80, .flags = TERN_TCP_SYN}, answer;
    tern_span text;

    bench_tcp(b, h, tern_span_of("", 0));
    assert_true(bench_sent_tcp(b, 0, &answer, &text));
    h.seq = tern_seq_of(1);
    h.ack = tern_seq_add(answer.seq, 1);
    h.flags = TERN_TCP_ACK;
    bench_tcp(b, h, tern_span_of("", 0));
    h = (struct tern_tcp_header){.src_port = 9, .dst_port = 80, .flags = TERN_TCP_SYN};
    return make_tcp(frame, &h, bench_addr(1));
}

/* One handshake is unfinished, so that the next gets a cookie; and this is not it. */
static size_t another_cookie(struct bench *b, uint8_t *frame)
{
    struct tern_tcp_header h = {.src_port = 8, .dst_port = 80, .flags = TERN_TCP_SYN};

    bench_tcp(b, h, tern_span_of("", 0));
    h.src_port = 9;
    bench_tcp(b, h, tern_span_of("", 0));
    h.flags = TERN_TCP_ACK;
    return make_tcp(frame, &h, bench_addr(1));
}

static void drops(void **state)
{
    static const struct {
        maker *make;
        enum tern_drop reason;
        uint32_t answers; /* frames that the last frame brings about */
    } row[] = {
        {a_short_frame, TERN_DROP_ETH_SHORT, 0},
        {another_mac, TERN_DROP_ETH_NOT_OURS, 0},
        {another_type, TERN_DROP_ETH_UNKNOWN_TYPE, 0},
        {of_a_vlan, TERN_DROP_ETH_UNKNOWN_TYPE, 0},
        {of_an_inner_vlan, TERN_DROP_ETH_UNKNOWN_TYPE, 0},
        {version_6, TERN_DROP_ETH_UNKNOWN_TYPE, 0},
        {short_arp, TERN_DROP_ARP_BAD, 0},
        {cut_off, TERN_DROP_IP_BAD_HEADER, 0},
        {bad_ip_sum, TERN_DROP_IP_BAD_CHECKSUM, 0},
        {another_address, TERN_DROP_IP_NOT_OURS, 0},
        {unicast_in_broadcast, TERN_DROP_IP_NOT_OURS, 0},
        {unknown_protocol, TERN_DROP_IP_UNKNOWN_PROTOCOL, 1},
        {odd_fragment, TERN_DROP_FRAG_BAD, 0},
        {overlapping_fragment, TERN_DROP_FRAG_OVERLAP, 0},
        {third_packet_in_pieces, TERN_DROP_FRAG_FULL, 0},
        {bad_icmp_sum, TERN_DROP_ICMP_BAD, 0},
        {reply_to_nobody, TERN_DROP_ICMP_IGNORED, 0},
        {bad_udp_sum, TERN_DROP_UDP_BAD, 0},
        {closed_udp_port, TERN_DROP_UDP_NO_PORT, 1},
        {bad_tcp_header, TERN_DROP_TCP_BAD_HEADER, 0},
        {bad_tcp_sum, TERN_DROP_TCP_BAD_CHECKSUM, 0},
        {no_connection, TERN_DROP_TCP_NO_CONNECTION, 1},
        {broadcast_tcp, TERN_DROP_TCP_NO_CONNECTION, 0},
        {syn_too_many, TERN_DROP_TCP_LISTEN_FULL, 0},
        {another_cookie, TERN_DROP_TCP_BAD_COOKIE, 1},
    };

    (void)state;
    for (size_t i = 0; i < ROWS(row); i++) {
        struct bench b;
        struct tern_config c;
        const struct tern_endpoint local = {.port = 53};
        const struct tern_tcp_options o = {.local = {.port = 80}};
        struct tern_udp_socket *udp;
        struct tern_listener *l;
        struct tern_stack_counters n;
        struct tern_trace t;
        uint8_t frame[FRAME_MAX];
        size_t bytes;
        uint64_t all = 0;

        bench_config(&c, 1);
        c.traces_count = 8;
        bench_open_at(&b, &c, 1);
        assert_int_equal(tern_udp_open(b.stack, &local, NULL, &udp), TERN_ERR_OK);
        assert_int_equal(tern_tcp_listen(b.stack, &o, 1, &l), TERN_ERR_OK);
        bytes = row[i].make(&b, frame);
        bench_forget(&b);
        bench_input(&b, frame, bytes);
        tern_stack_counters(b.stack, &n);
        for (int k = 0; k < TERN_DROP_COUNT; k++)
            all += n.drops[k];
        if (n.drops[row[i].reason] != 1 || all != 1 || b.sent_count != row[i].answers)
            fail_msg("row %zu, %s: counted %d, answered %u", i, tern_drop_key(row[i].reason),
                     (int)n.drops[row[i].reason], b.sent_count);
        while (tern_stack_trace(b.stack, &t) && t.kind != TERN_TRACE_DROP) {
        }
        if (row[i].reason < TERN_DROP_FRAG_BAD || row[i].reason > TERN_DROP_FRAG_TIMEOUT)
            assert_int_equal(t.kind == TERN_TRACE_DROP ? t.drop.reason : TERN_DROP_COUNT,
                             row[i].reason);
        bench_close(&b);
    }
}

static void fragments_that_stay_alone(void **state)
{
    struct bench b;
    struct tern_config c;
    struct tern_ipv4 ip = to_us(TERN_IP_UDP);

    (void)state;
    bench_config(&c, 1);
    bench_open_at(&b, &c, 1);
    ip.more_fragments = true;
    bench_ip(&b, ip, tern_span_of("12345678", 8));
    bench_advance(&b, 29 * TERN_SECOND);
    assert_int_equal(bench_drops(&b, TERN_DROP_FRAG_TIMEOUT), 0);
    bench_advance(&b, 2 * TERN_SECOND);
    assert_int_equal(bench_drops(&b, TERN_DROP_FRAG_TIMEOUT), 1);
    bench_close(&b);
}

/* RFC 1122 §3.2.1.3: addresses that no packet comes from. */
static void bad_sources(void **state)
{
    static const struct {
        uint8_t a, b, c, d;
        bool bad;
    } row[] = {
        {0, 0, 0, 0, true},    {0, 1, 2, 3, true},         {127, 0, 0, 1, true},
        {224, 0, 0, 1, true},  {239, 255, 0, 1, true},     {240, 0, 0, 1, true},
        {10, 0, 0, 255, true}, {255, 255, 255, 255, true}, {10, 0, 0, 2, false},
        {223, 1, 2, 3, false}, {126, 1, 2, 3, false},      {1, 0, 0, 1, false},
        {10, 0, 0, 1, true}, /* ourselves: nothing of ours comes back by the link */
    };

    (void)state;
    for (size_t i = 0; i < ROWS(row); i++) {
        struct bench b;
        struct tern_config c;
        uint8_t frame[FRAME_MAX];
        const size_t n = make_ping(frame);

        bench_config(&c, 1);
        bench_open_at(&b, &c, 1);
        tern_stack_gateway_set(b.stack, bench_addr(2));
        memcpy(frame + TERN_ETH_BYTES + 12, &(uint8_t[]){row[i].a, row[i].b, row[i].c, row[i].d},
               4);
        fix_ip_sum(frame);
        bench_input(&b, frame, n);
        if (row[i].bad != (bench_drops(&b, TERN_DROP_IP_BAD_SOURCE) == 1) ||
            row[i].bad != (b.sent_count == 0))
            fail_msg("%u.%u.%u.%u", row[i].a, row[i].b, row[i].c, row[i].d);
        bench_close(&b);
    }
}

/* RFC 1122 §3.2.1.3: what goes to everyone is for us too; what goes to a group that we are not in
 * is not, and we are in that of all hosts alone. */
static void many_destinations(void **state)
{
    static const struct {
        uint8_t a, b, c, d;
        bool heard;
    } row[] = {
        {10, 0, 0, 1, true},   {10, 0, 0, 255, true},   {255, 255, 255, 255, true},
        {224, 0, 0, 1, true},  {224, 0, 0, 251, false}, {239, 1, 2, 3, false},
        {10, 0, 0, 3, false},  {10, 0, 1, 255, false},  {10, 255, 255, 255, false},
        {127, 0, 0, 1, false}, {0, 0, 0, 0, false},
    };

    (void)state;
    for (size_t i = 0; i < ROWS(row); i++) {
        struct bench b;
        struct tern_config c;
        const struct tern_endpoint local = {.port = 53};
        struct tern_ipv4 ip = to_us(TERN_IP_UDP);
        struct tern_udp_socket *udp;
        uint8_t frame[FRAME_MAX];
        size_t bytes;

        bench_config(&c, 1);
        bench_open_at(&b, &c, 1);
        assert_int_equal(tern_udp_open(b.stack, &local, NULL, &udp), TERN_ERR_OK);
        ip.dst = tern_addr_v4(row[i].a, row[i].b, row[i].c, row[i].d);
        bytes = ip_frame(frame, &ip, "\0\7\0\65\0\11\0\0x", 9);
        if (tern_addr_is_multicast(ip.dst))
            memcpy(frame, "\x01\0\x5e\0\0\1", 6);
        bench_input(&b, frame, bytes);
        if (row[i].heard != (bench_events(&b, TERN_EVENT_UDP) == TERN_CONN_READABLE) ||
            row[i].heard == (bench_drops(&b, TERN_DROP_IP_NOT_OURS) == 1))
            fail_msg("%u.%u.%u.%u", row[i].a, row[i].b, row[i].c, row[i].d);
        bench_close(&b);
    }
}

/* Frames that look odd, and are pings all the same. A tag of VLAN 0 is a priority alone. */
static size_t plain(uint8_t *frame, size_t n)
{
    (void)frame;
    return n;
}

static size_t tagged(uint8_t *frame, size_t n) /* IEEE 802.1Q */
{
    memmove(frame + 16, frame + 12, n - 12);
    tern_put_be32(frame + 12, 0x8100a000);
    return n + 4;
}

static size_t tagged_twice(uint8_t *frame, size_t n)
{
    n = tagged(frame, n);
    memmove(frame + 16, frame + 12, n - 12);
    tern_put_be32(frame + 12, 0x88a86000);
    return n + 4;
}

static size_t padded(uint8_t *frame, size_t n) /* to Ethernet's 60 bytes, and with rubbish */
{
    memset(frame + n, 0xee, 60 - n);
    return 60;
}

/* RFC 1122 §3.2.1.7: whom it was for has no use for what is left of its time. */
static size_t at_its_end(uint8_t *frame, size_t n)
{
    frame[TERN_ETH_BYTES + 8] = 0;
    fix_ip_sum(frame);
    return n;
}

static size_t reserved_flag(uint8_t *frame, size_t n)
{
    frame[TERN_ETH_BYTES + 6] |= 0x80;
    fix_ip_sum(frame);
    return n;
}

static size_t with_options(uint8_t *frame, size_t n)
{
    uint8_t *ip = frame + TERN_ETH_BYTES;

    memmove(ip + 28, ip + 20, n - TERN_ETH_BYTES - 20);
    memcpy(ip + 20, "\x94\x04\0\0\1\1\1\0", 8); /* router alert, then nothing */
    ip[0] = 0x47;
    tern_put_be16(ip + 2, (uint16_t)(tern_get_be16(ip + 2) + 8));
    fix_ip_sum(frame);
    return n + 8;
}

static void odd_but_right(void **state)
{
    static const struct {
        const char *what;
        size_t (*change)(uint8_t *frame, size_t n);
    } row[] = {
        {"plain", plain},
        {"a priority tag", tagged},
        {"two tags", tagged_twice},
        {"padded", padded},
        {"IP options", with_options},
        {"no time to live", at_its_end},
        {"the reserved flag", reserved_flag},
    };

    (void)state;
    for (size_t i = 0; i < ROWS(row); i++) {
        struct bench b;
        struct tern_config c;
        uint8_t frame[FRAME_MAX];
        struct tern_icmp reply;
        tern_span data;
        size_t n = make_ping(frame);

        bench_config(&c, 1);
        bench_open_at(&b, &c, 1);
        n = row[i].change(frame, n);
        bench_input(&b, frame, n);
        if (!bench_sent_icmp(&b, 0, &reply, &data) || data.bytes != 4 ||
            memcmp(data.data, "ping", 4) != 0)
            fail_msg("%s", row[i].what);
        bench_close(&b);
    }
}

/* What the link says of a checksum is believed; what it does not say is checked. */
static void link_knows_checksum(void **state)
{
    static const struct {
        enum tern_csum csum;
        bool heard;
    } row[] = {{TERN_CSUM_UNKNOWN, false}, {TERN_CSUM_VALID, true}, {TERN_CSUM_NEEDS, true}};

    (void)state;
    for (size_t i = 0; i < ROWS(row); i++) {
        struct bench b;
        struct tern_config c;
        uint8_t frame[FRAME_MAX];
        const size_t n = bad_tcp_sum(NULL, frame);
        struct tern_frame f = {
            .piece = {{frame, n}}, .piece_count = 1, .bytes = (uint32_t)n, .csum = row[i].csum};

        bench_config(&c, 1);
        bench_open_at(&b, &c, 1);
        bench_frame(&b, &f);
        assert_int_equal(bench_drops(&b, TERN_DROP_TCP_BAD_CHECKSUM), row[i].heard ? 0 : 1);
        assert_int_equal(bench_drops(&b, TERN_DROP_TCP_NO_CONNECTION), row[i].heard ? 1 : 0);
        bench_close(&b);
    }
}

static void frames_are_counted(void **state)
{
    struct bench b;
    struct tern_config c;
    uint8_t frame[FRAME_MAX];
    const size_t n = make_ping(frame);
    struct tern_stack_counters before, after;

    (void)state;
    bench_config(&c, 1);
    bench_open_at(&b, &c, 1);
    tern_stack_counters(b.stack, &before);
    bench_input(&b, frame, n);
    tern_stack_counters(b.stack, &after);
    assert_int_equal(after.frames_in - before.frames_in, 1);
    assert_int_equal(after.bytes_in - before.bytes_in, n);
    assert_int_equal(after.frames_out - before.frames_out, 1);
    assert_int_equal(after.bytes_out - before.bytes_out, n);
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(drops),
        cmocka_unit_test(fragments_that_stay_alone),
        cmocka_unit_test(bad_sources),
        cmocka_unit_test(many_destinations),
        cmocka_unit_test(odd_but_right),
        cmocka_unit_test(link_knows_checksum),
        cmocka_unit_test(frames_are_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
