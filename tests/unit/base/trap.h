/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_TESTS_TRAP_H
#define TERN_TESTS_TRAP_H
/*
 * For tests that want an assertion to fail: a tern_assert_failed() of the test's own, which the
 * linker prefers to the library's. trips(f) says whether f() tripped one; outside of it a failed
 * assertion fails the test. Include in one file of a test program only.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/assert.h"

static jmp_buf trap_back;
static volatile bool trap_armed;

_Noreturn void tern_assert_failed(const char *what, const char *file, int line)
{
    if (trap_armed)
        longjmp(trap_back, 1);
    fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, what);
    abort();
}

static inline bool trips(void (*f)(void))
{
    volatile bool tripped = true;

    trap_armed = true;
    if (setjmp(trap_back) == 0) {
        f();
        tripped = false;
    }
    trap_armed = false;
    return tripped;
}

#endif
