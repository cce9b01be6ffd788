/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Connections made of two buffers: what the server does with requests in any pieces, with clients
 * that read slowly, say nothing, say too much or go away, and with files that change. RFC 9112 §9
 */
#include "http_test.h"

#include <sys/stat.h>
#include <unistd.h>

#include <tern/err.h>

#include "apps/http_serve.h"

#define IN_MAX    65536
#define OUT_MAX   (4u << 20)
#define PEERS     4
#define FILE_SIZE 200000

#define LOANS_MAX 3

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

static struct place place;
static struct tern_http_server server;
static struct peer peers[PEERS + 32];
static char last_log[512];

static ptrdiff_t io_peek(void *conn, const uint8_t **data)
{
    struct peer *p = conn;

    assert_false(p->closed || p->aborted);
    *data = (const uint8_t *)p->in + p->in_at;
    if (p->gone)
        return TERN_ERR_RESET;
    if (p->in_end > p->in_at)
        return (ptrdiff_t)(p->in_end - p->in_at);
    return p->fin ? 0 : TERN_ERR_AGAIN;
}

static void io_skip(void *conn, size_t bytes)
{
    struct peer *p = conn;

    p->in_at += bytes;
    assert_true(p->in_at <= p->in_end);
}

static ptrdiff_t io_write(void *conn, const void *data, size_t bytes)
{
    struct peer *p = conn;

    assert_false(p->was_shut || p->closed || p->aborted);
    if (p->gone)
        return TERN_ERR_RESET;
    if (p->room == 0)
        return TERN_ERR_AGAIN;
    if (bytes > p->room)
        bytes = p->room;
    assert_true(p->out_bytes + bytes < OUT_MAX);
    memcpy(p->out + p->out_bytes, data, bytes);
    p->out_bytes += bytes;
    p->room -= bytes;
    return (ptrdiff_t)bytes;
}

static size_t io_space(void *conn)
{
    return ((struct peer *)conn)->room;
}

static enum tern_err io_lend(void *conn, const void *data, size_t bytes, void *loan)
{
    struct peer *p = conn;

    assert_true(bytes > 0);
    assert_true(p->room > 0);
    assert_false(p->was_shut || p->closed || p->aborted);
    if (p->gone)
        return TERN_ERR_RESET;
    if (p->lent_count == LOANS_MAX)
        return TERN_ERR_AGAIN;
    p->lent[p->lent_count++] = (struct lent){data, p->out_bytes, bytes, loan};
    assert_true(p->out_bytes + bytes < OUT_MAX);
    memcpy(p->out + p->out_bytes, data, bytes);
    p->out_bytes += bytes;
    p->room -= bytes < p->room ? bytes : p->room;
    return TERN_ERR_OK;
}

/* The peer has the oldest loan: its bytes stood still until now. */
static void take_back(struct peer *p)
{
    struct lent first = p->lent[0];

    assert_true(p->lent_count > 0);
    assert_memory_equal(first.data, p->out + first.at, first.bytes);
    p->lent_count--;
    memmove(p->lent, p->lent + 1, p->lent_count * sizeof p->lent[0]);
    tern_http_server_back(&server, first.loan);
}

static void io_progress(void *conn, uint64_t *acked, uint64_t *left)
{
    struct peer *p = conn;

    *acked = p->acked;
    *left = p->out_bytes - p->acked;
}

static void io_shutdown(void *conn)
{
    ((struct peer *)conn)->was_shut = true;
}

static void io_close(void *conn)
{
    ((struct peer *)conn)->closed = true;
}

static void io_abort(void *conn)
{
    ((struct peer *)conn)->aborted = true;
}

static const struct tern_http_io io = {
    .peek = io_peek,
    .skip = io_skip,
    .write = io_write,
    .space = io_space,
    .lend = io_lend,
    .progress = io_progress,
    .shutdown = io_shutdown,
    .close = io_close,
    .abort = io_abort,
};

