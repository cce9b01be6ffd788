/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fixed scenarios in virtual time, for counting instructions (guard.py runs them under callgrind).
 *
 *   guard SCENARIO     one of them
 *   guard --list       their names
 *   guard --compiler   what made this program
 *
 * Each brings two stacks to where it gets interesting, begins to count there, and does a fixed
 * amount of work, whose result it checks: a scenario that does less would look fast.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pair.h"

#ifdef __clang__
#define COMPILER "clang-" __clang_version__
#else
#define COMPILER "gcc-" __VERSION__
#endif

#define PORT       80
#define PORTS      16 /* 100,000 connections need more ports of ours than one of theirs gives */
#define TURNS_MAX  10000000
#define BULK_BYTES (UINT64_C(8) << 20)
#define WRITE      65536
#define MESSAGE    100

enum { BUSY_MAX = 100 };

struct talk {
    struct tern_conn *conn;
    bool open, over;
    uint64_t written, read;
};

static struct {
    struct pair pair;
    struct tern_listener *listener[PORTS];
    struct talk near[BUSY_MAX], far[BUSY_MAX];
    uint32_t accepted, opened, closed, rounds;
    uint64_t limit; /* bytes that the writer writes */
    int writer;     /* the side that writes bulk; -1: messages go to and fro */
    uint32_t rounds_max;
    bool lends, borrows;
} g;

static const uint8_t text[WRITE];

/* ---- both applications ---- */

static ptrdiff_t write_or_lend(struct talk *t, size_t len)
{
    enum tern_err err;

    if (!g.lends)
        return tern_tcp_write(t->conn, text, len);
    err = tern_tcp_lend(t->conn, text, len, t);
    return err == TERN_ERR_OK ? (ptrdiff_t)len : (ptrdiff_t)err;
}

static void push(struct talk *t)
{
    while (t->written < g.limit) {
        uint64_t left = g.limit - t->written;
        ptrdiff_t n = write_or_lend(t, left < WRITE ? (size_t)left : WRITE);

        if (n == TERN_ERR_AGAIN)
            return;
        if (n < 0)
            pair_fail("a write failed");
        t->written += (uint64_t)n;
    }
}

/* All that is there; the bytes are looked at and let go. */
static uint64_t pull(struct talk *t)
{
    struct tern_slice slice;
    uint64_t before = t->read;
    ptrdiff_t n;

    while ((n = tern_tcp_peek(t->conn, &slice)) > 0) {
        tern_tcp_skip(t->conn, slice.bytes);
        t->read += slice.bytes;
    }
    if (n == 0)
        t->over = true;
    return t->read - before;
}

static void say(struct talk *t)
{
    if (tern_tcp_write(t->conn, text, MESSAGE) != MESSAGE)
        pair_fail("a message did not fit");
    t->written += MESSAGE;
}

static void on_text(struct talk *t, bool near)
{
    if (pull(t) == 0 || g.writer >= 0)
        return;
    if (near && ++g.rounds >= g.rounds_max)
        return;
    say(t);
}

static void accept_all(void)
{
    struct tern_conn *conn;

    for (int i = 0; i < PORTS; i++)
        while (g.listener[i] != NULL &&
               tern_tcp_accept(g.listener[i], NULL, &conn) == TERN_ERR_OK) {
            if (g.accepted < BUSY_MAX) {
                g.far[g.accepted].conn = conn;
                tern_tcp_set_user(conn, &g.far[g.accepted]);
            }
            g.accepted++;
        }
}

