/* SPDX-License-Identifier: BSD-2-Clause */
/* shutdown and close, their errors, SO_LINGER, and what poll and read say after each end. */
#include "world.h"

#define T_IN  (POLLIN | POLLRDNORM)
#define T_OUT (POLLOUT | POLLWRNORM)

static void half_close(void **state)
{
    struct world w;
    char got[8];
    int a, b;

    (void)state;
    world_open(&w);
    world_connect(&w, &a, &b);
    fails(tern_shutdown(w.a, a, 9), EINVAL);
    assert_int_equal(tern_write(w.a, a, "bye", 3), 3);
    assert_int_equal(tern_shutdown(w.a, a, SHUT_WR), 0);
    fails(tern_write(w.a, a, "x", 1), EPIPE);
    world_settle(&w);
    assert_int_equal(polled(w.a, a), T_OUT);
    assert_int_equal(polled(w.b, b), T_IN | T_OUT | POLLRDHUP);
    assert_int_equal(tern_read(w.b, b, got, sizeof got), 3);
    assert_int_equal(tern_read(w.b, b, got, sizeof got), 0);
    assert_int_equal(tern_read(w.b, b, got, sizeof got), 0);
    assert_int_equal(tern_write(w.b, b, "more", 4), 4); /* the other way goes on */
    world_settle(&w);
    assert_int_equal(tern_read(w.a, a, got, sizeof got), 4);
    fails(tern_read(w.a, a, got, sizeof got), EAGAIN);
    assert_int_equal(tern_shutdown(w.b, b, SHUT_WR), 0);
    world_settle(&w);
    assert_int_equal(polled(w.a, a), T_IN | T_OUT | POLLRDHUP | POLLHUP);
    assert_int_equal(polled(w.b, b), T_IN | T_OUT | POLLRDHUP | POLLHUP);
    assert_int_equal(tern_read(w.a, a, got, sizeof got), 0);
    fails(tern_shutdown(w.b, b, SHUT_RDWR), ENOTCONN);
    assert_int_equal(get_int(w.b, b, SOL_SOCKET, SO_ERROR), 0);
    world_close(&w);
}

static void read_end(void **state)
{
    struct world w;
    char got[8];
    int a, b;

    (void)state;
    world_open(&w);
    world_connect(&w, &a, &b);
    assert_int_equal(tern_write(w.a, a, "one", 3), 3);
    world_settle(&w);
    assert_int_equal(tern_shutdown(w.b, b, SHUT_RD), 0);
    assert_int_equal(polled(w.b, b), T_IN | T_OUT | POLLRDHUP);
    assert_int_equal(tern_read(w.b, b, got, sizeof got), 3); /* what is there is still given */
    assert_int_equal(tern_read(w.b, b, got, sizeof got), 0);
    assert_int_equal(tern_write(w.b, b, "two", 3), 3);
    assert_int_equal(tern_shutdown(w.b, b, SHUT_RDWR), 0);
    assert_int_equal(polled(w.b, b), T_IN | T_OUT | POLLRDHUP | POLLHUP);
    world_settle(&w);
    assert_int_equal(tern_read(w.a, a, got, sizeof got), 3);
    assert_int_equal(tern_read(w.a, a, got, sizeof got), 0);
    world_close(&w);
}

/* Text that comes once both directions are shut: nobody will read it, so its sender must hear
 * (RFC 9293 §3.6.1). */
