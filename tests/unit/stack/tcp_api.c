/* SPDX-License-Identifier: BSD-2-Clause */
/* The calls of tcp.h that open, end and tell of connections: what they refuse, what they return,
 * and what the wire and the other side then see. Those for their bytes: tcp_bytes.c. */
#include "bench.h"

static void connect_errors(void **state)
{
    static const struct {
        const char *to;
        uint16_t port;
        const char *congestion;
        enum tern_err err;
    } row[] = {
        {"10.0.0.2", 80, NULL, TERN_ERR_OK},           {"10.0.0.2", 80, "reno", TERN_ERR_OK},
        {"10.0.0.2", 80, "cubic", TERN_ERR_OK},        {"10.0.0.2", 80, "vegas", TERN_ERR_INVAL},
        {"10.0.0.2", 0, NULL, TERN_ERR_INVAL},         {"0.0.0.0", 80, NULL, TERN_ERR_INVAL},
        {"224.0.0.1", 80, NULL, TERN_ERR_INVAL},       {"10.0.0.255", 80, NULL, TERN_ERR_INVAL},
        {"255.255.255.255", 80, NULL, TERN_ERR_INVAL}, {"192.0.2.1", 80, NULL, TERN_ERR_NO_ROUTE},
        {"fd00::2", 80, NULL, TERN_ERR_NO_ROUTE},      {"10.0.0.1", 80, NULL, TERN_ERR_NO_ROUTE},
    };

    (void)state;
    for (size_t i = 0; i < ROWS(row); i++) {
        struct bench b;
        struct tern_config c;
        struct tern_tcp_options o = {.remote = {.port = row[i].port},
                                     .congestion = row[i].congestion};
        struct tern_conn *conn;
        struct tern_stack_counters n;
        enum tern_err err;

        bench_config(&c, 1);
        bench_open_at(&b, &c, 1);
        assert_int_equal(tern_addr_parse(row[i].to, &o.remote.addr), TERN_ERR_OK);
        err = tern_tcp_connect(b.stack, &o, &conn);
        tern_stack_counters(b.stack, &n);
        if (err != row[i].err || n.connections_used != (err == TERN_ERR_OK))
            fail_msg("%s:%u: %s", row[i].to, row[i].port, tern_err_text(err));
        if (err == TERN_ERR_OK) {
            assert_int_equal(tern_tcp_state(conn), TERN_TCP_SYN_SENT);
            o.local.port = 0;
        }
        bench_close(&b);
    }
}

static void same_pair_twice(void **state)
{
    struct bench b;
    struct tern_config c;
    struct tern_tcp_options o = {.local = {.port = 5000}, .remote = {bench_addr(2), 80}};
    struct tern_conn *conn, *other;

    (void)state;
    bench_config(&c, 1);
    bench_open_at(&b, &c, 1);
    assert_int_equal(tern_tcp_connect(b.stack, &o, &conn), TERN_ERR_OK);
    assert_int_equal(tern_tcp_connect(b.stack, &o, &other), TERN_ERR_ADDRESS_IN_USE);
    o.remote.port = 81;
    assert_int_equal(tern_tcp_connect(b.stack, &o, &other), TERN_ERR_OK);
    bench_close(&b);
}

static void listen_errors(void **state)
{
    struct bench b;
    struct tern_config c;
    struct tern_tcp_options o = {.local = {.port = 80}};
    struct tern_listener *l, *m;

    (void)state;
    bench_config(&c, 1);
    bench_open_at(&b, &c, 1);
    assert_int_equal(tern_tcp_listen(b.stack, &o, 0, &l), TERN_ERR_INVAL);
    o.congestion = "vegas";
    assert_int_equal(tern_tcp_listen(b.stack, &o, 1, &l), TERN_ERR_INVAL);
    o.congestion = NULL;
    o.local.port = 0;
    assert_int_equal(tern_tcp_listen(b.stack, &o, 1, &l), TERN_ERR_INVAL);
    o.local.port = 80;
    assert_int_equal(tern_tcp_listen(b.stack, &o, 1, &l), TERN_ERR_OK);
    assert_int_equal(tern_listener_port(l), 80);
    assert_int_equal(tern_tcp_listen(b.stack, &o, 1, &m), TERN_ERR_ADDRESS_IN_USE);
    o.local.addr = tern_addr_v4(0, 0, 0, 0); /* the same in other words */
    assert_int_equal(tern_tcp_listen(b.stack, &o, 1, &m), TERN_ERR_ADDRESS_IN_USE);
    o.local.addr = bench_addr(1);
    assert_int_equal(tern_tcp_listen(b.stack, &o, 1, &m), TERN_ERR_OK);
    o.local.port = 81;
    assert_int_equal(tern_tcp_listen(b.stack, &o, 1, &m), TERN_ERR_FULL);
    tern_tcp_unlisten(l);
    assert_int_equal(tern_tcp_listen(b.stack, &o, 1, &m), TERN_ERR_OK);
    bench_close(&b);
}

