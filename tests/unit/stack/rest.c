/* SPDX-License-Identifier: BSD-2-Clause */
/* Resting connections: folded when a block is needed, unfolded by segments, timers and calls, and
 * what happens while there is no block. */
#include "bench.h"

#define MORE  6 /* connections than blocks */
#define TURNS 40

static struct tern_stack_counters counters(const struct bench *b)
{
    struct tern_stack_counters c;

    tern_stack_counters(b->stack, &c);
    return c;
}

/* end[1] has two blocks for eight connections. */
static void open_with_two(struct pair *p)
{
    struct tern_config first, second;

    bench_config(&first, 1);
    bench_config(&second, 2);
    second.awake_max = 2;
    pair_open(p, &first, &second);
}

/* Opened one after the other; by and by all but the last two rest. */
static void open_some(struct pair *p, struct tern_conn *conn[][2], int count)
{
    struct tern_listener *l = pair_listen(p, 8);

    for (int i = 0; i < count; i++) {
        pair_connect(p, l, conn[i]);
        pair_run(p, TERN_SECOND);
        (void)bench_events(&p->end[0], TERN_EVENT_CONN);
        (void)bench_events(&p->end[1], TERN_EVENT_CONN);
    }
}

static void open_all(struct pair *p, struct tern_conn *conn[][2])
{
    open_with_two(p);
    open_some(p, conn, MORE);
}

/* Both blocks of end[1] hold text that nobody reads. */
static void occupy(struct pair *p, struct tern_conn *conn[][2])
{
    for (int i = MORE - 2; i < MORE; i++)
        assert_int_equal(tern_tcp_write(conn[i][0], "busy", 4), 4);
    pair_run(p, TERN_SECOND);
    (void)bench_events(&p->end[1], TERN_EVENT_CONN);
}

static void open_busy(struct pair *p, struct tern_conn *conn[][2])
{
    open_all(p, conn);
    occupy(p, conn);
}

static void keep_alive(struct tern_conn *conn, tern_time idle)
{
    struct tern_tcp_settings settings;

    tern_tcp_settings(conn, &settings);
    settings.keepalive = true;
    settings.keep_idle = idle;
    settings.keep_interval = 10 * TERN_SECOND;
    settings.keep_count = 2;
    assert_int_equal(tern_tcp_set(conn, &settings), TERN_ERR_OK);
}

static void say(struct pair *p, struct tern_conn *from, struct tern_conn *to, const char *words)
{
    char heard[64];

    assert_int_equal(tern_tcp_write(from, words, strlen(words)), strlen(words));
    pair_settle(p);
    assert_int_equal(tern_tcp_read(to, heard, sizeof heard), strlen(words));
    assert_memory_equal(heard, words, strlen(words));
}

/* The others say something, one after the other, so that it falls asleep. */
static void push_out(struct pair *p, struct tern_conn *conn[][2], int first)
{
    for (int i = first; i < MORE; i++) {
        say(p, conn[i][0], conn[i][1], "push it out");
        pair_run(p, TERN_SECOND);
        (void)bench_events(&p->end[1], TERN_EVENT_CONN);
    }
}

/* So often that all lines would be gone if one were kept each time. */
static void text_for_a_resting_one(void **state)
{
    static struct pair p;
    struct tern_conn *conn[MORE][2];

    (void)state;
    open_all(&p, conn);
    assert_int_equal(counters(&p.end[1]).connections_used, MORE);
    assert_int_equal(counters(&p.end[1]).connections_resting, MORE - 2);
    for (int turn = 0; turn < TURNS; turn++) {
        for (int i = 0; i < MORE; i++) {
            say(&p, conn[i][0], conn[i][1], "how do you do");
            say(&p, conn[i][1], conn[i][0], "I slept");
            pair_run(&p, TERN_SECOND);
            (void)bench_events(&p.end[1], TERN_EVENT_CONN);
            assert_int_equal(counters(&p.end[1]).connections_resting, MORE - 2);
        }
    }
    assert_int_equal(counters(&p.end[1]).wakes, TURNS * MORE);
    assert_int_equal(bench_drops(&p.end[1], TERN_DROP_TCP_ASLEEP), 0);
    assert_int_equal(counters(&p.end[0]).rests, 0); /* who has blocks for all never folds */
    pair_close(&p);
}

