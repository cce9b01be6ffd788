/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bytes that arrive in any order and in any cut, against a model that keeps a flag a byte: what is
 * acknowledged is always all that can be, and what is read is what was sent.
 */
#include "engine.h"

#define STREAM_BYTES 30000

static uint8_t stream[STREAM_BYTES];

static void arrive(struct engine *e, struct tern_tcb *c, uint32_t from, uint32_t to)
{
    struct tern_tcp_header h;

    engine_input(e, c, TERN_TCP_ACK, from, tern_span_of(stream + from, to - from));
    (void)engine_drain(e, c, &h);
}

static uint32_t received(const struct tern_tcb *c)
{
    return (uint32_t)(c->rcv.nxt - c->rcv.irs - 1);
}

/* docs/decisions/0027: a hole that never closes while others come is judged by a newer time, after
 * 2^28 bytes; where all of them close it is judged by its own. */
static void time_of_the_holes(void **state)
{
    struct engine e;
    struct tern_tcb c;

    (void)state;
    engine_open(&e, 64);
    engine_connect(&e, &c, 1);
    c.opt.ts_recent = 7;
    arrive(&e, &c, 100, 200);
    assert_int_equal(c.opt.hole_ts, 7);
    c.opt.ts_recent = 8;
    c.opt.hole_at = c.rcv.nxt - (UINT64_C(1) << 28) + 1;
    arrive(&e, &c, 300, 400);
    assert_int_equal(c.opt.hole_ts, 7);
    c.opt.hole_at--;
    arrive(&e, &c, 500, 600);
    assert_int_equal(c.opt.hole_ts, 8);
    assert_int_equal(c.opt.hole_at, c.rcv.nxt);
    c.opt.ts_recent = 9;
    arrive(&e, &c, 0, 600);
    arrive(&e, &c, 700, 800);
    assert_int_equal(c.opt.hole_ts, 9);
    tern_tcb_fini(&c);
    engine_close(&e);
}

/* Pieces by hand: what has arrived in order after all of them. */
static void holes(void **state)
{
    static const struct {
        const char *what;
        uint32_t piece[6][2];
        uint32_t received;
        uint16_t ranges; /* still beyond a hole */
    } row[] = {
        {"in order", {{0, 100}, {100, 200}}, 200, 0},
        {"one hole, filled", {{100, 200}, {0, 100}}, 200, 0},
        {"a hole, filled by more than it", {{100, 200}, {0, 150}}, 200, 0},
        {"a hole, filled by far more", {{100, 200}, {0, 300}}, 300, 0},
        {"two holes, the first filled", {{100, 200}, {300, 400}, {0, 100}}, 200, 1},
        {"two holes, filled at once", {{100, 200}, {300, 400}, {0, 300}}, 400, 0},
        {"two holes, and part of the second's end", {{100, 200}, {300, 400}, {0, 350}}, 400, 0},
        {"three, up to the middle of the last",
         {{100, 200}, {300, 400}, {500, 600}, {0, 501}},
         600,
         0},
        {"three, over the first, into the second",
         {{100, 200}, {300, 400}, {500, 600}, {0, 301}},
         400,
         1},
        {"the same twice", {{100, 200}, {100, 200}, {0, 100}, {0, 100}}, 200, 0},
        {"beyond, overlapping", {{100, 200}, {150, 250}, {50, 120}, {0, 10}}, 10, 1},
    };

    (void)state;
    for (size_t i = 0; i < ROWS(row); i++) {
        struct engine e;
        struct tern_tcb c;

        engine_open(&e, 64);
        engine_connect(&e, &c, 1);
        for (int k = 0; k < 6 && row[i].piece[k][1] > 0; k++)
            arrive(&e, &c, row[i].piece[k][0], row[i].piece[k][1]);
        if (received(&c) != row[i].received ||
            (c.rcv.ooo == NULL ? 0 : c.rcv.ooo->count) != row[i].ranges)
            fail_msg("%s: %u in order, %u beyond", row[i].what, received(&c),
                     c.rcv.ooo == NULL ? 0 : c.rcv.ooo->count);
        tern_tcb_fini(&c);
        engine_close(&e);
    }
}

static void read_all(struct tern_tcb *c, uint32_t *read, tern_time now)
{
    while (tern_tcb_unread(c) > 0) {
        const struct tern_slice s = tern_bytequeue_slice(&c->recvq, &c->env->chunks, c->rcv.head,
                                                         (size_t)tern_tcb_unread(c));

        assert_memory_equal(s.data, stream + *read, s.bytes);
        *read += (uint32_t)s.bytes;
        tern_tcb_skip(c, s.bytes, now);
    }
}

