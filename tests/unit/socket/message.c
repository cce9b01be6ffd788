/* SPDX-License-Identifier: BSD-2-Clause */
/* Streams in and out by every call: read, recv, recvfrom, recvmsg and their writing kin; flags,
 * several buffers, and calls that block. */
#include "world.h"

#include <sys/uio.h>

static void plain(void **state)
{
    struct world w;
    char got[16];
    int a, b;

    (void)state;
    world_open(&w);
    world_connect(&w, &a, &b);
    fails(tern_read(w.b, b, got, sizeof got), EAGAIN);
    assert_int_equal(tern_read(w.b, b, NULL, 0), 0); /* nothing asked for, nothing waited for */
    fails(tern_read(w.b, b, NULL, 1), EFAULT);
    fails(tern_write(w.b, b, NULL, 1), EFAULT);
    assert_int_equal(tern_write(w.b, b, NULL, 0), 0);
    fails(tern_read(w.b, 77, got, 1), EBADF);
    fails(tern_recv(w.b, tern_epoll_create(w.b, 0), got, 1, 0), ENOTSOCK);
    assert_int_equal(tern_write(w.a, a, "hello", 5), 5);
    world_settle(&w);
    assert_int_equal(tern_recv(w.b, b, got, 0, 0), 0);
    assert_int_equal(tern_read(w.b, b, got, 2), 2);
    assert_int_equal(tern_read(w.b, b, got + 2, 10), 3);
    assert_memory_equal(got, "hello", 5);
    fails(tern_recv(w.b, b, got, 0, 0), EAGAIN);
    fails(tern_recv(w.b, b, got, 4, MSG_ERRQUEUE), EAGAIN);
    fails(tern_read(w.b, tern_socket(w.b, AF_INET, SOCK_STREAM, 0), got, 1), ENOTCONN);
    world_close(&w);
}

static void vectors(void **state)
{
    struct world w;
    char one[3], two[4], ab[] = "ab", cdefg[] = "cdefg";
    struct iovec out[3] = {{ab, 2}, {NULL, 0}, {cdefg, 5}};
    struct iovec in[2] = {{one, sizeof one}, {two, sizeof two}};
    struct iovec bad = {NULL, 3};
    int a, b;

    (void)state;
    world_open(&w);
    world_connect(&w, &a, &b);
    fails(tern_writev(w.a, a, out, -1), EINVAL);
    fails(tern_readv(w.a, a, in, 1025), EINVAL);
    fails(tern_writev(w.a, a, &bad, 1), EFAULT);
    fails(tern_writev(w.a, a, NULL, 1), EFAULT);
    assert_int_equal(tern_writev(w.a, a, out, 3), 7);
    world_settle(&w);
    assert_int_equal(tern_readv(w.b, b, in, 2), 7);
    assert_memory_equal(one, "abc", 3);
    assert_memory_equal(two, "defg", 4);
    world_close(&w);
}

static void flags(void **state)
{
    struct world w;
    char got[16];
    int a, b;

    (void)state;
    world_open(&w);
    world_connect(&w, &a, &b);
    assert_int_equal(tern_send(w.a, a, "abcdef", 6, MSG_NOSIGNAL), 6);
    world_settle(&w);
    assert_int_equal(tern_recv(w.b, b, got, 4, MSG_PEEK), 4);
    assert_int_equal(tern_recv(w.b, b, got, sizeof got, MSG_PEEK), 6);
    assert_int_equal(tern_recv(w.b, b, NULL, 0, MSG_PEEK), 0);
    memset(got, '-', sizeof got);
    assert_int_equal(tern_recv(w.b, b, got, 2, MSG_TRUNC), 2); /* thrown away */
    assert_int_equal(got[0], '-');
    assert_int_equal(tern_recv(w.b, b, got, sizeof got, MSG_WAITALL | MSG_DONTWAIT), 4);
    assert_memory_equal(got, "cdef", 4);
    world_close(&w);
}

static void held_back_by_more(void **state)
{
    struct world w;
    char got[16];
    int a, b;

    (void)state;
    world_open(&w);
    world_connect(&w, &a, &b);
    assert_int_equal(tern_send(w.a, a, "ab", 2, MSG_MORE), 2);
    world_settle(&w);
    fails(tern_read(w.b, b, got, sizeof got), EAGAIN);
    assert_int_equal(tern_send(w.a, a, "cd", 2, 0), 2);
    world_settle(&w);
    assert_int_equal(tern_read(w.b, b, got, sizeof got), 4);
    set_int(w.a, a, IPPROTO_TCP, 3 /* TCP_CORK */, 1);
    assert_int_equal(tern_send(w.a, a, "ef", 2, 0), 2);
    world_settle(&w);
    fails(tern_read(w.b, b, got, sizeof got), EAGAIN);
    set_int(w.a, a, IPPROTO_TCP, 3, 0);
    world_settle(&w);
    assert_int_equal(tern_read(w.b, b, got, sizeof got), 2);
    world_close(&w);
}