static void log_line(void *user, const char *line, size_t bytes)
{
    (void)user;
    (void)snprintf(last_log, sizeof last_log, "%.*s", (int)bytes, line);
}

static void start_with(const struct tern_http_limits *limits)
{
    static char data[FILE_SIZE];
    struct tern_http_site site;

    place_open(&place);
    place_write(&place, "www/a", "aaaa", 4);
    place_write(&place, "www/b", "bbbb", 4);
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (char)('A' + i % 61 % 26);
    place_write(&place, "www/big", data, sizeof data);
    tern_http_site_init(&site, place.root, 1);
    assert_true(tern_http_server_init(&server, &site, limits, &io));
    server.log = log_line;
    tern_http_server_clock(&server, 0, 1795900000);
    for (size_t i = 0; i < COUNT(peers); i++) {
        char *out = peers[i].out == NULL ? malloc(OUT_MAX) : peers[i].out;

        memset(&peers[i], 0, sizeof peers[i]);
        peers[i].out = out;
        peers[i].room = OUT_MAX;
        assert_non_null(out);
    }
}

static int start(void **state)
{
    struct tern_http_limits limits;

    (void)state;
    tern_http_limits_defaults(&limits);
    limits.connections = PEERS;
    limits.requests = 5;
    limits.head_bytes = 1024;
    limits.body_bytes = 100;
    start_with(&limits);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    tern_http_server_fini(&server);
    place_close(&place);
    for (size_t i = 0; i < COUNT(peers); i++) {
        free(peers[i].out);
        peers[i].out = NULL;
    }
    return 0;
}

static struct tern_http_conn *join(struct peer *p)
{
    struct tern_http_conn *c = tern_http_conn_open(&server, p, tern_addr_v4(10, 0, 0, 2));

    tern_http_conn_turn(c);
    return c;
}

static void say(struct peer *p, const char *text)
{
    assert_true(p->in_end + strlen(text) <= IN_MAX);
    memcpy(p->in + p->in_end, text, strlen(text));
    p->in_end += strlen(text);
}

/* How many answers with this status were written. */
static size_t count(const struct peer *p, const char *status)
{
    size_t found = 0, length = strlen(status);

    for (size_t i = 0; i + length <= p->out_bytes; i++)
        found += memcmp(p->out + i, status, length) == 0;
    return found;
}

static void pass(tern_time time)
{
    tern_http_server_clock(&server, server.now + time, server.site.wall + time / TERN_SECOND);
    tern_http_server_expire(&server);
}

#define GET_A "GET /a HTTP/1.1\r\nHost: h\r\n\r\n"
#define GET_B "GET /b HTTP/1.1\r\nHost: h\r\n\r\n"
#define BIG   "GET /big HTTP/1.1\r\nHost: h\r\n\r\n"

static void keep_alive(void **state)
{
    struct peer *p = &peers[0];
    struct tern_http_conn *c = join(p);

    (void)state;
    for (size_t i = 1; i <= 5; i++) {
        say(p, GET_A);
        tern_http_conn_turn(c);
        assert_int_equal(count(p, "HTTP/1.1 200 OK"), i);
        assert_int_equal(p->was_shut, i == 5); /* the limit of requests */
    }
    assert_int_equal(count(p, "Connection: close"), 1);
    assert_false(p->closed);
    p->fin = true;
    tern_http_conn_turn(c);
    assert_true(p->closed);
    assert_non_null(strstr(last_log, "10.0.0.2 - - ["));
    assert_non_null(strstr(last_log, "\"GET /a HTTP/1.1\" 200 4\n"));
}

