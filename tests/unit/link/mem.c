/* SPDX-License-Identifier: BSD-2-Clause */
/* The cable in memory: order, contents, description, back pressure, refusals, and its ends. */
#include "frames.h"

static struct tern_link *ends[2];

static void open_cable(uint32_t hold, uint32_t offloads)
{
    const struct tern_link_mem_options options = {
        .mtu_bytes = 1500,
        .offloads = offloads,
        .hold_frames = hold,
        .mac = {{{2, 0, 0, 0, 0, 1}}, {{2, 0, 0, 0, 0, 2}}},
    };

    assert_int_equal(tern_link_mem_open(&options, ends), TERN_ERR_OK);
}

static void close_cable(void)
{
    ends[0]->ops->close(ends[0]);
    ends[1]->ops->close(ends[1]);
}

static void info_and_idle(void **state)
{
    struct tern_frame f;

    (void)state;
    open_cable(4, 0);
    assert_string_equal(ends[0]->info.name, "mem:0");
    assert_int_equal(ends[1]->info.mac.b[5], 2);
    assert_int_equal(ends[0]->info.hold_frames, 4);
    assert_int_equal(ends[0]->info.hold_bytes, 6000);
    assert_int_equal(ends[0]->ops->fd(ends[0]), -1);
    assert_int_equal(ends[0]->ops->receive(ends[0], 0, &f, 1), 0);
    assert_true(ends[0]->ops->deadline(ends[0]) == TERN_TIME_NEVER);
    close_cable();
}

static void order_contents_description(void **state)
{
    uint8_t a[100], b[60], seen[100];
    struct tern_frame in[8], f = one_piece(a, sizeof a);
    struct tern_link_counters counters;

    (void)state;
    open_cable(4, TERN_OFFLOAD_CSUM_TX);
    memset(a, 0xaa, sizeof a);
    memset(b, 0xbb, sizeof b);
    f.piece[0].bytes = 30;
    f.piece[1] = (struct tern_slice){a + 30, 70};
    f.piece_count = 2;
    f.csum = TERN_CSUM_NEEDS;
    f.csum_start = 34;
    f.csum_offset = 16;
    f.cause = TERN_CAUSE_RTO;
    f.mark = 99;
    send_one(ends[0], 0, f);
    send_one(ends[0], 0, one_piece(b, sizeof b));
    memset(a, 0, sizeof a); /* the link has its own copy */
    assert_true(ends[1]->ops->deadline(ends[1]) == 0);
    assert_int_equal(ends[1]->ops->receive(ends[1], 0, in, 8), 2);
    assert_int_equal(gather(&in[0], seen, sizeof seen), 100);
    assert_int_equal(seen[0], 0xaa);
    assert_int_equal(seen[99], 0xaa);
    assert_int_equal(in[0].csum, TERN_CSUM_NEEDS);
    assert_int_equal(in[0].csum_start, 34);
    assert_int_equal(in[0].cause, TERN_CAUSE_NONE);
    assert_int_equal(in[0].mark, 0);
    assert_int_equal(gather(&in[1], seen, sizeof seen), 60);
    assert_int_equal(seen[59], 0xbb);
    ends[1]->ops->release(ends[1]);
    assert_int_equal(ends[1]->ops->receive(ends[1], 0, in, 8), 0);
    ends[0]->ops->counters(ends[0], &counters);
    assert_int_equal(counters.frames_out, 2);
    assert_int_equal(counters.bytes_out, 160);
    ends[1]->ops->counters(ends[1], &counters);
    assert_int_equal(counters.frames_in, 2);
    assert_int_equal(counters.bytes_in, 160);
    close_cable();
}

