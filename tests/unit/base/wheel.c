/* SPDX-License-Identifier: BSD-2-Clause */
/* The timer wheel: when timers fire, and what may happen to them before; tests/ref has the model.
 */
#include "base/wheel.h"
#include "test.h"
#include "trap.h"

#define SLOT (INT64_C(1) << 16)
#define HOUR (INT64_C(3600) * TERN_SECOND)

static struct tern_wheel wheel;

static unsigned drain(tern_time now)
{
    unsigned fired = 0;

    while (tern_wheel_expire(&wheel, now) != NULL)
        fired++;
    tern_wheel_check(&wheel);
    return fired;
}

/* Follow the deadlines until something fires; the time of it, and the number of turns. */
static tern_time follow(unsigned *turns)
{
    for (*turns = 1; *turns < 1000; (*turns)++) {
        tern_time next = tern_wheel_deadline(&wheel);

        assert_true(next != TERN_TIME_NEVER);
        if (drain(next) > 0)
            return next;
        assert_true(tern_wheel_deadline(&wheel) > next); /* or the caller would spin */
    }
    fail_msg("never fires");
    return 0;
}

static void fires_on_time_after_any_delay(void **state)
{
    static const tern_time starts[] = {
        0, 1, SLOT - 1, SLOT, 12345678901234, -5 * TERN_SECOND, -1, 63 * SLOT, 4095 * SLOT + 7};
    static const tern_time delays[] = {1,
                                       999,
                                       SLOT - 1,
                                       SLOT,
                                       SLOT + 1,
                                       63 * SLOT,
                                       64 * SLOT,
                                       65 * SLOT,
                                       4096 * SLOT,
                                       TERN_MS,
                                       200 * TERN_MS,
                                       TERN_SECOND,
                                       60 * TERN_SECOND,
                                       2 * HOUR,
                                       24 * HOUR,
                                       8766 * HOUR,
                                       100 * 8766 * HOUR};
    unsigned turns;

    (void)state;
    for (size_t i = 0; i < ROWS(starts); i++) {
        for (size_t d = 0; d < ROWS(delays); d++) {
            struct tern_timer t = {0};
            tern_time at = starts[i] + delays[d], fired;

            tern_wheel_init(&wheel, starts[i]);
            tern_wheel_set(&wheel, &t, at);
            assert_true(tern_timer_is_set(&t));
            assert_int_equal(drain(starts[i]), 0);
            assert_true(tern_wheel_deadline(&wheel) > starts[i]);
            fired = follow(&turns);
            assert_true(fired >= at);
            assert_true(fired < at + SLOT);
            assert_true(turns <= TERN_WHEEL_LEVELS);
            assert_false(tern_timer_is_set(&t));
            assert_true(tern_wheel_deadline(&wheel) == TERN_TIME_NEVER);
        }
    }
}

static void never_fires_early(void **state)
{
    struct tern_timer t = {0};

    (void)state;
    tern_wheel_init(&wheel, 0);
    tern_wheel_set(&wheel, &t, 10 * SLOT + 1);
    assert_int_equal(drain(10 * SLOT), 0);
    assert_int_equal(drain(11 * SLOT - 1), 0);
    assert_int_equal(drain(11 * SLOT), 1);
    tern_wheel_set(&wheel, &t, 20 * SLOT);
    assert_int_equal(drain(20 * SLOT - 1), 0);
    assert_int_equal(drain(20 * SLOT), 1);
}

static void past_is_due_at_once(void **state)
{
    static const tern_time past[] = {5000 * SLOT + 77, 5000 * SLOT + 76, 5000 * SLOT, 0, -HOUR,
                                     INT64_MIN};
    struct tern_timer t = {0};

    (void)state;
    tern_wheel_init(&wheel, 0);
    assert_int_equal(drain(5000 * SLOT + 77), 0);
    for (size_t i = 0; i < ROWS(past); i++) {
        tern_wheel_set(&wheel, &t, past[i]);
        assert_true(tern_wheel_deadline(&wheel) <= 5000 * SLOT + 77);
        assert_int_equal(drain(5000 * SLOT + 77), 1);
    }
    assert_true(tern_wheel_deadline(&wheel) == TERN_TIME_NEVER);
}

static void never_unsets(void **state)
{
    struct tern_timer t = {0};

    (void)state;
    tern_wheel_init(&wheel, 0);
    tern_wheel_set(&wheel, &t, TERN_SECOND);
    tern_wheel_set(&wheel, &t, TERN_TIME_NEVER);
    assert_false(tern_timer_is_set(&t));
    assert_int_equal(wheel.count, 0);
    assert_true(tern_wheel_deadline(&wheel) == TERN_TIME_NEVER);
    tern_wheel_cancel(&wheel, &t); /* an unset timer: no effect */
    tern_wheel_set(&wheel, &t, TERN_TIME_NEVER - 1);
    assert_true(tern_timer_is_set(&t));
    assert_int_equal(drain(INT64_MAX - SLOT), 0);
    tern_wheel_check(&wheel);
}

/* The last 65 us of all time: rounded down, for there is no later tick. */
static void the_end_of_time(void **state)
{
    struct tern_timer t = {0};

    (void)state;
    tern_wheel_init(&wheel, INT64_MAX - 10);
    tern_wheel_set(&wheel, &t, INT64_MAX - 5);
    tern_wheel_check(&wheel);
    assert_true(tern_wheel_deadline(&wheel) <= INT64_MAX - 5);
    assert_int_equal(drain(INT64_MAX - 5), 1);
}

