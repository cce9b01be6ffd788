/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The neighbour cache in virtual time: each test is a story of lookups, ARP packets and waits,
 * with the whole structure checked after every step (RFC 826, RFC 1122 §2.3.2).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "proto/neigh.h"

#define SMALL 4

static const struct tern_mac own = {{2, 0, 0, 0, 0, 1}};
static const struct tern_mac broadcast = {{255, 255, 255, 255, 255, 255}};
static const struct tern_hash_key key = {{9, 8, 7}};

struct world {
    struct tern_neigh n;
    void *memory;
    tern_time now;
};

static void open_world(struct world *w, uint32_t count_max)
{
    w->memory = malloc(tern_neigh_bytes(count_max));
    assert_non_null(w->memory);
    memset(w->memory, 0xa5, tern_neigh_bytes(count_max));
    tern_neigh_init(&w->n, w->memory, count_max, &key, own);
    w->now = 100 * TERN_SECOND;
    tern_neigh_check(&w->n);
}

static void close_world(struct world *w)
{
    tern_neigh_check(&w->n);
    free(w->memory);
}

static struct tern_addr host(uint32_t n)
{
    return tern_addr_from_be32(0x0a000000u + n);
}

static struct tern_mac mac(uint32_t n)
{
    return (struct tern_mac){{2, 0xff, 0, 0, (uint8_t)(n >> 8), (uint8_t)n}};
}

static enum tern_neigh_verdict lookup(struct world *w, uint32_t n, struct tern_mac *out)
{
    const enum tern_neigh_verdict v = tern_neigh_lookup(&w->n, host(n), host(1), w->now, out);

    tern_neigh_check(&w->n);
    return v;
}

static void expect_mac(struct world *w, uint32_t n, struct tern_mac want)
{
    struct tern_mac got = {{0}};

    assert_int_equal(lookup(w, n, &got), TERN_NEIGH_RESOLVED);
    assert_true(tern_mac_equal(got, want));
}

static void arp(struct world *w, uint16_t op, uint32_t sender, struct tern_mac sender_mac,
                uint32_t target, bool for_us)
{
    const struct tern_arp a = {
        .op = op, .sender_mac = sender_mac, .sender = host(sender), .target = host(target)};

    tern_neigh_input(&w->n, &a, for_us, w->now);
    tern_neigh_check(&w->n);
}

static void reply(struct world *w, uint32_t n)
{
    arp(w, TERN_ARP_REPLY, n, mac(n), 1, true);
}

static void wait(struct world *w, tern_time t)
{
    w->now += t;
    tern_neigh_expire(&w->n, w->now);
    tern_neigh_check(&w->n);
    assert_true(tern_neigh_deadline(&w->n) > w->now);
}

/* One request is due, for n, and no other. */
static void expect_request(struct world *w, uint32_t n, struct tern_mac to)
{
    struct tern_arp a;
    struct tern_mac dst;

    assert_true(tern_neigh_output(&w->n, w->now, &a, &dst));
    tern_neigh_check(&w->n);
    assert_int_equal(a.op, TERN_ARP_REQUEST);
    assert_true(tern_addr_equal(a.target, host(n)));
    assert_true(tern_addr_equal(a.sender, host(1)));
    assert_true(tern_mac_equal(a.sender_mac, own));
    assert_true(tern_mac_equal(dst, to));
    assert_false(tern_neigh_output(&w->n, w->now, &a, &dst));
}

static void expect_silence(struct world *w)
{
    struct tern_arp a;
    struct tern_mac dst;

    assert_false(tern_neigh_output(&w->n, w->now, &a, &dst));
}

static void test_resolve(void **state)
{
    struct world w;
    struct tern_mac m;

    (void)state;
    open_world(&w, SMALL);
    assert_int_equal(lookup(&w, 2, &m), TERN_NEIGH_PENDING);
    expect_request(&w, 2, broadcast);
    assert_int_equal(lookup(&w, 2, &m), TERN_NEIGH_PENDING);
    expect_silence(&w); /* RFC 1122 §2.3.2.1: no flood */
    assert_false(tern_neigh_peek(&w.n, host(2), &m));
    assert_false(tern_neigh_changed(&w.n));
    reply(&w, 2);
    assert_true(tern_neigh_changed(&w.n));
    assert_false(tern_neigh_changed(&w.n));
    expect_mac(&w, 2, mac(2));
    assert_true(tern_neigh_peek(&w.n, host(2), &m));
    assert_true(tern_neigh_deadline(&w.n) == TERN_TIME_NEVER);
    close_world(&w);
}

