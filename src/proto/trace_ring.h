/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_PROTO_TRACE_RING_H
#define TERN_PROTO_TRACE_RING_H
/*
 * Where engines leave their traces: a ring that overwrites its oldest entry and counts it as lost.
 * With no entries (count_max 0) a push costs one branch.
 */
#include <tern/trace.h>

struct tern_trace_ring {
    struct tern_trace *entries;
    uint32_t count_max;
    uint64_t pushed, pulled, lost;
};

/* The entry to fill in, its time set; NULL: nobody listens. */
static inline struct tern_trace *tern_trace_push(struct tern_trace_ring *r, tern_time at,
                                                 enum tern_trace_kind kind, uint32_t conn_id)
{
    struct tern_trace *t;

    if (r->count_max == 0)
        return NULL;
    if (r->pushed - r->pulled == r->count_max) {
        r->pulled++;
        r->lost++;
    }
    t = &r->entries[r->pushed++ % r->count_max];
    t->at = at;
    t->kind = kind;
    t->conn_id = conn_id;
    return t;
}

static inline bool tern_trace_pull(struct tern_trace_ring *r, struct tern_trace *out)
{
    if (r->pulled == r->pushed)
        return false;
    *out = r->entries[r->pulled++ % r->count_max];
    return true;
}

#endif
