/* SPDX-License-Identifier: BSD-2-Clause */
/* Segments in: to their connection, to a listener, or answered with a reset (RFC 9293 §3.10.7). */
#include "bench.h"

#include "proto/tcp/tcp.h"

static void open_one(struct bench *b)
{
    struct tern_config c;

    bench_config(&c, 1);
    bench_open_at(b, &c, 1);
}

/* RFC 9293 §3.10.7.1: what a segment for no connection is answered with. */
static void reset_for_no_connection(void **state)
{
    static const struct {
        uint8_t flags;
        uint32_t text_bytes;
        bool answered;
        uint32_t seq, ack; /* of the reset */
        uint8_t reset_flags;
    } row[] = {
        {TERN_TCP_SYN, 0, true, 0, 101, TERN_TCP_RST | TERN_TCP_ACK},
        {TERN_TCP_SYN, 5, true, 0, 106, TERN_TCP_RST | TERN_TCP_ACK},
        {TERN_TCP_FIN, 5, true, 0, 106, TERN_TCP_RST | TERN_TCP_ACK},
        {TERN_TCP_ACK, 0, true, 777, 0, TERN_TCP_RST},
        {TERN_TCP_SYN | TERN_TCP_ACK, 0, true, 777, 0, TERN_TCP_RST},
        {TERN_TCP_FIN | TERN_TCP_ACK, 9, true, 777, 0, TERN_TCP_RST},
        {0, 0, true, 0, 100, TERN_TCP_RST | TERN_TCP_ACK},
        {TERN_TCP_RST, 0, false, 0, 0, 0},
        {TERN_TCP_RST | TERN_TCP_ACK, 0, false, 0, 0, 0},
        {TERN_TCP_RST | TERN_TCP_SYN, 0, false, 0, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < ROWS(row); i++) {
        struct bench b;
        const struct tern_tcp_header h = {.src_port = 9,
                                          .dst_port = 80,
                                          .seq = tern_seq_of(100),
                                          .ack = tern_seq_of(777),
                                          .flags = row[i].flags};
        struct tern_tcp_header r;
        struct tern_stack_counters n;
        tern_span text;

        open_one(&b);
        bench_tcp(&b, h, tern_span_of("123456789", row[i].text_bytes));
        if (bench_sent_tcp(&b, 0, &r, &text) != row[i].answered)
            fail_msg("row %zu", i);
        tern_stack_counters(b.stack, &n);
        assert_int_equal(n.tcp_resets_out, row[i].answered);
        assert_int_equal(n.drops[TERN_DROP_TCP_NO_CONNECTION], 1);
        if (row[i].answered) {
            assert_int_equal(r.src_port, 80);
            assert_int_equal(r.dst_port, 9);
            assert_int_equal(r.flags, row[i].reset_flags);
            assert_int_equal(r.seq.value, row[i].seq);
            assert_int_equal(r.ack.value, row[i].ack);
            assert_int_equal(text.bytes, 0);
            assert_int_equal(b.sent[0].frame.cause, TERN_CAUSE_RST_NO_CONNECTION);
        }
        bench_close(&b);
    }
}

/* RFC 9293 §3.10.7.2: what reaches a listener. Only a plain SYN opens something. */
static void listener(void **state)
{
    static const struct {
        uint8_t flags;
        uint8_t answer; /* 0: silence */
    } row[] = {
        {TERN_TCP_SYN, TERN_TCP_SYN | TERN_TCP_ACK},
        {TERN_TCP_SYN | TERN_TCP_ECE | TERN_TCP_CWR,
         TERN_TCP_SYN | TERN_TCP_ACK | TERN_TCP_ECE}, /* RFC 3168 §6.1.1 */
        {TERN_TCP_SYN | TERN_TCP_ECE, TERN_TCP_SYN | TERN_TCP_ACK},
        {TERN_TCP_SYN | TERN_TCP_PSH, TERN_TCP_SYN | TERN_TCP_ACK},
        {TERN_TCP_ACK, TERN_TCP_RST},
        {TERN_TCP_SYN | TERN_TCP_ACK, TERN_TCP_RST},
        {TERN_TCP_RST, 0},
        {TERN_TCP_SYN | TERN_TCP_RST, 0},
    };

    (void)state;
    for (size_t i = 0; i < ROWS(row); i++) {
        struct bench b;
        const struct tern_tcp_options o = {.local = {.port = 80}};
        const struct tern_tcp_header h = {
            .src_port = 9, .dst_port = 80, .seq = tern_seq_of(100), .flags = row[i].flags};
        struct tern_listener *l;
        struct tern_tcp_header r = {.flags = 0};
        struct tern_stack_counters n;
        tern_span text;

        open_one(&b);
        assert_int_equal(tern_tcp_listen(b.stack, &o, 4, &l), TERN_ERR_OK);
        bench_tcp(&b, h, tern_span_of("", 0));
        (void)bench_sent_tcp(&b, 0, &r, &text);
        if (r.flags != row[i].answer)
            fail_msg("row %zu: flags %02x", i, r.flags);
        tern_stack_counters(b.stack, &n);
        assert_int_equal(n.connections_used, (row[i].answer & TERN_TCP_SYN) != 0);
        bench_close(&b);
    }
}

/* The listener of the very address before the one of all of them. */
static void exact_listener(void **state)
{
    struct bench b;
    struct tern_tcp_options o = {.local = {.port = 80}};
    struct tern_tcp_header h = {
        .src_port = 9, .dst_port = 80, .seq = tern_seq_of(100), .flags = TERN_TCP_SYN};
    struct tern_listener *wild, *exact;
    struct tern_conn *conn;
    struct tern_tcp_header answer;
    tern_span text;

    (void)state;
    open_one(&b);
    assert_int_equal(tern_tcp_listen(b.stack, &o, 4, &wild), TERN_ERR_OK);
    o.local.addr = bench_addr(1);
    assert_int_equal(tern_tcp_listen(b.stack, &o, 4, &exact), TERN_ERR_OK);
    bench_tcp(&b, h, tern_span_of("", 0));
    assert_true(bench_sent_tcp(&b, 0, &answer, &text));
    h.flags = TERN_TCP_ACK;
    h.seq = tern_seq_of(101);
    h.ack = tern_seq_add(answer.seq, 1);
    bench_tcp(&b, h, tern_span_of("", 0));
    assert_int_equal(tern_tcp_accept(wild, NULL, &conn), TERN_ERR_AGAIN);
    assert_int_equal(tern_tcp_accept(exact, NULL, &conn), TERN_ERR_OK);
    bench_close(&b);
}

/*
 * RFC 9293 §3.6.1, RFC 6191 §2: a connection in TIME-WAIT gives way to a new SYN from the same pair
 * that can be no old duplicate.
 */
static void time_wait_reuse(void **state)
{
    static const struct {
        const char *what;
        int32_t seq_step;
        bool listening, held; /* held: the application still has the handle */
        bool reused;
    } row[] = {
        {"the next number", 0, true, false, true},  {"much later", 1 << 30, true, false, true},
        {"the FIN's", -1, true, false, false},      {"an old number", -1000, true, false, false},
        {"nobody listens", 1, false, false, false}, {"the handle is held", 1, true, true, true},
    };

    (void)state;
    for (size_t i = 0; i < ROWS(row); i++) {
        struct bench b;
        struct tern_tcp_header peer, h;
        struct tern_conn *conn = NULL;
        struct tern_tcp_options o = {.local = {.port = 0}};
        struct tern_listener *l;
        struct tern_stack_counters n;
        tern_span text;

        open_one(&b);
        conn = bench_connect(&b, 80, &peer);
        tern_tcp_shutdown(conn);
        bench_drain(&b);
        peer.ack = tern_seq_add(peer.ack, 1);
        peer.flags = TERN_TCP_ACK | TERN_TCP_FIN;
        bench_tcp(&b, peer, tern_span_of("", 0));
        assert_int_equal(tern_tcp_state(conn), TERN_TCP_TIME_WAIT);
        if (!row[i].held)
            tern_tcp_close(conn);
        o.local.port = peer.dst_port;
        if (row[i].listening)
            assert_int_equal(tern_tcp_listen(b.stack, &o, 4, &l), TERN_ERR_OK);
        bench_forget(&b);
        peer.seq = tern_seq_add(peer.seq, 1 + (uint32_t)row[i].seq_step);
        peer.flags = TERN_TCP_SYN;
        bench_tcp(&b, peer, tern_span_of("", 0));
        assert_true(bench_sent_tcp(&b, 0, &h, &text));
        if (((h.flags & TERN_TCP_SYN) != 0) != row[i].reused)
            fail_msg("%s: flags %02x", row[i].what, h.flags);
        if (!row[i].reused)
            assert_int_equal(h.flags, TERN_TCP_ACK); /* where we are */
        else
            assert_true(tern_seq_eq(h.ack, tern_seq_add(peer.seq, 1)));
        tern_stack_counters(b.stack, &n);
        assert_int_equal(n.connections_used, row[i].held + row[i].reused);
        assert_int_equal(n.time_waits_used, !row[i].reused);
        if (row[i].held) {
            assert_int_equal(tern_tcp_state(conn), TERN_TCP_TIME_WAIT);
            tern_tcp_close(conn);
            tern_stack_counters(b.stack, &n);
            assert_int_equal(n.connections_used, 1);
        }
        bench_close(&b);
    }
}

/* A SYN-ACK that is lost goes again; an ACK of another number is answered with a reset. */
static void half_open(void **state)
{
    struct bench b;
    const struct tern_tcp_options o = {.local = {.port = 80}};
    struct tern_tcp_header h = {
        .src_port = 9, .dst_port = 80, .seq = tern_seq_of(100), .flags = TERN_TCP_SYN};
    struct tern_tcp_header first, again;
    struct tern_listener *l;
    struct tern_conn *conn;
    struct tern_stack_counters n;
    tern_span text;

    (void)state;
    open_one(&b);
    assert_int_equal(tern_tcp_listen(b.stack, &o, 4, &l), TERN_ERR_OK);
    bench_tcp(&b, h, tern_span_of("", 0));
    assert_true(bench_sent_tcp(&b, 0, &first, &text));
    bench_tcp(&b, h, tern_span_of("", 0)); /* its SYN again: our SYN-ACK again */
    assert_true(bench_sent_tcp(&b, 1, &again, &text));
    assert_int_equal(again.flags, TERN_TCP_SYN | TERN_TCP_ACK);
    assert_true(tern_seq_eq(again.seq, first.seq));
    bench_forget(&b);
    bench_advance(&b, 3 * TERN_SECOND);
    assert_true(bench_sent_tcp(&b, 0, &again, &text));
    assert_true(tern_seq_eq(again.seq, first.seq));
    bench_forget(&b);
    h.seq = tern_seq_of(101);
    h.ack = tern_seq_add(first.seq, 2);
    h.flags = TERN_TCP_ACK;
    bench_tcp(&b, h, tern_span_of("", 0));
    assert_true(bench_sent_tcp(&b, 0, &again, &text));
    assert_int_equal(again.flags, TERN_TCP_RST);
    assert_true(tern_seq_eq(again.seq, h.ack));
    assert_int_equal(tern_tcp_accept(l, NULL, &conn), TERN_ERR_AGAIN);
    bench_advance(&b, 300 * TERN_SECOND); /* and nobody finishes it: it is given up */
    tern_stack_counters(b.stack, &n);
    assert_int_equal(n.connections_used, 0);
    bench_close(&b);
}

#define BURST_TEXT  200
#define BURST_PIECE 100

/* Segments of 200 bytes, numbered from 0, in one burst; the link vouches for their checksums. */
static void burst(struct bench *b, struct tern_tcp_header h, const uint32_t *order, int count,
                  bool super)
{
    static const uint8_t text[BURST_TEXT];
    const struct tern_eth eth = {bench_mac(1), bench_mac(2), TERN_ETHERTYPE_IPV4};
    const struct tern_ipv4 ip = {
        .ttl = 64, .protocol = TERN_IP_TCP, .src = bench_addr(2), .dst = bench_addr(1)};
    const tern_seq first = h.seq;
    uint8_t bytes[8][512];
    struct tern_frame frames[8] = {{.csum = TERN_CSUM_VALID}};

    for (int i = 0; i < count; i++) {
        struct tern_writer w = tern_writer_of(bytes[i], sizeof bytes[i]);

        h.seq = tern_seq_add(first, order[i] * BURST_TEXT);
        tern_eth_emit(&eth, &w);
        tern_ipv4_emit(&ip, (uint16_t)(tern_tcp_header_bytes(&h) + BURST_TEXT), &w);
        tern_tcp_emit(&h, &w);
        tern_write_bytes(&w, text, BURST_TEXT);
        assert_false(w.failed);
        frames[i] = (struct tern_frame){.csum = TERN_CSUM_VALID,
                                        .piece = {{bytes[i], w.bytes}},
                                        .piece_count = 1,
                                        .bytes = (uint32_t)w.bytes,
                                        .gso = super ? TERN_GSO_TCP4 : TERN_GSO_NONE,
                                        .gso_bytes = super ? BURST_PIECE : 0};
    }
    bench_forget(b);
    tern_stack_input(b->stack, frames, count, b->now);
    bench_drain(b);
}

static uint32_t duplicate_acks(const struct bench *b)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < b->sent_count; i++)
        count += b->sent[i].frame.cause == TERN_CAUSE_OUT_OF_ORDER_ACK;
    return count;
}

