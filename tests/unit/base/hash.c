/* SPDX-License-Identifier: BSD-2-Clause */
/* The keyed hash is SipHash-2-4, read least significant byte first. */
#include "base/hash.h"
#include "test.h"

static void reference_vector(void **state)
{
    struct tern_hash_key key;
    uint8_t data[15];

    (void)state;
    for (uint8_t i = 0; i < 16; i++)
        key.b[i] = i;
    for (uint8_t i = 0; i < 15; i++)
        data[i] = i;
    /* Aumasson and Bernstein, "SipHash: a fast short-input PRF", appendix A */
    assert_true(tern_hash(&key, data, sizeof data) == UINT64_C(0xa129ca6149be45e5));
}

static void key_and_data_matter(void **state)
{
    struct tern_hash_key a = {{1}}, b = {{2}};

    (void)state;
    assert_true(tern_hash(&a, "x", 1) == tern_hash(&a, "x", 1));
    assert_true(tern_hash(&a, "x", 1) != tern_hash(&b, "x", 1));
    assert_true(tern_hash(&a, "x", 1) != tern_hash(&a, "y", 1));
    assert_true(tern_hash(&a, "x", 1) != tern_hash(&a, "x", 2));
    assert_true(tern_hash(&a, "", 0) != tern_hash(&b, "", 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reference_vector),
        cmocka_unit_test(key_and_data_matter),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