static void looking_wakes_nobody(void **state)
{
    static struct pair p;
    struct tern_conn *conn[MORE][2];
    struct tern_tcp_info before[2], after;
    struct tern_tcp_settings settings;
    struct tern_slice slice;
    uint64_t wakes;

    (void)state;
    open_with_two(&p);
    open_some(&p, conn, 2);
    say(&p, conn[0][0], conn[0][1], "well met");
    pair_run(&p, TERN_SECOND);
    (void)bench_events(&p.end[1], TERN_EVENT_CONN);
    tern_tcp_info(conn[0][1], &before[0]);
    for (int i = 2; i < MORE; i++) {
        conn[i][0] = pair_dial(&p);
        pair_run(&p, TERN_SECOND);
    }
    wakes = counters(&p.end[1]).wakes;
    assert_true(counters(&p.end[1]).rests > 0);
    tern_tcp_info(conn[0][1], &after);
    before[0].at = after.at;
    assert_memory_equal(&after, &before[0], sizeof after);
    assert_int_equal(tern_tcp_state(conn[0][1]), TERN_TCP_ESTABLISHED);
    assert_int_equal(tern_tcp_reason(conn[0][1]), TERN_ERR_OK);
    assert_int_equal(tern_tcp_id(conn[0][1]), before[0].id);
    assert_int_equal(tern_tcp_peek(conn[0][1], &slice), TERN_ERR_AGAIN);
    assert_int_equal(tern_tcp_unread(conn[0][1]), 0);
    assert_true(tern_tcp_write_space(conn[0][1]) > 0);
    assert_false(tern_tcp_peer_done(conn[0][1]));
    tern_tcp_settings(conn[0][1], &settings);
    assert_true(settings.pacing);
    assert_int_equal(counters(&p.end[1]).wakes, wakes);
    pair_close(&p);
}

static void reset_of_a_resting_one(void **state)
{
    static struct pair p;
    struct tern_conn *conn[MORE][2];

    (void)state;
    open_all(&p, conn);
    tern_tcp_abort(conn[0][0]);
    pair_settle(&p);
    assert_int_equal(tern_tcp_state(conn[0][1]), TERN_TCP_CLOSED);
    assert_int_equal(tern_tcp_reason(conn[0][1]), TERN_ERR_RESET);
    assert_true((bench_events(&p.end[1], TERN_EVENT_CONN) & TERN_CONN_CLOSED) != 0);
    /* closed, but held: it rests again, and is told of all the same */
    push_out(&p, conn, 2);
    assert_int_equal(tern_tcp_reason(conn[0][1]), TERN_ERR_RESET);
    assert_int_equal(tern_tcp_write(conn[0][1], "x", 1), TERN_ERR_RESET);
    assert_int_equal(tern_stack_connections_unfinished(p.end[1].stack), MORE - 1);
    tern_tcp_close(conn[0][1]);
    assert_int_equal(counters(&p.end[1]).connections_used, MORE - 1);
    pair_close(&p);
}

static void keepalive_of_a_resting_one(void **state)
{
    static struct pair p;
    struct tern_conn *conn[MORE][2];
    struct tern_tcp_info info;

    (void)state;
    open_all(&p, conn);
    keep_alive(conn[0][1], 100 * TERN_SECOND);
    push_out(&p, conn, 1);
    pair_run(&p, 60 * TERN_SECOND);
    tern_tcp_info(conn[0][1], &info);
    assert_int_equal(info.keepalives_out, 0);
    pair_run(&p, 60 * TERN_SECOND);
    tern_tcp_info(conn[0][1], &info);
    assert_int_equal(info.keepalives_out, 1);
    assert_int_equal(info.state, TERN_TCP_ESTABLISHED); /* it was answered */
    p.cut = true;
    pair_run(&p, 200 * TERN_SECOND);
    assert_int_equal(tern_tcp_state(conn[0][1]), TERN_TCP_CLOSED);
    pair_close(&p);
}

