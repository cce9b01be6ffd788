/* SPDX-License-Identifier: BSD-2-Clause */
/* Where lwIP is not installed: nobody to compare with. */
#include "engine.h"

bool engine_lwip_is_there(void)
{
    return false;
}

bool engine_lwip_open(enum engine_work work)
{
    (void)work;
    return false;
}

uint64_t engine_lwip_do(uint64_t units)
{
    return units;
}

void engine_lwip_close(void)
{
}