static void hear(struct pair_side *side, const struct tern_event *event)
{
    struct talk *t = event->user;
    bool near = side == &g.pair.side[PAIR_NEAR];

    if (event->kind == TERN_EVENT_LISTENER)
        accept_all();
    if (event->kind == TERN_EVENT_CONN && (event->bits & TERN_CONN_ESTABLISHED) != 0 && near)
        g.opened++;
    if (event->kind == TERN_EVENT_LOAN)
        push(t);
    if (event->kind != TERN_EVENT_CONN || t == NULL)
        return;
    if ((event->bits & (TERN_CONN_READABLE | TERN_CONN_PEER_FIN)) != 0)
        on_text(t, near);
    if ((event->bits & TERN_CONN_WRITABLE) != 0 && g.writer == (near ? PAIR_NEAR : PAIR_FAR))
        push(t);
}

/* ---- getting there ---- */

static void open_all(bool offloads, uint32_t connections_max)
{
    const struct pair_options options = {.offloads = offloads, .connections_max = connections_max};

    g.writer = -1;
    g.pair.side[0].hear = NULL;
    pair_open(&g.pair, &options);
    for (int i = 0; i < 2; i++)
        g.pair.side[i].hear = hear;
    for (int i = 0; i < PORTS; i++) {
        const struct tern_tcp_options listen = {.local = pair_far((uint16_t)(PORT + i))};

        if (tern_tcp_listen(g.pair.side[PAIR_FAR].stack, &listen, 1024, &g.listener[i]) !=
            TERN_ERR_OK)
            pair_fail("nobody can listen");
    }
}

static struct tern_conn *dial(uint32_t index)
{
    struct talk *t = index < BUSY_MAX ? &g.near[index] : NULL;
    const struct tern_tcp_options options = {
        .remote = pair_far((uint16_t)(PORT + index % PORTS)), .user = t, .nodelay = true};
    struct tern_conn *conn;

    if (tern_tcp_connect(g.pair.side[PAIR_NEAR].stack, &options, &conn) != TERN_ERR_OK)
        pair_fail("a connect failed");
    if (t != NULL)
        t->conn = conn;
    return conn;
}

/* Turns until the counter gets there. */
static void turn_until(const uint32_t *counter, uint32_t wanted)
{
    for (int turns = 0; *counter < wanted; turns++) {
        if (turns > TURNS_MAX)
            pair_fail("it does not come to an end");
        pair_turn(&g.pair);
    }
}

static void connect_all(uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        (void)dial(i);
        if (i % 256 == 255)
            turn_until(&g.accepted, i + 1);
    }
    turn_until(&g.accepted, count);
    turn_until(&g.opened, count);
}

/* ---- the scenarios ---- */

/* Bytes one way over one connection; the instructions of one side. */
static void bulk(bool offloads, int writer, int counted)
{
    struct talk *from, *to;

    open_all(offloads, 16);
    connect_all(1);
    from = writer == PAIR_NEAR ? &g.near[0] : &g.far[0];
    to = writer == PAIR_NEAR ? &g.far[0] : &g.near[0];
    g.writer = writer;
    g.pair.side[counted].counted = true;
    g.pair.side[counted].borrows = g.borrows;
    pair_count();
    g.limit = BULK_BYTES;
    pair_enter(&g.pair.side[writer]);
    push(from);
    pair_leave(&g.pair.side[writer]);
    for (int turns = 0; to->read < BULK_BYTES; turns++) {
        if (turns > TURNS_MAX)
            pair_fail("bulk does not come to an end");
        pair_turn(&g.pair);
    }
}

static void bulk_in(void)
{
    bulk(false, PAIR_FAR, PAIR_NEAR);
}

static void bulk_out(void)
{
    bulk(false, PAIR_NEAR, PAIR_NEAR);
}

static void bulk_in_super(void)
{
    bulk(true, PAIR_FAR, PAIR_NEAR);
}

static void bulk_out_super(void)
{
    bulk(true, PAIR_NEAR, PAIR_NEAR);
}

/* The same without copies: text read where it stands in the frames, and lent for sending. */
static void bulk_in_borrowed(void)
{
    g.borrows = true;
    bulk(true, PAIR_FAR, PAIR_NEAR);
}