static void end_of_a_resting_one(void **state)
{
    static struct pair p;
    struct tern_conn *conn[MORE][2];
    char byte;

    (void)state;
    open_all(&p, conn);
    tern_tcp_shutdown(conn[0][0]); /* half closed, it rests in CLOSE-WAIT and FIN-WAIT-2 */
    tern_tcp_shutdown(conn[1][1]);
    pair_run(&p, TERN_SECOND);
    (void)bench_events(&p.end[1], TERN_EVENT_CONN);
    push_out(&p, conn, 2);
    assert_int_equal(tern_tcp_state(conn[0][1]), TERN_TCP_CLOSE_WAIT);
    assert_int_equal(tern_tcp_state(conn[1][1]), TERN_TCP_FIN_WAIT_2);
    assert_true(tern_tcp_peer_done(conn[0][1]));
    assert_int_equal(tern_tcp_read(conn[0][1], &byte, 1), 0);
    say(&p, conn[0][1], conn[0][0], "the other way");
    for (int i = 0; i < MORE; i++) {
        tern_tcp_close(conn[i][1]);
        tern_tcp_close(conn[i][0]);
    }
    pair_run(&p, 100 * TERN_SECOND);
    assert_int_equal(counters(&p.end[0]).connections_used, 0);
    assert_int_equal(counters(&p.end[1]).connections_used, 0);
    assert_int_equal(counters(&p.end[1]).connections_resting, 0);
    pair_close(&p);
}

static void free_again(struct tern_conn *conn[][2])
{
    char heard[8];

    for (int i = MORE - 2; i < MORE; i++)
        assert_int_equal(tern_tcp_read(conn[i][1], heard, sizeof heard), 4);
}

static void segments_while_all_are_busy(void **state)
{
    static struct pair p;
    struct tern_conn *conn[MORE][2];
    char heard[8];

    (void)state;
    open_busy(&p, conn);
    assert_int_equal(tern_tcp_write(conn[0][0], "text", 4), 4);
    pair_settle(&p);
    assert_int_equal(bench_drops(&p.end[1], TERN_DROP_TCP_ASLEEP), 1);
    assert_int_equal(tern_tcp_read(conn[0][1], heard, sizeof heard), TERN_ERR_AGAIN);
    assert_int_equal(tern_stack_connections_unfinished(p.end[1].stack), MORE);
    free_again(conn);
    pair_run(&p, 2 * TERN_SECOND); /* it is sent again */
    assert_int_equal(tern_tcp_read(conn[0][1], heard, sizeof heard), 4);
    assert_memory_equal(heard, "text", 4);
    pair_close(&p);
}

static void opening_while_all_are_busy(void **state)
{
    const struct tern_tcp_options o = {.remote = {bench_addr(1), 80}};
    static struct pair p;
    struct tern_conn *conn[MORE][2], *more;

    (void)state;
    open_busy(&p, conn);
    assert_int_equal(tern_tcp_connect(p.end[1].stack, &o, &more), TERN_ERR_FULL);
    conn[0][0] = pair_dial(&p);
    assert_int_equal(bench_drops(&p.end[1], TERN_DROP_TCP_LIMIT), 1);
    free_again(conn);
    pair_run(&p, 2 * TERN_SECOND);
    assert_int_equal(tern_tcp_state(conn[0][0]), TERN_TCP_ESTABLISHED);
    pair_close(&p);
}

