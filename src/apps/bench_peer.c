/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The other end of the workloads. A caller says in its first bytes what it wants (bench_parts.h),
 * and gets it until it closes: bytes as fast as they go, a count of those that it sent, answers of
 * the same length, or a byte and a FIN. One state a caller, no memory of those that have gone.
 */
#include <stdlib.h>
#include <string.h>

#include "apps/bench_parts.h"
#include "base/list.h"

struct guest {
    struct tern_list link;
    struct tern_bench_line *line;
    uint8_t head[TERN_BENCH_HEAD_BYTES];
    uint32_t head_bytes;
    uint8_t kind; /* 0: not known yet */
    uint32_t message_bytes;
    uint64_t left;     /* to send; UINT64_MAX: without end */
    uint64_t received; /* of a sink all, of an echo those of the message under way */
    bool says_end;     /* close when all is sent */
};

struct tern_bench_peer {
    struct tern_bench_wire *wire;
    const uint8_t *message;
    struct tern_list guests;
    bool had_guests;
};

/* Nothing more to say, or nobody to hear it. */
static void leave(struct tern_bench_peer *p, struct guest *g, bool abort)
{
    p->wire->ops->close(g->line, abort);
    tern_list_remove(&g->link);
    free(g);
}

/* Send what is owed as far as there is room. False: the guest is gone. */
static bool push(struct tern_bench_peer *p, struct guest *g)
{
    while (g->left > 0) {
        size_t len = g->left < g->message_bytes ? (size_t)g->left : g->message_bytes;
        ptrdiff_t sent = p->wire->ops->write(g->line, p->message, len);

        if (sent == TERN_ERR_AGAIN)
            return true;
        if (sent < 0) {
            leave(p, g, true);
            return false;
        }
        if (g->left != UINT64_MAX)
            g->left -= (uint64_t)sent;
    }
    if (!g->says_end)
        return true;
    leave(p, g, false);
    return false;
}

/* The head is whole: what is wanted? False: nothing that we have. */
static bool understand(struct tern_bench_peer *p, struct guest *g)
{
    uint64_t limit = tern_bench_get64(g->head + TERN_BENCH_HEAD_LIMIT);

    g->message_bytes = tern_get_be32(g->head + TERN_BENCH_HEAD_SIZE);
    g->kind = g->head[0];
    if (g->message_bytes == 0 || g->message_bytes > TERN_BENCH_MESSAGE_MAX)
        return false;
    if (g->kind == TERN_BENCH_KIND_SOURCE) {
        g->left = limit == 0 ? UINT64_MAX : limit;
        g->says_end = limit != 0;
    }
    if (g->kind == TERN_BENCH_KIND_ECHO)
        p->wire->ops->nodelay(g->line);
    return g->kind == TERN_BENCH_KIND_SOURCE || g->kind == TERN_BENCH_KIND_SINK ||
           g->kind == TERN_BENCH_KIND_ECHO;
}

/* Bytes of the head, of which *data may hold more. False: a guest that we do not understand. */
static bool take_head(struct tern_bench_peer *p, struct guest *g, struct tern_slice *data)
{
    if (g->head_bytes == 0 && data->data[0] == TERN_BENCH_KIND_CONN) {
        g->kind = TERN_BENCH_KIND_CONN;
        g->message_bytes = 1;
        g->left = 1;
        g->says_end = true;
        return data->bytes == 1;
    }
    while (data->bytes > 0 && g->head_bytes < TERN_BENCH_HEAD_BYTES) {
        g->head[g->head_bytes++] = *data->data++;
        data->bytes--;
    }
    return g->head_bytes < TERN_BENCH_HEAD_BYTES || understand(p, g);
}

static bool take(struct tern_bench_peer *p, struct guest *g, struct tern_slice data)
{
    if (g->kind == 0 && !take_head(p, g, &data))
        return false;
    if (g->kind == TERN_BENCH_KIND_SINK || g->kind == TERN_BENCH_KIND_ECHO)
        g->received += data.bytes;
    if (g->kind == TERN_BENCH_KIND_ECHO) {
        g->left += g->received / g->message_bytes * g->message_bytes;
        g->received %= g->message_bytes;
    }
    return true;
}

/* The guest has said all. */
static void on_end(struct tern_bench_peer *p, struct guest *g)
{
    uint8_t reply[TERN_BENCH_REPLY_BYTES];
    bool told = true;

    if (g->kind == TERN_BENCH_KIND_SINK) {
        tern_bench_put64(reply, g->received);
        told = tern_bench_say(p->wire, g->line, reply, sizeof reply) == TERN_ERR_OK;
    }
    leave(p, g, !told);
}

static void on_readable(struct tern_bench_peer *p, struct guest *g)
{
    struct tern_slice slice;
    ptrdiff_t got;

    while ((got = p->wire->ops->peek(g->line, &slice)) > 0) {
        bool understood = take(p, g, slice);

        p->wire->ops->skip(g->line, slice.bytes);
        if (!understood) {
            leave(p, g, true);
            return;
        }
    }
    if (got == 0)
        on_end(p, g);
    else if (got == TERN_ERR_AGAIN)
        (void)push(p, g);
    else
        leave(p, g, true);
}

static struct guest *welcome(struct tern_bench_peer *p, struct tern_bench_line *line)
{
    struct guest *g = calloc(1, sizeof *g);

    if (g == NULL) {
        p->wire->ops->close(line, true);
        return NULL;
    }
    g->line = line;
    line->user = g;
    tern_list_push(&p->guests, &g->link);
    p->had_guests = true;
    return g;
}

static void hear(struct tern_bench_peer *p, const struct tern_bench_event *event)
{
    struct guest *g = event->line->user;

    if ((event->bits & TERN_BENCH_CALLER) != 0)
        g = welcome(p, event->line);
    if (g == NULL)
        return;
    if ((event->bits & TERN_BENCH_OVER) != 0)
        leave(p, g, true);
    else if ((event->bits & (TERN_BENCH_CALLER | TERN_BENCH_READABLE)) != 0)
        on_readable(p, g);
    else
        (void)push(p, g);
}

enum tern_err tern_bench_peer_turn(struct tern_bench_peer *p, tern_time until)
{
    struct tern_bench_event events[TERN_BENCH_EVENTS_MAX];
    int count = p->wire->ops->wait(p->wire, events, until);

    for (int i = 0; i < count; i++)
        hear(p, &events[i]);
    return count < 0 ? (enum tern_err)count : TERN_ERR_OK;
}

bool tern_bench_peer_is_done(const struct tern_bench_peer *p)
{
    return p->had_guests && tern_list_is_empty(&p->guests);
}

void tern_bench_peer_close(struct tern_bench_peer *p)
{
    if (p == NULL)
        return;
    while (!tern_list_is_empty(&p->guests))
        leave(p, TERN_CONTAINER(p->guests.next, struct guest, link), true);
    free(p);
}

enum tern_err tern_bench_peer_open(struct tern_bench_wire *wire, uint16_t *port,
                                   struct tern_bench_peer **out)
{
    struct tern_bench_peer *p = calloc(1, sizeof *p);
    enum tern_err err;

    if (p == NULL)
        return TERN_ERR_MEMORY;
    p->wire = wire;
    tern_list_init(&p->guests);
    p->message = tern_bench_message();
    err = wire->ops->listen(wire, port);
    if (err == TERN_ERR_OK)
        *out = p;
    else
        tern_bench_peer_close(p);
    return err;
}
