/* SPDX-License-Identifier: BSD-2-Clause */
/* ICMP: echo answered, errors sent where they may be, and what errors from others do. */
#include "bench.h"

#include "base/checksum.h"

static const struct tern_icmp echo = {.type = TERN_ICMP_ECHO_REQUEST, .id = 77, .sequence = 5};

static void open_one(struct bench *b)
{
    struct tern_config c;

    bench_config(&c, 1);
    bench_open_at(b, &c, 1);
}

static void echo_sizes(void **state)
{
    static const uint32_t sizes[] = {0, 1, 56, 1472};

    (void)state;
    for (size_t i = 0; i < ROWS(sizes); i++) {
        struct bench b;
        struct tern_icmp reply;
        struct tern_ipv4 ip;
        tern_span data, body;
        uint8_t bytes[1472];

        for (size_t k = 0; k < sizeof bytes; k++)
            bytes[k] = (uint8_t)(k * 3);
        open_one(&b);
        bench_icmp(&b, &echo, tern_span_of(bytes, sizes[i]));
        assert_int_equal(b.sent_count, 1);
        assert_true(bench_sent_icmp(&b, 0, &reply, &data));
        assert_int_equal(reply.type, TERN_ICMP_ECHO_REPLY);
        assert_int_equal(reply.id, 77);
        assert_int_equal(reply.sequence, 5);
        assert_int_equal(data.bytes, sizes[i]);
        assert_memory_equal(data.data, bytes, sizes[i]);
        assert_true(bench_sent_ip(&b, TERN_IP_ICMP, 0, &ip, &body));
        assert_true(tern_addr_equal(ip.src, bench_addr(1)));
        assert_true(tern_addr_equal(ip.dst, bench_addr(2)));
        bench_close(&b);
    }
}

/* 3,000 bytes come in fragments, and go back in fragments. */
static void long_echo(void **state)
{
    struct bench b;
    uint8_t message[TERN_ICMP_BYTES + 3000], bytes[3000];
    struct tern_writer w = tern_writer_of(message, sizeof message);
    uint8_t back[sizeof message];
    struct tern_ipv4 ip;
    struct tern_icmp reply;
    tern_span body;
    uint32_t n;

    (void)state;
    for (size_t k = 0; k < sizeof bytes; k++)
        bytes[k] = (uint8_t)(k * 5 + k / 256);
    open_one(&b);
    tern_icmp_emit(&echo, tern_span_of(bytes, sizeof bytes), &w);
    for (uint16_t at = 0; at < sizeof message; at = (uint16_t)(at + 1480)) {
        const size_t count = sizeof message - at < 1480 ? sizeof message - at : 1480;

        bench_ip(&b,
                 (struct tern_ipv4){.id = 3,
                                    .protocol = TERN_IP_ICMP,
                                    .fragment_offset_bytes = at,
                                    .more_fragments = at + count < sizeof message},
                 tern_span_of(message + at, count));
    }
    for (n = 0; bench_sent_ip(&b, TERN_IP_ICMP, n, &ip, &body); n++)
        memcpy(back + ip.fragment_offset_bytes, body.data, body.bytes);
    assert_int_equal(n, 3);
    assert_true(tern_icmp_parse(tern_span_of(back, sizeof back), &reply, &body));
    assert_int_equal(reply.type, TERN_ICMP_ECHO_REPLY);
    assert_memory_equal(body.data, bytes, sizeof bytes);
    bench_close(&b);
}

/* 50 at once, then 100 a second. */
static void rate_limit(void **state)
{
    struct bench b;

    (void)state;
    open_one(&b);
    for (int i = 0; i < 80; i++)
        bench_icmp(&b, &echo, tern_span_of("", 0));
    assert_int_equal(bench_sent_count(&b, TERN_IP_ICMP), 50);
    assert_int_equal(bench_drops(&b, TERN_DROP_ICMP_RATE), 30);
    bench_advance(&b, 100 * TERN_MS);
    for (int i = 0; i < 80; i++)
        bench_icmp(&b, &echo, tern_span_of("", 0));
    assert_int_equal(bench_sent_count(&b, TERN_IP_ICMP), 60);
    bench_close(&b);
}

