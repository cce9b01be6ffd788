/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A client of tern serve that says anything: a whole connection over a small directory. The first
 * byte draws how its bytes are cut and how much room each answer finds.
 *
 * It is run twice, once with all bytes and all room at once. Both must come to the same bytes, each
 * answer begins as one, and nothing of the file beside the directory is ever told. When the client
 * has ended its side nothing is left of the connection.
 */
#include "fuzz.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <tern/err.h>

#include "apps/http_serve.h"
#include "base/assert.h"

#define OUT_MAX (1u << 20)
#define SECRET  "this-is-not-yours"

struct client {
    const uint8_t *in;
    size_t in_bytes, in_at, shown; /* up to `shown` has arrived */
    char *out;
    size_t out_bytes, room;
    bool fin, ended, was_shut;
};

static struct tern_http_server server;
static char folder[] = "/tmp/tern-fuzz-http-XXXXXX";

static ptrdiff_t io_peek(void *conn, const uint8_t **data)
{
    struct client *c = conn;

    TERN_ASSERT(!c->ended);
    *data = c->in + c->in_at;
    if (c->shown > c->in_at)
        return (ptrdiff_t)(c->shown - c->in_at);
    return c->fin ? 0 : TERN_ERR_AGAIN;
}

static void io_skip(void *conn, size_t bytes)
{
    struct client *c = conn;

    c->in_at += bytes;
    TERN_ASSERT(c->in_at <= c->shown);
}

static ptrdiff_t io_write(void *conn, const void *data, size_t bytes)
{
    struct client *c = conn;

    TERN_ASSERT(!c->was_shut);
    bytes = bytes < c->room ? bytes : c->room;
    if (bytes == 0)
        return TERN_ERR_AGAIN;
    memcpy(c->out + c->out_bytes, data, bytes);
    c->out_bytes += bytes;
    c->room -= bytes;
    return (ptrdiff_t)bytes;
}

static size_t io_space(void *conn)
{
    return ((struct client *)conn)->room;
}

static void io_progress(void *conn, uint64_t *acked, uint64_t *left)
{
    (void)conn;
    *acked = *left = 0;
}

static void io_shutdown(void *conn)
{
    ((struct client *)conn)->was_shut = true;
}

static void io_end(void *conn)
{
    struct client *c = conn;

    TERN_ASSERT(!c->ended);
    c->ended = true;
}

static const struct tern_http_io io = {.peek = io_peek,
                                       .skip = io_skip,
                                       .write = io_write,
                                       .space = io_space,
                                       .progress = io_progress,
                                       .shutdown = io_shutdown,
                                       .close = io_end,
                                       .abort = io_end};

static void put_file(const char *name, const char *text)
{
    char path[128];
    FILE *file;

    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    file = fopen(path, "w");
    TERN_ASSERT(file != NULL);
    (void)fputs(text, file);
    (void)fclose(file);
}

static void put_path(const char *name, int (*make)(const char *, mode_t))
{
    char path[128];

    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    TERN_ASSERT(make(path, 0755) == 0);
}

static void clean_up(void)
{
    static const char *const names[] = {"www/a.txt", "www/d/index.html",
                                        "www/e/f",   "www/out",
                                        "www/fifo",  "secret",
                                        "www/d",     "www/e",
                                        "www",       "."};
    char path[128];

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        (void)remove(i + 1 == sizeof names / sizeof names[0] ? folder : path);
    }
}

/* Once a process: the directory, and a server that all inputs use. */
static void set_up(void)
{
    struct tern_http_limits limits;
    struct tern_http_site site;
    char path[128];

    TERN_ASSERT(mkdtemp(folder) != NULL);
    (void)atexit(clean_up);
    put_path("www", mkdir);
    put_path("www/d", mkdir);
    put_path("www/e", mkdir);
    put_path("www/fifo", mkfifo);
    put_file("secret", SECRET);
    put_file("www/a.txt", "0123456789");
    put_file("www/d/index.html", "<p>");
    put_file("www/e/f", "f");
    (void)snprintf(path, sizeof path, "%s/www/out", folder);
    TERN_ASSERT(symlink("../secret", path) == 0);
    (void)snprintf(path, sizeof path, "%s/www", folder);
    tern_http_limits_defaults(&limits);
    limits.connections = 1;
    limits.requests = 20;
    limits.head_bytes = 512;
    limits.body_bytes = 64;
    tern_http_site_init(&site, tern_http_root_open(path), 1);
    TERN_ASSERT(site.root >= 0);
    TERN_ASSERT(tern_http_server_init(&server, &site, &limits, &io));
    tern_http_server_clock(&server, 0, INT64_C(4000000000)); /* files of now are old then */
}

/* The whole connection; cut 0: at once. */
static void converse(struct client *c, uint8_t cut)
{
    const struct tern_addr peer = {{0}};
    struct tern_http_conn *conn;
    const size_t piece = cut == 0 ? c->in_bytes : 1 + cut % 16u;
    const size_t room = cut == 0 ? OUT_MAX : 1 + cut * 7u;

    c->room = room;
    conn = tern_http_conn_open(&server, c, peer);
    tern_http_conn_turn(conn);
    while (!c->ended && c->shown < c->in_bytes) {
        c->shown = c->in_bytes - c->shown < piece ? c->in_bytes : c->shown + piece;
        c->room = room;
        tern_http_conn_turn(conn);
    }
    c->fin = true;
    for (size_t i = 0; !c->ended && i < OUT_MAX; i++) {
        c->room = room;
        tern_http_conn_turn(conn);
    }
    TERN_ASSERT(c->ended);
    TERN_ASSERT(server.served == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char whole_out[OUT_MAX], cut_out[OUT_MAX];
    struct client whole = {.out = whole_out}, cut = {.out = cut_out};

    if (server.conn == NULL)
        set_up();
    if (size < 2 || size > 4096)
        return 0;
    whole.in = cut.in = data + 1;
    whole.in_bytes = cut.in_bytes = size - 1;
    converse(&whole, 0);
    converse(&cut, data[0] == 0 ? 1 : data[0]);
    TERN_ASSERT(whole.out_bytes == cut.out_bytes);
    TERN_ASSERT(memcmp(whole_out, cut_out, whole.out_bytes) == 0);
    TERN_ASSERT(whole.out_bytes == 0 || memcmp(whole_out, "HTTP/1.1 ", 9) == 0);
    TERN_ASSERT(memmem(data, size, SECRET, strlen(SECRET)) != NULL || /* an echo is no leak */
                memmem(whole_out, whole.out_bytes, SECRET, strlen(SECRET)) == NULL);
    return 0;
}
