/* SPDX-License-Identifier: BSD-2-Clause */
/* bind and listen: addresses, ports, who is in whose way; and names as sockaddr has them. */
#include "world.h"

static int stream(struct tern_sockets *t)
{
    return tern_socket(t, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
}

static uint16_t port_of(struct tern_sockets *t, int fd)
{
    struct sockaddr_in at;
    socklen_t bytes = sizeof at;

    assert_int_equal(tern_getsockname(t, fd, (struct sockaddr *)&at, &bytes), 0);
    assert_int_equal(bytes, sizeof at);
    assert_int_equal(at.sin_family, AF_INET);
    return ntohs(at.sin_port);
}

static void addresses(void **state)
{
    struct world w;
    struct sockaddr_in at = world_at(1, 99);
    struct sockaddr *sa = (struct sockaddr *)&at;
    int fd;

    (void)state;
    world_open(&w);
    fd = stream(w.a);
    fails(tern_bind(w.a, 50, sa, sizeof at), EBADF);
    fails(tern_bind(w.a, fd, NULL, sizeof at), EFAULT);
    fails(tern_bind(w.a, fd, sa, sizeof at - 1), EINVAL);
    fails(tern_bind(w.a, fd, sa, 1), EINVAL);
    at.sin_family = AF_INET6;
    fails(tern_bind(w.a, fd, sa, sizeof at), EAFNOSUPPORT);
    at.sin_family = AF_UNSPEC; /* Linux: from of old the same, but with the address of all */
    fails(tern_bind(w.a, fd, sa, sizeof at), EAFNOSUPPORT);
    at.sin_addr.s_addr = 0;
    at.sin_port = htons(97);
    assert_int_equal(tern_bind(w.a, fd, sa, sizeof at), 0);
    assert_int_equal(port_of(w.a, fd), 97);
    assert_int_equal(tern_close(w.a, fd), 0);
    fd = stream(w.a);
    fails(world_bind(w.a, fd, 2, 99), EADDRNOTAVAIL);
    set_int(w.a, fd, IPPROTO_IP, IP_FREEBIND, 1);
    assert_int_equal(world_bind(w.a, fd, 2, 99), 0);
    assert_int_equal(port_of(w.a, fd), 99);
    fails(world_bind(w.a, fd, 1, 98), EINVAL); /* it has a port already */
    world_close(&w);
}

static void ports(void **state)
{
    struct world w;
    int one, two;

    (void)state;
    world_open(&w);
    one = stream(w.a);
    two = stream(w.a);
    assert_int_equal(port_of(w.a, one), 0);
    assert_int_equal(world_bind(w.a, one, 0, 0), 0);
    assert_true(port_of(w.a, one) >= 49152);
    fails(world_bind(w.a, two, 1, port_of(w.a, one)), EADDRINUSE);
    set_int(w.a, two, SOL_SOCKET, SO_REUSEADDR, 1);
    fails(world_bind(w.a, two, 1, port_of(w.a, one)), EADDRINUSE); /* both must want it */
    set_int(w.a, one, SOL_SOCKET, SO_REUSEADDR, 1);
    assert_int_equal(world_bind(w.a, two, 1, port_of(w.a, one)), 0);
    assert_int_equal(tern_listen(w.a, one, 1), 0);
    fails(tern_listen(w.a, two, 1), EADDRINUSE);
    assert_int_equal(tern_close(w.a, one), 0);
    assert_int_equal(tern_listen(w.a, two, 1), 0);
    /* UDP's ports are another world */
    one = tern_socket(w.a, AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(world_bind(w.a, one, 1, port_of(w.a, two)), 0);
    fails(tern_listen(w.a, one, 1), EOPNOTSUPP);
    world_close(&w);
}

static void listening(void **state)
{
    struct world w;
    int listener, fd, n = 0;

    (void)state;
    world_open(&w);
    listener = world_listen(&w, 1);
    assert_int_equal(get_int(w.b, listener, SOL_SOCKET, SO_ACCEPTCONN), 1);
    assert_int_equal(polled(w.b, listener), 0);
    fails(world_dial(w.b, listener, 1, 9), EISCONN);
    fails(tern_accept(w.b, listener, NULL, NULL), EAGAIN);
    for (int i = 0; i < 4; i++) { /* a backlog of 1 lets 2 wait, as Linux's does */
        fd = stream(w.a);
        fails(world_dial(w.a, fd, 2, PORT), EINPROGRESS);
        world_settle(&w);
    }
    while (tern_accept(w.b, listener, NULL, NULL) >= 0)
        n++;
    assert_int_equal(errno, EAGAIN);
    assert_int_equal(n, 2);
    assert_int_equal(tern_listen(w.b, listener, 5), 0); /* another backlog */
    fd = stream(w.b);
    assert_int_equal(tern_listen(w.b, fd, 1), 0); /* no bind: some port */
    assert_true(port_of(w.b, fd) >= 49152);
    world_close(&w);
}

static void mapped(void **state)
{
    struct world w;
    struct sockaddr_in6 at = {.sin6_family = AF_INET6, .sin6_port = htons(PORT)};
    struct sockaddr_in6 name;
    socklen_t bytes = sizeof name;
    int listener, a, b;

    (void)state;
    world_open(&w);
    listener = tern_socket(w.b, AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0);
    assert_int_equal(tern_bind(w.b, listener, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(tern_listen(w.b, listener, 1), 0);
    a = tern_socket(w.a, AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0);
    assert_int_equal(inet_pton(AF_INET6, "::ffff:10.0.0.2", &at.sin6_addr), 1);
    fails(tern_connect(w.a, a, (struct sockaddr *)&at, sizeof at), EINPROGRESS);
    world_settle(&w);
    b = tern_accept(w.b, listener, (struct sockaddr *)&name, &bytes);
    assert_true(b >= 0);
    assert_int_equal(bytes, sizeof name);
    assert_int_equal(name.sin6_family, AF_INET6);
    assert_true(IN6_IS_ADDR_V4MAPPED(&name.sin6_addr));
    assert_int_equal(name.sin6_addr.s6_addr[15], 1);
    bytes = 8; /* less room: cut, and the whole length told */
    memset(&name, 0, sizeof name);
    assert_int_equal(tern_getpeername(w.a, a, (struct sockaddr *)&name, &bytes), 0);
    assert_int_equal(bytes, sizeof name);
    assert_int_equal(ntohs(name.sin6_port), PORT);
    assert_int_equal(name.sin6_addr.s6_addr[15], 0);
    /* an address of IPv6 proper leads nowhere; a mapped one does not with V6ONLY */
    a = tern_socket(w.a, AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0);
    set_int(w.a, a, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    fails(tern_connect(w.a, a, (struct sockaddr *)&at, sizeof at), ENETUNREACH);
    assert_int_equal(inet_pton(AF_INET6, "2001:db8::1", &at.sin6_addr), 1);
    fails(tern_connect(w.a, a, (struct sockaddr *)&at, sizeof at), ENETUNREACH);
    world_close(&w);
}

static void names(void **state)
{
    struct world w;
    struct sockaddr_in at;
    struct sockaddr *sa = (struct sockaddr *)&at;
    socklen_t bytes = sizeof at;
    int a, b;

    (void)state;
    world_open(&w);
    world_connect(&w, &a, &b);
    assert_int_equal(tern_getpeername(w.a, a, sa, &bytes), 0);
    assert_int_equal(ntohs(at.sin_port), PORT);
    assert_int_equal(ntohl(at.sin_addr.s_addr), 0x0a000002);
    assert_int_equal(tern_getsockname(w.a, a, sa, &bytes), 0);
    assert_int_equal(ntohl(at.sin_addr.s_addr), 0x0a000001);
    assert_int_equal(ntohs(at.sin_port), port_of(w.a, a));
    assert_int_equal(tern_getpeername(w.b, b, sa, &bytes), 0);
    assert_int_equal(ntohs(at.sin_port), port_of(w.a, a));
    fails(tern_getpeername(w.b, b, NULL, &bytes), EFAULT);
    fails(tern_getsockname(w.b, b, sa, NULL), EFAULT);
    bytes = (socklen_t)-1;
    fails(tern_getsockname(w.b, b, sa, &bytes), EINVAL);
    bytes = sizeof at;
    fails(tern_getpeername(w.b, stream(w.b), sa, &bytes), ENOTCONN);
    assert_int_equal(tern_epoll_create(w.b, 0) >= 0, 1);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses), cmocka_unit_test(ports), cmocka_unit_test(listening),
        cmocka_unit_test(mapped),    cmocka_unit_test(names),
    };

    return cmocka_run_group_tests_name("socket_bind", tests, NULL, NULL);
}
