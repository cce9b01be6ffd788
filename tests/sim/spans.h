/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_SIM_SPANS_H
#define TERN_SIM_SPANS_H
/* A set of places in a stream, as spans in order. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct span {
    uint64_t start, end; /* the end is not in it */
};

struct spans {
    struct span *list;
    size_t count, room;
};

void spans_clear(struct spans *s);
void spans_fini(struct spans *s);
void spans_add(struct spans *s, uint64_t start, uint64_t end);
bool spans_has(const struct spans *s, uint64_t start, uint64_t end);
/* The first place at or after `from` that is not in it. */
uint64_t spans_gap(const struct spans *s, uint64_t from);
/* After the last place that is in it; 0: it is empty. */
uint64_t spans_end(const struct spans *s);

#endif