/* Waiting or unfinished, connections fill the backlog; accepted ones do not. */
static void backlog(void **state)
{
    struct pair p;
    struct tern_listener *l;
    struct tern_conn *client[4], *server;
    int mark;

    (void)state;
    pair_open_small(&p);
    l = pair_listen(&p, 2);
    assert_int_equal(tern_tcp_accept(l, NULL, &server), TERN_ERR_AGAIN);
    for (int i = 0; i < 3; i++)
        client[i] = pair_dial(&p);
    assert_int_equal(bench_events(&p.end[1], TERN_EVENT_LISTENER), TERN_CONN_READABLE);
    assert_int_equal(tern_tcp_state(client[1]), TERN_TCP_ESTABLISHED);
    assert_int_equal(tern_tcp_state(client[2]), TERN_TCP_SYN_SENT);
    assert_int_equal(bench_drops(&p.end[1], TERN_DROP_TCP_LISTEN_FULL), 1);
    assert_int_equal(tern_tcp_accept(l, &mark, &server), TERN_ERR_OK);
    pair_run(&p, 2 * TERN_SECOND); /* its SYN goes again */
    assert_int_equal(tern_tcp_state(client[2]), TERN_TCP_ESTABLISHED);
    assert_int_equal(tern_tcp_write(client[0], "first", 5), 5);
    pair_settle(&p);
    { /* oldest first, with the user that accept gave */
        struct tern_event e;
        char got[8];
        bool heard = false;

        while (tern_stack_event(p.end[1].stack, &e))
            heard = heard || (e.kind == TERN_EVENT_CONN && e.user == &mark && e.conn == server);
        assert_true(heard);
        assert_int_equal(tern_tcp_read(server, got, sizeof got), 5);
    }
    pair_close(&p);
}

/* No more listener: who was not accepted is reset, who was lives on. */
static void unlisten(void **state)
{
    struct pair p;
    struct tern_listener *l;
    struct tern_conn *conn[2], *waiting;

    (void)state;
    pair_open_small(&p);
    l = pair_listen(&p, 4);
    pair_connect(&p, l, conn);
    waiting = pair_dial(&p);
    assert_int_equal(tern_tcp_state(waiting), TERN_TCP_ESTABLISHED);
    tern_tcp_unlisten(l);
    pair_settle(&p);
    assert_int_equal(tern_tcp_state(waiting), TERN_TCP_CLOSED);
    assert_int_equal(tern_tcp_reason(waiting), TERN_ERR_RESET);
    assert_int_equal(tern_tcp_state(conn[0]), TERN_TCP_ESTABLISHED);
    assert_int_equal(tern_tcp_state(conn[1]), TERN_TCP_ESTABLISHED);
    waiting = pair_dial(&p);
    assert_int_equal(tern_tcp_reason(waiting), TERN_ERR_REFUSED);
    pair_close(&p);
}

/* Reset while it waited to be accepted: it waits on, tells why it is over, and is gone. */
static void reset_before_accept(void **state)
{
    struct pair p;
    struct tern_listener *l;
    struct tern_conn *client, *server;
    struct tern_stack_counters n;

    (void)state;
    pair_open_small(&p);
    l = pair_listen(&p, 1);
    client = pair_dial(&p);
    tern_tcp_abort(client);
    pair_settle(&p);
    assert_int_equal(tern_tcp_accept(l, NULL, &server), TERN_ERR_OK);
    assert_int_equal(tern_tcp_reason(server), TERN_ERR_RESET);
    tern_tcp_close(server);
    tern_stack_counters(p.end[1].stack, &n);
    assert_int_equal(n.connections_used, 0);
    client = pair_dial(&p); /* its place in the backlog is free */
    assert_int_equal(tern_tcp_accept(l, NULL, &server), TERN_ERR_OK);
    pair_close(&p);
}

