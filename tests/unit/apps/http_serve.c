/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of connections and its clock: who waits too long, too many at once, and the end. */
#include "http_peer.h"

/* Who says nothing, begins and stops, or stays silent after an answer. */
static void silence(void **state)
{
    struct peer *mute = &peers[0], *slow = &peers[1], *idle = &peers[2];
    struct tern_http_conn *c;

    (void)state;
    (void)peer_join(mute);
    c = peer_join(slow);
    peer_say(idle, GET_A);
    (void)peer_join(idle);
    assert_int_equal(tern_http_server_deadline(&http_server), http_server.limits.head_time);
    for (int i = 0; i < 9; i++) { /* a byte each second does not help */
        peer_say(slow, i == 0 ? "G" : i == 1 ? "E" : i == 2 ? "T" : i == 3 ? " " : "/");
        tern_http_conn_turn(c);
        peers_pass(TERN_SECOND);
    }
    assert_false(mute->closed || slow->was_shut);
    peers_pass(TERN_SECOND);
    assert_true(mute->closed);
    assert_int_equal(mute->out_bytes, 0);
    assert_true(slow->was_shut);
    assert_int_equal(peer_count(slow, "HTTP/1.1 408 Request Timeout"), 1);
    peers_pass(http_server.limits.linger_time);
    assert_true(slow->aborted); /* nor does it take its 408 */
    assert_false(idle->closed);
    idle->acked = idle->out_bytes;
    peers_pass(http_server.limits.idle_time);
    assert_true(idle->closed);
    assert_false(idle->was_shut);
    assert_int_equal(tern_http_server_deadline(&http_server), TERN_TIME_NEVER);
}

/* Who begins another request has as long for it as for the first. */
static void silence_in_the_second(void **state)
{
    struct peer *p = &peers[0];
    struct tern_http_conn *c;

    (void)state;
    peer_say(p, GET_A);
    c = peer_join(p);
    p->acked = p->out_bytes;
    peers_pass(TERN_SECOND);
    peer_say(p, "GET /a");
    tern_http_conn_turn(c);
    peers_pass(http_server.limits.head_time - 1);
    assert_false(p->was_shut);
    peers_pass(1);
    assert_int_equal(peer_count(p, "HTTP/1.1 408 Request Timeout"), 1);
    assert_true(p->was_shut);
}

/* The least rate: who takes it stays, who does not is reset. */
static void rate(void **state)
{
    struct peer *p = &peers[0], *q = &peers[1];
    struct tern_http_conn *c;
    uint64_t least = http_server.limits.rate_bytes * 20;

    (void)state;
    p->room = q->room = 50000;
    peer_say(p, BIG);
    peer_say(q, BIG);
    c = peer_join(p);
    (void)peer_join(q);
    for (int i = 1; i <= 3; i++) {
        p->acked += least;
        p->room += least;
        tern_http_conn_turn(c);
        q->acked += i == 3 ? least - 1 : least;
        assert_false(q->aborted);
        peers_pass(http_server.limits.rate_time);
        assert_false(p->aborted);
    }
    assert_true(q->aborted);
    assert_non_null(strstr(http_last_log, "\"GET /big HTTP/1.1\" 200 "));
}

/* The rate is that of the answer at hand: how slowly the one before was taken is forgiven. */
static void rate_of_the_next_answer(void **state)
{
    const tern_time almost = http_server.limits.rate_time - TERN_SECOND;
    struct peer *p = &peers[0];
    struct tern_http_conn *c;

    (void)state;
    peer_say(p, GET_A);
    c = peer_join(p);
    peers_pass(http_server.limits.idle_time);
    p->acked = p->out_bytes; /* late, but all of it */
    peers_pass(almost);
    p->room = 1000;
    peer_say(p, BIG);
    tern_http_conn_turn(c);
    peers_pass(TERN_SECOND);
    assert_false(p->aborted);
    peers_pass(almost);
    assert_true(p->aborted);
}

/* An answer that is all with the stack, and a client that takes none of it. */
static void unread_answer(void **state)
{
    struct peer *p = &peers[0];

    (void)state;
    peer_say(p, GET_A);
    (void)peer_join(p);
    peers_pass(http_server.limits.idle_time);
    assert_false(p->closed || p->aborted);
    peers_pass(http_server.limits.rate_time);
    assert_true(p->aborted);
}

/* All places are taken by answers that are being sent: 503, for as many as can be told. */
static void crowd(void **state)
{
    struct tern_http_conn *first = NULL;
    int n = 0;

    (void)state;
    for (; n < PEERS; n++) {
        struct tern_http_conn *c = peer_ask_big(&peers[n], 1000);

        first = n == 0 ? c : first;
    }
    for (; tern_http_server_has_room(&http_server); n++) {
        (void)peer_join(&peers[n]);
        assert_int_equal(peer_count(&peers[n], "HTTP/1.1 503 Service Unavailable"), 1);
        assert_true(peers[n].was_shut);
    }
    assert_int_equal(n, PEERS + 16);
    for (int i = 0; i < PEERS; i++)
        assert_false(peers[i].closed || peers[i].aborted || peers[i].was_shut);
    peers[0].gone = true;
    peers[0].room = 1000;
    tern_http_conn_turn(first);
    assert_true(tern_http_server_has_room(&http_server));
    peer_say(&peers[n], GET_A);
    (void)peer_join(&peers[n]);
    assert_int_equal(peer_count(&peers[n], "200 OK"), 1);
}

