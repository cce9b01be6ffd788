/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_SIM_LOANS_H
#define TERN_SIM_LOANS_H
/*
 * Bytes that applications lend to their stack. Each loan is memory of its own, which is spoilt and
 * freed as soon as it comes back: whoever looks at it afterwards sends something else than the
 * stream.
 */
#include "flow.h"

/* Lend bytes of its stream from where the end stands: what the stack says. */
enum tern_err loan_make(struct world *w, struct end *e, size_t bytes);
/* One came back, as the event says. */
void loan_back(struct world *w, int side, const struct tern_event *event);
/* All connections are over: nothing may be out. */
void loans_judge(struct world *w);
/* Forget what a run that failed left. */
void loans_drop(struct world *w);

#endif
