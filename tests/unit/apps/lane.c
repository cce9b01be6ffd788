/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lanes. Giver and reader take turns at every step of the protocol that dice choose, in one thread
 * and by a seed, so that a wake-up that some order of steps would lose is found and repeats; the
 * reader believes poll(2) alone. Then the same with two real threads, for the sanitizers.
 */
static void step(void);
#define TERN_LANE_STEP() step()
#include "../../../src/apps/lane.c" /* with its steps */

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <ucontext.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define SEEDS        3000
#define SLICES       40
#define SLICE_MAX    48
#define STACK_BYTES  (1 << 17)
#define PATIENCE_MS  60000
#define STREAM_BYTES 20000000u
#define BLOCK_BYTES  (1u << 16)

/* ---- dice, and two sides that take turns ---- */

static uint64_t dice_state;

static uint32_t dice(uint32_t below)
{
    dice_state = dice_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(dice_state >> 33) % below;
}

static bool taking_turns;
static int side;
static bool over[2];
static ucontext_t home, place[2];
static char stack[2][STACK_BYTES];

static void change(void)
{
    const int from = side;

    if (over[1 - from])
        return;
    side = 1 - from;
    (void)swapcontext(&place[from], &place[side]);
}

static void step(void)
{
    if (taking_turns && dice(2) == 0)
        change();
}

static void finish(void)
{
    over[side] = true;
    side = 1 - side;
    (void)setcontext(over[side] ? &home : &place[side]);
}

static void take_turns(void (*giver)(void), void (*reader)(void))
{
    void (*const run[2])(void) = {giver, reader};

    for (int i = 0; i < 2; i++) {
        (void)getcontext(&place[i]);
        place[i].uc_stack.ss_sp = stack[i];
        place[i].uc_stack.ss_size = STACK_BYTES;
        place[i].uc_link = NULL;
        makecontext(&place[i], run[i], 0);
        over[i] = false;
    }
    side = 0;
    taking_turns = true;
    (void)swapcontext(&home, &place[0]);
    taking_turns = false;
}

/* ---- every order of steps ---- */

static uint8_t text[SLICES * SLICE_MAX];
static uint8_t got[SLICES * SLICE_MAX + 1];
static struct tern_lane *lane;
static int giver_fd, reader_fd;
static uint64_t wanted_at; /* the last call that was asked for; NEVER: it came, or none was */
static size_t got_bytes, given_bytes;
static bool stuck, called_early;

static void on_call(void *user)
{
    (void)user;
    called_early = called_early || tern_lane_read_bytes(lane) < wanted_at;
    wanted_at = NEVER;
}

static bool is_readable(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};

    return poll(&p, 1, 0) == 1;
}

/* Puts, and wants to be called at some byte; ends only when the reader has called for the last. */
static void give_all(void)
{
    size_t at = 0;

    while (at < sizeof text - SLICE_MAX) {
        const struct tern_slice slice = {text + at, 1 + dice(SLICE_MAX)};

        tern_lane_put(lane, &slice, 1);
        at += slice.bytes;
        if (dice(3) > 0)
            tern_lane_ring(lane);
        if (dice(2) == 0)
            change();
    }
    given_bytes = at;
    tern_lane_ring(lane);
    wanted_at = at;
    if (!tern_lane_call_at(lane, at))
        wanted_at = NEVER;
    for (int i = 0; i < 10000 && wanted_at != NEVER; i++)
        change();
    stuck = stuck || wanted_at != NEVER;
    tern_lane_end(lane);
    finish();
}

/* Reads while poll(2) says that it may. Nothing to poll for, and nobody who will ring: lost. */
static void read_as_told(void)
{
    for (int idle = 0; idle < 10000; idle++) {
        ssize_t n = 0;

        if (!is_readable(reader_fd)) {
            change();
            continue;
        }
        if (dice(4) == 0)
            (void)tern_lane_read(lane, got + got_bytes, 1, MSG_PEEK);
        n = tern_lane_read(lane, got + got_bytes, 1 + dice(2 * SLICE_MAX), 0);
        if (n == 0)
            break;
        if (n > 0) {
            got_bytes += (size_t)n;
            idle = 0;
        }
        step();
    }
    finish();
}

