/* SPDX-License-Identifier: BSD-2-Clause */
/* The urgent byte of a stream, by recv(MSG_OOB) and beside it: what poll, FIONREAD and read say
 * before it, at it, and after it was taken, passed, or overtaken. All as Linux has it. */
#include "world.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>

#define T_IN  (POLLIN | POLLRDNORM)
#define T_OUT (POLLOUT | POLLWRNORM)

static struct world w;
static char got[16];
static int a, b;

static int begin(void **state)
{
    (void)state;
    world_open(&w);
    world_connect(&w, &a, &b);
    set_int(w.a, a, IPPROTO_TCP, 1 /* TCP_NODELAY */, 1);
    memset(got, 0, sizeof got);
    return 0;
}

static int end(void **state)
{
    (void)state;
    world_close(&w);
    return 0;
}

static void put(const char *text, int flags)
{
    assert_int_equal(tern_send(w.a, a, text, strlen(text), flags), strlen(text));
    world_settle(&w);
}

static int unread(void)
{
    int bytes = -1;

    assert_int_equal(tern_ioctl(w.b, b, FIONREAD, &bytes), 0);
    return bytes;
}

static void taken(void **state)
{
    (void)state;
    put("abc!", MSG_OOB);
    assert_int_equal(polled(w.b, b), T_IN | T_OUT | POLLPRI);
    assert_int_equal(tern_recv(w.b, b, got, 1, MSG_OOB | MSG_PEEK), 1);
    assert_int_equal(polled(w.b, b), T_IN | T_OUT | POLLPRI);
    assert_int_equal(tern_recv(w.b, b, got, 1, MSG_OOB), 1);
    assert_int_equal(got[0], '!');
    assert_int_equal(polled(w.b, b), T_IN | T_OUT); /* no news any more, though the mark is ahead */
    fails(tern_recv(w.b, b, got, 1, MSG_OOB), EINVAL);
    assert_int_equal(unread(), 3);
    put("efgh", 0);
    assert_int_equal(unread(), 3); /* up to the mark */
    assert_int_equal(tern_read(w.b, b, got, sizeof got), 3);
    assert_int_equal(unread(), 0); /* at it */
    assert_int_equal(polled(w.b, b), T_IN | T_OUT);
    assert_int_equal(tern_read(w.b, b, got, 1), 1);
    assert_int_equal(unread(), 3);
}

static void passed(void **state)
{
    (void)state;
    put("!", MSG_OOB);
    assert_int_equal(polled(w.b, b), T_OUT | POLLPRI);
    assert_int_equal(unread(), 0);
    fails(tern_recv(w.b, b, got, 1, MSG_PEEK), EAGAIN);
    assert_int_equal(polled(w.b, b), T_OUT | POLLPRI);
    assert_int_equal(tern_recv(w.b, b, NULL, 0, 0), -1);
    assert_int_equal(polled(w.b, b), T_OUT | POLLPRI);
    fails(tern_recv(w.b, b, got, 1, 0), EAGAIN); /* a read for text goes past it */
    assert_int_equal(polled(w.b, b), T_OUT);
    fails(tern_recv(w.b, b, got, 1, MSG_OOB), EINVAL);
    put("?", MSG_OOB);
    assert_int_equal(tern_recv(w.b, b, got, 1, MSG_OOB), 1);
    assert_int_equal(got[0], '?');
}

/* Of two, the earlier one becomes text; but not where the reader stands at it. */
static void overtaken(void **state)
{
    (void)state;
    put("a!", MSG_OOB);
    put("b?", MSG_OOB);
    assert_int_equal(unread(), 3);
    assert_int_equal(tern_read(w.b, b, got, sizeof got), 3);
    assert_memory_equal(got, "a!b", 3);
    put("c!", MSG_OOB);
    assert_int_equal(unread(), 1);
    assert_int_equal(tern_read(w.b, b, got, sizeof got), 1);
    assert_int_equal(got[0], 'c');
    assert_int_equal(tern_recv(w.b, b, got, 1, MSG_OOB), 1);
    assert_int_equal(got[0], '!');
}

