/* SPDX-License-Identifier: BSD-2-Clause */
/* The calls of tcp.h for the bytes of a connection: written, lent, looked at and read, with whom
 * they share the memory for it, and what a reset leaves of them. */
#include "bench.h"

/* Fills the buffer, is told to wait, and hears when there is room again. */
static void write_until_full(void **state)
{
    struct pair p;
    struct tern_listener *l;
    struct tern_conn *conn[2];
    static uint8_t bytes[70000], got[70000];
    size_t taken = 0, read = 0;
    ptrdiff_t n;

    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 13 + i / 256);
    pair_open_small(&p);
    l = pair_listen(&p, 1);
    pair_connect(&p, l, conn);
    (void)bench_events(&p.end[0], TERN_EVENT_CONN);
    p.cut = true;
    assert_int_equal(tern_tcp_write(conn[0], NULL, 0), 0);
    assert_int_equal(tern_tcp_write_space(conn[0]), 65536);
    while ((n = tern_tcp_write(conn[0], bytes + taken, sizeof bytes - taken)) > 0)
        taken += (size_t)n;
    assert_int_equal(n, TERN_ERR_AGAIN);
    assert_int_equal(taken, 65536);
    assert_int_equal(tern_tcp_write_space(conn[0]), 0);
    assert_int_equal(bench_events(&p.end[0], TERN_EVENT_CONN), 0);
    p.cut = false;
    for (int turn = 0; turn < 100 && read < sizeof bytes; turn++) {
        if ((bench_events(&p.end[0], TERN_EVENT_CONN) & TERN_CONN_WRITABLE) != 0) {
            n = tern_tcp_write(conn[0], bytes + taken, sizeof bytes - taken);
            taken += n > 0 ? (size_t)n : 0;
        }
        pair_run(&p, TERN_SECOND);
        n = tern_tcp_read(conn[1], got + read, sizeof got - read);
        read += n > 0 ? (size_t)n : 0;
    }
    assert_int_equal(read, sizeof bytes);
    assert_memory_equal(got, bytes, sizeof bytes);
    pair_close(&p);
}

static void peek_and_skip(void **state)
{
    struct pair p;
    struct tern_listener *l;
    struct tern_conn *conn[2];
    struct tern_slice slice;
    char got[16];

    (void)state;
    pair_open_small(&p);
    l = pair_listen(&p, 1);
    pair_connect(&p, l, conn);
    assert_int_equal(tern_tcp_peek(conn[1], &slice), TERN_ERR_AGAIN);
    assert_int_equal(tern_tcp_read(conn[1], got, sizeof got), TERN_ERR_AGAIN);
    assert_int_equal(tern_tcp_write(conn[0], "hello world", 11), 11);
    pair_settle(&p);
    for (int i = 0; i < 2; i++) { /* looking changes nothing */
        assert_true(tern_tcp_peek(conn[1], &slice) > 0);
        assert_memory_equal(slice.data, "hello world", slice.bytes);
    }
    tern_tcp_skip(conn[1], 0);
    tern_tcp_skip(conn[1], 6);
    assert_int_equal(tern_tcp_read(conn[1], got, 3), 3);
    assert_memory_equal(got, "wor", 3);
    assert_int_equal(tern_tcp_read(conn[1], got, sizeof got), 2);
    assert_memory_equal(got, "ld", 2);
    tern_tcp_shutdown(conn[0]);
    pair_settle(&p);
    assert_int_equal(tern_tcp_peek(conn[1], &slice), 0);
    assert_int_equal(tern_tcp_read(conn[1], got, sizeof got), 0);
    assert_int_equal(tern_tcp_read(conn[1], got, sizeof got), 0);
    pair_close(&p);
}

