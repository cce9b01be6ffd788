/* SPDX-License-Identifier: BSD-2-Clause */
/* Datagram sockets. */
#include "world.h"

static int dgram(struct tern_sockets *t)
{
    return tern_socket(t, AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
}

static void to_and_fro(void **state)
{
    struct world w;
    struct sockaddr_in to = world_at(2, 53), from;
    struct sockaddr *sa = (struct sockaddr *)&from;
    socklen_t bytes = sizeof from;
    char got[16], one[2], rest[3];
    struct iovec parts[2] = {{one, 2}, {rest, 3}};
    struct msghdr m = {.msg_iov = parts, .msg_iovlen = 2};
    int a, b;

    (void)state;
    world_open(&w);
    a = dgram(w.a);
    b = dgram(w.b);
    assert_int_equal(world_bind(w.b, b, 0, 53), 0);
    assert_int_equal(polled(w.b, b), POLLOUT | POLLWRNORM);
    fails(tern_recv(w.b, b, got, sizeof got, 0), EAGAIN);
    fails(tern_send(w.a, a, "x", 1, 0), EDESTADDRREQ);
    fails(tern_recv(w.a, a, got, 1, MSG_OOB), EAGAIN); /* which Linux does not look at here */
    fails(tern_send(w.a, a, "x", 1, MSG_OOB), EOPNOTSUPP);
    assert_int_equal(tern_sendto(w.a, a, "question", 8, 0, (struct sockaddr *)&to, sizeof to), 8);
    world_settle(&w);
    assert_int_equal(polled(w.b, b), POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM);
    assert_int_equal(tern_recvfrom(w.b, b, got, 3, MSG_PEEK | MSG_TRUNC, sa, &bytes), 8);
    assert_int_equal(tern_recvmsg(w.b, b, &m, MSG_PEEK), 5);
    assert_int_equal(m.msg_flags, MSG_TRUNC);
    assert_memory_equal(rest, "est", 3);
    assert_int_equal(tern_recvfrom(w.b, b, got, sizeof got, 0, sa, &bytes), 8);
    assert_int_equal(ntohl(from.sin_addr.s_addr), 0x0a000001);
    assert_int_equal(tern_sendto(w.b, b, "", 0, 0, sa, bytes), 0); /* an empty one is one too */
    assert_int_equal(
        tern_sendmsg(w.b, b,
                     &(struct msghdr){
                         .msg_name = sa, .msg_namelen = bytes, .msg_iov = parts, .msg_iovlen = 2},
                     0),
        5);
    world_settle(&w);
    assert_int_equal(tern_recv(w.a, a, got, sizeof got, 0), 0);
    assert_int_equal(tern_recv(w.a, a, got, sizeof got, 0), 5);
    assert_memory_equal(got, "quest", 5);
    to.sin_family = AF_UNSPEC; /* Linux: from of old the same as AF_INET */
    assert_int_equal(tern_sendto(w.a, a, "old", 3, 0, (struct sockaddr *)&to, sizeof to), 3);
    world_settle(&w);
    assert_int_equal(tern_recv(w.b, b, got, sizeof got, 0), 3);
    world_close(&w);
}

static void refusals(void **state)
{
    static char big[70000];
    struct world w;
    struct sockaddr_in to = world_at(2, 0);
    int a;

    (void)state;
    world_open(&w);
    a = dgram(w.a);
    fails(tern_send(w.a, a, big, sizeof big, 0), EMSGSIZE); /* before it is asked where to */
    fails(tern_send(w.a, a, big, 65535, 0), EDESTADDRREQ);
    fails(tern_sendto(w.a, a, "x", 1, 0, (struct sockaddr *)&to, sizeof to), EINVAL);
    to = world_at(2, 7);
    fails(tern_sendto(w.a, a, "x", 1, 0, (struct sockaddr *)&to, 4), EINVAL);
    fails(tern_sendto(w.a, a, big, 1473, 0, (struct sockaddr *)&to, sizeof to), EMSGSIZE);
    fails(tern_sendto(w.a, a, big, sizeof big, 0, (struct sockaddr *)&to, sizeof to), EMSGSIZE);
    to.sin_addr.s_addr = htonl(0x08080808);
    fails(tern_sendto(w.a, a, "x", 1, 0, (struct sockaddr *)&to, sizeof to), ENETUNREACH);
    fails(tern_connect(w.a, a, (struct sockaddr *)&to, sizeof to), ENETUNREACH);
    fails(tern_shutdown(w.a, a, SHUT_WR), ENOTCONN);
    fails(tern_sendto(w.a, a, "x", 1, 0, (struct sockaddr *)&to, sizeof to), EPIPE);
    world_close(&w);
}

static void connected(void **state)
{
    struct world w;
    struct sockaddr_in name;
    socklen_t bytes = sizeof name;
    const struct sockaddr none = {.sa_family = AF_UNSPEC};
    char got[8];
    int a, b;

    (void)state;
    world_open(&w);
    a = dgram(w.a);
    b = dgram(w.b);
    assert_int_equal(world_bind(w.b, b, 2, 53), 0);
    assert_int_equal(world_dial(w.a, a, 2, 53), 0);
    assert_int_equal(tern_getsockname(w.a, a, (struct sockaddr *)&name, &bytes), 0);
    assert_int_equal(ntohl(name.sin_addr.s_addr), 0x0a000001);
    assert_int_equal(world_dial(w.b, b, 1, ntohs(name.sin_port)), 0);
    assert_int_equal(tern_write(w.a, a, "hi", 2), 2);
    world_settle(&w);
    assert_int_equal(tern_read(w.b, b, got, sizeof got), 2);
    /* nobody there any more: the error is told once, to a socket that is connected */
    assert_int_equal(tern_close(w.b, b), 0);
    assert_int_equal(tern_write(w.a, a, "hi", 2), 2);
    world_settle(&w);
    assert_int_not_equal(polled(w.a, a) & POLLERR, 0);
    fails(tern_read(w.a, a, got, sizeof got), ECONNREFUSED);
    fails(tern_read(w.a, a, got, sizeof got), EAGAIN);
    assert_int_equal(tern_connect(w.a, a, &none, sizeof none), 0);
    fails(tern_write(w.a, a, "hi", 2), EDESTADDRREQ);
    fails(tern_getpeername(w.a, a, (struct sockaddr *)&name, &bytes), ENOTCONN);
    assert_int_equal(world_dial(w.a, a, 2, 53), 0);
    /* Linux: shut, and nothing there: a read that may wait ends, one that may not is put off */
    assert_int_equal(tern_shutdown(w.a, a, SHUT_RD), 0);
    fails(tern_read(w.a, a, got, sizeof got), EAGAIN);
    assert_int_equal(tern_fcntl(w.a, a, F_SETFL, 0), 0);
    fails(tern_recv(w.a, a, got, sizeof got, MSG_DONTWAIT), EAGAIN);
    assert_int_equal(tern_read(w.a, a, got, sizeof got), 0);
    assert_int_not_equal(polled(w.a, a) & POLLRDHUP, 0);
    world_close(&w);
}

/* Linux: who is connected to nobody any more has no address but that of bind(). */
static void disconnected(void **state)
{
    const struct sockaddr none = {.sa_family = AF_UNSPEC};

    (void)state;
    for (uint8_t bound = 0; bound < 2; bound++) {
        struct world w;
        struct sockaddr_in name;
        socklen_t bytes = sizeof name;
        int a;

        world_open(&w);
        a = dgram(w.a);
        assert_int_equal(world_bind(w.a, a, bound, 7), 0); /* bound to all, or to 10.0.0.1 */
        assert_int_equal(world_dial(w.a, a, 2, 53), 0);
        assert_int_equal(tern_getsockname(w.a, a, (struct sockaddr *)&name, &bytes), 0);
        assert_int_equal(ntohl(name.sin_addr.s_addr), 0x0a000001);
        assert_int_equal(tern_connect(w.a, a, &none, sizeof none), 0);
        assert_int_equal(tern_getsockname(w.a, a, (struct sockaddr *)&name, &bytes), 0);
        assert_int_equal(ntohl(name.sin_addr.s_addr), bound ? 0x0a000001 : 0);
        assert_int_equal(ntohs(name.sin_port), 7);
        world_close(&w);
    }
}

/* A firewall on the way: Linux says EHOSTUNREACH then, and ECONNREFUSED where the peer refused. */
static void prohibited(void **state)
{
    struct world w;
    struct bench *end;
    char got[8];
    int a;

    (void)state;
    world_open(&w);
    end = &w.pair.end[0];
    a = dgram(w.a);
    assert_int_equal(world_bind(w.a, a, 1, 7), 0);
    assert_int_equal(world_dial(w.a, a, 2, 53), 0);
    bench_icmp_error(end, TERN_ICMP_UNREACHABLE, TERN_ICMP_ADMIN_PROHIBITED, TERN_IP_UDP, 7, 53, 0);
    assert_int_not_equal(polled(w.a, a) & POLLERR, 0);
    fails(tern_read(w.a, a, got, sizeof got), EHOSTUNREACH);
    bench_icmp_error(end, TERN_ICMP_UNREACHABLE, TERN_ICMP_PORT_UNREACHABLE, TERN_IP_UDP, 7, 53, 0);
    fails(tern_read(w.a, a, got, sizeof got), ECONNREFUSED);
    fails(tern_read(w.a, a, got, sizeof got), EAGAIN);
    world_close(&w);
}

static void send_late(struct world *w)
{
    const struct sockaddr_in to = world_at(2, 53);

    assert_int_equal(
        tern_sendto(w->a, w->fd[0], "late", 4, 0, (const struct sockaddr *)&to, sizeof to), 4);
}

static void blocking(void **state)
{
    struct world w;
    char got[8];
    int b;

    (void)state;
    world_open(&w);
    w.fd[0] = dgram(w.a);
    b = tern_socket(w.b, AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(world_bind(w.b, b, 2, 53), 0);
    w.meanwhile = send_late;
    assert_int_equal(tern_recv(w.b, b, got, sizeof got, 0), 4);
    fails(tern_recv(w.b, b, got, sizeof got, MSG_DONTWAIT), EAGAIN);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(to_and_fro),   cmocka_unit_test(refusals),   cmocka_unit_test(connected),
        cmocka_unit_test(disconnected), cmocka_unit_test(prohibited), cmocka_unit_test(blocking),
    };

    return cmocka_run_group_tests_name("socket_dgram", tests, NULL, NULL);
}
