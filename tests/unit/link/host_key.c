/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine's key: there, the same each time, and not what the kernel shows. */
#include "os/host_key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void the_same_each_time(void **state)
{
    static const uint8_t none[TERN_HOST_KEY_BYTES];
    uint8_t first[TERN_HOST_KEY_BYTES], again[TERN_HOST_KEY_BYTES];

    (void)state;
    memset(first, 1, sizeof first);
    memset(again, 2, sizeof again);
    tern_host_key(first);
    tern_host_key(again);
    assert_memory_equal(first, again, sizeof first);
    assert_memory_not_equal(first, none, sizeof first);
    assert_memory_not_equal(first, first + 8, 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_each_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