/* Half-close: no more writing, reading goes on, to the end of both streams. */
static void half_close(void **state)
{
    struct pair p;
    struct tern_listener *l;
    struct tern_conn *conn[2];
    char got[16];
    uint32_t bits;

    (void)state;
    pair_open_small(&p);
    l = pair_listen(&p, 1);
    pair_connect(&p, l, conn);
    (void)bench_events(&p.end[0], TERN_EVENT_CONN);
    assert_int_equal(tern_tcp_write(conn[0], "ask", 3), 3);
    tern_tcp_shutdown(conn[0]);
    tern_tcp_shutdown(conn[0]);
    assert_int_equal(tern_tcp_write(conn[0], "x", 1), TERN_ERR_CLOSED);
    assert_int_equal(tern_tcp_write_space(conn[0]), 0);
    pair_settle(&p);
    assert_int_equal(tern_tcp_state(conn[0]), TERN_TCP_FIN_WAIT_2);
    assert_int_equal(tern_tcp_state(conn[1]), TERN_TCP_CLOSE_WAIT);
    assert_int_equal(bench_events(&p.end[0], TERN_EVENT_CONN), TERN_CONN_SENT_ALL);
    assert_int_equal(tern_tcp_read(conn[1], got, sizeof got), 3);
    assert_int_equal(tern_tcp_write(conn[1], "answer", 6), 6);
    pair_settle(&p);
    assert_int_equal(tern_tcp_read(conn[0], got, sizeof got), 6);
    tern_tcp_shutdown(conn[1]);
    pair_settle(&p);
    bits = bench_events(&p.end[0], TERN_EVENT_CONN);
    assert_int_equal(bits & (TERN_CONN_PEER_FIN | TERN_CONN_CLOSED),
                     TERN_CONN_PEER_FIN | TERN_CONN_CLOSED);
    assert_int_equal(tern_tcp_read(conn[0], got, sizeof got), 0);
    assert_int_equal(tern_tcp_state(conn[0]), TERN_TCP_TIME_WAIT);
    assert_int_equal(tern_tcp_state(conn[1]), TERN_TCP_CLOSED);
    assert_int_equal(tern_tcp_reason(conn[0]), TERN_ERR_OK);
    assert_int_equal(tern_tcp_reason(conn[1]), TERN_ERR_OK);
    assert_int_equal(tern_tcp_write(conn[0], "x", 1), TERN_ERR_CLOSED);
    assert_int_equal(tern_tcp_write(conn[1], "x", 1), TERN_ERR_CLOSED);
    assert_int_equal(tern_tcp_read(conn[1], got, sizeof got), 0);
    pair_close(&p);
}

/* RFC 9293 §3.6.1: closed in order, or, with bytes that nobody read, by a reset. */
static void close_and_abort(void **state)
{
    static const struct {
        const char *what;
        bool unread, abort;
        enum tern_err peer_reason;
        enum tern_tcp_state peer_state;
    } row[] = {
        {"close", false, false, TERN_ERR_OK, TERN_TCP_CLOSE_WAIT},
        {"close with unread bytes", true, false, TERN_ERR_RESET, TERN_TCP_CLOSED},
        {"abort", false, true, TERN_ERR_RESET, TERN_TCP_CLOSED},
        {"abort with unread bytes", true, true, TERN_ERR_RESET, TERN_TCP_CLOSED},
    };

    (void)state;
    for (size_t i = 0; i < ROWS(row); i++) {
        struct pair p;
        struct tern_listener *l;
        struct tern_conn *conn[2];
        struct tern_stack_counters n;
        char got[8];

        pair_open_small(&p);
        l = pair_listen(&p, 1);
        pair_connect(&p, l, conn);
        if (row[i].unread)
            assert_int_equal(tern_tcp_write(conn[1], "unread", 6), 6);
        assert_int_equal(tern_tcp_write(conn[0], "last", 4), 4);
        pair_settle(&p);
        assert_int_equal(tern_tcp_read(conn[1], got, sizeof got), 4);
        if (row[i].abort)
            tern_tcp_abort(conn[0]);
        else
            tern_tcp_close(conn[0]);
        pair_settle(&p);
        if (tern_tcp_reason(conn[1]) != row[i].peer_reason ||
            tern_tcp_state(conn[1]) != row[i].peer_state)
            fail_msg("%s: %s, %s", row[i].what, tern_err_text(tern_tcp_reason(conn[1])),
                     tern_tcp_state_text(tern_tcp_state(conn[1])));
        if (row[i].peer_reason != TERN_ERR_OK) {
            assert_int_equal(tern_tcp_read(conn[1], got, 8), TERN_ERR_RESET);
            assert_int_equal(tern_tcp_write(conn[1], got, 8), TERN_ERR_RESET);
            tern_stack_counters(p.end[0].stack, &n);
            assert_int_equal(n.connections_used, 0);
        } else {
            assert_int_equal(tern_tcp_read(conn[1], got, 8), 0);
        }
        tern_tcp_close(conn[1]);
        pair_run(&p, 61 * TERN_SECOND);
        for (int k = 0; k < 2; k++) {
            tern_stack_counters(p.end[k].stack, &n);
            assert_int_equal(n.connections_used, 0);
            assert_int_equal(n.chunks_used, 0);
        }
        pair_close(&p);
    }
}

