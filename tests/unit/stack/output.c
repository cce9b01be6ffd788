/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames out: fragments, checksums with and without a link that makes them, super-segments, and
 * who waits for whom. */
#include "bench.h"

#include "base/checksum.h"

/* RFC 791 §3.2: all of it, in pieces of 8 bytes that fit the MTU. */
static void fragments(void **state)
{
    static const struct {
        uint32_t mtu_bytes, ping_bytes, frames;
    } row[] = {
        {1500, 1472, 1}, {1500, 1473, 2}, {1500, 3000, 3},
        {576, 3000, 6},  {68, 200, 5},    {1500, 65507, 45},
    };

    (void)state;
    for (size_t i = 0; i < ROWS(row); i++) {
        struct bench b;
        struct tern_config c;
        struct tern_ping_socket *ping;
        struct tern_ipv4 ip;
        tern_span body;
        uint32_t at = 0, n = 0;
        uint16_t id = 0;

        bench_config(&c, 1);
        c.link.mtu_bytes = row[i].mtu_bytes;
        bench_open_at(&b, &c, 1);
        assert_int_equal(tern_ping_open(b.stack, NULL, &ping), TERN_ERR_OK);
        assert_int_equal(tern_ping_send(ping, bench_addr(2), 1, 64, row[i].ping_bytes),
                         TERN_ERR_OK);
        bench_drain(&b);
        for (; bench_sent_ip(&b, TERN_IP_ICMP, n, &ip, &body); n++) {
            assert_int_equal(ip.fragment_offset_bytes, at);
            assert_true(ip.total_bytes <= row[i].mtu_bytes);
            assert_true(!ip.more_fragments || body.bytes % 8 == 0);
            assert_true(n == 0 || ip.id == id);
            assert_false(ip.dont_fragment);
            id = ip.id;
            at += (uint32_t)body.bytes;
        }
        assert_int_equal(n, row[i].frames);
        assert_false(ip.more_fragments);
        assert_int_equal(at, row[i].ping_bytes + TERN_ICMP_BYTES);
        bench_close(&b);
    }
}

/* RFC 6864 §4.3: packets that may be in fragments at the same time have different numbers. */
static void numbers_of_packets(void **state)
{
    struct bench b;
    struct tern_config c;
    struct tern_ping_socket *ping;
    struct tern_ipv4 first, second;
    tern_span body;

    (void)state;
    bench_config(&c, 1);
    bench_open_at(&b, &c, 1);
    assert_int_equal(tern_ping_open(b.stack, NULL, &ping), TERN_ERR_OK);
    for (uint16_t i = 1; i < 3; i++)
        assert_int_equal(tern_ping_send(ping, bench_addr(2), i, 64, 2000), TERN_ERR_OK);
    bench_drain(&b);
    assert_true(bench_sent_ip(&b, TERN_IP_ICMP, 1, &first, &body));
    assert_true(bench_sent_ip(&b, TERN_IP_ICMP, 2, &second, &body));
    assert_true(first.fragment_offset_bytes > 0);
    assert_int_equal(second.fragment_offset_bytes, 0);
    assert_int_not_equal(first.id, second.id);
    bench_close(&b);
}

/* What is sent for no connection is counted among the segments. */
static void strays_are_counted(void **state)
{
    const struct tern_tcp_header stray = {
        .src_port = 80, .dst_port = 5, .flags = TERN_TCP_ACK, .ack = tern_seq_of(7)};
    struct bench b;
    struct tern_config c;
    struct tern_stack_counters before, after;

    (void)state;
    bench_config(&c, 1);
    bench_open_at(&b, &c, 1);
    tern_stack_counters(b.stack, &before);
    bench_tcp(&b, stray, tern_span_of(NULL, 0));
    bench_drain(&b);
    tern_stack_counters(b.stack, &after);
    assert_int_equal(bench_sent_count(&b, TERN_IP_TCP), 1);
    assert_int_equal(after.tcp_segments_out, before.tcp_segments_out + 1);
    assert_int_equal(after.tcp_resets_out, before.tcp_resets_out + 1);
    bench_close(&b);
}

