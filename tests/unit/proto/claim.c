/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * RFC 5227 in virtual time: the schedules of the three modes, a conflict of each kind in each
 * state, and how often we defend.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "proto/claim.h"

static const struct tern_mac own = {{2, 0, 0, 0, 0, 1}}, other = {{2, 0, 0, 0, 0, 2}};
static struct tern_random dice;

static struct tern_addr wanted(void)
{
    return tern_addr_v4(10, 9, 0, 77);
}

static struct tern_addr somebody(void)
{
    return tern_addr_v4(10, 9, 0, 1);
}

static void begin(struct tern_claim_engine *c, enum tern_claim mode, tern_time now)
{
    tern_random_init(&dice, "claim", 5, "test");
    tern_claim_init(c, wanted(), own, mode, &dice, now);
    tern_claim_check(c);
}

static void expire(struct tern_claim_engine *c, tern_time now)
{
    tern_claim_expire(c, now);
    tern_claim_check(c);
}

static void input(struct tern_claim_engine *c, const struct tern_arp *a, tern_time now)
{
    tern_claim_input(c, a, now);
    tern_claim_check(c);
}

/* Exactly one packet is due now, of this kind, in the form that RFC 5227 §1.1 gives it. */
static void expect_packet(struct tern_claim_engine *c, enum tern_cause why, tern_time now)
{
    const struct tern_mac zero = {{0}};
    enum tern_cause cause = TERN_CAUSE_NONE;
    struct tern_arp a;

    assert_true(tern_claim_output(c, &dice, now, &a, &cause));
    tern_claim_check(c);
    assert_int_equal(cause, why);
    assert_int_equal(a.op, TERN_ARP_REQUEST);
    assert_true(tern_addr_equal(a.target, wanted()));
    assert_true(tern_mac_equal(a.sender_mac, own));
    assert_true(tern_mac_equal(a.target_mac, zero));
    if (why == TERN_CAUSE_ARP_PROBE)
        assert_true(tern_addr_is_any(a.sender));
    else
        assert_true(tern_addr_equal(a.sender, wanted()));
    assert_false(tern_claim_output(c, &dice, now, &a, &cause));
}

static void expect_silence(struct tern_claim_engine *c, tern_time now)
{
    enum tern_cause cause;
    struct tern_arp a;

    assert_false(tern_claim_output(c, &dice, now, &a, &cause));
}

static void test_fast(void **state)
{
    struct tern_claim_engine c;
    const tern_time start = 5 * TERN_SECOND;

    (void)state;
    begin(&c, TERN_CLAIM_FAST, start);
    for (int i = 0; i < 3; i++) {
        const tern_time now = start + i * 70 * TERN_MS;

        assert_int_equal(tern_claim_deadline(&c), now);
        expect_silence(&c, now - 1);
        expire(&c, now);
        expect_packet(&c, TERN_CAUSE_ARP_PROBE, now);
        assert_false(tern_claim_is_ours(&c));
        assert_int_equal(tern_claim_events(&c), 0);
    }
    assert_int_equal(tern_claim_deadline(&c), start + 210 * TERN_MS);
    expire(&c, start + 210 * TERN_MS - 1);
    assert_false(tern_claim_is_ours(&c));
    expect_silence(&c, start + 210 * TERN_MS - 1);
    expire(&c, start + 210 * TERN_MS);
    assert_true(tern_claim_is_ours(&c));
    assert_int_equal(tern_claim_events(&c), TERN_CLAIM_EVENT_CLAIMED);
    assert_int_equal(tern_claim_events(&c), 0);
    expect_packet(&c, TERN_CAUSE_ARP_ANNOUNCE, start + 210 * TERN_MS);
    assert_int_equal(tern_claim_deadline(&c), start + 2210 * TERN_MS);
    expire(&c, start + 2210 * TERN_MS);
    expect_packet(&c, TERN_CAUSE_ARP_ANNOUNCE, start + 2210 * TERN_MS);
    assert_int_equal(c.state, TERN_CLAIM_HELD);
    assert_true(tern_claim_deadline(&c) == TERN_TIME_NEVER);
}

