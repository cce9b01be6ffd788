/* SPDX-License-Identifier: BSD-2-Clause */
/* What the sink is told: each frame once, in order, cut to the snap length, when it was really
 * taken. */
#include "link/record.h"

#include "frames.h"

static struct tern_record told[8];
static int told_count;

static void sink(void *user, const struct tern_record *record)
{
    assert_ptr_equal(user, told);
    assert_true(told_count < (int)ROWS(told));
    told[told_count++] = *record;
}

static void both_directions(void **state)
{
    const struct tern_link_mem_options options = {.mtu_bytes = 1500, .hold_frames = 2};
    static uint8_t data[300];
    struct tern_link *ends[2], *link;
    struct tern_frame f[3];

    (void)state;
    assert_int_equal(tern_link_mem_open(&options, ends), TERN_ERR_OK);
    assert_int_equal(tern_link_record_open(ends[0], sink, told, &link), TERN_ERR_OK);
    assert_string_equal(link->info.name, "mem:0");
    for (int i = 0; i < 3; i++) {
        f[i] = one_piece(data, i == 1 ? 300 : 60);
        f[i].cause = TERN_CAUSE_SYN;
    }
    memset(data, 7, sizeof data);
    /* The third does not fit: it is not told until it was taken. */
    assert_int_equal(link->ops->transmit(link, 5, f, 3), 2);
    assert_int_equal(told_count, 2);
    assert_true(told[1].at == 5);
    assert_true(told[1].sent);
    assert_int_equal(told[1].cause, TERN_CAUSE_SYN);
    assert_int_equal(told[1].frame_bytes, 300);
    assert_int_equal(told[1].snap_bytes, TERN_RECORD_SNAP_BYTES);
    assert_int_equal(told[1].snap[255], 7);
    assert_int_equal(told[0].snap_bytes, 60);
    assert_int_equal(told[0].gso_bytes, 0);
    send_one(ends[1], 6, one_piece(data, 80));
    assert_int_equal(link->ops->receive(link, 9, f, 3), 1);
    assert_int_equal(told_count, 3);
    assert_true(told[2].at == 9);
    assert_false(told[2].sent);
    assert_int_equal(told[2].cause, TERN_CAUSE_NONE);
    assert_int_equal(told[2].frame_bytes, 80);
    link->ops->release(link);
    assert_int_equal(link->ops->receive(link, 9, f, 3), 0);
    assert_int_equal(told_count, 3);
    link->ops->close(link);
    ends[1]->ops->close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(both_directions)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