static void calls_while_all_are_busy(void **state)
{
    static struct pair p;
    struct tern_conn *conn[MORE][2];
    struct tern_tcp_settings settings;
    char heard[8];

    (void)state;
    open_busy(&p, conn);
    assert_int_equal(tern_tcp_write(conn[0][1], "text", 4), TERN_ERR_AGAIN);
    tern_tcp_shutdown(conn[1][1]);
    assert_int_equal(tern_tcp_write(conn[1][1], "text", 4), TERN_ERR_CLOSED);
    tern_tcp_close(conn[2][1]);
    tern_tcp_abort(conn[3][1]);
    tern_tcp_settings(conn[0][1], &settings);
    settings.nodelay = true;
    assert_int_equal(tern_tcp_set(conn[0][1], &settings), TERN_ERR_OK);
    pair_run(&p, 5 * TERN_SECOND);
    assert_int_equal(counters(&p.end[1]).calls_put_off, 5);
    assert_int_equal(tern_tcp_state(conn[3][0]), TERN_TCP_ESTABLISHED);
    assert_int_equal(bench_events(&p.end[1], TERN_EVENT_CONN), 0);

    free_again(conn);
    pair_run(&p, 5 * TERN_SECOND);
    assert_true((bench_events(&p.end[1], TERN_EVENT_CONN) & TERN_CONN_WRITABLE) != 0);
    pair_run(&p, 5 * TERN_SECOND); /* who was not heard had kept the others waiting */
    assert_int_equal(tern_tcp_write(conn[0][1], "text", 4), 4);
    pair_settle(&p);
    assert_int_equal(tern_tcp_read(conn[0][0], heard, sizeof heard), 4);
    tern_tcp_settings(conn[0][1], &settings);
    assert_true(settings.nodelay);
    assert_int_equal(tern_tcp_read(conn[1][0], heard, sizeof heard), 0);
    assert_int_equal(tern_tcp_state(conn[1][1]), TERN_TCP_FIN_WAIT_2);
    assert_int_equal(tern_tcp_read(conn[2][0], heard, sizeof heard), 0);
    assert_int_equal(tern_tcp_reason(conn[3][0]), TERN_ERR_RESET);
    pair_close(&p);
}

/* What is set without a block is folded anew, in the place of what was. */
static void settings_while_all_are_busy(void **state)
{
    static struct pair p;
    struct tern_conn *conn[MORE][2];
    struct tern_tcp_settings settings;

    (void)state;
    open_all(&p, conn);
    for (int turn = 0; turn < TURNS; turn++) { /* or it would fit beside its handle */
        say(&p, conn[0][turn % 2], conn[0][1 - turn % 2], "it becomes another than the model");
        pair_run(&p, 37 * TERN_MS);
    }
    push_out(&p, conn, 1);
    occupy(&p, conn);
    for (int turn = 0; turn < 5 * TURNS; turn++) {
        tern_tcp_settings(conn[0][1], &settings);
        assert_int_equal(settings.nodelay, turn % 2 == 1);
        settings.nodelay = turn % 2 == 0;
        assert_int_equal(tern_tcp_set(conn[0][1], &settings), TERN_ERR_OK);
    }
    assert_int_equal(counters(&p.end[1]).connections_resting, MORE - 2);
    pair_close(&p);
}

/* Who will neither read nor write says so while there is no block: text that comes then is refused
 * (RFC 9293 §3.6.1). */
static void no_reader_while_all_are_busy(void **state)
{
    static struct pair p;
    struct tern_conn *conn[MORE][2];

    (void)state;
    open_busy(&p, conn);
    tern_tcp_shutdown_read(conn[0][1]);
    tern_tcp_shutdown(conn[0][1]);
    assert_int_equal(counters(&p.end[1]).calls_put_off, 2);
    free_again(conn);
    pair_run(&p, 5 * TERN_SECOND);
    assert_int_equal(tern_tcp_write(conn[0][0], "text", 4), 4);
    pair_settle(&p);
    assert_int_equal(tern_tcp_reason(conn[0][0]), TERN_ERR_RESET);
    assert_int_equal(tern_tcp_reason(conn[0][1]), TERN_ERR_ABORTED);
    pair_close(&p);
}

static void timer_while_all_are_busy(void **state)
{
    static struct pair p;
    struct tern_conn *conn[MORE][2];
    struct tern_tcp_info info;

    (void)state;
    open_all(&p, conn);
    keep_alive(conn[0][1], 50 * TERN_SECOND);
    occupy(&p, conn);
    pair_run(&p, 60 * TERN_SECOND);
    tern_tcp_info(conn[0][1], &info);
    assert_int_equal(info.keepalives_out, 0);
    free_again(conn);
    pair_run(&p, TERN_SECOND);
    tern_tcp_info(conn[0][1], &info);
    assert_int_equal(info.keepalives_out, 1);
    pair_close(&p);
}