/* RFC 5227 §1.1: 0-1 s, then 1-2 s between probes, then 2 s, and 2 s between announcements. */
static void test_rfc(void **state)
{
    tern_time first_min = TERN_TIME_NEVER, first_max = 0;

    (void)state;
    tern_random_init(&dice, "claim", 5, "rfc");
    for (int run = 0; run < 50; run++) {
        struct tern_claim_engine c;
        tern_time last = 0;

        tern_claim_init(&c, wanted(), own, TERN_CLAIM_RFC, &dice, 0);
        for (int i = 0; i < 3; i++) {
            const tern_time now = tern_claim_deadline(&c);

            if (i == 0)
                assert_in_range(now, 0, TERN_SECOND);
            else
                assert_in_range(now - last, TERN_SECOND, 2 * TERN_SECOND);
            first_min = i == 0 && now < first_min ? now : first_min;
            first_max = i == 0 && now > first_max ? now : first_max;
            expire(&c, now);
            expect_packet(&c, TERN_CAUSE_ARP_PROBE, now);
            last = now;
        }
        assert_int_equal(tern_claim_deadline(&c) - last, 2 * TERN_SECOND);
        expire(&c, last + 2 * TERN_SECOND);
        assert_true(tern_claim_is_ours(&c));
        expect_packet(&c, TERN_CAUSE_ARP_ANNOUNCE, last + 2 * TERN_SECOND);
        expire(&c, last + 4 * TERN_SECOND);
        expect_packet(&c, TERN_CAUSE_ARP_ANNOUNCE, last + 4 * TERN_SECOND);
    }
    assert_true(first_max - first_min > 500 * TERN_MS); /* it is drawn, not fixed */
}

static void test_none(void **state)
{
    struct tern_claim_engine c;

    (void)state;
    begin(&c, TERN_CLAIM_NONE, 7);
    assert_true(tern_claim_is_ours(&c));
    assert_int_equal(tern_claim_events(&c), TERN_CLAIM_EVENT_CLAIMED);
    expect_packet(&c, TERN_CAUSE_ARP_ANNOUNCE, 7);
}

/* A process that was stopped in between does not squeeze its probes together. */
static void test_stalled(void **state)
{
    struct tern_claim_engine c;

    (void)state;
    begin(&c, TERN_CLAIM_FAST, 0);
    expect_packet(&c, TERN_CAUSE_ARP_PROBE, 0);
    expire(&c, 10 * TERN_SECOND);
    expect_packet(&c, TERN_CAUSE_ARP_PROBE, 10 * TERN_SECOND);
    assert_int_equal(tern_claim_deadline(&c), 10 * TERN_SECOND + 70 * TERN_MS);
}

enum stage { STAGE_START, STAGE_PROBED, STAGE_LAST_WAIT, STAGE_ANNOUNCING, STAGE_HELD, STAGES };

static tern_time advance(struct tern_claim_engine *c, enum stage to)
{
    struct tern_arp a;
    enum tern_cause cause;
    tern_time now = 0;
    int packets[STAGES] = {0, 1, 3, 4, 5};

    begin(c, TERN_CLAIM_FAST, 0);
    for (int sent = 0; sent < packets[to]; sent++) {
        now = tern_claim_deadline(c);
        expire(c, now);
        assert_true(tern_claim_output(c, &dice, now, &a, &cause));
    }
    (void)tern_claim_events(c);
    return now;
}

enum outcome { IGNORED, GIVEN_UP, DEFENDED };

static void judge(struct tern_claim_engine *c, enum outcome want, tern_time now, const char *words,
                  int stage)
{
    const uint32_t events = tern_claim_events(c);
    const uint32_t expected[] = {0, TERN_CLAIM_EVENT_LOST, TERN_CLAIM_EVENT_DEFENDED};

    if (events != expected[want])
        fail_msg("%s in stage %d: events %u", words, stage, events);
    if (want == GIVEN_UP) {
        assert_false(tern_claim_is_ours(c));
        assert_int_equal(c->state, TERN_CLAIM_LOST);
        assert_true(tern_mac_equal(c->other_mac, other));
        assert_true(tern_claim_deadline(c) == TERN_TIME_NEVER);
        expire(c, now + 100 * TERN_SECOND);
        expect_silence(c, now + 100 * TERN_SECOND);
    }
    if (want == DEFENDED) {
        assert_true(tern_claim_is_ours(c));
        assert_true(tern_mac_equal(c->other_mac, other));
        expect_packet(c, TERN_CAUSE_ARP_DEFEND, now);
    }
}

