/* SPDX-License-Identifier: BSD-2-Clause */
/* Connections in TIME-WAIT: their control blocks go back, the table's oldest gives way, and our own
 * connecting takes a pair again where that is safe. */
#include "bench.h"
#include "proto/tcp/tcp.h"

/* A connection of ours, closed by us first; *peer: the segment of the peer's FIN. */
static struct tern_conn *close_first(struct bench *b, uint16_t port, struct tern_tcp_header *peer)
{
    struct tern_conn *conn = bench_connect(b, port, peer);

    tern_tcp_shutdown(conn);
    bench_drain(b);
    peer->ack = tern_seq_add(peer->ack, 1);
    peer->flags = TERN_TCP_ACK | TERN_TCP_FIN;
    bench_tcp(b, *peer, tern_span_of("", 0));
    assert_int_equal(tern_tcp_state(conn), TERN_TCP_TIME_WAIT);
    bench_forget(b);
    return conn;
}

static uint8_t answer_to(struct bench *b, const struct tern_tcp_header *h)
{
    struct tern_tcp_header out;
    tern_span text;

    bench_forget(b);
    bench_tcp(b, *h, tern_span_of("", 0));
    return bench_sent_tcp(b, 0, &out, &text) ? out.flags : 0;
}

static void the_oldest_goes(void **state)
{
    struct bench b;
    struct tern_config c;
    struct tern_tcp_header peer[3];
    struct tern_stack_counters n;

    (void)state;
    bench_config(&c, 1);
    c.time_waits_max = 2;
    bench_open_at(&b, &c, 1);
    for (uint16_t i = 0; i < 3; i++) {
        tern_tcp_close(close_first(&b, (uint16_t)(80 + i), &peer[i]));
        bench_advance(&b, TERN_SECOND);
    }
    tern_stack_counters(b.stack, &n);
    assert_int_equal(n.connections_used, 0);
    assert_int_equal(n.time_waits_used, 2);
    assert_int_equal(answer_to(&b, &peer[0]), TERN_TCP_RST); /* nobody's any more */
    assert_int_equal(answer_to(&b, &peer[1]), TERN_TCP_ACK);
    assert_int_equal(answer_to(&b, &peer[2]), TERN_TCP_ACK);
    bench_advance(&b, 61 * TERN_SECOND);
    tern_stack_counters(b.stack, &n);
    assert_int_equal(n.time_waits_used, 0);
    bench_close(&b);
}

/* RFC 9293 §3.10.5: an abort frees the pair as well; a close does not. */
static void abort_or_close(void **state)
{
    struct bench b;
    struct tern_config c;
    struct tern_tcp_header peer;

    (void)state;
    bench_config(&c, 1);
    bench_open_at(&b, &c, 1);
    tern_tcp_abort(close_first(&b, 80, &peer));
    assert_int_equal(answer_to(&b, &peer), TERN_TCP_RST);
    tern_tcp_close(close_first(&b, 81, &peer));
    assert_int_equal(answer_to(&b, &peer), TERN_TCP_ACK);
    bench_close(&b);
}

/* Without timestamps (the peer of this bench has none) nothing tells old segments from new ones, so
 * that a pair that was named is in use until the wait is over. */
static void our_own_pair(void **state)
{
    struct bench b;
    struct tern_config c;
    struct tern_tcp_header peer;
    struct tern_tcp_options o = {.remote = {bench_addr(2), 80}};
    struct tern_conn *conn;

    (void)state;
    bench_config(&c, 1);
    bench_open_at(&b, &c, 1);
    tern_tcp_close(close_first(&b, 80, &peer));
    o.local.port = peer.dst_port;
    bench_advance(&b, 2 * TERN_SECOND);
    assert_int_equal(tern_tcp_connect(b.stack, &o, &conn), TERN_ERR_ADDRESS_IN_USE);
    bench_advance(&b, 60 * TERN_SECOND);
    assert_int_equal(tern_tcp_connect(b.stack, &o, &conn), TERN_ERR_OK);
    bench_close(&b);
}

/* With timestamps the pair serves again after a second, beyond its old numbers. */
static void our_own_pair_again(void **state)
{
    struct pair p;
    struct tern_listener *l;
    struct tern_conn *conn[2], *again;
    struct tern_tcp_info info;
    struct tern_tcp_options o = {.remote = {bench_addr(2), 80}};

    (void)state;
    pair_open_small(&p);
    l = pair_listen(&p, 4);
    pair_connect(&p, l, conn);
    tern_tcp_info(conn[0], &info);
    tern_tcp_close(conn[0]);
    pair_settle(&p);
    tern_tcp_close(conn[1]);
    pair_settle(&p);
    o.local.port = info.local.port;
    assert_int_equal(tern_tcp_connect(p.end[0].stack, &o, &again), TERN_ERR_ADDRESS_IN_USE);
    pair_run(&p, 2 * TERN_SECOND);
    assert_int_equal(tern_tcp_connect(p.end[0].stack, &o, &again), TERN_ERR_OK);
    pair_settle(&p);
    assert_int_equal(tern_tcp_state(again), TERN_TCP_ESTABLISHED);
    pair_close(&p);
}

