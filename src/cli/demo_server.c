/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A web server on tern's own TCP: a few connections, each a request, an answer, the end. It writes
 * as much as the send buffer takes and goes on when there is room; nothing here waits.
 */
#include "cli/demo_server.h"

#include <string.h>

#define HALF_PAUSE (50 * TERN_MS)
#define BACKLOG    4
#define PORT       80
#define PIECE      16384

enum tern_err demo_server_open(struct demo_server *s, struct tern_link *link,
                               const struct tern_cidr *address, uint64_t seed)
{
    struct tern_tcp_options options = {.local = {.addr = address->addr, .port = PORT}};
    struct tern_config config;
    enum tern_err err;

    memset(s, 0, sizeof *s);
    tern_config_defaults(&config);
    memcpy(config.seed, &seed, sizeof seed);
    config.seed[TERN_SEED_BYTES - 1] = 2; /* not the client's */
    err = tern_loop_create(link, &config, &s->loop);
    if (err != TERN_ERR_OK) {
        link->ops->close(link);
        return err;
    }
    err = tern_stack_address_add(tern_loop_stack(s->loop), address, TERN_CLAIM_NONE);
    if (err == TERN_ERR_OK)
        err = tern_tcp_listen(tern_loop_stack(s->loop), &options, BACKLOG, &s->listener);
    if (err != TERN_ERR_OK)
        demo_server_close(s);
    return err;
}

void demo_server_close(struct demo_server *s)
{
    if (s->loop != NULL)
        tern_loop_destroy(s->loop);
    s->loop = NULL;
}

static void accept_all(struct demo_server *s)
{
    for (size_t i = 0; i < DEMO_SERVER_CONNS; i++) {
        struct demo_server_conn *c = &s->conn[i];

        if (c->conn != NULL)
            continue;
        memset(c, 0, sizeof *c);
        if (tern_tcp_accept(s->listener, c, &c->conn) != TERN_ERR_OK)
            return;
    }
}

static void conn_end(struct demo_server_conn *c, bool reset)
{
    if (reset)
        tern_tcp_abort(c->conn);
    else
        tern_tcp_close(c->conn);
    c->conn = NULL;
}

static void conn_read(struct demo_server_conn *c)
{
    char rest[256];
    ptrdiff_t n = 1;

    while (n > 0) {
        size_t room = sizeof c->request - c->have;
        bool is_rest = c->asked || room == 0;

        n = tern_tcp_read(c->conn, is_rest ? rest : c->request + c->have,
                          is_rest ? sizeof rest : room);
        if (n == 0)
            c->peer_ended = true;
        if (n > 0 && !is_rest)
            c->have += (size_t)n;
    }
    if (c->asked)
        return;
    size_t end = tern_labpage_request_end(c->request, c->have);

    if (end > 0) {
        tern_labpage_answer(c->request, end, &c->page);
        c->asked = true;
    }
}

/* May the answer begin? /half waits for the client's FIN and a moment more. */
static bool conn_may_answer(struct demo_server_conn *c, tern_time now)
{
    if (c->page.manner != TERN_LABPAGE_HALF)
        return true;
    if (!c->peer_ended)
        return false;
    if (c->not_before == 0)
        c->not_before = now + HALF_PAUSE;
    return now >= c->not_before;
}

static size_t conn_piece(const struct demo_server_conn *c, char *piece, size_t room)
{
    const struct tern_labpage *page = &c->page;

    if (c->written >= page->head_bytes)
        return tern_labpage_body(page, c->written - page->head_bytes, piece, room);
    size_t n = page->head_bytes - (size_t)c->written;

    memcpy(piece, page->head + c->written, n);
    return n + tern_labpage_body(page, 0, piece + n, room - n);
}

static void conn_write(struct demo_server_conn *c, tern_time now)
{
    uint64_t whole = c->page.head_bytes + c->page.body_bytes;
    static const uint64_t reset_at = TERN_LABPAGE_RESET_BYTES;
    char piece[PIECE];

    if (!c->asked || !conn_may_answer(c, now))
        return;
    while (c->written < whole) {
        ptrdiff_t n = tern_tcp_write(c->conn, piece, conn_piece(c, piece, sizeof piece));

        if (n <= 0)
            break;
        c->written += (uint64_t)n;
        if (c->page.manner == TERN_LABPAGE_RESET && c->written > reset_at) {
            conn_end(c, true);
            return;
        }
    }
    if (c->written == whole)
        conn_end(c, false);
}

static void conn_turn(struct demo_server_conn *c, tern_time now)
{
    conn_read(c);
    conn_write(c, now);
    if (c->conn != NULL &&
        (tern_tcp_reason(c->conn) != TERN_ERR_OK || tern_tcp_state(c->conn) == TERN_TCP_CLOSED))
        conn_end(c, false);
}

void demo_server_turn(struct demo_server *s)
{
    struct tern_event event;

    if (tern_process(s->loop) != TERN_ERR_OK)
        return;
    while (tern_stack_event(tern_loop_stack(s->loop), &event))
        if (event.kind == TERN_EVENT_LISTENER)
            accept_all(s);
    for (size_t i = 0; i < DEMO_SERVER_CONNS; i++)
        if (s->conn[i].conn != NULL)
            conn_turn(&s->conn[i], tern_loop_now(s->loop));
    /* What was written leaves at once; a link that went away is the client's to tell. */
    enum tern_err err = tern_process(s->loop);

    (void)err;
}
