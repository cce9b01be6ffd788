/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_TESTS_TCP_ENGINE_H
#define TERN_TESTS_TCP_ENGINE_H
/* The TCP engine without a stack: pools of a given size, and connections that are established by
 * hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "proto/tcp/internal.h"

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

#define ENGINE_CHUNK_SHIFT 10
#define ENGINE_CHUNK_BYTES (1u << ENGINE_CHUNK_SHIFT)
#define ENGINE_MAP_COUNT   64
#define ENGINE_BYTES       40000 /* of a buffer, at most */
#define ENGINE_PEER_SEQ    5000u /* the peer's SYN */
#define ENGINE_MSS         1000

struct engine {
    struct tern_tcp_env env;
    struct tern_trace_ring traces;
    uint64_t drops[TERN_DROP_COUNT];
    void *memory[4];
    tern_time now;
};

static inline void engine_pool(struct tern_pool *pool, void **memory, size_t item, uint32_t count)
{
    const size_t bytes = (tern_pool_bytes(item, count) + 63) / 64 * 64;

    *memory = aligned_alloc(64, bytes);
    assert_non_null(*memory);
    memset(*memory, 0, bytes);
    tern_pool_init(pool, *memory, item, count);
}

static inline void engine_chunks(struct tern_chunks *c, void *memory[2], uint32_t chunks,
                                 uint32_t maps)
{
    engine_pool(&c->chunks, &memory[0], ENGINE_CHUNK_BYTES, chunks);
    engine_pool(&c->maps, &memory[1], ENGINE_MAP_COUNT * sizeof(uint32_t), maps);
    c->chunk_shift = ENGINE_CHUNK_SHIFT;
    c->map_count = ENGINE_MAP_COUNT;
}

static inline void engine_open(struct engine *e, uint32_t chunks)
{
    memset(e, 0, sizeof *e);
    engine_chunks(&e->env.chunks, e->memory, chunks, 8);
    engine_pool(&e->env.ranges, &e->memory[2],
                sizeof(struct tern_ranges) + TERN_TCP_SACK_RANGES * sizeof(struct tern_range), 8);
    engine_pool(&e->env.logs, &e->memory[3], sizeof(struct tern_sentlog), 8);
    e->env.ranges_count = TERN_TCP_SACK_RANGES;
    e->env.traces = &e->traces;
    e->env.drops = e->drops;
    e->env.mtu_bytes = 1500;
    e->env.super_bytes_max = 6 * ENGINE_CHUNK_BYTES;
    e->env.send_buffer_bytes = e->env.receive_buffer_bytes = ENGINE_BYTES;
    e->now = TERN_SECOND;
}

static inline void engine_close(struct engine *e)
{
    assert_int_equal(e->env.chunks.chunks.used, 0);
    assert_int_equal(e->env.chunks.maps.used, 0);
    assert_int_equal(e->env.ranges.used, 0);
    assert_int_equal(e->env.logs.used, 0);
    assert_int_equal(e->env.send_chunks, 0);
    for (int i = 0; i < 4; i++)
        free(e->memory[i]);
}

/* A segment of the peer's: text starts so many bytes into its stream. */
static inline void engine_input(struct engine *e, struct tern_tcb *c, uint8_t flags, uint32_t at,
                                tern_span text)
{
    struct tern_segment seg = {.text = text};

    seg.h.seq = tern_seq_of(ENGINE_PEER_SEQ + 1 + at - ((flags & TERN_TCP_SYN) != 0));
    seg.h.ack = tern_tcb_wrap(c->snd.max);
    seg.h.flags = flags;
    seg.h.window = 60000;
    seg.h.has_mss = (flags & TERN_TCP_SYN) != 0;
    seg.h.mss = ENGINE_MSS;
    seg.h.sack_permitted = (flags & TERN_TCP_SYN) != 0;
    tern_tcb_input(c, &seg, e->now);
    tern_tcb_check(c);
}

/* Everything that it has to say now; the last header goes to *h. Returns how many segments. */
static inline uint32_t engine_drain(struct engine *e, struct tern_tcb *c, struct tern_tcp_header *h)
{
    struct tern_segment_out out;
    uint32_t count = 0;

    while (tern_tcb_output(c, e->now, &out)) {
        *h = out.h;
        count++;
    }
    tern_tcb_check(c);
    return count;
}

static inline void engine_connect(struct engine *e, struct tern_tcb *c, uint16_t port)
{
    struct tern_tcb_options o = {.id = port, .iss = tern_seq_of(77), .cc = tern_cc_find("reno")};
    struct tern_tcp_header h;

    o.local = (struct tern_endpoint){tern_addr_v4(10, 0, 0, 1), port};
    o.remote = (struct tern_endpoint){tern_addr_v4(10, 0, 0, 2), 80};
    o.set.timestamps = o.set.sack = o.set.window_scale = true;
    tern_tcb_open_active(c, &e->env, &o, e->now);
    assert_int_equal(engine_drain(e, c, &h), 1);
    engine_input(e, c, TERN_TCP_SYN | TERN_TCP_ACK, 0, tern_span_of("", 0));
    assert_int_equal(c->state, TERN_TCP_ESTABLISHED);
    assert_int_equal(engine_drain(e, c, &h), 1);
}

#endif
