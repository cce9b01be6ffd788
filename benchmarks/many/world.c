/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The two stacks: see world.h. Time moves by a microsecond each time that frames cross, and from
 * deadline to deadline where it is to pass.
 */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "resident.h"

#define BURST     TERN_BURST_MAX
#define BACKLOG   4096
#define HOLD      1024 /* frames on their way */
#define OPENED    64   /* connections, at once */
#define TURNS_MAX 100000

static void fail(const char *words)
{
    fprintf(stderr, "many: %s\n", words);
    exit(1);
}

static struct tern_endpoint end_of(uint8_t n, uint16_t port)
{
    return (struct tern_endpoint){tern_addr_v4(10, 0, 0, n), port};
}

static void configure(struct tern_config *c, const struct world_options *o, struct tern_link *link,
                      uint8_t n)
{
    tern_config_defaults(c);
    memset(c->seed, n, sizeof c->seed);
    c->link = link->info;
    c->connections_max = o->connections;
    c->awake_max = o->awake;
    c->time_waits_max = o->time_waits;
    c->listeners_max = WORLD_PORTS;
    c->chunk_bytes = 2048; /* each end with text under way holds one */
    c->chunks_max = 65536;
    c->send_buffer_bytes = c->receive_buffer_bytes = 256 << 10;
}

