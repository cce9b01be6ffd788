/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_TESTS_PROBE_H
#define TERN_TESTS_PROBE_H
/*
 * Probes: each states what tern relies on in the kernel, and finds out whether it is so here. A
 * line for each fact; exit code 1 where one does not hold, 77 where it cannot be tried.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int probe_failures;

static inline void fact(const char *what, bool holds)
{
    printf("%s: %s\n", holds ? "yes" : "NO ", what);
    if (!holds)
        probe_failures++;
}

static inline void skip_all(const char *why)
{
    printf("skipped: %s\n", why);
    exit(77);
}

#endif