/* A full cable takes no more and loses nothing, across many turns of its ring. */
static void back_pressure(void **state)
{
    uint8_t data[64] = {0};
    struct tern_frame in[8];
    uint8_t sent = 0, got = 0;

    (void)state;
    open_cable(3, 0);
    for (int turn = 0; turn < 50; turn++) {
        int n, give;

        for (;;) {
            struct tern_frame f = one_piece(data, sizeof data);

            data[20] = sent;
            if (ends[0]->ops->transmit(ends[0], 0, &f, 1) == 0)
                break;
            sent++;
        }
        assert_int_equal((uint8_t)(sent - got), 3);
        give = turn % 3 + 1;
        n = ends[1]->ops->receive(ends[1], 0, in, give);
        assert_int_equal(n, give);
        for (int i = 0; i < n; i++)
            assert_int_equal(in[i].piece[0].data[20], (uint8_t)(got + i));
        ends[1]->ops->release(ends[1]);
        got = (uint8_t)(got + n);
    }
    close_cable();
}

static void what_no_device_takes(void **state)
{
    static uint8_t data[4000];
    struct tern_frame row[] = {
        one_piece(data, 13),   /* no Ethernet header */
        one_piece(data, 1515), /* longer than the MTU */
        one_piece(data, 100),  /* an unfinished checksum, not offloaded */
        one_piece(data, 3000), /* a super-segment, not offloaded */
    };
    struct tern_link_counters counters;
    struct tern_frame f;

    (void)state;
    row[2].csum = TERN_CSUM_NEEDS;
    row[3].gso = TERN_GSO_TCP4;
    row[3].gso_bytes = 1460;
    row[3].header_bytes = 54;
    open_cable(8, 0);
    assert_int_equal(ends[0]->ops->transmit(ends[0], 0, row, ROWS(row)), ROWS(row));
    ends[0]->ops->counters(ends[0], &counters);
    assert_int_equal(counters.dropped_out, ROWS(row));
    assert_int_equal(counters.frames_out, 0);
    assert_int_equal(ends[1]->ops->receive(ends[1], 0, &f, 1), 0);
    send_one(ends[0], 0, one_piece(data, 1514));
    assert_int_equal(ends[1]->ops->receive(ends[1], 0, &f, 1), 1);
    ends[1]->ops->release(ends[1]);
    close_cable();

    open_cable(8, TERN_OFFLOAD_CSUM_TX | TERN_OFFLOAD_TSO4);
    send_one(ends[0], 0, row[3]);
    assert_int_equal(ends[1]->ops->receive(ends[1], 0, &f, 1), 1);
    assert_int_equal(f.bytes, 3000);
    assert_int_equal(f.gso, TERN_GSO_TCP4);
    assert_int_equal(f.gso_bytes, 1460);
    ends[1]->ops->release(ends[1]);
    row[3].gso_bytes = 1461; /* pieces too long for the MTU */
    send_one(ends[0], 0, row[3]);
    assert_int_equal(ends[1]->ops->receive(ends[1], 0, &f, 1), 0);
    close_cable();
}

static void a_pulled_plug(void **state)
{
    uint8_t data[64] = {0};
    struct tern_frame f = one_piece(data, sizeof data);

    (void)state;
    open_cable(4, 0);
    send_one(ends[0], 0, f);
    ends[0]->ops->close(ends[0]);
    assert_int_equal(ends[1]->ops->receive(ends[1], 0, &f, 1), 1);
    ends[1]->ops->release(ends[1]);
    assert_int_equal(ends[1]->ops->receive(ends[1], 0, &f, 1), TERN_ERR_LINK);
    assert_int_equal(ends[1]->ops->transmit(ends[1], 0, &f, 1), TERN_ERR_LINK);
    ends[1]->ops->close(ends[1]);
}

static void impossible_options(void **state)
{
    const struct tern_link_mem_options row[] = {
        {.mtu_bytes = 67}, {.mtu_bytes = 65536}, {.mtu_bytes = 1500, .hold_frames = 1u << 20}};

    (void)state;
    for (size_t i = 0; i < ROWS(row); i++)
        assert_int_equal(tern_link_mem_open(&row[i], ends), TERN_ERR_INVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(info_and_idle), cmocka_unit_test(order_contents_description),
        cmocka_unit_test(back_pressure), cmocka_unit_test(what_no_device_takes),
        cmocka_unit_test(a_pulled_plug), cmocka_unit_test(impossible_options),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
