/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_SIM_SHRINK_H
#define TERN_SIM_SHRINK_H
/* A failing seed made smaller: which kinds of trouble, and which flows, does it need? */
#include "world.h"

/* Switch off, one after the other, what the failure does not need, starting from what is off
 * already, and print how to run what is left. 0: found; 1: the seed does not fail. */
int shrink(struct world *w, uint64_t seed, uint64_t off, uint64_t flows);

#endif
