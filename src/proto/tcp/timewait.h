/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_PROTO_TCP_TIMEWAIT_H
#define TERN_PROTO_TCP_TIMEWAIT_H
/* TIME-WAIT without a control block: records of 96 bytes, in a table and a pool of their own. See
 * timewait.c. */
#include "base/list.h"
#include "base/pool.h"
#include "base/table.h"
#include "proto/tcp/tcp.h"

struct tern_timewait {
    struct tern_table_node by_pair;
    struct tern_list link; /* in the order of `until` */
    struct tern_endpoint local, remote;
    uint32_t conn_id;
    tern_seq snd_nxt, rcv_nxt;
    uint32_t ts_recent;
    uint32_t until_ms, answered_ms; /* of the clock, its low 32 bits */
    uint16_t window;                /* as it stands in the header */
    uint8_t wscale : 4;             /* of that window */
    bool timestamps : 1;
    bool answered : 1; /* answered_ms holds */
    bool handle : 1;   /* the application holds the connection's handle */
};
_Static_assert(sizeof(struct tern_timewait) <= 96, "a record is small");

struct tern_timewaits {
    struct tern_pool pool;
    struct tern_table table;
    struct tern_list oldest;
};

enum tern_timewait_verdict {
    TERN_TIMEWAIT_TAKEN,  /* nothing to say */
    TERN_TIMEWAIT_DROP,   /* nothing to say, and a drop to count */
    TERN_TIMEWAIT_ANSWER, /* a drop to count, and an ACK to send: tern_timewait_answer() */
};

/* A connection that has just entered TIME-WAIT; hash: of its pair. The record is taken from the
 * pool, which must have one left. */
struct tern_timewait *tern_timewait_add(struct tern_timewaits *w, const struct tern_tcb *c,
                                        uint64_t hash, tern_time now);
void tern_timewait_remove(struct tern_timewaits *w, struct tern_timewait *t);
struct tern_timewait *tern_timewait_find(const struct tern_timewaits *w,
                                         const struct tern_endpoint *local,
                                         const struct tern_endpoint *remote, uint64_t hash);
/* The record that ends first; NULL: none. */
struct tern_timewait *tern_timewait_first(const struct tern_timewaits *w);
/* When the first one ends; TERN_TIME_NEVER: there is none. */
tern_time tern_timewait_deadline(const struct tern_timewaits *w, tern_time now);

/* A segment for the pair, which is not to reuse it. *why, *cause: as the verdict says. */
enum tern_timewait_verdict tern_timewait_input(struct tern_timewaits *w, struct tern_timewait *t,
                                               const struct tern_segment *seg, tern_time now,
                                               enum tern_drop *why, enum tern_cause *cause);
/* The ACK that says where we are. ts_offset: the connection's. */
void tern_timewait_answer(const struct tern_timewait *t, uint32_t ts_offset, tern_time now,
                          struct tern_tcp_header *out);

/* May this SYN open a new connection of the pair? (RFC 6191 §2; RFC 9293 §3.6.1) */
bool tern_timewait_reusable(const struct tern_timewait *t, const struct tern_segment *syn);
/* May we? Only where timestamps tell old segments from new ones, and the clock has moved on. */
bool tern_timewait_ours_to_reuse(const struct tern_timewait *t, tern_time now);
/* An initial number for it: the proposed one, or one beyond all that the old connection sent. */
tern_seq tern_timewait_iss(const struct tern_timewait *t, tern_seq proposed);

void tern_timewait_check(const struct tern_timewaits *w);

#endif
