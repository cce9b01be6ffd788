/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Buckets: 16 to an octave from 256 ns on, 40 octaves, which ends after three days. A bucket's
 * value is its middle. Where there is no memory for buckets, the few that came first stand for all.
 */
#include "report/quantile.h"

#include <stdlib.h>
#include <string.h>

#define PER_OCTAVE 16u
#define OCTAVES    40u
#define BUCKETS    (PER_OCTAVE * OCTAVES)
#define LOWEST_BIT 8u /* 256 ns */

static bool has_buckets(const struct model_quantile *q)
{
    return q->count > MODEL_QUANTILE_FEW;
}

static unsigned bucket_of(tern_time value)
{
    uint64_t v = value < (tern_time)1 << LOWEST_BIT ? (uint64_t)1 << LOWEST_BIT : (uint64_t)value;
    unsigned bit = 63u - (unsigned)__builtin_clzll(v);
    unsigned within = (unsigned)(v >> (bit - 4)) & (PER_OCTAVE - 1);
    unsigned index = (bit - LOWEST_BIT) * PER_OCTAVE + within;

    return index < BUCKETS ? index : BUCKETS - 1;
}

static tern_time bucket_middle(unsigned index)
{
    unsigned bit = LOWEST_BIT + index / PER_OCTAVE;
    uint64_t low = (uint64_t)(PER_OCTAVE + index % PER_OCTAVE) << (bit - 4);

    return (tern_time)(low + (((uint64_t)1 << (bit - 4)) >> 1));
}

static bool buckets_begin(struct model_quantile *q)
{
    uint32_t *bucket = calloc(BUCKETS, sizeof *bucket);

    if (bucket == NULL)
        return false;
    for (unsigned i = 0; i < MODEL_QUANTILE_FEW; i++)
        bucket[bucket_of(q->few[i])]++;
    q->bucket = bucket;
    return true;
}

void model_quantile_add(struct model_quantile *q, tern_time value)
{
    if (value < 0 || value > MODEL_TRIP_MAX)
        return;
    if (q->count == 0 || value < q->min)
        q->min = value;
    if (q->count < MODEL_QUANTILE_FEW) {
        q->few[q->count++] = value;
        return;
    }
    if (q->count == MODEL_QUANTILE_FEW && !buckets_begin(q))
        return;
    q->count++;
    if (q->bucket[bucket_of(value)] < UINT32_MAX)
        q->bucket[bucket_of(value)]++;
}

static tern_time median_of_few(const struct model_quantile *q)
{
    tern_time sorted[MODEL_QUANTILE_FEW];
    unsigned n = (unsigned)q->count;

    for (unsigned i = 0; i < n; i++) {
        unsigned at = i;

        for (; at > 0 && sorted[at - 1] > q->few[i]; at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = q->few[i];
    }
    return n % 2 == 1 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}

tern_time model_quantile_median(const struct model_quantile *q)
{
    uint64_t seen = 0;

    if (q->count == 0)
        return 0;
    if (!has_buckets(q))
        return median_of_few(q);
    for (unsigned i = 0; i < BUCKETS; i++) {
        seen += q->bucket[i];
        if (seen * 2 >= q->count) {
            tern_time middle = bucket_middle(i);

            return middle < q->min ? q->min : middle;
        }
    }
    return q->min;
}

void model_quantile_fini(struct model_quantile *q)
{
    if (has_buckets(q))
        free(q->bucket);
    memset(q, 0, sizeof *q);
}
