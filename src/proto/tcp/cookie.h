/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_PROTO_TCP_COOKIE_H
#define TERN_PROTO_TCP_COOKIE_H
/* SYN cookies (RFC 4987 §3.6): see cookie.c. */
#include "base/hash.h"
#include "proto/tcp/tcp.h"

/* So long after the last cookie was sent one may come back. */
#define TERN_COOKIE_LIFE (128 * TERN_SECOND)

/* The SYN-ACK for a SYN, of which nothing is kept. o: as for an opening; its iss is not looked at.
 */
void tern_cookie_answer(const struct tern_hash_key *key, const struct tern_tcp_env *env,
                        struct tern_tcb_options *o, const struct tern_segment *syn, tern_time now,
                        struct tern_segment_out *out);

/* An ACK that may end such a handshake. True: it does, *syn is what the peer's SYN must have said,
 * and o->iss our number. */
bool tern_cookie_accept(const struct tern_hash_key *key, struct tern_tcb_options *o,
                        const struct tern_segment *ack, tern_time now, struct tern_segment *syn);

/* In SYN-RECEIVED: may an ACK be that of a cookie which answered the same SYN before? It fits the
 * window and does not acknowledge our number. *first: the same, standing right behind that SYN. */
bool tern_cookie_may_answer(const struct tern_tcb *c, const struct tern_segment *ack,
                            struct tern_segment *first);

/* A half-open connection gives way to such a cookie's: the peer hears nothing of it. */
void tern_tcb_give_way(struct tern_tcb *c, tern_time now);

/* The connection that it began: as one from whose listener that SYN-ACK has gone out. */
void tern_tcb_open_cookie(struct tern_tcb *c, struct tern_tcp_env *env,
                          const struct tern_tcb_options *o, const struct tern_segment *syn,
                          tern_time now);

#endif