static void open_side(struct world *w, int i, const struct world_options *o)
{
    const struct tern_cidr own = {tern_addr_v4(10, 0, 0, (uint8_t)(1 + i)), 8};
    struct side *side = &w->side[i];
    struct tern_config config;

    configure(&config, o, side->link, (uint8_t)(1 + i));
    side->bytes = tern_stack_bytes(&config);
    side->memory = mmap(NULL, side->bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (side->bytes == 0 || side->memory == MAP_FAILED)
        fail("no memory for a stack");
    (void)madvise(side->memory, side->bytes, o->huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
    if (tern_stack_init(side->memory, side->bytes, &config, w->now, &side->stack) != TERN_ERR_OK ||
        tern_stack_address_add(side->stack, &own, TERN_CLAIM_NONE) != TERN_ERR_OK)
        fail("the stack refused its configuration");
}

void world_open(struct world *w, const struct world_options *o)
{
    const struct tern_link_mem_options cable = {
        .mtu_bytes = 1500,
        .offloads = TERN_OFFLOAD_CSUM_TX,
        .hold_frames = HOLD,
        .mac = {{{2, 0, 0, 0, 0, 1}}, {{2, 0, 0, 0, 0, 2}}}};
    struct tern_link *ends[2];

    memset(w, 0, sizeof *w);
    w->now = TERN_SECOND;
    if (tern_link_mem_open(&cable, ends) != TERN_ERR_OK)
        fail("no cable");
    for (int i = 0; i < 2; i++) {
        w->side[i].link = ends[i];
        open_side(w, i, o);
    }
    w->caller = calloc(o->connections, sizeof(w->caller[0]));
    w->answerer = calloc(o->connections, sizeof(w->answerer[0]));
    if (w->caller == NULL || w->answerer == NULL)
        fail("no memory for handles");
    w->connections = o->connections;
    tern_tcp_settings_defaults(&w->settings);
    w->settings.keepalive = o->keepalive;
    for (uint16_t i = 0; i < WORLD_PORTS; i++) {
        const struct tern_tcp_options at = {.local = {.port = (uint16_t)(1 + i)},
                                            .settings = &w->settings};

        if (tern_tcp_listen(w->side[1].stack, &at, BACKLOG, &w->listener[i]) != TERN_ERR_OK)
            fail("no listener");
    }
    world_run(w, 10 * TERN_SECOND); /* the announcements */
}

void world_close(struct world *w)
{
    for (int i = 0; i < 2; i++) {
        munmap(w->side[i].memory, w->side[i].bytes);
        w->side[i].link->ops->close(w->side[i].link);
    }
    free(w->caller);
    free(w->answerer);
}

static void accept_all(struct world *w, struct tern_listener *l)
{
    struct tern_conn *conn;

    while (tern_tcp_accept(l, NULL, &conn) == TERN_ERR_OK)
        if (!w->closing)
            w->answerer[w->accepted++] = conn;
        else
            tern_tcp_set_user(conn, w);
}

static void answer(struct world *w, struct tern_conn *conn)
{
    char text[4 * MESSAGE_BYTES];
    const ptrdiff_t n = tern_tcp_read(conn, text, sizeof text);

    if (n <= 0)
        return;
    if (tern_tcp_write(conn, text, (size_t)n) != n)
        fail("an answer found no room");
    w->messages += (uint64_t)n / MESSAGE_BYTES;
    if (w->closing)
        tern_tcp_close(conn);
}

static void ask(struct tern_conn *conn)
{
    static const char text[MESSAGE_BYTES] = "how do you do";

    if (tern_tcp_write(conn, text, sizeof text) != MESSAGE_BYTES)
        fail("a message found no room");
}

static void hear(struct world *w, struct tern_conn *conn, uint32_t bits)
{
    char text[4 * MESSAGE_BYTES];
    const ptrdiff_t n = tern_tcp_read(conn, text, sizeof text);

    if (n > 0)
        w->answers += (uint64_t)n / MESSAGE_BYTES;
    if (n > 0 && w->chat)
        ask(conn);
    if (w->closing && (bits & TERN_CONN_PEER_FIN) != 0) {
        tern_tcp_close(conn);
        w->ended++;
    }
}

static bool take_events(struct world *w, int i)
{
    struct tern_event e;
    bool any = false;

    while (tern_stack_event(w->side[i].stack, &e)) {
        any = true;
        if (e.kind == TERN_EVENT_LISTENER)
            accept_all(w, e.listener);
        else if (e.kind == TERN_EVENT_CONN && i == 1)
            answer(w, e.conn);
        else if (e.kind == TERN_EVENT_CONN)
            hear(w, e.conn, e.bits);
    }
    return any;
}

/* What one end has to say, to the other; false: nothing. */
static bool cross(struct world *w, int from)
{
    struct side *a = &w->side[from], *b = &w->side[1 - from];
    struct tern_frame frames[BURST];
    const int n = tern_stack_output(a->stack, frames, BURST, w->now);
    int m;

    if (n > 0 && a->link->ops->transmit(a->link, w->now, frames, n) != n)
        fail("the cable is full");
    m = b->link->ops->receive(b->link, w->now, frames, BURST);
    if (m > 0)
        tern_stack_input(b->stack, frames, m, w->now);
    b->link->ops->release(b->link);
    return take_events(w, 1 - from) || n > 0;
}

void world_settle(struct world *w)
{
    bool more = true;

    for (int turns = 0; more; turns++) {
        if (turns > TURNS_MAX)
            fail("no end of it");
        w->now += TERN_US;
        more = cross(w, 0);
        more = cross(w, 1) || more;
    }
}

static void expire(struct world *w)
{
    for (int i = 0; i < 2; i++) {
        tern_stack_expire(w->side[i].stack, w->now);
        (void)take_events(w, i);
    }
}

/* A burst each way, and what is due. */
static void turn(struct world *w)
{
    w->now += TERN_US;
    (void)cross(w, 0);
    (void)cross(w, 1);
    expire(w);
}

void world_run(struct world *w, tern_time span)
{
    const tern_time end = w->now + span;

    for (;;) {
        tern_time at = end;

        world_settle(w);
        for (int i = 0; i < 2; i++)
            if (tern_stack_deadline(w->side[i].stack) < at)
                at = tern_stack_deadline(w->side[i].stack);
        w->now = at > w->now ? at : w->now;
        expire(w);
        if (w->now >= end)
            return;
    }
}

static struct tern_conn *call(struct world *w)
{
    const uint32_t pair = w->next_pair++;
    const uint16_t port = (uint16_t)(1 + pair / WORLD_LOCAL % WORLD_PORTS);
    const struct tern_tcp_options o = {
        .local = end_of(1, (uint16_t)(WORLD_LOCAL_MIN + pair % WORLD_LOCAL)),
        .remote = end_of(2, port),
        .settings = &w->settings,
    };
    struct tern_conn *conn;

    if (tern_tcp_connect(w->side[0].stack, &o, &conn) != TERN_ERR_OK)
        fail("a connection cannot be opened");
    return conn;
}

void world_connect(struct world *w, uint32_t count)
{
    const uint32_t end = w->count + count;

    while (w->count < end) {
        for (int i = 0; i < OPENED && w->count < end; i++)
            w->caller[w->count++] = call(w);
        world_run(w, 2 * TERN_MS);
        if (w->accepted != w->count)
            fail("a connection was not accepted");
    }
    world_run(w, 2 * TERN_SECOND);
}

void world_chat_begin(struct world *w, uint32_t active)
{
    w->chat = true;
    for (uint32_t i = 0; i < active; i++) {
        ask(w->caller[i]);
        if (i % OPENED == 0)
            turn(w);
    }
}

void world_chat(struct world *w, uint64_t messages)
{
    const uint64_t end = w->answers + messages;

    for (int still = 0; w->answers < end; still++) {
        const uint64_t before = w->answers;

        turn(w);
        still = w->answers > before ? 0 : still;
        if (still > TURNS_MAX)
            fail("nobody answers");
    }
}

void world_chat_end(struct world *w)
{
    w->chat = false;
    world_run(w, TERN_SECOND);
}

void world_round(struct world *w, const struct round_robin *r, uint64_t messages, uint32_t *at)
{
    const uint64_t end = w->answers + messages;

    while (w->answers < end) {
        const uint64_t before = w->answers;
        const tern_time next = w->now + r->pace;

        for (uint32_t i = 0; i < r->burst; i++) {
            *at = *at < r->from || *at == w->count ? r->from : *at;
            ask(w->caller[(*at)++]);
        }
        world_settle(w);
        w->now = next > w->now ? next : w->now;
        expire(w);
        if (w->answers != before + r->burst)
            fail("a message was not answered");
    }
}

void world_turnover(struct world *w, uint64_t count, uint32_t burst, uint32_t a_second)
{
    const uint64_t end = w->ended + count;

    w->closing = true;
    while (w->ended < end) {
        const tern_time next = w->now + burst * (TERN_SECOND / a_second);

        for (uint32_t i = 0; i < burst; i++)
            ask(call(w));
        world_settle(w);
        w->now = next > w->now ? next : w->now;
        expire(w);
    }
    w->closing = false;
}

struct tern_stack_counters world_counters(const struct world *w, int side)
{
    struct tern_stack_counters c;

    tern_stack_counters(w->side[side].stack, &c);
    return c;
}

uint64_t world_segments(const struct world *w)
{
    return world_counters(w, 0).tcp_segments_in + world_counters(w, 1).tcp_segments_in;
}

size_t world_resident(const struct world *w, int side)
{
    const struct side *s = &w->side[side];
    size_t resident;

    if (!resident_bytes(s->memory, s->bytes, &resident))
        fail("mincore");
    return resident;
}