/* RFC 1122 §3.2.2.6: who pings everyone gets no answer. */
static void broadcast_echo(void **state)
{
    static const char *const dst[] = {"10.0.0.255", "255.255.255.255", "224.0.0.1"};

    (void)state;
    for (size_t i = 0; i < ROWS(dst); i++) {
        struct bench b;
        uint8_t bytes[64];
        struct tern_writer w = tern_writer_of(bytes, sizeof bytes);
        struct tern_ipv4 ip = {.protocol = TERN_IP_ICMP};

        open_one(&b);
        assert_int_equal(tern_addr_parse(dst[i], &ip.dst), TERN_ERR_OK);
        tern_icmp_emit(&echo, tern_span_of("", 0), &w);
        bench_ip(&b, ip, tern_span_of(bytes, w.bytes));
        ip.src = tern_addr_v4(192, 0, 2, 1); /* and from where no route leads back */
        bench_ip(&b, ip, tern_span_of(bytes, w.bytes));
        if (b.sent_count != 0 || bench_drops(&b, TERN_DROP_ICMP_IGNORED) != 2)
            fail_msg("%s", dst[i]);
        bench_close(&b);
    }
}

/* RFC 1122 §3.2.2.1, §3.2.2: about which packets an error is sent. */
static void errors_sent(void **state)
{
    static const struct {
        const char *what;
        uint8_t protocol;
        const char *dst;
        uint16_t offset;
        bool more;
        uint8_t icmp_type; /* first byte of the body */
        int code;          /* -1: silence */
    } row[] = {
        {"UDP to a closed port", TERN_IP_UDP, "10.0.0.1", 0, false, 0, TERN_ICMP_PORT_UNREACHABLE},
        {"a protocol nobody speaks", 47, "10.0.0.1", 0, false, 0, TERN_ICMP_PROTOCOL_UNREACHABLE},
        {"UDP to a broadcast", TERN_IP_UDP, "10.0.0.255", 0, false, 0, -1},
        {"UDP to everyone", TERN_IP_UDP, "255.255.255.255", 0, false, 0, -1},
        {"a protocol to a group", 47, "224.0.0.1", 0, false, 0, -1},
        {"a later fragment alone", TERN_IP_UDP, "10.0.0.1", 8, false, 0, -1},
        {"a first fragment alone", TERN_IP_UDP, "10.0.0.1", 0, true, 0, -1},
        {"an ICMP error", TERN_IP_ICMP, "10.0.0.1", 0, false, TERN_ICMP_UNREACHABLE, -1},
        {"an ICMP nobody knows", TERN_IP_ICMP, "10.0.0.1", 0, false, 99, -1},
    };

    (void)state;
    for (size_t i = 0; i < ROWS(row); i++) {
        struct bench b;
        uint8_t body[16] = {row[i].icmp_type, 0, 0, 9, 0, 16};
        struct tern_ipv4 ip = {.protocol = row[i].protocol,
                               .fragment_offset_bytes = row[i].offset,
                               .more_fragments = row[i].more};
        struct tern_icmp icmp;
        tern_span quoted;

        open_one(&b);
        assert_int_equal(tern_addr_parse(row[i].dst, &ip.dst), TERN_ERR_OK);
        bench_ip(&b, ip, tern_span_of(body, sizeof body));
        if (bench_sent_icmp(&b, 0, &icmp, &quoted) != (row[i].code >= 0))
            fail_msg("%s", row[i].what);
        if (row[i].code >= 0) {
            assert_int_equal(icmp.type, TERN_ICMP_UNREACHABLE);
            assert_int_equal(icmp.code, row[i].code);
            assert_int_equal(quoted.bytes, 36); /* header and all of a short packet */
            assert_memory_equal(quoted.data + 20, body, 16);
            assert_int_equal(quoted.data[9], row[i].protocol);
        }
        bench_close(&b);
    }
}

/* A UDP datagram for a port that is closed, its IP header with options. How long its packet is. */
static uint32_t datagram_with_options(uint8_t *frame, size_t room)
{
    static const uint8_t options[8] = {0x94, 4, 0, 0, 1, 1, 1, 0};
    struct tern_writer w = tern_writer_of(frame, room);
    const struct tern_eth eth = {bench_mac(1), bench_mac(2), TERN_ETHERTYPE_IPV4};
    const struct tern_ipv4 ip = {.tos = 0x28,
                                 .id = 0x1234,
                                 .dont_fragment = true,
                                 .ttl = 9,
                                 .protocol = TERN_IP_UDP,
                                 .src = bench_addr(2),
                                 .dst = bench_addr(1)};
    uint8_t *header = frame + TERN_ETH_BYTES;
    struct tern_sum sum = {0};

    tern_eth_emit(&eth, &w);
    tern_ipv4_emit(&ip, sizeof options + 8, &w);
    tern_write_bytes(&w, options, sizeof options);
    tern_write_bytes(&w, "\0\7\0\11\0\10\0\0", 8);
    assert_false(w.failed);
    header[0] = 0x47;
    tern_put_be16(header + 10, 0);
    tern_sum_add(&sum, header, TERN_IPV4_BYTES + sizeof options);
    tern_put_be16(header + 10, tern_sum_finish(&sum));
    return (uint32_t)w.bytes - TERN_ETH_BYTES;
}

