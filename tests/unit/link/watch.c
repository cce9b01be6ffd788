/* SPDX-License-Identifier: BSD-2-Clause */
/* The loop's descriptors: callbacks, changes of mind in the middle of a batch, reused numbers,
 * regular files, waking. */
#include "os/watch.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "frames.h"

static struct tern_watches w;
static int calls, last_fd;
static uint32_t last_bits;
static int unwatch_fd = -1;

static void note(void *user, int fd, uint32_t bits)
{
    assert_ptr_equal(user, &w);
    calls++;
    last_fd = fd;
    last_bits = bits;
    if (unwatch_fd >= 0)
        assert_int_equal(tern_watches_set(&w, unwatch_fd, 0, NULL, NULL), TERN_ERR_OK);
}

static int begin(void **state)
{
    (void)state;
    calls = 0;
    unwatch_fd = -1;
    return tern_watches_init(&w) == TERN_ERR_OK ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    tern_watches_fini(&w);
    return 0;
}

static void watch(int fd, uint32_t bits)
{
    assert_int_equal(tern_watches_set(&w, fd, bits, note, &w), TERN_ERR_OK);
}

static void poke(int fd)
{
    assert_int_equal(write(fd, "x", 1), 1);
}

static void readable(void **state)
{
    int p[2];

    (void)state;
    assert_int_equal(pipe(p), 0);
    watch(p[0], POLLIN);
    assert_false(tern_watches_poll(&w, 0).other);
    poke(p[1]);
    assert_true(tern_watches_poll(&w, TERN_TIME_NEVER).other);
    assert_int_equal(calls, 1);
    assert_int_equal(last_fd, p[0]);
    assert_int_equal(last_bits, POLLIN);
    assert_true(tern_watches_poll(&w, 0).other); /* still readable */
    watch(p[0], 0);
    assert_false(tern_watches_poll(&w, 0).other);
    watch(p[0], 0); /* again: no effect */
    watch(p[1], POLLOUT);
    assert_true(tern_watches_poll(&w, 0).other);
    assert_int_equal(last_bits, POLLOUT);
    watch(p[1], 0);
    (void)close(p[0]);
    (void)close(p[1]);
}

/* The first callback of a batch unwatches the other descriptor: that is not called any more. */
static void unwatched_in_the_batch(void **state)
{
    int a[2], b[2];

    (void)state;
    assert_int_equal(pipe(a), 0);
    assert_int_equal(pipe(b), 0);
    watch(a[0], POLLIN);
    watch(b[0], POLLIN);
    poke(a[1]);
    poke(b[1]);
    unwatch_fd = b[0]; /* epoll tells of them in the order in which they became ready */
    (void)tern_watches_poll(&w, 0);
    assert_int_equal(calls, 1);
    assert_int_equal(last_fd, a[0]);
    unwatch_fd = -1;
    watch(b[0], POLLIN);
    calls = 0;
    (void)tern_watches_poll(&w, 0);
    assert_int_equal(calls, 2);
    for (int i = 0; i < 2; i++) {
        (void)close(a[i]);
        (void)close(b[i]);
    }
}

/* Closed without a word, and the number used again: the new descriptor is watched all the same. */
static void a_number_used_again(void **state)
{
    int a[2], b[2];

    (void)state;
    assert_int_equal(pipe(a), 0);
    watch(a[0], POLLIN);
    (void)close(a[0]);
    (void)close(a[1]);
    assert_int_equal(pipe(b), 0);
    assert_int_equal(b[0], a[0]);
    watch(b[0], POLLIN);
    poke(b[1]);
    (void)tern_watches_poll(&w, 0);
    assert_int_equal(calls, 1);
    (void)close(b[0]);
    (void)close(b[1]);
}

/* Regular files and /dev/null are always ready, and nothing sleeps while one is watched. */
static void always_ready(void **state)
{
    char path[] = "/tmp/tern-watch-XXXXXX";
    int file = mkstemp(path), null = open("/dev/null", O_RDONLY);

    (void)state;
    assert_true(file >= 0);
    (void)unlink(path);
    watch(file, POLLIN);
    watch(null, POLLIN);
    assert_true(tern_watches_poll(&w, TERN_TIME_NEVER).other);
    assert_int_equal(calls, 2);
    assert_int_equal(last_bits, POLLIN);
    watch(null, 0);
    assert_true(tern_watches_poll(&w, TERN_TIME_NEVER).other);
    assert_int_equal(calls, 3);
    watch(file, 0);
    assert_int_equal(w.highest_always, -1);
    assert_false(tern_watches_poll(&w, 0).other);
    (void)close(file);
    (void)close(null);
}

static void waking(void **state)
{
    (void)state;
    tern_watches_wake(&w);
    tern_watches_wake(&w);
    assert_true(tern_watches_poll(&w, TERN_TIME_NEVER).other);
    assert_false(tern_watches_poll(&w, 0).other);
    assert_false(tern_watches_poll(&w, 1).other); /* a nanosecond passes */
}

static void refusals(void **state)
{
    (void)state;
    assert_int_equal(tern_watches_set(&w, -1, POLLIN, note, NULL), TERN_ERR_INVAL);
    assert_int_equal(tern_watches_set(&w, 0, POLLIN, NULL, NULL), TERN_ERR_INVAL);
    assert_int_equal(tern_watches_set(&w, 1 << 20, POLLIN, note, NULL), TERN_ERR_INVAL);
    assert_int_equal(tern_watches_set(&w, 900, POLLIN, note, NULL), TERN_ERR_SYSTEM); /* not open */
    assert_int_equal(tern_watches_set(&w, 900, 0, NULL, NULL), TERN_ERR_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(readable, begin, end),
        cmocka_unit_test_setup_teardown(unwatched_in_the_batch, begin, end),
        cmocka_unit_test_setup_teardown(a_number_used_again, begin, end),
        cmocka_unit_test_setup_teardown(always_ready, begin, end),
        cmocka_unit_test_setup_teardown(waking, begin, end),
        cmocka_unit_test_setup_teardown(refusals, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
