/* SPDX-License-Identifier: BSD-2-Clause */
/* Sequence numbers compared around the circle (RFC 9293 §3.4). */
#include "base/seq.h"
#include "test.h"

static void comparisons_wrap(void **state)
{
    static const struct {
        uint32_t a, b;
        int32_t b_ahead;
    } rows[] = {
        {0, 0, 0},
        {0, 1, 1},
        {1, 0, -1},
        {0xffffffff, 0, 1},
        {0, 0xffffffff, -1},
        {0xfffffff0, 0x10, 0x20},
        {0x7fffffff, 0x80000000, 1},
        {0x80000000, 0x7fffffff, -1},
        {0, 0x7fffffff, INT32_MAX},
        {0x7fffffff, 0, -INT32_MAX},
        {0x80000001, 0, INT32_MAX},
    };

    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        tern_seq a = tern_seq_of(rows[i].a);
        tern_seq b = tern_seq_of(rows[i].b);
        int32_t d = rows[i].b_ahead;

        assert_int_equal(tern_seq_diff(b, a), d);
        assert_int_equal(tern_seq_lt(a, b), d > 0);
        assert_int_equal(tern_seq_le(a, b), d >= 0);
        assert_int_equal(tern_seq_gt(a, b), d < 0);
        assert_int_equal(tern_seq_ge(a, b), d <= 0);
        assert_int_equal(tern_seq_eq(a, b), d == 0);
    }
}

static void addition_wraps(void **state)
{
    (void)state;
    assert_int_equal(tern_seq_add(tern_seq_of(0xffffff00), 0x200).value, 0x100);
    assert_int_equal(tern_seq_add(tern_seq_of(5), 0).value, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comparisons_wrap),
        cmocka_unit_test(addition_wraps),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