static void served(struct peer *p)
{
    peer_say(p, GET_A);
    (void)peer_join(p);
    assert_int_equal(peer_count(p, "200 OK"), 1);
}

/* Far more than there are places, and none says a word: who comes last is served all the same. */
static void silent_crowd(void **state)
{
    int n = 0;

    (void)state;
    for (; n < PEERS + 30; n++) {
        assert_true(tern_http_server_has_room(&http_server));
        (void)peer_join(&peers[n]);
        assert_int_equal(peers[n].out_bytes, 0);
        for (int i = 0; i <= n; i++) /* the oldest went, without a word */
            assert_int_equal(peers[i].aborted, i <= n - PEERS);
    }
    served(&peers[n]);
    assert_int_equal(http_server.served, PEERS);
}

/* The same of such as were served and stay: the one that has been idle longest goes. */
static void idle_crowd(void **state)
{
    int n = 0;

    (void)state;
    for (; n < PEERS + 30; n++) {
        served(&peers[n]);
        peers[n].acked = peers[n].out_bytes;
        for (int i = 0; i <= n; i++)
            assert_int_equal(peers[i].aborted, i <= n - PEERS);
    }
}

/* Idle ones go before those that have begun or said nothing, however old; answers stay. */
static void who_goes_first(void **state)
{
    struct peer *mute = &peers[0], *slow = &peers[1], *busy = &peers[2], *idle = &peers[3];

    (void)state;
    (void)peer_join(mute);
    peer_say(slow, "GET /a HT");
    (void)peer_join(slow);
    (void)peer_ask_big(busy, 1000);
    served(idle);
    idle->acked = idle->out_bytes;
    (void)peer_ask_big(&peers[4], 1000);
    assert_true(idle->aborted);
    assert_false(mute->aborted || slow->aborted);
    (void)peer_ask_big(&peers[5], 1000);
    assert_true(mute->aborted);
    assert_false(slow->aborted);
    (void)peer_ask_big(&peers[6], 1000);
    assert_true(slow->aborted);
    assert_int_equal(slow->out_bytes, 0);
    (void)peer_join(&peers[7]);
    assert_int_equal(peer_count(&peers[7], "HTTP/1.1 503 Service Unavailable"), 1);
    assert_false(busy->aborted || busy->closed || busy->was_shut);
}

/* An answer that is on its way yet is not cut off; once it is there, its connection may go. */
static void untaken_answers(void **state)
{
    struct tern_http_conn *c[PEERS];

    (void)state;
    for (int i = 0; i < PEERS; i++) {
        peer_say(&peers[i], GET_A);
        c[i] = peer_join(&peers[i]);
    }
    (void)peer_join(&peers[PEERS]);
    assert_int_equal(peer_count(&peers[PEERS], "HTTP/1.1 503 Service Unavailable"), 1);
    for (int i = 0; i < PEERS; i++)
        assert_false(peers[i].aborted || peers[i].closed);
    peers[1].acked = peers[1].out_bytes;
    tern_http_conn_turn(c[1]);
    served(&peers[PEERS + 1]);
    assert_true(peers[1].aborted);
    assert_false(peers[0].aborted || peers[2].aborted || peers[3].aborted);
    peers_pass(http_server.limits.rate_time);
    assert_true(peers[0].aborted); /* it took nothing at all */
}

static void ending(void **state)
{
    struct peer *p = &peers[0], *q = &peers[1];
    struct tern_http_conn *c;

    (void)state;
    c = peer_ask_big(p, 1000);
    (void)peer_join(q);
    tern_http_server_end(&http_server);
    assert_true(q->closed);
    assert_int_equal(tern_http_server_busy(&http_server), 1);
    p->room = OUT_MAX - p->out_bytes;
    peer_say(p, GET_A);
    tern_http_conn_turn(c);
    assert_int_equal(tern_http_server_busy(&http_server), 0);
    assert_int_equal(peer_count(p, "200 OK"), 1);
    assert_true(p->was_shut);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PEERS_TEST(silence),        PEERS_TEST(silence_in_the_second),
        PEERS_TEST(rate),           PEERS_TEST(rate_of_the_next_answer),
        PEERS_TEST(unread_answer),  PEERS_TEST(crowd),
        PEERS_TEST(silent_crowd),   PEERS_TEST(idle_crowd),
        PEERS_TEST(who_goes_first), PEERS_TEST(untaken_answers),
        PEERS_TEST(ending),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
