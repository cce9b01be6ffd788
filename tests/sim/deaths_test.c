/* SPDX-License-Identifier: BSD-2-Clause */
/* A seed that dies is told, and the next one runs: see deaths.h. */
#include "deaths.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

static volatile int rounds;

static void returns(void *about)
{
    (void)about;
    rounds++;
}

static void asserts(void *about)
{
    TERN_ASSERT(about == NULL);
}

static void aborts(void *about)
{
    (void)about;
    abort();
}

static void loops(void *about)
{
    (void)about;
    for (;;)
        rounds++;
}

#ifndef __SANITIZE_ADDRESS__
static int *volatile nowhere;

static void steps_on_nothing(void *about)
{
    (void)about;
    *nowhere = 1;
}
#endif

int main(void)
{
    static const struct {
        void (*life)(void *);
        const char *words; /* NULL: it lives */
    } lives[] = {
        {returns, NULL},
        {asserts, "assertion failed: about == NULL"},
        {aborts, "Aborted"},
        {loops, "loops for ever"},
#ifndef __SANITIZE_ADDRESS__
        {steps_on_nothing, "Segmentation fault"},
#endif
        {returns, NULL},
    };
    int about = 0, failed = 0;

    for (size_t i = 0; i < sizeof(lives) / sizeof(lives[0]); i++) {
        const char *death = deaths_of(lives[i].life, &about, 1);
        const char *wanted = lives[i].words;
        const int ok =
            wanted == NULL ? death == NULL : death != NULL && strstr(death, wanted) != NULL;

        if (!ok)
            printf("life %zu: %s\n", i, death != NULL ? death : "it lives");
        failed += !ok;
    }
    return failed == 0 ? 0 : 1;
}
