/* SPDX-License-Identifier: BSD-2-Clause */
/* UDP sockets: datagrams both ways, who hears which, and what does not fit. */
#include "bench.h"

static struct tern_udp_socket *open_udp(struct bench *b, struct tern_addr addr, uint16_t port)
{
    const struct tern_endpoint local = {addr, port};
    struct tern_udp_socket *udp;

    assert_int_equal(tern_udp_open(b->stack, &local, NULL, &udp), TERN_ERR_OK);
    return udp;
}

static const struct tern_addr any;

static void both_ways(void **state)
{
    static const size_t sizes[] = {0, 1, 2, 511, 1472};
    uint8_t bytes[1472], got[2000];
    struct pair p;
    struct tern_udp_socket *a, *b;

    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 11 + i / 256);
    pair_open_small(&p);
    a = open_udp(&p.end[0], any, 0);
    b = open_udp(&p.end[1], any, 53);
    assert_true(tern_udp_local(a).port >= 49152);
    for (size_t i = 0; i < ROWS(sizes); i++) {
        const struct tern_endpoint to = {bench_addr(2), 53};
        struct tern_endpoint from;

        assert_int_equal(tern_udp_receive(b, &from, got, sizeof got), TERN_ERR_AGAIN);
        assert_int_equal(tern_udp_send(a, &to, bytes, sizes[i]), TERN_ERR_OK);
        pair_settle(&p);
        assert_int_equal(bench_events(&p.end[1], TERN_EVENT_UDP), TERN_CONN_READABLE);
        assert_int_equal(tern_udp_receive(b, &from, got, sizeof got), sizes[i]);
        assert_memory_equal(got, bytes, sizes[i]);
        assert_true(tern_addr_equal(from.addr, bench_addr(1)));
        assert_int_equal(from.port, tern_udp_local(a).port);
        assert_int_equal(tern_udp_send(b, &from, bytes, sizes[i]), TERN_ERR_OK);
        pair_settle(&p);
        assert_int_equal(tern_udp_receive(a, &from, got, sizeof got), sizes[i]);
    }
    pair_close(&p);
}

/* What is longer than the caller's room is cut, and its rest does not come as another. */
static void cut_short(void **state)
{
    struct bench b;
    struct tern_config c;
    struct tern_udp_socket *udp;
    struct tern_endpoint from;
    uint8_t got[4] = {9, 9, 9, 9};

    (void)state;
    bench_config(&c, 1);
    bench_open_at(&b, &c, 1);
    udp = open_udp(&b, any, 53);
    bench_udp(&b, 7, 53, tern_span_of("abcdef", 6));
    bench_udp(&b, 8, 53, tern_span_of("g", 1));
    assert_int_equal(tern_udp_receive(udp, &from, got, 3), 6);
    assert_memory_equal(got, "abc\x09", 4);
    assert_int_equal(tern_udp_receive(udp, &from, NULL, 0), 1);
    assert_int_equal(from.port, 8);
    assert_int_equal(tern_udp_receive(udp, &from, got, 3), TERN_ERR_AGAIN);
    bench_close(&b);
}

static void who_may_open(void **state)
{
    struct bench b;
    struct tern_config c;
    struct tern_endpoint local = {bench_addr(1), 53};
    struct tern_udp_socket *exact, *wild, *more;

    (void)state;
    bench_config(&c, 1);
    bench_open_at(&b, &c, 1);
    exact = open_udp(&b, bench_addr(1), 53);
    assert_int_equal(tern_udp_open(b.stack, &local, NULL, &more), TERN_ERR_ADDRESS_IN_USE);
    local.addr = any;
    wild = open_udp(&b, any, 53);
    assert_int_equal(tern_udp_open(b.stack, &local, NULL, &more), TERN_ERR_ADDRESS_IN_USE);
    local.addr = tern_addr_v4(0, 0, 0, 0); /* the same in other words */
    assert_int_equal(tern_udp_open(b.stack, &local, NULL, &more), TERN_ERR_ADDRESS_IN_USE);
    (void)open_udp(&b, any, 54);
    local.port = 55;
    assert_int_equal(tern_udp_open(b.stack, &local, NULL, &more), TERN_ERR_FULL);
    tern_udp_close(exact);
    assert_int_equal(tern_udp_open(b.stack, &local, NULL, &more), TERN_ERR_OK);
    tern_udp_close(wild);
    bench_close(&b);
}

