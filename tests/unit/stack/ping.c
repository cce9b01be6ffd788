/* SPDX-License-Identifier: BSD-2-Clause */
/* Ping, the asking side: replies told apart by socket, number and contents; errors that come
 * instead. */
#include "bench.h"

static struct tern_ping_socket *open_ping(struct bench *b)
{
    struct tern_ping_socket *ping;

    assert_int_equal(tern_ping_open(b->stack, NULL, &ping), TERN_ERR_OK);
    return ping;
}

static void there_and_back(void **state)
{
    static const uint32_t sizes[] = {0, 7, 8, 56, 1472, 3000};

    (void)state;
    for (size_t i = 0; i < ROWS(sizes); i++) {
        struct pair p;
        struct tern_ping_socket *ping;
        struct tern_ping_reply r;

        pair_open_small(&p);
        ping = open_ping(&p.end[0]);
        assert_int_equal(tern_ping_receive(ping, &r), TERN_ERR_AGAIN);
        assert_int_equal(tern_ping_send(ping, bench_addr(2), (uint16_t)i, 33, sizes[i]),
                         TERN_ERR_OK);
        pair_settle(&p);
        assert_int_equal(bench_events(&p.end[0], TERN_EVENT_PING), TERN_CONN_READABLE);
        assert_int_equal(tern_ping_receive(ping, &r), TERN_ERR_OK);
        assert_true(tern_addr_equal(r.from, bench_addr(2)));
        assert_int_equal(r.sequence, i);
        assert_int_equal(r.icmp_type, 0);
        assert_int_equal(r.bytes, sizes[i]);
        assert_int_equal(r.ttl, 64);
        assert_true(r.intact);
        assert_int_equal(r.received_at, p.end[0].now);
        assert_int_equal(r.sent_at, sizes[i] >= 8 ? p.end[0].now : TERN_TIME_NEVER);
        assert_int_equal(tern_ping_receive(ping, &r), TERN_ERR_AGAIN);
        pair_close(&p);
    }
}

/* The time to live is the caller's, and the way back takes its time. */
static void time_and_ttl(void **state)
{
    struct bench b;
    struct tern_config c;
    struct tern_ping_socket *ping;
    struct tern_ping_reply r;
    struct tern_ipv4 ip;
    struct tern_icmp icmp;
    tern_span body, data;
    uint8_t copy[64];
    tern_time sent_at;

    (void)state;
    bench_config(&c, 1);
    bench_open_at(&b, &c, 1);
    ping = open_ping(&b);
    assert_int_equal(tern_ping_send(ping, bench_addr(2), 9, 3, 20), TERN_ERR_OK);
    bench_drain(&b);
    sent_at = b.now;
    assert_true(bench_sent_ip(&b, TERN_IP_ICMP, 0, &ip, &body));
    assert_int_equal(ip.ttl, 3);
    assert_true(bench_sent_icmp(&b, 0, &icmp, &data));
    assert_int_equal(icmp.type, TERN_ICMP_ECHO_REQUEST);
    memcpy(copy, data.data, 20);
    bench_advance(&b, 30 * TERN_MS);
    icmp.type = TERN_ICMP_ECHO_REPLY;
    bench_icmp(&b, &icmp, tern_span_of(copy, 20));
    copy[19] ^= 1; /* a byte that was bent on the way */
    bench_icmp(&b, &icmp, tern_span_of(copy, 20));
    assert_int_equal(tern_ping_receive(ping, &r), TERN_ERR_OK);
    assert_int_equal(r.sent_at, sent_at);
    assert_int_equal(r.received_at - r.sent_at, 30 * TERN_MS);
    assert_true(r.intact);
    assert_int_equal(tern_ping_receive(ping, &r), TERN_ERR_OK);
    assert_false(r.intact);
    bench_close(&b);
}

/* RFC 1122 §3.2.1.7: none is sent without time to live. */
static void never_without_ttl(void **state)
{
    struct bench b;
    struct tern_config c;
    struct tern_ping_socket *ping;
    struct tern_ipv4 ip;
    tern_span body;

    (void)state;
    bench_config(&c, 1);
    bench_open_at(&b, &c, 1);
    ping = open_ping(&b);
    assert_int_equal(tern_ping_send(ping, bench_addr(2), 1, 0, 8), TERN_ERR_OK);
    bench_drain(&b);
    assert_true(bench_sent_ip(&b, TERN_IP_ICMP, 0, &ip, &body));
    assert_int_equal(ip.ttl, 64);
    bench_close(&b);
}

