/* SPDX-License-Identifier: BSD-2-Clause */
/* Own addresses and how they are claimed, which source and next hop lead where, and ARP. */
#include "bench.h"

static struct tern_cidr cidr(const char *text)
{
    struct tern_cidr c;

    assert_int_equal(tern_cidr_parse(text, &c), TERN_ERR_OK);
    return c;
}

static struct tern_addr addr(const char *text)
{
    struct tern_addr a;

    assert_int_equal(tern_addr_parse(text, &a), TERN_ERR_OK);
    return a;
}

/* RFC 1122 §3.2.1.3: what no host may have. */
static void impossible_addresses(void **state)
{
    static const struct {
        const char *cidr;
        enum tern_err err;
    } row[] = {
        {"10.0.0.5/24", TERN_ERR_OK},     {"10.0.0.5/32", TERN_ERR_OK},
        {"10.0.0.4/31", TERN_ERR_OK}, /* RFC 3021 §2.1 */
        {"10.0.0.5/31", TERN_ERR_OK},     {"10.0.0.5/0", TERN_ERR_OK},
        {"0.0.0.0/24", TERN_ERR_INVAL},   {"0.1.2.3/8", TERN_ERR_INVAL},
        {"127.0.0.1/8", TERN_ERR_INVAL},  {"224.0.0.1/24", TERN_ERR_INVAL},
        {"240.0.0.1/24", TERN_ERR_INVAL}, {"255.255.255.255/32", TERN_ERR_INVAL},
        {"10.0.0.0/24", TERN_ERR_INVAL},  {"10.0.0.255/24", TERN_ERR_INVAL},
        {"10.0.0.7/30", TERN_ERR_INVAL},  {"fd00::1/64", TERN_ERR_INVAL},
    };

    (void)state;
    for (size_t i = 0; i < ROWS(row); i++) {
        struct bench b;
        struct tern_config c;
        const struct tern_cidr own = cidr(row[i].cidr);

        bench_config(&c, 1);
        bench_open(&b, &c);
        if (tern_stack_address_add(b.stack, &own, TERN_CLAIM_NONE) != row[i].err)
            fail_msg("%s", row[i].cidr);
        bench_close(&b);
    }
}

static void table_of_addresses(void **state)
{
    struct bench b;
    struct tern_config c;
    const struct tern_cidr own[] = {cidr("10.0.0.1/24"), cidr("10.0.1.1/24"), cidr("10.0.2.1/24"),
                                    cidr("10.0.3.1/24")};

    (void)state;
    bench_config(&c, 1);
    bench_open(&b, &c);
    for (int i = 0; i < 3; i++)
        assert_int_equal(tern_stack_address_add(b.stack, &own[i], TERN_CLAIM_NONE), TERN_ERR_OK);
    assert_int_equal(tern_stack_address_add(b.stack, &own[3], TERN_CLAIM_NONE), TERN_ERR_FULL);
    assert_int_equal(tern_stack_address_add(b.stack, &own[1], TERN_CLAIM_NONE),
                     TERN_ERR_ADDRESS_IN_USE);
    tern_stack_address_remove(b.stack, own[1].addr);
    tern_stack_address_remove(b.stack, own[3].addr); /* not ours: nothing happens */
    assert_int_equal(tern_stack_address_add(b.stack, &own[3], TERN_CLAIM_NONE), TERN_ERR_OK);
    bench_close(&b);
}

