/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The byte queue against a model that keeps every byte of the stream in an array: random writes
 * within the span, in order and beyond holes, reads of what was written, advances, and pools that
 * run dry.
 */
#include "engine.h"

#define STREAM_BYTES 400000
#define START        ((UINT64_C(1) << 32) - 100000) /* the offsets cross 2^32 */
#define ROUNDS       20000

struct model {
    uint8_t bytes[STREAM_BYTES];
    bool written[STREAM_BYTES]; /* and not yet done with */
    uint32_t head, end;
};

static uint32_t chunks_of(const struct model *m)
{
    uint64_t last = UINT64_MAX;
    uint32_t count = 0;

    for (uint32_t i = m->head; i < m->end; i++) {
        const uint64_t chunk = (START + i) >> ENGINE_CHUNK_SHIFT;

        if (m->written[i] && chunk != last) {
            count++;
            last = chunk;
        }
    }
    return count;
}

static void write_some(struct model *m, struct tern_bytequeue *q, struct tern_chunks *c,
                       struct tern_random *r, uint8_t *data)
{
    const uint32_t span = (uint32_t)tern_bytequeue_span_max(c);
    const uint32_t ahead = tern_random_below(r, 3) == 0 ? (uint32_t)tern_random_below(r, 9000) : 0;
    const uint32_t at = (m->end > m->head ? m->end : m->head) + ahead;
    uint32_t bytes = (uint32_t)tern_random_below(r, 5000);
    size_t taken;

    if (at + bytes > STREAM_BYTES || at + bytes - m->head > span)
        return;
    for (uint32_t i = 0; i < bytes; i++)
        data[i] = (uint8_t)tern_random_u32(r);
    taken = tern_bytequeue_write(q, c, START + at, data, bytes);
    assert_true(taken <= bytes);
    if (taken < bytes)
        assert_true(c->chunks.used == c->chunks.count || (q->map == NULL && taken == 0));
    memcpy(m->bytes + at, data, taken);
    memset(m->written + at, 1, taken);
    if (taken > 0)
        m->end = at + (uint32_t)taken;
}

static void read_some(const struct model *m, const struct tern_bytequeue *q,
                      const struct tern_chunks *c, struct tern_random *r)
{
    uint32_t at, bytes = 0;
    struct tern_slice slice;

    if (m->end == m->head)
        return;
    at = m->head + (uint32_t)tern_random_below(r, m->end - m->head);
    while (bytes < 3000 && at + bytes < m->end && m->written[at + bytes])
        bytes++;
    if (bytes == 0)
        return;
    slice = tern_bytequeue_slice(q, c, START + at, bytes);
    assert_true(slice.bytes > 0);
    assert_true(slice.bytes <= bytes);
    assert_true(slice.bytes == bytes || (START + at + slice.bytes) % ENGINE_CHUNK_BYTES == 0);
    assert_memory_equal(slice.data, m->bytes + at, slice.bytes);
}

static void advance_some(struct model *m, struct tern_bytequeue *q, struct tern_chunks *c,
                         struct tern_random *r)
{
    const uint32_t to =
        m->head + (uint32_t)tern_random_below(r, (m->end > m->head ? m->end - m->head : 0) + 1u);

    memset(m->written + m->head, 0, to - m->head);
    m->head = to;
    if (m->end < m->head)
        m->end = m->head;
    tern_bytequeue_advance(q, c, START + to, START + m->end);
}

static void like_the_model(void **state)
{
    static const uint32_t chunks[] = {1, 5, 40, 200};

    (void)state;
    for (size_t i = 0; i < ROWS(chunks); i++) {
        struct model *m = calloc(1, sizeof *m);
        uint8_t *data = malloc(5000);
        struct tern_chunks c;
        struct tern_bytequeue q;
        struct tern_random r;
        void *memory[2];

        assert_non_null(m);
        assert_non_null(data);
        tern_random_init(&r, &chunks[i], sizeof chunks[i], "bytequeue");
        engine_chunks(&c, memory, chunks[i], 1);
        tern_bytequeue_init(&q, START);
        for (int round = 0; round < ROUNDS && m->end < STREAM_BYTES - 20000; round++) {
            switch (tern_random_below(&r, 4)) {
            case 0:
            case 1:
                write_some(m, &q, &c, &r, data);
                break;
            case 2:
                read_some(m, &q, &c, &r);
                break;
            default:
                advance_some(m, &q, &c, &r);
            }
            tern_bytequeue_check(&q, &c);
            assert_true(q.held == c.chunks.used);
            assert_true((q.map == NULL) == (q.held == 0));
            if (round % 16 == 0) /* no more memory than its bytes lie in */
                assert_int_equal(q.held, chunks_of(m));
        }
        tern_bytequeue_clear(&q, &c);
        assert_int_equal(c.chunks.used, 0);
        assert_int_equal(c.maps.used, 0);
        free(memory[0]);
        free(memory[1]);
        free(data);
        free(m);
    }
}

/* An empty pool, of chunks or of maps: what fits is taken, and the rest not. */
static void pools_run_dry(void **state)
{
    struct tern_chunks c;
    struct tern_bytequeue one, two;
    void *memory[2];
    static const uint8_t bytes[3 * ENGINE_CHUNK_BYTES];

    (void)state;
    engine_chunks(&c, memory, 2, 1);
    tern_bytequeue_init(&one, 100);
    tern_bytequeue_init(&two, 100);
    assert_int_equal(tern_bytequeue_write(&one, &c, 100, bytes, 0), 0);
    assert_null(one.map);
    assert_int_equal(tern_bytequeue_write(&one, &c, 100, bytes, sizeof bytes),
                     2 * ENGINE_CHUNK_BYTES - 100);
    assert_int_equal(tern_bytequeue_write(&two, &c, 100, bytes, 1), 0); /* no map */
    tern_bytequeue_advance(&one, &c, ENGINE_CHUNK_BYTES, 2 * ENGINE_CHUNK_BYTES);
    assert_int_equal(c.chunks.used, 1);
    tern_bytequeue_advance(&one, &c, 2 * ENGINE_CHUNK_BYTES, 2 * ENGINE_CHUNK_BYTES);
    assert_int_equal(c.chunks.used, 0);
    assert_int_equal(tern_bytequeue_write(&two, &c, 100, bytes, 1), 1);
    assert_int_equal(c.chunks.used, 1);
    tern_bytequeue_clear(&two, &c);
    free(memory[0]);
    free(memory[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(like_the_model),
        cmocka_unit_test(pools_run_dry),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
