/* SPDX-License-Identifier: BSD-2-Clause */
/* RFC 6528 §3, RFC 6056 §3.3.3, RFC 7323 §5.4: the ISN clock, and that each input matters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "proto/tcp/isn.h"

static const struct tern_hash_key key = {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}};
static const struct tern_hash_key other_key = {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}};

static struct tern_endpoint endpoint(uint8_t last, uint16_t port)
{
    return (struct tern_endpoint){.addr = tern_addr_v4(10, 0, 0, last), .port = port};
}

/* RFC 9293 §3.4.1: one step each 4 us, through the whole 32 bits. */
static void test_clock(void **state)
{
    static const struct {
        tern_time now;
        uint32_t step;
    } rows[] = {
        {0, 0},
        {3999, 0},
        {4 * TERN_US, 1},
        {1 * TERN_SECOND, 250000},
        {17179869180 * TERN_US, UINT32_MAX},
        {17179869184 * TERN_US, 0}, /* 4 h 46 min: around once */
    };
    const struct tern_endpoint a = endpoint(1, 1000), b = endpoint(2, 80);
    const tern_seq zero = tern_isn(&key, &a, &b, 0);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const tern_seq isn = tern_isn(&key, &a, &b, rows[i].now);

        if (isn.value - zero.value != rows[i].step)
            fail_msg("row %zu: %u", i, isn.value - zero.value);
    }
}

static void test_every_input_matters(void **state)
{
    const struct tern_endpoint a = endpoint(1, 1000), b = endpoint(2, 80);
    const struct tern_endpoint a_port = endpoint(1, 1001), a_addr = endpoint(3, 1000);
    const struct tern_endpoint b_port = endpoint(2, 81), b_addr = endpoint(4, 80);
    const uint32_t isn[] = {
        tern_isn(&key, &a, &b, 0).value,      tern_isn(&other_key, &a, &b, 0).value,
        tern_isn(&key, &a_port, &b, 0).value, tern_isn(&key, &a_addr, &b, 0).value,
        tern_isn(&key, &a, &b_port, 0).value, tern_isn(&key, &a, &b_addr, 0).value,
        tern_isn(&key, &b, &a, 0).value,      tern_ts_offset(&key, &a, &b),
        tern_ts_offset(&other_key, &a, &b),   tern_ts_offset(&key, &a_port, &b),
        tern_ts_offset(&key, &b, &a),
    };

    (void)state;
    for (size_t i = 0; i < sizeof isn / sizeof isn[0]; i++) {
        for (size_t j = i + 1; j < sizeof isn / sizeof isn[0]; j++)
            assert_int_not_equal(isn[i], isn[j]);
    }
    assert_int_equal(tern_isn(&key, &a, &b, 0).value, isn[0]);
}

/* RFC 6056 §3.3.3: the counter walks through every port of the range once. */
static void test_ports_all_once(void **state)
{
    static uint8_t seen[65536];
    const struct tern_endpoint b = endpoint(2, 80);

    (void)state;
    memset(seen, 0, sizeof seen);
    for (uint32_t n = 0; n < TERN_PORT_EPHEMERAL_COUNT; n++) {
        /* the counter wraps within the run */
        const uint16_t port =
            tern_port_candidate(&key, endpoint(1, 0).addr, &b, UINT32_MAX - 8191 + n);

        assert_true(port >= TERN_PORT_EPHEMERAL_MIN);
        assert_int_equal(seen[port], 0);
        seen[port] = 1;
    }
}

static void test_ports_differ_by_destination(void **state)
{
    const struct tern_endpoint b = endpoint(2, 80), c = endpoint(3, 80), d = endpoint(2, 81);
    const uint16_t port = tern_port_candidate(&key, endpoint(1, 0).addr, &b, 7);

    (void)state;
    assert_int_not_equal(port, tern_port_candidate(&key, endpoint(1, 0).addr, &c, 7));
    assert_int_not_equal(port, tern_port_candidate(&key, endpoint(1, 0).addr, &d, 7));
    assert_int_not_equal(port, tern_port_candidate(&other_key, endpoint(1, 0).addr, &b, 7));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clock),
        cmocka_unit_test(test_every_input_matters),
        cmocka_unit_test(test_ports_all_once),
        cmocka_unit_test(test_ports_differ_by_destination),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
