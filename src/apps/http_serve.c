/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The server: a table of connections, and who waits for what since when. All that wait for the same
 * wait equally long, so that each kind stands in one list, oldest first, and a deadline costs no
 * walk however many there are.
 *
 * Every connection that is not free is in a list, and so has a deadline: nobody can hold one for
 * nothing. Where all places are taken, a newcomer gets that of the one that has been idle longest,
 * or else of the oldest that has not said all of a request. It is reset: FIN would leave the stack
 * waiting for theirs, and whoever holds places would hold the stack's instead. So silence shuts
 * nobody out, and there is no limit for one address, behind which there may be many people.
 *
 * Where all are being answered, a few more are taken to be told 503; beyond those nothing is
 * accepted, and callers wait with the stack.
 */
#include "apps/http_serve.h"

#include <stdlib.h>

#include <tern/tern.h>

#include "apps/http_parts.h"
#include "base/assert.h"

#define SPARE 16 /* connections that can be told 503 at once */

void tern_http_limits_defaults(struct tern_http_limits *limits)
{
    *limits = (struct tern_http_limits){
        .connections = 512,
        .requests = 1000,
        .head_bytes = 8192,
        .body_bytes = 65536,
        .rate_bytes = 512,
        .head_time = 10 * TERN_SECOND,
        .idle_time = 30 * TERN_SECOND,
        .rate_time = 20 * TERN_SECOND,
        .linger_time = 2 * TERN_SECOND,
    };
}

bool tern_http_server_init(struct tern_http_server *s, const struct tern_http_site *site,
                           const struct tern_http_limits *limits, const struct tern_http_io *io)
{
    TERN_ASSERT(limits->connections > 0);
    TERN_ASSERT(limits->requests > 0);
    memset(s, 0, sizeof *s);
    s->limits = *limits;
    s->io = io;
    s->conn_count = (uint32_t)limits->connections + SPARE;
    s->conn = calloc(s->conn_count, sizeof *s->conn);
    s->scratch = malloc(TERN_HTTP_SCRATCH_BYTES);
    if (s->conn == NULL || s->scratch == NULL || !tern_http_lend_init(s)) {
        free(s->conn);
        free(s->scratch);
        return false;
    }
    s->site = *site;
    tern_list_init(&s->free);
    for (int i = 0; i < TERN_HTTP_WAIT_COUNT; i++)
        tern_list_init(&s->waiting[i]);
    for (uint32_t i = 0; i < s->conn_count; i++) {
        s->conn[i].server = s;
        s->conn[i].answer.file.fd = -1;
        tern_list_push(&s->free, &s->conn[i].link);
    }
    return true;
}

void tern_http_server_close(struct tern_http_server *s)
{
    for (uint32_t i = 0; i < s->conn_count; i++)
        if (s->conn[i].wait != TERN_HTTP_WAIT_NONE)
            tern_http_conn_close(&s->conn[i]);
}

void tern_http_server_fini(struct tern_http_server *s)
{
    tern_http_server_close(s);
    for (uint32_t i = 0; i < s->conn_count; i++)
        tern_http_text_fini(&s->conn[i].answer.text);
    free(s->conn);
    free(s->scratch);
    tern_http_lend_fini(s);
    tern_http_text_fini(&s->line);
    tern_http_site_fini(&s->site);
}

void tern_http_server_clock(struct tern_http_server *s, tern_time now, int64_t wall)
{
    s->now = now;
    s->site.wall = wall;
}

bool tern_http_server_has_room(const struct tern_http_server *s)
{
    return !tern_list_is_empty(&s->free);
}

static tern_time patience(const struct tern_http_server *s, int wait)
{
    switch (wait) {
    case TERN_HTTP_WAIT_HEAD:
        return s->limits.head_time;
    case TERN_HTTP_WAIT_IDLE:
        return s->limits.idle_time;
    case TERN_HTTP_WAIT_SEND:
        return s->limits.rate_time;
    default:
        return s->limits.linger_time;
    }
}