/* A hole that its own burst fills is not told of; one that stays is, once for each segment beyond
 * it (RFC 5681 §4.2; docs/decisions/0013). */
static void holes_in_a_burst(void **state)
{
    static const struct {
        uint32_t order[4];
        int count;
        uint32_t duplicates;
    } row[] = {{{0, 1, 2, 3}, 4, 0}, {{1, 0, 2, 3}, 4, 0}, {{3, 2, 1, 0}, 4, 0},
               {{1, 2, 3}, 3, 3},    {{0, 2}, 2, 1},       {{0, 2, 3, 1}, 4, 0}};

    (void)state;
    for (size_t i = 0; i < ROWS(row); i++) {
        struct bench b;
        struct tern_tcp_header peer;

        open_one(&b);
        (void)bench_connect(&b, 80, &peer);
        burst(&b, peer, row[i].order, row[i].count, false);
        if (duplicate_acks(&b) != row[i].duplicates)
            fail_msg("row %zu: %u duplicate ACKs", i, duplicate_acks(&b));
        assert_true(bench_sent_count(&b, TERN_IP_TCP) > 0);
        bench_close(&b);
    }
}

/* Once the start is over, super-frames that follow one another have one ACK; what comes otherwise
 * does not change what was to be said before it (docs/decisions/0032). */
