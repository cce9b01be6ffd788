/* SPDX-License-Identifier: BSD-2-Clause */
/* What a stack answers to those who ask before they open anything. */
#include "bench.h"

static void addresses(void **state)
{
    struct bench b;
    struct tern_config c;
    struct tern_addr source;

    (void)state;
    bench_config(&c, 1);
    bench_open(&b, &c);
    assert_false(tern_stack_address_is_own(b.stack, bench_addr(1)));
    assert_false(tern_stack_source(b.stack, bench_addr(2), &source));
    bench_add(&b, "10.0.0.1/24");
    bench_add(&b, "192.168.7.1/24");
    assert_true(tern_stack_address_is_own(b.stack, bench_addr(1)));
    assert_false(tern_stack_address_is_own(b.stack, bench_addr(2)));
    assert_true(tern_stack_source(b.stack, bench_addr(2), &source));
    assert_true(tern_addr_equal(source, bench_addr(1)));
    assert_true(tern_stack_source(b.stack, tern_addr_v4(192, 168, 7, 9), &source));
    assert_true(tern_addr_equal(source, tern_addr_v4(192, 168, 7, 1)));
    assert_false(tern_stack_source(b.stack, tern_addr_v4(8, 8, 8, 8), &source));
    tern_stack_gateway_set(b.stack, tern_addr_v4(192, 168, 7, 254));
    assert_true(tern_stack_source(b.stack, tern_addr_v4(8, 8, 8, 8), &source));
    assert_true(tern_addr_equal(source, tern_addr_v4(192, 168, 7, 1)));
    bench_close(&b);
}

static void ports(void **state)
{
    static const struct tern_addr any;
    struct bench b;
    struct tern_config c;
    struct tern_listener *l;
    struct tern_tcp_options o = {.local = {.port = 0}};
    uint32_t same = 0;

    (void)state;
    bench_config(&c, 1);
    bench_open_at(&b, &c, 1);
    o.local.port = tern_tcp_port_pick(b.stack, any);
    assert_true(o.local.port >= 49152);
    assert_int_equal(tern_tcp_listen(b.stack, &o, 1, &l), TERN_ERR_OK);
    for (int i = 0; i < 20000; i++)
        same += tern_tcp_port_pick(b.stack, any) == o.local.port;
    assert_int_equal(same, 0);
    tern_tcp_unlisten(l);
    bench_close(&b);
}

static void controllers(void **state)
{
    struct bench b;
    struct tern_config c;
    char reno[] = "reno";

    (void)state;
    bench_config(&c, 1);
    bench_open(&b, &c);
    assert_string_equal(tern_tcp_congestion_name(b.stack, NULL), "cubic");
    assert_string_equal(tern_tcp_congestion_name(b.stack, reno), "reno");
    assert_ptr_not_equal(tern_tcp_congestion_name(b.stack, reno), reno);
    assert_null(tern_tcp_congestion_name(b.stack, "vegas"));
    assert_null(tern_tcp_congestion_name(b.stack, ""));
    bench_close(&b);
}

static void next_datagram(void **state)
{
    static const struct tern_addr any;
    const struct tern_endpoint local = {any, 53};
    struct tern_endpoint from;
    struct tern_slice slice;
    struct tern_udp_socket *udp;
    struct bench b;
    struct tern_config c;

    (void)state;
    bench_config(&c, 1);
    bench_open_at(&b, &c, 1);
    assert_int_equal(tern_udp_open(b.stack, &local, NULL, &udp), TERN_ERR_OK);
    assert_int_equal(tern_udp_peek(udp, &from, &slice), TERN_ERR_AGAIN);
    bench_udp(&b, 7, 53, tern_span_of("one", 3));
    bench_udp(&b, 8, 53, tern_span_of("", 0));
    for (int i = 0; i < 2; i++) {
        assert_int_equal(tern_udp_peek(udp, &from, &slice), 3);
        assert_memory_equal(slice.data, "one", 3);
        assert_int_equal(from.port, 7);
    }
    tern_udp_skip(udp);
    assert_int_equal(tern_udp_peek(udp, &from, &slice), 0);
    assert_int_equal(from.port, 8);
    tern_udp_skip(udp);
    tern_udp_skip(udp);
    assert_int_equal(tern_udp_peek(udp, &from, &slice), TERN_ERR_AGAIN);
    bench_icmp_error(&b, 3, 3, 17, 53, 99, 0);
    assert_int_equal(tern_udp_error(udp), TERN_ERR_REFUSED);
    assert_int_equal(tern_udp_error(udp), TERN_ERR_OK);
    assert_int_equal(tern_udp_peek(udp, &from, &slice), TERN_ERR_AGAIN);
    tern_udp_close(udp);
    bench_close(&b);
}