/* The same answers, in order, however the requests are cut and whatever room there is. */
static void pipelined_in_pieces(void **state)
{
    static const char requests[] =
        GET_A "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nGET /" GET_B
              "GET /a HTTP/1.0\r\n\r\n";
    struct peer *p = &peers[0], *q = &peers[1];
    struct tern_http_conn *c = join(p), *d = join(q);

    (void)state;
    say(p, requests);
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
    assert_int_equal(count(p, "HTTP/1.1 200 OK"), 3);
    assert_int_equal(count(p, "HTTP/1.1 405 "), 1);
    assert_true(p->was_shut);
    assert_true(q->was_shut);
}

/* A file longer than the room: in pieces, whole, and the next answer right after it. */
static void slow_reader(void **state)
{
    struct peer *p = &peers[0];
    struct tern_http_conn *c = join(p);
    const char *body;

    (void)state;
    p->room = 0;
    say(p, BIG GET_A);
    for (int i = 0; i < 1000 && count(p, "aaaa") == 0; i++) {
        p->room = 1000;
        tern_http_conn_turn(c);
        assert_int_equal(tern_http_server_busy(&server) > 0, p->room == 0);
    }
    body = strstr(p->out, "\r\n\r\n") + 4;
    assert_memory_equal(body + FILE_SIZE, "HTTP/1.1 200 OK", 15);
}

static void has_big(const struct peer *p)
{
    const char *body = strstr(p->out, "\r\n\r\n") + 4;

    assert_int_equal(p->out_bytes - (size_t)(body - p->out), FILE_SIZE);
    for (size_t i = 0; i < FILE_SIZE; i++)
        assert_int_equal(body[i], 'A' + i % 61 % 26);
}

/* Where the buffer is full of loans, the answer goes on when one of them is back. */
static void loans(void **state)
{
    struct peer *p = &peers[0], *q = &peers[1];

    (void)state;
    p->room = 1000;
    say(p, BIG);
    (void)join(p);
    assert_int_equal(p->lent_count, 1);
    assert_int_equal(tern_http_server_busy(&server), 1);
    p->room = 1000;
    take_back(p);
    assert_int_equal(p->lent_count, 1);
    assert_int_equal(tern_http_server_busy(&server), 0);
    has_big(p);
    say(q, BIG);
    (void)join(q);
    assert_int_equal(q->lent_count, 2);
    has_big(q);
    take_back(p);
    take_back(q);
    take_back(q);
}

/* Loans outlive their connection, and do not wake the one that has its place. */
static void late_loans(void **state)
{
    struct peer *p = &peers[0], *q = &peers[1];
    struct tern_http_conn *c;

    (void)state;
    p->room = 1000;
    say(p, BIG);
    c = join(p);
    p->gone = true;
    p->room = 1000;
    tern_http_conn_turn(c);
    assert_true(p->aborted);
    for (int i = 0; i < PEERS + 16 && q->out_bytes == 0; i++) { /* until it is its place */
        struct peer *other = &peers[i + 1];
        struct tern_http_conn *taken = join(other);

        if (taken == c) {
            q = other;
            break;
        }
        other->fin = true;
        tern_http_conn_turn(taken);
    }
    say(q, BIG);
    q->room = 1000;
    tern_http_conn_turn(c);
    assert_int_equal(q->lent_count, 1);
    take_back(p);
    assert_int_equal(q->lent_count, 1);
    assert_int_equal(c->loans, 1);
    q->room = 1000;
    take_back(q);
    has_big(q);
    take_back(q);
}