static void both_ends(void **state)
{
    static const int ways[][2] = {{SHUT_RDWR, SHUT_RDWR}, {SHUT_WR, SHUT_RD}, {SHUT_RD, SHUT_WR}};
    struct world w;
    char got[8];
    int a, b;

    (void)state;
    for (size_t i = 0; i < ROWS(ways); i++) {
        world_open(&w);
        world_connect(&w, &a, &b);
        assert_int_equal(tern_write(w.b, b, "old", 3), 3);
        world_settle(&w);
        assert_int_equal(tern_shutdown(w.a, a, ways[i][0]), 0);
        assert_int_equal(tern_shutdown(w.a, a, ways[i][1]), 0);
        world_settle(&w);
        assert_int_equal(polled(w.a, a), T_IN | T_OUT | POLLRDHUP | POLLHUP);
        assert_int_equal(tern_write(w.b, b, "late", 4), 4);
        world_settle(&w);
        assert_int_equal(polled(w.a, a), T_IN | T_OUT | POLLRDHUP | POLLHUP | POLLERR);
        assert_int_equal(polled(w.b, b), T_IN | T_OUT | POLLRDHUP | POLLHUP | POLLERR);
        assert_int_equal(tern_read(w.a, a, got, sizeof got), 3);
        fails(tern_read(w.a, a, got, sizeof got), ECONNRESET);
        assert_int_equal(tern_read(w.a, a, got, sizeof got), 0);
        fails(tern_shutdown(w.a, a, SHUT_RDWR), ENOTCONN);
        assert_int_equal(tern_read(w.b, b, got, sizeof got), 0);
        fails(tern_write(w.b, b, "x", 1), EPIPE);
        world_close(&w);
    }
}

/* One direction alone: what comes is taken. */
static void one_end(void **state)
{
    static const int ways[] = {SHUT_RD, SHUT_WR};
    struct world w;
    char got[8];
    int a, b;

    (void)state;
    for (size_t i = 0; i < ROWS(ways); i++) {
        world_open(&w);
        world_connect(&w, &a, &b);
        assert_int_equal(tern_shutdown(w.a, a, ways[i]), 0);
        world_settle(&w);
        assert_int_equal(tern_write(w.b, b, "late", 4), 4);
        world_settle(&w);
        assert_int_equal(polled(w.b, b) & POLLERR, 0);
        assert_int_equal(tern_read(w.a, a, got, sizeof got), 4);
        world_close(&w);
    }
}

static void reset_by_unread(void **state)
{
    struct world w;
    char got[8];
    int a, b;

    (void)state;
    world_open(&w);
    world_connect(&w, &a, &b);
    assert_int_equal(tern_write(w.a, a, "unread", 6), 6);
    assert_int_equal(tern_write(w.b, b, "kept", 4), 4);
    world_settle(&w);
    assert_int_equal(tern_close(w.b, b), 0);
    world_settle(&w);
    assert_int_equal(polled(w.a, a), T_IN | T_OUT | POLLRDHUP | POLLHUP | POLLERR);
    assert_int_equal(tern_read(w.a, a, got, sizeof got), 4); /* bytes before the news */
    fails(tern_read(w.a, a, got, sizeof got), ECONNRESET);
    assert_int_equal(tern_read(w.a, a, got, sizeof got), 0);
    fails(tern_write(w.a, a, "x", 1), EPIPE);
    assert_int_equal(polled(w.a, a), T_IN | T_OUT | POLLRDHUP | POLLHUP);
    world_close(&w);
}

/* A reset after the peer's FIN: the reader saw the end, the writer hears of a broken pipe. */
static void reset_after_fin(void **state)
{
    struct world w;
    char got[8];
    int a, b;

    (void)state;
    world_open(&w);
    world_connect(&w, &a, &b);
    assert_int_equal(tern_close(w.b, b), 0);
    world_settle(&w);
    assert_int_equal(tern_write(w.a, a, "to nobody", 9), 9);
    world_settle(&w);
    assert_int_equal(tern_read(w.a, a, got, sizeof got), 0);
    fails(tern_write(w.a, a, "x", 1), EPIPE);
    world_close(&w);
}

static void linger(struct tern_sockets *t, int fd, int on, int seconds)
{
    const struct linger l = {on, seconds};

    assert_int_equal(tern_setsockopt(t, fd, SOL_SOCKET, SO_LINGER, &l, sizeof l), 0);
}

