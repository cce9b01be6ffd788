/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the advertised windows promise: never more than the link holds for us (link.h), whatever the
 * number of connections; never more than the buffer, for ever and a day; and never is a promise
 * taken back.
 *
 * Seen from the wire: the right edge of each connection is the ACK plus the window, scaled, of
 * its latest segment.
 */
#include "bench.h"

#define CONNS 6
#define LONG  20000 /* of a super-frame */

struct watched {
    uint16_t our_port;
    bool opened;
    uint8_t wscale;
    uint32_t edge, nxt; /* the right edge promised, and what the peer may fill it from */
};

/* Read what was sent, in order; a right edge that moves back by more than slack fails the test. */
static void watch_loosely(struct bench *b, struct watched *w, uint32_t count, uint32_t slack)
{
    struct tern_tcp_header h;
    tern_span text;

    for (uint32_t n = 0; bench_sent_tcp(b, n, &h, &text); n++)
        for (uint32_t i = 0; i < count; i++) {
            const bool syn = (h.flags & TERN_TCP_SYN) != 0;
            const uint32_t edge = h.ack.value + ((uint32_t)h.window << (syn ? 0 : w[i].wscale));

            if (h.src_port != w[i].our_port || (h.flags & TERN_TCP_ACK) == 0)
                continue;
            if (w[i].opened && (int32_t)(edge - w[i].edge) < -(int32_t)slack)
                fail_msg("a window shrank by %d", (int)(w[i].edge - edge));
            w[i].edge = edge;
            w[i].opened = true;
        }
    bench_forget(b);
}

static void watch(struct bench *b, struct watched *w, uint32_t count)
{
    watch_loosely(b, w, count, 0);
}

static uint64_t promised(const struct watched *w, uint32_t count)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < count; i++)
        sum += w[i].edge - w[i].nxt;
    return sum;
}

/* An active connection whose peer speaks window scaling, watched from its first ACK on. The whole
 * buffer is there from the start. */
static struct tern_conn *dial(struct bench *b, struct watched *w, struct tern_tcp_header *peer)
{
    struct tern_tcp_settings set;
    const struct tern_tcp_options o = {.remote = {bench_addr(2), 80}, .settings = &set};
    struct tern_conn *conn;
    struct tern_tcp_header syn;
    tern_span text;

    tern_tcp_settings_defaults(&set);
    set.receive_buffer_bytes = UINT32_MAX;
    assert_int_equal(tern_tcp_connect(b->stack, &o, &conn), TERN_ERR_OK);
    bench_drain(b);
    assert_true(bench_sent_tcp(b, 0, &syn, &text));
    bench_forget(b);
    *w = (struct watched){.our_port = syn.src_port, .wscale = syn.wscale, .nxt = 1001};
    *peer = (struct tern_tcp_header){.src_port = 80,
                                     .dst_port = syn.src_port,
                                     .seq = tern_seq_of(1000),
                                     .ack = tern_seq_add(syn.seq, 1),
                                     .flags = TERN_TCP_SYN | TERN_TCP_ACK,
                                     .window = 60000,
                                     .has_mss = true,
                                     .mss = 1460,
                                     .has_wscale = true,
                                     .wscale = 7};
    bench_tcp(b, *peer, text);
    peer->seq = tern_seq_of(1001);
    peer->flags = TERN_TCP_ACK;
    peer->has_mss = peer->has_wscale = false;
    return conn;
}

static void configure(struct tern_config *c, uint32_t hold_frames, uint64_t hold_bytes)
{
    bench_config(c, 1);
    c->link.hold_frames = hold_frames;
    c->link.hold_bytes = hold_bytes;
    c->receive_buffer_bytes = 1u << 20;
    c->chunks_max = 8192;
}

