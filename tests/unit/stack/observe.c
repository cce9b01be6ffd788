/* SPDX-License-Identifier: BSD-2-Clause */
/* What an observer is told, and in which order; and that it changes nothing. */
#include "bench.h"

#include "base/seq.h"

#define NOTES_MAX 4096

static struct tern_note notes[NOTES_MAX];
static uint32_t count;

static void hear(void *user, const struct tern_note *note)
{
    assert_ptr_equal(user, notes);
    assert_true(count < NOTES_MAX);
    notes[count++] = *note;
}

static void listen_to(struct tern_config *c)
{
    c->observer = hear;
    c->observer_user = notes;
    count = 0;
}

/* The next note of a kind, from *at on, which then stands behind it. */
static const struct tern_note *next(enum tern_note_kind kind, uint32_t *at)
{
    while (*at < count)
        if (notes[(*at)++].kind == kind)
            return &notes[*at - 1];
    return NULL;
}

static const struct tern_note *must(enum tern_note_kind kind, uint32_t *at)
{
    const struct tern_note *n = next(kind, at);

    if (n == NULL)
        fail_msg("nobody told of kind %d", kind);
    return n;
}

static void open_heard(struct bench *b)
{
    struct tern_config c;

    bench_config(&c, 1);
    listen_to(&c);
    bench_open_at(b, &c, 1);
}

static struct tern_conn *connected(struct bench *b, struct tern_tcp_header *peer)
{
    open_heard(b);
    return bench_connect(b, 80, peer);
}

static void handshake(void **state)
{
    struct tern_tcp_header peer;
    uint32_t at = 0;
    struct bench b;

    (void)state;
    (void)connected(&b, &peer);
    assert_int_equal(must(TERN_NOTE_ADDRESS, &at)->address.step, TERN_ADDRESS_ANNOUNCED);
    assert_int_equal(must(TERN_NOTE_NEIGHBOUR, &at)->neighbour.state, TERN_NEIGHBOUR_KNOWN);
    assert_int_equal(must(TERN_NOTE_OPENED, &at)->opened.remote.port, 80);
    assert_int_equal(must(TERN_NOTE_STATE, &at)->state.to, TERN_TCP_SYN_SENT);
    assert_int_equal(must(TERN_NOTE_SEGMENT_OUT, &at)->segment.cause, TERN_CAUSE_SYN);
    assert_int_equal(must(TERN_NOTE_TIMER, &at)->timer.timer, TERN_TIMER_RETRANSMISSION);
    (void)must(TERN_NOTE_FRAME_IN, &at);
    assert_int_equal(must(TERN_NOTE_STATE, &at)->state.to, TERN_TCP_ESTABLISHED);
    assert_true(must(TERN_NOTE_AGREED, &at)->agreed.mss_bytes > 0);
    assert_int_equal(must(TERN_NOTE_METRICS, &at)->metrics.phase, TERN_PHASE_SLOW_START);
    assert_int_equal(must(TERN_NOTE_SEGMENT_IN, &at)->segment.effect.state_before,
                     TERN_TCP_SYN_SENT);
    assert_int_equal(must(TERN_NOTE_SEGMENT_OUT, &at)->segment.cause, TERN_CAUSE_HANDSHAKE_ACK);
    (void)must(TERN_NOTE_INPUT_END, &at);
    bench_close(&b);
}

/* Text in order, beyond a hole, filling it, and come twice. */
static void received_text(void **state)
{
    static const struct {
        uint32_t from, bytes;
        struct tern_note_effect e;
    } rows[] = {
        {0, 10, {.in_order_bytes = 10}},
        {20, 10, {.beyond_bytes = 10}},
        {10, 10, {.in_order_bytes = 20, .joined_bytes = 10}},
        {0, 10, {.in_order_bytes = 0}},
    };
    static const uint8_t text[64];
    struct tern_tcp_header peer;
    struct bench b;

    (void)state;
    (void)connected(&b, &peer);
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct tern_tcp_header h = peer;
        const struct tern_note_effect *e;
        uint32_t at = 0;

        h.seq = tern_seq_of(peer.seq.value + rows[i].from);
        count = 0;
        bench_tcp(&b, h, tern_span_of(text, rows[i].bytes));
        e = &must(TERN_NOTE_SEGMENT_IN, &at)->segment.effect;
        assert_int_equal(e->in_order_bytes, rows[i].e.in_order_bytes);
        assert_int_equal(e->joined_bytes, rows[i].e.joined_bytes);
        assert_int_equal(e->beyond_bytes, rows[i].e.beyond_bytes);
        assert_int_equal(notes[at - 1].segment.offset_bytes, rows[i].from);
        assert_int_equal(e->drop, i == 3 ? TERN_DROP_TCP_OLD_DUPLICATE : TERN_DROP_COUNT);
        bench_drain(&b);
    }
    bench_close(&b);
}

/* A timeout: the timer fires, the loss is told with its witness, and what goes again is known. */
static void timeout(void **state)
{
    struct tern_tcp_header peer;
    struct tern_conn *conn;
    uint32_t at = 0;
    struct bench b;

    (void)state;
    conn = connected(&b, &peer);
    assert_int_equal(tern_tcp_write(conn, "hello", 5), 5);
    bench_drain(&b);
    count = 0;
    for (int i = 0; i < 40 && next(TERN_NOTE_LOSS, &at) == NULL; i++, at = 0)
        bench_advance(&b, 100 * TERN_MS);
    at = 0;
    while (must(TERN_NOTE_TIMER, &at)->timer.step != TERN_TIMER_FIRED ||
           notes[at - 1].timer.timer != TERN_TIMER_RETRANSMISSION)
        continue;
    assert_int_equal(must(TERN_NOTE_RECOVERY, &at)->recovery.to, TERN_SENDER_LOSS);
    assert_int_equal(must(TERN_NOTE_LOSS, &at)->loss.by, TERN_LOSS_TIMEOUT);
    assert_int_equal(notes[at - 1].loss.bytes, 5);
    assert_int_equal(notes[at - 1].loss.offset_bytes, 0);
    bench_drain(&b);
    assert_int_equal(must(TERN_NOTE_SEGMENT_OUT, &at)->segment.cause, TERN_CAUSE_RTO);
    assert_true(notes[at - 1].segment.again);
    bench_close(&b);
}