/* A call was put off, and a segment is quicker than the next look at who wants a block: the timer
 * that the segment set does not wait for that. */
static void timer_while_a_call_is_put_off(void **state)
{
    static struct pair p;
    struct tern_conn *conn[MORE][2];
    struct tern_tcp_info info;

    (void)state;
    open_busy(&p, conn);
    assert_int_equal(tern_tcp_write(conn[0][1], "text", 4), TERN_ERR_AGAIN);
    pair_run(&p, 300 * TERN_MS); /* looks after 255 and 383 ms */
    free_again(conn);
    pair_settle(&p);
    for (int i = 0; i <= 16; i++) { /* the ACKs of the first ones come at once */
        assert_int_equal(tern_tcp_write(conn[0][0], "text", 4), 4);
        pair_settle(&p);
    }
    assert_int_equal(tern_tcp_unread(conn[0][1]), 17 * 4);
    tern_tcp_info(conn[0][0], &info);
    assert_int_equal(info.unacked_bytes, 4);
    pair_run(&p, 60 * TERN_MS);
    tern_tcp_info(conn[0][0], &info);
    assert_int_equal(info.unacked_bytes, 0);
    pair_close(&p);
}

static void abort_of_all(void **state)
{
    static struct pair p;
    struct tern_conn *conn[MORE][2];

    (void)state;
    open_all(&p, conn);
    tern_stack_abort_all(p.end[1].stack);
    for (int i = 0; i < MORE; i++) { /* each frees a block once it was heard */
        pair_run(&p, TERN_SECOND);
        (void)bench_events(&p.end[1], TERN_EVENT_CONN);
    }
    for (int i = 0; i < MORE; i++) {
        assert_int_equal(tern_tcp_reason(conn[i][0]), TERN_ERR_RESET);
        assert_int_equal(tern_tcp_reason(conn[i][1]), TERN_ERR_ABORTED);
    }
    assert_int_equal(tern_stack_connections_unfinished(p.end[1].stack), 0);
    pair_close(&p);
}

static void the_link_changes(void **state)
{
    static struct pair p;
    struct tern_conn *conn[MORE][2];
    struct tern_link_info link = {.mtu_bytes = 900};
    struct tern_tcp_info info;

    (void)state;
    open_all(&p, conn);
    tern_stack_link_changed(p.end[1].stack, &link);
    for (int i = 0; i < MORE; i++) {
        tern_tcp_info(conn[i][1], &info);
        assert_int_equal(info.pmtu_bytes, 900);
    }
    say(&p, conn[0][0], conn[0][1], "awake now");
    tern_tcp_info(conn[0][1], &info);
    assert_int_equal(info.pmtu_bytes, 900);
    pair_close(&p);
}

static void the_price(void **state)
{
    struct tern_config c;
    size_t all, few;

    (void)state;
    bench_config(&c, 1);
    c.connections_max = 1000000;
    c.time_waits_max = 1;
    c.fastopen_peers_max = 1;
    all = tern_stack_bytes(&c);
    c.awake_max = c.connections_max; /* as many: nothing ever rests */
    assert_int_equal(tern_stack_bytes(&c), all);
    c.awake_max = 2000;
    few = tern_stack_bytes(&c);
    assert_true(all / 1000000 > 2000);
    assert_true(few / 1000000 <= 512);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_for_a_resting_one),
        cmocka_unit_test(looking_wakes_nobody),
        cmocka_unit_test(reset_of_a_resting_one),
        cmocka_unit_test(keepalive_of_a_resting_one),
        cmocka_unit_test(end_of_a_resting_one),
        cmocka_unit_test(segments_while_all_are_busy),
        cmocka_unit_test(opening_while_all_are_busy),
        cmocka_unit_test(calls_while_all_are_busy),
        cmocka_unit_test(settings_while_all_are_busy),
        cmocka_unit_test(no_reader_while_all_are_busy),
        cmocka_unit_test(timer_while_all_are_busy),
        cmocka_unit_test(abort_of_all),
        cmocka_unit_test(the_link_changes),
        cmocka_unit_test(the_price),
        cmocka_unit_test(timer_while_a_call_is_put_off),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
