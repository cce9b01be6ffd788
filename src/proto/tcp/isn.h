/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_PROTO_TCP_ISN_H
#define TERN_PROTO_TCP_ISN_H
/*
 * Initial sequence numbers (RFC 6528 §3: M + F(tuple, key), M a 4 us clock; RFC 9293 §3.4.1),
 * ephemeral ports (RFC 6056 §3.3.3, algorithm 3: a keyed offset a destination, and a counter)
 * and timestamp offsets a connection (RFC 7323 §5.4), all by keyed hash.
 */
#include "base/hash.h"
#include "base/seq.h"
#include <tern/addr.h>
#include <tern/time.h>

#define TERN_PORT_EPHEMERAL_MIN   49152 /* RFC 6335 §6 */
#define TERN_PORT_EPHEMERAL_COUNT 16384

tern_seq tern_isn(const struct tern_hash_key *key, const struct tern_endpoint *local,
                  const struct tern_endpoint *remote, tern_time now);
uint32_t tern_ts_offset(const struct tern_hash_key *key, const struct tern_endpoint *local,
                        const struct tern_endpoint *remote);
/* The n-th port to try for a destination; counter: the stack's, increased by the caller. */
uint16_t tern_port_candidate(const struct tern_hash_key *key, struct tern_addr local,
                             const struct tern_endpoint *remote, uint32_t counter);

#endif
