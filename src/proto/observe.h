/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_PROTO_OBSERVE_H
#define TERN_PROTO_OBSERVE_H
/* Who is told what the engines decide: one of a stack, or nobody, which costs a branch. */
#include <tern/observe.h>

struct tern_observer {
    tern_observer_fn *tell; /* NULL: nobody listens */
    void *user;
    /* For what is told at the end of a segment's input. */
    enum tern_drop drop; /* the last reason told since; TERN_DROP_COUNT: none */
    bool loss_told;      /* with its cause, since */
    uint32_t segments;   /* told as received, ever */
};

static inline void tern_tell(const struct tern_observer *o, const struct tern_note *note)
{
    o->tell(o->user, note);
}

/* src/proto/observe.c */
void tern_tell_drop(struct tern_observer *o, enum tern_drop reason, uint32_t conn_id, tern_time at);
void tern_tell_neighbour(const struct tern_observer *o, enum tern_neighbour state,
                         const struct tern_addr *address, const struct tern_mac *mac, tern_time at);

#endif
