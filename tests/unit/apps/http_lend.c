/* SPDX-License-Identifier: BSD-2-Clause */
/* Loans: when they come back, and to whom. */
#include "http_peer.h"

/* Where the buffer is full of loans, the answer goes on when one of them is back. */
static void loans(void **state)
{
    struct peer *p = &peers[0], *q = &peers[1];

    (void)state;
    (void)peer_ask_big(p, 1000);
    assert_int_equal(p->lent_count, 1);
    assert_int_equal(tern_http_server_busy(&http_server), 1);
    p->room = 1000;
    peer_take_back(p);
    assert_int_equal(p->lent_count, 1);
    assert_int_equal(tern_http_server_busy(&http_server), 0);
    peer_has_file(p, FILE_SIZE);
    peer_say(q, BIG);
    (void)peer_join(q);
    assert_int_equal(q->lent_count, 2);
    peer_has_file(q, FILE_SIZE);
    peer_take_back(p);
    peer_take_back(q);
    peer_take_back(q);
}

/* Loans outlive their connection, and do not wake the one that has its place. */
static void late_loans(void **state)
{
    struct peer *p = &peers[0], *q = &peers[1];
    struct tern_http_conn *c;

    (void)state;
    c = peer_ask_big(p, 1000);
    p->gone = true;
    p->room = 1000;
    tern_http_conn_turn(c);
    assert_true(p->aborted);
    for (int i = 0; i < PEERS + 16 && q->out_bytes == 0; i++) { /* until it is its place */
        struct peer *other = &peers[i + 1];
        struct tern_http_conn *taken = peer_join(other);

        if (taken == c) {
            q = other;
            break;
        }
        other->fin = true;
        tern_http_conn_turn(taken);
    }
    peer_say(q, BIG);
    q->room = 1000;
    tern_http_conn_turn(c);
    assert_int_equal(q->lent_count, 1);
    peer_take_back(p);
    assert_int_equal(q->lent_count, 1);
    assert_int_equal(c->loans, 1);
    q->room = 1000;
    peer_take_back(q);
    peer_has_file(q, FILE_SIZE);
    peer_take_back(q);
}

/* Answers share the blocks of a file, once it is old enough that its next change will show. */
static void shared_when_old(void **state)
{
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        tern_http_server_clock(&http_server, 0, i < 2 ? 0 : INT64_C(1) << 40);
        (void)peer_ask_big(&peers[i], OUT_MAX);
        peer_has_file(&peers[i], FILE_SIZE);
        assert_int_equal(peers[i].lent_count, 2);
    }
    assert_ptr_not_equal(peers[0].lent[0].data, peers[1].lent[0].data);
    assert_ptr_equal(peers[2].lent[0].data, peers[3].lent[0].data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PEERS_TEST(loans),
        PEERS_TEST(late_loans),
        PEERS_TEST(shared_when_old),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
