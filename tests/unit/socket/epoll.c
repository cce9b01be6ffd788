/* SPDX-License-Identifier: BSD-2-Clause */
/* poll and epoll: level and edge, one shot, time limits. */
#include "world.h"

static struct epoll_event out[4];

static int control(struct tern_sockets *t, int ep, int operation, int fd, uint32_t events)
{
    struct epoll_event event = {.events = events, .data = {.fd = fd}};

    return tern_epoll_ctl(t, ep, operation, fd, &event);
}

static void mistakes(void **state)
{
    struct world w;
    int ep, fd;

    (void)state;
    world_open(&w);
    fails(tern_epoll_create(w.a, 1), EINVAL);
    ep = tern_epoll_create(w.a, EPOLL_CLOEXEC);
    assert_int_equal(tern_fcntl(w.a, ep, F_GETFD, 0), FD_CLOEXEC);
    fd = tern_socket(w.a, AF_INET, SOCK_STREAM, 0);
    fails(control(w.a, 77, EPOLL_CTL_ADD, fd, EPOLLIN), EBADF);
    fails(control(w.a, ep, EPOLL_CTL_ADD, 77, EPOLLIN), EBADF);
    fails(control(w.a, ep, EPOLL_CTL_ADD, ep, EPOLLIN), EINVAL);
    fails(control(w.a, fd, EPOLL_CTL_ADD, fd, EPOLLIN), EINVAL);
    fails(control(w.a, ep, 9, fd, EPOLLIN), EINVAL);
    fails(tern_epoll_ctl(w.a, ep, EPOLL_CTL_ADD, fd, NULL), EFAULT);
    fails(control(w.a, ep, EPOLL_CTL_MOD, fd, EPOLLIN), ENOENT);
    assert_int_equal(control(w.a, ep, EPOLL_CTL_ADD, fd, EPOLLIN), 0);
    fails(control(w.a, ep, EPOLL_CTL_ADD, fd, EPOLLIN), EEXIST);
    assert_int_equal(tern_epoll_ctl(w.a, ep, EPOLL_CTL_DEL, fd, NULL), 0);
    fails(tern_epoll_ctl(w.a, ep, EPOLL_CTL_DEL, fd, NULL), ENOENT);
    fails(tern_epoll_wait(w.a, fd, out, 4, 0), EINVAL);
    fails(tern_epoll_wait(w.a, ep, out, 0, 0), EINVAL);
    fails(tern_epoll_wait(w.a, ep, NULL, 1, 0), EFAULT);
    fails(tern_epoll_wait(w.a, 77, out, 1, 0), EBADF);
    for (int i = 0; i < 6; i++) /* the table has room for six */
        assert_int_equal(
            control(w.a, ep, EPOLL_CTL_ADD, tern_socket(w.a, AF_INET, SOCK_DGRAM, 0), EPOLLIN), 0);
    fails(control(w.a, ep, EPOLL_CTL_ADD, fd, EPOLLIN), ENOSPC);
    assert_int_equal(tern_close(w.a, ep), 0);
    world_close(&w);
}

static void level(void **state)
{
    struct world w;
    char byte;
    int ep, a, b;

    (void)state;
    world_open(&w);
    world_connect(&w, &a, &b);
    ep = tern_epoll_create(w.b, 0);
    assert_int_equal(control(w.b, ep, EPOLL_CTL_ADD, b, EPOLLIN), 0);
    assert_int_equal(tern_epoll_wait(w.b, ep, out, 4, 0), 0);
    assert_int_equal(polled(w.b, ep), 0);
    assert_int_equal(tern_write(w.a, a, "xy", 2), 2);
    world_settle(&w);
    assert_int_equal(polled(w.b, ep), POLLIN | POLLRDNORM);
    for (int i = 0; i < 2; i++) { /* as often as it is asked */
        assert_int_equal(tern_epoll_wait(w.b, ep, out, 4, 0), 1);
        assert_int_equal(out[0].events, EPOLLIN);
        assert_int_equal(out[0].data.fd, b);
    }
    assert_int_equal(tern_read(w.b, b, &byte, 1), 1);
    assert_int_equal(tern_epoll_wait(w.b, ep, out, 4, 0), 1);
    assert_int_equal(tern_read(w.b, b, &byte, 1), 1);
    assert_int_equal(tern_epoll_wait(w.b, ep, out, 4, 0), 0);
    assert_int_equal(control(w.b, ep, EPOLL_CTL_MOD, b, EPOLLOUT), 0);
    assert_int_equal(tern_epoll_wait(w.b, ep, out, 4, 0), 1);
    assert_int_equal(out[0].events, EPOLLOUT);
    assert_int_equal(tern_close(w.b, b), 0); /* and the watch with it */
    assert_int_equal(tern_epoll_wait(w.b, ep, out, 4, 0), 0);
    world_close(&w);
}

