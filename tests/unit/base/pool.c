/* SPDX-License-Identifier: BSD-2-Clause */
/* Pools: sizes, order, exhaustion, and that misuse is caught. */
#include "base/pool.h"
#include "test.h"
#include "trap.h"

#define COUNT      5
#define ITEM_BYTES 20

static _Alignas(64) uint8_t memory[4096];
static struct tern_pool pool;

static void fresh_pool(void)
{
    assert_true(tern_pool_bytes(ITEM_BYTES, COUNT) <= sizeof memory);
    memset(memory, 0xa5, sizeof memory);
    tern_pool_init(&pool, memory, ITEM_BYTES, COUNT);
}

static void sizes(void **state)
{
    static const struct {
        size_t item_bytes;
        uint32_t count;
        size_t at_least; /* 0: must be refused */
    } rows[] = {
        {1, 1, 16 + 5},
        {16, 10, 160 + 50},
        {17, 10, 320 + 50},
        {100, 1000000, 112000000},
        {8, 0, 1},
        {SIZE_MAX, 1, 0},
        {SIZE_MAX - 20, 1, 0},
        {SIZE_MAX / 2, 3, 0},
        {SIZE_MAX / 1000, 1000, 0},
        {16, UINT32_MAX, 0},
    };

    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        size_t bytes = tern_pool_bytes(rows[i].item_bytes, rows[i].count);

        if (rows[i].at_least == 0)
            assert_int_equal(bytes, 0);
        else
            assert_true(bytes >= rows[i].at_least);
        assert_int_equal(bytes % 64, 0);
    }
}

static void init_leaves_memory_untouched(void **state)
{
    (void)state;
    fresh_pool();
    for (size_t i = 0; i < sizeof memory; i++)
        assert_int_equal(memory[i], 0xa5);
    tern_pool_check(&pool);
}

static void stays_within_its_bytes(void **state)
{
    size_t bytes = tern_pool_bytes(ITEM_BYTES, COUNT);
    void *item[COUNT];

    (void)state;
    fresh_pool();
    for (unsigned i = 0; i < COUNT; i++) {
        item[i] = tern_pool_take(&pool);
        memset(item[i], 0x11, ITEM_BYTES);
    }
    for (unsigned i = 0; i < COUNT; i++)
        tern_pool_give(&pool, item[i]);
    for (size_t i = bytes; i < sizeof memory; i++)
        assert_int_equal(memory[i], 0xa5);
    tern_pool_check(&pool);
}

static void order_and_exhaustion(void **state)
{
    void *item[COUNT];

    (void)state;
    fresh_pool();
    for (uint32_t i = 0; i < COUNT; i++) {
        assert_false(tern_pool_is_taken(&pool, i));
        item[i] = tern_pool_take(&pool);
        assert_non_null(item[i]);
        assert_int_equal((uintptr_t)item[i] % 16, 0);
        assert_int_equal(tern_pool_index(&pool, item[i]), i);
        assert_ptr_equal(tern_pool_at(&pool, i), item[i]);
        assert_true(tern_pool_is_taken(&pool, i));
    }
    assert_null(tern_pool_take(&pool));
    assert_int_equal(pool.used, COUNT);
    tern_pool_give(&pool, item[1]);
    tern_pool_give(&pool, item[3]);
    tern_pool_check(&pool);
    assert_ptr_equal(tern_pool_take(&pool), item[3]); /* last given, first taken */
    assert_ptr_equal(tern_pool_take(&pool), item[1]);
    assert_null(tern_pool_take(&pool));
    tern_pool_check(&pool);
}

static void empty_pool(void **state)
{
    (void)state;
    tern_pool_init(&pool, memory, ITEM_BYTES, 0);
    assert_null(tern_pool_take(&pool));
    tern_pool_check(&pool);
}

static void give_inside(void)
{
    tern_pool_give(&pool, memory + 1);
}

static void give_outside(void)
{
    tern_pool_give(&pool, memory + 32 * COUNT);
}

static void give_before(void)
{
    tern_pool_give(&pool, (uint8_t *)tern_pool_at(&pool, 0) - 32);
}

static void give_never_used(void)
{
    tern_pool_give(&pool, tern_pool_at(&pool, 4));
}

static void give_again(void)
{
    tern_pool_give(&pool, tern_pool_at(&pool, 1));
}

static void at_outside(void)
{
    tern_pool_at(&pool, COUNT);
}

static void check_pool(void)
{
    tern_pool_check(&pool);
}

static void misuse_is_caught(void **state)
{
    (void)state;
    fresh_pool();
    tern_pool_take(&pool);
    tern_pool_give(&pool, (tern_pool_take(&pool), tern_pool_at(&pool, 1)));
    assert_true(trips(give_inside));
    assert_true(trips(give_outside));
    assert_true(trips(give_before));
    assert_true(trips(give_never_used));
    assert_true(trips(give_again));
    assert_true(trips(at_outside));
    tern_pool_check(&pool);
}

static void check_sees_damage(void **state)
{
    (void)state;
    fresh_pool();
    for (unsigned i = 0; i < 3; i++)
        tern_pool_take(&pool);
    tern_pool_give(&pool, tern_pool_at(&pool, 0));
    tern_pool_give(&pool, tern_pool_at(&pool, 2));
    assert_false(trips(check_pool));
    pool.next_free[0] = 2; /* a ring */
    assert_true(trips(check_pool));
    pool.next_free[0] = TERN_POOL_NONE;
    assert_false(trips(check_pool));
    pool.used++;
    assert_true(trips(check_pool));
    pool.used--;
    pool.taken[2] = 1;
    assert_true(trips(check_pool));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes),
        cmocka_unit_test(init_leaves_memory_untouched),
        cmocka_unit_test(stays_within_its_bytes),
        cmocka_unit_test(order_and_exhaustion),
        cmocka_unit_test(empty_pool),
        cmocka_unit_test(misuse_is_caught),
        cmocka_unit_test(check_sees_damage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