/* Each socket hears what it asked, and no socket what nobody asked. */
static void two_sockets(void **state)
{
    struct pair p;
    struct tern_ping_socket *one, *two, *three;
    struct tern_ping_reply r;

    (void)state;
    pair_open_small(&p);
    one = open_ping(&p.end[0]);
    two = open_ping(&p.end[0]);
    assert_int_equal(tern_ping_open(p.end[0].stack, NULL, &three), TERN_ERR_FULL);
    assert_int_equal(tern_ping_send(two, bench_addr(2), 2, 64, 8), TERN_ERR_OK);
    assert_int_equal(tern_ping_send(one, bench_addr(2), 1, 64, 8), TERN_ERR_OK);
    pair_settle(&p);
    assert_int_equal(tern_ping_receive(one, &r), TERN_ERR_OK);
    assert_int_equal(r.sequence, 1);
    assert_int_equal(tern_ping_receive(one, &r), TERN_ERR_AGAIN);
    assert_int_equal(tern_ping_send(two, bench_addr(2), 3, 64, 8), TERN_ERR_OK);
    tern_ping_close(two);
    pair_settle(&p);
    assert_int_equal(bench_drops(&p.end[0], TERN_DROP_ICMP_IGNORED), 1);
    assert_int_equal(tern_ping_open(p.end[0].stack, NULL, &three), TERN_ERR_OK);
    assert_int_equal(tern_ping_receive(three, &r), TERN_ERR_AGAIN);
    pair_close(&p);
}

static void errors(void **state)
{
    struct bench b;
    struct tern_config c;
    struct tern_ping_socket *ping;
    struct tern_ping_reply r;
    struct tern_icmp icmp;
    tern_span data;
    const struct tern_ipv4 quoted = {
        .ttl = 1, .protocol = TERN_IP_ICMP, .src = bench_addr(1), .dst = bench_addr(2)};
    const struct tern_icmp error = {.type = TERN_ICMP_TIME_EXCEEDED, .code = 0};
    uint8_t bytes[64];
    struct tern_writer w = tern_writer_of(bytes, sizeof bytes);

    (void)state;
    bench_config(&c, 1);
    bench_open_at(&b, &c, 1);
    ping = open_ping(&b);
    assert_int_equal(tern_ping_send(ping, tern_addr_v4(192, 0, 2, 1), 1, 64, 8), TERN_ERR_NO_ROUTE);
    assert_int_equal(tern_ping_send(ping, bench_addr(2), 1, 64, 65508), TERN_ERR_TOO_BIG);
    assert_int_equal(tern_ping_send(ping, bench_addr(2), 7, 1, 8), TERN_ERR_OK);
    bench_drain(&b);
    assert_true(bench_sent_icmp(&b, 0, &icmp, &data));
    tern_ipv4_emit(&quoted, 8, &w);
    tern_icmp_emit(&icmp, tern_span_of("", 0), &w);
    bench_icmp(&b, &error, tern_span_of(bytes, w.bytes));
    assert_int_equal(tern_ping_receive(ping, &r), TERN_ERR_OK);
    assert_int_equal(r.icmp_type, TERN_ICMP_TIME_EXCEEDED);
    assert_int_equal(r.sequence, 7);
    assert_false(r.intact);
    assert_int_equal(r.sent_at, TERN_TIME_NEVER);
    bench_close(&b);
}

/* A queue that nobody empties fills up, and so does the one to send from. */
static void full_queues(void **state)
{
    struct bench b;
    struct tern_config c;
    struct tern_ping_socket *ping;
    struct tern_ping_reply r;
    struct tern_icmp icmp;
    tern_span data;
    int count = 0, i;

    (void)state;
    bench_config(&c, 1);
    bench_open_at(&b, &c, 1);
    ping = open_ping(&b);
    for (i = 0; i < 100; i++)
        if (tern_ping_send(ping, bench_addr(2), 1, 64, 60000) != TERN_ERR_OK)
            break;
    assert_int_equal(tern_ping_send(ping, bench_addr(2), 1, 64, 60000), TERN_ERR_AGAIN);
    assert_true(i > 0);
    assert_true(i < 100);
    bench_drain(&b);
    assert_int_equal(tern_ping_send(ping, bench_addr(2), 1, 64, 8), TERN_ERR_OK);
    bench_forget(&b);
    bench_drain(&b);
    assert_true(bench_sent_icmp(&b, 0, &icmp, &data));
    icmp.type = TERN_ICMP_ECHO_REPLY;
    for (i = 0; i < 1000; i++)
        bench_icmp(&b, &icmp, tern_span_of("", 0));
    while (tern_ping_receive(ping, &r) == TERN_ERR_OK)
        count++;
    assert_true(count > 0);
    assert_int_equal((uint64_t)count + bench_drops(&b, TERN_DROP_UDP_FULL), 1000);
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_and_back),
        cmocka_unit_test(time_and_ttl),
        cmocka_unit_test(never_without_ttl),
        cmocka_unit_test(two_sockets),
        cmocka_unit_test(errors),
        cmocka_unit_test(full_queues),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