/* Linux: the seconds are taken where it is switched on, and stay when it is switched off. */
static void linger_told(void **state)
{
    struct world w;
    struct linger told;
    socklen_t bytes = sizeof told;
    int fd;

    (void)state;
    world_open(&w);
    fd = tern_socket(w.a, AF_INET, SOCK_STREAM, 0);
    linger(w.a, fd, 0, 7);
    assert_int_equal(tern_getsockopt(w.a, fd, SOL_SOCKET, SO_LINGER, &told, &bytes), 0);
    assert_int_equal(told.l_onoff, 0);
    assert_int_equal(told.l_linger, 0);
    linger(w.a, fd, 1, 5);
    linger(w.a, fd, 0, 7);
    assert_int_equal(tern_getsockopt(w.a, fd, SOL_SOCKET, SO_LINGER, &told, &bytes), 0);
    assert_int_equal(told.l_onoff, 0);
    assert_int_equal(told.l_linger, 5);
    world_close(&w);
}

static void linger_zero(void **state)
{
    struct world w;
    char got[8];
    int a, b;

    (void)state;
    world_open(&w);
    world_connect(&w, &a, &b);
    linger(w.a, a, 1, 0);
    assert_int_equal(tern_write(w.a, a, "lost", 4), 4);
    assert_int_equal(tern_close(w.a, a), 0);
    world_settle(&w);
    fails(tern_read(w.b, b, got, sizeof got), ECONNRESET);
    world_close(&w);
}

static void linger_long(void **state)
{
    struct world w;
    tern_time before;
    char got[16];
    int a, b;

    (void)state;
    world_open(&w);
    world_connect(&w, &a, &b);
    linger(w.a, a, 1, 5);
    before = w.pair.end[0].now;
    assert_int_equal(tern_write(w.a, a, "all of it", 9), 9);
    assert_int_equal(tern_close(w.a, a), 0); /* waits for the FIN's ACK, no longer */
    assert_true(w.pair.end[0].now - before < TERN_SECOND);
    fails(tern_close(w.a, a), EBADF);
    assert_int_equal(tern_read(w.b, b, got, sizeof got), 9);
    linger(w.b, b, 1, 5);
    w.pair.cut = true;
    before = w.pair.end[0].now;
    assert_int_equal(tern_write(w.b, b, "nobody hears", 12), 12);
    assert_int_equal(tern_close(w.b, b), 0);
    assert_int_equal(w.pair.end[0].now - before, 5 * TERN_SECOND);
    w.pair.cut = false;
    world_close(&w);
}

static void close_while_connecting(void **state)
{
    struct world w;
    int fd;

    (void)state;
    world_open(&w);
    (void)world_listen(&w, 1);
    fd = tern_socket(w.a, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    fails(world_dial(w.a, fd, 2, PORT), EINPROGRESS);
    assert_int_equal(tern_shutdown(w.a, fd, SHUT_WR), 0); /* Linux: as if it never was */
    assert_int_equal(polled(w.a, fd), T_OUT | POLLHUP | POLLERR);
    assert_int_equal(tern_close(w.a, fd), 0);
    fd = tern_socket(w.a, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    fails(world_dial(w.a, fd, 2, PORT), EINPROGRESS);
    assert_int_equal(tern_close(w.a, fd), 0);
    fails(tern_shutdown(w.a, fd, SHUT_WR), EBADF);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(half_close),      cmocka_unit_test(read_end),
        cmocka_unit_test(both_ends),       cmocka_unit_test(one_end),
        cmocka_unit_test(reset_by_unread), cmocka_unit_test(reset_after_fin),
        cmocka_unit_test(linger_told),     cmocka_unit_test(linger_zero),
        cmocka_unit_test(linger_long),     cmocka_unit_test(close_while_connecting),
    };

    return cmocka_run_group_tests_name("socket_close", tests, NULL, NULL);
}