static void super_frames_in_a_burst(void **state)
{
    static const uint32_t start[] = {0, 1, 2, 3, 4, 5, 6, 7};
    static const struct {
        uint32_t order[8];
        int count;
        bool super;
        uint32_t acks;
        uint32_t first; /* frames that the first of them acknowledges */
    } row[] = {
        {{0, 1, 2, 3, 4, 5, 6, 7}, 8, true, 1, 8},
        {{0}, 1, true, 1, 1},
        {{0, 1, 2, 3, 4, 5, 6, 7}, 8, false, 4, 2},
        {{0, 1, 3, 2}, 4, true, 2, 2},
        {{0, 1, 3, 4}, 4, true, 3, 2},
        {{0, 1, 1}, 3, true, 2, 2},
        {{0, 1, 0, 1}, 4, true, 3, 2},
    };

    (void)state;
    for (size_t i = 0; i < ROWS(row); i++) {
        struct bench b;
        struct tern_config c;
        struct tern_tcp_header peer, ack;
        tern_span text;

        bench_config(&c, 1);
        c.link.mtu_bytes = BURST_PIECE + 40;
        bench_open_at(&b, &c, 1);
        (void)bench_connect(&b, 80, &peer);
        for (int k = 0; k < TERN_TCP_QUICK_ACKS / 8; k++) {
            burst(&b, peer, start, 8, true);
            assert_int_equal(bench_sent_count(&b, TERN_IP_TCP), 8);
            peer.seq = tern_seq_add(peer.seq, 8 * BURST_TEXT);
        }
        burst(&b, peer, row[i].order, row[i].count, row[i].super);
        if (bench_sent_count(&b, TERN_IP_TCP) != row[i].acks)
            fail_msg("row %zu: %u ACKs", i, bench_sent_count(&b, TERN_IP_TCP));
        assert_true(bench_sent_tcp(&b, 0, &ack, &text));
        if (ack.ack.value != tern_seq_add(peer.seq, row[i].first * BURST_TEXT).value)
            fail_msg("row %zu: the first acknowledges %u", i, ack.ack.value - peer.seq.value);
        bench_close(&b);
    }
}

