/* SPDX-License-Identifier: BSD-2-Clause */
/* Boxes: what is put is taken, whole and in order, round and round; full and left ones refuse;
 * the descriptor tells; and two threads at once lose nothing. */
#include "link/queue_hub.h"

#include <poll.h>
#include <pthread.h>
#include <sched.h>

#include "frames.h"

#define LONGEST 65000

static uint8_t noise[LONGEST + 256];

static struct tern_frame frame_of(uint32_t number, uint32_t bytes)
{
    struct tern_frame f = one_piece(noise + number % 251, bytes);

    f.mark = number;
    f.gso_bytes = (uint16_t)number;
    return f;
}

static bool is(const struct tern_frame *f, uint32_t number, uint32_t bytes)
{
    return f->mark == number && f->gso_bytes == (uint16_t)number && f->bytes == bytes &&
           f->piece_count == 1 && f->piece[0].bytes == bytes &&
           memcmp(f->piece[0].data, noise + number % 251, bytes) == 0;
}

static bool rings(const struct tern_queue_hub *hub, uint32_t queue)
{
    struct pollfd p = {.fd = tern_queue_hub_fd(hub, queue), .events = POLLIN};

    return poll(&p, 1, 0) == 1;
}

static int begin(void **state)
{
    struct tern_queue_hub *hub = tern_queue_hub_create(2);

    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (uint8_t)(i * 2654435761u >> 21);
    *state = hub;
    return hub == NULL ? -1 : 0;
}

static int end(void **state)
{
    tern_queue_hub_leave(*state, 0);
    tern_queue_hub_leave(*state, 1);
    return 0;
}

static uint32_t length_of(uint32_t number)
{
    return number % 5 == 0 ? 1 + number * 7919 % LONGEST : 40 + number % 1500;
}

static void round_and_round(void **state)
{
    struct tern_queue_hub *hub = *state;
    struct tern_frame frames[TERN_BURST_MAX];
    uint32_t put = 0, taken = 0;

    while (taken < 5000) {
        while (put < taken + 40) {
            const struct tern_frame f = frame_of(put, length_of(put));

            assert_true(tern_queue_hub_put(hub, 1, &f));
            put++;
        }
        assert_true(rings(hub, 1));
        const int n = tern_queue_hub_take(hub, 1, frames, (int)(1 + taken % 39));

        assert_true(n > 0);
        for (int i = 0; i < n; i++, taken++)
            assert_true(is(&frames[i], taken, length_of(taken)));
        tern_queue_hub_release(hub, 1);
        assert_int_equal(rings(hub, 1), taken < put);
    }
    assert_int_equal(tern_queue_hub_take(hub, 0, frames, TERN_BURST_MAX), 0);
    assert_int_equal(tern_queue_hub_dropped(hub, 1), 0);
}

/* What is lent keeps its room; what is refused is counted, and leaves the others as they are. */
static void full(void **state)
{
    struct tern_queue_hub *hub = *state;
    struct tern_frame f = frame_of(0, LONGEST), frames[TERN_BURST_MAX];
    uint32_t count = 0;
    int n;

    for (; tern_queue_hub_put(hub, 0, &f); f = frame_of(++count, LONGEST))
        assert_true(count < 100);
    assert_true(count > 50);
    n = tern_queue_hub_take(hub, 0, frames, 10);
    assert_int_equal(n, 10);
    assert_false(tern_queue_hub_put(hub, 0, &f));
    assert_int_equal(tern_queue_hub_dropped(hub, 0), 2);
    for (uint32_t i = 0; i < 10; i++)
        assert_true(is(&frames[i], i, LONGEST));
    tern_queue_hub_release(hub, 0);
    assert_true(tern_queue_hub_put(hub, 0, &f));
    for (uint32_t at = 10; at <= count; at += (uint32_t)n) {
        n = tern_queue_hub_take(hub, 0, frames, TERN_BURST_MAX);
        assert_true(n > 0);
        for (int i = 0; i < n; i++)
            assert_true(is(&frames[i], at + (uint32_t)i, LONGEST));
        tern_queue_hub_release(hub, 0);
    }
    assert_false(rings(hub, 0));
}

static void after_leaving(void **state)
{
    struct tern_queue_hub *hub = tern_queue_hub_create(2);
    const struct tern_frame f = frame_of(3, 100);

    (void)state;
    assert_non_null(hub);
    tern_queue_hub_leave(hub, 1);
    assert_false(tern_queue_hub_put(hub, 1, &f));
    assert_true(tern_queue_hub_put(hub, 0, &f));
    tern_queue_hub_leave(hub, 0);
}

#define SENT 20000u

static void *put_all(void *arg)
{
    for (uint32_t i = 0; i < SENT; i++) {
        const struct tern_frame f = frame_of(i, 60 + i % 900);

        while (!tern_queue_hub_put(arg, 0, &f))
            (void)sched_yield();
    }
    return NULL;
}

static void two_threads(void **state)
{
    struct tern_queue_hub *hub = *state;
    struct tern_frame frames[TERN_BURST_MAX];
    pthread_t other;
    uint32_t taken = 0;

    assert_int_equal(pthread_create(&other, NULL, put_all, hub), 0);
    while (taken < SENT) {
        struct pollfd p = {.fd = tern_queue_hub_fd(hub, 0), .events = POLLIN};
        int n;

        assert_int_equal(poll(&p, 1, 60000), 1); /* a bell that is not rung ends it */
        n = tern_queue_hub_take(hub, 0, frames, TERN_BURST_MAX);
        for (int i = 0; i < n; i++, taken++)
            assert_true(is(&frames[i], taken, 60 + taken % 900));
        tern_queue_hub_release(hub, 0);
    }
    assert_int_equal(pthread_join(other, NULL), 0);
    assert_false(rings(hub, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(round_and_round, begin, end),
        cmocka_unit_test_setup_teardown(full, begin, end),
        cmocka_unit_test(after_leaving),
        cmocka_unit_test_setup_teardown(two_threads, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
