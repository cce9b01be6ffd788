/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_PROTO_TCP_BYTEQUEUE_H
#define TERN_PROTO_TCP_BYTEQUEUE_H
/*
 * The bytes of one direction of a connection, addressed by extended sequence number (tcp.h), held
 * in chunks of a shared pool. A chunk is found by shifting and masking, so that a retransmission or
 * an out-of-order segment costs no walk; chunks are taken when bytes come and given back when the
 * last byte in them is done with, so that an idle connection holds none.
 */
#include "base/bytes.h"
#include "base/pool.h"

struct tern_chunks {
    struct tern_pool chunks; /* the bytes */
    struct tern_pool maps;   /* one for each queue in use: a ring of chunk numbers */
    uint32_t chunk_shift;    /* log2 of a chunk's bytes */
    uint32_t map_count;      /* entries of a map, a power of two */
};

struct tern_bytequeue {
    uint32_t *map; /* NULL: no bytes */
    uint64_t head; /* below: done with */
    uint32_t held; /* chunks held */
};

void tern_bytequeue_init(struct tern_bytequeue *q, uint64_t head);
/* Most bytes between head and the end of what can be written. */
uint64_t tern_bytequeue_span_max(const struct tern_chunks *pools);
/* Copy bytes in at an offset at or above head, within span_max of it. Returns how many found room:
 * fewer only where the pool is empty. */
size_t tern_bytequeue_write(struct tern_bytequeue *q, struct tern_chunks *pools, uint64_t at,
                            const uint8_t *data, size_t bytes);
/* Is there a chunk for this offset? It must lie within span_max of head. */
bool tern_bytequeue_holds(const struct tern_bytequeue *q, const struct tern_chunks *pools,
                          uint64_t at);
/* The same room taken, and nothing written: the bytes come with a later write, or nobody will ever
 * look for them. */
size_t tern_bytequeue_reserve(struct tern_bytequeue *q, struct tern_chunks *pools, uint64_t at,
                              size_t bytes);
/* Bytes from an offset to the end of its chunk, at most bytes_max; they must have been written. */
struct tern_slice tern_bytequeue_slice(const struct tern_bytequeue *q,
                                       const struct tern_chunks *pools, uint64_t at,
                                       size_t bytes_max);
/* Be done with everything below new_head. end: no byte at or above it is held; when head reaches
 * it, all memory goes back. */
void tern_bytequeue_advance(struct tern_bytequeue *q, struct tern_chunks *pools, uint64_t new_head,
                            uint64_t end);
void tern_bytequeue_clear(struct tern_bytequeue *q, struct tern_chunks *pools);
void tern_bytequeue_check(const struct tern_bytequeue *q, const struct tern_chunks *pools);

#endif
