/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The stories of docs/learn-tcp.md: what either application does. act() is called whenever
 * something may have happened, and looks for itself; a step is taken once.
 */
#include <string.h>

#include "lesson.h"

#define SEGMENT    1448 /* bytes of a full one */
#define BURST      100
#define SLOW_UNTIL (2000 * TERN_MS)

static const uint8_t text[BURST * SEGMENT];

static bool is_open(const struct tern_conn *conn)
{
    return conn != NULL && tern_tcp_state(conn) == TERN_TCP_ESTABLISHED;
}

/* The client asks, once; the server answers with so many bytes, and has then said all. */
static void ask(struct lesson *l, const char *request)
{
    if (l->step > 0 || !is_open(l->client))
        return;
    if (tern_tcp_write(l->client, request, strlen(request)) != (ptrdiff_t)strlen(request))
        lesson_fail("the request does not fit");
    l->step = 1;
}

static bool was_asked(struct lesson *l)
{
    uint8_t line[64];

    return l->server != NULL && (l->written > 0 || tern_tcp_read(l->server, line, sizeof line) > 0);
}

/* True: all was written. */
static bool say(struct lesson *l, uint64_t bytes)
{
    if (!was_asked(l))
        return false;
    while (l->written < bytes) {
        uint64_t rest = bytes - l->written;
        ptrdiff_t n = tern_tcp_write(l->server, text, rest < sizeof text ? rest : sizeof text);

        if (n <= 0)
            return false;
        l->written += (uint64_t)n;
    }
    return true;
}

static void answer(struct lesson *l, uint64_t bytes)
{
    if (say(l, bytes))
        tern_tcp_shutdown(l->server);
}

/* True: all of it was read. */
static bool take(struct lesson *l, size_t at_most)
{
    struct tern_slice slice;
    ptrdiff_t n = 1;

    while (l->client != NULL && at_most > 0 && (n = tern_tcp_peek(l->client, &slice)) > 0) {
        size_t bytes = slice.bytes < at_most ? slice.bytes : at_most;

        tern_tcp_skip(l->client, bytes);
        l->read += bytes;
        at_most -= bytes;
    }
    return l->client == NULL || n == 0;
}

static void close_both(struct lesson *l)
{
    if (l->client != NULL)
        tern_tcp_close(l->client);
    l->client = NULL;
    if (l->server != NULL)
        tern_tcp_close(l->server);
    l->server = NULL;
}

/* ---- the stories ---- */

static void act_nothing(struct lesson *l)
{
    (void)l;
}

/* 100, 200 and 300 bytes, a while apart. */
static void act_numbers(struct lesson *l)
{
    uint8_t sink[1024];

    if (is_open(l->client) && l->step < 3) {
        if (lesson_time(l) >= (tern_time)(l->step + 1) * 40 * TERN_MS) {
            l->step++;
            if (tern_tcp_write(l->client, text, l->step * 100) != (ptrdiff_t)l->step * 100)
                lesson_fail("a write does not fit");
        }
        lesson_wake(l, (tern_time)(l->step + 1) * 40 * TERN_MS);
    }
    while (l->server != NULL && tern_tcp_read(l->server, sink, sizeof sink) > 0) {
    }
}

static void fetch(struct lesson *l, uint64_t bytes)
{
    ask(l, "GET / HTTP/1.1\r\n\r\n");
    answer(l, bytes);
    if (take(l, SIZE_MAX) && l->client != NULL)
        close_both(l);
}

static void act_loss(struct lesson *l)
{
    fetch(l, 10 * SEGMENT);
}

/* The client knows how much is to come, and is the first to close: the FIN is not in the way. */
static void act_tail(struct lesson *l)
{
    ask(l, "GET / HTTP/1.1\r\n\r\n");
    (void)say(l, 4 * SEGMENT);
    (void)take(l, SIZE_MAX);
    if (l->read == 4 * SEGMENT && l->client != NULL) {
        tern_tcp_close(l->client);
        l->client = NULL;
    }
    if (l->server != NULL && tern_tcp_peer_done(l->server)) {
        tern_tcp_close(l->server);
        l->server = NULL;
    }
}

static void act_burst(struct lesson *l)
{
    fetch(l, BURST * SEGMENT);
}

/* It reads nothing for a second, then all. */
static void act_slow_reader(struct lesson *l)
{
    ask(l, "GET / HTTP/1.1\r\n\r\n");
    answer(l, 24 * SEGMENT);
    if (lesson_time(l) < TERN_SECOND)
        lesson_wake(l, TERN_SECOND);
    else if (take(l, SIZE_MAX) && l->client != NULL)
        close_both(l);
}

/* It handles packets when it gets round to it, never gets through, and gives up. */
static void act_slow_acks(struct lesson *l)
{
    ask(l, "GET / HTTP/1.1\r\n\r\n");
    answer(l, BURST * SEGMENT);
    (void)take(l, SIZE_MAX);
    lesson_wake(l, SLOW_UNTIL);
    if (lesson_time(l) >= SLOW_UNTIL && l->client != NULL) {
        tern_tcp_abort(l->client);
        l->client = NULL;
    }
}

/* A word each way; then the client has said all, and the server a little later. */
static void act_closing(struct lesson *l)
{
    ask(l, "bye\n");
    if (l->step == 1 && lesson_time(l) >= 60 * TERN_MS) {
        tern_tcp_shutdown(l->client);
        l->step = 2;
    }
    if (l->written == 0 && was_asked(l))
        l->written = 1;
    if (l->written == 1 && l->server != NULL && tern_tcp_peer_done(l->server)) {
        if (tern_tcp_write(l->server, "one more thing\n", 15) != 15)
            lesson_fail("the last words do not fit");
        tern_tcp_close(l->server);
        l->server = NULL;
        l->written = 2;
    }
    if (l->step == 2 && take(l, SIZE_MAX) && l->client != NULL) {
        tern_tcp_close(l->client);
        l->client = NULL;
    }
    lesson_wake(l, 60 * TERN_MS);
}

const struct lesson_story lesson_stories[] = {
    {.name = "kernel", .kernel = true, .until = 100 * TERN_MS, .act = act_nothing},
    {.name = "handshake", .until = 100 * TERN_MS, .act = act_nothing},
    {.name = "numbers", .until = 300 * TERN_MS, .act = act_numbers},
    {.name = "loss", .drop = {4}, .until = TERN_SECOND, .act = act_loss},
    {.name = "loss-server",
     .watch = LESSON_SERVER,
     .drop = {4},
     .until = TERN_SECOND,
     .act = act_loss},
    {.name = "tail", .watch = LESSON_SERVER, .drop = {4}, .until = TERN_SECOND, .act = act_tail},
    {.name = "slow-reader",
     .watch = LESSON_SERVER,
     .window = 8 * SEGMENT,
     .until = 3 * TERN_SECOND,
     .act = act_slow_reader},
    {.name = "burst",
     .watch = LESSON_SERVER,
     .delay = 30 * TERN_MS,
     .unpaced = true,
     .until = TERN_SECOND,
     .act = act_burst},
    {.name = "slow-acks",
     .watch = LESSON_SERVER,
     .ack_every = 300 * TERN_MS,
     .until = 3 * TERN_SECOND,
     .act = act_slow_acks},
    {.name = "closing", .until = 300 * TERN_MS, .act = act_closing},
};

const size_t lesson_stories_count = sizeof lesson_stories / sizeof lesson_stories[0];