/* The socket of the very address hears before the one of all addresses. */
static void exact_before_wild(void **state)
{
    static const struct {
        bool exact, wild;
        int hears; /* 0: nobody, 1: exact, 2: wild */
    } row[] = {{true, true, 1}, {true, false, 1}, {false, true, 2}, {false, false, 0}};

    (void)state;
    for (size_t i = 0; i < ROWS(row); i++)
        for (int order = 0; order < 2; order++) {
            struct bench b;
            struct tern_config c;
            struct tern_udp_socket *exact = NULL, *wild = NULL;
            struct tern_endpoint from;
            int hears = 0;
            uint8_t got[8];

            bench_config(&c, 1);
            bench_open_at(&b, &c, 1);
            if (order == 0 && row[i].wild)
                wild = open_udp(&b, any, 53);
            if (row[i].exact)
                exact = open_udp(&b, bench_addr(1), 53);
            if (order == 1 && row[i].wild)
                wild = open_udp(&b, any, 53);
            (void)open_udp(&b, bench_addr(7), 53); /* another's address: never */
            bench_udp(&b, 7, 53, tern_span_of("x", 1));
            if (exact != NULL && tern_udp_receive(exact, &from, got, 8) == 1)
                hears = 1;
            if (wild != NULL && tern_udp_receive(wild, &from, got, 8) == 1)
                hears = hears == 0 ? 2 : 3;
            assert_int_equal(hears, row[i].hears);
            assert_int_equal(bench_drops(&b, TERN_DROP_UDP_NO_PORT), hears == 0);
            bench_close(&b);
        }
}

static void full_receive_queue(void **state)
{
    struct bench b;
    struct tern_config c;
    struct tern_udp_socket *udp;
    struct tern_endpoint from;
    static const uint8_t bytes[1000];
    uint8_t got[8];
    int count = 0;

    (void)state;
    bench_config(&c, 1);
    bench_open_at(&b, &c, 1);
    udp = open_udp(&b, any, 53);
    for (int i = 0; i < 400; i++)
        bench_udp(&b, 7, 53, tern_span_of(bytes, sizeof bytes));
    while (tern_udp_receive(udp, &from, got, sizeof got) == sizeof bytes)
        count++;
    assert_true(count > 100);
    assert_true(count < 400);
    assert_int_equal(bench_drops(&b, TERN_DROP_UDP_FULL), 400 - count);
    bench_udp(&b, 7, 53, tern_span_of(bytes, 5));
    assert_int_equal(tern_udp_receive(udp, &from, got, sizeof got), 5);
    bench_close(&b);
}

static void send_errors(void **state)
{
    struct bench b;
    struct tern_config c;
    struct tern_udp_socket *udp, *foreign;
    const struct tern_endpoint near = {bench_addr(2), 53};
    const struct tern_endpoint far = {tern_addr_v4(192, 0, 2, 1), 53};
    static const uint8_t bytes[1473];
    int i;

    (void)state;
    bench_config(&c, 1);
    bench_open_at(&b, &c, 1);
    udp = open_udp(&b, any, 53);
    assert_int_equal(tern_udp_send(udp, &near, bytes, 1473), TERN_ERR_TOO_BIG);
    assert_int_equal(tern_udp_send(udp, &far, bytes, 10), TERN_ERR_NO_ROUTE);
    for (i = 0; i < 1000; i++)
        if (tern_udp_send(udp, &near, bytes, 1472) != TERN_ERR_OK)
            break;
    assert_true(i > 50);
    assert_int_equal(tern_udp_send(udp, &near, bytes, 1472), TERN_ERR_AGAIN);
    bench_drain(&b);
    assert_int_equal(bench_sent_count(&b, TERN_IP_UDP), i);
    assert_int_equal(tern_udp_send(udp, &near, bytes, 1472), TERN_ERR_OK);
    foreign = open_udp(&b, bench_addr(7), 54); /* may become ours one day, but is not now */
    assert_int_equal(tern_udp_send(foreign, &near, bytes, 1), TERN_ERR_NO_ROUTE);
    bench_close(&b);
}

