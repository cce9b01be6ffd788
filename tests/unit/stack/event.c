/* SPDX-License-Identifier: BSD-2-Clause */
/* Events: pulled in the order in which they came, merged until then, gone with what they are about.
 */
#include "bench.h"

static void none(void **state)
{
    struct pair p;
    struct tern_event e;

    (void)state;
    pair_open_small(&p);
    assert_false(tern_stack_event(p.end[0].stack, &e));
    pair_close(&p);
}

static void merged(void **state)
{
    struct pair p;
    struct tern_listener *l;
    struct tern_conn *conn[2];
    struct tern_event e;
    int mark;

    (void)state;
    pair_open_small(&p);
    l = pair_listen(&p, 4);
    pair_connect(&p, l, conn);
    tern_tcp_set_user(conn[1], &mark);
    (void)bench_events(&p.end[0], TERN_EVENT_CONN);
    (void)bench_events(&p.end[1], TERN_EVENT_CONN);
    assert_int_equal(tern_tcp_write(conn[0], "one", 3), 3);
    pair_settle(&p);
    tern_tcp_shutdown(conn[0]);
    pair_settle(&p);
    assert_true(tern_stack_event(p.end[1].stack, &e));
    assert_int_equal(e.kind, TERN_EVENT_CONN);
    assert_int_equal(e.bits, TERN_CONN_READABLE | TERN_CONN_PEER_FIN);
    assert_ptr_equal(e.conn, conn[1]);
    assert_ptr_equal(e.user, &mark);
    assert_false(tern_stack_event(p.end[1].stack, &e));
    assert_true(tern_stack_event(p.end[0].stack, &e));
    assert_int_equal(e.bits, TERN_CONN_SENT_ALL);
    assert_false(tern_stack_event(p.end[0].stack, &e));
    pair_close(&p);
}

static void in_order(void **state)
{
    struct pair p;
    struct tern_listener *l;
    struct tern_conn *conn[3][2];
    static const int order[] = {1, 0, 2};
    struct tern_event e;

    (void)state;
    pair_open_small(&p);
    l = pair_listen(&p, 4);
    for (int i = 0; i < 3; i++)
        pair_connect(&p, l, conn[i]);
    (void)bench_events(&p.end[1], TERN_EVENT_CONN);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(tern_tcp_write(conn[order[i]][0], "x", 1), 1);
        pair_settle(&p);
    }
    for (int i = 0; i < 3; i++) {
        assert_true(tern_stack_event(p.end[1].stack, &e));
        assert_ptr_equal(e.conn, conn[order[i]][1]);
    }
    pair_close(&p);
}

/* Each kind tells whom it is about, with the user's pointer. */
static void kinds(void **state)
{
    struct pair p;
    struct tern_event e;
    int listener_user, udp_user, ping_user;
    const struct tern_tcp_options lo = {.local = {.port = 80}, .user = &listener_user};
    const struct tern_endpoint local = {.port = 53}, to = {bench_addr(2), 53};
    struct tern_listener *l;
    struct tern_udp_socket *udp, *sender;
    struct tern_ping_socket *ping;

    (void)state;
    pair_open_small(&p);
    assert_int_equal(tern_tcp_listen(p.end[1].stack, &lo, 1, &l), TERN_ERR_OK);
    (void)pair_dial(&p);
    assert_true(tern_stack_event(p.end[1].stack, &e));
    assert_int_equal(e.kind, TERN_EVENT_LISTENER);
    assert_int_equal(e.bits, TERN_CONN_READABLE);
    assert_ptr_equal(e.listener, l);
    assert_ptr_equal(e.user, &listener_user);

    assert_int_equal(tern_udp_open(p.end[1].stack, &local, &udp_user, &udp), TERN_ERR_OK);
    assert_int_equal(tern_udp_open(p.end[0].stack, &local, NULL, &sender), TERN_ERR_OK);
    assert_int_equal(tern_udp_send(sender, &to, "x", 1), TERN_ERR_OK);
    pair_settle(&p);
    assert_true(tern_stack_event(p.end[1].stack, &e));
    assert_int_equal(e.kind, TERN_EVENT_UDP);
    assert_ptr_equal(e.udp, udp);
    assert_ptr_equal(e.user, &udp_user);

    (void)bench_events(&p.end[0], TERN_EVENT_CONN);
    assert_int_equal(tern_ping_open(p.end[0].stack, &ping_user, &ping), TERN_ERR_OK);
    assert_int_equal(tern_ping_send(ping, bench_addr(2), 1, 64, 8), TERN_ERR_OK);
    pair_settle(&p);
    assert_true(tern_stack_event(p.end[0].stack, &e));
    assert_int_equal(e.kind, TERN_EVENT_PING);
    assert_ptr_equal(e.ping, ping);
    assert_ptr_equal(e.user, &ping_user);
    pair_close(&p);
}

/* A handle that was given up is never heard of again. */
static void gone(void **state)
{
    struct pair p;
    struct tern_listener *l;
    struct tern_conn *conn[2];
    const struct tern_endpoint local = {.port = 53}, to = {bench_addr(2), 53};
    struct tern_udp_socket *udp, *sender;
    struct tern_event e;

    (void)state;
    pair_open_small(&p);
    l = pair_listen(&p, 4);
    pair_connect(&p, l, conn);
    assert_int_equal(tern_udp_open(p.end[1].stack, &local, NULL, &udp), TERN_ERR_OK);
    assert_int_equal(tern_udp_open(p.end[0].stack, &local, NULL, &sender), TERN_ERR_OK);
    (void)bench_events(&p.end[1], TERN_EVENT_CONN);
    assert_int_equal(tern_tcp_write(conn[0], "x", 1), 1);
    assert_int_equal(tern_udp_send(sender, &to, "x", 1), TERN_ERR_OK);
    (void)pair_dial(&p);
    tern_tcp_close(conn[1]);
    tern_udp_close(udp);
    tern_tcp_unlisten(l);
    assert_false(tern_stack_event(p.end[1].stack, &e));
    pair_settle(&p);
    assert_false(tern_stack_event(p.end[1].stack, &e));
    pair_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(none),  cmocka_unit_test(merged), cmocka_unit_test(in_order),
        cmocka_unit_test(kinds), cmocka_unit_test(gone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
