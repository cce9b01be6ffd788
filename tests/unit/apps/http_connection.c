/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the server does with requests in any pieces, with clients that read slowly, say too much, or
 * go away, and with a file that changes. RFC 9112 §9
 */
#include "http_peer.h"

#include <unistd.h>

static void keep_alive(void **state)
{
    struct peer *p = &peers[0];
    struct tern_http_conn *c = peer_join(p);

    (void)state;
    for (size_t i = 1; i <= 5; i++) {
        peer_say(p, GET_A);
        tern_http_conn_turn(c);
        assert_int_equal(peer_count(p, "HTTP/1.1 200 OK"), i);
        assert_int_equal(p->was_shut, i == 5); /* the limit of requests */
    }
    assert_int_equal(peer_count(p, "Connection: close"), 1);
    assert_false(p->closed);
    p->fin = true;
    tern_http_conn_turn(c);
    assert_true(p->closed);
    assert_non_null(strstr(http_last_log, "10.0.0.2 - - ["));
    assert_non_null(strstr(http_last_log, "\"GET /a HTTP/1.1\" 200 4\n"));
}

/* Who has the place of another has all requests of its own before it. */
static void requests_in_a_used_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(peers); i++) { /* more than there are places */
        struct tern_http_conn *c;

        peer_say(&peers[i], GET_A GET_A GET_A);
        c = peer_join(&peers[i]);
        assert_int_equal(peer_count(&peers[i], "HTTP/1.1 200 OK"), 3);
        assert_int_equal(peer_count(&peers[i], "Connection: close"), 0);
        peers[i].fin = true;
        tern_http_conn_turn(c);
        assert_true(peers[i].closed);
    }
}

/* The same answers, in order, however the requests are cut and whatever room there is. */
static void pipelined_in_pieces(void **state)
{
    static const char requests[] =
        GET_A "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nGET /" GET_B
              "GET /a HTTP/1.0\r\n\r\n";
    struct peer *p = &peers[0], *q = &peers[1];
    struct tern_http_conn *c = peer_join(p), *d = peer_join(q);

    (void)state;
    peer_say(p, requests);
    tern_http_conn_turn(c);
    q->room = 0;
    for (size_t i = 0; requests[i] != '\0'; i++) {
        q->in[q->in_end++] = requests[i];
        tern_http_conn_turn(d);
        q->room = i % 3 == 0 ? 7 : 0;
        tern_http_conn_turn(d);
    }
    for (int i = 0; i < 1000 && !q->was_shut; i++) {
        q->room = 100;
        tern_http_conn_turn(d);
    }
    assert_int_equal(p->out_bytes, q->out_bytes);
    assert_memory_equal(p->out, q->out, p->out_bytes);
    assert_int_equal(peer_count(p, "HTTP/1.1 200 OK"), 3);
    assert_int_equal(peer_count(p, "HTTP/1.1 405 "), 1);
    assert_true(p->was_shut);
    assert_true(q->was_shut);
}

/* A head that cannot stand is answered whether a body follows it or not. */
static void refused_with_a_body(void **state)
{
    static const char *const heads[] = {
        "POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nabcde",
        "GET /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n: x\r\n\r\nabcde",
    };

    (void)state;
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        struct peer *p = &peers[i];
        struct tern_http_conn *c = peer_join(p);

        peer_say(p, heads[i]);
        tern_http_conn_turn(c);
        assert_int_equal(peer_count(p, "HTTP/1.1 "), 1);
        assert_int_equal(peer_count(p, "HTTP/1.1 400 Bad Request"), 1);
        assert_true(p->was_shut);
    }
}

/* A file longer than the room: in pieces, whole, and the next answer right after it. */
static void slow_reader(void **state)
{
    struct peer *p = &peers[0];
    struct tern_http_conn *c = peer_join(p);
    const char *body;

    (void)state;
    p->room = 0;
    peer_say(p, BIG GET_A);
    for (int i = 0; i < 1000 && peer_count(p, "aaaa") == 0; i++) {
        p->room = 1000;
        tern_http_conn_turn(c);
        assert_int_equal(tern_http_server_busy(&http_server) > 0, p->room == 0);
    }
    body = strstr(p->out, "\r\n\r\n") + 4;
    assert_memory_equal(body + FILE_SIZE, "HTTP/1.1 200 OK", 15);
}

/* The same of a file that is copied: each write that finds no room is told when there is some. */
static void slow_reader_of_a_copy(void **state)
{
    struct peer *p = &peers[0];
    struct tern_http_conn *c;

    (void)state;
    p->room = 500;
    peer_say(p, "GET /mid HTTP/1.1\r\nHost: h\r\n\r\n");
    c = peer_join(p);
    for (int i = 0; i < 30 && tern_http_server_busy(&http_server) > 0; i++) {
        assert_int_equal(p->room, 0);
        p->room = 500;
        tern_http_conn_turn(c);
    }
    assert_int_equal(p->lent_count, 0);
    assert_false(p->was_shut);
    peer_has_file(p, MID_SIZE);
}