/* A handle is the application's until it says otherwise, and its number is nobody else's ever. */
static void numbers(void **state)
{
    struct pair p;
    struct tern_listener *l;
    uint32_t last[2] = {0, 0};

    (void)state;
    pair_open_small(&p);
    l = pair_listen(&p, 1);
    for (int i = 0; i < 50; i++) {
        struct tern_conn *conn[2];

        pair_connect(&p, l, conn);
        for (int k = 0; k < 2; k++) {
            assert_true(tern_tcp_id(conn[k]) > last[k]);
            last[k] = tern_tcp_id(conn[k]);
        }
        tern_tcp_abort(conn[0]);
        pair_settle(&p);
        assert_int_equal(tern_tcp_id(conn[1]), last[1]);
        tern_tcp_close(conn[1]);
    }
    pair_close(&p);
}

/* The figures after an exchange that can be counted by hand. */
static void info(void **state)
{
    struct pair p;
    struct tern_listener *l;
    struct tern_conn *conn[2];
    struct tern_tcp_info a, b;
    uint8_t bytes[3000] = {0};

    (void)state;
    pair_open_small(&p);
    l = pair_listen(&p, 1);
    pair_connect(&p, l, conn);
    assert_int_equal(tern_tcp_write(conn[0], bytes, 3000), 3000);
    pair_settle(&p);
    assert_int_equal(tern_tcp_write(conn[1], bytes, 10), 10);
    pair_settle(&p);
    assert_int_equal(tern_tcp_read(conn[1], bytes, 1000), 1000);
    tern_tcp_info(conn[0], &a);
    tern_tcp_info(conn[1], &b);
    assert_int_equal(a.state, TERN_TCP_ESTABLISHED);
    assert_string_equal(a.congestion, "cubic");
    assert_true(tern_endpoint_equal(&a.local, &b.remote));
    assert_true(tern_endpoint_equal(&a.remote, &b.local));
    assert_int_equal(a.remote.port, 80);
    assert_true(a.timestamps && a.sack && a.wscale);
    assert_int_equal(a.mss_bytes, 1448);
    assert_int_equal(a.advmss_bytes, 1460);
    assert_int_equal(a.bytes_sent, 3000);
    assert_int_equal(a.bytes_acked, 3000);
    assert_int_equal(a.bytes_received, 10);
    assert_int_equal(a.data_segs_out, 3);
    assert_int_equal(b.data_segs_in, 3);
    assert_int_equal(a.segs_out, b.segs_in);
    assert_int_equal(b.segs_out, a.segs_in);
    assert_int_equal(b.bytes_received, 3000);
    assert_int_equal(b.bytes_acked, 10);
    assert_int_equal(b.unread_bytes, 2000);
    assert_int_equal(a.unread_bytes, 10);
    assert_int_equal(a.unacked_bytes + a.notsent_bytes, 0);
    assert_int_equal(a.retrans + a.rtos + a.dup_acks_in + b.out_of_order_in, 0);
    assert_int_equal(a.snd_wnd_bytes, b.rcv_wnd_bytes);
    assert_int_equal(a.opened_at, p.end[0].now);
    assert_int_equal(a.established_at, p.end[0].now);
    assert_int_equal(a.closed_at, TERN_TIME_NEVER);
    assert_int_equal(a.ssthresh_bytes, UINT64_MAX);
    pair_close(&p);
}

static void state_texts(void **state)
{
    (void)state;
    assert_string_equal(tern_tcp_state_text(TERN_TCP_SYN_RECEIVED), "SYN-RECEIVED");
    for (int i = 0; i < TERN_TCP_STATE_COUNT; i++)
        assert_true(strlen(tern_tcp_state_text((enum tern_tcp_state)i)) > 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connect_errors), cmocka_unit_test(same_pair_twice),
        cmocka_unit_test(listen_errors),  cmocka_unit_test(backlog),
        cmocka_unit_test(unlisten),       cmocka_unit_test(reset_before_accept),
        cmocka_unit_test(half_close),     cmocka_unit_test(close_and_abort),
        cmocka_unit_test(numbers),        cmocka_unit_test(info),
        cmocka_unit_test(state_texts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