/* The sums are made whole, or left to a link that asked for them (bench_sent_tcp judges both). */
static void checksums(void **state)
{
    static const struct {
        uint32_t offloads;
        enum tern_csum csum;
    } row[] = {
        {0, TERN_CSUM_UNKNOWN},
        {TERN_OFFLOAD_CSUM_TX, TERN_CSUM_NEEDS},
        {TERN_OFFLOAD_TSO4, TERN_CSUM_UNKNOWN},
        {TERN_OFFLOAD_TSO4 | TERN_OFFLOAD_CSUM_TX, TERN_CSUM_NEEDS},
    };
    static const uint8_t bytes[5001] = {1, 2, 3, 4, 5};

    (void)state;
    for (size_t i = 0; i < ROWS(row); i++) {
        struct bench b;
        struct tern_config c;
        struct tern_tcp_header peer, h;
        struct tern_conn *conn;
        tern_span text;
        uint32_t n = 0, got = 0;

        bench_config(&c, 1);
        c.link.offloads = row[i].offloads;
        bench_open_at(&b, &c, 1);
        conn = bench_connect(&b, 80, &peer);
        assert_int_equal(tern_tcp_write(conn, bytes, sizeof bytes), sizeof bytes);
        tern_tcp_shutdown(conn);
        bench_drain(&b);
        for (; bench_sent_tcp(&b, n, &h, &text); n++) {
            assert_int_equal(b.sent[n].frame.csum, row[i].csum);
            got += (uint32_t)text.bytes;
        }
        assert_int_equal(got, sizeof bytes);
        assert_true((h.flags & TERN_TCP_FIN) != 0);
        bench_close(&b);
    }
}

/* A super-segment: many segments' text in one frame, with what the link must know to cut it. */
static void super_segments(void **state)
{
    struct bench b;
    struct tern_config c;
    struct tern_tcp_header peer, h;
    struct tern_conn *conn;
    struct tern_tcp_info info;
    tern_span text;
    uint8_t bytes[9000];
    uint32_t super = 0, at = 0;

    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 7 + i / 256);
    bench_config(&c, 1);
    c.link.offloads = TERN_OFFLOAD_TSO4 | TERN_OFFLOAD_CSUM_TX;
    bench_open_at(&b, &c, 1);
    conn = bench_connect(&b, 80, &peer);
    assert_int_equal(tern_tcp_write(conn, bytes, sizeof bytes), sizeof bytes);
    bench_drain(&b);
    for (uint32_t n = 0; bench_sent_tcp(&b, n, &h, &text); n++) {
        const struct tern_frame *f = &b.sent[n].frame;

        assert_memory_equal(text.data, bytes + at, text.bytes);
        at += (uint32_t)text.bytes;
        assert_int_equal(f->header_bytes + text.bytes, f->bytes);
        if (f->gso == TERN_GSO_NONE) {
            assert_true(text.bytes <= 1460);
            continue;
        }
        super++;
        assert_int_equal(f->gso, TERN_GSO_TCP4);
        assert_int_equal(f->gso_bytes, 1460);
        assert_true(text.bytes > 1460);
    }
    assert_true(super > 0);
    tern_tcp_info(conn, &info);
    assert_int_equal(info.data_segs_out, (at + 1459) / 1460); /* counted as the pieces */
    bench_close(&b);
}

/* Without TSO no frame is longer than the MTU, whatever the window; and all may not be fragmented
 * on their way (RFC 1191 §3). */