/* A body that is none, after the answer: there is no second one. */
static void body_of_nonsense(void **state)
{
    struct peer *p = &peers[0];
    struct tern_http_conn *c;

    (void)state;
    peer_say(p, "PUT /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
    c = peer_join(p);
    assert_int_equal(peer_count(p, "HTTP/1.1 405 "), 1);
    assert_false(p->was_shut);
    peer_say(p, "no length\r\n");
    tern_http_conn_turn(c);
    assert_int_equal(peer_count(p, "HTTP/1.1 "), 1);
    assert_true(p->was_shut);
}

static void bodies(void **state)
{
    struct peer *p = &peers[0], *q = &peers[1], *r = &peers[2];
    struct tern_http_conn *c = peer_join(p);

    (void)state;
    peer_say(p, "PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n");
    tern_http_conn_turn(c);
    assert_int_equal(peer_count(p, "HTTP/1.1 405 Method Not Allowed"), 1);
    memset(p->in + p->in_end, 'x', 100);
    p->in_end += 100;
    peer_say(p, GET_A);
    tern_http_conn_turn(c);
    assert_int_equal(peer_count(p, "200 OK"), 1);
    peer_say(q, "GET /a HTTP/1.1\r\nHost: h\r\nContent-Length: 101\r\n\r\n");
    (void)peer_join(q);
    assert_int_equal(peer_count(q, "HTTP/1.1 413 Content Too Large"), 1);
    assert_true(q->was_shut);
    peer_say(r, "GET /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n65\r\n");
    memset(r->in + r->in_end, 'x', 101);
    r->in_end += 101;
    (void)peer_join(r);
    assert_int_equal(peer_count(r, "200 OK"), 1); /* the answer went out before */
    assert_true(r->was_shut);
    assert_int_equal(r->in_at, r->in_end); /* thrown away, so that FIN is no RST */
}

static void expectations(void **state)
{
    struct peer *p = &peers[0];

    (void)state;
    peer_say(p, "PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n");
    (void)peer_join(p);
    assert_int_equal(peer_count(p, "HTTP/1.1 "), 1);
    assert_int_equal(peer_count(p, "HTTP/1.1 405 "), 1);
    assert_int_equal(peer_count(p, "Connection: close"), 1);
    assert_true(p->was_shut);
}

static void nonsense(void **state)
{
    struct peer *p = &peers[0];
    struct tern_http_conn *c;

    (void)state;
    peer_say(p, "hello?\r\n" GET_A);
    c = peer_join(p);
    assert_int_equal(peer_count(p, "HTTP/1.1 "), 1);
    assert_int_equal(peer_count(p, "HTTP/1.1 400 Bad Request"), 1);
    assert_true(p->was_shut);
    assert_false(p->closed);
    p->fin = true;
    tern_http_conn_turn(c);
    assert_true(p->closed);
    assert_non_null(strstr(http_last_log, "\"-\" 400 "));
}

static void gone(void **state)
{
    struct peer *p = &peers[0], *q = &peers[1], *r = &peers[2];
    struct tern_http_conn *c, *d;

    (void)state;
    c = peer_ask_big(p, 1000);
    p->gone = true;
    p->room = 1000;
    tern_http_conn_turn(c);
    assert_true(p->aborted);
    d = peer_join(q);
    q->gone = true;
    tern_http_conn_turn(d);
    assert_true(q->aborted);
    peer_say(r, "GET /a HT");
    r->fin = true;
    (void)peer_join(r);
    assert_true(r->closed);
    assert_int_equal(r->out_bytes, 0);
    assert_int_equal(http_server.served, 0);
}

/* A half-closed client gets its answers first. */
static void half_closed(void **state)
{
    struct peer *p = &peers[0];

    (void)state;
    peer_say(p, GET_A GET_B);
    p->fin = true;
    (void)peer_join(p);
    assert_int_equal(peer_count(p, "200 OK"), 2);
    assert_true(p->closed);
}

/* A file that is cut while it is sent: what there is, then the end, short of what was promised. */
static void shrinking_file(void **state)
{
    struct peer *p = &peers[0];
    struct tern_http_conn *c;

    (void)state;
    c = peer_ask_big(p, 70000);
    assert_int_equal(truncate(place_path(&http_place, "www/big"), 80000), 0);
    p->room = OUT_MAX - p->out_bytes;
    tern_http_conn_turn(c);
    assert_true(p->was_shut);
    assert_int_equal(peer_count(p, "Content-Length: 200000"), 1);
    assert_true(p->out_bytes < FILE_SIZE);
    assert_int_equal(tern_http_server_busy(&http_server), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PEERS_TEST(keep_alive),
        PEERS_TEST(requests_in_a_used_place),
        PEERS_TEST(pipelined_in_pieces),
        PEERS_TEST(refused_with_a_body),
        PEERS_TEST(slow_reader),
        PEERS_TEST(slow_reader_of_a_copy),
        PEERS_TEST(bodies),
        PEERS_TEST(body_of_nonsense),
        PEERS_TEST(expectations),
        PEERS_TEST(nonsense),
        PEERS_TEST(gone),
        PEERS_TEST(half_closed),
        PEERS_TEST(shrinking_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