static void test_no_answer(void **state)
{
    struct world w;
    struct tern_mac m;

    (void)state;
    open_world(&w, SMALL);
    assert_int_equal(lookup(&w, 2, &m), TERN_NEIGH_PENDING);
    for (int i = 0; i < 3; i++) {
        expect_request(&w, 2, broadcast);
        assert_int_equal(tern_neigh_deadline(&w.n), w.now + TERN_SECOND);
        wait(&w, TERN_SECOND - 1);
        expect_silence(&w);
        assert_int_equal(lookup(&w, 2, &m), TERN_NEIGH_PENDING);
        wait(&w, 1);
    }
    expect_silence(&w);
    assert_true(tern_neigh_changed(&w.n));
    assert_int_equal(lookup(&w, 2, &m), TERN_NEIGH_FAILED);
    wait(&w, TERN_SECOND); /* forgotten: asked anew */
    assert_int_equal(w.n.used, 0);
    assert_int_equal(lookup(&w, 2, &m), TERN_NEIGH_PENDING);
    expect_request(&w, 2, broadcast);
    reply(&w, 2);
    expect_mac(&w, 2, mac(2));
    close_world(&w);
}

/* An answer that comes after we gave up still counts. */
static void test_late_answer(void **state)
{
    struct world w;
    struct tern_mac m;

    (void)state;
    open_world(&w, SMALL);
    assert_int_equal(lookup(&w, 2, &m), TERN_NEIGH_PENDING);
    for (int i = 0; i < 3; i++) {
        expect_request(&w, 2, broadcast);
        wait(&w, TERN_SECOND);
    }
    assert_int_equal(lookup(&w, 2, &m), TERN_NEIGH_FAILED);
    reply(&w, 2);
    expect_mac(&w, 2, mac(2));
    wait(&w, 5 * TERN_SECOND);
    expect_mac(&w, 2, mac(2));
    close_world(&w);
}

/* RFC 1122 §2.3.2.1 (2): an old entry is used and asked again; unicast twice, then everyone. */
static void test_refresh(void **state)
{
    struct world w;
    struct tern_mac m;

    (void)state;
    open_world(&w, SMALL);
    assert_int_equal(lookup(&w, 2, &m), TERN_NEIGH_PENDING);
    expect_request(&w, 2, broadcast);
    reply(&w, 2);
    wait(&w, 60 * TERN_SECOND - 1);
    expect_mac(&w, 2, mac(2));
    expect_silence(&w);
    wait(&w, 1);
    expect_mac(&w, 2, mac(2));
    expect_request(&w, 2, mac(2));
    reply(&w, 2); /* still there: another minute */
    wait(&w, 59 * TERN_SECOND);
    expect_mac(&w, 2, mac(2));
    expect_silence(&w);
    wait(&w, 1 * TERN_SECOND);
    expect_mac(&w, 2, mac(2));
    expect_request(&w, 2, mac(2));
    wait(&w, TERN_SECOND);
    expect_request(&w, 2, mac(2));
    wait(&w, TERN_SECOND);
    expect_mac(&w, 2, mac(2)); /* in use all the while */
    expect_request(&w, 2, broadcast);
    wait(&w, TERN_SECOND);
    assert_int_equal(lookup(&w, 2, &m), TERN_NEIGH_PENDING); /* gone: from the start */
    expect_request(&w, 2, broadcast);
    close_world(&w);
}

/* RFC 9293 §3.8.3, R1: the transport is in doubt: asked at once, and used while nothing else is
 * known. */
static void test_doubt(void **state)
{
    struct world w;
    struct tern_mac m;

    (void)state;
    open_world(&w, SMALL);
    tern_neigh_doubt(&w.n, host(2), w.now); /* of nobody: nothing */
    assert_int_equal(lookup(&w, 2, &m), TERN_NEIGH_PENDING);
    expect_request(&w, 2, broadcast);
    tern_neigh_doubt(&w.n, host(2), w.now); /* being asked already */
    expect_silence(&w);
    reply(&w, 2);
    expect_mac(&w, 2, mac(2));
    expect_silence(&w);
    tern_neigh_doubt(&w.n, host(2), w.now);
    expect_mac(&w, 2, mac(2));
    expect_request(&w, 2, mac(2));
    reply(&w, 2);
    expect_mac(&w, 2, mac(2));
    expect_silence(&w);
    close_world(&w);
}

