/* SPDX-License-Identifier: BSD-2-Clause */
/* connect and accept: what each call says in which phase, and what poll says meanwhile. */
#include "world.h"

#define T_IN  (POLLIN | POLLRDNORM)
#define T_OUT (POLLOUT | POLLWRNORM)

static int stream(struct tern_sockets *t)
{
    return tern_socket(t, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
}

static int disconnect(struct tern_sockets *t, int fd)
{
    const struct sockaddr none = {.sa_family = AF_UNSPEC};

    return tern_connect(t, fd, &none, sizeof none);
}

static void phases(void **state)
{
    struct world w;
    char byte;
    int fd;

    (void)state;
    world_open(&w);
    (void)world_listen(&w, 1);
    fd = stream(w.a);
    assert_int_equal(polled(w.a, fd), T_OUT | POLLHUP); /* as Linux: not connected yet */
    fails(tern_read(w.a, fd, &byte, 1), ENOTCONN);
    fails(tern_write(w.a, fd, "x", 1), EPIPE);
    fails(tern_shutdown(w.a, fd, SHUT_RDWR), ENOTCONN);
    assert_int_equal(disconnect(w.a, fd), 0);
    fails(world_dial(w.a, fd, 2, PORT), EINPROGRESS);
    assert_int_equal(polled(w.a, fd), 0);
    fails(world_dial(w.a, fd, 2, PORT), EALREADY);
    fails(tern_listen(w.a, fd, 1), EINVAL);
    fails(tern_write(w.a, fd, "x", 1), EAGAIN);
    fails(tern_read(w.a, fd, &byte, 1), EAGAIN);
    assert_int_equal(get_int(w.a, fd, SOL_SOCKET, SO_ERROR), 0);
    world_settle(&w);
    assert_int_equal(polled(w.a, fd), T_OUT);
    assert_int_equal(world_dial(w.a, fd, 2, PORT), 0); /* the first to hear of it */
    fails(world_dial(w.a, fd, 2, PORT), EISCONN);
    world_close(&w);
}

static void refused(void **state)
{
    struct world w;
    char byte;
    int fd;

    (void)state;
    world_open(&w);
    fd = stream(w.a);
    fails(world_dial(w.a, fd, 2, 9), EINPROGRESS);
    world_settle(&w);
    assert_int_equal(polled(w.a, fd), T_IN | T_OUT | POLLERR | POLLHUP | POLLRDHUP);
    assert_int_equal(get_int(w.a, fd, SOL_SOCKET, SO_ERROR), ECONNREFUSED);
    assert_int_equal(get_int(w.a, fd, SOL_SOCKET, SO_ERROR), 0); /* told once */
    assert_int_equal(tern_read(w.a, fd, &byte, 1), 0);
    fails(tern_write(w.a, fd, "x", 1), EPIPE);
    fails(world_dial(w.a, fd, 2, 9), ECONNABORTED);
    fails(world_dial(w.a, fd, 2, 9), EINPROGRESS); /* and it can be used again */
    world_settle(&w);
    fails(world_dial(w.a, fd, 2, 9), ECONNREFUSED);
    fails(world_dial(w.a, fd, 2, 9), EINPROGRESS);
    world_settle(&w);
    fails(tern_read(w.a, fd, &byte, 1), ECONNREFUSED);
    assert_int_equal(tern_close(w.a, fd), 0);
    world_close(&w);
}

static void nobody_there(void **state)
{
    struct world w;
    int fd;

    (void)state;
    world_open(&w);
    fd = stream(w.a);
    fails(world_dial(w.a, 99, 2, PORT), EBADF);
    fails(world_dial(w.a, fd, 255, PORT), ENETUNREACH); /* broadcast */
    fails(world_dial(w.a, fd, 9, PORT), EINPROGRESS);   /* no such neighbour */
    world_run(&w, 200 * TERN_SECOND);
    assert_int_equal(get_int(w.a, fd, SOL_SOCKET, SO_ERROR), EHOSTUNREACH);
    world_close(&w);
}

static void silence(void **state)
{
    struct world w;
    int fd;

    (void)state;
    world_open(&w);
    fd = stream(w.a);
    set_int(w.a, fd, IPPROTO_TCP, 7 /* TCP_SYNCNT */, 1);
    fails(world_dial(w.a, fd, 2, PORT), EINPROGRESS);
    pair_settle(&w.pair);
    assert_int_equal(tern_close(w.a, fd), 0);
    world_listen(&w, 1);
    fd = stream(w.a);
    set_int(w.a, fd, IPPROTO_TCP, 7, 1);
    w.pair.cut = true;
    fails(world_dial(w.a, fd, 2, PORT), EINPROGRESS);
    world_run(&w, 400 * TERN_SECOND);
    assert_int_not_equal(polled(w.a, fd) & POLLERR, 0);
    assert_int_equal(get_int(w.a, fd, SOL_SOCKET, SO_ERROR), ETIMEDOUT);
    w.pair.cut = false;
    world_close(&w);
}

/* ---- blocking ---- */

static void accept_now(struct world *w)
{
    w->fd[1] = tern_accept(w->b, w->fd[0], NULL, NULL);
    assert_true(w->fd[1] >= 0);
}

static void blocking(void **state)
{
    struct world w;
    struct timeval limit = {0, 250000};
    tern_time before;
    int fd;

    (void)state;
    world_open(&w);
    w.fd[0] = world_listen(&w, 1);
    fd = tern_socket(w.a, AF_INET, SOCK_STREAM, 0);
    assert_int_equal(world_dial(w.a, fd, 2, PORT), 0);
    accept_now(&w);
    fd = tern_socket(w.a, AF_INET, SOCK_STREAM, 0);
    fails(world_dial(w.a, fd, 2, 9), ECONNREFUSED);
    /* SO_SNDTIMEO limits it; the attempt goes on */
    assert_int_equal(tern_setsockopt(w.a, fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit), 0);
    w.pair.cut = true;
    before = w.pair.end[0].now;
    fails(world_dial(w.a, fd, 2, PORT), EINPROGRESS);
    assert_int_equal(w.pair.end[0].now - before, 250 * TERN_MS);
    w.interrupt = EINTR;
    fails(world_dial(w.a, fd, 2, PORT), EINTR);
    w.pair.cut = false;
    world_close(&w);
}

static int dialled;

static void dial_now(struct world *w)
{
    dialled = stream(w->a);
    fails(world_dial(w->a, dialled, 2, PORT), EINPROGRESS);
}

static void accepting(void **state)
{
    struct world w;
    struct sockaddr_in from;
    socklen_t bytes = sizeof from;
    struct timeval limit = {1, 0};
    int listener, child, fd;

    (void)state;
    world_open(&w);
    listener = world_listen(&w, 1);
    fails(tern_accept4(w.b, listener, NULL, NULL, 1), EINVAL);
    fails(tern_accept(w.b, listener, (struct sockaddr *)&from, NULL), EFAULT);
    fails(tern_accept(w.b, stream(w.b), NULL, NULL), EINVAL);
    fails(tern_accept(w.b, tern_socket(w.b, AF_INET, SOCK_DGRAM, 0), NULL, NULL), EOPNOTSUPP);
    assert_int_equal(tern_fcntl(w.b, listener, F_SETFL, 0), 0);
    w.meanwhile = dial_now;
    fd = tern_accept(w.b, listener, (struct sockaddr *)&from, &bytes);
    assert_true(fd >= 0);
    assert_int_equal(ntohl(from.sin_addr.s_addr), 0x0a000001);
    assert_int_equal(tern_fcntl(w.b, fd, F_GETFL, 0), O_RDWR);
    child = fd;
    w.meanwhile = dial_now;
    fd = tern_accept4(w.b, listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    assert_int_equal(tern_fcntl(w.b, fd, F_GETFL, 0), O_RDWR | O_NONBLOCK);
    assert_int_equal(tern_fcntl(w.b, fd, F_GETFD, 0), FD_CLOEXEC);
    assert_int_equal(tern_setsockopt(w.b, listener, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit),
                     0);
    fails(tern_accept(w.b, listener, NULL, NULL), EAGAIN);
    assert_int_equal(tern_shutdown(w.b, listener, SHUT_WR), 0); /* nothing */
    assert_int_equal(tern_shutdown(w.b, listener, SHUT_RD), 0);
    fails(tern_accept(w.b, listener, NULL, NULL), EINVAL);
    fails(tern_listen(w.b, listener, 1), EADDRINUSE); /* as long as connections have the port */
    assert_int_equal(tern_close(w.b, fd), 0);
    assert_int_equal(tern_close(w.b, child), 0);
    assert_int_equal(tern_listen(w.b, listener, 1), 0); /* on the port that it still has */
    world_close(&w);
}

static void inherited(void **state)
{
    struct world w;
    int listener, fd;

    (void)state;
    world_open(&w);
    listener = world_listen(&w, 1);
    set_int(w.b, listener, SOL_SOCKET, SO_KEEPALIVE, 1);
    set_int(w.b, listener, IPPROTO_TCP, 1 /* TCP_NODELAY */, 1);
    set_int(w.b, listener, SOL_SOCKET, SO_RCVLOWAT, 3);
    dial_now(&w);
    world_settle(&w);
    fd = tern_accept(w.b, listener, NULL, NULL);
    assert_int_equal(get_int(w.b, fd, SOL_SOCKET, SO_KEEPALIVE), 1);
    assert_int_equal(get_int(w.b, fd, IPPROTO_TCP, 1), 1);
    assert_int_equal(get_int(w.b, fd, SOL_SOCKET, SO_RCVLOWAT), 3);
    assert_int_equal(get_int(w.b, fd, SOL_SOCKET, SO_ACCEPTCONN), 0);
    world_close(&w);
}

/* A connection has what its listener had when the handshake was made; what is set between it and
 * accept() is for those to come. */
static void inherited_at_the_handshake(void **state)
{
    const struct linger reset = {1, 0};
    struct linger told = {1, 1};
    socklen_t bytes = sizeof told;
    struct world w;
    char byte;
    int listener, fd;

    (void)state;
    world_open(&w);
    listener = world_listen(&w, 2);
    dial_now(&w);
    world_settle(&w);
    assert_int_equal(tern_setsockopt(w.b, listener, SOL_SOCKET, SO_LINGER, &reset, sizeof reset),
                     0);
    set_int(w.b, listener, SOL_SOCKET, SO_RCVLOWAT, 3);
    set_int(w.b, listener, IPPROTO_TCP, 8 /* TCP_LINGER2 */, 30);
    fd = tern_accept(w.b, listener, NULL, NULL);
    assert_int_equal(tern_getsockopt(w.b, fd, SOL_SOCKET, SO_LINGER, &told, &bytes), 0);
    assert_int_equal(told.l_onoff, 0);
    assert_int_equal(get_int(w.b, fd, SOL_SOCKET, SO_RCVLOWAT), 1);
    assert_int_equal(get_int(w.b, fd, IPPROTO_TCP, 8), 60);
    assert_int_equal(tern_close(w.b, fd), 0);
    world_settle(&w);
    assert_int_equal(tern_read(w.a, dialled, &byte, 1), 0); /* in order */
    assert_int_equal(tern_close(w.a, dialled), 0);
    dial_now(&w);
    world_settle(&w);
    fd = tern_accept(w.b, listener, NULL, NULL);
    assert_int_equal(get_int(w.b, fd, SOL_SOCKET, SO_RCVLOWAT), 3);
    assert_int_equal(get_int(w.b, fd, IPPROTO_TCP, 8), 30);
    assert_int_equal(tern_close(w.b, fd), 0);
    world_settle(&w);
    fails(tern_read(w.a, dialled, &byte, 1), ECONNRESET);
    world_close(&w);
}

/* shutdown() before a later connect() asked how the attempt ended. */
static void shut_down(void **state)
{
    static const int ways[] = {SHUT_RD, SHUT_WR, SHUT_RDWR};
    struct world w;
    int fd;

    (void)state;
    world_open(&w);
    (void)world_listen(&w, 5);
    for (size_t i = 0; i < ROWS(ways); i++) {
        fd = stream(w.a);
        fails(world_dial(w.a, fd, 2, PORT), EINPROGRESS);
        world_settle(&w);
        assert_int_equal(tern_shutdown(w.a, fd, ways[i]), 0);
        fails(world_dial(w.a, fd, 2, PORT), EISCONN);
        assert_int_equal(tern_close(w.a, fd), 0);
        fd = stream(w.a);
        fails(world_dial(w.a, fd, 2, 9), EINPROGRESS);
        world_settle(&w);
        fails(tern_shutdown(w.a, fd, ways[i]), ENOTCONN);
        fails(world_dial(w.a, fd, 2, 9), EINVAL);
        fails(world_dial(w.a, fd, 2, 9), EINVAL);
        assert_int_equal(get_int(w.a, fd, SOL_SOCKET, SO_ERROR), ECONNREFUSED);
        fails(tern_listen(w.a, fd, 1), EINVAL);
        assert_int_equal(disconnect(w.a, fd), 0);
        fails(world_dial(w.a, fd, 2, PORT), EINPROGRESS);
        assert_int_equal(tern_shutdown(w.a, fd, ways[i]), 0); /* before any answer: as if never */
        fails(world_dial(w.a, fd, 2, PORT), EINPROGRESS);
        assert_int_equal(tern_close(w.a, fd), 0);
    }
    world_close(&w);
}

static void given_up(void **state)
{
    struct world w;
    char byte;
    int a, b;

    (void)state;
    world_open(&w);
    world_connect(&w, &a, &b);
    assert_int_equal(disconnect(w.a, a), 0);
    world_settle(&w);
    fails(tern_read(w.b, b, &byte, 1), ECONNRESET);
    assert_int_equal(get_int(w.a, a, SOL_SOCKET, SO_ERROR), ECONNRESET); /* as Linux has it */
    fails(tern_read(w.a, a, &byte, 1), ENOTCONN);
    assert_int_equal(tern_close(w.b, b), 0);
    (void)world_listen(&w, 1);
    fails(world_dial(w.a, a, 2, PORT), EINPROGRESS);
    world_settle(&w);
    assert_int_equal(world_dial(w.a, a, 2, PORT), 0);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(phases),
        cmocka_unit_test(refused),
        cmocka_unit_test(nobody_there),
        cmocka_unit_test(silence),
        cmocka_unit_test(blocking),
        cmocka_unit_test(accepting),
        cmocka_unit_test(inherited),
        cmocka_unit_test(shut_down),
        cmocka_unit_test(inherited_at_the_handshake),
        cmocka_unit_test(given_up),
    };

    return cmocka_run_group_tests_name("socket_connect", tests, NULL, NULL);
}