static void plain_segments(void **state)
{
    static const uint32_t mtus[] = {108, 576, 1500};
    static const uint8_t bytes[9000];

    (void)state;
    for (size_t i = 0; i < ROWS(mtus); i++) {
        struct bench b;
        struct tern_config c;
        struct tern_tcp_header peer;
        struct tern_conn *conn;
        struct tern_ipv4 ip;
        tern_span body;

        bench_config(&c, 1);
        c.link.mtu_bytes = mtus[i];
        bench_open_at(&b, &c, 1);
        conn = bench_connect(&b, 80, &peer);
        assert_int_equal(tern_tcp_write(conn, bytes, sizeof bytes), sizeof bytes);
        bench_drain(&b);
        assert_true(bench_sent_count(&b, TERN_IP_TCP) >= 3);
        for (uint32_t n = 0; n < b.sent_count; n++)
            assert_true(b.sent[n].count <= TERN_ETH_BYTES + mtus[i]);
        for (uint32_t n = 0; bench_sent_ip(&b, TERN_IP_TCP, n, &ip, &body); n++)
            assert_true(ip.dont_fragment);
        bench_close(&b);
    }
}

/* What we have acknowledged comes again and again: our ACKs may go to a MAC that nobody has any
 * more, so the neighbour is asked (RFC 9293 §3.8.3). */
static void old_text_again_and_again(void **state)
{
    struct bench b;
    struct tern_config c;
    struct tern_tcp_header peer;
    struct tern_arp arp;

    (void)state;
    bench_config(&c, 1);
    bench_open_at(&b, &c, 1);
    (void)bench_connect(&b, 80, &peer);
    for (int i = 0; i < 5; i++) { /* one that is new, three that are old, one more to answer */
        assert_false(bench_sent_arp(&b, 0, &arp));
        bench_forget(&b);
        bench_tcp(&b, peer, tern_span_of("hello", 5));
        bench_advance(&b, TERN_SECOND);
    }
    assert_true(bench_sent_arp(&b, 0, &arp));
    assert_int_equal(arp.op, TERN_ARP_REQUEST);
    assert_true(tern_addr_equal(arp.target, bench_addr(2)));
    bench_close(&b);
}

/* A neighbour that does not answer holds up nobody else. */
static void dead_neighbour(void **state)
{
    struct bench b;
    struct tern_config c;
    struct tern_tcp_options o = {.remote = {bench_addr(9), 80}};
    struct tern_tcp_header peer, h;
    struct tern_conn *dead, *conn;
    struct tern_ping_socket *ping;
    tern_span text;

    (void)state;
    bench_config(&c, 1);
    bench_open_at(&b, &c, 1);
    assert_int_equal(tern_tcp_connect(b.stack, &o, &dead), TERN_ERR_OK);
    assert_int_equal(tern_ping_open(b.stack, NULL, &ping), TERN_ERR_OK);
    assert_int_equal(tern_ping_send(ping, bench_addr(9), 1, 64, 8), TERN_ERR_OK);
    conn = bench_connect(&b, 80, &peer);
    assert_int_equal(tern_tcp_write(conn, "hello", 5), 5);
    assert_int_equal(tern_ping_send(ping, bench_addr(2), 1, 64, 8), TERN_ERR_OK);
    bench_drain(&b);
    assert_true(bench_sent_tcp(&b, 0, &h, &text));
    assert_int_equal(text.bytes, 5);
    assert_int_equal(bench_sent_count(&b, TERN_IP_ICMP), 1);
    peer.ack = tern_seq_add(peer.ack, 5);
    bench_tcp(&b, peer, tern_span_of(NULL, 0)); /* or its own neighbour would fall into doubt */
    bench_advance(&b, 10 * TERN_SECOND);
    assert_int_equal(tern_tcp_state(dead), TERN_TCP_CLOSED);
    assert_int_equal(tern_tcp_reason(dead), TERN_ERR_UNREACHABLE);
    assert_int_equal(tern_tcp_state(conn), TERN_TCP_ESTABLISHED);
    assert_int_equal(bench_drops(&b, TERN_DROP_NO_NEIGHBOUR), 1); /* the ping */
    bench_close(&b);
}