/* RFC 5227 §2.1.1 while probing, §2.4 once it is ours. */
static void test_conflicts(void **state)
{
    const struct tern_addr any = tern_addr_v4(0, 0, 0, 0);
    const struct {
        const char *words;
        struct tern_arp arp;
        enum outcome probing, ours;
    } rows[] = {
        {"a reply from the owner", {TERN_ARP_REPLY, other, wanted(), own, any}, GIVEN_UP, DEFENDED},
        {"a request from the owner",
         {TERN_ARP_REQUEST, other, wanted(), {{0}}, somebody()},
         GIVEN_UP,
         DEFENDED},
        {"an announcement",
         {TERN_ARP_REQUEST, other, wanted(), {{0}}, wanted()},
         GIVEN_UP,
         DEFENDED},
        {"a probe by another", {TERN_ARP_REQUEST, other, any, {{0}}, wanted()}, GIVEN_UP, IGNORED},
        {"our own probe, reflected",
         {TERN_ARP_REQUEST, own, any, {{0}}, wanted()},
         IGNORED,
         IGNORED},
        {"our own announcement, reflected",
         {TERN_ARP_REQUEST, own, wanted(), {{0}}, wanted()},
         IGNORED,
         IGNORED},
        {"somebody asks for it",
         {TERN_ARP_REQUEST, other, somebody(), {{0}}, wanted()},
         IGNORED,
         IGNORED},
        {"a probe for another address",
         {TERN_ARP_REQUEST, other, any, {{0}}, somebody()},
         IGNORED,
         IGNORED},
        {"talk of others", {TERN_ARP_REPLY, other, somebody(), own, any}, IGNORED, IGNORED},
        {"another operation", {7, other, wanted(), own, any}, IGNORED, IGNORED},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (int stage = STAGE_START; stage < STAGES; stage++) {
            struct tern_claim_engine c;
            const tern_time now = advance(&c, (enum stage)stage);

            input(&c, &rows[i].arp, now);
            judge(&c, stage >= STAGE_ANNOUNCING ? rows[i].ours : rows[i].probing, now,
                  rows[i].words, stage);
        }
    }
}

/* RFC 5227 §2.4 (b): once in ten seconds. */
static void test_defence_rate(void **state)
{
    static const struct {
        tern_time after;
        enum outcome want;
    } rows[] = {
        {0, GIVEN_UP},
        {1, GIVEN_UP},
        {10 * TERN_SECOND - 1, GIVEN_UP},
        {10 * TERN_SECOND, DEFENDED},
        {3600 * TERN_SECOND, DEFENDED},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct tern_arp a = {TERN_ARP_REPLY, other, wanted(), own, wanted()};
        struct tern_claim_engine c;
        tern_time now = advance(&c, STAGE_HELD);

        input(&c, &a, now);
        judge(&c, DEFENDED, now, "first", (int)i);
        now += rows[i].after;
        input(&c, &a, now);
        judge(&c, rows[i].want, now, "second", (int)i);
    }
}

/* A second conflict before the defence was even sent: it is not sent any more. */
static void test_lost_before_defence(void **state)
{
    const struct tern_arp a = {TERN_ARP_REPLY, other, wanted(), own, wanted()};
    struct tern_claim_engine c;
    const tern_time now = advance(&c, STAGE_HELD);

    (void)state;
    input(&c, &a, now);
    input(&c, &a, now);
    assert_int_equal(tern_claim_events(&c), TERN_CLAIM_EVENT_DEFENDED | TERN_CLAIM_EVENT_LOST);
    expect_silence(&c, now);
}

/* Lost with an announcement still to come: it is not sent any more either. */
static void test_lost_while_announcing(void **state)
{
    const struct tern_arp a = {TERN_ARP_REPLY, other, wanted(), own, wanted()};
    struct tern_claim_engine c;
    const tern_time now = advance(&c, STAGE_ANNOUNCING);

    (void)state;
    input(&c, &a, now);
    judge(&c, DEFENDED, now, "first", STAGE_ANNOUNCING);
    input(&c, &a, now + TERN_SECOND);
    judge(&c, GIVEN_UP, now + TERN_SECOND, "second", STAGE_ANNOUNCING);
}

/* A defence does not eat the announcement that is due at the same moment. */
static void test_defence_while_announcing(void **state)
{
    const struct tern_arp a = {TERN_ARP_REPLY, other, wanted(), own, wanted()};
    struct tern_claim_engine c;
    struct tern_arp out;
    enum tern_cause cause;
    tern_time now = advance(&c, STAGE_LAST_WAIT);

    (void)state;
    now = tern_claim_deadline(&c);
    expire(&c, now);
    input(&c, &a, now);
    assert_true(tern_claim_output(&c, &dice, now, &out, &cause));
    assert_int_equal(cause, TERN_CAUSE_ARP_DEFEND);
    assert_true(tern_claim_output(&c, &dice, now, &out, &cause));
    assert_int_equal(cause, TERN_CAUSE_ARP_ANNOUNCE);
    assert_false(tern_claim_output(&c, &dice, now, &out, &cause));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fast),
        cmocka_unit_test(test_rfc),
        cmocka_unit_test(test_none),
        cmocka_unit_test(test_stalled),
        cmocka_unit_test(test_conflicts),
        cmocka_unit_test(test_defence_rate),
        cmocka_unit_test(test_lost_before_defence),
        cmocka_unit_test(test_lost_while_announcing),
        cmocka_unit_test(test_defence_while_announcing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
