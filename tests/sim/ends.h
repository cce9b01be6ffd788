/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_SIM_ENDS_H
#define TERN_SIM_ENDS_H
/* One side of one connection: its application, step by step, and the judgement of it. */
#include "flow.h"

/* The next end of a flow's side; NULL: too many in this world. */
struct end *end_take(struct world *w, uint32_t flow, int side);
/* The last one taken was for nothing. */
void end_untake(struct world *w, struct end *e);
/* Do what can be done; returns when to ask again without an event. */
tern_time end_run(struct world *w, struct end *e);
void end_abort(struct world *w, struct end *e);
void ends_print(const struct world *w);

#endif
