/* SPDX-License-Identifier: BSD-2-Clause */
/* The datagram ring against a naive queue: the same pushes and pops, the same answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "proto/dgram_queue.h"

#define BODY_MAX  400
#define MODEL_MAX 64

struct model {
    struct tern_dgram meta[MODEL_MAX];
    uint8_t body[MODEL_MAX][BODY_MAX];
    uint32_t bytes[MODEL_MAX];
    uint32_t first, count;
};

static struct tern_dgram meta_of(uint32_t n)
{
    return (struct tern_dgram){.peer = {tern_addr_from_be32(n), (uint16_t)n},
                               .at = (tern_time)n * TERN_MS,
                               .ttl = (uint8_t)n,
                               .tag = (uint16_t)(n * 3)};
}

static void fill(uint8_t *body, uint32_t bytes, uint32_t n)
{
    for (uint32_t i = 0; i < bytes; i++)
        body[i] = (uint8_t)(n * 7 + i);
}

static void expect_front(const struct tern_dgram_queue *q, const struct model *m)
{
    struct tern_dgram meta;
    tern_span body;

    if (m->count == 0) {
        assert_false(tern_dgram_queue_peek(q, &meta, &body));
        return;
    }
    assert_true(tern_dgram_queue_peek(q, &meta, &body));
    assert_true(tern_endpoint_equal(&meta.peer, &m->meta[m->first].peer));
    assert_int_equal(meta.at, m->meta[m->first].at);
    assert_int_equal(meta.ttl, m->meta[m->first].ttl);
    assert_int_equal(meta.tag, m->meta[m->first].tag);
    assert_int_equal(body.bytes, m->bytes[m->first]);
    assert_memory_equal(body.data, m->body[m->first], body.bytes);
}

static void push(struct tern_dgram_queue *q, struct model *m, uint32_t n, uint32_t bytes)
{
    const struct tern_dgram meta = meta_of(n);
    const uint32_t slot = (m->first + m->count) % MODEL_MAX;
    uint8_t body[BODY_MAX];

    fill(body, bytes, n);
    if (!tern_dgram_queue_push(q, &meta, tern_span_of(body, bytes)))
        return;
    assert_true(m->count < MODEL_MAX);
    m->meta[slot] = meta;
    memcpy(m->body[slot], body, bytes);
    m->bytes[slot] = bytes;
    m->count++;
}

static void pop(struct tern_dgram_queue *q, struct model *m)
{
    if (m->count == 0)
        return;
    tern_dgram_queue_pop(q);
    m->first = (m->first + 1) % MODEL_MAX;
    m->count--;
}

static void test_against_model(void **state)
{
    static const uint32_t sizes[] = {64, 72, 120, 512, 1000, 2048};
    static struct model m;

    (void)state;
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        uint8_t *ring = malloc(sizes[s]);
        struct tern_dgram_queue q;
        struct tern_random random;
        uint32_t most = 0;

        assert_non_null(ring);
        memset(&m, 0, sizeof m);
        tern_random_init(&random, &sizes[s], sizeof sizes[s], "test");
        tern_dgram_queue_init(&q, ring, sizes[s]);
        for (uint32_t n = 0; n < 30000; n++) {
            const uint32_t fullness = n / 100 % 4; /* long stretches of filling and of draining */

            if (tern_random_below(&random, 4) >= fullness)
                push(&q, &m, n, (uint32_t)tern_random_below(&random, n % BODY_MAX + 1));
            else
                pop(&q, &m);
            tern_dgram_queue_check(&q);
            assert_int_equal(q.count, m.count);
            expect_front(&q, &m);
            most = m.count > most ? m.count : most;
        }
        assert_true(most >= 1);
        free(ring);
    }
}

/* An empty queue takes a body as long as the ring less one header, wherever it stood before. */
static void test_longest(void **state)
{
    static uint8_t ring[512], body[512];
    const struct tern_dgram meta = meta_of(1);
    struct tern_dgram_queue q;
    uint32_t longest = 0;

    (void)state;
    tern_dgram_queue_init(&q, ring, sizeof ring);
    for (uint32_t n = 0; n <= sizeof body; n++) {
        if (!tern_dgram_queue_push(&q, &meta, tern_span_of(body, n)))
            break;
        longest = n;
        tern_dgram_queue_pop(&q);
        assert_true(tern_dgram_queue_push(&q, &meta, tern_span_of(body, 3)));
        tern_dgram_queue_pop(&q);
        tern_dgram_queue_check(&q);
    }
    assert_in_range(longest, 448, 504);
}

/* Bytes do not vanish: what was refused fits once enough was popped. */
static void test_refusal(void **state)
{
    static uint8_t ring[512], body[100];
    const struct tern_dgram meta = meta_of(1);
    struct tern_dgram_queue q;
    uint32_t held = 0;

    (void)state;
    tern_dgram_queue_init(&q, ring, sizeof ring);
    while (tern_dgram_queue_push(&q, &meta, tern_span_of(body, sizeof body)))
        assert_true(++held < 10);
    assert_in_range(held, 3, 4);
    for (uint32_t n = 0; n < 1000; n++) {
        tern_dgram_queue_pop(&q);
        assert_true(tern_dgram_queue_push(&q, &meta, tern_span_of(body, sizeof body)));
        assert_false(tern_dgram_queue_push(&q, &meta, tern_span_of(body, sizeof body)));
        tern_dgram_queue_check(&q);
    }
    assert_int_equal(q.count, held);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_model),
        cmocka_unit_test(test_longest),
        cmocka_unit_test(test_refusal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