/* RFC 5227: probed in silence, then announced, and only then used. */
static void claim(void **state)
{
    struct bench b;
    struct tern_config c;
    const struct tern_cidr own = cidr("10.0.0.1/24");
    const struct tern_tcp_options o = {.remote = {bench_addr(2), 80}};
    struct tern_conn *conn;
    struct tern_event e;
    struct tern_arp arp;

    (void)state;
    bench_config(&c, 1);
    bench_open(&b, &c);
    assert_int_equal(tern_stack_address_add(b.stack, &own, TERN_CLAIM_FAST), TERN_ERR_OK);
    assert_int_equal(tern_tcp_connect(b.stack, &o, &conn), TERN_ERR_NO_ROUTE);
    bench_arp(&b, TERN_ARP_REQUEST, 2, 1);
    bench_advance(&b, 100 * TERN_MS);
    assert_int_equal(bench_sent_count(&b, TERN_IP_TCP), 0);
    for (uint32_t i = 0; bench_sent_arp(&b, i, &arp); i++) { /* no answer to 10.0.0.2 among them */
        assert_int_equal(arp.op, TERN_ARP_REQUEST);
        assert_true(tern_addr_is_any(arp.sender));
        assert_true(tern_addr_equal(arp.target, own.addr));
    }
    assert_false(tern_stack_event(b.stack, &e));
    bench_advance(&b, 200 * TERN_MS);
    assert_true(tern_stack_event(b.stack, &e));
    assert_int_equal(e.kind, TERN_EVENT_ADDRESS);
    assert_int_equal(e.bits, TERN_ADDRESS_CLAIMED);
    assert_true(tern_addr_equal(e.address, own.addr));
    assert_int_equal(tern_tcp_connect(b.stack, &o, &conn), TERN_ERR_OK);
    bench_close(&b);
}

static void address_in_use(void **state)
{
    struct bench b;
    struct tern_config c;
    const struct tern_cidr own = cidr("10.0.0.1/24");
    struct tern_arp arp = {TERN_ARP_REPLY, bench_mac(9), bench_addr(1), bench_mac(1), {{0}}};
    uint8_t bytes[64];
    struct tern_writer w = tern_writer_of(bytes, sizeof bytes);
    const struct tern_eth eth = {bench_mac(1), bench_mac(9), TERN_ETHERTYPE_ARP};
    struct tern_event e;

    (void)state;
    bench_config(&c, 1);
    bench_open(&b, &c);
    arp.target = tern_addr_v4(0, 0, 0, 0);
    assert_int_equal(tern_stack_address_add(b.stack, &own, TERN_CLAIM_FAST), TERN_ERR_OK);
    bench_advance(&b, 50 * TERN_MS);
    tern_eth_emit(&eth, &w);
    tern_arp_emit(&arp, &w);
    bench_input(&b, bytes, w.bytes);
    assert_true(tern_stack_event(b.stack, &e));
    assert_int_equal(e.kind, TERN_EVENT_ADDRESS);
    assert_int_equal(e.bits, TERN_ADDRESS_CONFLICT);
    assert_true(tern_mac_equal(e.mac, bench_mac(9)));
    bench_forget(&b);
    bench_advance(&b, 60 * TERN_SECOND);
    assert_int_equal(b.sent_count, 0); /* not a word more from an address that is another's */
    bench_arp(&b, TERN_ARP_REQUEST, 2, 1);
    assert_int_equal(b.sent_count, 0);
    bench_close(&b);
}

/* RFC 5227 §2.4 (b): defended once, then given up, and no connection goes on from it. */
static void address_lost(void **state)
{
    struct bench b;
    struct tern_config c;
    struct tern_tcp_header peer;
    struct tern_arp arp;

    (void)state;
    bench_config(&c, 1);
    bench_open_at(&b, &c, 1);
    (void)bench_connect(&b, 80, &peer);
    for (int i = 0; i < 2; i++) {
        uint8_t bytes[64];
        struct tern_writer w = tern_writer_of(bytes, sizeof bytes);
        const struct tern_eth eth = {tern_mac_broadcast, bench_mac(9), TERN_ETHERTYPE_ARP};
        const struct tern_arp rival = {
            TERN_ARP_REQUEST, bench_mac(9), bench_addr(1), {{0}}, bench_addr(1)};

        tern_eth_emit(&eth, &w);
        tern_arp_emit(&rival, &w);
        bench_input(&b, bytes, w.bytes);
        if (i == 0) {
            assert_true(bench_sent_arp(&b, 0, &arp));
            assert_true(tern_addr_equal(arp.sender, bench_addr(1)));
            assert_int_equal(bench_events(&b, TERN_EVENT_ADDRESS), 0);
        }
    }
    assert_int_equal(bench_events(&b, TERN_EVENT_ADDRESS), TERN_ADDRESS_CONFLICT);
    bench_forget(&b);
    bench_tcp(&b, peer, tern_span_of("x", 1));
    bench_advance(&b, 10 * TERN_SECOND);
    assert_int_equal(b.sent_count, 0);
    assert_true(bench_drops(&b, TERN_DROP_IP_NOT_OURS) > 0);
    bench_close(&b);
}

