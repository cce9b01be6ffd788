/* SPDX-License-Identifier: BSD-2-Clause */
/* Connections in the stack: found by their pair of endpoints, limited in number, and given back. */
#include "bench.h"

#include "base/steer.h"
#include "proto/tcp/isn.h"

static void send_byte(struct tern_conn *conn, uint8_t byte)
{
    assert_int_equal(tern_tcp_write(conn, &byte, 1), 1);
}

static int read_byte(struct tern_conn *conn)
{
    uint8_t byte = 0;
    const ptrdiff_t n = tern_tcp_read(conn, &byte, 1);

    return n == 1 ? byte : (int)n;
}

/* Each segment reaches the connection that it belongs to. */
static void many_connections(void **state)
{
    struct pair p;
    struct tern_listener *l;
    struct tern_conn *conn[8][2];

    (void)state;
    pair_open_small(&p);
    l = pair_listen(&p, 8);
    for (int i = 0; i < 8; i++)
        pair_connect(&p, l, conn[i]);
    for (int i = 0; i < 8; i++)
        send_byte(conn[i][0], (uint8_t)(10 + i));
    for (int i = 7; i >= 0; i--)
        send_byte(conn[i][1], (uint8_t)(20 + i));
    pair_settle(&p);
    for (int i = 0; i < 8; i++) {
        assert_int_equal(read_byte(conn[i][1]), 10 + i);
        assert_int_equal(read_byte(conn[i][0]), 20 + i);
        assert_int_equal(read_byte(conn[i][0]), TERN_ERR_AGAIN);
    }
    for (int i = 0; i < 8; i++)
        for (int k = 0; k < i; k++)
            assert_int_not_equal(tern_tcp_id(conn[i][0]), tern_tcp_id(conn[k][0]));
    pair_close(&p);
}

/* One of the four numbers of a pair is another: not this connection. */
static void demux_rows(void **state)
{
    static const struct {
        const char *what;
        int port_step, our_port_step;
        uint8_t src;
        bool heard;
    } row[] = {
        {"its own peer", 0, 0, 2, true},
        {"another port of the peer", 1, 0, 2, false},
        {"another port of ours", 0, 1, 2, false},
        {"another host", 0, 0, 3, false},
    };

    (void)state;
    for (size_t i = 0; i < ROWS(row); i++) {
        struct bench b;
        struct tern_config c;
        struct tern_tcp_header peer;
        struct tern_conn *conn;
        uint8_t bytes[21] = {0};
        struct tern_writer w = tern_writer_of(bytes, sizeof bytes);
        struct tern_tcp_info info;

        bench_config(&c, 1);
        bench_open_at(&b, &c, 1);
        bench_know(&b, 3);
        conn = bench_connect(&b, 80, &peer);
        peer.src_port = (uint16_t)(peer.src_port + row[i].port_step);
        peer.dst_port = (uint16_t)(peer.dst_port + row[i].our_port_step);
        tern_tcp_emit(&peer, &w);
        tern_write_u8(&w, 'x');
        { /* the frame's sum is vouched for, so that the row says it all */
            uint8_t frame[64];
            struct tern_writer f = tern_writer_of(frame, sizeof frame);
            const struct tern_eth eth = {bench_mac(1), bench_mac(row[i].src), TERN_ETHERTYPE_IPV4};
            const struct tern_ipv4 ip = {.ttl = 64,
                                         .protocol = TERN_IP_TCP,
                                         .src = bench_addr(row[i].src),
                                         .dst = bench_addr(1)};
            struct tern_frame in = {.piece_count = 1, .csum = TERN_CSUM_VALID};

            tern_eth_emit(&eth, &f);
            tern_ipv4_emit(&ip, (uint16_t)w.bytes, &f);
            tern_write_bytes(&f, bytes, w.bytes);
            in.piece[0] = tern_span_of(frame, f.bytes);
            in.bytes = (uint32_t)f.bytes;
            bench_frame(&b, &in);
        }
        tern_tcp_info(conn, &info);
        if (row[i].heard != (info.unread_bytes == 1) ||
            row[i].heard != (bench_drops(&b, TERN_DROP_TCP_NO_CONNECTION) == 0))
            fail_msg("%s: %s", row[i].what, row[i].heard ? "not heard" : "heard");
        bench_close(&b);
    }
}

