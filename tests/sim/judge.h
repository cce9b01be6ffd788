/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_SIM_JUDGE_H
#define TERN_SIM_JUDGE_H
/* What the applications may see: bytes, ends of streams, failures. */
#include "flow.h"

/* The next bytes of an end's stream. */
void judge_bytes(struct world *w, struct end *e, const uint8_t *data, size_t bytes);
/* The stream that an end reads has ended in order. */
void judge_finish(struct world *w, const struct end *e);
/* An end's connection failed, for e->reason. */
void judge_reason(struct world *w, const struct end *e);
/* Has the end read all that its other side will ever write? */
bool judge_read_all(const struct world *w, const struct end *e);
/* All is over: is everything given back? */
void judge_memory(struct world *w);

#endif
