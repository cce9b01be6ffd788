/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_OS_CLOCK_H
#define TERN_OS_CLOCK_H
/* The only place where a clock is read. */
#include <tern/time.h>

tern_time tern_clock_now(void);          /* CLOCK_MONOTONIC */
int64_t tern_clock_wall_offset_ns(void); /* CLOCK_REALTIME - CLOCK_MONOTONIC */

#endif