/* RFC 1122 §4.1.3.3: an ICMP port unreachable is told once, and it must quote what is ours. */
static void refused(void **state)
{
    struct bench b;
    struct tern_config c;
    struct tern_udp_socket *udp;
    struct tern_endpoint from;
    uint8_t got[8];

    (void)state;
    bench_config(&c, 1);
    bench_open_at(&b, &c, 1);
    udp = open_udp(&b, any, 5353);
    bench_icmp_error(&b, TERN_ICMP_UNREACHABLE, TERN_ICMP_HOST_UNREACHABLE, TERN_IP_UDP, 5353, 53,
                     0);
    bench_icmp_error(&b, TERN_ICMP_UNREACHABLE, TERN_ICMP_PORT_UNREACHABLE, TERN_IP_UDP, 5354, 53,
                     0);
    assert_int_equal(bench_events(&b, TERN_EVENT_UDP), 0);
    bench_icmp_error(&b, TERN_ICMP_UNREACHABLE, TERN_ICMP_PORT_UNREACHABLE, TERN_IP_UDP, 5353, 53,
                     0);
    assert_int_equal(bench_events(&b, TERN_EVENT_UDP), TERN_CONN_READABLE);
    assert_int_equal(tern_udp_receive(udp, &from, got, 8), TERN_ERR_REFUSED);
    assert_int_equal(tern_udp_receive(udp, &from, got, 8), TERN_ERR_AGAIN);
    /* a firewall on the way is no refusal by the peer */
    bench_icmp_error(&b, TERN_ICMP_UNREACHABLE, TERN_ICMP_ADMIN_PROHIBITED, TERN_IP_UDP, 5353, 53,
                     0);
    assert_int_equal(tern_udp_receive(udp, &from, got, 8), TERN_ERR_UNREACHABLE);
    assert_int_equal(tern_udp_receive(udp, &from, got, 8), TERN_ERR_AGAIN);
    bench_close(&b);
}

/* Between two stacks: the closed port says so by itself. */
static void closed_port(void **state)
{
    struct pair p;
    struct tern_udp_socket *udp;
    const struct tern_endpoint to = {bench_addr(2), 9};
    struct tern_endpoint from;
    uint8_t got[8];

    (void)state;
    pair_open_small(&p);
    udp = open_udp(&p.end[0], any, 0);
    assert_int_equal(tern_udp_send(udp, &to, "x", 1), TERN_ERR_OK);
    pair_settle(&p);
    assert_int_equal(tern_udp_receive(udp, &from, got, 8), TERN_ERR_REFUSED);
    pair_close(&p);
}

/* Where no way leads that is told, whatever the source; but from a given one everyone on the link
 * can be reached. */
static void bound_without_route(void **state)
{
    static const struct {
        const char *to;
        enum tern_err err;
    } row[] = {
        {"10.0.0.2", TERN_ERR_OK},        {"192.0.2.1", TERN_ERR_NO_ROUTE},
        {"255.255.255.255", TERN_ERR_OK}, {"10.0.0.255", TERN_ERR_OK},
        {"224.0.0.251", TERN_ERR_OK},     {"10.0.1.255", TERN_ERR_NO_ROUTE},
    };

    (void)state;
    for (size_t i = 0; i < ROWS(row); i++) {
        struct bench b;
        struct tern_config c;
        struct tern_udp_socket *udp;
        struct tern_endpoint to = {.port = 9};

        bench_config(&c, 1);
        bench_open_at(&b, &c, 1);
        udp = open_udp(&b, bench_addr(1), 7);
        assert_int_equal(tern_addr_parse(row[i].to, &to.addr), TERN_ERR_OK);
        if (tern_udp_send(udp, &to, "x", 1) != row[i].err)
            fail_msg("%s", row[i].to);
        bench_drain(&b);
        assert_int_equal(bench_sent_count(&b, TERN_IP_UDP), row[i].err == TERN_ERR_OK);
        bench_close(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ways),           cmocka_unit_test(cut_short),
        cmocka_unit_test(who_may_open),        cmocka_unit_test(exact_before_wild),
        cmocka_unit_test(full_receive_queue),  cmocka_unit_test(send_errors),
        cmocka_unit_test(bound_without_route), cmocka_unit_test(refused),
        cmocka_unit_test(closed_port),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