/* Which own address a connection starts from, and whose MAC is asked for. */
static void routes(void **state)
{
    static const struct {
        const char *gateway, *to;
        const char *src, *hop; /* NULL: no route */
    } row[] = {
        {"0.0.0.0", "10.0.0.9", "10.0.0.1", "10.0.0.9"},
        {"0.0.0.0", "10.1.0.9", "10.1.0.1", "10.1.0.9"},
        {"0.0.0.0", "192.0.2.1", NULL, NULL},
        {"10.0.0.254", "192.0.2.1", "10.0.0.1", "10.0.0.254"},
        {"10.1.0.254", "192.0.2.1", "10.1.0.1", "10.1.0.254"},
        {"10.1.0.254", "10.0.0.9", "10.0.0.1", "10.0.0.9"},
        {"10.0.0.254", "127.0.0.1", NULL, NULL}, /* RFC 1122 §3.2.1.3 */
        {"10.0.0.254", "0.1.2.3", NULL, NULL},
        {"10.0.0.254", "10.1.0.1", NULL, NULL},  /* ourselves */
        {"10.2.0.254", "192.0.2.1", NULL, NULL}, /* a gateway that is on no prefix of ours */
        {"10.2.0.254", "10.0.0.9", "10.0.0.1", "10.0.0.9"},
    };

    (void)state;
    for (size_t i = 0; i < ROWS(row); i++) {
        struct bench b;
        struct tern_config c;
        const struct tern_tcp_options o = {.remote = {addr(row[i].to), 80}};
        struct tern_conn *conn;
        struct tern_arp arp;
        enum tern_err err;

        bench_config(&c, 1);
        bench_open(&b, &c);
        bench_add(&b, "10.0.0.1/24");
        bench_add(&b, "10.1.0.1/16");
        tern_stack_gateway_set(b.stack, addr(row[i].gateway));
        err = tern_tcp_connect(b.stack, &o, &conn);
        bench_drain(&b);
        if (err != (row[i].src == NULL ? TERN_ERR_NO_ROUTE : TERN_ERR_OK))
            fail_msg("%s by %s: %s", row[i].to, row[i].gateway, tern_err_text(err));
        if (row[i].src != NULL) {
            assert_true(bench_sent_arp(&b, 0, &arp));
            if (!tern_addr_equal(arp.sender, addr(row[i].src)) ||
                !tern_addr_equal(arp.target, addr(row[i].hop)))
                fail_msg("%s by %s: another source or hop", row[i].to, row[i].gateway);
        }
        bench_close(&b);
    }
}

/* RFC 1122 §3.2.1.3: neither a loopback address nor one that names no host goes out, whatever the
 * gateway; nor is anybody asked for the MAC of an address of our own. */
static void never_on_the_wire(void **state)
{
    static const char *const to[] = {"127.0.0.1", "127.255.255.254", "0.0.0.0", "0.1.2.3",
                                     "10.0.0.1"};

    (void)state;
    for (size_t i = 0; i < ROWS(to); i++) {
        struct bench b;
        struct tern_config c;
        struct tern_udp_socket *wild, *bound;
        struct tern_ping_socket *ping;
        const struct tern_endpoint all = {.port = 7}, own = {bench_addr(1), 8};
        const struct tern_endpoint dst = {addr(to[i]), 9};

        bench_config(&c, 1);
        bench_open_at(&b, &c, 1);
        tern_stack_gateway_set(b.stack, bench_addr(2));
        assert_int_equal(tern_udp_open(b.stack, &all, NULL, &wild), TERN_ERR_OK);
        assert_int_equal(tern_udp_open(b.stack, &own, NULL, &bound), TERN_ERR_OK);
        assert_int_equal(tern_ping_open(b.stack, NULL, &ping), TERN_ERR_OK);
        bench_forget(&b);
        if (tern_udp_send(wild, &dst, "x", 1) != TERN_ERR_NO_ROUTE ||
            tern_ping_send(ping, dst.addr, 1, 64, 8) != TERN_ERR_NO_ROUTE)
            fail_msg("%s: a route", to[i]);
        (void)!tern_udp_send(bound, &dst, "x", 1);
        bench_advance(&b, 5 * TERN_SECOND);
        if (b.sent_count != 0)
            fail_msg("%s: %u frames", to[i], b.sent_count);
        bench_close(&b);
    }
}

