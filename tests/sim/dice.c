/* SPDX-License-Identifier: BSD-2-Clause */
/* Luck from a seed. See dice.h. */
#include "dice.h"

static uint64_t mix(uint64_t v)
{
    v = (v ^ v >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    v = (v ^ v >> 27) * UINT64_C(0x94d049bb133111eb);
    return v ^ v >> 31;
}

void dice_init(struct dice *d, uint64_t seed, const char *purpose, uint32_t number)
{
    d->state = mix(seed + UINT64_C(0x9e3779b97f4a7c15));
    for (; *purpose != '\0'; purpose++)
        d->state = mix(d->state ^ (uint8_t)*purpose);
    d->state = mix(d->state ^ ((uint64_t)number << 8));
}

uint64_t dice_u64(struct dice *d)
{
    d->state += UINT64_C(0x9e3779b97f4a7c15);
    return mix(d->state);
}

uint32_t dice_range(struct dice *d, uint32_t low, uint32_t high)
{
    return low + (uint32_t)(((dice_u64(d) >> 32) * ((uint64_t)high - low + 1)) >> 32);
}

bool dice_one_in(struct dice *d, uint32_t count)
{
    return dice_range(d, 1, count) == 1;
}

bool dice_ppm(struct dice *d, uint32_t ppm)
{
    return ppm > 0 && dice_range(d, 1, 1000000) <= ppm;
}
