/* SPDX-License-Identifier: BSD-2-Clause */
/* What is written waits in half of the shared chunks at most, whoever writes it and in whatever
 * pieces. */
#include "engine.h"

static const uint8_t bytes[100000];

/* The half is filled to the last byte, in pieces of any length. */
static void half_of_the_pool(void **state)
{
    static const struct {
        uint32_t chunks;
        size_t piece;
        uint32_t held;
    } row[] = {
        {1, 1, 1},      {1, 100000, 1},   {2, 700, 1},    {9, 1024, 5},   {20, 1, 10},
        {20, 1000, 10}, {20, 100000, 10}, {21, 3000, 11}, {20, 1025, 10},
    };

    (void)state;
    for (size_t i = 0; i < ROWS(row); i++) {
        struct engine e;
        struct tern_tcb c;
        size_t taken, total = 0;

        engine_open(&e, row[i].chunks);
        engine_connect(&e, &c, 1);
        do {
            taken = tern_tcb_write(&c, bytes, row[i].piece);
            total += taken;
            assert_true(e.env.send_chunks <= (row[i].chunks + 1) / 2);
            assert_int_equal(e.env.send_chunks, c.sendq.held);
        } while (taken > 0);
        if (c.sendq.held != row[i].held ||
            total != row[i].held * ENGINE_CHUNK_BYTES - (c.snd.iss + 1) % ENGINE_CHUNK_BYTES)
            fail_msg("row %zu: %zu bytes in %u chunks", i, total, c.sendq.held);
        tern_tcb_fini(&c);
        engine_close(&e);
    }
}

/* Several writers have one half together; what one gives back another may have. */
static void shared(void **state)
{
    struct engine e;
    struct tern_tcb c[4];
    struct tern_random r;

    (void)state;
    engine_open(&e, 30);
    tern_random_init(&r, "sendq", 5, "test");
    for (uint16_t i = 0; i < 4; i++)
        engine_connect(&e, &c[i], i);
    for (int round = 0; round < 3000; round++) {
        struct tern_tcb *one = &c[tern_random_below(&r, 4)];
        struct tern_tcp_header h;
        uint32_t held = 0;

        if (tern_random_below(&r, 3) > 0) {
            (void)tern_tcb_write(one, bytes, tern_random_below(&r, 6000));
        } else { /* sent, and acknowledged */
            (void)engine_drain(&e, one, &h);
            engine_input(&e, one, TERN_TCP_ACK, 0, tern_span_of("", 0));
        }
        for (int i = 0; i < 4; i++) {
            held += c[i].sendq.held;
            tern_tcb_check(&c[i]);
        }
        assert_int_equal(e.env.send_chunks, held);
        assert_true(held <= 15);
    }
    for (int i = 0; i < 4; i++)
        tern_tcb_fini(&c[i]);
    engine_close(&e);
}

/* The send buffer's limit holds beside that of the pool. */
static void buffer_limit(void **state)
{
    struct engine e;
    struct tern_tcb c;

    (void)state;
    engine_open(&e, 200);
    engine_connect(&e, &c, 1);
    assert_int_equal(tern_tcb_write_space(&c), ENGINE_BYTES);
    assert_int_equal(tern_tcb_write(&c, bytes, sizeof bytes), ENGINE_BYTES);
    assert_int_equal(tern_tcb_write(&c, bytes, 1), 0);
    assert_int_equal(tern_tcb_write_space(&c), 0);
    tern_tcb_fini(&c);
    engine_close(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(half_of_the_pool),
        cmocka_unit_test(shared),
        cmocka_unit_test(buffer_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
