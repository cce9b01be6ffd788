/* SPDX-License-Identifier: BSD-2-Clause */
/* Streams: bytes both ways, in every form of read and write, blocking and not. */
#include "world.h"

#include <sys/uio.h>

#define T_IN  (POLLIN | POLLRDNORM)
#define T_OUT (POLLOUT | POLLWRNORM)

static void both_ways(void **state)
{
    struct world w;
    char got[16];
    int a, b;

    (void)state;
    world_open(&w);
    world_connect(&w, &a, &b);
    fails(tern_read(w.b, b, got, sizeof got), EAGAIN);
    assert_int_equal(tern_write(w.a, a, "hello", 5), 5);
    world_settle(&w);
    assert_int_equal(polled(w.b, b), T_IN | T_OUT);
    assert_int_equal(tern_read(w.b, b, got, 2), 2);
    assert_int_equal(tern_read(w.b, b, got + 2, 10), 3);
    assert_memory_equal(got, "hello", 5);
    assert_int_equal(polled(w.b, b), T_OUT);
    assert_int_equal(tern_send(w.b, b, "back", 4, MSG_NOSIGNAL), 4);
    world_settle(&w);
    assert_int_equal(tern_recv(w.a, a, got, sizeof got, MSG_PEEK), 4);
    assert_int_equal(tern_recv(w.a, a, got, sizeof got, 0), 4);
    assert_memory_equal(got, "back", 4);
    assert_int_equal(tern_close(w.a, a), 0);
    world_settle(&w);
    assert_int_equal(polled(w.b, b), T_IN | T_OUT | POLLRDHUP);
    assert_int_equal(tern_read(w.b, b, got, sizeof got), 0);
    assert_int_equal(tern_close(w.b, b), 0);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ways),
    };

    return cmocka_run_group_tests_name("socket_stream", tests, NULL, NULL);
}
