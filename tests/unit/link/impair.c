/* SPDX-License-Identifier: BSD-2-Clause */
/* A bad network in virtual time: each word by what it does to numbered frames; the same seed, the
 * same fate. */
#include "frames.h"

#define MANY   20000
#define FRAME  200u
#define NUMBER 50 /* where a frame carries its number */

static struct tern_link *ends[2], *link0; /* link0: end 0 behind the bad network */
static uint8_t data[70000], seen[70000];
static bool arrived[MANY];

static void open_bad(const char *words, uint64_t seed, uint32_t hold)
{
    const struct tern_link_mem_options options = {.mtu_bytes = 1500,
                                                  .offloads =
                                                      TERN_OFFLOAD_CSUM_TX | TERN_OFFLOAD_TSO4,
                                                  .hold_frames = hold};
    char text[TERN_LINK_ERROR_MAX] = "";

    assert_int_equal(tern_link_mem_open(&options, ends), TERN_ERR_OK);
    if (tern_link_impair_open(ends[0], words, seed, &link0, text) != TERN_ERR_OK)
        fail_msg("%s", text);
}

static void close_bad(void)
{
    link0->ops->close(link0);
    ends[1]->ops->close(ends[1]);
}

static struct tern_frame numbered(uint32_t number, uint32_t bytes)
{
    memset(data, 0, bytes);
    tern_put_be16(data + 12, 0x0800);
    tern_put_be32(data + NUMBER, number);
    return one_piece(data, bytes);
}

/* The next frame out of a link at a time, in seen; its bytes, 0: none. */
static size_t fetch(struct tern_link *link, tern_time now)
{
    struct tern_frame f;
    size_t bytes;

    if (link->ops->receive(link, now, &f, 1) != 1)
        return 0;
    assert_int_equal(f.csum, TERN_CSUM_UNKNOWN);
    bytes = gather(&f, seen, sizeof seen);
    link->ops->release(link);
    return bytes;
}

static uint32_t number_seen(void)
{
    return tern_get_be32(seen + NUMBER);
}

/* Send MANY frames out and note in arrived[] which come out at once. Returns how many. */
static int run_many(const char *words, uint64_t seed)
{
    int count = 0;

    memset(arrived, 0, sizeof arrived);
    open_bad(words, seed, 64);
    for (uint32_t i = 0; i < MANY; i++) {
        send_one(link0, 0, numbered(i, FRAME));
        while (fetch(ends[1], 0) > 0) {
            assert_true(number_seen() == i || strstr(words, "corrupt") != NULL);
            arrived[i] = true;
            count++;
        }
    }
    close_bad();
    return count;
}

static void shares_are_as_said(void **state)
{
    static const struct {
        const char *words;
        int expected, tolerance; /* five standard deviations */
    } row[] = {
        {"loss 10%", 18000, 212},
        {"loss 0.1%", 19980, 23},
        {"loss 100%", 0, 0},
        {"duplicate 5%", 21000, 155},
        {"corrupt 3%", MANY, 0},
        {"mtu 186", MANY, 0},
        {"mtu 185", 0, 0},
        {"loss 0%", MANY, 0},
        {"drop 1 drop 20000", MANY - 2, 0},
        {"reorder 20% delay 1s limit 20000", 4000, 283},
        {"in loss 50%", MANY, 0},
    };

    (void)state;
    for (size_t i = 0; i < ROWS(row); i++) {
        int count = run_many(row[i].words, 42);

        if (abs(count - row[i].expected) > row[i].tolerance)
            fail_msg("'%s': %d of %d", row[i].words, count, MANY);
    }
}

static void seed_decides(void **state)
{
    static bool first[MANY];

    (void)state;
    (void)run_many("loss 10%", 1);
    memcpy(first, arrived, sizeof first);
    (void)run_many("loss 10%", 1);
    assert_memory_equal(first, arrived, sizeof first);
    (void)run_many("loss 10% duplicate 10% corrupt 10%", 1); /* other words: the same losses */
    assert_memory_equal(first, arrived, sizeof first);
    (void)run_many("loss 10%", 2);
    assert_memory_not_equal(first, arrived, sizeof first);
}

static void directions_are_independent(void **state)
{
    int in_and_out = 0, in_lost = 0;

    (void)state;
    (void)run_many("loss 50%", 7);
    open_bad("loss 50%", 7, 64);
    for (uint32_t i = 0; i < MANY; i++) {
        bool in;

        send_one(ends[1], 0, numbered(i, FRAME));
        in = fetch(link0, 0) > 0;
        in_lost += !in;
        in_and_out += in == arrived[i];
    }
    close_bad();
    assert_true(abs(in_lost - MANY / 2) < 354);
    assert_true(abs(in_and_out - MANY / 2) < 354); /* as alike as two coins */
}

static void numbered_drops(void **state)
{
    (void)state;
    (void)run_many("drop 3 drop 7", 0);
    for (int i = 0; i < 20; i++)
        assert_int_equal(arrived[i], i != 2 && i != 6); /* counted from 1 */
}

