/* SPDX-License-Identifier: BSD-2-Clause */
/* Folding: what unfolds is the same, bit for bit, and what is as the model says costs nothing. */
#include "base/fold.h"
#include "base/random.h"
#include "test.h"

#define WORDS_MAX 300
#define TURNS     20000

static struct tern_random rng;

/* Into memory of exactly the bytes that were written, and back into a structure of exactly its. */
static size_t there_and_back(const uint64_t *structure, const uint64_t *model, size_t words)
{
    uint8_t out[TERN_FOLD_BYTES_MAX(WORDS_MAX)];
    uint64_t back[WORDS_MAX];
    const size_t bytes = tern_fold(structure, model, words, out);
    uint8_t *exact = malloc(bytes > 0 ? bytes : 1);

    assert_non_null(exact);
    memcpy(exact, out, bytes);
    memset(back, 0x5a, sizeof back);
    tern_unfold(exact, model, words, back);
    assert_memory_equal(back, structure, words * 8);
    free(exact);
    return bytes;
}

static void as_the_model_says(void **state)
{
    uint64_t model[WORDS_MAX];

    (void)state;
    for (size_t i = 0; i < WORDS_MAX; i++)
        model[i] = i * UINT64_C(0x9e3779b97f4a7c15);
    for (size_t words = 0; words <= WORDS_MAX; words++)
        assert_int_equal(there_and_back(model, model, words), (words + 63) / 64);
}

static void one_word(void **state)
{
    static const struct {
        uint64_t word, model;
        size_t bytes; /* of the word: how it is told, and its difference */
    } rows[] = {
        {1, 0, 2},
        {UINT64_MAX, 0, 2}, /* one less */
        {100, 101, 2},
        {127, 0, 2},
        {128, 0, 2}, /* by halves: with a sign it would be two bytes */
        {0x8000, 0, 3},
        {UINT64_C(0x100000000), 0, 2}, /* one byte of the upper half */
        {UINT64_C(0x0100000001), 0, 3},
        {UINT64_C(0x12345678), 0, 5},
        {UINT64_C(0x123456789abcdef0), 0, 9},
        {UINT64_MAX, UINT64_C(0x7fffffffffffffff), 5}, /* the upper half */
    };

    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++)
        assert_int_equal(there_and_back(&rows[i].word, &rows[i].model, 1), 2 + rows[i].bytes);
}

static void words_near_each_other(void **state)
{
    uint64_t structure[8] = {0}, model[8] = {0};

    (void)state;
    for (uint64_t i = 0; i < 8; i++)
        structure[i] = UINT64_C(0x17f79fed0) + (i % 3) * 100;
    /* two maps; the first in full; then a byte for those that are the same, two for the next */
    assert_in_range(there_and_back(structure, model, 8), 8 + 7, 8 + 7 * 3);
}

/* Structures that differ from their model in some words, in every manner. */
static uint64_t any_word(uint64_t model, const uint64_t *structure, size_t i)
{
    const uint64_t r = tern_random_u64(&rng);

    switch (r % 8) {
    case 0:
        return r;
    case 1:
        return r >> (r >> 8) % 64;
    case 2:
        return model ^ (r & UINT64_C(0xff0000ff00));
    case 3:
        return i > 0 ? structure[i - 1 - (r >> 8) % i] + (r >> 40) % 512 - 256 : 0;
    default:
        return model;
    }
}

static void any_structure(void **state)
{
    static uint64_t structure[WORDS_MAX], model[WORDS_MAX];

    (void)state;
    tern_random_init(&rng, "fold", 4, "test");
    for (int turn = 0; turn < TURNS; turn++) {
        const size_t words = (size_t)tern_random_below(&rng, WORDS_MAX + 1);

        for (size_t i = 0; i < words; i++) {
            model[i] = any_word(0, model, i);
            structure[i] = any_word(model[i], structure, i);
        }
        assert_true(there_and_back(structure, model, words) <= TERN_FOLD_BYTES_MAX(words));
    }
}

static void nothing_in_common(void **state)
{
    static uint64_t structure[WORDS_MAX], model[WORDS_MAX];

    (void)state;
    for (size_t i = 0; i < WORDS_MAX; i++)
        structure[i] = UINT64_C(0x8000000000000001) ^ (i * UINT64_C(0xd1342543de82ef95));
    assert_true(there_and_back(structure, model, WORDS_MAX) > 8 * WORDS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_the_model_says),     cmocka_unit_test(one_word),
        cmocka_unit_test(words_near_each_other), cmocka_unit_test(any_structure),
        cmocka_unit_test(nothing_in_common),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