/* MSG_EOR: what follows goes in segments of its own, and the record does not wait for an ACK. */
static void records(void **state)
{
    static const size_t lengths[] = {3, 4};
    struct world w;
    struct tern_tcp_header h;
    tern_span text;
    int a, b;

    (void)state;
    world_open(&w);
    world_connect(&w, &a, &b);
    assert_int_equal(tern_send(w.a, a, "one", 3, MSG_EOR), 3);
    assert_int_equal(tern_send(w.a, a, "four", 4, MSG_EOR), 4);
    assert_int_equal(tern_send(w.a, a, "seven", 5, MSG_EOR), 5);
    bench_drain(&w.pair.end[0]);
    for (uint32_t i = 0; i < ROWS(lengths); i++) {
        assert_true(bench_sent_tcp(&w.pair.end[0], i, &h, &text));
        assert_int_equal(text.bytes, lengths[i]);
    }
    assert_false(bench_sent_tcp(&w.pair.end[0], 2, &h, &text)); /* the last one: Nagle's rule */
    world_settle(&w);
    world_close(&w);
}

static void messages(void **state)
{
    struct world w;
    char got[8];
    struct iovec part = {got, sizeof got};
    union {
        struct cmsghdr align;
        char room[CMSG_SPACE(sizeof(int))];
    } control;
    struct sockaddr_in from;
    struct msghdr m = {.msg_name = &from,
                       .msg_namelen = sizeof from,
                       .msg_iov = &part,
                       .msg_iovlen = 1,
                       .msg_control = &control,
                       .msg_controllen = sizeof control};
    int a, b, left;

    (void)state;
    world_open(&w);
    world_connect(&w, &a, &b);
    fails(tern_recvmsg(w.b, b, NULL, 0), EFAULT);
    m.msg_iovlen = 4096;
    fails(tern_recvmsg(w.b, b, &m, 0), EMSGSIZE);
    fails(tern_sendmsg(w.b, b, &m, 0), EMSGSIZE);
    m.msg_iovlen = 1;
    set_int(w.b, b, IPPROTO_TCP, 36 /* TCP_INQ */, 1);
    assert_int_equal(tern_sendto(w.a, a, "0123456789", 10, 0, NULL, 0), 10);
    world_settle(&w);
    assert_int_equal(tern_recvmsg(w.b, b, &m, 0), 8);
    assert_int_equal(m.msg_namelen, 0); /* a stream's peer is known */
    assert_int_equal(control.align.cmsg_level, IPPROTO_TCP);
    assert_int_equal(control.align.cmsg_type, 36);
    memcpy(&left, CMSG_DATA(&control.align), sizeof left);
    assert_int_equal(left, 2);
    m.msg_controllen = 4;
    assert_int_equal(tern_recvmsg(w.b, b, &m, 0), 2);
    assert_int_equal(m.msg_flags, MSG_CTRUNC);
    assert_int_equal(m.msg_controllen, 0);
    assert_int_equal(tern_write(w.a, a, "z", 1), 1);
    assert_int_equal(tern_shutdown(w.a, a, SHUT_WR), 0);
    world_settle(&w);
    m.msg_controllen = sizeof control;
    assert_int_equal(tern_recvmsg(w.b, b, &m, 0), 1);
    memcpy(&left, CMSG_DATA(&control.align), sizeof left);
    assert_int_equal(left, 1); /* the end */
    part.iov_len = 3;
    m.msg_name = NULL;
    assert_int_equal(tern_sendmsg(w.b, b, &m, MSG_EOR), 3);
    world_settle(&w);
    assert_int_equal(tern_recvfrom(w.a, a, got, sizeof got, 0, NULL, NULL), 3);
    world_close(&w);
}

/* ---- what blocks ---- */

static void send_late(struct world *w)
{
    assert_int_equal(tern_write(w->a, w->fd[0], "late", 4), 4);
}

static void close_late(struct world *w)
{
    assert_int_equal(tern_close(w->b, w->fd[1]), 0);
}

static void blocking_read(void **state)
{
    struct world w;
    char got[16];
    struct timeval limit = {0, 300000};
    tern_time before;
    int a, b;

    (void)state;
    world_open(&w);
    world_connect(&w, &a, &b);
    w.fd[0] = a;
    w.fd[1] = b;
    assert_int_equal(tern_fcntl(w.b, b, F_SETFL, 0), 0);
    w.meanwhile = send_late;
    assert_int_equal(tern_read(w.b, b, got, sizeof got), 4);
    assert_int_equal(tern_setsockopt(w.b, b, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit), 0);
    before = w.pair.end[1].now;
    fails(tern_read(w.b, b, got, sizeof got), EAGAIN);
    assert_int_equal(w.pair.end[1].now - before, 300 * TERN_MS);
    assert_int_equal(tern_write(w.a, a, "wait ", 5), 5);
    w.meanwhile = send_late;
    assert_int_equal(tern_recv(w.b, b, got, 9, MSG_WAITALL), 9);
    assert_memory_equal(got, "wait late", 9);
    assert_int_equal(tern_write(w.a, a, "part", 4), 4);
    assert_int_equal(tern_recv(w.b, b, got, 9, MSG_WAITALL), 4); /* the limit ran out */
    fails(tern_recv(w.b, b, got, 9, MSG_DONTWAIT), EAGAIN);
    w.interrupt = EINTR;
    fails(tern_read(w.b, b, got, sizeof got), EINTR);
    w.meanwhile = close_late; /* by another thread, so to speak */
    fails(tern_read(w.b, b, got, sizeof got), EBADF);
    world_close(&w);
}

