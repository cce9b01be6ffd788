/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every pool of the smallest stack run dry, one at a time: what does not fit is TERN_ERR_FULL or a
 * drop with a name, what was there before stays, and what was given back can be had again.
 */
#include "../unit/stack/bench.h"

static void smallest(struct tern_config *c, uint8_t n)
{
    bench_config(c, n);
    c->connections_max = c->time_waits_max = c->fastopen_peers_max = 1;
    c->listeners_max = c->udp_sockets_max = c->ping_sockets_max = 1;
    c->neighbours_max = c->reassembly_max = c->addresses_max = 1;
    c->chunks_max = 4;
    c->chunk_bytes = 1024;
    c->send_buffer_bytes = c->receive_buffer_bytes = 16384;
}

static void open_smallest(struct bench *b)
{
    struct tern_config c;

    smallest(&c, 1);
    bench_open_at(b, &c, 1);
}

static void connections(void **state)
{
    const struct tern_tcp_options o = {.remote = {bench_addr(2), 80}};
    struct tern_conn *first, *second;
    struct bench b;

    (void)state;
    open_smallest(&b);
    for (int round = 0; round < 5; round++) {
        assert_int_equal(tern_tcp_connect(b.stack, &o, &first), TERN_ERR_OK);
        assert_int_equal(tern_tcp_connect(b.stack, &o, &second), TERN_ERR_FULL);
        assert_int_equal(tern_tcp_state(first), TERN_TCP_SYN_SENT);
        tern_tcp_abort(first);
        bench_drain(&b);
    }
    bench_close(&b);
}

/* A peer's connections: the second is told nothing or by a cookie, and has its turn later. */
static void accepted(void **state)
{
    struct tern_config c[2];
    struct tern_conn *conn[2], *second;
    struct tern_listener *l;
    struct pair p;

    (void)state;
    bench_config(&c[0], 1);
    smallest(&c[1], 2);
    pair_open(&p, &c[0], &c[1]);
    l = pair_listen(&p, 4);
    pair_connect(&p, l, conn);
    second = pair_dial(&p);
    pair_run(&p, 3 * TERN_SECOND);
    assert_true(bench_drops(&p.end[1], TERN_DROP_TCP_LIMIT) > 0);
    assert_int_equal(tern_tcp_state(conn[0]), TERN_TCP_ESTABLISHED);
    assert_int_equal(tern_tcp_accept(l, NULL, &conn[1]), TERN_ERR_AGAIN);
    tern_tcp_abort(conn[0]);
    pair_settle(&p);
    tern_tcp_close(conn[1]); /* only now its block is free */
    pair_run(&p, 130 * TERN_SECOND);
    if (tern_tcp_state(second) != TERN_TCP_ESTABLISHED)
        second = pair_dial(&p); /* it may have been refused in time, or believed a cookie */
    assert_int_equal(tern_tcp_state(second), TERN_TCP_ESTABLISHED);
    pair_close(&p);
}

static void listeners(void **state)
{
    struct tern_tcp_options o = {.local = {.port = 80}};
    struct tern_listener *first, *second;
    struct bench b;

    (void)state;
    open_smallest(&b);
    for (uint16_t round = 0; round < 5; round++) {
        o.local.port = (uint16_t)(80 + round);
        assert_int_equal(tern_tcp_listen(b.stack, &o, 1, &first), TERN_ERR_OK);
        o.local.port = 8080;
        assert_int_equal(tern_tcp_listen(b.stack, &o, 1, &second), TERN_ERR_FULL);
        assert_int_equal(tern_listener_port(first), 80 + round);
        tern_tcp_unlisten(first);
    }
    bench_close(&b);
}

