/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a failed assertion ends: one line on standard error, then abort(), so that a core dump or
 * a debugger shows the moment itself. This is the only file of the pure layers that
 * calls into stdio and stdlib; a host without them brings its own tern_assert_failed().
 */
#include "base/assert.h"

#include <stdio.h>
#include <stdlib.h>

_Noreturn void tern_assert_failed(const char *what, const char *file, int line)
{
    fprintf(stderr, "tern: %s:%d: assertion failed: %s\n", file, line, what);
    abort();
}
