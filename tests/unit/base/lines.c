/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines: records of any length against a model that keeps copies, until there is no room and back.
 */
#include "base/lines.h"
#include "base/random.h"
#include "test.h"
#include "trap.h"

#define LINES       50
#define RECORDS     20
#define RECORD_MAX  400
#define STEPS       50000
#define LINES_OF(n) (((n) + TERN_LINE_BYTES - 1) / TERN_LINE_BYTES)

static _Alignas(64) uint8_t memory[LINES * sizeof(struct tern_line)];
static struct tern_lines lines;
static struct tern_random rng;

static struct {
    bool kept;
    uint32_t record;
    size_t bytes;
    uint8_t copy[RECORD_MAX];
} model[RECORDS];

static uint32_t model_used(void)
{
    size_t used = 0;

    for (size_t i = 0; i < RECORDS; i++)
        used += model[i].kept ? LINES_OF(model[i].bytes) : 0;
    return (uint32_t)used;
}

static void compare(size_t i)
{
    uint8_t out[(RECORD_MAX / TERN_LINE_BYTES + 1) * TERN_LINE_BYTES];
    const size_t n = tern_lines_get(&lines, model[i].record, out, sizeof out);

    assert_int_equal(n, LINES_OF(model[i].bytes) * TERN_LINE_BYTES);
    assert_memory_equal(out, model[i].copy, model[i].bytes);
}

/* One record comes or goes; false: there was no room for it. */
static bool step(void)
{
    const size_t i = (size_t)tern_random_below(&rng, RECORDS);
    const uint32_t used = model_used();

    if (model[i].kept) {
        compare(i);
        tern_lines_drop(&lines, model[i].record);
        model[i].kept = false;
        return true;
    }
    model[i].bytes = (size_t)tern_random_below(&rng, RECORD_MAX + 1);
    tern_random_bytes(&rng, model[i].copy, model[i].bytes);
    model[i].record = tern_lines_put(&lines, model[i].copy, model[i].bytes, &model[i].kept);
    assert_int_equal(model[i].kept, LINES_OF(model[i].bytes) <= LINES - used);
    if (!model[i].kept || model[i].bytes == 0)
        assert_int_equal(model[i].record, TERN_LINE_NONE);
    return model[i].kept;
}

static void like_copies(void **state)
{
    uint32_t refused = 0;

    (void)state;
    memset(memory, 0x5a, sizeof memory);
    tern_random_init(&rng, "lines", 5, "test");
    tern_lines_init(&lines, memory, LINES);
    for (int i = 0; i < STEPS; i++) {
        refused += !step();
        tern_lines_check(&lines);
        assert_int_equal(tern_lines_used(&lines), model_used());
    }
    assert_true(refused > 100); /* or it never was full */
    for (size_t i = 0; i < RECORDS; i++) {
        if (!model[i].kept)
            continue;
        compare(i);
        tern_lines_drop(&lines, model[i].record);
    }
    assert_int_equal(tern_lines_used(&lines), 0);
}

static void untouched_until_used(void **state)
{
    const uint8_t byte = 7;
    bool kept;

    (void)state;
    memset(memory, 0xa5, sizeof memory);
    tern_lines_init(&lines, memory, LINES);
    assert_int_equal(tern_lines_put(&lines, &byte, 1, &kept), 0);
    assert_true(kept);
    for (size_t i = sizeof(struct tern_line); i < sizeof memory; i++)
        assert_int_equal(memory[i], 0xa5);
}

static void no_lines_at_all(void **state)
{
    const uint8_t byte = 7;
    bool kept;

    (void)state;
    tern_lines_init(&lines, memory, 0);
    assert_int_equal(tern_lines_put(&lines, &byte, 1, &kept), TERN_LINE_NONE);
    assert_false(kept);
    assert_int_equal(tern_lines_put(&lines, &byte, 0, &kept), TERN_LINE_NONE);
    assert_true(kept);
    tern_lines_check(&lines);
}

static void drop_twice(void)
{
    const uint8_t bytes[100] = {0};
    bool kept;
    uint32_t record;

    tern_lines_init(&lines, memory, LINES);
    record = tern_lines_put(&lines, bytes, sizeof bytes, &kept);
    tern_lines_drop(&lines, record);
    tern_lines_drop(&lines, record);
}

static void misuse_is_caught(void **state)
{
    (void)state;
    assert_true(trips(drop_twice));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(like_copies),
        cmocka_unit_test(untouched_until_used),
        cmocka_unit_test(no_lines_at_all),
        cmocka_unit_test(misuse_is_caught),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