static void udp_and_ping(void **state)
{
    const struct tern_endpoint any = {.port = 0};
    struct tern_udp_socket *udp, *second;
    struct tern_ping_socket *ping, *another;
    struct bench b;

    (void)state;
    open_smallest(&b);
    for (int round = 0; round < 5; round++) {
        assert_int_equal(tern_udp_open(b.stack, &any, NULL, &udp), TERN_ERR_OK);
        assert_int_equal(tern_udp_open(b.stack, &any, NULL, &second), TERN_ERR_FULL);
        tern_udp_close(udp);
        assert_int_equal(tern_ping_open(b.stack, NULL, &ping), TERN_ERR_OK);
        assert_int_equal(tern_ping_open(b.stack, NULL, &another), TERN_ERR_FULL);
        tern_ping_close(ping);
    }
    bench_close(&b);
}

/* What comes faster than it is read, and what is sent faster than it leaves. */
static void datagrams(void **state)
{
    const struct tern_endpoint local = {.port = 9}, to = {bench_addr(2), 9};
    static const uint8_t data[900];
    struct tern_udp_socket *udp;
    struct tern_endpoint from;
    enum tern_err err = TERN_ERR_OK;
    uint8_t got[1000];
    struct bench b;
    int n, had = 0;

    (void)state;
    open_smallest(&b);
    assert_int_equal(tern_udp_open(b.stack, &local, NULL, &udp), TERN_ERR_OK);
    for (n = 0; n < 10000 && bench_drops(&b, TERN_DROP_UDP_FULL) == 0; n++)
        bench_udp(&b, 9, 9, tern_span_of(data, sizeof data));
    assert_int_equal(bench_drops(&b, TERN_DROP_UDP_FULL), 1);
    while (tern_udp_receive(udp, &from, got, sizeof got) == sizeof data)
        had++;
    assert_int_equal(had, n - 1);
    bench_udp(&b, 9, 9, tern_span_of(data, sizeof data));
    assert_int_equal(tern_udp_receive(udp, &from, got, sizeof got), sizeof data);
    for (n = 0; n < 10000 && err == TERN_ERR_OK; n++)
        err = tern_udp_send(udp, &to, data, sizeof data);
    assert_true(err == TERN_ERR_AGAIN || err == TERN_ERR_FULL);
    bench_drain(&b);
    assert_int_equal(tern_udp_send(udp, &to, data, sizeof data), TERN_ERR_OK);
    bench_close(&b);
}

static void addresses(void **state)
{
    const struct tern_cidr more = {tern_addr_v4(10, 0, 0, 3), 24};
    struct bench b;

    (void)state;
    open_smallest(&b);
    assert_int_equal(tern_stack_address_add(b.stack, &more, TERN_CLAIM_NONE), TERN_ERR_FULL);
    assert_true(tern_stack_address_is_own(b.stack, bench_addr(1)));
    tern_stack_address_remove(b.stack, bench_addr(1));
    assert_int_equal(tern_stack_address_add(b.stack, &more, TERN_CLAIM_NONE), TERN_ERR_OK);
    bench_close(&b);
}

/* The one place goes to whom we speak to; the other is asked for again, and each answers. */
static void neighbours(void **state)
{
    const struct tern_endpoint any = {.port = 9};
    struct tern_udp_socket *udp;
    struct bench b;

    (void)state;
    open_smallest(&b);
    assert_int_equal(tern_udp_open(b.stack, &any, NULL, &udp), TERN_ERR_OK);
    for (uint8_t round = 0; round < 20; round++) {
        const uint8_t peer = (uint8_t)(2 + round % 3);
        const struct tern_endpoint to = {bench_addr(peer), 9};
        const uint32_t had = bench_sent_count(&b, TERN_IP_UDP);

        assert_int_equal(tern_udp_send(udp, &to, "x", 1), TERN_ERR_OK);
        bench_drain(&b);
        bench_arp(&b, TERN_ARP_REPLY, peer, 1);
        bench_advance(&b, TERN_SECOND);
        assert_int_equal(tern_udp_send(udp, &to, "y", 1), TERN_ERR_OK);
        bench_advance(&b, TERN_SECOND);
        bench_arp(&b, TERN_ARP_REPLY, peer, 1);
        bench_advance(&b, TERN_SECOND);
        assert_true(bench_sent_count(&b, TERN_IP_UDP) > had);
        bench_forget(&b);
    }
    bench_close(&b);
}