/* Frames of a segment each: so many segments, and no more bytes than the link says. */
static void within_the_link(void **state)
{
    static const struct {
        uint32_t frames;
        uint64_t bytes;
        uint32_t conns;
    } row[] = {
        {16, 1u << 20, 1}, {64, 1u << 20, 1}, {64, 40000, 1},     {64, 1u << 20, 2},
        {64, 1u << 20, 6}, {64, 40000, 3},    {512, 1u << 25, 6},
    };
    static const uint8_t bytes[1460];

    (void)state;
    for (size_t i = 0; i < ROWS(row); i++) {
        struct bench b;
        struct tern_config c;
        struct tern_conn *conn[CONNS];
        struct watched w[CONNS];
        struct tern_tcp_header peer[CONNS];
        uint64_t most = 1460u * (uint64_t)row[i].frames;
        uint64_t slack;

        configure(&c, row[i].frames, row[i].bytes);
        most = most < row[i].bytes ? most : row[i].bytes;
        bench_open_at(&b, &c, 1);
        for (uint32_t k = 0; k < row[i].conns; k++) {
            conn[k] = dial(&b, &w[k], &peer[k]);
            watch(&b, w, k + 1);
        }
        /* each window is rounded up to what its scale can say, and a newcomer may have two segments
         * under way while the promises of the others still hold all that the link has */
        slack = row[i].conns * ((UINT64_C(1) << w[0].wscale) - 1) + (row[i].conns - 1) * 2920;
        for (int round = 0; round < 40; round++)
            for (uint32_t k = 0; k < row[i].conns; k++) {
                uint8_t sink[4096];

                if (w[k].edge - w[k].nxt >= sizeof bytes) {
                    bench_tcp(&b, peer[k], tern_span_of(bytes, sizeof bytes));
                    peer[k].seq = tern_seq_add(peer[k].seq, sizeof bytes);
                    w[k].nxt += sizeof bytes;
                }
                if (round % 3 == (int)k % 3)
                    (void)!tern_tcp_read(conn[k], sink, sizeof sink);
                bench_advance(&b, 50 * TERN_MS); /* delayed ACKs too */
                watch(&b, w, row[i].conns);
                if (promised(w, row[i].conns) > most + slack)
                    fail_msg("row %zu, round %d: %u promised, the link holds %u", i, round,
                             (unsigned)promised(w, row[i].conns), (unsigned)most);
            }
        bench_close(&b);
    }
}

/* One more frame of so much text, of a super-frame's pieces where it is long; all is read. */
static void hear(struct bench *b, struct tern_conn *conn, struct tern_tcp_header *peer,
                 struct watched *w, uint32_t bytes)
{
    static uint8_t text[LONG], sink[LONG];
    const struct tern_eth eth = {bench_mac(1), bench_mac(2), TERN_ETHERTYPE_IPV4};
    const struct tern_ipv4 ip = {
        .ttl = 64, .protocol = TERN_IP_TCP, .src = bench_addr(2), .dst = bench_addr(1)};
    static uint8_t packet[LONG + 100];
    struct tern_writer out = tern_writer_of(packet, sizeof packet);
    struct tern_frame frame = {.csum = TERN_CSUM_VALID, .piece_count = 1};

    assert_true(w->edge - w->nxt >= bytes);
    tern_eth_emit(&eth, &out);
    tern_ipv4_emit(&ip, (uint16_t)(tern_tcp_header_bytes(peer) + bytes), &out);
    tern_tcp_emit(peer, &out);
    tern_write_bytes(&out, text, bytes);
    assert_false(out.failed);
    frame.piece[0] = (struct tern_slice){packet, out.bytes};
    frame.bytes = (uint32_t)out.bytes;
    if (bytes > 1460) {
        frame.gso = TERN_GSO_TCP4;
        frame.gso_bytes = 1460;
    }
    bench_frame(b, &frame);
    peer->seq = tern_seq_add(peer->seq, bytes);
    w->nxt += bytes;
    assert_int_equal(tern_tcp_read(conn, sink, sizeof sink), bytes);
    bench_advance(b, 50 * TERN_MS);
}

/* Long frames, once they were seen, may be promised as many slots as there are for them, and no
 * more; and what that is in bytes leaves a connection of short frames its share. */
