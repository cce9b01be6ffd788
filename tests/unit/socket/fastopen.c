/* SPDX-License-Identifier: BSD-2-Clause */
/* TCP Fast Open (RFC 7413) through MSG_FASTOPEN, TCP_FASTOPEN and TCP_FASTOPEN_CONNECT. */
#include "world.h"

#include <linux/tcp.h>

static int stream(struct tern_sockets *t)
{
    return tern_socket(t, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
}

static ssize_t open_and_send(struct tern_sockets *t, int fd, const void *data, size_t bytes)
{
    const struct sockaddr_in to = world_at(2, PORT);

    return tern_sendto(t, fd, data, bytes, MSG_FASTOPEN, (const struct sockaddr *)&to, sizeof to);
}

/* A listener that takes data in SYNs, and a cookie of its for a. */
static int listen_and_learn(struct world *w)
{
    const int listener = world_listen(w, 5);
    const int fd = stream(w->a);

    set_int(w->b, listener, IPPROTO_TCP, TCP_FASTOPEN, 5);
    fails(open_and_send(w->a, fd, "early", 5), EINPROGRESS); /* no cookie yet: nothing is taken */
    fails(open_and_send(w->a, fd, "early", 5), EALREADY);
    world_settle(w);
    assert_int_equal(open_and_send(w->a, fd, "later", 5), 5); /* after the handshake: a write */
    fails(open_and_send(w->a, fd, "later", 5), EISCONN);
    world_settle(w);
    assert_int_equal(tern_close(w->b, tern_accept(w->b, listener, NULL, NULL)), 0);
    assert_int_equal(tern_close(w->a, fd), 0);
    world_settle(w);
    return listener;
}

static void data_in_syn(void **state)
{
    struct world w;
    char got[16];
    int listener, a, b;

    (void)state;
    world_open(&w);
    fails(tern_send(w.a, stream(w.a), "x", 1, MSG_FASTOPEN), EDESTADDRREQ);
    listener = listen_and_learn(&w);
    a = stream(w.a);
    assert_int_equal(open_and_send(w.a, a, "early", 5), 5);
    w.pair.cut = true; /* the SYN is lost on the way ... */
    pair_settle(&w.pair);
    w.pair.cut = false;
    fails(tern_write(w.a, a, "x", 1), EAGAIN);
    world_run(&w, 3 * TERN_SECOND); /* ... and what goes again is a plain one */
    b = tern_accept(w.b, listener, NULL, NULL);
    assert_int_equal(tern_recv(w.b, b, got, sizeof got, MSG_DONTWAIT), 5);
    assert_memory_equal(got, "early", 5);
    world_close(&w);
}

/* The server reads and answers while the handshake goes on. */
static void server_answers_at_once(void **state)
{
    static char big[3000];
    struct world w;
    char got[16];
    struct tcp_info info;
    socklen_t bytes = sizeof info;
    int listener, a, b;

    (void)state;
    world_open(&w);
    listener = listen_and_learn(&w);
    a = stream(w.a);
    assert_int_equal(open_and_send(w.a, a, "ask", 3), 3);
    bench_drain(&w.pair.end[0]);
    world_settle(&w);
    b = tern_accept4(w.b, listener, NULL, NULL, SOCK_NONBLOCK);
    assert_true(b >= 0);
    assert_int_equal(tern_read(w.b, b, got, sizeof got), 3);
    assert_int_equal(tern_write(w.b, b, "answer", 6), 6);
    world_settle(&w);
    assert_int_equal(tern_read(w.a, a, got, sizeof got), 6);
    assert_int_equal(tern_getsockopt(w.a, a, IPPROTO_TCP, TCP_INFO, &info, &bytes), 0);
    assert_int_not_equal(info.tcpi_options & TCPI_OPT_SYN_DATA, 0);
    a = stream(w.a); /* more than a SYN holds: what fits */
    assert_int_equal(open_and_send(w.a, a, big, sizeof big), 1420);
    a = tern_socket(w.a, AF_INET, SOCK_STREAM, 0); /* blocking: all of it */
    assert_int_equal(open_and_send(w.a, a, big, sizeof big), sizeof big);
    a = stream(w.a);
    fails(open_and_send(w.a, a, NULL, 0), EINPROGRESS); /* as connect() */
    world_settle(&w);
    assert_int_equal(world_dial(w.a, a, 2, PORT), 0);
    world_close(&w);
}

static void connect_first(void **state)
{
    struct world w;
    char got[16];
    int listener, a, b;

    (void)state;
    world_open(&w);
    listener = listen_and_learn(&w);
    a = stream(w.a);
    set_int(w.a, a, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1);
    assert_int_equal(world_dial(w.a, a, 2, PORT), 0); /* at once: the SYN waits */
    world_settle(&w);
    assert_int_equal(polled(w.a, a), POLLOUT | POLLWRNORM);
    fails(tern_accept(w.b, listener, NULL, NULL), EAGAIN);
    fails(world_dial(w.a, a, 2, PORT), EISCONN);
    assert_int_equal(tern_write(w.a, a, "early", 5), 5);
    world_settle(&w);
    b = tern_accept(w.b, listener, NULL, NULL);
    assert_int_equal(tern_recv(w.b, b, got, sizeof got, MSG_DONTWAIT), 5);
    assert_int_equal(tern_write(w.a, a, "more", 4), 4);
    assert_int_equal(world_dial(w.a, a, 2, PORT), 0);
    fails(world_dial(w.a, a, 2, PORT), EISCONN);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(data_in_syn),
        cmocka_unit_test(server_answers_at_once),
        cmocka_unit_test(connect_first),
    };

    return cmocka_run_group_tests_name("socket_fastopen", tests, NULL, NULL);
}