static void no_order_of_steps_loses_a_wake_up(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (uint8_t)(i * 7 + i / 256);
    for (uint32_t seed = 1; seed <= SEEDS; seed++) {
        dice_state = seed;
        got_bytes = given_bytes = 0;
        stuck = called_early = false;
        wanted_at = NEVER;
        lane = tern_lane_open(on_call, NULL, &giver_fd, &reader_fd);
        assert_non_null(lane);
        take_turns(give_all, read_as_told);
        if (stuck || called_early || got_bytes != given_bytes || memcmp(got, text, got_bytes) != 0)
            fail_msg("seed %u: %zu of %zu bytes%s%s", seed, got_bytes, given_bytes,
                     stuck ? ", the giver was never called" : "",
                     called_early ? ", the giver was called too early" : "");
        (void)close(giver_fd);
        (void)close(reader_fd);
        tern_lane_give(lane);
        tern_lane_give(lane);
    }
}

/* ---- one after the other ---- */

static int open_plain(void **state)
{
    (void)state;
    wanted_at = NEVER;
    lane = tern_lane_open(on_call, NULL, &giver_fd, &reader_fd);
    return lane == NULL;
}

static int close_plain(void **state)
{
    (void)state;
    (void)close(giver_fd);
    (void)close(reader_fd);
    tern_lane_give(lane);
    tern_lane_give(lane);
    return 0;
}

static void put_text(const char *word)
{
    const struct tern_slice slice = {(const uint8_t *)word, strlen(word)};

    tern_lane_put(lane, &slice, 1);
    tern_lane_ring(lane);
}

static void readable_while_there_is_something(void **state)
{
    char data[8];

    (void)state;
    assert_false(is_readable(reader_fd));
    assert_int_equal(tern_lane_read(lane, data, sizeof data, 0), -1);
    assert_int_equal(errno, EAGAIN);
    put_text("abc");
    put_text("def");
    assert_true(is_readable(reader_fd));
    assert_int_equal(tern_lane_read(lane, data, 4, MSG_PEEK), 4);
    assert_memory_equal(data, "abcd", 4);
    assert_int_equal(tern_lane_read(lane, data, 2, 0), 2);
    assert_true(is_readable(reader_fd));
    assert_int_equal(tern_lane_read_bytes(lane), 2);
    assert_int_equal(tern_lane_read(lane, data, sizeof data, 0), 4);
    assert_memory_equal(data, "cdef", 4);
    assert_false(is_readable(reader_fd));
    assert_int_equal(tern_lane_put_bytes(lane), 6);
    assert_int_equal(tern_lane_room(lane), TERN_LANE_SLICES_MAX);
    put_text("g");
    tern_lane_end(lane);
    assert_int_equal(tern_lane_read(lane, data, sizeof data, 0), 1);
    assert_true(is_readable(reader_fd));
    assert_int_equal(tern_lane_read(lane, data, sizeof data, 0), 0);
    assert_true(is_readable(reader_fd));
}

static void words_are_copied(void **state)
{
    char word[] = "welcome", data[16];

    (void)state;
    tern_lane_say(lane, word, 7);
    memset(word, 0, sizeof word);
    put_text("!");
    assert_int_equal(tern_lane_read(lane, data, sizeof data, 0), 8);
    assert_memory_equal(data, "welcome!", 8);
}

static void calls_once(void **state)
{
    char data[8];

    (void)state;
    put_text("abcdef");
    wanted_at = 4;
    assert_true(tern_lane_call_at(lane, 4));
    assert_int_equal(tern_lane_read(lane, data, 3, 0), 3);
    assert_int_equal(wanted_at, 4);
    assert_int_equal(tern_lane_read(lane, data, 2, 0), 2);
    assert_int_equal(wanted_at, NEVER);
    assert_false(tern_lane_call_at(lane, 5)); /* it has read so many */
    wanted_at = 0;
    assert_int_equal(tern_lane_read(lane, data, 1, 0), 1);
    assert_int_equal(wanted_at, 0);
}

