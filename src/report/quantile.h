/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_REPORT_QUANTILE_H
#define TERN_REPORT_QUANTILE_H
/*
 * The least and the middle of many durations in little memory: exact while they are few, then
 * counted in buckets of 1/16 octave, so that the median is true within 5 %.
 */
#include <stdbool.h>
#include <stdint.h>

#include <tern/time.h>

#define MODEL_QUANTILE_FEW 8
#define MODEL_TRIP_MAX     (3600 * TERN_SECOND) /* a clock was set: no round trip takes so long */

struct model_quantile {
    uint64_t count;
    tern_time min;
    union {
        tern_time few[MODEL_QUANTILE_FEW];
        uint32_t *bucket; /* once there are more */
    };
};

/* Negative values, and those above MODEL_TRIP_MAX, are left out. */
void model_quantile_add(struct model_quantile *q, tern_time value);
/* 0 where nothing was added. */
tern_time model_quantile_median(const struct model_quantile *q);
void model_quantile_fini(struct model_quantile *q);

#endif
