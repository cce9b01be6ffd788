/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_PROTO_TCP_LIMIT_H
#define TERN_PROTO_TCP_LIMIT_H
/* How often all connections of a stack together may do a thing: so many a second, more or less. See
 * limit.c. */
#include <stdbool.h>
#include <stdint.h>

#include "base/random.h"
#include <tern/time.h>

struct tern_limit {
    uint64_t second; /* the one that is running, from 1 on; 0: none yet */
    uint32_t left;   /* in it */
};

/* mean: so many a second; in each between half of it and one and a half times as many. */
bool tern_limit_take(struct tern_limit *l, struct tern_random *r, uint32_t mean, tern_time now);

#endif
