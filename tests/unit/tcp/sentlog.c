/* SPDX-License-Identifier: BSD-2-Clause */
/* The log of transmissions: what joins, what is found, what a full ring does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/tcp/sentlog.h"

static struct tern_sentlog sentlog;

static struct tern_sent sent(uint64_t start, uint64_t end, tern_time at)
{
    return (struct tern_sent){.start = start, .end = end, .first_at = at, .at = at, .segment = 100};
}

static void fresh(uint64_t start, uint64_t end, tern_time at, tern_time join, bool whole)
{
    const struct tern_sent s = sent(start, end, at);

    tern_sentlog_fresh(&sentlog, &s, join, whole);
    tern_sentlog_check(&sentlog);
}

static void again(uint64_t start, uint64_t end, tern_time at, tern_time join)
{
    const struct tern_sent s = sent(start, end, at);

    tern_sentlog_again(&sentlog, &s, join);
    tern_sentlog_check(&sentlog);
}

static void joins_neighbours(void **state)
{
    (void)state;
    tern_sentlog_init(&sentlog);
    fresh(100, 200, 1000, 10, true);
    fresh(200, 300, 1010, 10, true);
    assert_int_equal(sentlog.fresh_count, 1);
    assert_int_equal(tern_sentlog_find(&sentlog, 100)->at, 1010);
    assert_int_equal(tern_sentlog_find(&sentlog, 100)->first_at, 1000);
    fresh(300, 400, 1011, 10, true); /* too late for the first of them */
    assert_int_equal(sentlog.fresh_count, 2);
    fresh(400, 450, 1012, 10, true);
    fresh(450, 500, 1012, 10, false); /* after a short segment */
    assert_int_equal(sentlog.fresh_count, 3);
}

static void finds_by_number(void **state)
{
    (void)state;
    tern_sentlog_init(&sentlog);
    assert_null(tern_sentlog_find(&sentlog, 0));
    for (uint64_t i = 0; i < 100; i++)
        fresh(10 * i, 10 * i + 9, (tern_time)i, 0, true); /* with holes of one */
    for (uint64_t i = 0; i < 100; i++) {
        assert_int_equal(tern_sentlog_find(&sentlog, 10 * i)->at, i);
        assert_int_equal(tern_sentlog_find(&sentlog, 10 * i + 8)->at, i);
        assert_null(tern_sentlog_find(&sentlog, 10 * i + 9));
    }
    tern_sentlog_trim(&sentlog, 505);
    tern_sentlog_check(&sentlog);
    assert_null(tern_sentlog_find(&sentlog, 495));
    assert_int_equal(tern_sentlog_find(&sentlog, 505)->at, 50);
}

static void takes_back(void **state)
{
    (void)state;
    tern_sentlog_init(&sentlog);
    fresh(100, 200, 1, 0, true);
    fresh(200, 300, 2, 0, true);
    fresh(300, 400, 3, 0, true);
    fresh(250, 260, 9, 0, false); /* bytes from 250 on go anew */
    assert_int_equal(tern_sentlog_find(&sentlog, 249)->at, 2);
    assert_int_equal(tern_sentlog_find(&sentlog, 250)->at, 9);
    assert_null(tern_sentlog_find(&sentlog, 300));
}

static void full_rings(void **state)
{
    (void)state;
    tern_sentlog_init(&sentlog);
    for (uint64_t i = 0; i < TERN_SENT_FRESH_MAX + 5; i++)
        fresh(10 * i, 10 * i + 10, (tern_time)i, 0, true);
    /* the older half two and two, and what is newest by itself */
    assert_int_equal(sentlog.fresh_count, TERN_SENT_FRESH_MAX - TERN_SENT_FRESH_MAX / 4 + 5);
    assert_int_equal(tern_sentlog_find(&sentlog, 0)->at, 1);
    assert_int_equal(tern_sentlog_find(&sentlog, 0)->first_at, 0);
    for (uint64_t i = 0; i < TERN_SENT_FRESH_MAX + 5; i++)
        assert_int_equal(tern_sentlog_find(&sentlog, 10 * i)->at,
                         i < TERN_SENT_FRESH_MAX / 2 ? i | 1 : i);
    for (uint64_t i = 0; i < 1000; i++) { /* and however long it goes on */
        const uint64_t n = TERN_SENT_FRESH_MAX + 5 + i;

        fresh(10 * n, 10 * n + 10, (tern_time)n, 0, true);
        tern_sentlog_check(&sentlog);
        assert_int_equal(tern_sentlog_find(&sentlog, 10 * n - 100)->at, n - 10);
        assert_int_equal(tern_sentlog_find(&sentlog, 0)->first_at, 0);
    }
    for (uint64_t i = 0; i < TERN_SENT_AGAIN_MAX + 5; i++)
        again(20 * i, 20 * i + 10, (tern_time)i, 0);
    assert_int_equal(sentlog.again_count, TERN_SENT_AGAIN_MAX);
    assert_null(tern_sentlog_find_again(&sentlog, 0, 10)); /* forgotten */
    assert_int_equal(tern_sentlog_find_again(&sentlog, 100, 110)->at, 5);
}

/* Over what has arrived only, and not for longer than asked. */
static void makes_room_for_resends(void **state)
{
    struct tern_range item[1] = {{0, 20 * TERN_SENT_AGAIN_MAX - 30}};
    const struct tern_ranges sacked = {item, 1, 1};

    (void)state;
    tern_sentlog_init(&sentlog);
    for (uint64_t i = 0; i < TERN_SENT_AGAIN_MAX; i++)
        again(20 * i, 20 * i + 10, (tern_time)i, 0);
    tern_sentlog_make_room_again(&sentlog, NULL, 3);
    assert_int_equal(sentlog.again_count, TERN_SENT_AGAIN_MAX);
    tern_sentlog_make_room_again(&sentlog, &sacked, 3);
    tern_sentlog_check(&sentlog);
    assert_int_equal(sentlog.again_count, TERN_SENT_AGAIN_MAX / 4 + 1);
    assert_int_equal(tern_sentlog_find_again(&sentlog, 0, 10)->at, 3);
    assert_int_equal(tern_sentlog_find_again(&sentlog, 0, 10)->end, 70);
    assert_int_equal(tern_sentlog_find_again(&sentlog, 80, 90)->first_at, 4);
    tern_sentlog_make_room_again(&sentlog, &sacked, 100); /* there is room */
    assert_int_equal(sentlog.again_count, TERN_SENT_AGAIN_MAX / 4 + 1);
}

static void finds_the_newest_resend(void **state)
{
    (void)state;
    tern_sentlog_init(&sentlog);
    again(100, 200, 1, 0);
    again(300, 400, 2, 0);
    again(150, 250, 3, 0);
    assert_int_equal(tern_sentlog_find_again(&sentlog, 100, 110)->at, 1);
    assert_int_equal(tern_sentlog_find_again(&sentlog, 100, 160)->at, 3);
    assert_null(tern_sentlog_find_again(&sentlog, 250, 300));
    tern_sentlog_trim(&sentlog, 200);
    assert_int_equal(sentlog.again_count, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(joins_neighbours),
        cmocka_unit_test(finds_by_number),
        cmocka_unit_test(takes_back),
        cmocka_unit_test(full_rings),
        cmocka_unit_test(makes_room_for_resends),
        cmocka_unit_test(finds_the_newest_resend),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