static void cut(void **state)
{
    char data[8];

    (void)state;
    put_text("abc");
    tern_lane_cut(lane);
    assert_int_equal(tern_lane_read(lane, data, sizeof data, 0), -1);
    assert_int_equal(errno, ECONNRESET);
    assert_true(is_readable(reader_fd));
}

/* ---- two threads ---- */

static uint8_t pattern(uint64_t offset)
{
    return (uint8_t)(offset * 31 + (offset >> 8) * 7);
}

static void on_call_from_afar(void *user)
{
    (void)!write(*(int *)user, "", 1);
}

static void *read_stream(void *wrong)
{
    static uint8_t data[BLOCK_BYTES];
    uint64_t offset = 0;

    for (;;) {
        struct pollfd p = {.fd = reader_fd, .events = POLLIN};
        ssize_t n;

        if (poll(&p, 1, PATIENCE_MS) != 1)
            break; /* a lost wake-up */
        n = tern_lane_read(lane, data, 1 + offset % BLOCK_BYTES, 0);
        if (n == 0)
            *(bool *)wrong = offset != STREAM_BYTES;
        if (n == 0)
            break;
        for (ssize_t i = 0; i < n; i++, offset++)
            if (data[i] != pattern(offset))
                return NULL;
    }
    return NULL;
}

/* Memory that is given back as it is read, and written anew at once. */
static void give_stream(int called_fd)
{
    static uint8_t ringed[BLOCK_BYTES];
    uint64_t put = 0;

    while (put < STREAM_BYTES) {
        const uint64_t room = BLOCK_BYTES - (put - tern_lane_read_bytes(lane));
        const size_t from = put % BLOCK_BYTES;
        struct tern_slice slice = {ringed + from, 1 + put % 977};

        if (slice.bytes > BLOCK_BYTES - from)
            slice.bytes = BLOCK_BYTES - from;
        if (slice.bytes > STREAM_BYTES - put)
            slice.bytes = STREAM_BYTES - put;
        if (room < slice.bytes || tern_lane_room(lane) == 0) {
            struct pollfd p = {.fd = called_fd, .events = POLLIN};
            char byte;

            tern_lane_ring(lane);
            if (!tern_lane_call_at(lane, put - BLOCK_BYTES / 2 + room / 2))
                continue;
            assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
            assert_int_equal(read(called_fd, &byte, 1), 1);
            continue;
        }
        for (size_t i = 0; i < slice.bytes; i++)
            ringed[from + i] = pattern(put + i);
        tern_lane_put(lane, &slice, 1);
        put += slice.bytes;
    }
    tern_lane_ring(lane);
    tern_lane_end(lane);
}

static void two_threads(void **state)
{
    bool wrong = true;
    pthread_t thread;
    int calls[2];

    (void)state;
    assert_int_equal(pipe(calls), 0);
    lane = tern_lane_open(on_call_from_afar, &calls[1], &giver_fd, &reader_fd);
    assert_non_null(lane);
    assert_int_equal(pthread_create(&thread, NULL, read_stream, &wrong), 0);
    give_stream(calls[0]);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_false(wrong);
    (void)close(calls[0]);
    (void)close(calls[1]);
    (void)close_plain(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(readable_while_there_is_something, open_plain, close_plain),
        cmocka_unit_test_setup_teardown(words_are_copied, open_plain, close_plain),
        cmocka_unit_test_setup_teardown(calls_once, open_plain, close_plain),
        cmocka_unit_test_setup_teardown(cut, open_plain, close_plain),
        cmocka_unit_test(no_order_of_steps_loses_a_wake_up),
        cmocka_unit_test(two_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