/* The one that waits longest, and until when; NULL: nobody does. */
static struct tern_http_conn *oldest(const struct tern_http_server *s, int wait, tern_time *until)
{
    const struct tern_list *list = &s->waiting[wait];
    struct tern_http_conn *c;

    if (tern_list_is_empty(list))
        return NULL;
    c = TERN_CONTAINER(list->next, struct tern_http_conn, link);
    *until = c->since + patience(s, wait);
    return c;
}

/* Each that is idle and has yet to take its answer leaves the list, once for an answer; so this
 * costs no walk in the long run. */
static void make_place(struct tern_http_server *s)
{
    struct tern_http_conn *c;
    tern_time until;

    while ((c = oldest(s, TERN_HTTP_WAIT_IDLE, &until)) != NULL)
        if (tern_http_conn_give_way(c))
            return;
    c = oldest(s, TERN_HTTP_WAIT_HEAD, &until);
    if (c != NULL)
        (void)tern_http_conn_give_way(c);
}

struct tern_http_conn *tern_http_conn_open(struct tern_http_server *s, void *io,
                                           struct tern_addr peer)
{
    struct tern_http_conn *c;
    struct tern_list *link;

    if (s->served == s->limits.connections)
        make_place(s);
    link = tern_list_pop(&s->free);
    TERN_ASSERT(link != NULL);
    c = TERN_CONTAINER(link, struct tern_http_conn, link);
    TERN_ASSERT(c->wait == TERN_HTTP_WAIT_NONE);
    c->io = io;
    c->requests = 0;
    c->serial = ++s->serials;
    c->loans = 0;
    c->answering = c->lingering = false;
    tern_addr_text(peer, c->peer);
    tern_http_parser_init(&c->parser, s->limits.head_bytes);
    c->counted = s->served < s->limits.connections;
    s->served += c->counted;
    tern_http_conn_wait(c, TERN_HTTP_WAIT_HEAD);
    if (!c->counted)
        tern_http_conn_refuse(c);
    return c;
}

void tern_http_conn_wait(struct tern_http_conn *c, enum tern_http_wait wait)
{
    c->wait = wait;
    c->since = c->server->now;
    tern_list_remove(&c->link);
    tern_list_push(&c->server->waiting[wait], &c->link);
}

void tern_http_conn_free(struct tern_http_conn *c)
{
    struct tern_http_server *s = c->server;

    TERN_ASSERT(c->wait != TERN_HTTP_WAIT_NONE);
    tern_http_answer_free(&c->answer);
    s->served -= c->counted;
    c->answering = c->lingering = false;
    c->wait = TERN_HTTP_WAIT_NONE;
    c->io = NULL;
    tern_list_remove(&c->link);
    tern_list_push(&s->free, &c->link);
}

tern_time tern_http_server_deadline(const struct tern_http_server *s)
{
    tern_time first = TERN_TIME_NEVER, until;

    for (int i = TERN_HTTP_WAIT_HEAD; i < TERN_HTTP_WAIT_COUNT; i++)
        if (oldest(s, i, &until) != NULL && until < first)
            first = until;
    return first;
}

/* Each that expires is freed or waits anew from now on: at most one round. */
void tern_http_server_expire(struct tern_http_server *s)
{
    struct tern_http_conn *c;
    tern_time until;

    for (int i = TERN_HTTP_WAIT_HEAD; i < TERN_HTTP_WAIT_COUNT; i++)
        while ((c = oldest(s, i, &until)) != NULL && until <= s->now)
            tern_http_conn_expire(c);
}

void tern_http_server_end(struct tern_http_server *s)
{
    s->ending = true;
    for (uint32_t i = 0; i < s->conn_count; i++)
        if (s->conn[i].wait != TERN_HTTP_WAIT_NONE && !s->conn[i].answering)
            tern_http_conn_close(&s->conn[i]);
}

uint32_t tern_http_server_busy(const struct tern_http_server *s)
{
    uint32_t busy = 0;

    for (uint32_t i = 0; i < s->conn_count; i++)
        busy += s->conn[i].wait != TERN_HTTP_WAIT_NONE && s->conn[i].answering;
    return busy;
}