static void in_the_stream(void **state)
{
    (void)state;
    set_int(w.b, b, SOL_SOCKET, SO_OOBINLINE, 1);
    put("abc!", MSG_OOB);
    put("efgh", 0);
    assert_int_equal(unread(), 8); /* it is text like the rest */
    assert_int_equal(polled(w.b, b), T_IN | T_OUT | POLLPRI);
    fails(tern_recv(w.b, b, got, 1, MSG_OOB), EINVAL);
    assert_int_equal(tern_read(w.b, b, got, sizeof got), 3);
    assert_int_equal(unread(), 5);
    assert_int_equal(polled(w.b, b), T_IN | T_OUT | POLLPRI);
    assert_int_equal(tern_read(w.b, b, got, sizeof got), 5);
    assert_int_equal(polled(w.b, b), T_OUT);
}

/* Bytes beyond the mark count for SO_RCVLOWAT: who waits for six of eight is not left waiting. */
static void low_mark(void **state)
{
    (void)state;
    set_int(w.b, b, SOL_SOCKET, SO_RCVLOWAT, 6);
    put("abc!", MSG_OOB);
    assert_int_equal(polled(w.b, b), T_OUT | POLLPRI);
    put("ef", 0);
    assert_int_equal(polled(w.b, b), T_IN | T_OUT | POLLPRI);
    assert_int_equal(tern_read(w.b, b, got, sizeof got), 3);
    put("ghi", 0); /* at the mark the urgent byte is none of the six */
    assert_int_equal(polled(w.b, b), T_OUT | POLLPRI);
    put("j", 0);
    assert_int_equal(polled(w.b, b), T_IN | T_OUT | POLLPRI);
}

static void after_the_end(void **state)
{
    (void)state;
    put("!", MSG_OOB);
    assert_int_equal(tern_shutdown(w.a, a, SHUT_WR), 0);
    world_settle(&w);
    assert_int_equal(polled(w.b, b), T_IN | T_OUT | POLLPRI | POLLRDHUP);
    assert_int_equal(tern_recv(w.b, b, got, 1, MSG_OOB), 1);
    assert_int_equal(polled(w.b, b), T_IN | T_OUT | POLLRDHUP);
    fails(tern_recv(w.b, b, got, 1, MSG_OOB), EINVAL);
    assert_int_equal(tern_read(w.b, b, got, 1), 0);
    fails(tern_recv(w.b, b, got, 1, MSG_OOB), EINVAL);
}

/* A question for an urgent byte takes nobody's error away. */
static void failed(void **state)
{
    const struct linger reset = {1, 0};
    int fd;

    (void)state;
    fails(tern_recv(w.a, tern_socket(w.a, AF_INET, SOCK_STREAM, 0), got, 1, MSG_OOB), EINVAL);
    fd = tern_socket(w.a, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    fails(world_dial(w.a, fd, 2, 9), EINPROGRESS);
    world_settle(&w);
    fails(tern_recv(w.a, fd, got, 1, MSG_OOB), EINVAL);
    assert_int_equal(get_int(w.a, fd, SOL_SOCKET, SO_ERROR), ECONNREFUSED);
    put("!", MSG_OOB);
    assert_int_equal(tern_setsockopt(w.a, a, SOL_SOCKET, SO_LINGER, &reset, sizeof reset), 0);
    assert_int_equal(tern_close(w.a, a), 0);
    world_settle(&w);
    fails(tern_recv(w.b, b, got, 1, MSG_OOB), ENOTCONN);
    assert_int_equal(get_int(w.b, b, SOL_SOCKET, SO_ERROR), ECONNRESET);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(taken, begin, end),
        cmocka_unit_test_setup_teardown(passed, begin, end),
        cmocka_unit_test_setup_teardown(overtaken, begin, end),
        cmocka_unit_test_setup_teardown(in_the_stream, begin, end),
        cmocka_unit_test_setup_teardown(low_mark, begin, end),
        cmocka_unit_test_setup_teardown(after_the_end, begin, end),
        cmocka_unit_test_setup_teardown(failed, begin, end),
    };

    return cmocka_run_group_tests_name("socket_urgent", tests, NULL, NULL);
}