static void long_and_short_frames(void **state)
{
    struct bench b;
    struct tern_config c;
    struct tern_conn *conn[2];
    struct watched w[2];
    struct tern_tcp_header peer[2];
    uint64_t share[2];

    (void)state;
    configure(&c, 64, 64 * 1460);
    c.link.long_bytes = 4000;
    c.link.hold_long_frames = 16;
    bench_open_at(&b, &c, 1);
    conn[0] = dial(&b, &w[0], &peer[0]);
    watch(&b, w, 1);
    assert_true(w[0].edge - w[0].nxt <= 64 * 1460);
    for (int i = 0; i < 100; i++) {
        hear(&b, conn[0], &peer[0], &w[0], LONG);
        watch(&b, w, 1);
        assert_true(w[0].edge - w[0].nxt <= 16 * LONG / 2 + (1u << w[0].wscale));
    }
    assert_true(w[0].edge - w[0].nxt > 16 * LONG / 2 * 9 / 10);
    conn[1] = dial(&b, &w[1], &peer[1]);
    watch(&b, w, 2);
    for (int i = 0; i < 100; i++)
        for (int k = 0; k < 2; k++) {
            hear(&b, conn[k], &peer[k], &w[k], k == 0 ? LONG : 1460);
            watch(&b, w, 2);
        }
    for (int k = 0; k < 2; k++)
        share[k] = (w[k].edge - w[k].nxt) * 100 / (k == 0 ? 16 * LONG / 2 : 64 * 1460);
    if (share[0] < 40 || share[0] > 52 || share[1] < 40 || share[1] > 52)
        fail_msg("%u and %u %% of the link", (unsigned)share[0], (unsigned)share[1]);
    bench_close(&b);
}

/* Whoever sends SYNs and nothing more takes nothing of the link from those that are there. */
static void half_open_ones_hold_nothing(void **state)
{
    const struct tern_tcp_options o = {.local = {.port = 80}};
    struct bench b;
    struct tern_config c;
    struct tern_conn *conn;
    struct tern_listener *listener;
    struct watched w;
    struct tern_tcp_header peer;
    struct tern_stack_counters counters;

    (void)state;
    configure(&c, 64, 64 * 1460);
    c.connections_max = 16;
    bench_open_at(&b, &c, 1);
    assert_int_equal(tern_tcp_listen(b.stack, &o, 16, &listener), TERN_ERR_OK);
    conn = dial(&b, &w, &peer);
    watch(&b, &w, 1);
    for (uint16_t i = 0; i < 8; i++)
        bench_tcp(&b,
                  (struct tern_tcp_header){.src_port = (uint16_t)(2000 + i),
                                           .dst_port = 80,
                                           .seq = tern_seq_of(1),
                                           .flags = TERN_TCP_SYN,
                                           .window = 60000},
                  tern_span_of(NULL, 0));
    tern_stack_counters(b.stack, &counters);
    assert_int_equal(counters.connections_used, 1 + 8);
    for (int i = 0; i < 100; i++) {
        hear(&b, conn, &peer, &w, 1460);
        watch(&b, &w, 1);
    }
    assert_true(w.edge - w.nxt > 64 * 1460 * 9 / 10);
    bench_close(&b);
}

/*
 * A byte at a time, and nobody reads: the window ends, though each ACK's is rounded up to its
 * scale. When that has cost an eighth of the buffer, it is rounded down, and the edge may
 * move back by less than a unit.
 */