/* RFC 1122 §3.2.2: what an error quotes is unchanged, its header with all its options. */
static void quoted_with_options(void **state)
{
    struct bench b;
    uint8_t frame[128];
    const uint32_t packet_bytes = datagram_with_options(frame, sizeof frame);
    struct tern_icmp icmp;
    tern_span quoted;

    (void)state;
    open_one(&b);
    bench_input(&b, frame, TERN_ETH_BYTES + packet_bytes);
    assert_true(bench_sent_icmp(&b, 0, &icmp, &quoted));
    assert_int_equal(icmp.code, TERN_ICMP_PORT_UNREACHABLE);
    assert_int_equal(quoted.bytes, packet_bytes);
    assert_memory_equal(quoted.data, frame + TERN_ETH_BYTES, packet_bytes);
    bench_close(&b);
}

/* The same of a fragment whose rest never came: its header, and eight bytes. */
static void quoted_fragment(void **state)
{
    struct bench b;
    const struct tern_ipv4 ip = {.id = 5,
                                 .ttl = 64,
                                 .protocol = TERN_IP_UDP,
                                 .more_fragments = true,
                                 .src = bench_addr(2),
                                 .dst = bench_addr(1)};
    uint8_t header[TERN_IPV4_BYTES];
    struct tern_writer w = tern_writer_of(header, sizeof header);
    struct tern_icmp icmp;
    tern_span quoted;

    (void)state;
    open_one(&b);
    tern_ipv4_emit(&ip, 16, &w);
    bench_ip(&b, ip, tern_span_of("0123456789abcdef", 16));
    bench_advance(&b, 31 * TERN_SECOND);
    assert_true(bench_sent_icmp(&b, 0, &icmp, &quoted));
    assert_int_equal(icmp.type, TERN_ICMP_TIME_EXCEEDED);
    assert_int_equal(quoted.bytes, TERN_IPV4_BYTES + 8);
    assert_memory_equal(quoted.data, header, sizeof header);
    assert_memory_equal(quoted.data + TERN_IPV4_BYTES, "01234567", 8);
    bench_close(&b);
}

/* RFC 5927: an error must quote what is in flight, and kills nothing that is established. */
static void errors_heard(void **state)
{
    static const struct {
        const char *what;
        uint8_t type, code;
        int seq_step;
        bool established;
        enum tern_err reason;
    } row[] = {
        {"port unreachable", TERN_ICMP_UNREACHABLE, 3, 0, false, TERN_ERR_REFUSED},
        {"protocol unreachable", TERN_ICMP_UNREACHABLE, 2, 0, false, TERN_ERR_REFUSED},
        {"prohibited", TERN_ICMP_UNREACHABLE, 13, 0, false, TERN_ERR_UNREACHABLE},
        {"net unreachable", TERN_ICMP_UNREACHABLE, 0, 0, false, TERN_ERR_OK},
        {"time exceeded", TERN_ICMP_TIME_EXCEEDED, 0, 0, false, TERN_ERR_OK},
        {"about a number not sent", TERN_ICMP_UNREACHABLE, 3, 5, false, TERN_ERR_OK},
        {"about a number long gone", TERN_ICMP_UNREACHABLE, 3, -5, false, TERN_ERR_OK},
        {"once established", TERN_ICMP_UNREACHABLE, 3, 0, true, TERN_ERR_OK},
    };

    (void)state;
    for (size_t i = 0; i < ROWS(row); i++) {
        struct bench b;
        const struct tern_tcp_options o = {.remote = {bench_addr(2), 80}};
        struct tern_conn *conn;
        struct tern_tcp_header h;
        tern_span text;
        bool closed;

        open_one(&b);
        if (row[i].established) {
            conn = bench_connect(&b, 80, &h);
            assert_int_equal(tern_tcp_write(conn, "x", 1), 1);
        } else {
            assert_int_equal(tern_tcp_connect(b.stack, &o, &conn), TERN_ERR_OK);
        }
        bench_drain(&b);
        assert_true(bench_sent_tcp(&b, 0, &h, &text));
        bench_icmp_error(&b, row[i].type, row[i].code, TERN_IP_TCP, h.src_port, 80,
                         h.seq.value + (uint32_t)row[i].seq_step);
        closed = tern_tcp_state(conn) == TERN_TCP_CLOSED;
        if (tern_tcp_reason(conn) != row[i].reason || closed != (row[i].reason != TERN_ERR_OK))
            fail_msg("%s: %s", row[i].what, tern_err_text(tern_tcp_reason(conn)));
        bench_close(&b);
    }
}

