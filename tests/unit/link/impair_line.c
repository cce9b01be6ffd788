/* SPDX-License-Identifier: BSD-2-Clause */
/* A line's books: each frame that entered is accounted for, by what befell it. */
#include "link/impair_line.h"

#include "frames.h"

#define MANY  20000u
#define FRAME 200u

static struct tern_impair_line line;
static uint8_t data[FRAME + 2000];

static void open_line(const char *words)
{
    struct tern_impair_way way[2];

    assert_int_equal(tern_impair_parse(words, way, NULL), TERN_ERR_OK);
    assert_true(tern_impair_line_init(&line, &way[TERN_IMPAIR_OUT], 7, "out", sizeof data));
    memset(data, 0, sizeof data);
    tern_put_be16(data + 12, 0x0800);
}

static uint64_t take_all(tern_time now)
{
    struct tern_frame frames[TERN_BURST_MAX];
    uint64_t taken = 0;
    int n;

    while ((n = tern_impair_line_take(&line, now, frames, TERN_BURST_MAX)) > 0) {
        taken += (uint64_t)n;
        tern_impair_line_give(&line);
    }
    return taken;
}

static void every_frame_is_accounted_for(void **state)
{
    const struct tern_impair_counts *c = &line.counts;
    uint64_t taken = 0;

    (void)state;
    open_line("delay 1ms loss 5% burst 1% 3 duplicate 5% corrupt 5% reorder 5% mtu 1000 limit 20");
    for (uint32_t i = 0; i < MANY; i++) {
        tern_time now =
            (tern_time)(i + 1) * 40 * TERN_US; /* some 25 at once: now and then none fits */

        tern_impair_line_offer(&line, now, data, i % 50 == 0 ? 1500 : FRAME, TERN_CAUSE_NONE);
        taken += take_all(now);
    }
    taken += take_all(TERN_TIME_NEVER - 1);
    assert_int_equal(c->offered, MANY);
    assert_int_equal(taken, MANY - c->lost - c->too_long + c->duplicated - c->full);
    assert_in_range(c->lost, MANY * 6 / 100, MANY * 10 / 100);
    assert_in_range(c->too_long, MANY / 50 * 85 / 100, MANY / 50);
    assert_in_range(c->duplicated, MANY * 4 / 100, MANY * 5 / 100);
    assert_in_range(c->corrupted, taken * 4 / 100, taken * 6 / 100);
    assert_in_range(c->reordered, taken * 4 / 100, taken * 6 / 100);
    assert_in_range(c->full, 1, MANY / 2);
    tern_impair_line_fini(&line);
}

static void nothing_befalls_a_line_without_faults(void **state)
{
    (void)state;
    open_line("delay 1ms");
    for (uint32_t i = 0; i < 100; i++)
        tern_impair_line_offer(&line, 0, data, FRAME, TERN_CAUSE_NONE);
    assert_int_equal(take_all(TERN_MS), 100);
    assert_int_equal(line.counts.offered, 100);
    assert_int_equal(line.counts.lost + line.counts.too_long + line.counts.full +
                         line.counts.duplicated + line.counts.corrupted + line.counts.reordered,
                     0);
    tern_impair_line_fini(&line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_frame_is_accounted_for),
        cmocka_unit_test(nothing_befalls_a_line_without_faults),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