static void bodies(void **state)
{
    struct peer *p = &peers[0], *q = &peers[1], *r = &peers[2];
    struct tern_http_conn *c = join(p);

    (void)state;
    say(p, "PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n");
    tern_http_conn_turn(c);
    assert_int_equal(count(p, "HTTP/1.1 405 Method Not Allowed"), 1);
    memset(p->in + p->in_end, 'x', 100);
    p->in_end += 100;
    say(p, GET_A);
    tern_http_conn_turn(c);
    assert_int_equal(count(p, "200 OK"), 1);
    say(q, "GET /a HTTP/1.1\r\nHost: h\r\nContent-Length: 101\r\n\r\n");
    (void)join(q);
    assert_int_equal(count(q, "HTTP/1.1 413 Content Too Large"), 1);
    assert_true(q->was_shut);
    say(r, "GET /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n65\r\n");
    memset(r->in + r->in_end, 'x', 101);
    r->in_end += 101;
    (void)join(r);
    assert_int_equal(count(r, "200 OK"), 1); /* the answer went out before */
    assert_true(r->was_shut);
    assert_int_equal(r->in_at, r->in_end); /* thrown away, so that FIN is no RST */
}

static void expectations(void **state)
{
    struct peer *p = &peers[0];

    (void)state;
    say(p, "PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n");
    (void)join(p);
    assert_int_equal(count(p, "HTTP/1.1 "), 1);
    assert_int_equal(count(p, "HTTP/1.1 405 "), 1);
    assert_int_equal(count(p, "Connection: close"), 1);
    assert_true(p->was_shut);
}

static void nonsense(void **state)
{
    struct peer *p = &peers[0];
    struct tern_http_conn *c;

    (void)state;
    say(p, "hello?\r\n" GET_A);
    c = join(p);
    assert_int_equal(count(p, "HTTP/1.1 "), 1);
    assert_int_equal(count(p, "HTTP/1.1 400 Bad Request"), 1);
    assert_true(p->was_shut);
    assert_false(p->closed);
    p->fin = true;
    tern_http_conn_turn(c);
    assert_true(p->closed);
    assert_non_null(strstr(last_log, "\"-\" 400 "));
}

/* Who says nothing, begins and stops, or stays silent after an answer. */
static void silence(void **state)
{
    struct peer *mute = &peers[0], *slow = &peers[1], *idle = &peers[2];
    struct tern_http_conn *c;

    (void)state;
    (void)join(mute);
    c = join(slow);
    say(idle, GET_A);
    (void)join(idle);
    assert_int_equal(tern_http_server_deadline(&server), server.limits.head_time);
    for (int i = 0; i < 9; i++) { /* a byte each second does not help */
        say(slow, i == 0 ? "G" : i == 1 ? "E" : i == 2 ? "T" : i == 3 ? " " : "/");
        tern_http_conn_turn(c);
        pass(TERN_SECOND);
    }
    assert_false(mute->closed || slow->was_shut);
    pass(TERN_SECOND);
    assert_true(mute->closed);
    assert_int_equal(mute->out_bytes, 0);
    assert_true(slow->was_shut);
    assert_int_equal(count(slow, "HTTP/1.1 408 Request Timeout"), 1);
    pass(server.limits.linger_time);
    assert_true(slow->aborted); /* nor does it take its 408 */
    assert_false(idle->closed);
    idle->acked = idle->out_bytes;
    pass(server.limits.idle_time);
    assert_true(idle->closed);
    assert_false(idle->was_shut);
    assert_int_equal(tern_http_server_deadline(&server), TERN_TIME_NEVER);
}

/* The least rate: who takes it stays, who does not is reset. */
static void rate(void **state)
{
    struct peer *p = &peers[0], *q = &peers[1];
    struct tern_http_conn *c;
    uint64_t least = server.limits.rate_bytes * 20;

    (void)state;
    p->room = q->room = 50000;
    say(p, BIG);
    say(q, BIG);
    c = join(p);
    (void)join(q);
    for (int i = 1; i <= 3; i++) {
        p->acked += least;
        p->room += least;
        tern_http_conn_turn(c);
        q->acked += i == 3 ? least - 1 : least;
        assert_false(q->aborted);
        pass(server.limits.rate_time);
        assert_false(p->aborted);
    }
    assert_true(q->aborted);
    assert_non_null(strstr(last_log, "\"GET /big HTTP/1.1\" 200 "));
}

