/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reassembly: every order of up to five fragments, then everything that senders should not do
 * (RFC 791 §3.2, RFC 1122 §3.3.2, RFC 1858 §3, RFC 5722 §4). The structure is checked after
 * every step.
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
#include "proto/reass.h"

#define COUNT_MAX 4

static uint8_t pattern[65536];

struct world {
    struct tern_reass r;
    void *memory;
    tern_time now;
    struct tern_ipv4 whole;
    tern_span body;
};

static void open_world(struct world *w)
{
    const struct tern_hash_key key = {{4, 2}};

    w->memory = malloc(tern_reass_bytes(COUNT_MAX));
    assert_non_null(w->memory);
    tern_reass_init(&w->r, w->memory, COUNT_MAX, &key);
    w->now = 50 * TERN_SECOND;
    tern_reass_check(&w->r);
    assert_true(tern_reass_deadline(&w->r) == TERN_TIME_NEVER);
}

static void close_world(struct world *w)
{
    tern_reass_check(&w->r);
    free(w->memory);
}

static struct tern_ipv4 header(uint16_t id)
{
    return (struct tern_ipv4){.id = id,
                              .ttl = 64,
                              .protocol = TERN_IP_UDP,
                              .header_bytes = 20,
                              .src = tern_addr_v4(10, 0, 0, 2),
                              .dst = tern_addr_v4(10, 0, 0, 1)};
}

static bool feed(struct world *w, struct tern_ipv4 ip, uint32_t start, uint32_t end, bool more)
{
    bool whole;

    ip.fragment_offset_bytes = (uint16_t)start;
    ip.more_fragments = more;
    ip.total_bytes = (uint16_t)(ip.header_bytes + end - start);
    whole = tern_reass_input(&w->r, &ip, tern_span_of(pattern + start, end - start), w->now,
                             &w->whole, &w->body);
    tern_reass_check(&w->r);
    return whole;
}

static void expect_whole(const struct world *w, uint16_t id, uint32_t bytes)
{
    assert_int_equal(w->whole.id, id);
    assert_int_equal(w->whole.fragment_offset_bytes, 0);
    assert_false(w->whole.more_fragments);
    assert_int_equal(w->whole.total_bytes, w->whole.header_bytes + bytes);
    assert_int_equal(w->body.bytes, bytes);
    assert_memory_equal(w->body.data, pattern, bytes);
}

static void expect_drops(struct world *w, uint64_t bad, uint64_t overlap, uint64_t full,
                         uint64_t timeout)
{
    assert_int_equal(tern_reass_dropped(&w->r, TERN_DROP_FRAG_BAD), bad);
    assert_int_equal(tern_reass_dropped(&w->r, TERN_DROP_FRAG_OVERLAP), overlap);
    assert_int_equal(tern_reass_dropped(&w->r, TERN_DROP_FRAG_FULL), full);
    assert_int_equal(tern_reass_dropped(&w->r, TERN_DROP_FRAG_TIMEOUT), timeout);
    assert_int_equal(tern_reass_dropped(&w->r, TERN_DROP_FRAG_BAD), 0);
}

/* The n-th order of so many pieces (a number in the factorial system). */
static void order_of(uint32_t n, uint32_t pieces, uint32_t *order)
{
    uint32_t left[5] = {0, 1, 2, 3, 4};

    for (uint32_t i = 0; i < pieces; i++) {
        const uint32_t remaining = pieces - i, pick = n % remaining;

        n /= remaining;
        order[i] = left[pick];
        memmove(left + pick, left + pick + 1, (remaining - pick - 1) * sizeof left[0]);
    }
}

static const uint32_t cuts[] = {0, 8, 1480, 1496, 2976, 0};

static void run_order(uint32_t pieces, uint32_t n, bool doubled)
{
    const uint32_t bytes = cuts[pieces - 1] + 13; /* an odd end */
    uint32_t order[5] = {0};
    struct world w;

    open_world(&w);
    order_of(n, pieces, order);
    for (uint32_t i = 0; i < pieces; i++) {
        const bool last = order[i] + 1 == pieces;
        const uint32_t start = cuts[order[i]], end = last ? bytes : cuts[order[i] + 1];
        const bool whole = feed(&w, header(7), start, end, !last);

        if (whole != (i + 1 == pieces))
            fail_msg("%u pieces, order %u: whole is %d after %u", pieces, n, whole, i + 1);
        if (doubled && !whole)
            assert_false(feed(&w, header(7), start, end, !last));
    }
    expect_whole(&w, 7, bytes);
    assert_int_equal(w.r.used, 0);
    expect_drops(&w, 0, 0, 0, 0);
    close_world(&w);
}