/* Bytes behind the first are seen, stay where they are whatever comes, and end where all ends. */
static void peek_further(void **state)
{
    struct pair p;
    struct tern_listener *l;
    struct tern_conn *conn[2];
    struct tern_slice slice, later;
    char got[16];

    (void)state;
    pair_open_small(&p);
    l = pair_listen(&p, 1);
    pair_connect(&p, l, conn);
    assert_int_equal(tern_tcp_peekv_from(conn[1], 0, &slice, 1), TERN_ERR_AGAIN);
    assert_int_equal(tern_tcp_write(conn[0], "hello world", 11), 11);
    pair_settle(&p);
    assert_int_equal(tern_tcp_peekv_from(conn[1], 6, &slice, 1), 1);
    assert_int_equal(slice.bytes, 5);
    assert_int_equal(tern_tcp_peekv_from(conn[1], 11, &later, 1), TERN_ERR_AGAIN);
    tern_tcp_skip(conn[1], 6);
    assert_int_equal(tern_tcp_write_urgent(conn[0], "!", 1), 1);
    assert_int_equal(tern_tcp_write(conn[0], "?", 1), 1);
    tern_tcp_shutdown(conn[0]);
    pair_settle(&p);
    assert_int_equal(tern_tcp_peekv_from(conn[1], 5, &later, 1), TERN_ERR_AGAIN); /* the mark */
    tern_tcp_abort(conn[0]);
    pair_settle(&p);
    assert_memory_equal(slice.data, "world", 5);
    assert_int_equal(tern_tcp_read(conn[1], got, sizeof got), 5);
    assert_int_equal(tern_tcp_peekv_from(conn[1], 0, &later, 1), 1);
    assert_int_equal(later.bytes, 2);
    assert_memory_equal(later.data, "!?", 2);
    assert_int_equal(tern_tcp_peekv_from(conn[1], 2, &later, 1), TERN_ERR_RESET);
    pair_close(&p);
}

/* What arrived before a reset can still be read; then comes the reason. */
static void read_before_reset(void **state)
{
    struct pair p;
    struct tern_listener *l;
    struct tern_conn *conn[2];
    char got[8];

    (void)state;
    pair_open_small(&p);
    l = pair_listen(&p, 1);
    pair_connect(&p, l, conn);
    assert_int_equal(tern_tcp_write(conn[0], "left", 4), 4);
    pair_settle(&p);
    tern_tcp_abort(conn[0]);
    pair_settle(&p);
    assert_int_equal(tern_tcp_read(conn[1], got, sizeof got), 4);
    assert_int_equal(tern_tcp_read(conn[1], got, sizeof got), TERN_ERR_RESET);
    pair_close(&p);
}

/* Two writers share few chunks: the one that found none hears when the other's are given back. */
static void writers_share(void **state)
{
    struct tern_config c[2];
    struct pair p;
    struct tern_listener *l;
    struct tern_conn *one[2], *two[2];
    static const uint8_t bytes[60000];
    uint8_t sink[4096];

    (void)state;
    for (uint8_t i = 0; i < 2; i++) {
        bench_config(&c[i], (uint8_t)(1 + i));
        c[i].chunks_max = 32;
    }
    pair_open(&p, &c[0], &c[1]);
    l = pair_listen(&p, 2);
    pair_connect(&p, l, one);
    pair_connect(&p, l, two);
    (void)bench_events(&p.end[0], TERN_EVENT_CONN);
    p.cut = true;
    assert_true(tern_tcp_write(one[0], bytes, sizeof bytes) > 0);
    assert_int_equal(tern_tcp_write(two[0], bytes, 100), TERN_ERR_AGAIN);
    p.cut = false;
    for (int turn = 0; turn < 60; turn++) {
        struct tern_event e;

        pair_run(&p, 100 * TERN_MS);
        while (tern_tcp_read(one[1], sink, sizeof sink) > 0) {
        }
        while (tern_stack_event(p.end[0].stack, &e))
            if (e.kind == TERN_EVENT_CONN && e.conn == two[0] &&
                (e.bits & TERN_CONN_WRITABLE) != 0) {
                assert_int_equal(tern_tcp_write(two[0], bytes, 100), 100);
                pair_close(&p);
                return;
            }
    }
    fail_msg("the second writer was never told");
}

/* Loans come back by events: acknowledged, or not, when a reset ends the connection; also after the
 * handle was given up. Whatever the errors, nothing is lent and nothing comes. */
