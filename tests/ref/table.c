/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hash table against an array that is searched from end to end. Few different hashes and fewer
 * buckets, so that nodes with the same hash, and chains of several hashes, are common.
 */
#include "base/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"

#define NODES   40
#define BUCKETS 4
#define HASHES  16
#define STEPS   20000

static struct tern_table_node node[NODES];
static struct tern_table_node *bucket[BUCKETS];
static struct tern_table table = {bucket, BUCKETS - 1};
static bool inside[NODES];
static uint64_t hash_of[NODES];

/* The nodes that a walk over one hash meets are those of the model, each of them once. */
static void compare(uint64_t hash)
{
    bool met[NODES] = {false};
    unsigned steps = 0;

    for (struct tern_table_node *n = tern_table_first(&table, hash); n != NULL;
         n = tern_table_next(n)) {
        size_t i = (size_t)(n - node);

        assert_true(i < NODES);
        assert_false(met[i]);
        assert_true(steps++ < NODES);
        met[i] = true;
    }
    for (unsigned i = 0; i < NODES; i++)
        assert_int_equal(met[i], inside[i] && hash_of[i] == hash);
}

static void same_as_an_array(void **state)
{
    struct tern_random r;

    (void)state;
    tern_random_init(&r, "ref", 3, "table");
    for (unsigned step = 0; step < STEPS; step++) {
        unsigned i = (unsigned)tern_random_below(&r, NODES);

        if (inside[i]) {
            tern_table_remove(&table, &node[i]);
            assert_null(node[i].next);
        } else {
            /* high bits count as well, though they choose no bucket */
            hash_of[i] = tern_random_below(&r, HASHES) << (i % 2 == 0 ? 0 : 60);
            tern_table_insert(&table, &node[i], hash_of[i]);
        }
        inside[i] = !inside[i];
        compare(hash_of[i]);
        compare(tern_random_below(&r, HASHES));
    }
}

static void removing_a_stranger_changes_nothing(void **state)
{
    struct tern_table_node a = {0}, stranger = {.hash = 5};

    (void)state;
    memset(bucket, 0, sizeof bucket);
    tern_table_insert(&table, &a, 5);
    tern_table_remove(&table, &stranger);
    assert_ptr_equal(tern_table_first(&table, 5), &a);
    assert_null(tern_table_next(&a));
    assert_null(tern_table_first(&table, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_as_an_array),
        cmocka_unit_test(removing_a_stranger_changes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
