/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shrinking: each switch is tried once, off, and stays off where the seed still fails; then the
 * flows one by one; and all of it again until nothing changes. Any failure counts, not only the
 * first one's words: a smaller way to fail is as good. See shrink.h.
 */
#include "shrink.h"

#include <stdio.h>

#define ROUNDS_MAX 4

static bool fails(struct world *w, uint64_t seed, uint64_t off, uint64_t flows)
{
    return !world_run(w, seed, off, flows);
}

static void print_way(uint64_t seed, uint64_t off, uint64_t flows)
{
    const char *before = "";

    printf("  sim --off ");
    for (int i = 0; i < SIM_SWITCH_COUNT; i++) {
        if ((off >> i & 1) == 0)
            continue;
        printf("%s%s", before, plan_switch_word(i));
        before = ",";
    }
    printf(" --flows 0x%llx -v %llu\n", (unsigned long long)flows, (unsigned long long)seed);
}

static bool shrink_once(struct world *w, uint64_t seed, uint64_t *off, uint64_t *flows)
{
    bool changed = false;

    for (int i = 0; i < SIM_SWITCH_COUNT; i++) {
        const uint64_t less = *off | UINT64_C(1) << i;

        if (less != *off && fails(w, seed, less, *flows)) {
            *off = less;
            changed = true;
        }
    }
    for (uint32_t i = 0; i < SIM_FLOWS_MAX; i++) {
        const uint64_t less = *flows & ~(UINT64_C(1) << i);

        if (less != *flows && less != 0 && fails(w, seed, *off, less)) {
            *flows = less;
            changed = true;
        }
    }
    return changed;
}

int shrink(struct world *w, uint64_t seed, uint64_t off, uint64_t flows)
{
    if (!fails(w, seed, off, flows)) {
        printf("seed %llu does not fail\n", (unsigned long long)seed);
        return 1;
    }
    flows &= w->plan.flows_count >= 64 ? UINT64_MAX : (UINT64_C(1) << w->plan.flows_count) - 1;
    for (int i = 0; i < ROUNDS_MAX && shrink_once(w, seed, &off, &flows); i++) {
    }
    (void)fails(w, seed, off, flows);
    printf("seed %llu fails with no more than this: %s\n", (unsigned long long)seed, w->why);
    print_way(seed, off, flows);
    return 0;
}