static void edge(void **state)
{
    struct world w;
    char got[8];
    int ep, a, b;

    (void)state;
    world_open(&w);
    world_connect(&w, &a, &b);
    ep = tern_epoll_create(w.b, 0);
    assert_int_equal(control(w.b, ep, EPOLL_CTL_ADD, b, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET),
                     0);
    assert_int_equal(tern_epoll_wait(w.b, ep, out, 4, 0), 1);
    assert_int_equal(out[0].events, EPOLLOUT);
    assert_int_equal(tern_epoll_wait(w.b, ep, out, 4, 0), 0);
    for (int i = 0; i < 2; i++) { /* each arrival is an edge, though nothing was read */
        assert_int_equal(tern_write(w.a, a, "x", 1), 1);
        world_settle(&w);
        assert_int_equal(tern_epoll_wait(w.b, ep, out, 4, 0), 1);
        assert_int_equal(out[0].events, EPOLLIN | EPOLLOUT);
        assert_int_equal(tern_epoll_wait(w.b, ep, out, 4, 0), 0);
    }
    assert_int_equal(tern_read(w.b, b, got, sizeof got), 2);
    assert_int_equal(tern_shutdown(w.a, a, SHUT_WR), 0);
    world_settle(&w);
    assert_int_equal(tern_epoll_wait(w.b, ep, out, 4, 0), 1);
    assert_int_equal(out[0].events, EPOLLIN | EPOLLOUT | EPOLLRDHUP);
    world_close(&w);
}

static void one_shot(void **state)
{
    struct world w;
    int ep, a, b;

    (void)state;
    world_open(&w);
    world_connect(&w, &a, &b);
    ep = tern_epoll_create(w.b, 0);
    assert_int_equal(control(w.b, ep, EPOLL_CTL_ADD, b, EPOLLOUT | EPOLLONESHOT), 0);
    assert_int_equal(tern_epoll_wait(w.b, ep, out, 4, 0), 1);
    assert_int_equal(tern_epoll_wait(w.b, ep, out, 4, 0), 0);
    assert_int_equal(tern_close(w.a, a), 0);
    world_settle(&w);
    assert_int_equal(tern_epoll_wait(w.b, ep, out, 4, 0), 0); /* not even HUP */
    assert_int_equal(control(w.b, ep, EPOLL_CTL_MOD, b, EPOLLIN | EPOLLONESHOT), 0);
    assert_int_equal(tern_epoll_wait(w.b, ep, out, 4, 0), 1);
    world_close(&w);
}

