/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A pool against a model: which items are taken, what was written to them, and in which order those
 * given back wait. Random takes and gives on both, tern_pool_check() after each.
 */
#include "base/pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"

#define COUNT_MAX 100
#define STEPS     30000

static _Alignas(64) uint8_t memory[COUNT_MAX * 160 + 1024];

static struct tern_pool pool;
static struct tern_random rng;
static uint32_t count;
static size_t item_bytes;

static bool taken[COUNT_MAX];
static uint8_t mark[COUNT_MAX];   /* what all bytes of a taken item hold */
static uint32_t waits[COUNT_MAX]; /* given back, the last one first to go out */
static uint32_t waits_count, fresh, used;

static void model_start(uint32_t items, size_t bytes)
{
    count = items;
    item_bytes = bytes;
    assert_true(tern_pool_bytes(bytes, items) <= sizeof memory);
    memset(memory, 0xdb, sizeof memory);
    memset(taken, 0, sizeof taken);
    waits_count = fresh = used = 0;
    tern_pool_init(&pool, memory, bytes, items);
}

static void step_take(void)
{
    uint8_t *item = tern_pool_take(&pool);
    uint32_t expected;

    if (used == count) {
        assert_null(item);
        return;
    }
    expected = waits_count > 0 ? waits[--waits_count] : fresh++;
    assert_non_null(item);
    assert_int_equal(tern_pool_index(&pool, item), expected);
    assert_ptr_equal(tern_pool_at(&pool, expected), item);
    assert_false(taken[expected]);
    taken[expected] = true;
    mark[expected] = (uint8_t)tern_random_u32(&rng);
    memset(item, mark[expected], item_bytes);
    used++;
}

static void step_give(void)
{
    uint32_t index = (uint32_t)tern_random_below(&rng, count);
    const uint8_t *item;

    if (!taken[index])
        return;
    item = tern_pool_at(&pool, index);
    for (size_t i = 0; i < item_bytes; i++) /* nobody else wrote into it */
        assert_int_equal(item[i], mark[index]);
    tern_pool_give(&pool, tern_pool_at(&pool, index));
    taken[index] = false;
    waits[waits_count++] = index;
    used--;
}

static void compare(void)
{
    tern_pool_check(&pool);
    assert_int_equal(pool.used, used);
    assert_int_equal(pool.fresh, fresh);
    for (uint32_t i = 0; i < count; i++)
        assert_int_equal(tern_pool_is_taken(&pool, i), taken[i]);
}

static void same_as_a_set(void **state)
{
    static const struct {
        uint32_t count;
        size_t item_bytes;
    } rows[] = {{1, 1}, {2, 16}, {7, 17}, {COUNT_MAX, 150}};

    (void)state;
    tern_random_init(&rng, "ref", 3, "pool");
    for (unsigned row = 0; row < sizeof rows / sizeof rows[0]; row++) {
        model_start(rows[row].count, rows[row].item_bytes);
        for (unsigned i = 0; i < STEPS; i++) {
            /* phases that fill it up and phases that empty it */
            if (tern_random_below(&rng, 10) < (i / 1000 % 2 == 0 ? 8 : 2))
                step_take();
            else
                step_give();
            compare();
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(same_as_a_set)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