static void bursts_come_in_runs(void **state)
{
    int run = 0, lost = 0;

    (void)state;
    (void)run_many("burst 1% 5", 3);
    for (int i = 0; i < MANY; i++) {
        if (!arrived[i]) {
            run++;
            lost++;
            continue;
        }
        assert_int_equal(run % 5, 0);
        run = 0;
    }
    /* A fifth of the runs' frames, at one percent of those outside: 5 % / 1.04 of all. */
    assert_true(lost > 700);
    assert_true(lost < 1250);
}

static void delay_and_deadline(void **state)
{
    (void)state;
    open_bad("delay 20ms", 0, 64);
    assert_true(link0->ops->deadline(link0) == TERN_TIME_NEVER);
    send_one(link0, 1000, numbered(1, FRAME));
    send_one(link0, 2000, numbered(2, FRAME));
    assert_true(link0->ops->deadline(link0) == 20 * TERN_MS + 1000);
    assert_int_equal(fetch(link0, 20 * TERN_MS + 999), 0);
    assert_int_equal(fetch(ends[1], 0), 0);
    assert_int_equal(fetch(link0, 20 * TERN_MS + 1000), 0); /* this call sends it */
    assert_int_equal(fetch(ends[1], 0), FRAME);
    assert_int_equal(number_seen(), 1);
    assert_int_equal(fetch(ends[1], 0), 0);
    assert_true(link0->ops->deadline(link0) == 20 * TERN_MS + 2000);
    /* The way in, likewise. */
    send_one(ends[1], 0, numbered(3, FRAME));
    assert_int_equal(fetch(link0, 30 * TERN_MS), 0);
    assert_int_equal(fetch(ends[1], 0), FRAME);
    assert_int_equal(number_seen(), 2);
    assert_true(link0->ops->deadline(link0) == 50 * TERN_MS);
    assert_int_equal(fetch(link0, 50 * TERN_MS), FRAME);
    assert_int_equal(number_seen(), 3);
    close_bad();
}

static void jitter_spreads_and_reorders(void **state)
{
    tern_time first = TERN_TIME_NEVER, last = 0;
    uint32_t previous = 0;
    int backwards = 0, count = 0;

    (void)state;
    open_bad("out delay 20ms jitter 5ms", 9, 64);
    for (uint32_t i = 0; i < 2000; i++)
        send_one(link0, 0, numbered(i, FRAME));
    while (link0->ops->deadline(link0) != TERN_TIME_NEVER) {
        tern_time at = link0->ops->deadline(link0);

        assert_true(at >= last);
        if (at < first)
            first = at;
        last = at;
        (void)fetch(link0, at);
        while (fetch(ends[1], at) > 0) {
            backwards += number_seen() < previous;
            previous = number_seen();
            count++;
        }
    }
    assert_int_equal(count, 2000);
    assert_true(first >= 15 * TERN_MS);
    assert_true(first < 15100 * TERN_US);
    assert_true(last <= 25 * TERN_MS);
    assert_true(last > 24900 * TERN_US);
    assert_true(backwards > 500);
    close_bad();
}

static void rate_and_limit(void **state)
{
    (void)state;
    open_bad("out rate 1mbit limit 5", 0, 64);
    for (uint32_t i = 0; i < 9; i++)
        send_one(link0, 0, numbered(i, 1000)); /* 8 ms each */
    for (uint32_t i = 0; i < 5; i++) {
        assert_true(link0->ops->deadline(link0) == (tern_time)(i + 1) * 8 * TERN_MS);
        (void)fetch(link0, link0->ops->deadline(link0));
        assert_int_equal(fetch(ends[1], 0), 1000);
        assert_int_equal(number_seen(), i);
    }
    assert_true(link0->ops->deadline(link0) == TERN_TIME_NEVER);
    /* An idle line does not save up. */
    send_one(link0, TERN_SECOND, numbered(99, 1000));
    assert_true(link0->ops->deadline(link0) == TERN_SECOND + 8 * TERN_MS);
    close_bad();
}

/* One bit of an IP packet, and the checksums notice; nothing else is touched. */
static void corruption_shows(void **state)
{
    static const uint8_t payload[100];
    struct segment s = {.src = tern_addr_v4(10, 0, 0, 1),
                        .dst = tern_addr_v4(10, 0, 0, 2),
                        .flags = ACK,
                        .data = payload,
                        .bytes = sizeof payload};
    int noticed = 0;

    (void)state;
    open_bad("corrupt 100%", 11, 64);
    for (int i = 0; i < 500; i++) {
        struct tern_frame f = tcp_unfinished(data, &s);
        int bits = 0;

        send_one(link0, 0, f);
        assert_int_equal(fetch(ends[1], 0), f.bytes);
        put_tcp(data, &s);
        assert_memory_equal(seen, data, ETH);
        for (size_t b = 0; b < f.bytes; b++)
            bits += __builtin_popcount((unsigned)(seen[b] ^ data[b]));
        assert_int_equal(bits, 1);
        noticed += !checksums_right(seen, f.bytes);
    }
    assert_int_equal(noticed, 500);
    put_arp(data, 1, everybody, s.src, s.dst);
    send_one(link0, 0, one_piece(data, ARP_BYTES));
    assert_int_equal(fetch(ends[1], 0), ARP_BYTES);
    assert_memory_equal(seen, data, ARP_BYTES);
    close_bad();
}