static void any_order(void **state)
{
    struct tern_random r;

    (void)state;
    tern_random_init(&r, "recvq", 5, "test");
    tern_random_bytes(&r, stream, sizeof stream);
    for (int run = 0; run < 200; run++) {
        struct engine e;
        struct tern_tcb c;
        static bool there[STREAM_BYTES];
        uint32_t first = 0, read = 0;

        memset(there, 0, sizeof there);
        engine_open(&e, 200);
        engine_connect(&e, &c, 1);
        for (int round = 0; round < 3000 && first < STREAM_BYTES; round++) {
            const uint32_t from = first + (uint32_t)tern_random_below(&r, 6000);
            const uint32_t start = tern_random_below(&r, 3) == 0 ? first : from;
            uint32_t to = start + 1 + (uint32_t)tern_random_below(&r, 2000);

            if (start >= STREAM_BYTES)
                continue;
            to = to > STREAM_BYTES ? STREAM_BYTES : to;
            if (c.rcv.ooo != NULL && c.rcv.ooo->count == TERN_TCP_SACK_RANGES)
                break; /* the model has no limit */
            arrive(&e, &c, start, to);
            memset(there + start, 1, to - start);
            while (first < STREAM_BYTES && there[first])
                first++;
            assert_int_equal(received(&c), first);
            if (tern_random_below(&r, 4) == 0)
                read_all(&c, &read, e.now);
        }
        read_all(&c, &read, e.now);
        assert_int_equal(read, first);
        tern_tcb_fini(&c);
        engine_close(&e);
    }
}

/* RFC 2883 §4, RFC 2018 §4: what came twice first, then the newest range, and only what is really
 * held. */
static void sack_blocks(void **state)
{
    struct engine e;
    struct tern_tcb c;
    struct tern_tcp_header h;
    static const uint32_t pieces[][2] = {{1000, 1100}, {3000, 3100}, {2000, 2100}, {1050, 1200}};
    static const uint32_t blocks[][2] = {{1050, 1100}, {1000, 1200}, {2000, 2100}, {3000, 3100}};

    (void)state;
    engine_open(&e, 64);
    engine_connect(&e, &c, 1);
    for (size_t i = 0; i < ROWS(pieces); i++) {
        engine_input(&e, &c, TERN_TCP_ACK, pieces[i][0],
                     tern_span_of(stream, pieces[i][1] - pieces[i][0]));
        assert_int_equal(engine_drain(&e, &c, &h), 1);
    }
    assert_int_equal(h.sack_count, ROWS(blocks));
    for (size_t i = 0; i < ROWS(blocks); i++) {
        assert_int_equal(h.sack[i].start.value - ENGINE_PEER_SEQ - 1, blocks[i][0]);
        assert_int_equal(h.sack[i].end.value - ENGINE_PEER_SEQ - 1, blocks[i][1]);
    }
    tern_tcb_fini(&c);
    engine_close(&e);
}

/* A reader that takes 50 MB in each round trip, as the receiver measures it, which on a short path
 * is the time that bytes wait in the buffer: it grows no further than the path can need. */
static void buffer_fits_the_path(void **state)
{
    static const struct {
        tern_time shortest;
        uint64_t least, most;
    } row[] = {
        {20 * TERN_US, 2200000, 2500000},
        {TERN_MS, 14000000, 14200000},
        {100 * TERN_MS, 100000000, 650000000},
    };

    (void)state;
    for (size_t i = 0; i < ROWS(row); i++) {
        struct engine e;
        struct tern_tcb c;
        uint64_t start;

        engine_open(&e, 64);
        engine_connect(&e, &c, 1);
        c.env->receive_buffer_bytes = UINT32_MAX;
        c.rcv.rtt = row[i].shortest > 2 * TERN_MS ? row[i].shortest : 2 * TERN_MS;
        c.rcv.rtt_least = row[i].shortest;
        start = c.rcv.head;
        for (int round = 1; round <= 20; round++) {
            c.rcv.head = c.rcv.nxt = start + (uint64_t)round * 50000000;
            tern_tcb_tune_on_read(&c, e.now + round * c.rcv.rtt);
        }
        c.rcv.head = c.rcv.nxt = start;
        assert_in_range(c.rcv.buffer, row[i].least, row[i].most);
        tern_tcb_fini(&c);
        engine_close(&e);
    }
}

/* Whatever comes beyond holes, on however many connections: what comes in order finds room, or
 * nobody would ever move again. */
static void tails_leave_room(void **state)
{
    enum { CONNECTIONS = 8, CHUNKS = 12, FIRST = 100 };
    struct engine e;
    struct tern_tcb c[CONNECTIONS];

    (void)state;
    engine_open(&e, CHUNKS);
    for (uint16_t i = 0; i < CONNECTIONS; i++)
        engine_connect(&e, &c[i], (uint16_t)(1 + i));
    for (uint32_t at = ENGINE_CHUNK_BYTES; at < 4 * ENGINE_CHUNK_BYTES; at += ENGINE_CHUNK_BYTES)
        for (uint32_t i = 0; i < CONNECTIONS; i++)
            arrive(&e, &c[i], at, at + 100);
    for (uint32_t i = 0; i < CONNECTIONS; i++) {
        arrive(&e, &c[i], 0, FIRST);
        assert_int_equal(received(&c[i]), FIRST);
    }
    assert_true(e.drops[TERN_DROP_TCP_NO_BUFFER] > 0); /* there was more than the pool holds */
    for (uint32_t i = 0; i < CONNECTIONS; i++)
        tern_tcb_fini(&c[i]);
    engine_close(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holes),
        cmocka_unit_test(time_of_the_holes),
        cmocka_unit_test(any_order),
        cmocka_unit_test(sack_blocks),
        cmocka_unit_test(buffer_fits_the_path),
        cmocka_unit_test(tails_leave_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