static void fragment(struct bench *b, uint16_t id, uint16_t at, bool more)
{
    static const uint8_t body[64] = {0, 9, 0, 9, 0, 128};
    static const uint8_t rest[64];

    bench_ip(
        b,
        (struct tern_ipv4){
            .protocol = TERN_IP_UDP, .id = id, .fragment_offset_bytes = at, .more_fragments = more},
        tern_span_of(at == 0 ? body : rest, sizeof body));
}

static void reassembly(void **state)
{
    const struct tern_endpoint local = {.port = 9};
    struct tern_udp_socket *udp;
    struct tern_endpoint from;
    uint8_t got[200];
    struct bench b;

    (void)state;
    open_smallest(&b);
    assert_int_equal(tern_udp_open(b.stack, &local, NULL, &udp), TERN_ERR_OK);
    for (uint16_t id = 1; id < 20; id++)
        fragment(&b, id, 0, true);
    assert_true(bench_drops(&b, TERN_DROP_FRAG_FULL) > 0);
    bench_advance(&b, 120 * TERN_SECOND);
    bench_know(&b, 2);
    fragment(&b, 77, 0, true);
    fragment(&b, 77, 64, false);
    assert_int_equal(tern_udp_receive(udp, &from, got, sizeof got), 120);
    bench_close(&b);
}

/* Four chunks for both directions and all connections: both ends full, then read and empty again,
 * and every byte is there. */
static void chunks(void **state)
{
    struct tern_config c[2];
    struct tern_conn *conn[2];
    struct tern_listener *l;
    uint8_t byte = 0, got[512], wanted = 0;
    uint32_t sent = 0, read = 0;
    struct pair p;

    (void)state;
    smallest(&c[0], 1);
    smallest(&c[1], 2);
    pair_open(&p, &c[0], &c[1]);
    l = pair_listen(&p, 1);
    pair_connect(&p, l, conn);
    for (int round = 0; round < 10; round++) {
        ptrdiff_t n;

        for (int turn = 0; turn < 50; turn++) {
            while (tern_tcp_write(conn[0], &byte, 1) == 1) {
                byte++;
                sent++;
            }
            pair_run(&p, 100 * TERN_MS);
        }
        assert_int_equal(tern_tcp_write(conn[0], &byte, 1), TERN_ERR_AGAIN);
        for (int turn = 0; turn < 400 && read < sent; turn++) {
            while ((n = tern_tcp_read(conn[1], got, sizeof got)) > 0)
                for (ptrdiff_t i = 0; i < n; i++, read++)
                    assert_int_equal(got[i], wanted++);
            pair_run(&p, 500 * TERN_MS);
        }
        assert_int_equal(read, sent);
    }
    assert_true(sent > 10 * 1024);
    pair_close(&p);
}

/* The only TIME-WAIT gives way to the next. */
static void time_waits(void **state)
{
    struct tern_config c[2];
    struct tern_stack_counters counters;
    struct tern_conn *conn[2];
    struct tern_listener *l;
    struct pair p;

    (void)state;
    smallest(&c[0], 1);
    bench_config(&c[1], 2);
    pair_open(&p, &c[0], &c[1]);
    l = pair_listen(&p, 1);
    for (int round = 0; round < 10; round++) {
        pair_connect(&p, l, conn);
        tern_tcp_close(conn[0]);
        pair_settle(&p);
        tern_tcp_close(conn[1]);
        pair_settle(&p);
        tern_stack_counters(p.end[0].stack, &counters);
        assert_int_equal(counters.time_waits_used, 1);
        assert_int_equal(counters.connections_used, 0);
    }
    pair_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connections),  cmocka_unit_test(accepted),   cmocka_unit_test(listeners),
        cmocka_unit_test(udp_and_ping), cmocka_unit_test(datagrams),  cmocka_unit_test(addresses),
        cmocka_unit_test(neighbours),   cmocka_unit_test(reassembly), cmocka_unit_test(chunks),
        cmocka_unit_test(time_waits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