/* Who may teach what: the rows of the file's comment on forgers. */
static void test_learning(void **state)
{
    static const struct {
        const char *words;
        uint16_t op;
        uint32_t sender, target;
        bool for_us, learnt;
    } rows[] = {
        {"a request for us", TERN_ARP_REQUEST, 5, 1, true, true},
        {"a request for another", TERN_ARP_REQUEST, 5, 9, false, false},
        {"a reply that nobody asked for", TERN_ARP_REPLY, 5, 1, true, false},
        {"a gratuitous request", TERN_ARP_REQUEST, 5, 5, false, false},
        {"a gratuitous reply", TERN_ARP_REPLY, 5, 5, false, false},
        {"a request from our address for our address", TERN_ARP_REQUEST, 1, 1, true, false},
        {"another operation", 3, 5, 1, true, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct world w;
        struct tern_mac m;

        open_world(&w, SMALL);
        arp(&w, rows[i].op, rows[i].sender, mac(5), rows[i].target, rows[i].for_us);
        if (tern_neigh_peek(&w.n, host(rows[i].sender), &m) != rows[i].learnt)
            fail_msg("row %zu: %s", i, rows[i].words);
        close_world(&w);
    }
}

static void test_impossible_senders(void **state)
{
    const struct tern_arp rows[] = {
        {.op = TERN_ARP_REQUEST, .sender_mac = mac(5), .sender = tern_addr_v4(0, 0, 0, 0)},
        {.op = TERN_ARP_REQUEST, .sender_mac = mac(5), .sender = tern_addr_v4(224, 0, 0, 1)},
        {.op = TERN_ARP_REQUEST, .sender_mac = mac(5), .sender = tern_addr_v4(255, 255, 255, 255)},
        {.op = TERN_ARP_REQUEST, .sender_mac = broadcast, .sender = host(5)},
        {.op = TERN_ARP_REQUEST, .sender_mac = {{1, 0, 0x5e, 0, 0, 1}}, .sender = host(5)},
        {.op = TERN_ARP_REQUEST, .sender_mac = own, .sender = host(5)},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct world w;
        struct tern_arp a = rows[i];

        open_world(&w, SMALL);
        a.target = host(1);
        tern_neigh_input(&w.n, &a, true, w.now);
        tern_neigh_check(&w.n);
        if (w.n.used != 0)
            fail_msg("row %zu taught something", i);
        close_world(&w);
    }
}

/* Of two answers the first counts; later the owner may change its MAC. */
static void test_mac_changes(void **state)
{
    struct world w;
    struct tern_mac m;

    (void)state;
    open_world(&w, SMALL);
    assert_int_equal(lookup(&w, 2, &m), TERN_NEIGH_PENDING);
    expect_request(&w, 2, broadcast);
    reply(&w, 2);
    (void)tern_neigh_changed(&w.n);
    wait(&w, 999 * TERN_MS);
    arp(&w, TERN_ARP_REPLY, 2, mac(66), 1, true);
    expect_mac(&w, 2, mac(2));
    assert_false(tern_neigh_changed(&w.n));
    wait(&w, 1 * TERN_MS);
    arp(&w, TERN_ARP_REQUEST, 2, mac(66), 2, false); /* gratuitous: the host has a new card */
    expect_mac(&w, 2, mac(66));
    assert_true(tern_neigh_changed(&w.n));
    close_world(&w);
}

static void test_full_table(void **state)
{
    struct world w;
    struct tern_mac m;

    (void)state;
    open_world(&w, SMALL);
    for (uint32_t n = 2; n < 2 + SMALL; n++) {
        assert_int_equal(lookup(&w, n, &m), TERN_NEIGH_PENDING);
        expect_request(&w, n, broadcast);
        if (n > 2)
            reply(&w, n);
    }
    expect_mac(&w, 3, mac(3)); /* so 4 is the least recently used; 2 is pending */
    assert_int_equal(lookup(&w, 9, &m), TERN_NEIGH_PENDING);
    assert_false(tern_neigh_peek(&w.n, host(4), &m));
    assert_true(tern_neigh_peek(&w.n, host(3), &m));
    assert_true(tern_neigh_peek(&w.n, host(5), &m));
    assert_int_equal(w.n.pending_count, SMALL / 2); /* 2 and 9: no more are asked at once */
    assert_int_equal(lookup(&w, 10, &m), TERN_NEIGH_BUSY);
    assert_int_equal(w.n.pending_count, SMALL / 2);
    assert_true(tern_neigh_peek(&w.n, host(3), &m));
    assert_true(tern_neigh_peek(&w.n, host(5), &m));
    reply(&w, 2);
    assert_int_equal(lookup(&w, 10, &m), TERN_NEIGH_PENDING); /* it waits no more, and evicts 5 */
    assert_int_equal(w.n.pending_count, SMALL / 2);
    expect_mac(&w, 3, mac(3));
    close_world(&w);
}

/* A thousand strangers who ask for us do not cost us the gateway. */
static void test_flood_of_strangers(void **state)
{
    struct world w;
    struct tern_mac m;

    (void)state;
    open_world(&w, 16);
    assert_int_equal(lookup(&w, 2, &m), TERN_NEIGH_PENDING);
    expect_request(&w, 2, broadcast);
    reply(&w, 2);
    for (uint32_t n = 1000; n < 2000; n++)
        arp(&w, TERN_ARP_REQUEST, n, mac(n), 1, true);
    assert_int_equal(w.n.used, 16);
    expect_mac(&w, 2, mac(2));
    close_world(&w);
}

/* Nor do a thousand addresses that nobody has, and to which we are made to answer. */
static void test_flood_of_nobodies(void **state)
{
    struct world w;
    struct tern_mac m;
    uint32_t n = 1000;

    (void)state;
    open_world(&w, 16);
    assert_int_equal(lookup(&w, 2, &m), TERN_NEIGH_PENDING);
    expect_request(&w, 2, broadcast);
    reply(&w, 2);
    for (int second = 0; second < 10; second++) {
        for (int i = 0; i < 100; i++) {
            struct tern_arp a;
            const bool asks = w.n.pending_count < 8;

            assert_int_equal(lookup(&w, n++, &m), asks ? TERN_NEIGH_PENDING : TERN_NEIGH_BUSY);
            while (tern_neigh_output(&w.n, w.now, &a, &m)) {
            }
        }
        expect_mac(&w, 2, mac(2));
        w.now += TERN_SECOND;
        tern_neigh_expire(&w.n, w.now);
        tern_neigh_check(&w.n);
    }
    close_world(&w);
}

static void test_flush(void **state)
{
    const struct tern_mac new_own = {{2, 0, 0, 0, 0, 7}};
    struct world w;
    struct tern_mac m;
    struct tern_arp a;

    (void)state;
    open_world(&w, SMALL);
    assert_int_equal(lookup(&w, 2, &m), TERN_NEIGH_PENDING);
    expect_request(&w, 2, broadcast);
    reply(&w, 2);
    assert_int_equal(lookup(&w, 3, &m), TERN_NEIGH_PENDING);
    (void)tern_neigh_changed(&w.n);
    tern_neigh_flush(&w.n, new_own);
    tern_neigh_check(&w.n);
    assert_true(tern_neigh_changed(&w.n));
    assert_int_equal(w.n.used, 0);
    expect_silence(&w);
    assert_int_equal(lookup(&w, 2, &m), TERN_NEIGH_PENDING);
    assert_true(tern_neigh_output(&w.n, w.now, &a, &m));
    assert_true(tern_mac_equal(a.sender_mac, new_own));
    close_world(&w);
}

/* Anything in any order: the structure stays sound and the clock is honoured. */
static void test_random(void **state)
{
    struct tern_random random;
    struct world w;
    struct tern_mac m;
    struct tern_arp a;

    (void)state;
    tern_random_init(&random, "neigh", 5, "test");
    open_world(&w, 8);
    for (int i = 0; i < 60000; i++) {
        const uint32_t n = (uint32_t)tern_random_below(&random, 24) + 2;
        const uint32_t other = (uint32_t)tern_random_below(&random, 24) + 2;

        switch (tern_random_below(&random, 6)) {
        case 0:
        case 1:
            (void)lookup(&w, n, &m);
            break;
        case 2:
            arp(&w, TERN_ARP_REPLY, n, mac(n), 1, true);
            break;
        case 3:
            arp(&w, TERN_ARP_REQUEST, n, mac(other), other, other == 2);
            break;
        case 4:
            wait(&w, (tern_time)tern_random_below(&random, 400 * TERN_MS));
            break;
        default:
            wait(&w, i % 50 == 0 ? 70 * TERN_SECOND : 0);
        }
        for (uint32_t sent = 0; tern_neigh_output(&w.n, w.now, &a, &m); sent++) {
            tern_neigh_check(&w.n);
            assert_true(sent < 8);
        }
        assert_true(tern_neigh_deadline(&w.n) > w.now);
    }
    close_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_resolve),
        cmocka_unit_test(test_no_answer),
        cmocka_unit_test(test_late_answer),
        cmocka_unit_test(test_refresh),
        cmocka_unit_test(test_doubt),
        cmocka_unit_test(test_learning),
        cmocka_unit_test(test_impossible_senders),
        cmocka_unit_test(test_mac_changes),
        cmocka_unit_test(test_full_table),
        cmocka_unit_test(test_flood_of_strangers),
        cmocka_unit_test(test_flood_of_nobodies),
        cmocka_unit_test(test_flush),
        cmocka_unit_test(test_random),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
