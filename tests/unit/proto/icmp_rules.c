/* SPDX-License-Identifier: BSD-2-Clause */
/* RFC 1122 §3.2.2, §4.2.3.9 and RFC 1812 §4.3.2.8 as tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/icmp_rules.h"

static struct tern_ipv4 packet(void)
{
    return (struct tern_ipv4){.ttl = 64,
                              .protocol = TERN_IP_UDP,
                              .header_bytes = 20,
                              .src = tern_addr_v4(10, 0, 0, 2),
                              .dst = tern_addr_v4(10, 0, 0, 1)};
}

static bool allowed(const struct tern_ipv4 *ip, uint8_t first_byte)
{
    const uint8_t body[8] = {first_byte};

    return tern_icmp_error_allowed(ip, tern_span_of(body, sizeof body), false, false);
}

static void test_allowed(void **state)
{
    struct tern_ipv4 ip = packet();

    (void)state;
    assert_true(allowed(&ip, 0));
    ip.more_fragments = true; /* the first fragment may be answered */
    assert_true(allowed(&ip, 0));
    ip.fragment_offset_bytes = 8;
    assert_false(allowed(&ip, 0));
    ip = packet();
    assert_false(tern_icmp_error_allowed(&ip, tern_span_of("", 0), true, false));
    assert_false(tern_icmp_error_allowed(&ip, tern_span_of("", 0), false, true));
    ip.dst = tern_addr_v4(224, 0, 0, 251);
    assert_false(allowed(&ip, 0));
}

