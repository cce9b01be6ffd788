/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_PROTO_TCP_OBSERVE_H
#define TERN_PROTO_TCP_OBSERVE_H
/*
 * What a connection tells an observer. Most of it is seen from outside: a verb is run, and what it
 * changed is told (tern_tcb_observe_*). Only what nobody could see so is told where it happens.
 */
#include "proto/tcp/tcp.h"

static inline bool tern_tcb_is_observed(const struct tern_tcb *c)
{
    return c->env->observer.tell != NULL;
}

/* A verb, and what it changed. Each is given the verb itself, which does not come back here. */
void tern_tcb_observe_input(struct tern_tcb *c, const struct tern_segment *seg, tern_time now,
                            void (*input)(struct tern_tcb *, const struct tern_segment *,
                                          tern_time));
bool tern_tcb_observe_output(struct tern_tcb *c, tern_time now, struct tern_segment_out *out,
                             bool (*output)(struct tern_tcb *, tern_time,
                                            struct tern_segment_out *));
void tern_tcb_observe_expire(struct tern_tcb *c, tern_time now,
                             void (*expire)(struct tern_tcb *, tern_time));

/* What a header of TCP's says, ports left out; the window as it stands there. */
void tern_note_header(struct tern_note_segment *s, const struct tern_tcp_header *h);

/* These do nothing without an observer. */
void tern_tcb_tell_opened(const struct tern_tcb *c, tern_time now);
void tern_tcb_tell_state(const struct tern_tcb *c, enum tern_tcp_state from, tern_time now);
void tern_tcb_tell_closed(const struct tern_tcb *c, tern_time now);
/* [from, to), as far as it is not SACKed. */
void tern_tcb_tell_loss(struct tern_tcb *c, enum tern_loss_by by, uint64_t from, uint64_t to,
                        bool again, tern_time now);
void tern_tcb_tell_recovery(const struct tern_tcb *c, enum tern_tcp_recovery from, tern_time now);
void tern_tcb_tell_undo(const struct tern_tcb *c, enum tern_undo_by by, uint64_t cwnd_before,
                        tern_time now);

#endif