/* RFC 5961 §7, RFC 9293 §3.10.7.1: floods are answered within a limit that nobody can count on. */
static void resets_are_limited(void **state)
{
    struct bench b;
    const struct tern_tcp_header stray = {.src_port = 9, .dst_port = 81, .flags = TERN_TCP_ACK};
    uint32_t sent[3];

    (void)state;
    open_one(&b);
    for (int second = 0; second < 3; second++) {
        bench_forget(&b);
        for (int i = 0; i < 500; i++)
            bench_tcp(&b, stray, tern_span_of("", 0));
        sent[second] = bench_sent_count(&b, TERN_IP_TCP);
        assert_in_range(sent[second], TERN_TCP_RESETS / 2,
                        TERN_TCP_RESETS / 2 + TERN_TCP_RESETS - 1);
        bench_advance(&b, TERN_SECOND);
    }
    assert_true(sent[0] != sent[1] || sent[1] != sent[2]);
    assert_int_equal(bench_drops(&b, TERN_DROP_TCP_RATE), 1500 - sent[0] - sent[1] - sent[2]);
    bench_close(&b);
}

/* RFC 5961 §7: each connection may challenge, all together only so often. */
static void challenges_are_limited(void **state)
{
    struct bench b;
    struct tern_config c;
    struct tern_tcp_header peer;
    uint32_t sent;

    (void)state;
    bench_config(&c, 1);
    c.connections_max = 400;
    bench_open_at(&b, &c, 1);
    for (uint16_t i = 0; i < 400; i++) {
        (void)bench_connect(&b, (uint16_t)(1000 + i), &peer);
        bench_forget(&b);
        peer.flags = TERN_TCP_RST;
        peer.seq = tern_seq_add(peer.seq, 1); /* in the window, and not at its edge */
        bench_tcp(&b, peer, tern_span_of("", 0));
        bench_forget(&b);
    }
    sent = 400 - (uint32_t)bench_drops(&b, TERN_DROP_TCP_RATE);
    assert_in_range(sent, TERN_TCP_CHALLENGES / 2,
                    TERN_TCP_CHALLENGES / 2 + TERN_TCP_CHALLENGES - 1);
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resets_are_limited),
        cmocka_unit_test(challenges_are_limited),
        cmocka_unit_test(reset_for_no_connection),
        cmocka_unit_test(listener),
        cmocka_unit_test(exact_listener),
        cmocka_unit_test(time_wait_reuse),
        cmocka_unit_test(half_open),
        cmocka_unit_test(holes_in_a_burst),
        cmocka_unit_test(super_frames_in_a_burst),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
