/* SPDX-License-Identifier: BSD-2-Clause */
/* Records of TIME-WAIT: what each kind of segment does to one, and which SYN may take its pair. */
#include "proto/tcp/timewait.h"

#include "engine.h"

#define RECORDS 4

struct bed {
    struct tern_timewaits w;
    void *memory;
    struct tern_table_node *buckets[8];
    tern_time now;
};

static void bed_open(struct bed *b)
{
    memset(b, 0, sizeof *b);
    engine_pool(&b->w.pool, &b->memory, sizeof(struct tern_timewait), RECORDS);
    b->w.table.buckets = b->buckets;
    b->w.table.mask = 7;
    tern_list_init(&b->w.oldest);
    b->now = 5 * TERN_SECOND;
}

static void bed_close(struct bed *b)
{
    while (tern_timewait_first(&b->w) != NULL)
        tern_timewait_remove(&b->w, tern_timewait_first(&b->w));
    tern_timewait_check(&b->w);
    free(b->memory);
}

/* Our numbers end at 2000, the peer's FIN was 4999; window 100. */
static struct tern_timewait *bed_add(struct bed *b, uint16_t port, bool timestamps)
{
    struct tern_tcb c;

    memset(&c, 0, sizeof c);
    c.state = TERN_TCP_TIME_WAIT;
    c.local.port = port;
    c.snd.max = (UINT64_C(1) << 32) + 2000;
    c.rcv.nxt = (UINT64_C(1) << 32) + 5000;
    c.rcv.adv = c.rcv.nxt + 100;
    c.opt.timestamps = timestamps;
    c.opt.ts_recent = 70;
    return tern_timewait_add(&b->w, &c, port % 3, b->now);
}

static struct tern_segment segment(uint8_t flags, uint32_t seq, size_t bytes, int ts)
{
    static const uint8_t text[300];
    struct tern_segment s = {.h = {.flags = flags, .seq = tern_seq_of(seq)},
                             .text = tern_span_of(text, bytes)};

    s.h.ack = tern_seq_of(2000);
    s.h.has_timestamps = ts >= 0;
    s.h.ts_value = ts >= 0 ? (uint32_t)ts : 0;
    return s;
}

#define ACK TERN_TCP_ACK
#define FIN (TERN_TCP_ACK | TERN_TCP_FIN)
#define SYN TERN_TCP_SYN
#define RST TERN_TCP_RST

static void segments(void **state)
{
    static const struct {
        const char *what;
        uint8_t flags;
        uint32_t seq;
        size_t bytes;
        int ts; /* -1: none, on a connection without them */
        enum tern_timewait_verdict verdict;
        enum tern_drop why;
        bool restarts;
    } row[] = {
        {"the FIN again", FIN, 4999, 0, -1, TERN_TIMEWAIT_ANSWER, TERN_DROP_TCP_OLD_DUPLICATE,
         true},
        {"text and FIN again", FIN, 4899, 100, -1, TERN_TIMEWAIT_ANSWER,
         TERN_DROP_TCP_OLD_DUPLICATE, true},
        {"another FIN, older", FIN, 4990, 0, -1, TERN_TIMEWAIT_ANSWER, TERN_DROP_TCP_OLD_DUPLICATE,
         false},
        {"old text", ACK, 4000, 50, -1, TERN_TIMEWAIT_ANSWER, TERN_DROP_TCP_OLD_DUPLICATE, false},
        {"text beyond", ACK, 5100, 50, -1, TERN_TIMEWAIT_ANSWER, TERN_DROP_TCP_OUTSIDE_WINDOW,
         false},
        {"text in the window", ACK, 5000, 50, -1, TERN_TIMEWAIT_DROP, TERN_DROP_TCP_AFTER_CLOSE,
         false},
        {"the last ACK", ACK, 5000, 0, -1, TERN_TIMEWAIT_TAKEN, TERN_DROP_COUNT, false},
        {"at the right edge", ACK, 5100, 0, -1, TERN_TIMEWAIT_TAKEN, TERN_DROP_COUNT, false},
        {"an exact reset", RST, 5000, 0, -1, TERN_TIMEWAIT_DROP, TERN_DROP_TCP_BAD_RST, false},
        {"a reset in the window", RST, 5001, 0, -1, TERN_TIMEWAIT_ANSWER, TERN_DROP_TCP_BAD_RST,
         false},
        {"a reset at the edge", RST, 5100, 0, -1, TERN_TIMEWAIT_DROP, TERN_DROP_TCP_OUTSIDE_WINDOW,
         false},
        {"an old reset", RST, 4000, 0, -1, TERN_TIMEWAIT_DROP, TERN_DROP_TCP_OLD_DUPLICATE, false},
        {"a SYN in the window", SYN, 5001, 0, -1, TERN_TIMEWAIT_ANSWER, TERN_DROP_TCP_BAD_SYN,
         false},
        {"no ACK", 0, 5000, 10, -1, TERN_TIMEWAIT_DROP, TERN_DROP_TCP_NO_ACK, false},
        {"an old timestamp", ACK, 5000, 0, 69, TERN_TIMEWAIT_ANSWER, TERN_DROP_TCP_PAWS, false},
        {"the last timestamp", ACK, 5000, 0, 70, TERN_TIMEWAIT_TAKEN, TERN_DROP_COUNT, false},
        {"a reset with an old one", RST, 5000, 0, 1, TERN_TIMEWAIT_DROP, TERN_DROP_TCP_BAD_RST,
         false},
    };

    (void)state;
    for (size_t i = 0; i < ROWS(row); i++) {
        struct bed b;
        struct tern_timewait *t;
        struct tern_segment seg = segment(row[i].flags, row[i].seq, row[i].bytes, row[i].ts);
        enum tern_drop why = TERN_DROP_COUNT;
        enum tern_cause cause;
        tern_time end;

        bed_open(&b);
        t = bed_add(&b, 1, row[i].ts >= 0);
        end = tern_timewait_deadline(&b.w, b.now);
        assert_int_equal(end, b.now + TERN_TCP_TIME_WAIT_HOLD);
        b.now += 7 * TERN_SECOND;
        if (tern_timewait_input(&b.w, t, &seg, b.now, &why, &cause) != row[i].verdict)
            fail_msg("%s: another verdict", row[i].what);
        if (row[i].verdict != TERN_TIMEWAIT_TAKEN && why != row[i].why)
            fail_msg("%s: %s", row[i].what, tern_drop_key(why));
        if ((tern_timewait_deadline(&b.w, b.now) != end) != row[i].restarts)
            fail_msg("%s: %s", row[i].what, row[i].restarts ? "no new wait" : "a new wait");
        tern_timewait_check(&b.w);
        bed_close(&b);
    }
}