/* Of several addresses beside the gateway the first is the source, as it is on the link itself. */
static void first_beside_gateway(void **state)
{
    struct bench b;
    struct tern_config c;
    struct tern_addr src;

    (void)state;
    bench_config(&c, 1);
    bench_open(&b, &c);
    bench_add(&b, "10.0.0.1/24");
    bench_add(&b, "10.0.0.3/24");
    bench_add(&b, "10.1.0.1/24");
    tern_stack_gateway_set(b.stack, bench_addr(254));
    assert_true(tern_stack_source(b.stack, bench_addr(9), &src));
    assert_true(tern_addr_equal(src, bench_addr(1)));
    assert_true(tern_stack_source(b.stack, addr("10.1.0.9"), &src));
    assert_true(tern_addr_equal(src, addr("10.1.0.1")));
    assert_true(tern_stack_source(b.stack, addr("192.0.2.1"), &src));
    assert_true(tern_addr_equal(src, bench_addr(1)));
    bench_close(&b);
}

/* A given source is kept, and must be ours. */
static void given_source(void **state)
{
    struct bench b;
    struct tern_config c;
    struct tern_tcp_options o = {.remote = {bench_addr(9), 80}};
    struct tern_conn *conn;
    struct tern_tcp_info info;

    (void)state;
    bench_config(&c, 1);
    bench_open(&b, &c);
    bench_add(&b, "10.0.0.1/24");
    bench_add(&b, "10.0.0.3/24");
    o.local.addr = bench_addr(3);
    assert_int_equal(tern_tcp_connect(b.stack, &o, &conn), TERN_ERR_OK);
    tern_tcp_info(conn, &info);
    assert_true(tern_addr_equal(info.local.addr, bench_addr(3)));
    o.local.addr = bench_addr(4);
    assert_int_equal(tern_tcp_connect(b.stack, &o, &conn), TERN_ERR_NO_ROUTE);
    bench_close(&b);
}

/* A SYN waits for ARP, and goes as soon as the answer is there; without one: unreachable. */
static void waiting_for_arp(void **state)
{
    struct bench b;
    struct tern_config c;
    const struct tern_tcp_options o = {.remote = {bench_addr(9), 80}};
    struct tern_conn *conn;
    struct tern_mac mac;

    (void)state;
    bench_config(&c, 1);
    bench_open(&b, &c);
    bench_add(&b, "10.0.0.1/24");
    assert_int_equal(tern_tcp_connect(b.stack, &o, &conn), TERN_ERR_OK);
    bench_advance(&b, 500 * TERN_MS);
    assert_int_equal(bench_sent_count(&b, TERN_IP_TCP), 0);
    assert_false(tern_stack_neighbour(b.stack, bench_addr(9), &mac));
    bench_arp(&b, TERN_ARP_REPLY, 9, 1);
    assert_int_equal(bench_sent_count(&b, TERN_IP_TCP), 1);
    assert_true(tern_stack_neighbour(b.stack, bench_addr(9), &mac));
    assert_true(tern_mac_equal(mac, bench_mac(9)));
    bench_close(&b);

    bench_open(&b, &c);
    bench_add(&b, "10.0.0.1/24");
    assert_int_equal(tern_tcp_connect(b.stack, &o, &conn), TERN_ERR_OK);
    bench_advance(&b, 20 * TERN_SECOND);
    assert_int_equal(bench_sent_count(&b, TERN_IP_TCP), 0);
    assert_int_equal(bench_events(&b, TERN_EVENT_CONN) & TERN_CONN_CLOSED, TERN_CONN_CLOSED);
    assert_int_equal(tern_tcp_reason(conn), TERN_ERR_UNREACHABLE);
    bench_close(&b);
}

/* RFC 826: asked for our MAC, we tell; asked for another's, or by an announcement, we do not. Nor
 * where a stack on another queue of our address does. */
