/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two stacks of tern's. What one puts out in a burst of at most 64 frames is gathered, each frame
 * into a buffer of its own, and handed to the other: the one copy of the link, which stands for the
 * wire. A turn is that both ways, with all that a program's loop does beside: the application
 * writes and reads, takes its events, asks for deadlines and lets timers expire.
 *
 * The receiver looks at what came without copying it. Time is a count that each turn moves on.
 */
#include "engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <tern/tern.h>

#define TURN        (10 * TERN_US)
#define BUFFER_MTU  2048
#define BUFFER_LONG 65600
#define PORT        80

struct side {
    struct tern_stack *stack;
    void *memory;
    size_t memory_bytes;
    struct tern_conn *conn;
    struct tern_listener *listener;
    tern_time deadline;
    uint64_t heard; /* bytes */
    bool established, readable, writable, ended;
};

struct engine_pair {
    enum engine_work work;
    struct engine_setup setup;
    struct side side[2]; /* who connects and sends; who listens */
    tern_time now;
    uint8_t *text; /* ENGINE_WRITE_BYTES */
    uint8_t *wire; /* TERN_BURST_MAX buffers */
    size_t buffer_bytes;
};

static void fail(const char *why)
{
    fprintf(stderr, "engine: tern: %s\n", why);
    exit(1);
}