/* The SYN of a stack with this seed and key, a while after it began. */
static struct tern_tcp_header first_syn(uint8_t seed, uint8_t key, tern_time after)
{
    const struct tern_tcp_options o = {.remote = {bench_addr(2), 80}, .local = {.port = 5555}};
    struct tern_tcp_header syn;
    struct tern_config c;
    struct tern_conn *conn;
    struct bench b;
    tern_span text;

    bench_config(&c, 1);
    c.seed[0] = seed;
    memset(c.timestamps_key, key, sizeof c.timestamps_key);
    bench_open_at(&b, &c, 1);
    bench_advance(&b, after);
    bench_forget(&b);
    assert_int_equal(tern_tcp_connect(b.stack, &o, &conn), TERN_ERR_OK);
    bench_drain(&b);
    assert_true(bench_sent_tcp(&b, 0, &syn, &text));
    assert_true(syn.has_timestamps);
    bench_close(&b);
    return syn;
}

/* A stack with the key of the one before it goes on with its timestamps, and with nothing else of
 * it; RFC 7323 §5.4: and in its milliseconds. Without a key they begin elsewhere. */
static void goes_on(void **state)
{
    const struct tern_tcp_header first = first_syn(1, 7, 0), later = first_syn(2, 7, TERN_SECOND);

    (void)state;
    assert_int_equal(later.ts_value - first.ts_value, 1000);
    assert_int_not_equal(later.seq.value, first.seq.value + TERN_SECOND / (4 * TERN_US));
    assert_int_not_equal(first_syn(1, 8, 0).ts_value, first.ts_value);
    assert_int_not_equal(first_syn(1, 0, 0).ts_value, first_syn(2, 0, 0).ts_value);
}

/* The records go with their stack's connections: of those whose handle is held, and of others. */
static void abort_all(void **state)
{
    struct bench b;
    struct tern_config c;
    struct tern_tcp_header held, given_up, between;
    struct tern_stack_counters n;
    struct tern_conn *conn;

    (void)state;
    bench_config(&c, 1);
    bench_open_at(&b, &c, 1);
    conn = close_first(&b, 80, &held);
    tern_tcp_close(close_first(&b, 81, &given_up));
    tern_stack_abort_all(b.stack);
    tern_stack_counters(b.stack, &n);
    assert_int_equal(n.time_waits_used, 0);
    assert_int_equal(tern_tcp_state(conn), TERN_TCP_CLOSED);
    bench_drain(&b);
    assert_int_equal(bench_sent_count(&b, TERN_IP_TCP), 0); /* RFC 9293 §3.10.5: no reset */
    assert_int_equal(answer_to(&b, &held), TERN_TCP_RST);
    assert_int_equal(answer_to(&b, &given_up), TERN_TCP_RST);
    tern_tcp_close(conn);
    tern_tcp_close(close_first(&b, 82, &between)); /* the stack goes on */
    assert_int_equal(answer_to(&b, &between), TERN_TCP_ACK);
    bench_close(&b);
}

/* RFC 5961 §7: what is in the window and must be a stray is challenged, but by all together no more
 * often than the stack's connections challenge. */
static void challenges_are_limited(void **state)
{
    struct bench b;
    struct tern_config c;
    struct tern_tcp_header peer;
    uint32_t sent;

    (void)state;
    bench_config(&c, 1);
    bench_open_at(&b, &c, 1);
    tern_tcp_close(close_first(&b, 80, &peer));
    peer.flags = TERN_TCP_SYN;
    peer.seq = tern_seq_add(peer.seq, 3);
    bench_advance(&b, TERN_SECOND);
    bench_forget(&b);
    for (int i = 0; i < 500; i++)
        bench_tcp(&b, peer, tern_span_of("", 0));
    sent = bench_sent_count(&b, TERN_IP_TCP);
    assert_in_range(sent, TERN_TCP_CHALLENGES / 2,
                    TERN_TCP_CHALLENGES / 2 + TERN_TCP_CHALLENGES - 1);
    assert_int_equal(bench_drops(&b, TERN_DROP_TCP_RATE), 500 - sent);
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_oldest_goes),
        cmocka_unit_test(abort_or_close),
        cmocka_unit_test(our_own_pair),
        cmocka_unit_test(our_own_pair_again),
        cmocka_unit_test(goes_on),
        cmocka_unit_test(abort_all),
        cmocka_unit_test(challenges_are_limited),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
