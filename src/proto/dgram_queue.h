/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_PROTO_DGRAM_QUEUE_H
#define TERN_PROTO_DGRAM_QUEUE_H
/*
 * A bounded queue of datagrams with their endpoints, in a ring of bytes that the caller brings.
 * The queues of UDP and ping sockets.
 */
#include "base/bytes.h"
#include <tern/addr.h>
#include <tern/time.h>

struct tern_dgram {
    struct tern_endpoint peer;
    tern_time at;
    uint8_t ttl, kind, code, spare; /* the owner's */
    uint16_t tag;                   /* the owner's */
};

struct tern_dgram_queue {
    uint8_t *ring;
    uint32_t ring_bytes; /* a multiple of 8 */
    uint32_t head, used; /* byte positions; records never wrap: a gap is skipped */
    uint32_t count;
};

void tern_dgram_queue_init(struct tern_dgram_queue *q, void *ring, uint32_t ring_bytes);
/* Copy a datagram in; false: no room. */
bool tern_dgram_queue_push(struct tern_dgram_queue *q, const struct tern_dgram *meta,
                           tern_span body);
/* The oldest datagram, its body valid until the next push or pop; false: none. */
bool tern_dgram_queue_peek(const struct tern_dgram_queue *q, struct tern_dgram *meta,
                           tern_span *body);
void tern_dgram_queue_pop(struct tern_dgram_queue *q);
void tern_dgram_queue_check(const struct tern_dgram_queue *q);

#endif