/* RFC 9293 §3.9.2.2: a soft error is what a timeout is then called. */
static void soft_error_is_remembered(void **state)
{
    struct bench b;
    const struct tern_tcp_options o = {.remote = {bench_addr(2), 80},
                                       .connect_timeout = 3 * TERN_SECOND};
    struct tern_conn *conn;
    struct tern_tcp_header h;
    tern_span text;

    (void)state;
    open_one(&b);
    assert_int_equal(tern_tcp_connect(b.stack, &o, &conn), TERN_ERR_OK);
    bench_drain(&b);
    assert_true(bench_sent_tcp(&b, 0, &h, &text));
    bench_icmp_error(&b, TERN_ICMP_UNREACHABLE, 1, TERN_IP_TCP, h.src_port, 80, h.seq.value);
    bench_advance(&b, 4 * TERN_SECOND);
    assert_int_equal(tern_tcp_reason(conn), TERN_ERR_UNREACHABLE);
    bench_close(&b);
}

/* RFC 1191 §3: what was too long goes again in smaller pieces. */
static void path_mtu(void **state)
{
    struct bench b;
    struct tern_conn *conn;
    struct tern_tcp_header peer, h;
    struct tern_tcp_info info;
    const struct tern_ipv4 quoted = {
        .ttl = 3, .protocol = TERN_IP_TCP, .src = bench_addr(1), .dst = bench_addr(2)};
    const struct tern_icmp too_big = {
        .type = TERN_ICMP_UNREACHABLE, .code = TERN_ICMP_FRAGMENTATION_NEEDED, .mtu = 1000};
    uint8_t bytes[64];
    struct tern_writer w = tern_writer_of(bytes, sizeof bytes);
    static const uint8_t data[4000];
    tern_span text;

    (void)state;
    open_one(&b);
    conn = bench_connect(&b, 80, &peer);
    assert_int_equal(tern_tcp_write(conn, data, sizeof data), sizeof data);
    bench_drain(&b);
    assert_true(bench_sent_tcp(&b, 0, &h, &text));
    assert_int_equal(text.bytes, 1460);
    bench_forget(&b);
    tern_ipv4_emit(&quoted, 8, &w);
    tern_write_be16(&w, h.src_port);
    tern_write_be16(&w, h.dst_port);
    tern_write_be32(&w, h.seq.value);
    bench_icmp(&b, &too_big, tern_span_of(bytes, w.bytes));
    tern_tcp_info(conn, &info);
    assert_int_equal(info.mss_bytes, 960);
    assert_true(bench_sent_tcp(&b, 0, &h, &text));
    assert_true(tern_seq_eq(h.seq, peer.ack));
    assert_int_equal(text.bytes, 960);
    bench_close(&b);
}

/* Errors about what is not ours, or nobody's, are counted and forgotten. */
static void ignored(void **state)
{
    struct bench b;

    (void)state;
    open_one(&b);
    bench_icmp_error(&b, TERN_ICMP_UNREACHABLE, 3, TERN_IP_TCP, 1, 2, 3);
    assert_int_equal(bench_drops(&b, TERN_DROP_ICMP_IGNORED), 1);
    bench_icmp_error(&b, TERN_ICMP_UNREACHABLE, 3, TERN_IP_ICMP, 0x0800, 2, 3);
    assert_int_equal(bench_drops(&b, TERN_DROP_ICMP_IGNORED), 2);
    bench_icmp(&b, &(struct tern_icmp){.type = TERN_ICMP_UNREACHABLE}, tern_span_of("short", 5));
    assert_int_equal(bench_drops(&b, TERN_DROP_ICMP_IGNORED), 3);
    bench_icmp_error(&b, TERN_ICMP_UNREACHABLE, 3, TERN_IP_UDP, 1, 2, 3);
    assert_int_equal(bench_drops(&b, TERN_DROP_ICMP_IGNORED), 4);
    bench_icmp(&b, &(struct tern_icmp){.type = 13}, tern_span_of("", 0)); /* timestamp request */
    assert_int_equal(bench_drops(&b, TERN_DROP_ICMP_IGNORED), 5);
    assert_int_equal(b.sent_count, 0);
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(echo_sizes),
        cmocka_unit_test(long_echo),
        cmocka_unit_test(rate_limit),
        cmocka_unit_test(broadcast_echo),
        cmocka_unit_test(errors_sent),
        cmocka_unit_test(quoted_with_options),
        cmocka_unit_test(quoted_fragment),
        cmocka_unit_test(errors_heard),
        cmocka_unit_test(soft_error_is_remembered),
        cmocka_unit_test(path_mtu),
        cmocka_unit_test(ignored),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