/* A socket that is connected hears of its peer alone, and before one that hears of all. */
static void one_peer(void **state)
{
    static const struct tern_addr any;
    const struct tern_endpoint wild = {any, 53}, one = {bench_addr(1), 53};
    const struct tern_endpoint peer = {bench_addr(2), 7}, nobody = {any, 0};
    struct tern_endpoint from;
    struct tern_slice slice;
    struct tern_udp_socket *all, *few;
    struct bench b;
    struct tern_config c;

    (void)state;
    bench_config(&c, 1);
    bench_open_at(&b, &c, 1);
    assert_int_equal(tern_udp_open(b.stack, &wild, NULL, &all), TERN_ERR_OK);
    assert_int_equal(tern_udp_open(b.stack, &one, NULL, &few), TERN_ERR_OK);
    tern_udp_connect(few, &peer);
    bench_udp(&b, 7, 53, tern_span_of("seven", 5));
    bench_udp(&b, 8, 53, tern_span_of("eight!", 6));
    assert_int_equal(tern_udp_peek(few, &from, &slice), 5);
    assert_int_equal(tern_udp_peek(all, &from, &slice), 6);
    tern_udp_skip(few);
    tern_udp_close(all);
    bench_udp(&b, 8, 53, tern_span_of("again", 5));
    assert_int_equal(tern_udp_peek(few, &from, &slice), TERN_ERR_AGAIN);
    assert_int_equal(bench_drops(&b, TERN_DROP_UDP_NO_PORT), 1);
    bench_icmp_error(&b, 3, 3, 17, 53, 8, 0); /* about a datagram to another */
    assert_int_equal(tern_udp_error(few), TERN_ERR_OK);
    bench_icmp_error(&b, 3, 3, 17, 53, 7, 0);
    assert_int_equal(tern_udp_error(few), TERN_ERR_REFUSED);
    tern_udp_connect(few, &nobody);
    bench_udp(&b, 8, 53, tern_span_of("now", 3));
    assert_int_equal(tern_udp_peek(few, &from, &slice), 3);
    tern_udp_close(few);
    bench_close(&b);
}

static void waiting(void **state)
{
    struct pair p;
    struct tern_listener *l;
    struct tern_conn *conn[2];
    uint8_t byte;

    (void)state;
    pair_open_small(&p);
    l = pair_listen(&p, 1);
    assert_false(tern_listener_is_ready(l));
    conn[0] = pair_dial(&p);
    pair_settle(&p);
    assert_true(tern_listener_is_ready(l));
    assert_int_equal(tern_tcp_accept(l, NULL, &conn[1]), TERN_ERR_OK);
    assert_false(tern_listener_is_ready(l));
    assert_int_equal(tern_tcp_write(conn[0], "ab", 2), 2);
    pair_settle(&p);
    assert_int_equal(tern_tcp_unread(conn[1]), 2);
    assert_false(tern_tcp_peer_done(conn[1]));
    tern_tcp_shutdown(conn[0]);
    pair_settle(&p);
    assert_true(tern_tcp_peer_done(conn[1]));
    assert_int_equal(tern_tcp_read(conn[1], &byte, 1), 1);
    assert_int_equal(tern_tcp_unread(conn[1]), 1);
    tern_tcp_abort(conn[0]);
    tern_tcp_abort(conn[1]);
    tern_tcp_unlisten(l);
    pair_settle(&p);
    pair_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses),     cmocka_unit_test(ports),    cmocka_unit_test(controllers),
        cmocka_unit_test(next_datagram), cmocka_unit_test(one_peer), cmocka_unit_test(waiting),
    };

    return cmocka_run_group_tests_name("stack_ask", tests, NULL, NULL);
}