/* RFC 6056 §3.3.3: every port of the range serves a destination once; another has its own. */
static void ports_run_out(void **state)
{
    struct bench b;
    struct tern_config c;
    struct tern_tcp_options o = {.remote = {bench_addr(2), 80}};
    struct tern_conn *conn, *last = NULL;
    struct tern_tcp_info info;
    static uint8_t seen[65536];

    (void)state;
    memset(seen, 0, sizeof seen);
    bench_config(&c, 1);
    c.connections_max = TERN_PORT_EPHEMERAL_COUNT + 8;
    bench_open(&b, &c);
    bench_add(&b, "10.0.0.1/24");
    for (int i = 0; i < TERN_PORT_EPHEMERAL_COUNT; i++) {
        assert_int_equal(tern_tcp_connect(b.stack, &o, &last), TERN_ERR_OK);
        tern_tcp_info(last, &info);
        assert_true(info.local.port >= TERN_PORT_EPHEMERAL_MIN);
        assert_int_equal(seen[info.local.port]++, 0);
    }
    assert_int_equal(tern_tcp_connect(b.stack, &o, &conn), TERN_ERR_FULL);
    o.remote.port = 81;
    assert_int_equal(tern_tcp_connect(b.stack, &o, &conn), TERN_ERR_OK);
    o.remote.port = 80;
    tern_tcp_abort(last); /* never on the wire: its port is free at once */
    assert_int_equal(tern_tcp_connect(b.stack, &o, &conn), TERN_ERR_OK);
    tern_tcp_info(conn, &info);
    assert_int_equal(--seen[info.local.port], 0);
    bench_close(&b);
}

/* Of several stacks that share an address each takes ports whose answers come to it, and is refused
 * others. */
static void ports_of_our_queue(void **state)
{
    struct tern_tcp_options o = {.remote = {bench_addr(2), 80}};
    const uint32_t queues = 3;
    struct tern_config c;
    struct tern_conn *conn;
    struct bench b;

    (void)state;
    for (uint32_t queue = 0; queue < queues; queue++) {
        bench_config(&c, 1);
        c.connections_max = 300;
        c.link.queue = queue;
        c.link.queues = queues;
        bench_open(&b, &c);
        bench_add(&b, "10.0.0.1/24");
        for (int i = 0; i < 100; i++) {
            struct tern_tcp_info info;

            o.local.port = 0;
            assert_int_equal(tern_tcp_connect(b.stack, &o, &conn), TERN_ERR_OK);
            tern_tcp_info(conn, &info);
            assert_int_equal(tern_steer(&info.local, &info.remote, queues), queue);
        }
        for (uint16_t port = 1; port <= 100; port++) {
            const struct tern_endpoint local = {bench_addr(1), port};
            const bool ours = tern_steer(&local, &o.remote, queues) == queue;

            o.local.port = port;
            assert_int_equal(tern_tcp_connect(b.stack, &o, &conn),
                             ours ? TERN_ERR_OK : TERN_ERR_ADDRESS_IN_USE);
        }
        bench_close(&b);
    }
}

static void no_control_block(void **state)
{
    struct pair p;
    struct tern_listener *l;
    struct tern_conn *conn[8], *more;
    const struct tern_tcp_options o = {.remote = {bench_addr(2), 80}};
    struct tern_stack_counters c;
    struct tern_tcp_header syn = {.src_port = 9, .dst_port = 80, .flags = TERN_TCP_SYN};

    (void)state;
    pair_open_small(&p);
    l = pair_listen(&p, 100);
    for (int i = 0; i < 8; i++)
        conn[i] = pair_dial(&p);
    assert_int_equal(tern_tcp_connect(p.end[0].stack, &o, &more), TERN_ERR_FULL);
    tern_stack_counters(p.end[1].stack, &c);
    assert_int_equal(c.connections_used, 8);
    { /* a ninth SYN, from somewhere else */
        const uint8_t none = 0;
        struct bench *b = &p.end[1];

        p.cut = true;
        syn.seq = tern_seq_of(7);
        (void)none;
        assert_int_equal(bench_drops(b, TERN_DROP_TCP_LIMIT), 0);
        {
            uint8_t bytes[64];
            struct tern_writer w = tern_writer_of(bytes, sizeof bytes);
            const struct tern_eth eth = {bench_mac(2), bench_mac(1), TERN_ETHERTYPE_IPV4};
            const struct tern_ipv4 ip = {
                .ttl = 64, .protocol = TERN_IP_TCP, .src = bench_addr(1), .dst = bench_addr(2)};
            struct tern_frame f = {.piece_count = 1, .csum = TERN_CSUM_VALID};

            tern_eth_emit(&eth, &w);
            tern_ipv4_emit(&ip, 20, &w);
            tern_tcp_emit(&syn, &w);
            f.piece[0] = tern_span_of(bytes, w.bytes);
            f.bytes = (uint32_t)w.bytes;
            bench_frame(b, &f);
        }
        assert_int_equal(bench_drops(b, TERN_DROP_TCP_LIMIT), 1);
        assert_int_equal(b->sent_count, 0); /* silence: the peer tries again */
        p.cut = false;
    }
    /* One that ends on both sides makes room for one. */
    tern_tcp_abort(conn[3]);
    pair_settle(&p);
    (void)pair_dial(&p);
    tern_stack_counters(p.end[1].stack, &c);
    assert_int_equal(c.connections_used, 8);
    tern_tcp_unlisten(l);
    pair_settle(&p);
    tern_stack_counters(p.end[1].stack, &c);
    assert_int_equal(c.connections_used, 0);
    pair_close(&p);
}