static void open_side(struct engine_pair *p, int i)
{
    const struct tern_cidr own = {tern_addr_v4(10, 0, 0, (uint8_t)(1 + i)), 24};
    struct side *s = &p->side[i];
    struct tern_config c;

    tern_config_defaults(&c);
    memset(c.seed, 1 + i, sizeof(c.seed));
    c.link.mac = (struct tern_mac){{2, 0, 0, 0, 0, (uint8_t)(1 + i)}};
    c.link.mtu_bytes = 1500;
    if (!p->setup.sums)
        c.link.offloads |= TERN_OFFLOAD_CSUM_TX;
    if (p->setup.super)
        c.link.offloads |= TERN_OFFLOAD_CSUM_TX | TERN_OFFLOAD_TSO4;
    s->memory_bytes = tern_stack_bytes(&c);
    s->memory = mmap(NULL, s->memory_bytes, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (s->memory == MAP_FAILED ||
        tern_stack_init(s->memory, s->memory_bytes, &c, p->now, &s->stack) != TERN_ERR_OK ||
        tern_stack_address_add(s->stack, &own, TERN_CLAIM_NONE) != TERN_ERR_OK)
        fail("no stack");
}

/* What one side has to say, to the other's ear. Was there anything? */
static bool carry(struct engine_pair *p, int from)
{
    struct tern_frame out[TERN_BURST_MAX], in[TERN_BURST_MAX];
    const int n = tern_stack_output(p->side[from].stack, out, TERN_BURST_MAX, p->now);

    for (int i = 0; i < n; i++) {
        uint8_t *at = p->wire + (size_t)i * p->buffer_bytes;
        uint32_t bytes = 0;

        for (uint32_t k = 0; k < out[i].piece_count; k++) {
            memcpy(at + bytes, out[i].piece[k].data, out[i].piece[k].bytes);
            bytes += (uint32_t)out[i].piece[k].bytes;
        }
        in[i].piece[0] = (struct tern_slice){at, bytes};
        in[i].piece_count = 1;
        in[i].bytes = bytes;
        in[i].csum = out[i].csum;
        in[i].csum_start = out[i].csum_start;
        in[i].csum_offset = out[i].csum_offset;
        in[i].gso = out[i].gso;
        in[i].gso_bytes = out[i].gso_bytes;
        in[i].header_bytes = out[i].header_bytes;
        in[i].cause = TERN_CAUSE_NONE;
        in[i].mark = 0;
    }
    if (n > 0)
        tern_stack_input(p->side[1 - from].stack, in, n, p->now);
    return n > 0;
}

static void accept_one(struct side *s)
{
    if (s->conn == NULL && tern_tcp_accept(s->listener, s, &s->conn) == TERN_ERR_OK)
        s->established = s->readable = true;
}

static void hear(struct side *s)
{
    struct tern_event e;

    while (tern_stack_event(s->stack, &e)) {
        if (e.kind == TERN_EVENT_LISTENER)
            accept_one(s);
        if (e.kind != TERN_EVENT_CONN || e.user != s)
            continue;
        if ((e.bits & TERN_CONN_ESTABLISHED) != 0)
            s->established = true;
        if ((e.bits & TERN_CONN_READABLE) != 0)
            s->readable = true;
        if ((e.bits & TERN_CONN_WRITABLE) != 0)
            s->writable = true;
    }
}

static void read_all(struct side *s)
{
    struct tern_slice slice;
    ptrdiff_t n;

    if (!s->readable || s->conn == NULL)
        return;
    while ((n = tern_tcp_peek(s->conn, &slice)) > 0) {
        s->heard += slice.bytes;
        tern_tcp_skip(s->conn, slice.bytes);
    }
    s->readable = false;
    s->ended = s->ended || n == 0;
    if (n < 0 && n != TERN_ERR_AGAIN)
        fail(tern_err_text((enum tern_err)n));
}

/* The timers, as a loop sees to them. */
static void let_expire(struct engine_pair *p)
{
    p->now += TURN;
    for (int i = 0; i < 2; i++)
        if (tern_stack_deadline(p->side[i].stack) <= p->now)
            tern_stack_expire(p->side[i].stack, p->now);
}

/* One burst each way. */
static void turn(struct engine_pair *p)
{
    (void)carry(p, 0);
    hear(&p->side[1]);
    read_all(&p->side[1]);
    (void)carry(p, 1);
    hear(&p->side[0]);
    read_all(&p->side[0]);
    let_expire(p);
}

static void dial(struct engine_pair *p)
{
    struct side *s = &p->side[0];
    const struct tern_tcp_options o = {.remote = {tern_addr_v4(10, 0, 0, 2), PORT}, .user = s};

    s->established = s->readable = s->writable = s->ended = false;
    p->side[1].ended = false;
    if (tern_tcp_connect(s->stack, &o, &s->conn) != TERN_ERR_OK)
        fail("cannot connect");
    for (int i = 0; i < 100 && p->side[1].conn == NULL; i++)
        turn(p);
    if (!s->established || p->side[1].conn == NULL)
        fail("not connected");
}

struct engine_pair *engine_tern_open(enum engine_work work, const struct engine_setup *setup)
{
    const struct tern_tcp_options o = {.local = {.port = PORT}, .user = NULL};
    struct engine_pair *p = calloc(1, sizeof(*p));

    if (p == NULL)
        return NULL;
    p->work = work;
    p->setup = *setup;
    p->now = TERN_SECOND;
    p->buffer_bytes = setup->super ? BUFFER_LONG : BUFFER_MTU;
    p->text = calloc(1, ENGINE_WRITE_BYTES);
    p->wire = calloc(TERN_BURST_MAX, p->buffer_bytes);
    if (p->text == NULL || p->wire == NULL)
        fail("no memory");
    memset(p->text, 'x', ENGINE_WRITE_BYTES);
    open_side(p, 0);
    open_side(p, 1);
    if (tern_tcp_listen(p->side[1].stack, &o, 64, &p->side[1].listener) != TERN_ERR_OK)
        fail("cannot listen");
    if (work != ENGINE_CONN)
        dial(p);
    return p;
}

void engine_tern_close(struct engine_pair *p)
{
    for (int i = 0; i < 2; i++)
        munmap(p->side[i].memory, p->side[i].memory_bytes);
    free(p->text);
    free(p->wire);
    free(p);
}

/* As much as there is room for; at most one buffer a turn, so that it stays within the caches. */
static void write_some(struct engine_pair *p)
{
    if (p->setup.lend)
        (void)!tern_tcp_lend(p->side[0].conn, p->text, ENGINE_WRITE_BYTES, NULL);
    else
        (void)!tern_tcp_write(p->side[0].conn, p->text, ENGINE_WRITE_BYTES);
}

static uint64_t do_bulk(struct engine_pair *p, uint64_t units)
{
    struct tern_tcp_info before, after;

    tern_tcp_info(p->side[0].conn, &before);
    do {
        for (int i = 0; i < 16; i++) {
            write_some(p);
            turn(p);
        }
        tern_tcp_info(p->side[0].conn, &after);
    } while (after.data_segs_out - before.data_segs_out < units);
    if (after.retrans > 0)
        fail("something was sent twice");
    return after.data_segs_out - before.data_segs_out;
}

static void say_byte(struct side *s)
{
    if (tern_tcp_write(s->conn, "x", 1) != 1)
        fail("cannot write a byte");
}

static uint64_t do_rr(struct engine_pair *p, uint64_t units)
{
    struct side *a = &p->side[0], *b = &p->side[1];

    for (uint64_t i = 0; i < units; i++) {
        const uint64_t asked = a->heard, answered = b->heard;

        say_byte(a);
        (void)carry(p, 0);
        hear(b);
        read_all(b);
        if (b->heard == answered)
            fail("the question did not come");
        say_byte(b);
        (void)carry(p, 1);
        hear(a);
        read_all(a);
        if (a->heard == asked)
            fail("the answer did not come");
        let_expire(p);
    }
    return units;
}

static uint64_t do_conn(struct engine_pair *p, uint64_t units)
{
    struct side *a = &p->side[0], *b = &p->side[1];

    for (uint64_t i = 0; i < units; i++) {
        dial(p);
        say_byte(a);
        tern_tcp_shutdown(a->conn);
        for (int k = 0; k < 100 && !b->ended; k++)
            turn(p);
        tern_tcp_close(b->conn);
        b->conn = NULL;
        for (int k = 0; k < 100 && !a->ended; k++)
            turn(p);
        if (!a->ended)
            fail("the connection does not end");
        tern_tcp_close(a->conn);
        a->conn = NULL;
        turn(p);
    }
    return units;
}

uint64_t engine_tern_do(struct engine_pair *p, uint64_t units)
{
    switch (p->work) {
    case ENGINE_BULK:
        return do_bulk(p, units);
    case ENGINE_RR:
        return do_rr(p, units);
    case ENGINE_CONN:
        return do_conn(p, units);
    }
    return 0;
}
