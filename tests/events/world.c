/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A run to be observed, in virtual time and from a seed: two stacks on a cable in memory, the first
 * behind impair and capture, and with the event log as its observer. It claims an address that
 * somebody contests, asks for a neighbour that is not there, sends and receives text over a bad
 * path to and from a slow reader, and makes the usual mistakes: a closed port, a stray segment, a
 * frame for somebody else. What comes of it is judged by run.py, from the log and the capture
 * alone.
 *
 *   world LOG CAPTURE SEED IMPAIR CONTROLLER [no-sack] [no-timestamps] [keep-alive]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/sqlog.h"
#include <tern/tern.h>

#define WALL_NS    (INT64_C(1700000000) * TERN_SECOND)
#define UP_BYTES   600000u
#define DOWN_BYTES 200000u
#define END        (600 * TERN_SECOND)
#define STEPS_MAX  3000000
#define STALL_FROM 100000u /* the far reader stops there for a while */
#define STALL      (3 * TERN_SECOND)

struct side {
    struct tern_stack *stack;
    struct tern_link *link;
    void *memory;
    struct tern_conn *conn;
    uint64_t written, to_write, read;
    bool shut, over;
};

static struct {
    struct side near, far;
    struct tern_listener *listener;
    struct tern_sqlog *log;
    struct tern_udp_socket *udp;
    struct tern_ping_socket *ping;
    struct tern_conn *refused;
    tern_time now, stalled_until;
    struct tern_tcp_settings settings;
} g;

static void fail(const char *why)
{
    (void)fprintf(stderr, "world: %s, at %.6f s\n", why, (double)g.now / 1e9);
    exit(1);
}

static void need(enum tern_err err, const char *what)
{
    if (err != TERN_ERR_OK)
        fail(what);
}

static void observe(void *user, const struct tern_note *note)
{
    struct side *near = user;

    tern_sqlog_note(g.log, note);
    tern_link_capture_note(near->link, note);
}

static void stack_on(struct side *s, const char *address, const char *controller, uint64_t seed,
                     enum tern_claim claim)
{
    struct tern_config config;
    struct tern_cidr cidr;

    tern_config_defaults(&config);
    memcpy(config.seed, &seed, sizeof seed);
    config.seed[TERN_SEED_BYTES - 1] = (uint8_t)(s == &g.near ? 1 : 2);
    config.link = s->link->info;
    config.congestion = controller;
    if (s == &g.near) {
        config.observer = observe;
        config.observer_user = s;
    }
    s->memory = aligned_alloc(64, (tern_stack_bytes(&config) + 63) / 64 * 64);
    if (s->memory == NULL)
        fail("no memory");
    memset(s->memory, 0, tern_stack_bytes(&config));
    need(tern_stack_init(s->memory, tern_stack_bytes(&config), &config, g.now, &s->stack),
         "a stack");
    need(tern_cidr_parse(address, &cidr), "an address");
    need(tern_stack_address_add(s->stack, &cidr, claim), "a claim");
}

static void open_world(char **argv)
{
    const struct tern_link_mem_options mem = {.mtu_bytes = 1500,
                                              .hold_frames = 4096,
                                              .mac = {{{2, 0, 0, 0, 0, 1}}, {{2, 0, 0, 0, 0, 2}}}};
    const struct tern_sqlog_options log = {
        .path = argv[1], .title = "a run in virtual time", .wall_offset_ns = WALL_NS};
    const uint64_t seed = strtoull(argv[3], NULL, 10);
    struct tern_link *ends[2];

    need(tern_link_mem_open(&mem, ends), "a link");
    need(tern_link_impair_open(ends[0], argv[4], seed, &ends[0], NULL), "the impairment");
    need(tern_link_capture_open(ends[0], argv[2], WALL_NS, &ends[0], NULL), "the capture");
    need(tern_sqlog_open(&log, &g.log), "the log");
    g.near.link = ends[0];
    g.far.link = ends[1];
    stack_on(&g.near, "10.0.0.1/24", argv[5], seed, TERN_CLAIM_FAST);
    stack_on(&g.far, "10.0.0.2/24", argv[5], seed, TERN_CLAIM_NONE);
}

/* ---- the applications ---- */

