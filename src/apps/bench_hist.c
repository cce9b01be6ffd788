/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Buckets of a floating kind. Below SUB a value is its own bucket; above, the value is shifted
 * right until it lies between SUB and 2 SUB, the shift names the doubling and what is left the
 * bucket within it. So neighbouring buckets differ by 1/128 to 1/256 of their value.
 */
#include "apps/bench_hist.h"

#include <string.h>

#include "base/assert.h"

#define SUB      TERN_BENCH_HIST_SUB
#define SUB_BITS 7

_Static_assert(1u << SUB_BITS == SUB, "a doubling has 2^SUB_BITS buckets");

static unsigned bucket_of(uint64_t value)
{
    unsigned shift, index;

    if (value < SUB)
        return (unsigned)value;
    shift = 63u - (unsigned)__builtin_clzll(value) - SUB_BITS;
    index = (shift + 1) * SUB + (unsigned)((value >> shift) - SUB);
    return index < TERN_BENCH_HIST_BUCKETS ? index : TERN_BENCH_HIST_BUCKETS - 1;
}

/* The middle of a bucket. */
static tern_time value_of(unsigned index)
{
    unsigned shift;
    uint64_t low;

    if (index < SUB)
        return (tern_time)index;
    shift = index / SUB - 1;
    low = (uint64_t)(SUB + index % SUB) << shift;
    return (tern_time)(low + ((UINT64_C(1) << shift) >> 1));
}

void tern_bench_hist_init(struct tern_bench_hist *hist)
{
    memset(hist, 0, sizeof *hist);
}

void tern_bench_hist_add(struct tern_bench_hist *hist, tern_time value)
{
    tern_time held = value < 0 ? 0 : value;

    if (hist->count == 0 || held < hist->least)
        hist->least = held;
    if (hist->count == 0 || held > hist->most)
        hist->most = held;
    hist->count++;
    hist->sum += held;
    hist->bucket[bucket_of((uint64_t)held)]++;
}

tern_time tern_bench_hist_at(const struct tern_bench_hist *hist, unsigned thousandths)
{
    uint64_t wanted, seen = 0;
    tern_time value;
    unsigned i = 0;

    TERN_ASSERT(thousandths <= 1000);
    if (hist->count == 0)
        return 0;
    if (thousandths == 1000)
        return hist->most;
    wanted = (hist->count * thousandths + 999) / 1000;
    if (wanted == 0)
        return hist->least;
    while (i < TERN_BENCH_HIST_BUCKETS - 1 && seen + hist->bucket[i] < wanted)
        seen += hist->bucket[i++];
    value = value_of(i);
    if (value < hist->least)
        return hist->least;
    return value > hist->most ? hist->most : value;
}

tern_time tern_bench_hist_mean(const struct tern_bench_hist *hist)
{
    return hist->count == 0 ? 0 : hist->sum / (tern_time)hist->count;
}