static void lend(void **state)
{
    static const uint8_t bytes[30000];
    struct tern_listener *l;
    struct tern_conn *conn[2];
    struct tern_event e;
    struct pair p;
    char got[8];

    (void)state;
    pair_open_small(&p);
    l = pair_listen(&p, 1);
    pair_connect(&p, l, conn);
    assert_int_equal(tern_tcp_lend(conn[0], bytes, 0, NULL), TERN_ERR_INVAL);
    assert_int_equal(tern_tcp_write(conn[0], "head ", 5), 5);
    assert_int_equal(tern_tcp_lend(conn[0], "body", 4, got), TERN_ERR_OK);
    assert_int_equal(tern_tcp_lend(conn[0], bytes, sizeof bytes, NULL), TERN_ERR_OK);
    pair_settle(&p);
    assert_int_equal(tern_tcp_read(conn[1], got, 8), 8);
    assert_memory_equal(got, "head bod", 8);
    while (tern_stack_event(p.end[0].stack, &e) && e.kind != TERN_EVENT_LOAN) {
    }
    assert_int_equal(e.kind, TERN_EVENT_LOAN);
    assert_int_equal(e.bits, TERN_LOAN_ACKED);
    assert_ptr_equal(e.user, got);
    p.cut = true;
    assert_int_equal(tern_tcp_lend(conn[0], bytes, sizeof bytes, p.end), TERN_ERR_OK);
    tern_tcp_shutdown(conn[0]);
    assert_int_equal(tern_tcp_lend(conn[0], bytes, 1, NULL), TERN_ERR_CLOSED);
    pair_settle(&p);
    assert_int_equal(bench_events(&p.end[0], TERN_EVENT_LOAN) & ~(uint32_t)TERN_LOAN_ACKED, 0);
    tern_tcp_close(conn[0]);
    p.cut = false;
    tern_tcp_abort(conn[1]); /* nobody takes the second */
    pair_settle(&p);
    assert_true(tern_stack_event(p.end[0].stack, &e));
    assert_int_equal(e.kind, TERN_EVENT_LOAN);
    assert_int_equal(e.bits, 0);
    pair_close(&p);
}

/* So many loans of a connection, and of all. */
static void lend_too_many(void **state)
{
    struct tern_listener *l;
    struct tern_conn *conn[2];
    struct tern_config c[2];
    struct pair p;

    (void)state;
    for (uint8_t i = 0; i < 2; i++) {
        bench_config(&c[i], (uint8_t)(1 + i));
        c[i].loans_max = i == 0 ? 3 : 100;
    }
    pair_open(&p, &c[0], &c[1]);
    l = pair_listen(&p, 1);
    pair_connect(&p, l, conn);
    for (int end = 0; end < 2; end++) {
        for (int n = end == 0 ? 3 : 64; n > 0; n--)
            assert_int_equal(tern_tcp_lend(conn[end], "x", 1, NULL), TERN_ERR_OK);
        assert_int_equal(tern_tcp_lend(conn[end], "x", 1, NULL), TERN_ERR_AGAIN);
    }
    pair_settle(&p);
    pair_run(&p, TERN_SECOND);
    (void)bench_events(&p.end[0], TERN_EVENT_LOAN);
    assert_int_equal(tern_tcp_lend(conn[0], "x", 1, NULL), TERN_ERR_OK);
    pair_close(&p);
}

/* Who finds that others have all loans hears of it when one comes back. */
static void lend_after_others(void **state)
{
    struct tern_conn *first[2], *second[2];
    struct tern_config c[2];
    struct tern_event e;
    struct tern_listener *l;
    struct pair p;
    bool heard = false;

    (void)state;
    for (uint8_t i = 0; i < 2; i++)
        bench_config(&c[i], (uint8_t)(1 + i));
    c[0].loans_max = 1;
    pair_open(&p, &c[0], &c[1]);
    l = pair_listen(&p, 2);
    pair_connect(&p, l, first);
    pair_connect(&p, l, second);
    while (tern_stack_event(p.end[0].stack, &e)) {
    }
    assert_int_equal(tern_tcp_lend(first[0], "x", 1, NULL), TERN_ERR_OK);
    assert_int_equal(tern_tcp_lend(second[0], "x", 1, NULL), TERN_ERR_AGAIN);
    while (tern_stack_event(p.end[0].stack, &e))
        assert_ptr_not_equal(e.conn, second[0]);
    pair_settle(&p);
    pair_run(&p, TERN_SECOND);
    while (tern_stack_event(p.end[0].stack, &e))
        heard = heard || (e.kind == TERN_EVENT_CONN && e.conn == second[0] &&
                          (e.bits & TERN_CONN_WRITABLE) != 0);
    assert_true(heard);
    assert_int_equal(tern_tcp_lend(second[0], "x", 1, NULL), TERN_ERR_OK);
    pair_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(write_until_full), cmocka_unit_test(peek_and_skip),
        cmocka_unit_test(peek_further),     cmocka_unit_test(read_before_reset),
        cmocka_unit_test(writers_share),    cmocka_unit_test(lend),
        cmocka_unit_test(lend_too_many),    cmocka_unit_test(lend_after_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
