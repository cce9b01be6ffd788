/* SPDX-License-Identifier: BSD-2-Clause */
/* What may be set for a connection: at connect and listen, in mid-life, inherited; and what is out
 * of its range changes nothing. */
#include "bench.h"

enum field {
    KEEP_IDLE,
    KEEP_INTERVAL,
    KEEP_COUNT,
    SYN_RETRIES,
    MSS,
    USER_TIMEOUT,
    FIN_WAIT_2,
    MTU_PROBE,
    CONGESTION
};

static const struct {
    enum field field;
    int64_t value;
    bool fits;
} row[] = {
    {KEEP_IDLE, 0, true},
    {KEEP_IDLE, -1, false},
    {KEEP_IDLE, 32767 * TERN_SECOND, true},
    {KEEP_IDLE, 32768 * TERN_SECOND, false},
    {KEEP_INTERVAL, 1, true},
    {KEEP_INTERVAL, 32768 * TERN_SECOND, false},
    {KEEP_COUNT, 127, true},
    {KEEP_COUNT, 128, false},
    {SYN_RETRIES, 127, true},
    {SYN_RETRIES, 128, false},
    {MSS, 28, true},
    {MSS, 27, false},
    {MSS, 65495, true},
    {MSS, 65496, false},
    {USER_TIMEOUT, -1, false},
    {USER_TIMEOUT, TERN_MS, true},
    {FIN_WAIT_2, 120 * TERN_SECOND, true},
    {FIN_WAIT_2, 121 * TERN_SECOND, false},
    {MTU_PROBE, TERN_MTU_PROBE_ALWAYS, true},
    {MTU_PROBE, TERN_MTU_PROBE_ALWAYS + 1, false},
    {CONGESTION, 0, true},
    {CONGESTION, 1, false},
};

static void put(struct tern_tcp_settings *set, enum field field, int64_t value)
{
    switch (field) {
    case KEEP_IDLE:
        set->keep_idle = value;
        break;
    case KEEP_INTERVAL:
        set->keep_interval = value;
        break;
    case KEEP_COUNT:
        set->keep_count = (uint32_t)value;
        break;
    case SYN_RETRIES:
        set->syn_retries = (uint32_t)value;
        break;
    case MSS:
        set->mss_bytes = (uint32_t)value;
        break;
    case USER_TIMEOUT:
        set->user_timeout = value;
        break;
    case FIN_WAIT_2:
        set->fin_wait_2 = value;
        break;
    case MTU_PROBE:
        set->mtu_probe = (uint8_t)value;
        break;
    case CONGESTION:
        set->congestion = value == 0 ? "reno" : "vegas";
        break;
    }
}

/* The same judgement wherever they are given. */
static void ranges(void **state)
{
    struct bench b;
    struct tern_config c;
    struct tern_tcp_header peer;
    struct tern_conn *conn, *other;
    struct tern_listener *l;
    struct tern_tcp_options listen = {.local = {.port = 7}};

    (void)state;
    bench_config(&c, 1);
    bench_open_at(&b, &c, 1);
    conn = bench_connect(&b, 80, &peer);
    assert_int_equal(tern_tcp_listen(b.stack, &listen, 1, &l), TERN_ERR_OK);
    for (size_t i = 0; i < ROWS(row); i++) {
        const enum tern_err want = row[i].fits ? TERN_ERR_OK : TERN_ERR_INVAL;
        struct tern_tcp_settings set, before, after;
        struct tern_tcp_options o = {.remote = {bench_addr(2), 81}, .settings = &set};

        tern_tcp_settings(conn, &before);
        set = before;
        set.cork = !before.cork;
        put(&set, row[i].field, row[i].value);
        if (tern_tcp_set(conn, &set) != want || tern_listener_set(l, &set) != want)
            fail_msg("row %zu", i);
        tern_tcp_settings(conn, &after);
        assert_int_equal(after.cork, row[i].fits ? set.cork : before.cork);
        assert_int_equal(tern_tcp_connect(b.stack, &o, &other), want);
        if (want == TERN_ERR_OK)
            tern_tcp_abort(other);
    }
    bench_close(&b);
}

/* Another controller in mid-life goes on from where the old one was. */
static void congestion_changes(void **state)
{
    struct bench b;
    struct tern_config c;
    struct tern_tcp_header peer;
    struct tern_tcp_info before, after;
    struct tern_tcp_settings set;
    struct tern_conn *conn;
    char name[] = "reno";

    (void)state;
    bench_config(&c, 1);
    bench_open_at(&b, &c, 1);
    conn = bench_connect(&b, 80, &peer);
    tern_tcp_info(conn, &before);
    assert_string_equal(before.congestion, "cubic");
    tern_tcp_settings(conn, &set);
    assert_string_equal(set.congestion, "cubic");
    set.congestion = name;
    assert_int_equal(tern_tcp_set(conn, &set), TERN_ERR_OK);
    memset(name, 'x', 4); /* the caller's string is not kept */
    tern_tcp_info(conn, &after);
    assert_string_equal(after.congestion, "reno");
    assert_int_equal(after.cwnd_bytes, before.cwnd_bytes);
    tern_tcp_settings(conn, &set);
    assert_string_equal(set.congestion, "reno");
    bench_close(&b);
}

/* What a listener has, its connections get; what they change is their own. */
static void inherited(void **state)
{
    struct pair p;
    struct tern_listener *l;
    struct tern_tcp_settings set, got;
    struct tern_conn *conn[2];

    (void)state;
    pair_open_small(&p);
    l = pair_listen(&p, 2);
    tern_listener_settings(l, &set);
    set.keepalive = true;
    set.keep_count = 3;
    set.ttl = 9;
    assert_int_equal(tern_listener_set(l, &set), TERN_ERR_OK);
    pair_connect(&p, l, conn);
    tern_tcp_settings(conn[1], &got);
    assert_true(got.keepalive);
    assert_int_equal(got.keep_count, 3);
    assert_int_equal(got.ttl, 9);
    got.ttl = 10;
    assert_int_equal(tern_tcp_set(conn[1], &got), TERN_ERR_OK);
    tern_listener_settings(l, &set);
    assert_int_equal(set.ttl, 9);
    pair_close(&p);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges),
        cmocka_unit_test(congestion_changes),
        cmocka_unit_test(inherited),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