static void test_sources(void **state)
{
    static const struct {
        uint8_t b[4];
        bool allowed;
    } rows[] = {
        {{10, 0, 0, 2}, true},   {{8, 8, 8, 8}, true},          {{0, 0, 0, 0}, false},
        {{0, 1, 2, 3}, false},   {{127, 0, 0, 1}, false},       {{224, 0, 0, 1}, false},
        {{240, 0, 0, 1}, false}, {{255, 255, 255, 255}, false}, {{10, 0, 0, 1}, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct tern_ipv4 ip = packet();

        ip.src = tern_addr_v4(rows[i].b[0], rows[i].b[1], rows[i].b[2], rows[i].b[3]);
        if (allowed(&ip, 0) != rows[i].allowed)
            fail_msg("row %zu", i);
    }
}

/* RFC 1122 §3.2.2: never about an ICMP error, and what we do not know may be one. */
static void test_icmp_about_icmp(void **state)
{
    (void)state;
    for (unsigned type = 0; type < 256; type++) {
        struct tern_ipv4 ip = packet();
        const bool query = type == 0 || type == 8 || (type >= 13 && type <= 18);

        ip.protocol = TERN_IP_ICMP;
        if (allowed(&ip, (uint8_t)type) != query)
            fail_msg("type %u", type);
        assert_false(tern_icmp_error_allowed(&ip, tern_span_of("", 0), false, false));
    }
}

/* 50 at once, then one each 10 ms. */
static void test_bucket(void **state)
{
    struct tern_icmp_bucket b;
    tern_time now = 3 * TERN_SECOND;
    int taken = 0;

    (void)state;
    tern_icmp_bucket_init(&b, now);
    while (tern_icmp_bucket_take(&b, now))
        assert_true(++taken <= 50);
    assert_int_equal(taken, 50);
    assert_false(tern_icmp_bucket_take(&b, now + 10 * TERN_MS - 1));
    assert_true(tern_icmp_bucket_take(&b, now + 10 * TERN_MS));
    assert_false(tern_icmp_bucket_take(&b, now + 10 * TERN_MS));
    now += 3600 * TERN_SECOND; /* an hour of silence saves up no more than 50 */
    for (taken = 0; tern_icmp_bucket_take(&b, now); taken++)
        assert_true(taken < 50);
    assert_int_equal(taken, 50);
    for (taken = 0; now < 3610 * TERN_SECOND; now += TERN_MS) /* and a second gives 100 */
        taken += tern_icmp_bucket_take(&b, now) ? 1 : 0;
    assert_in_range(taken, 699, 700);
}

static void test_effects(void **state)
{
    static const struct {
        uint8_t type, code;
        enum tern_icmp_effect effect;
    } rows[] = {
        {3, 0, TERN_ICMP_EFFECT_SOFT},    {3, 1, TERN_ICMP_EFFECT_SOFT},
        {3, 2, TERN_ICMP_EFFECT_HARD},    {3, 3, TERN_ICMP_EFFECT_HARD},
        {3, 4, TERN_ICMP_EFFECT_TOO_BIG}, {3, 5, TERN_ICMP_EFFECT_SOFT},
        {3, 9, TERN_ICMP_EFFECT_HARD},    {3, 10, TERN_ICMP_EFFECT_HARD},
        {3, 13, TERN_ICMP_EFFECT_HARD},   {3, 200, TERN_ICMP_EFFECT_SOFT},
        {4, 0, TERN_ICMP_EFFECT_NONE},    {5, 1, TERN_ICMP_EFFECT_NONE},
        {11, 0, TERN_ICMP_EFFECT_SOFT},   {11, 1, TERN_ICMP_EFFECT_SOFT},
        {12, 0, TERN_ICMP_EFFECT_SOFT},   {0, 0, TERN_ICMP_EFFECT_NONE},
        {8, 0, TERN_ICMP_EFFECT_NONE},    {255, 0, TERN_ICMP_EFFECT_NONE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct tern_icmp icmp = {.type = rows[i].type, .code = rows[i].code};

        if (tern_icmp_effect_of(&icmp) != rows[i].effect)
            fail_msg("type %u code %u", rows[i].type, rows[i].code);
    }
}

/* 45 00 len id frag ttl proto sum src dst, then the first 8 bytes of ours. */
static const uint8_t quoted[28] = {0x45, 0,    0,    40,   0x12, 0x34, 0x40, 0,   64, 6,
                                   0xab, 0xcd, 10,   0,    0,    1,    10,   0,   0,  2,
                                   0xc0, 0x01, 0x00, 0x50, 0xde, 0xad, 0xbe, 0xef};

/* A copy of the quotation on the heap, exactly so long, so that a byte too far is seen. */
static bool parse(const uint8_t *bytes, size_t count, struct tern_icmp_quote *out)
{
    uint8_t *copy = malloc(count == 0 ? 1 : count);
    bool ok;

    assert_non_null(copy);
    memcpy(copy, bytes, count);
    ok = tern_icmp_quote_parse(tern_span_of(copy, count), out);
    free(copy);
    return ok;
}

static void test_quote(void **state)
{
    struct tern_icmp_quote q;
    uint8_t bytes[28];

    (void)state;
    assert_true(parse(quoted, sizeof quoted, &q));
    assert_true(tern_addr_equal(q.src, tern_addr_v4(10, 0, 0, 1)));
    assert_true(tern_addr_equal(q.dst, tern_addr_v4(10, 0, 0, 2)));
    assert_int_equal(q.protocol, TERN_IP_TCP);
    assert_int_equal(q.src_port, 0xc001);
    assert_int_equal(q.dst_port, 80);
    assert_int_equal(q.seq, 0xdeadbeef);
    memcpy(bytes, quoted, sizeof bytes);
    bytes[9] = TERN_IP_UDP;
    assert_true(parse(bytes, sizeof bytes, &q));
    assert_int_equal(q.src_port, 0xc001);
    assert_int_equal(q.dst_port, 80);
    assert_int_equal(q.seq, 0);
    bytes[9] = TERN_IP_ICMP;
    bytes[20] = TERN_ICMP_ECHO_REQUEST;
    assert_true(parse(bytes, sizeof bytes, &q));
    assert_int_equal(q.echo_id, 0xdead);
    assert_int_equal(q.echo_sequence, 0xbeef);
    bytes[20] = TERN_ICMP_ECHO_REPLY; /* we never send an error's cause but requests */
    assert_false(parse(bytes, sizeof bytes, &q));
    bytes[9] = 47;
    assert_false(parse(bytes, sizeof bytes, &q));
}

static void test_bad_quotes(void **state)
{
    static const struct {
        size_t at;
        uint8_t value;
    } rows[] = {{0, 0x65}, {0, 0x44}, {0, 0x46}, {0, 0x4f}, {6, 0x1f}, {7, 1}};
    struct tern_icmp_quote q;

    (void)state;
    for (size_t n = 0; n < sizeof quoted; n++)
        assert_false(parse(quoted, n, &q));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t bytes[28];

        memcpy(bytes, quoted, sizeof bytes);
        bytes[rows[i].at] = rows[i].value;
        if (parse(bytes, sizeof bytes, &q))
            fail_msg("row %zu", i);
    }
}

/* With options in the quoted header, the ports stand further on. */
static void test_quote_with_options(void **state)
{
    struct tern_icmp_quote q;
    uint8_t bytes[32] = {0};

    (void)state;
    memcpy(bytes, quoted, 20);
    memcpy(bytes + 24, quoted + 20, 8);
    bytes[0] = 0x46;
    assert_true(parse(bytes, sizeof bytes, &q));
    assert_int_equal(q.dst_port, 80);
    assert_int_equal(q.seq, 0xdeadbeef);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_allowed),         cmocka_unit_test(test_sources),
        cmocka_unit_test(test_icmp_about_icmp), cmocka_unit_test(test_bucket),
        cmocka_unit_test(test_effects),         cmocka_unit_test(test_quote),
        cmocka_unit_test(test_bad_quotes),      cmocka_unit_test(test_quote_with_options),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
