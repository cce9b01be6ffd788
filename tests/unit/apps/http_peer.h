/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_APPS_HTTP_PEER_H
#define TEST_APPS_HTTP_PEER_H
/*
 * A server of files whose connections are made of two buffers: what a peer says in any pieces, and
 * what the server wrote and lent. The directory has a and b, of four bytes, mid, and big, of
 * FILE_SIZE.
 */
#include "http_test.h"

#include <tern/err.h>

#include "apps/http_serve.h"

#define IN_MAX    65536
#define OUT_MAX   (4u << 20)
#define PEERS     4 /* are served; more are told 503 */
#define FILE_SIZE 200000
#define MID_SIZE  10000 /* too short to be lent */
#define LOANS_MAX 3

#define GET_A "GET /a HTTP/1.1\r\nHost: h\r\n\r\n"
#define GET_B "GET /b HTTP/1.1\r\nHost: h\r\n\r\n"
#define BIG   "GET /big HTTP/1.1\r\nHost: h\r\n\r\n"

struct lent {
    const char *data;
    size_t at, bytes; /* where in out it was copied to */
    void *loan;
};

/* The far end of a connection, as the table's calls see it. */
struct peer {
    char in[IN_MAX]; /* said and not yet read: from in_at to in_end */
    size_t in_at, in_end;
    char *out; /* what the server wrote */
    size_t out_bytes, room;
    uint64_t acked;
    struct lent lent[LOANS_MAX]; /* the oldest first */
    size_t lent_count;
    bool fin, gone;                 /* theirs */
    bool was_shut, closed, aborted; /* ours */
};

extern struct place http_place;
extern struct tern_http_server http_server;
extern struct peer peers[PEERS + 32];
extern char http_last_log[512];

/* For cmocka: a fresh server, its clock at 0, and peers with all their room; and its end. */
int peers_start(void **state);
int peers_stop(void **state);
#define PEERS_TEST(name) cmocka_unit_test_setup_teardown(name, peers_start, peers_stop)

/* Connect, and the server's first turn. */
struct tern_http_conn *peer_join(struct peer *p);
void peer_say(struct peer *p, const char *text);
/* Ask for big with so much room for the answer, and connect. */
struct tern_http_conn *peer_ask_big(struct peer *p, size_t room);
/* All that was written is one answer: big or mid, whole. */
void peer_has_file(const struct peer *p, size_t bytes);
/* The peer has the oldest loan: its bytes stood still until now. */
void peer_take_back(struct peer *p);
/* How many answers with this status were written. */
size_t peer_count(const struct peer *p, const char *status);
/* So much time goes by, and what is over time expires. */
void peers_pass(tern_time time);

#endif