static void arp_answers(void **state)
{
    static const struct {
        uint16_t op;
        uint8_t sender, target;
        uint32_t queue, queues;
        bool answered;
    } row[] = {
        {TERN_ARP_REQUEST, 2, 1, 0, 0, true},
        {TERN_ARP_REQUEST, 2, 3, 0, 0, false},
        {TERN_ARP_REPLY, 2, 1, 0, 0, false},
        {TERN_ARP_REQUEST, 2, 2, 0, 0, false},
        {TERN_ARP_REQUEST, 2, 1, 0, 2, true},
        {TERN_ARP_REQUEST, 2, 1, 1, 2, false},
        {7, 2, 1, 0, 0, false},
    };

    (void)state;
    for (size_t i = 0; i < ROWS(row); i++) {
        struct bench b;
        struct tern_config c;
        struct tern_arp arp;

        bench_config(&c, 1);
        c.link.queue = row[i].queue;
        c.link.queues = row[i].queues;
        bench_open(&b, &c);
        bench_add(&b, "10.0.0.1/24");
        bench_arp(&b, row[i].op, row[i].sender, row[i].target);
        if (row[i].answered != bench_sent_arp(&b, 0, &arp))
            fail_msg("row %zu", i);
        if (row[i].answered) {
            struct tern_eth eth;
            tern_span in;

            assert_int_equal(arp.op, TERN_ARP_REPLY);
            assert_true(tern_mac_equal(arp.sender_mac, bench_mac(1)));
            assert_true(tern_addr_equal(arp.sender, bench_addr(1)));
            assert_true(tern_addr_equal(arp.target, bench_addr(2)));
            assert_true(tern_eth_parse(tern_span_of(b.sent[0].bytes, b.sent[0].count), &eth, &in));
            assert_true(tern_mac_equal(eth.dst, bench_mac(2)));
        }
        bench_close(&b);
    }
}

/* No answers for an address that is no longer ours. */
static void removed_address(void **state)
{
    struct bench b;
    struct tern_config c;

    (void)state;
    bench_config(&c, 1);
    bench_open_at(&b, &c, 1);
    tern_stack_address_remove(b.stack, bench_addr(1));
    bench_arp(&b, TERN_ARP_REQUEST, 2, 1);
    bench_icmp(&b, &(struct tern_icmp){.type = TERN_ICMP_ECHO_REQUEST}, tern_span_of("", 0));
    assert_int_equal(b.sent_count, 0);
    assert_int_equal(bench_drops(&b, TERN_DROP_IP_NOT_OURS), 1);
    bench_close(&b);
}

/* What waits for ARP goes with its own source or not at all: that is in its checksum, and another
 * address may have taken the place of the one that was removed. */
static void another_in_its_place(void **state)
{
    struct bench b;
    struct tern_config c;
    struct tern_udp_socket *udp;
    const struct tern_cidr other = cidr("10.0.0.3/24");
    const struct tern_endpoint all = {.port = 7}, to = {bench_addr(9), 9};

    (void)state;
    bench_config(&c, 1);
    bench_open_at(&b, &c, 1);
    assert_int_equal(tern_udp_open(b.stack, &all, NULL, &udp), TERN_ERR_OK);
    assert_int_equal(tern_udp_send(udp, &to, "x", 1), TERN_ERR_OK);
    bench_drain(&b);
    tern_stack_address_remove(b.stack, bench_addr(1));
    assert_int_equal(tern_stack_address_add(b.stack, &other, TERN_CLAIM_NONE), TERN_ERR_OK);
    bench_arp(&b, TERN_ARP_REPLY, 9, 1);
    assert_int_equal(bench_sent_count(&b, TERN_IP_UDP), 0);
    assert_int_equal(bench_drops(&b, TERN_DROP_NO_NEIGHBOUR), 1);
    assert_int_equal(tern_udp_send(udp, &to, "x", 1), TERN_ERR_OK);
    bench_drain(&b);
    assert_int_equal(bench_sent_count(&b, TERN_IP_UDP), 1);
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(impossible_addresses),
        cmocka_unit_test(table_of_addresses),
        cmocka_unit_test(claim),
        cmocka_unit_test(address_in_use),
        cmocka_unit_test(address_lost),
        cmocka_unit_test(routes),
        cmocka_unit_test(never_on_the_wire),
        cmocka_unit_test(first_beside_gateway),
        cmocka_unit_test(given_source),
        cmocka_unit_test(waiting_for_arp),
        cmocka_unit_test(arp_answers),
        cmocka_unit_test(removed_address),
        cmocka_unit_test(another_in_its_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
