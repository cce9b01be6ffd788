/* SPDX-License-Identifier: BSD-2-Clause */
/* Every number of a list has its own words, and a number of no list has words too. */
#include <tern/cause.h>
#include <tern/drop.h>
#include <tern/err.h>
#include <tern/tcp.h>

#include "test.h"

static void errors(void **state)
{
#define ROW(name, number, text) {TERN_ERR_##name, #name, text},
    static const struct {
        enum tern_err err;
        const char *name, *text;
    } rows[] = {TERN_ERR_LIST(ROW)};
#undef ROW

    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        assert_string_equal(tern_err_name(rows[i].err), rows[i].name);
        assert_string_equal(tern_err_text(rows[i].err), rows[i].text);
        assert_int_equal(rows[i].err, -(int)i); /* 0 is fine, failures negative, without holes */
    }
    assert_string_equal(tern_err_text(TERN_ERR_REFUSED), "connection refused");
    assert_string_equal(tern_err_text((enum tern_err)1), "unknown error");
    assert_string_equal(tern_err_text((enum tern_err) - 1000), "unknown error");
    assert_string_equal(tern_err_name((enum tern_err)INT32_MIN), "UNKNOWN");
    assert_string_equal(tern_err_name((enum tern_err)INT32_MAX), "UNKNOWN");
}

static void causes(void **state)
{
#define ROW(name, words) {TERN_CAUSE_##name, #name, words},
    static const struct {
        enum tern_cause cause;
        const char *name, *text;
    } rows[] = {TERN_CAUSE_LIST(ROW)};
#undef ROW

    (void)state;
    assert_int_equal(ROWS(rows), TERN_CAUSE_COUNT);
    for (size_t i = 0; i < ROWS(rows); i++) {
        assert_string_equal(tern_cause_name(rows[i].cause), rows[i].name);
        assert_string_equal(tern_cause_text(rows[i].cause), rows[i].text);
    }
    assert_string_equal(tern_cause_name(TERN_CAUSE_COUNT), "UNKNOWN");
    assert_string_equal(tern_cause_text((enum tern_cause)999), "unknown cause");
}

static void drops(void **state)
{
#define ROW(name, key, words) {TERN_DROP_##name, key, words},
    static const struct {
        enum tern_drop drop;
        const char *key, *text;
    } rows[] = {TERN_DROP_LIST(ROW)};
#undef ROW

    (void)state;
    assert_int_equal(ROWS(rows), TERN_DROP_COUNT);
    for (size_t i = 0; i < ROWS(rows); i++) {
        assert_string_equal(tern_drop_key(rows[i].drop), rows[i].key);
        assert_string_equal(tern_drop_text(rows[i].drop), rows[i].text);
        for (size_t j = 0; j < i; j++) /* keys of a JSON object */
            assert_string_not_equal(rows[i].key, rows[j].key);
    }
    assert_string_equal(tern_drop_key(TERN_DROP_COUNT), "unknown");
    assert_string_equal(tern_drop_text(TERN_DROP_COUNT), "unknown reason");
}

static void states(void **state)
{
    (void)state;
    assert_string_equal(tern_tcp_state_text(TERN_TCP_CLOSED), "CLOSED");
    assert_string_equal(tern_tcp_state_text(TERN_TCP_SYN_RECEIVED), "SYN-RECEIVED");
    assert_string_equal(tern_tcp_state_text(TERN_TCP_TIME_WAIT), "TIME-WAIT");
    assert_string_equal(tern_tcp_state_text(TERN_TCP_STATE_COUNT), "UNKNOWN");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors),
        cmocka_unit_test(causes),
        cmocka_unit_test(drops),
        cmocka_unit_test(states),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
