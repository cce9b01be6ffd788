/* SPDX-License-Identifier: BSD-2-Clause */
/* Both ends of connections that are made of two buffers, and a server between them. */
#include "http_peer.h"

struct place http_place;
struct tern_http_server http_server;
struct peer peers[PEERS + 32];
char http_last_log[512];

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

void peer_take_back(struct peer *p)
{
    struct lent first = p->lent[0];

    assert_true(p->lent_count > 0);
    assert_memory_equal(first.data, p->out + first.at, first.bytes);
    p->lent_count--;
    memmove(p->lent, p->lent + 1, p->lent_count * sizeof p->lent[0]);
    tern_http_server_back(&http_server, first.loan);
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
    (void)snprintf(http_last_log, sizeof http_last_log, "%.*s", (int)bytes, line);
}

static void start_with(const struct tern_http_limits *limits)
{
    static char data[FILE_SIZE];
    struct tern_http_site site;

    place_open(&http_place);
    place_write(&http_place, "www/a", "aaaa", 4);
    place_write(&http_place, "www/b", "bbbb", 4);
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (char)('A' + i % 61 % 26);
    place_write(&http_place, "www/big", data, sizeof data);
    place_write(&http_place, "www/mid", data, MID_SIZE);
    tern_http_site_init(&site, http_place.root, 1);
    assert_true(tern_http_server_init(&http_server, &site, limits, &io));
    http_server.log = log_line;
    tern_http_server_clock(&http_server, 0, 1795900000);
    for (size_t i = 0; i < COUNT(peers); i++) {
        char *out = peers[i].out == NULL ? malloc(OUT_MAX) : peers[i].out;

        memset(&peers[i], 0, sizeof peers[i]);
        peers[i].out = out;
        peers[i].room = OUT_MAX;
        assert_non_null(out);
    }
}

int peers_start(void **state)
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

int peers_stop(void **state)
{
    (void)state;
    tern_http_server_fini(&http_server);
    place_close(&http_place);
    for (size_t i = 0; i < COUNT(peers); i++) {
        free(peers[i].out);
        peers[i].out = NULL;
    }
    return 0;
}

struct tern_http_conn *peer_join(struct peer *p)
{
    struct tern_http_conn *c = tern_http_conn_open(&http_server, p, tern_addr_v4(10, 0, 0, 2));

    tern_http_conn_turn(c);
    return c;
}

void peer_say(struct peer *p, const char *text)
{
    assert_true(p->in_end + strlen(text) <= IN_MAX);
    memcpy(p->in + p->in_end, text, strlen(text));
    p->in_end += strlen(text);
}

size_t peer_count(const struct peer *p, const char *status)
{
    size_t found = 0, length = strlen(status);

    for (size_t i = 0; i + length <= p->out_bytes; i++)
        found += memcmp(p->out + i, status, length) == 0;
    return found;
}

void peers_pass(tern_time time)
{
    tern_http_server_clock(&http_server, http_server.now + time,
                           http_server.site.wall + time / TERN_SECOND);
    tern_http_server_expire(&http_server);
}

struct tern_http_conn *peer_ask_big(struct peer *p, size_t room)
{
    p->room = room;
    peer_say(p, BIG);
    return peer_join(p);
}

void peer_has_file(const struct peer *p, size_t bytes)
{
    const char *body = strstr(p->out, "\r\n\r\n") + 4;

    assert_int_equal(p->out_bytes - (size_t)(body - p->out), bytes);
    for (size_t i = 0; i < bytes; i++)
        assert_int_equal(body[i], 'A' + i % 61 % 26);
}