static uint8_t big[300000], back[300000];
static size_t back_count;

static void drain_some(struct world *w)
{
    ssize_t n;

    while ((n = tern_read(w->b, w->fd[1], back + back_count, sizeof back - back_count)) > 0) {
        back_count += (size_t)n;
        pair_settle(&w->pair);
    }
    w->meanwhile = drain_some;
}

static void blocking_write(void **state)
{
    struct world w;
    ssize_t n;
    int a, b;

    (void)state;
    world_open(&w);
    world_connect(&w, &a, &b);
    w.fd[1] = b;
    back_count = 0;
    for (size_t i = 0; i < sizeof big; i++)
        big[i] = (uint8_t)(i * 7 + i / 253);
    n = tern_write(w.a, a, big, sizeof big); /* without blocking: what fits */
    assert_true(n > 0 && n < (ssize_t)sizeof big);
    fails(tern_write(w.a, a, big, 1), EAGAIN);
    assert_int_equal(polled(w.a, a) & POLLOUT, 0);
    assert_int_equal(tern_fcntl(w.a, a, F_SETFL, 0), 0);
    w.meanwhile = drain_some;
    assert_int_equal(tern_write(w.a, a, big + n, sizeof big - (size_t)n), (ssize_t)sizeof big - n);
    while (back_count < sizeof back) {
        world_run(&w, TERN_SECOND);
        drain_some(&w);
    }
    assert_memory_equal(back, big, sizeof big);
    assert_int_not_equal(polled(w.a, a) & POLLOUT, 0);
    world_close(&w);
}

static void no_waiting(struct tern_config *stack, struct tern_sockets_config *table)
{
    (void)stack;
    if (table != NULL)
        table->wait = NULL;
}

static void without_a_hook(void **state)
{
    struct world w;
    char byte;
    int a, b;

    (void)state;
    world_open_with(&w, no_waiting);
    world_connect(&w, &a, &b);
    assert_int_equal(tern_fcntl(w.b, b, F_SETFL, 0), 0);
    fails(tern_read(w.b, b, &byte, 1), EAGAIN);
    a = tern_socket(w.a, AF_INET, SOCK_STREAM, 0);
    fails(world_dial(w.a, a, 2, PORT), EINPROGRESS);
    world_close(&w);
}

static void urgent(void **state)
{
    struct world w;
    char got[16];
    int a, b, mark;

    (void)state;
    world_open(&w);
    world_connect(&w, &a, &b);
    fails(tern_recv(w.b, b, got, 1, MSG_OOB), EINVAL);
    assert_int_equal(tern_send(w.a, a, "ab!", 3, MSG_OOB), 3);
    assert_int_equal(tern_send(w.a, a, "cd", 2, 0), 2);
    world_settle(&w);
    assert_int_not_equal(polled(w.b, b) & POLLPRI, 0);
    assert_int_equal(tern_ioctl(w.b, b, 0x8905 /* SIOCATMARK */, &mark), 0);
    assert_int_equal(mark, 0);
    assert_int_equal(tern_read(w.b, b, got, sizeof got), 2); /* up to the mark */
    assert_int_equal(tern_ioctl(w.b, b, 0x8905, &mark), 0);
    assert_int_equal(mark, 1);
    assert_int_equal(tern_recv(w.b, b, got, 1, MSG_OOB | MSG_PEEK), 1);
    assert_int_equal(tern_recv(w.b, b, got, 1, MSG_OOB), 1);
    assert_int_equal(got[0], '!');
    fails(tern_recv(w.b, b, got, 1, MSG_OOB), EINVAL);
    assert_int_equal(tern_read(w.b, b, got, sizeof got), 2);
    assert_memory_equal(got, "cd", 2);
    set_int(w.b, b, SOL_SOCKET, SO_OOBINLINE, 1);
    assert_int_equal(tern_send(w.a, a, "!", 1, MSG_OOB), 1);
    world_settle(&w);
    fails(tern_recv(w.b, b, got, 1, MSG_OOB), EINVAL);
    assert_int_equal(tern_read(w.b, b, got, sizeof got), 1);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain),          cmocka_unit_test(vectors),
        cmocka_unit_test(flags),          cmocka_unit_test(held_back_by_more),
        cmocka_unit_test(messages),       cmocka_unit_test(blocking_read),
        cmocka_unit_test(blocking_write), cmocka_unit_test(without_a_hook),
        cmocka_unit_test(urgent),         cmocka_unit_test(records),
    };

    return cmocka_run_group_tests_name("socket_message", tests, NULL, NULL);
}
