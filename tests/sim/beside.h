/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_SIM_BESIDE_H
#define TERN_SIM_BESIDE_H
/* Datagrams and pings beside the streams: they may be lost, but what comes must be what was sent.
 */
#include "plan.h"

struct world;

void beside_open(struct world *w);
/* Returns when to ask again. */
tern_time beside_run(struct world *w, int side);

#endif
