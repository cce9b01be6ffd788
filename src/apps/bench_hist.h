/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_APPS_BENCH_HIST_H
#define TERN_APPS_BENCH_HIST_H
/*
 * A histogram of times with relative precision: every bucket is less than 1/128 of its value wide,
 * from one nanosecond to over a minute, in 32 KiB whatever the number of samples.
 */
#include <stdint.h>

#include <tern/time.h>

#define TERN_BENCH_HIST_SUB     128 /* buckets to each doubling */
#define TERN_BENCH_HIST_OCTAVES 31
#define TERN_BENCH_HIST_BUCKETS (TERN_BENCH_HIST_SUB * TERN_BENCH_HIST_OCTAVES)

struct tern_bench_hist {
    uint64_t count;
    tern_time sum, least, most; /* exact; least and most only where count > 0 */
    uint64_t bucket[TERN_BENCH_HIST_BUCKETS];
};

void tern_bench_hist_init(struct tern_bench_hist *hist);
/* One sample; what is longer than the last bucket is counted there. */
void tern_bench_hist_add(struct tern_bench_hist *hist, tern_time value);
/*
 * The least time that so many thousandths of the samples do not exceed (500: the median; 1000: the
 * longest), to within the width of its bucket. 0 without samples.
 */
tern_time tern_bench_hist_at(const struct tern_bench_hist *hist, unsigned thousandths);
/* 0 without samples. */
tern_time tern_bench_hist_mean(const struct tern_bench_hist *hist);

#endif
