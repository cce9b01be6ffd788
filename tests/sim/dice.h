/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_SIM_DICE_H
#define TERN_SIM_DICE_H
/*
 * Luck from a seed (splitmix64). Each purpose throws dice of its own, so that what one draws, or
 * that a fault is switched off, changes nothing for the others: a failing seed can be made smaller.
 */
#include <stdbool.h>
#include <stdint.h>

struct dice {
    uint64_t state;
};

void dice_init(struct dice *d, uint64_t seed, const char *purpose, uint32_t number);
uint64_t dice_u64(struct dice *d);
/* From low to high, both included. */
uint32_t dice_range(struct dice *d, uint32_t low, uint32_t high);
/* Once in so many times. */
bool dice_one_in(struct dice *d, uint32_t count);
/* With a probability of so many millionths. */
bool dice_ppm(struct dice *d, uint32_t ppm);

#endif
