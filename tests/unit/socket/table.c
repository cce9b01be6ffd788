/* SPDX-License-Identifier: BSD-2-Clause */
/* The table: memory, descriptors, whose events are whose. */
#include "world.h"

#include <tern/ping.h>

static void memory(void **state)
{
    struct tern_sockets_config c;
    struct tern_sockets *t;
    struct bench b;
    struct tern_config stack;
    uint8_t *room;
    size_t bytes;

    (void)state;
    bench_config(&stack, 1);
    bench_open(&b, &stack);
    tern_sockets_config_defaults(&c);
    assert_int_equal(c.sockets_max, 256);
    assert_int_equal(c.fd_first, 3);
    bytes = tern_sockets_bytes(&c);
    room = aligned_alloc(64, (bytes + 63) / 64 * 64);
    assert_int_equal(tern_sockets_init(room, bytes, &c, &t), TERN_ERR_INVAL);
    c.stack = b.stack;
    assert_int_equal(tern_sockets_init(room, bytes - 1, &c, &t), TERN_ERR_MEMORY);
    assert_int_equal(tern_sockets_init(room, bytes, &c, &t), TERN_ERR_OK);
    tern_sockets_check(t);
    tern_sockets_fini(t);
    c.sockets_max = 0;
    assert_int_equal(tern_sockets_init(room, bytes, &c, &t), TERN_ERR_INVAL);
    free(room);
    bench_close(&b);
}

static void lowest_free_number(void **state)
{
    struct world w;

    (void)state;
    world_open(&w);
    for (int i = 0; i < 12; i++)
        assert_int_equal(tern_socket(w.a, AF_INET, SOCK_STREAM, 0), 3 + i);
    fails(tern_socket(w.a, AF_INET, SOCK_STREAM, 0), ENFILE);
    assert_int_equal(tern_close(w.a, 7), 0);
    fails(tern_close(w.a, 7), EBADF);
    assert_int_equal(tern_epoll_create(w.a, 0), 7);
    assert_int_equal(tern_sockets_ready(w.a, 99), POLLNVAL);
    assert_null(tern_sockets_conn(w.a, 3));
    world_close(&w);
}

static void which_sockets(void **state)
{
    static const struct {
        int domain, type, protocol, error;
    } rows[] = {
        {AF_INET, SOCK_STREAM, 0, 0},
        {AF_INET, SOCK_STREAM, IPPROTO_TCP, 0},
        {AF_INET, SOCK_DGRAM, IPPROTO_UDP, 0},
        {AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0, 0},
        {AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, 0, 0},
        {AF_UNIX, SOCK_STREAM, 0, EAFNOSUPPORT},
        {AF_INET, SOCK_SEQPACKET, 0, ESOCKTNOSUPPORT},
        {AF_INET, SOCK_RAW, 0, ESOCKTNOSUPPORT},
        {AF_INET, 99, 0, EINVAL},
        {AF_INET, SOCK_STREAM, IPPROTO_UDP, EPROTONOSUPPORT},
        {AF_INET, SOCK_DGRAM, IPPROTO_TCP, EPROTONOSUPPORT},
        {AF_INET, SOCK_STREAM, -1, EINVAL},
    };
    struct world w;

    (void)state;
    world_open(&w);
    for (size_t i = 0; i < ROWS(rows); i++) {
        errno = 0;
        if (tern_socket(w.a, rows[i].domain, rows[i].type, rows[i].protocol) < 0)
            assert_int_equal(errno, rows[i].error);
        else
            assert_int_equal(rows[i].error, 0);
    }
    world_close(&w);
}

/* ---- descriptors of the caller's ---- */

static int given[4], given_count, freed[8], freed_count;

static int give(void *arg)
{
    (void)arg;
    if (given_count == 0) {
        errno = EMFILE;
        return -1;
    }
    return given[--given_count];
}

static void take_back(void *arg, int fd)
{
    (void)arg;
    freed[freed_count++] = fd;
}

static void own_numbers(struct tern_config *stack, struct tern_sockets_config *table)
{
    (void)stack;
    if (table == NULL)
        return;
    table->fd_new = give;
    table->fd_free = take_back;
}

static void callers_numbers(void **state)
{
    struct world w;

    (void)state;
    given_count = freed_count = 0;
    world_open_with(&w, own_numbers);
    fails(tern_socket(w.a, AF_INET, SOCK_STREAM, 0), EMFILE);
    given[0] = 1000;
    given[1] = 7;
    given_count = 2;
    assert_int_equal(tern_socket(w.a, AF_INET, SOCK_STREAM, 0), 7);
    assert_int_equal(tern_socket(w.a, AF_INET, SOCK_DGRAM, 0), 1000);
    assert_int_equal(world_bind(w.a, 7, 1, 99), 0);
    assert_int_equal(tern_close(w.a, 1000), 0);
    assert_int_equal(freed_count, 1);
    assert_int_equal(freed[0], 1000);
    /* 7 was closed without our knowledge, and is given out again: the old socket is gone */
    given[0] = 7;
    given_count = 1;
    assert_int_equal(tern_socket(w.a, AF_INET, SOCK_STREAM, 0), 7);
    assert_int_equal(freed_count, 1);
    assert_int_equal(world_bind(w.a, 7, 1, 99), 0);
    world_close(&w);
    assert_int_equal(freed_count, 2);
}

/* Events of what is no socket go to the hook. */
static void strangers(void **state)
{
    struct world w;
    struct tern_conn *conn;
    const struct tern_tcp_options o = {.remote = {bench_addr(2), PORT}};

    (void)state;
    world_open(&w);
    w.side[0].strangers = 0;
    (void)world_listen(&w, 1);
    assert_int_equal(tern_tcp_connect(w.pair.end[0].stack, &o, &conn), TERN_ERR_OK);
    world_settle(&w);
    assert_true(w.side[0].strangers > 0);
    tern_tcp_abort(conn);
    world_close(&w);
}

static void told_of_changes(void **state)
{
    struct world w;
    uint32_t before;
    int a, b;
    char byte;

    (void)state;
    world_open(&w);
    world_connect(&w, &a, &b);
    before = w.side[1].changes;
    assert_int_equal(tern_write(w.a, a, "x", 1), 1);
    world_settle(&w);
    assert_true(w.side[1].changes > before);
    before = w.side[1].changes;
    assert_int_equal(tern_read(w.b, b, &byte, 1), 1); /* it is readable no more */
    assert_true(w.side[1].changes > before);
    assert_non_null(tern_sockets_conn(w.a, a));
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory),        cmocka_unit_test(lowest_free_number),
        cmocka_unit_test(which_sockets), cmocka_unit_test(callers_numbers),
        cmocka_unit_test(strangers),     cmocka_unit_test(told_of_changes),
    };

    return cmocka_run_group_tests_name("socket_table", tests, NULL, NULL);
}