/* What was given up is finished on the wire by the stack alone, and counted until then. */
static void unfinished(void **state)
{
    struct pair p;
    struct tern_listener *l;
    struct tern_conn *conn[2];

    (void)state;
    pair_open_small(&p);
    l = pair_listen(&p, 8);
    assert_int_equal(tern_stack_connections_unfinished(p.end[0].stack), 0);
    pair_connect(&p, l, conn);
    assert_int_equal(tern_stack_connections_unfinished(p.end[0].stack), 1);
    send_byte(conn[0], 1);
    tern_tcp_close(conn[0]);
    assert_int_equal(tern_stack_connections_unfinished(p.end[0].stack), 1);
    pair_settle(&p);
    assert_int_equal(read_byte(conn[1]), 1);
    assert_int_equal(read_byte(conn[1]), 0);
    tern_tcp_close(conn[1]);
    pair_settle(&p);
    assert_int_equal(tern_stack_connections_unfinished(p.end[0].stack), 0); /* TIME-WAIT */
    assert_int_equal(tern_stack_connections_unfinished(p.end[1].stack), 0);
    pair_run(&p, 61 * TERN_SECOND);
    {
        struct tern_stack_counters c;

        tern_stack_counters(p.end[0].stack, &c);
        assert_int_equal(c.connections_used, 0);
    }
    pair_close(&p);
}

static void abort_all(void **state)
{
    struct pair p;
    struct tern_listener *l;
    struct tern_conn *conn[3][2];
    struct tern_stack_counters c;

    (void)state;
    pair_open_small(&p);
    l = pair_listen(&p, 8);
    for (int i = 0; i < 3; i++)
        pair_connect(&p, l, conn[i]);
    tern_stack_abort_all(p.end[0].stack);
    assert_int_equal(tern_stack_connections_unfinished(p.end[0].stack), 3); /* their resets */
    pair_settle(&p);
    assert_int_equal(tern_stack_connections_unfinished(p.end[0].stack), 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(tern_tcp_reason(conn[i][0]), TERN_ERR_ABORTED);
        assert_int_equal(tern_tcp_reason(conn[i][1]), TERN_ERR_RESET);
        tern_tcp_close(conn[i][0]);
        tern_tcp_close(conn[i][1]);
    }
    for (int i = 0; i < 2; i++) {
        tern_stack_counters(p.end[i].stack, &c);
        assert_int_equal(c.connections_used, 0);
    }
    pair_close(&p);
}

/* Bytes go again and again: at R1 the next hop is asked whether it still lives (RFC 9293 §3.8.3),
 * and not before. */
static void doubted_hop(void **state)
{
    struct bench b;
    struct tern_config c;
    struct tern_tcp_header peer;
    struct tern_conn *conn;
    struct tern_arp arp;

    (void)state;
    bench_config(&c, 1);
    bench_open_at(&b, &c, 1);
    conn = bench_connect(&b, 80, &peer);
    send_byte(conn, 1);
    bench_drain(&b);
    bench_forget(&b);
    bench_advance(&b, 1 * TERN_SECOND); /* twice again: after 0.2 s and 0.4 more */
    assert_int_equal(bench_sent_count(&b, TERN_IP_TCP), 2);
    assert_false(bench_sent_arp(&b, 0, &arp));
    bench_advance(&b, 1 * TERN_SECOND);
    assert_int_equal(bench_sent_count(&b, TERN_IP_TCP), 3);
    assert_true(bench_sent_arp(&b, 0, &arp));
    assert_int_equal(arp.op, TERN_ARP_REQUEST);
    assert_true(tern_addr_equal(arp.target, bench_addr(2)));
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(doubted_hop),        cmocka_unit_test(many_connections),
        cmocka_unit_test(demux_rows),         cmocka_unit_test(ports_run_out),
        cmocka_unit_test(ports_of_our_queue), cmocka_unit_test(no_control_block),
        cmocka_unit_test(unfinished),         cmocka_unit_test(abort_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