/* More to send than may go, and all of a sudden nowhere to send it: the stack must not spin. */
static void address_lost_in_flight(void **state)
{
    struct bench b;
    struct tern_config c;
    struct tern_tcp_header peer;
    struct tern_conn *conn;
    static const uint8_t bytes[60000];

    (void)state;
    bench_config(&c, 1);
    bench_open_at(&b, &c, 1);
    conn = bench_connect(&b, 80, &peer);
    assert_int_equal(tern_tcp_write(conn, bytes, sizeof bytes), sizeof bytes);
    tern_stack_address_remove(b.stack, bench_addr(1));
    bench_drain(&b);
    assert_int_equal(b.sent_count, 0);
    assert_true(bench_drops(&b, TERN_DROP_NO_NEIGHBOUR) > 0);
    bench_advance(&b, 3600 * TERN_SECOND);
    assert_int_equal(tern_tcp_state(conn), TERN_TCP_CLOSED); /* retries ran out */
    assert_int_equal(tern_tcp_reason(conn), TERN_ERR_UNREACHABLE);
    bench_close(&b);
}

/* At most max frames a call; the rest comes with the next ones. */
static void bursts(void **state)
{
    struct bench b;
    struct tern_config c;
    struct tern_tcp_header peer;
    struct tern_conn *conn;
    struct tern_frame frame[3];
    static const uint8_t bytes[9000];
    int total = 0, n;

    (void)state;
    bench_config(&c, 1);
    bench_open_at(&b, &c, 1);
    conn = bench_connect(&b, 80, &peer);
    assert_int_equal(tern_tcp_write(conn, bytes, sizeof bytes), sizeof bytes);
    assert_int_equal(tern_stack_output(b.stack, frame, 0, b.now), 0);
    while ((n = tern_stack_output(b.stack, frame, 2, b.now)) > 0) {
        assert_true(n <= 2);
        assert_true(tern_stack_deadline(b.stack) <= b.now || n < 2);
        tern_stack_check(b.stack);
        total += n;
    }
    assert_int_equal(total, 7);
    bench_close(&b);
}

/* Frames that a stack sent, one behind the other. */
struct said {
    uint8_t bytes[200000];
    size_t count;
    int frames, with_cwr, with_psh;
};

/* Keep a frame, and let the peer have it; marked: the network says that it is congested. */
static void pass_on(struct said *said, struct bench *peer, const struct tern_frame *frame,
                    bool marked)
{
    struct tern_frame in = {.piece_count = 1, .bytes = frame->bytes, .csum = TERN_CSUM_VALID};
    uint8_t *at = said->bytes + said->count;
    uint8_t copy[1600];
    struct tern_sum sum = {0, false};

    for (uint32_t k = 0; k < frame->piece_count; k++) {
        assert_true(frame->piece[k].bytes <= sizeof said->bytes - said->count);
        memcpy(said->bytes + said->count, frame->piece[k].data, frame->piece[k].bytes);
        said->count += frame->piece[k].bytes;
    }
    said->frames++;
    said->with_cwr += (at[TERN_ETH_BYTES + TERN_IPV4_BYTES + 13] & TERN_TCP_CWR) != 0;
    said->with_psh += (at[TERN_ETH_BYTES + TERN_IPV4_BYTES + 13] & TERN_TCP_PSH) != 0;
    memcpy(copy, at, frame->bytes);
    copy[TERN_ETH_BYTES + 1] |= marked ? 3 : 0 /* CE */;
    tern_put_be16(copy + TERN_ETH_BYTES + 10, 0);
    tern_sum_add(&sum, copy + TERN_ETH_BYTES, TERN_IPV4_BYTES);
    tern_put_be16(copy + TERN_ETH_BYTES + 10, tern_sum_finish(&sum));
    in.piece[0] = tern_span_of(copy, frame->bytes);
    bench_frame(peer, &in);
}