static void write_more(struct side *s)
{
    static const uint8_t text[16384];

    while (s->conn != NULL && s->written < s->to_write) {
        const uint64_t left = s->to_write - s->written;
        const ptrdiff_t n =
            tern_tcp_write(s->conn, text, left < sizeof text ? (size_t)left : sizeof text);

        if (n <= 0)
            return;
        s->written += (uint64_t)n;
    }
    if (s->conn != NULL && !s->shut && !s->over)
        tern_tcp_shutdown(s->conn);
    s->shut = s->conn != NULL;
}

static bool may_read(const struct side *s)
{
    if (s == &g.far && g.stalled_until == 0 && s->read >= STALL_FROM)
        g.stalled_until = g.now + STALL;
    return s != &g.far || g.now >= g.stalled_until;
}

static void read_all(struct side *s)
{
    uint8_t text[16384];
    ptrdiff_t n = 1;

    while (s->conn != NULL && n > 0 && may_read(s)) {
        n = tern_tcp_read(s->conn, text, sizeof text);
        s->read += n > 0 ? (uint64_t)n : 0;
    }
}

static void hear(struct side *s)
{
    struct tern_event event;

    while (tern_stack_event(s->stack, &event)) {
        if (event.kind == TERN_EVENT_LISTENER && event.listener == g.listener)
            need(tern_tcp_accept(g.listener, NULL, &g.far.conn), "who was announced");
        if (event.kind == TERN_EVENT_CONN && (event.bits & TERN_CONN_CLOSED) != 0 &&
            event.conn == s->conn)
            s->over = true;
    }
    read_all(s);
    write_more(s);
}

/* ---- time ---- */

static bool carry(struct side *s)
{
    struct tern_frame frames[TERN_BURST_MAX];
    int n = s->link->ops->receive(s->link, g.now, frames, TERN_BURST_MAX);
    bool moved = n > 0;

    if (n > 0)
        tern_stack_input(s->stack, frames, n, g.now);
    if (n > 0)
        s->link->ops->release(s->link);
    if (tern_stack_deadline(s->stack) <= g.now)
        tern_stack_expire(s->stack, g.now);
    hear(s);
    while ((n = tern_stack_output(s->stack, frames, TERN_BURST_MAX, g.now)) > 0) {
        if (s->link->ops->transmit(s->link, g.now, frames, n) != n)
            fail("the link is full");
        moved = true;
    }
    return moved;
}

static tern_time sooner(tern_time a, tern_time b)
{
    return a < b ? a : b;
}

static tern_time side_next(const struct side *s)
{
    return sooner(tern_stack_deadline(s->stack), s->link->ops->deadline(s->link));
}

static void turn(void)
{
    static int steps;
    tern_time next;

    if (++steps > STEPS_MAX)
        fail("it does not come to an end");
    for (int i = 0; i < 64 && (int)carry(&g.near) + (int)carry(&g.far) > 0; i++)
        continue;
    next = sooner(side_next(&g.near), side_next(&g.far));
    if (g.stalled_until > g.now)
        next = sooner(next, g.stalled_until);
    g.now = next > g.now ? sooner(next, g.now + TERN_SECOND) : g.now + TERN_US;
    tern_sqlog_turn(g.log, g.now);
}

static void turns_until(tern_time until)
{
    while (g.now < until)
        turn();
}

/* ---- the story ---- */

/* A frame of nobody's stack, from the far end of the cable. */
static void forge(const uint8_t *bytes, uint32_t count)
{
    struct tern_frame f = {.piece = {{bytes, count}}, .piece_count = 1, .bytes = count};

    if (g.far.link->ops->transmit(g.far.link, g.now, &f, 1) != 1)
        fail("the link is full");
    turn();
}

/* Somebody uses 10.0.0.1 as well; twice within ten seconds, and it would be given up. */
static void contest(void)
{
    static const uint8_t claim[60] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0,  9, 8, 6,
                                      0,    1,    8,    0,    6,    4,    0, 1, 2, 0, 0,  0, 0, 9,
                                      10,   0,    0,    1,    0,    0,    0, 0, 0, 0, 10, 0, 0, 1};

    forge(claim, sizeof claim);
}

static void mistakes(void)
{
    static const uint8_t stranger[60] = {2, 0, 0, 0, 0, 77, 2, 0, 0, 0, 0, 2, 8, 0};
    static const uint8_t short_arp[20] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 6, 0, 1};
    static const uint8_t unknown[60] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x99, 0x99};

    forge(stranger, sizeof stranger);
    forge(short_arp, sizeof short_arp);
    forge(unknown, sizeof unknown);
}