static void test_every_order(void **state)
{
    static const uint32_t orders[] = {0, 0, 2, 6, 24, 120};

    (void)state;
    for (uint32_t pieces = 2; pieces <= 5; pieces++) {
        for (uint32_t n = 0; n < orders[pieces]; n++) {
            run_order(pieces, n, false);
            run_order(pieces, n, true);
        }
    }
}

/* RFC 791 §3.2: source, destination, protocol and ID tell packets apart. */
static void test_keys(void **state)
{
    struct tern_ipv4 keys[5];
    struct world w;

    (void)state;
    for (size_t i = 0; i < 5; i++)
        keys[i] = header(1);
    keys[1].id = 2;
    keys[2].protocol = 99;
    keys[3].src = tern_addr_v4(10, 0, 0, 3);
    keys[4].dst = tern_addr_v4(10, 0, 0, 4);
    for (size_t i = 1; i < 5; i++) {
        open_world(&w);
        assert_false(feed(&w, keys[0], 0, 8, true));
        assert_false(feed(&w, keys[i], 8, 16, false));
        assert_int_equal(w.r.used, 2);
        assert_true(feed(&w, keys[i], 0, 8, true));
        assert_true(feed(&w, keys[0], 8, 16, false));
        assert_int_equal(w.r.used, 0);
        close_world(&w);
    }
}

/* The header that counts is that of the first fragment, whichever came first. */
static void test_header_of_first(void **state)
{
    struct tern_ipv4 first = header(1), rest = header(1);
    struct world w;

    (void)state;
    first.ttl = 11;
    first.header_bytes = 28;
    rest.ttl = 22;
    open_world(&w);
    assert_false(feed(&w, rest, 8, 20, false));
    assert_true(feed(&w, first, 0, 8, true));
    assert_int_equal(w.whole.ttl, 11);
    assert_int_equal(w.whole.total_bytes, 48);
    close_world(&w);
}

/* Wrong by itself: dropped, and nothing else suffers. */
static void test_impossible(void **state)
{
    static const struct {
        const char *words;
        uint32_t start, end;
        bool more;
        uint8_t protocol;
    } rows[] = {
        {"empty", 8, 8, false, TERN_IP_UDP},
        {"empty, with more to come", 8, 8, true, TERN_IP_UDP},
        {"not a multiple of 8", 0, 9, true, TERN_IP_UDP},
        {"ping of death", 65512, 65520, false, TERN_IP_UDP},
        {"ping of death, the largest", 65528, 65535, false, TERN_IP_ICMP},
        {"TCP header in pieces, the first", 0, 8, true, TERN_IP_TCP},
        {"TCP header in pieces, the second", 8, 40, false, TERN_IP_TCP},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct tern_ipv4 ip = header(1);
        struct world w;

        open_world(&w);
        assert_false(feed(&w, header(2), 0, 8, true));
        ip.protocol = rows[i].protocol;
        assert_false(feed(&w, ip, rows[i].start, rows[i].end, rows[i].more));
        if (tern_reass_dropped(&w.r, TERN_DROP_FRAG_BAD) != 1)
            fail_msg("row %zu (%s) was not dropped", i, rows[i].words);
        assert_int_equal(w.r.used, 1);
        assert_true(feed(&w, header(2), 8, 16, false));
        close_world(&w);
    }
}