static void setting_again_moves(void **state)
{
    struct tern_timer t = {0};

    (void)state;
    tern_wheel_init(&wheel, 0);
    tern_wheel_set(&wheel, &t, 10 * SLOT);
    tern_wheel_set(&wheel, &t, 70 * SLOT);
    assert_int_equal(wheel.count, 1);
    assert_int_equal(drain(69 * SLOT), 0);
    tern_wheel_set(&wheel, &t, 80 * SLOT);
    assert_int_equal(drain(79 * SLOT), 0);
    assert_int_equal(drain(80 * SLOT), 1);
}

static void neighbours_in_a_slot_survive_a_cancel(void **state)
{
    struct tern_timer t[5] = {{0}};

    (void)state;
    for (unsigned out = 0; out < 5; out++) {
        tern_wheel_init(&wheel, 0);
        memset(t, 0, sizeof t);
        for (unsigned i = 0; i < 5; i++)
            tern_wheel_set(&wheel, &t[i], TERN_SECOND);
        tern_wheel_cancel(&wheel, &t[out]);
        tern_wheel_check(&wheel);
        assert_int_equal(drain(2 * TERN_SECOND), 4);
    }
}

static void a_jump_of_hours_fires_all_in_order(void **state)
{
    static const tern_time at[] = {3 * HOUR, SLOT, 30 * TERN_SECOND, 2 * HOUR, TERN_MS, 5 * HOUR};
    struct tern_timer t[ROWS(at)] = {{0}};
    struct tern_timer *fired;
    tern_time last = 0;
    unsigned count = 0;

    (void)state;
    tern_wheel_init(&wheel, 0);
    for (size_t i = 0; i < ROWS(at); i++)
        tern_wheel_set(&wheel, &t[i], at[i]);
    while ((fired = tern_wheel_expire(&wheel, 4 * HOUR)) != NULL) {
        assert_true(fired->at >= last);
        last = fired->at;
        count++;
        tern_wheel_check(&wheel);
    }
    assert_int_equal(count, 5);
    assert_int_equal(drain(5 * HOUR + SLOT), 1);
}

static void handlers_may_set_and_cancel(void **state)
{
    struct tern_timer a = {0}, b = {0}, c = {0};

    (void)state;
    tern_wheel_init(&wheel, 0);
    tern_wheel_set(&wheel, &a, 10 * SLOT);
    tern_wheel_set(&wheel, &b, 20 * SLOT);
    assert_ptr_equal(tern_wheel_expire(&wheel, HOUR), &a);
    tern_wheel_cancel(&wheel, &b);                   /* would have been next */
    tern_wheel_set(&wheel, &c, 15 * SLOT);           /* missed already: this run */
    tern_wheel_set(&wheel, &a, HOUR + 30 * TERN_MS); /* again, later */
    tern_wheel_check(&wheel);
    assert_ptr_equal(tern_wheel_expire(&wheel, HOUR), &c);
    assert_null(tern_wheel_expire(&wheel, HOUR));
    assert_true(tern_wheel_deadline(&wheel) > HOUR);
    assert_int_equal(drain(HOUR + 31 * TERN_MS), 1);
}

static void a_pulled_neighbour_may_be_cancelled(void **state)
{
    struct tern_timer t[3] = {{0}};
    struct tern_timer *first;

    (void)state;
    tern_wheel_init(&wheel, 0);
    for (unsigned i = 0; i < 3; i++)
        tern_wheel_set(&wheel, &t[i], 10 * SLOT);
    first = tern_wheel_expire(&wheel, 11 * SLOT);
    assert_non_null(first);
    for (unsigned i = 0; i < 3; i++)
        tern_wheel_cancel(&wheel, &t[i]);
    assert_int_equal(drain(11 * SLOT), 0);
    assert_int_equal(wheel.count, 0);
}

static void time_does_not_run_backwards(void **state)
{
    struct tern_timer t = {0};

    (void)state;
    tern_wheel_init(&wheel, 100 * SLOT);
    tern_wheel_set(&wheel, &t, 102 * SLOT);
    assert_int_equal(drain(50 * SLOT), 0);
    assert_true(wheel.now == 100 * SLOT);
    assert_int_equal(drain(102 * SLOT), 1);
}

static void check_wheel(void)
{
    tern_wheel_check(&wheel);
}

static void check_sees_damage(void **state)
{
    struct tern_timer t = {0};

    (void)state;
    tern_wheel_init(&wheel, 0);
    tern_wheel_set(&wheel, &t, TERN_SECOND);
    assert_false(trips(check_wheel));
    wheel.count = 2;
    assert_true(trips(check_wheel));
    wheel.count = 1;
    wheel.occupied[0] = 1;
    assert_true(trips(check_wheel));
    wheel.occupied[0] = 0;
    t.at = 9 * TERN_SECOND;
    assert_true(trips(check_wheel));
    t.at = TERN_SECOND;
    t.link = &wheel.due;
    assert_true(trips(check_wheel));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fires_on_time_after_any_delay),
        cmocka_unit_test(never_fires_early),
        cmocka_unit_test(past_is_due_at_once),
        cmocka_unit_test(never_unsets),
        cmocka_unit_test(the_end_of_time),
        cmocka_unit_test(setting_again_moves),
        cmocka_unit_test(neighbours_in_a_slot_survive_a_cancel),
        cmocka_unit_test(a_jump_of_hours_fires_all_in_order),
        cmocka_unit_test(handlers_may_set_and_cancel),
        cmocka_unit_test(a_pulled_neighbour_may_be_cancelled),
        cmocka_unit_test(time_does_not_run_backwards),
        cmocka_unit_test(check_sees_damage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