static struct tern_frame super(size_t bytes)
{
    static uint8_t payload[65000];
    struct segment s = {.src = tern_addr_v4(10, 0, 0, 1),
                        .dst = tern_addr_v4(10, 0, 0, 2),
                        .flags = ACK,
                        .data = payload,
                        .bytes = bytes};
    struct tern_frame f = tcp_unfinished(data, &s);

    f.gso = TERN_GSO_TCP4;
    f.gso_bytes = 1000;
    f.header_bytes = ETH + IP + TCP;
    return f;
}

/* Super-segments are cut, both ways, so that one frame can be lost of them. */
static void super_segments_lose_one_frame(void **state)
{
    (void)state;
    open_bad("drop 2", 0, 64);
    for (int way = 0; way < 2; way++) {
        struct tern_link *from = way == 0 ? link0 : ends[1];
        struct tern_link *to = way == 0 ? ends[1] : link0;

        send_one(from, 0, super(3500));
        for (uint32_t i = 0; i < 4; i++) {
            size_t bytes;

            if (i == 1)
                continue;
            bytes = fetch(to, 0);
            assert_int_equal(bytes, ETH + IP + TCP + (i == 3 ? 500 : 1000));
            assert_true(checksums_right(seen, bytes));
            assert_int_equal(tern_get_be32(seen + ETH + IP + 4), i * 1000);
        }
        assert_int_equal(fetch(to, 0), 0);
    }
    close_bad();
}

/* A direction that no word speaks of stays as it was. */
static void the_other_way_is_untouched(void **state)
{
    struct tern_frame f;

    (void)state;
    open_bad("in drop 1", 0, 64);
    send_one(link0, 0, super(3500));
    assert_int_equal(ends[1]->ops->receive(ends[1], 0, &f, 1), 1);
    assert_int_equal(f.gso, TERN_GSO_TCP4);
    assert_int_equal(f.csum, TERN_CSUM_NEEDS);
    ends[1]->ops->release(ends[1]);
    assert_int_equal(link0->info.hold_frames, 64);
    close_bad();
}

static void a_full_device_is_no_loss(void **state)
{
    struct tern_frame f = numbered(0, FRAME);
    uint32_t taken = 0, got = 0;

    (void)state;
    open_bad("out loss 0%", 0, 4);
    while (link0->ops->transmit(link0, 0, &f, 1) == 1)
        f = numbered(++taken, FRAME);
    assert_true(taken > 4);
    assert_true(link0->ops->deadline(link0) != TERN_TIME_NEVER); /* it will try again */
    while (got < taken) {
        (void)fetch(link0, 0);
        if (ends[1]->ops->deadline(ends[1]) == TERN_TIME_NEVER)
            fail_msg("stuck at %u of %u", got, taken);
        while (fetch(ends[1], 0) > 0)
            assert_int_equal(number_seen(), got++);
    }
    assert_true(link0->ops->deadline(link0) == TERN_TIME_NEVER);
    close_bad();
}

static void closing_sends_what_is_on_its_way(void **state)
{
    (void)state;
    open_bad("delay 10s", 0, 64);
    send_one(link0, 0, numbered(1, FRAME));
    send_one(link0, 5, numbered(2, FRAME));
    assert_int_equal(fetch(ends[1], 0), 0);
    link0->ops->close(link0);
    assert_int_equal(fetch(ends[1], 0), FRAME);
    assert_int_equal(number_seen(), 1);
    assert_int_equal(fetch(ends[1], 0), FRAME);
    assert_int_equal(number_seen(), 2);
    ends[1]->ops->close(ends[1]);
}

static void hold_is_the_smaller(void **state)
{
    (void)state;
    open_bad("limit 3", 0, 64);
    assert_int_equal(link0->info.hold_frames, 3);
    assert_int_equal(link0->info.hold_bytes, 4500);
    close_bad();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares_are_as_said),
        cmocka_unit_test(seed_decides),
        cmocka_unit_test(directions_are_independent),
        cmocka_unit_test(numbered_drops),
        cmocka_unit_test(bursts_come_in_runs),
        cmocka_unit_test(delay_and_deadline),
        cmocka_unit_test(jitter_spreads_and_reorders),
        cmocka_unit_test(rate_and_limit),
        cmocka_unit_test(corruption_shows),
        cmocka_unit_test(super_segments_lose_one_frame),
        cmocka_unit_test(the_other_way_is_untouched),
        cmocka_unit_test(a_full_device_is_no_loss),
        cmocka_unit_test(closing_sends_what_is_on_its_way),
        cmocka_unit_test(hold_is_the_smaller),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
