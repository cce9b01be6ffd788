/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The wheel against a model: a plain array of timers, searched from end to end.
 *
 * The model knows for each timer from which moment on it must come out: its time rounded up to the
 * resolution, or at once where its time had been reached when it was set. Random sets, moves and
 * cancels on both, with delays from nanoseconds to years; time goes on by jumps as wild, or to the
 * deadline; timers that come out are set again or cancel others, as handlers do. After each step
 * the wheel checks itself, and after each run of expire() what came out must be exactly what the
 * model holds due, in order; the deadline must be later than now, and not later than the first
 * timer.
 */
#include "base/wheel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"

#define TIMERS 60
#define STEPS  40000
#define SLOT   (INT64_C(1) << 16)

struct entry {
    bool set;
    tern_time fires; /* due in a run whose now is at or after this */
};

static struct tern_wheel wheel;
static struct tern_timer timer[TIMERS];
static struct entry model[TIMERS];
static struct tern_random rng;
static tern_time now; /* up to which everything has come out */

/* The next multiple of the resolution; negative times included. */
static tern_time round_up(tern_time at)
{
    tern_time rest = at % SLOT;

    if (rest < 0)
        rest += SLOT;
    return rest == 0 ? at : at + (SLOT - rest);
}

/* 0 to 2^55 ns (a year), all magnitudes alike. */
static tern_time any_delay(void)
{
    unsigned bits = (unsigned)tern_random_below(&rng, 56);

    return (tern_time)(tern_random_u64(&rng) >> 8 >> (55 - bits));
}

static void set_timer(unsigned i, tern_time at, tern_time reached)
{
    tern_wheel_set(&wheel, &timer[i], at);
    model[i].set = true;
    model[i].fires = at <= reached ? reached : round_up(at);
}

static void cancel_timer(unsigned i)
{
    tern_wheel_cancel(&wheel, &timer[i]);
    model[i].set = false;
}

static void step_set(void)
{
    unsigned i = (unsigned)tern_random_below(&rng, TIMERS);
    uint64_t choice = tern_random_below(&rng, 20);

    if (choice == 0)
        set_timer(i, now - any_delay(), now);
    else if (choice == 1)
        set_timer(i, now, now);
    else
        set_timer(i, now + any_delay(), now);
}

static tern_time model_first(void)
{
    tern_time first = TERN_TIME_NEVER;

    for (unsigned i = 0; i < TIMERS; i++)
        if (model[i].set && model[i].fires < first)
            first = model[i].fires;
    return first;
}

/* What a handler might do in the middle of a run: timers come and go, some of them due already. */
static void handle(unsigned fired, tern_time to)
{
    uint64_t choice = tern_random_below(&rng, 8);
    unsigned other = (unsigned)tern_random_below(&rng, TIMERS);

    if (choice < 3)
        set_timer(fired, to + 1 + any_delay(), INT64_MIN);
    else if (choice == 3)
        set_timer(other, wheel.now + any_delay(), wheel.now);
    else if (choice == 4)
        cancel_timer(other);
}

static void run_to(tern_time to)
{
    struct tern_timer *t;
    tern_time last = INT64_MIN;
    unsigned pulled = 0;

    while ((t = tern_wheel_expire(&wheel, to)) != NULL) {
        unsigned i = (unsigned)(t - timer);

        assert_true(i < TIMERS);
        assert_true(model[i].set);
        assert_true(model[i].fires <= to);
        assert_true(t->at <= to);
        assert_false(tern_timer_is_set(t));
        assert_true(model[i].fires >= last); /* in order, but for those due from the start */
        if (model[i].fires > now)
            last = model[i].fires;
        model[i].set = false;
        if (pulled++ < 1000)
            handle(i, to);
        tern_wheel_check(&wheel);
    }
    now = to;
}

static void compare(void)
{
    tern_time first = model_first();
    tern_time deadline = tern_wheel_deadline(&wheel);
    unsigned count = 0;

    tern_wheel_check(&wheel);
    for (unsigned i = 0; i < TIMERS; i++) {
        assert_int_equal(tern_timer_is_set(&timer[i]), model[i].set);
        count += model[i].set;
    }
    assert_int_equal(wheel.count, count);
    if (count == 0)
        assert_true(deadline == TERN_TIME_NEVER);
    else
        assert_true(deadline <= first);
}

static void step_time(void)
{
    tern_time deadline = tern_wheel_deadline(&wheel);

    if (tern_random_below(&rng, 2) == 0 && deadline != TERN_TIME_NEVER)
        run_to(deadline > now ? deadline : now);
    else
        run_to(now + (any_delay() >> tern_random_below(&rng, 20)));
    assert_true(model_first() > now);               /* all that was due has come out */
    assert_true(tern_wheel_deadline(&wheel) > now); /* and the caller may sleep */
}

static void run(tern_time start)
{
    now = start;
    memset(timer, 0, sizeof timer);
    memset(model, 0, sizeof model);
    tern_wheel_init(&wheel, start);
    for (unsigned i = 0; i < STEPS; i++) {
        uint64_t choice = tern_random_below(&rng, 20);

        if (choice < 10)
            step_set();
        else if (choice < 12)
            cancel_timer((unsigned)tern_random_below(&rng, TIMERS));
        else
            step_time();
        compare();
    }
}

static void same_as_a_plain_list(void **state)
{
    static const tern_time starts[] = {0, -5000 * TERN_SECOND, 987654321012345};

    (void)state;
    tern_random_init(&rng, "ref", 3, "wheel");
    for (unsigned i = 0; i < sizeof starts / sizeof starts[0]; i++)
        run(starts[i]);
}

/* Following nothing but the deadline, each timer costs at most one turn a level. */
static void deadlines_lead_there(void **state)
{
    unsigned turns = 0;

    (void)state;
    tern_random_init(&rng, "ref", 3, "deadlines");
    now = 0;
    memset(timer, 0, sizeof timer);
    tern_wheel_init(&wheel, 0);
    for (unsigned i = 0; i < TIMERS; i++)
        tern_wheel_set(&wheel, &timer[i], any_delay());
    while (wheel.count > 0) {
        tern_time deadline = tern_wheel_deadline(&wheel);

        assert_true(turns++ < TIMERS * TERN_WHEEL_LEVELS);
        while (tern_wheel_expire(&wheel, deadline) != NULL)
            tern_wheel_check(&wheel);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_as_a_plain_list),
        cmocka_unit_test(deadlines_lead_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
