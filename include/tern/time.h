/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_TIME_H
#define TERN_TIME_H
/*
 * Time is an argument: 64-bit nanoseconds of a monotonic clock whose zero is the
 * caller's business. The core never reads a clock.
 */
#include <stdint.h>

typedef int64_t tern_time; /* nanoseconds */

#define TERN_TIME_NEVER INT64_MAX
#define TERN_US         INT64_C(1000)
#define TERN_MS         INT64_C(1000000)
#define TERN_SECOND     INT64_C(1000000000)

#endif