/* What the peer answers comes back, delayed ACKs included. */
static void answer(struct pair *p)
{
    struct bench *peer = &p->end[1];
    uint32_t count;

    for (int i = 0; i < 2; i++) {
        p->end[i].now += 50 * TERN_MS;
        tern_stack_expire(p->end[i].stack, p->end[i].now);
    }

    bench_drain(peer);
    count = peer->sent_count;
    for (uint32_t i = 0; i < count; i++) {
        struct tern_frame f = peer->sent[i].frame;

        f.piece[0] = tern_span_of(peer->sent[i].bytes, peer->sent[i].count);
        f.piece_count = 1;
        tern_stack_input(p->end[0].stack, &f, 1, p->end[0].now);
    }
    bench_forget(peer);
}

/* A conversation in which the peer hears of congestion once, so that CWR is due; the frames of who
 * writes. max at a time are asked for. */
static void converse(uint32_t offloads, int max, struct said *said)
{
    static uint8_t text[20002], heard[sizeof text];
    static struct pair p;
    struct tern_conn *conn[2];
    struct tern_config c[2];
    struct tern_frame frame[TERN_BURST_MAX];
    struct tern_tcp_settings settings;
    int n;

    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (uint8_t)(i * 7 + i / 256);
    for (uint8_t i = 0; i < 2; i++)
        bench_config(&c[i], (uint8_t)(1 + i));
    c[0].link.offloads = offloads;
    pair_open(&p, &c[0], &c[1]);
    pair_connect(&p, pair_listen(&p, 1), conn);
    tern_tcp_settings(conn[0], &settings);
    settings.nodelay = true;
    settings.pacing = false;
    assert_int_equal(tern_tcp_set(conn[0], &settings), TERN_ERR_OK);
    for (size_t round = 0; round < 3; round++) {
        assert_int_equal(tern_tcp_write(conn[0], text, 20000 + round), 20000 + round);
        if (round == 2)
            tern_tcp_shutdown(conn[0]);
        for (int turn = 0; turn < 8; turn++) {
            while ((n = tern_stack_output(p.end[0].stack, frame, max, p.end[0].now)) > 0)
                for (int i = 0; i < n; i++)
                    pass_on(said, &p.end[1], &frame[i], round == 0 && frame[i].bytes < 1514);
            answer(&p);
        }
        while (tern_tcp_read(conn[1], heard, sizeof heard) > 0)
            ;
    }
    pair_close(&p);
}

/* Where the link does not cut, the stack does, many segments at a time: the frames are the same as
 * when each is asked for by itself. */
static void cut_as_one_by_one(void **state)
{
    static const uint32_t offloads[] = {0, TERN_OFFLOAD_CSUM_TX};
    static struct said one, many;

    (void)state;
    for (size_t i = 0; i < ROWS(offloads); i++) {
        one.count = many.count = 0;
        one.frames = one.with_cwr = one.with_psh = 0;
        many.frames = many.with_cwr = many.with_psh = 0;
        converse(offloads[i], 1, &one);
        converse(offloads[i], TERN_BURST_MAX, &many);
        assert_true(one.frames > 20);
        assert_int_equal(one.with_cwr, 1);
        assert_in_range(one.with_psh, 2, one.frames / 2);
        assert_int_equal(many.frames, one.frames);
        assert_int_equal(many.count, one.count);
        assert_memory_equal(many.bytes, one.bytes, one.count);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fragments),
        cmocka_unit_test(numbers_of_packets),
        cmocka_unit_test(strays_are_counted),
        cmocka_unit_test(checksums),
        cmocka_unit_test(super_segments),
        cmocka_unit_test(plain_segments),
        cmocka_unit_test(cut_as_one_by_one),
        cmocka_unit_test(old_text_again_and_again),
        cmocka_unit_test(dead_neighbour),
        cmocka_unit_test(address_lost_in_flight),
        cmocka_unit_test(bursts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