/* More is ready than there is room for: the rest comes first the next time. */
static void turns(void **state)
{
    struct world w;
    int ep, first, second;

    (void)state;
    world_open(&w);
    ep = tern_epoll_create(w.a, 0);
    first = tern_socket(w.a, AF_INET, SOCK_DGRAM, 0);
    second = tern_socket(w.a, AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(control(w.a, ep, EPOLL_CTL_ADD, first, EPOLLOUT), 0);
    assert_int_equal(control(w.a, ep, EPOLL_CTL_ADD, second, EPOLLOUT), 0);
    assert_int_equal(tern_epoll_wait(w.a, ep, out, 1, 0), 1);
    assert_int_equal(out[0].data.fd, first);
    assert_int_equal(tern_epoll_wait(w.a, ep, out, 1, 0), 1);
    assert_int_equal(out[0].data.fd, second);
    assert_int_equal(tern_epoll_wait(w.a, ep, out, 4, 0), 2);
    world_close(&w);
}

static void send_late(struct world *w)
{
    assert_int_equal(tern_write(w->a, w->fd[0], "late", 4), 4);
}

static void with_time(void **state)
{
    struct world w;
    struct pollfd p[3];
    tern_time before;
    int ep, a, b;

    (void)state;
    world_open(&w);
    world_connect(&w, &a, &b);
    w.fd[0] = a;
    ep = tern_epoll_create(w.b, 0);
    assert_int_equal(control(w.b, ep, EPOLL_CTL_ADD, b, EPOLLIN | EPOLLET), 0);
    before = w.pair.end[1].now;
    assert_int_equal(tern_epoll_wait(w.b, ep, out, 4, 70), 0);
    assert_int_equal(w.pair.end[1].now - before, 70 * TERN_MS);
    w.meanwhile = send_late;
    assert_int_equal(tern_epoll_wait(w.b, ep, out, 4, -1), 1);
    p[0] = (struct pollfd){.fd = b, .events = POLLPRI};
    p[1] = (struct pollfd){.fd = -1, .events = POLLIN, .revents = 7};
    p[2] = (struct pollfd){.fd = a, .events = POLLIN};
    before = w.pair.end[1].now;
    assert_int_equal(tern_poll(w.b, p, 2, 50), 0);
    assert_int_equal(w.pair.end[1].now - before, 50 * TERN_MS);
    assert_int_equal(p[1].revents, 0);
    p[2].fd = 99;
    assert_int_equal(tern_poll(w.b, p, 3, -1), 1);
    assert_int_equal(p[2].revents, POLLNVAL);
    fails(tern_poll(w.b, NULL, 1, 0), EFAULT);
    w.interrupt = EINTR;
    fails(tern_poll(w.b, p, 2, -1), EINTR);
    world_close(&w);
}

/* An option is news to an edge only where it changes what can be read. */
static void edge_by_option(void **state)
{
    const struct linger soon = {1, 0};
    struct world w;
    int ep, a, b;

    (void)state;
    world_open(&w);
    world_connect(&w, &a, &b);
    ep = tern_epoll_create(w.b, 0);
    assert_int_equal(control(w.b, ep, EPOLL_CTL_ADD, b, EPOLLIN | EPOLLET), 0);
    assert_int_equal(tern_write(w.a, a, "abc", 3), 3);
    world_settle(&w);
    assert_int_equal(tern_epoll_wait(w.b, ep, out, 4, 0), 1);
    assert_int_equal(tern_setsockopt(w.b, b, SOL_SOCKET, SO_LINGER, &soon, sizeof soon), 0);
    set_int(w.b, b, SOL_SOCKET, SO_OOBINLINE, 1);
    set_int(w.b, b, IPPROTO_TCP, 1 /* TCP_NODELAY */, 1);
    assert_int_equal(tern_epoll_wait(w.b, ep, out, 4, 0), 0);
    set_int(w.b, b, SOL_SOCKET, SO_RCVLOWAT, 2);
    assert_int_equal(tern_epoll_wait(w.b, ep, out, 4, 0), 1);
    world_close(&w);
}

/* EPOLLERR and EPOLLHUP are told to who asked for nothing as well, but not past a one-shot. */
static void asked_for_nothing(void **state)
{
    struct world w;
    const struct linger soon = {1, 0};
    int ep, a, b;

    (void)state;
    world_open(&w);
    world_connect(&w, &a, &b);
    ep = tern_epoll_create(w.b, 0);
    assert_int_equal(control(w.b, ep, EPOLL_CTL_ADD, b, EPOLLIN | EPOLLONESHOT), 0);
    assert_int_equal(tern_write(w.a, a, "abc", 3), 3);
    world_settle(&w);
    assert_int_equal(tern_epoll_wait(w.b, ep, out, 4, 0), 1);
    assert_int_equal(tern_setsockopt(w.a, a, SOL_SOCKET, SO_LINGER, &soon, sizeof soon), 0);
    assert_int_equal(tern_close(w.a, a), 0);
    world_settle(&w);
    assert_int_equal(tern_epoll_wait(w.b, ep, out, 4, 0), 0);
    assert_int_equal(control(w.b, ep, EPOLL_CTL_MOD, b, 0), 0);
    assert_int_equal(tern_epoll_wait(w.b, ep, out, 4, 0), 1);
    assert_int_equal(out[0].events, EPOLLERR | EPOLLHUP);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mistakes),       cmocka_unit_test(level),
        cmocka_unit_test(edge),           cmocka_unit_test(one_shot),
        cmocka_unit_test(turns),          cmocka_unit_test(with_time),
        cmocka_unit_test(edge_by_option), cmocka_unit_test(asked_for_nothing),
    };

    return cmocka_run_group_tests_name("socket_epoll", tests, NULL, NULL);
}