static void the_buffer_ends(void **state)
{
    static const uint32_t sizes[] = {1, 3, 100, 1001, 1448};
    static const uint8_t bytes[1448];

    (void)state;
    for (size_t i = 0; i < ROWS(sizes); i++) {
        struct bench b;
        struct tern_config c;
        struct watched w;
        struct tern_tcp_header peer;
        struct tern_conn *conn;
        struct tern_tcp_info info;

        bench_config(&c, 1);
        c.receive_buffer_bytes = 70000; /* needs a scale of 1 */
        c.chunks_max = 2048;
        c.chunk_bytes = 1024;
        c.send_buffer_bytes = 1024;
        bench_open_at(&b, &c, 1);
        conn = dial(&b, &w, &peer);
        for (uint32_t n = 0; n < 90000; n++) {
            uint32_t count = sizes[i];

            watch_loosely(&b, &w, 1, w.edge - 1001 + 1 < 70000 + 70000 / 8 ? 0 : 1);
            if (w.edge == w.nxt)
                break;
            count = w.edge - w.nxt < count ? w.edge - w.nxt : count;
            bench_tcp(&b, peer, tern_span_of(bytes, count));
            peer.seq = tern_seq_add(peer.seq, count);
            w.nxt += count;
            if (b.sent_count == 0) /* ask for an ACK: a byte that it has */
                bench_tcp(&b,
                          (struct tern_tcp_header){.src_port = peer.src_port,
                                                   .dst_port = peer.dst_port,
                                                   .seq = tern_seq_add(peer.seq, (uint32_t)-1),
                                                   .ack = peer.ack,
                                                   .flags = TERN_TCP_ACK,
                                                   .window = peer.window},
                          tern_span_of(bytes, 1));
        }
        tern_tcp_info(conn, &info);
        if (w.edge != w.nxt || info.unread_bytes > 70000 + 70000 / 8)
            fail_msg("in steps of %u: %u bytes unread, window %u", sizes[i],
                     (unsigned)info.unread_bytes, (unsigned)(w.edge - w.nxt));
        bench_close(&b);
    }
}

/* A reader that reads brings the window back, and never by less than a segment. */
static void opens_again(void **state)
{
    struct bench b;
    struct tern_config c;
    struct watched w;
    struct tern_tcp_header peer;
    struct tern_conn *conn;
    static const uint8_t bytes[1460];
    uint8_t sink[500];
    uint32_t edge;

    (void)state;
    configure(&c, 0, 0);
    c.receive_buffer_bytes = 20000;
    bench_open_at(&b, &c, 1);
    conn = dial(&b, &w, &peer);
    watch(&b, &w, 1);
    while (w.edge - w.nxt >= sizeof bytes) {
        bench_tcp(&b, peer, tern_span_of(bytes, sizeof bytes));
        peer.seq = tern_seq_add(peer.seq, sizeof bytes);
        w.nxt += sizeof bytes;
        watch(&b, &w, 1);
    }
    bench_advance(&b, TERN_SECOND);
    watch(&b, &w, 1);
    edge = w.edge;
    for (int i = 0; i < 30; i++) {
        assert_int_equal(tern_tcp_read(conn, sink, sizeof sink), sizeof sink);
        bench_drain(&b);
        watch(&b, &w, 1);
        assert_true(w.edge == edge || w.edge - edge >= 1460);
        edge = w.edge;
    }
    assert_true(w.edge - w.nxt >= 10000);
    bench_close(&b);
}

/* Who ends with a byte of its window left, or two, or none, leaves nothing of it behind
 * (tern_stack_check(), at each look, asks for that once the last connection is gone). */
static void nothing_is_left_behind(void **state)
{
    static const uint8_t bytes[1460];

    (void)state;
    for (uint32_t left = 0; left < 4; left++) {
        struct bench b;
        struct tern_config c;
        struct watched w;
        struct tern_tcp_header peer;
        struct tern_conn *conn;

        configure(&c, 64, 40000);
        c.receive_buffer_bytes = 20000;
        bench_open_at(&b, &c, 1);
        conn = dial(&b, &w, &peer);
        watch(&b, &w, 1);
        while (w.edge - w.nxt > left) {
            const uint32_t room = w.edge - w.nxt - left;
            const uint32_t n = room < sizeof bytes ? room : (uint32_t)sizeof bytes;

            bench_tcp(&b, peer, tern_span_of(bytes, n));
            peer.seq = tern_seq_add(peer.seq, n);
            w.nxt += n;
            bench_advance(&b, TERN_SECOND);
            watch(&b, &w, 1);
        }
        assert_int_equal(w.edge - w.nxt, left);
        peer.flags |= TERN_TCP_RST;
        bench_tcp(&b, peer, tern_span_of(NULL, 0));
        tern_tcp_close(conn);
        bench_drain(&b);
        bench_close(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(within_the_link),        cmocka_unit_test(long_and_short_frames),
        cmocka_unit_test(the_buffer_ends),        cmocka_unit_test(opens_again),
        cmocka_unit_test(nothing_is_left_behind), cmocka_unit_test(half_open_ones_hold_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