static void small_talk(void)
{
    const struct tern_endpoint any = {.port = 5000}, far = {tern_addr_v4(10, 0, 0, 2), 5001};
    const struct tern_endpoint nobody = {tern_addr_v4(10, 0, 0, 99), 7};

    need(tern_udp_open(g.near.stack, &any, NULL, &g.udp), "a socket");
    need(tern_udp_send(g.udp, &far, "hello", 5), "a datagram");
    need(tern_udp_send(g.udp, &nobody, "hello", 5), "a datagram to nobody");
    need(tern_ping_open(g.near.stack, NULL, &g.ping), "a ping");
    need(tern_ping_send(g.ping, far.addr, 1, 0, 3000), "an echo request");
    turns_until(g.now + 30 * TERN_SECOND);
}

static bool is_all_said(void)
{
    return g.near.over && g.far.over && g.far.read == UP_BYTES && g.near.read == DOWN_BYTES;
}

static void conversation(void)
{
    const struct tern_tcp_options listen = {.local = {.port = 80}, .settings = &g.settings};
    const struct tern_tcp_options dial = {.remote = {tern_addr_v4(10, 0, 0, 2), 80},
                                          .settings = &g.settings};
    const struct tern_tcp_options closed = {.remote = {tern_addr_v4(10, 0, 0, 2), 81},
                                            .settings = &g.settings};

    need(tern_tcp_listen(g.far.stack, &listen, 4, &g.listener), "a listener");
    g.near.to_write = UP_BYTES;
    g.far.to_write = DOWN_BYTES;
    need(tern_tcp_connect(g.near.stack, &dial, &g.near.conn), "a connection");
    while (!is_all_said() && g.now < END)
        turn();
    if (g.far.read != UP_BYTES || g.near.read != DOWN_BYTES)
        fail("bytes are missing");
    tern_tcp_close(g.near.conn);
    tern_tcp_close(g.far.conn);
    g.near.conn = g.far.conn = NULL;
    need(tern_tcp_connect(g.near.stack, &closed, &g.refused), "a connection to nobody");
    turns_until(g.now + 30 * TERN_SECOND);
    tern_tcp_abort(g.refused);
}

/* A listener of ours, and a call to it that is given up. */
static void called(void)
{
    const struct tern_tcp_options listen = {.local = {.port = 90}, .settings = &g.settings};
    const struct tern_tcp_options dial = {.remote = {tern_addr_v4(10, 0, 0, 1), 90},
                                          .settings = &g.settings};
    struct tern_listener *listener;
    struct tern_conn *conn;

    need(tern_tcp_listen(g.near.stack, &listen, 4, &listener), "a listener of ours");
    need(tern_tcp_connect(g.far.stack, &dial, &conn), "a call");
    turns_until(g.now + 20 * TERN_SECOND);
    tern_tcp_abort(conn);
    turns_until(g.now + TERN_SECOND);
    tern_tcp_unlisten(listener);
}

static void close_side(struct side *s)
{
    s->link->ops->close(s->link);
    free(s->memory);
}

int main(int argc, char **argv)
{
    if (argc < 6)
        fail("usage: world LOG CAPTURE SEED IMPAIR CONTROLLER [no-sack] [no-timestamps]");
    tern_tcp_settings_defaults(&g.settings);
    for (int i = 6; i < argc; i++) {
        g.settings.sack = g.settings.sack && strcmp(argv[i], "no-sack") != 0;
        g.settings.timestamps = g.settings.timestamps && strcmp(argv[i], "no-timestamps") != 0;
        g.settings.keepalive = g.settings.keepalive || strcmp(argv[i], "keep-alive") == 0;
    }
    open_world(argv);
    turns_until(TERN_SECOND);
    mistakes();
    contest();
    small_talk();
    conversation();
    called();
    turns_until(g.now + 90 * TERN_SECOND); /* TIME-WAIT ends */
    contest();
    contest();
    if (tern_sqlog_error(g.log) != 0 || tern_link_capture_error(g.near.link) != 0)
        fail("the files are not whole");
    tern_sqlog_close(g.log);
    close_side(&g.near);
    close_side(&g.far);
    return 0;
}