/* RFC 7323 §3.2: without the agreed option it is judged by its numbers (decision 0025). */
static void timestamps_missing(void **state)
{
    struct bed b;
    struct tern_segment seg = segment(ACK, 4000, 10, -1);
    enum tern_drop why;
    enum tern_cause cause;

    (void)state;
    bed_open(&b);
    assert_int_equal(tern_timewait_input(&b.w, bed_add(&b, 1, true), &seg, b.now, &why, &cause),
                     TERN_TIMEWAIT_ANSWER);
    assert_int_equal(why, TERN_DROP_TCP_OLD_DUPLICATE);
    bed_close(&b);
}

/* RFC 6191 §2, row by row. */
static void reuse(void **state)
{
    static const struct {
        const char *what;
        bool timestamps;
        uint32_t seq;
        int ts;
        uint8_t flags;
        bool yes;
    } row[] = {
        {"a later timestamp", true, 100, 71, SYN, true},
        {"the same timestamp, a later number", true, 5000, 70, SYN, true},
        {"the same timestamp, an old number", true, 4999, 70, SYN, false},
        {"an older timestamp", true, 9000, 69, SYN, false},
        {"no timestamp any more, a later number", true, 5000, -1, SYN, true},
        {"no timestamp any more, an old number", true, 4999, -1, SYN, false},
        {"timestamps for the first time", false, 100, 5, SYN, true},
        {"never any, a later number", false, 5000, -1, SYN, true},
        {"never any, an old number", false, 4999, -1, SYN, false},
        {"not a SYN", true, 9000, 99, ACK, false},
        {"a SYN-ACK", true, 9000, 99, SYN | ACK, false},
    };

    (void)state;
    for (size_t i = 0; i < ROWS(row); i++) {
        struct bed b;
        struct tern_segment seg = segment(row[i].flags, row[i].seq, 0, row[i].ts);

        bed_open(&b);
        if (tern_timewait_reusable(bed_add(&b, 1, row[i].timestamps), &seg) != row[i].yes)
            fail_msg("%s: %s", row[i].what, row[i].yes ? "refused" : "let in");
        bed_close(&b);
    }
}

/* Our own connecting: timestamps must have moved on, and the numbers be beyond the old ones. */
static void reuse_ours(void **state)
{
    struct bed b;
    struct tern_timewait *with, *without;

    (void)state;
    bed_open(&b);
    with = bed_add(&b, 1, true);
    without = bed_add(&b, 2, false);
    assert_false(tern_timewait_ours_to_reuse(with, b.now + TERN_SECOND / 2));
    assert_true(tern_timewait_ours_to_reuse(with, b.now + 2 * TERN_SECOND));
    assert_false(tern_timewait_ours_to_reuse(without, b.now + 50 * TERN_SECOND));
    assert_int_equal(tern_timewait_iss(with, tern_seq_of(2001)).value, 2001);
    assert_int_equal(tern_timewait_iss(with, tern_seq_of(2000)).value, 2000 + 65536);
    assert_int_equal(tern_timewait_iss(with, tern_seq_of(UINT32_MAX)).value, 2000 + 65536);
    bed_close(&b);
}

/* They end in the order in which they came, a restarted one later, across the clock's wrap too. */
static void in_order(void **state)
{
    struct bed b;
    struct tern_segment fin = segment(FIN, 4999, 0, -1);
    struct tern_timewait *first, *second;
    enum tern_drop why;
    enum tern_cause cause;

    (void)state;
    bed_open(&b);
    b.now = ((tern_time)UINT32_MAX - 30000) * TERN_MS;
    first = bed_add(&b, 1, false);
    b.now += 10 * TERN_SECOND;
    second = bed_add(&b, 4, false); /* in the same bucket */
    assert_ptr_equal(tern_timewait_first(&b.w), first);
    assert_ptr_equal(tern_timewait_find(&b.w, &second->local, &second->remote, 1), second);
    b.now += 25 * TERN_SECOND;
    assert_int_equal(tern_timewait_input(&b.w, first, &fin, b.now, &why, &cause),
                     TERN_TIMEWAIT_ANSWER);
    assert_ptr_equal(tern_timewait_first(&b.w), second);
    assert_int_equal(tern_timewait_deadline(&b.w, b.now), b.now + 35 * TERN_SECOND);
    tern_timewait_check(&b.w);
    bed_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(segments),   cmocka_unit_test(timestamps_missing), cmocka_unit_test(reuse),
        cmocka_unit_test(reuse_ours), cmocka_unit_test(in_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