static void bulk_out_lent(void)
{
    g.lends = true;
    bulk(true, PAIR_NEAR, PAIR_NEAR);
}

static void rounds(uint32_t talks, uint32_t count)
{
    g.rounds_max = count;
    for (uint32_t i = 0; i < talks; i++) {
        pair_enter(&g.pair.side[PAIR_NEAR]);
        say(&g.near[i]);
        pair_leave(&g.pair.side[PAIR_NEAR]);
    }
    turn_until(&g.rounds, count);
}

/* A message and its answer, again and again; both sides. */
static void round_trips(void)
{
    open_all(true, 16);
    connect_all(1);
    g.pair.side[0].counted = g.pair.side[1].counted = true;
    pair_count();
    rounds(1, 5000);
}

/* Connect, a message each way, close, TIME-WAIT; both sides. */
static void open_close(void)
{
    open_all(true, 64);
    g.pair.side[0].counted = g.pair.side[1].counted = true;
    pair_count();
    g.rounds_max = UINT32_MAX;
    for (uint32_t i = 0; i < 1500; i++) {
        struct talk *near = &g.near[0], *far = &g.far[0];

        memset(near, 0, sizeof *near);
        memset(far, 0, sizeof *far);
        g.accepted = g.opened = 0;
        g.rounds_max = 1;
        g.rounds = 0;
        pair_enter(&g.pair.side[PAIR_NEAR]);
        (void)dial(0);
        pair_leave(&g.pair.side[PAIR_NEAR]);
        turn_until(&g.opened, 1);
        rounds(1, 1);
        pair_enter(&g.pair.side[PAIR_NEAR]);
        tern_tcp_shutdown(near->conn);
        pair_leave(&g.pair.side[PAIR_NEAR]);
        for (int turns = 0; !far->over || !near->over; turns++) {
            if (turns > TURNS_MAX)
                pair_fail("no end of a connection");
            pair_turn(&g.pair);
            pair_enter(&g.pair.side[PAIR_FAR]);
            if (far->over && far->conn != NULL) {
                tern_tcp_close(far->conn);
                far->conn = NULL;
            }
            pair_leave(&g.pair.side[PAIR_FAR]);
        }
        pair_enter(&g.pair.side[PAIR_NEAR]);
        tern_tcp_close(near->conn);
        pair_leave(&g.pair.side[PAIR_NEAR]);
    }
}

/* A hundred that talk among 100,000 that are silent; the side that was called. */
static void idle(void)
{
    open_all(true, 100064);
    connect_all(100000);
    g.pair.side[PAIR_FAR].counted = true;
    pair_count();
    rounds(BUSY_MAX, 10000);
}

static const struct {
    const char *name;
    void (*run)(void);
} scenarios[] = {
    {"bulk-in", bulk_in},
    {"bulk-out", bulk_out},
    {"bulk-in-super", bulk_in_super},
    {"bulk-out-super", bulk_out_super},
    {"bulk-in-borrowed", bulk_in_borrowed},
    {"bulk-out-lent", bulk_out_lent},
    {"round-trips", round_trips},
    {"open-close", open_close},
    {"100000-idle", idle},
};

#define COUNT (sizeof scenarios / sizeof scenarios[0])

int main(int argc, char **argv)
{
    const char *word = argc == 2 ? argv[1] : "";

    if (strcmp(word, "--compiler") == 0) {
        (void)puts(COMPILER);
        return 0;
    }
    for (size_t i = 0; i < COUNT; i++) {
        if (strcmp(word, "--list") == 0)
            (void)puts(scenarios[i].name);
        if (strcmp(word, scenarios[i].name) == 0) {
            scenarios[i].run();
            pair_close(&g.pair);
            return 0;
        }
    }
    if (strcmp(word, "--list") == 0)
        return 0;
    (void)fprintf(stderr, "usage: guard SCENARIO | --list | --compiler\n");
    return 2;
}