/* An answer that is all with the stack, and a client that takes none of it. */
static void unread_answer(void **state)
{
    struct peer *p = &peers[0];

    (void)state;
    say(p, GET_A);
    (void)join(p);
    pass(server.limits.idle_time);
    assert_false(p->closed || p->aborted);
    pass(server.limits.rate_time);
    assert_true(p->aborted);
}

static void gone(void **state)
{
    struct peer *p = &peers[0], *q = &peers[1], *r = &peers[2];
    struct tern_http_conn *c, *d;

    (void)state;
    p->room = 1000;
    say(p, BIG);
    c = join(p);
    p->gone = true;
    p->room = 1000;
    tern_http_conn_turn(c);
    assert_true(p->aborted);
    d = join(q);
    q->gone = true;
    tern_http_conn_turn(d);
    assert_true(q->aborted);
    say(r, "GET /a HT");
    r->fin = true;
    (void)join(r);
    assert_true(r->closed);
    assert_int_equal(r->out_bytes, 0);
    assert_int_equal(server.served, 0);
}

/* A half-closed client gets its answers first. */
static void half_closed(void **state)
{
    struct peer *p = &peers[0];

    (void)state;
    say(p, GET_A GET_B);
    p->fin = true;
    (void)join(p);
    assert_int_equal(count(p, "200 OK"), 2);
    assert_true(p->closed);
}

static void crowd(void **state)
{
    struct tern_http_conn *first = NULL;
    int n = 0;

    (void)state;
    for (; tern_http_server_has_room(&server); n++) {
        struct tern_http_conn *c = join(&peers[n]);

        first = n == 0 ? c : first;
        assert_int_equal(count(&peers[n], "HTTP/1.1 503 Service Unavailable"), n >= PEERS);
        assert_int_equal(peers[n].was_shut, n >= PEERS);
    }
    assert_int_equal(n, PEERS + 16);
    peers[0].fin = true;
    tern_http_conn_turn(first);
    assert_true(tern_http_server_has_room(&server));
    say(&peers[n], GET_A);
    (void)join(&peers[n]);
    assert_int_equal(count(&peers[n], "200 OK"), 1);
}

/* A file that is cut while it is sent: what there is, then the end, short of what was promised. */
static void shrinking_file(void **state)
{
    struct peer *p = &peers[0];
    struct tern_http_conn *c;

    (void)state;
    p->room = 70000;
    say(p, BIG);
    c = join(p);
    assert_int_equal(truncate(place_path(&place, "www/big"), 80000), 0);
    p->room = OUT_MAX - p->out_bytes;
    tern_http_conn_turn(c);
    assert_true(p->was_shut);
    assert_int_equal(count(p, "Content-Length: 200000"), 1);
    assert_true(p->out_bytes < FILE_SIZE);
    assert_int_equal(tern_http_server_busy(&server), 0);
}

static void ending(void **state)
{
    struct peer *p = &peers[0], *q = &peers[1];
    struct tern_http_conn *c;

    (void)state;
    p->room = 1000;
    say(p, BIG);
    c = join(p);
    (void)join(q);
    tern_http_server_end(&server);
    assert_true(q->closed);
    assert_int_equal(tern_http_server_busy(&server), 1);
    p->room = OUT_MAX - p->out_bytes;
    say(p, GET_A);
    tern_http_conn_turn(c);
    assert_int_equal(tern_http_server_busy(&server), 0);
    assert_int_equal(count(p, "200 OK"), 1);
    assert_true(p->was_shut);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(keep_alive),     TEST(pipelined_in_pieces),
        TEST(slow_reader),    TEST(bodies),
        TEST(expectations),   TEST(nonsense),
        TEST(silence),        TEST(rate),
        TEST(unread_answer),  TEST(gone),
        TEST(half_closed),    TEST(crowd),
        TEST(shrinking_file), TEST(loans),
        TEST(late_loans),     TEST(ending),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