static bool was_sent_for(enum tern_cause cause)
{
    const struct tern_note *n;
    uint32_t at = 0;

    while ((n = next(TERN_NOTE_SEGMENT_OUT, &at)) != NULL)
        if (n->segment.cause == cause)
            return true;
    return false;
}

/* What a tail probe repaired is what it carried, however short it was. */
static void repaired_by_probe(void **state)
{
    struct tern_tcp_settings settings;
    struct tern_tcp_header peer;
    struct tern_conn *conn;
    uint32_t at = 0;
    struct bench b;

    (void)state;
    open_heard(&b);
    conn = bench_connect_sack(&b, 80, &peer); /* without SACK there are no tail probes */
    tern_tcp_settings(conn, &settings);
    settings.nodelay = true;
    assert_int_equal(tern_tcp_set(conn, &settings), TERN_ERR_OK);
    assert_int_equal(tern_tcp_write(conn, "hello", 5), 5);
    bench_drain(&b);
    peer.ack = tern_seq_add(peer.ack, 5);
    bench_tcp(&b, peer, tern_span_of(NULL, 0));
    assert_int_equal(tern_tcp_write(conn, "again", 5), 5);
    bench_drain(&b);
    for (int i = 0; i < 40 && !was_sent_for(TERN_CAUSE_TAIL_PROBE); i++)
        bench_advance(&b, 50 * TERN_MS);
    assert_true(was_sent_for(TERN_CAUSE_TAIL_PROBE));
    assert_int_equal(tern_tcp_write(conn, "more", 4), 4);
    bench_drain(&b);
    count = 0;
    peer.ack = tern_seq_add(peer.ack, 9);
    bench_tcp(&b, peer, tern_span_of(NULL, 0));
    assert_int_equal(must(TERN_NOTE_LOSS, &at)->loss.by, TERN_LOSS_TAIL_PROBE);
    assert_int_equal(notes[at - 1].loss.offset_bytes, 5);
    assert_int_equal(notes[at - 1].loss.bytes, 5);
    bench_close(&b);
}

/* A segment of no connection: told once, with the reset that answers it. */
static void stray(void **state)
{
    const struct tern_tcp_header h = {
        .src_port = 9, .dst_port = 9, .flags = TERN_TCP_SYN, .window = 100};
    struct tern_tcp_header peer;
    uint32_t at = 0;
    struct bench b;

    (void)state;
    (void)connected(&b, &peer);
    count = 0;
    bench_tcp(&b, h, tern_span_of(NULL, 0));
    bench_drain(&b);
    assert_int_equal(must(TERN_NOTE_DROP, &at)->drop.reason, TERN_DROP_TCP_NO_CONNECTION);
    assert_int_equal(must(TERN_NOTE_SEGMENT_OUT, &at)->segment.cause, TERN_CAUSE_RST_NO_CONNECTION);
    assert_int_equal(must(TERN_NOTE_SEGMENT_IN, &at)->conn_id, 0);
    assert_null(next(TERN_NOTE_SEGMENT_IN, &at));
    bench_close(&b);
}

static void closed(void **state)
{
    struct tern_tcp_header peer;
    struct tern_conn *conn;
    uint32_t at = 0;
    struct bench b;

    (void)state;
    conn = connected(&b, &peer);
    count = 0;
    peer.flags = TERN_TCP_RST | TERN_TCP_ACK;
    bench_tcp(&b, peer, tern_span_of(NULL, 0));
    assert_int_equal(must(TERN_NOTE_STATE, &at)->state.to, TERN_TCP_CLOSED);
    assert_int_equal(must(TERN_NOTE_CLOSED, &at)->closed.reason, TERN_ERR_RESET);
    assert_int_equal(notes[at - 1].conn_id, tern_tcp_id(conn));
    bench_close(&b);
}

/* The same run with and without: the same frames, bit for bit. */
static void changes_nothing(void **state)
{
    static struct bench b[2];
    static const uint8_t text[4000];

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct tern_tcp_header peer;
        struct tern_config c;
        struct tern_conn *conn;

        bench_config(&c, 1);
        if (i == 1)
            listen_to(&c);
        bench_open_at(&b[i], &c, 1);
        conn = bench_connect(&b[i], 80, &peer);
        assert_int_equal(tern_tcp_write(conn, text, sizeof text), sizeof text);
        bench_drain(&b[i]);
        for (int k = 0; k < 20; k++)
            bench_advance(&b[i], 100 * TERN_MS);
    }
    assert_true(b[0].sent_count > 4);
    assert_int_equal(b[0].sent_count, b[1].sent_count);
    for (uint32_t i = 0; i < b[0].sent_count; i++) {
        assert_int_equal(b[0].sent[i].count, b[1].sent[i].count);
        assert_memory_equal(b[0].sent[i].bytes, b[1].sent[i].bytes, b[0].sent[i].count);
    }
    bench_close(&b[0]);
    bench_close(&b[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(handshake),
        cmocka_unit_test(received_text),
        cmocka_unit_test(timeout),
        cmocka_unit_test(stray),
        cmocka_unit_test(closed),
        cmocka_unit_test(changes_nothing),
        cmocka_unit_test(repaired_by_probe),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
