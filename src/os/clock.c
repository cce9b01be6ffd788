/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The only place where a clock is read. The loop reads it once a turn and passes `now` down;
 * nothing below mixes that with a fresh reading.
 */
#include "os/clock.h"

#include <time.h>

static int64_t read_clock(clockid_t id)
{
    struct timespec t = {0};

    (void)clock_gettime(id, &t); /* fails only for a clock that does not exist */
    return (int64_t)t.tv_sec * TERN_SECOND + t.tv_nsec;
}

tern_time tern_clock_now(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

int64_t tern_clock_wall_offset_ns(void)
{
    return read_clock(CLOCK_REALTIME) - read_clock(CLOCK_MONOTONIC);
}