/* Wrong beside what came before: the whole packet goes, and its later fragments with it. */
static void test_contradictions(void **state)
{
    static const struct {
        const char *words;
        uint32_t start, end;
        bool more;
        bool overlap;
    } rows[] = {
        {"overlap with the left piece", 16, 40, true, true},
        {"overlap with the right piece", 40, 72, true, true},
        {"over all of a piece and more", 0, 32, true, true},
        {"within a piece, other bytes", 8, 16, true, true},
        {"ends before what has come", 32, 56, false, false},
        {"another end", 64, 88, false, false},
        {"beyond the end", 80, 96, true, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct world w;

        open_world(&w);
        assert_false(feed(&w, header(1), 0, 24, true)); /* 0-24, 64-80 of 80 are here */
        assert_false(feed(&w, header(1), 64, 80, false));
        pattern[9] ^= 0xff;
        assert_false(feed(&w, header(1), rows[i].start, rows[i].end, rows[i].more));
        pattern[9] ^= 0xff;
        if (tern_reass_dropped(&w.r,
                               rows[i].overlap ? TERN_DROP_FRAG_OVERLAP : TERN_DROP_FRAG_BAD) != 1)
            fail_msg("row %zu (%s) was not dropped", i, rows[i].words);
        assert_false(feed(&w, header(1), 24, 64, true)); /* RFC 5722 §4: those to come as well */
        assert_false(feed(&w, header(1), 0, 24, true));
        assert_false(feed(&w, header(1), 64, 80, false));
        w.now += 30 * TERN_SECOND;
        tern_reass_expire(&w.r, w.now);
        assert_int_equal(w.r.used, 0);
        close_world(&w);
    }
}

/* A duplicate may be cut differently, so long as it says nothing new and the same. */
static void test_duplicates(void **state)
{
    struct world w;

    (void)state;
    open_world(&w);
    assert_false(feed(&w, header(1), 0, 16, true));
    assert_false(feed(&w, header(1), 16, 32, true));
    assert_false(feed(&w, header(1), 0, 32, true));
    assert_false(feed(&w, header(1), 8, 16, true));
    assert_true(feed(&w, header(1), 32, 40, false));
    expect_whole(&w, 1, 40);
    expect_drops(&w, 0, 0, 0, 0);
    close_world(&w);
}

/* The longest packet there is, and one byte more through the first header's options. */
static void test_longest(void **state)
{
    struct tern_ipv4 options = header(2);
    struct world w;

    (void)state;
    open_world(&w);
    assert_false(feed(&w, header(1), 0, 65512, true));
    assert_true(feed(&w, header(1), 65512, 65515, false));
    expect_whole(&w, 1, 65515);
    options.header_bytes = 24;
    assert_false(feed(&w, options, 0, 65512, true));
    assert_false(feed(&w, options, 65512, 65515, false));
    expect_drops(&w, 1, 0, 0, 0);
    assert_int_equal(w.r.used, 0);
    close_world(&w);
}

static void test_full_table(void **state)
{
    struct world w;

    (void)state;
    open_world(&w);
    for (uint16_t id = 1; id <= COUNT_MAX + 1; id++) {
        assert_false(feed(&w, header(id), 0, 8, true));
        w.now += TERN_MS;
    }
    expect_drops(&w, 0, 0, 1, 0);
    assert_int_equal(w.r.used, COUNT_MAX);
    assert_true(feed(&w, header(2), 8, 16, false)); /* the oldest went, not this one */
    assert_false(feed(&w, header(1), 8, 16, false));
    close_world(&w);
}

/* Tiny fragments with holes between: the 65th separate piece ends the packet, not the program. */
static void test_too_many_pieces(void **state)
{
    struct world w;

    (void)state;
    open_world(&w);
    for (uint32_t i = 0; i < 64; i++)
        assert_false(feed(&w, header(1), i * 16, i * 16 + 8, true));
    expect_drops(&w, 0, 0, 0, 0);
    assert_false(feed(&w, header(1), 64 * 16, 64 * 16 + 8, true));
    expect_drops(&w, 0, 0, 1, 0);
    close_world(&w);
}

/* RFC 1122 §3.3.2: 30 s after the first fragment, whatever came later. */
static void test_timeout(void **state)
{
    struct tern_ipv4 first;
    struct world w;
    tern_span quote;

    (void)state;
    open_world(&w);
    assert_false(feed(&w, header(1), 0, 16, true));
    assert_int_equal(tern_reass_deadline(&w.r), w.now + 30 * TERN_SECOND);
    w.now += 20 * TERN_SECOND;
    assert_false(feed(&w, header(1), 16, 32, true));
    assert_false(feed(&w, header(2), 8, 16, true));
    w.now += 10 * TERN_SECOND - 1;
    assert_false(tern_reass_expire_one(&w.r, w.now, &first, &quote));
    w.now += 1;
    assert_true(tern_reass_expire_one(&w.r, w.now, &first, &quote));
    tern_reass_check(&w.r);
    assert_int_equal(first.id, 1);
    assert_int_equal(quote.bytes, 8); /* its first fragment came: an ICMP error may quote it */
    assert_memory_equal(quote.data, pattern, 8);
    assert_false(tern_reass_expire_one(&w.r, w.now, &first, &quote));
    w.now = tern_reass_deadline(&w.r);
    assert_true(tern_reass_expire_one(&w.r, w.now, &first, &quote));
    assert_int_equal(first.id, 2);
    assert_int_equal(quote.bytes, 0);
    expect_drops(&w, 0, 0, 0, 2);
    assert_int_equal(w.r.used, 0);
    assert_true(tern_reass_deadline(&w.r) == TERN_TIME_NEVER);
    close_world(&w);
}

/* Random fragments of a few packets: what comes out whole is always the bytes that went in. */
static void test_random(void **state)
{
    struct tern_random random;
    uint32_t wholes = 0;
    struct world w;

    (void)state;
    tern_random_init(&random, "reass", 5, "test");
    open_world(&w);
    for (uint32_t i = 0; i < 40000; i++) {
        const uint16_t id = (uint16_t)tern_random_below(&random, 6);
        const uint32_t start = 8 * (uint32_t)tern_random_below(&random, 5);
        const uint32_t bytes = 8 * (1 + (uint32_t)tern_random_below(&random, i % 3 + 1));
        const bool more = start + bytes < 40;

        if (feed(&w, header(id), start, more ? start + bytes : 40, more)) {
            expect_whole(&w, id, 40);
            wholes++;
        }
        w.now += (tern_time)tern_random_below(&random, TERN_SECOND);
        tern_reass_expire(&w.r, w.now);
        tern_reass_check(&w.r);
    }
    assert_true(wholes > 100);
    close_world(&w);
}

/* RFC 3168 §5.3: a router marked one of the fragments, whichever. */
static void marked_fragment(void **state)
{
    (void)state;
    for (int marked = -1; marked < 3; marked++) {
        struct world w;
        struct tern_ipv4 ip = header(9);

        open_world(&w);
        for (int i = 2; i >= 0; i--) {
            ip.tos = i == marked ? 0xb8 | 3 : 0xb8 | 2;
            assert_true(feed(&w, ip, (uint32_t)i * 800, (uint32_t)i * 800 + 800, i < 2) ==
                        (i == 0));
        }
        assert_int_equal(w.whole.tos, marked >= 0 ? 0xb8 | 3 : 0xb8 | 2);
        close_world(&w);
    }
}

/* RFC 3168 §5.3: where another fragment is of no ECN transport the mark may neither be set on the
 * whole nor be lost, so that the whole is dropped. */
static void marked_beside_not_capable(void **state)
{
    (void)state;
    for (int plain = 0; plain < 3; plain++) {
        struct world w;
        struct tern_ipv4 ip = header(9);

        open_world(&w);
        for (int i = 2; i >= 0; i--) {
            ip.tos = i == plain ? 0xb8 : 0xb8 | 3;
            assert_false(feed(&w, ip, (uint32_t)i * 800, (uint32_t)i * 800 + 800, i < 2));
        }
        expect_drops(&w, 1, 0, 0, 0);
        assert_int_equal(w.r.used, 0);
        ip.tos = 0xb8; /* without a mark there is nothing to lose */
        for (int i = 2; i >= 0; i--)
            assert_true(feed(&w, ip, (uint32_t)i * 800, (uint32_t)i * 800 + 800, i < 2) ==
                        (i == 0));
        assert_int_equal(w.whole.tos, 0xb8);
        close_world(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(marked_beside_not_capable),
        cmocka_unit_test(marked_fragment),
        cmocka_unit_test(test_every_order),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_header_of_first),
        cmocka_unit_test(test_impossible),
        cmocka_unit_test(test_contradictions),
        cmocka_unit_test(test_duplicates),
        cmocka_unit_test(test_longest),
        cmocka_unit_test(test_full_table),
        cmocka_unit_test(test_too_many_pieces),
        cmocka_unit_test(test_timeout),
        cmocka_unit_test(test_random),
    };

    for (size_t i = 0; i < sizeof pattern; i++)
        pattern[i] = (uint8_t)(i * 131 + i / 251);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
