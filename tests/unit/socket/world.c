/* SPDX-License-Identifier: BSD-2-Clause */
/* The world of the socket tests: see world.h. */
#include "world.h"

static tern_time hook_now(void *arg)
{
    const struct side *side = arg;

    return side->bench->now;
}

static void hook_changed(void *arg, int fd, uint32_t bits)
{
    struct side *side = arg;

    assert_int_equal(tern_sockets_ready(side->table, fd) & ~bits, 0);
    side->changes++;
}

static void hook_event(void *arg, const struct tern_event *event)
{
    struct side *side = arg;

    assert_int_not_equal(event->bits, 0);
    side->strangers++;
}

static tern_time next_deadline(const struct world *w)
{
    const tern_time one = tern_stack_deadline(w->pair.end[0].stack);
    const tern_time two = tern_stack_deadline(w->pair.end[1].stack);

    return one < two ? one : two;
}

static uint64_t frames_in(const struct world *w)
{
    struct tern_stack_counters c[2];

    for (int i = 0; i < 2; i++)
        tern_stack_counters(w->pair.end[i].stack, &c[i]);
    return c[0].frames_in + c[1].frames_in;
}

static int hook_wait(void *arg, tern_time until)
{
    struct side *side = arg;
    struct world *w = side->world;
    const uint64_t arrived = frames_in(w);
    const tern_time now = side->bench->now;
    const int error = w->interrupt;
    tern_time at;

    w->interrupt = 0;
    if (error != 0)
        return error;
    pair_settle(&w->pair);
    if (frames_in(w) != arrived)
        return 0;
    if (w->meanwhile != NULL) {
        void (*meanwhile)(struct world *) = w->meanwhile;

        w->meanwhile = NULL;
        meanwhile(w);
        pair_settle(&w->pair);
        return 0;
    }
    at = next_deadline(w);
    if (at > until)
        at = until;
    assert_true(at != TERN_TIME_NEVER); /* nothing would ever end this wait */
    pair_run(&w->pair, at > now ? at - now : 0);
    return 0;
}

void world_open_with(struct world *w,
                     void (*change)(struct tern_config *stack, struct tern_sockets_config *table))
{
    struct tern_config config[2];

    memset(w, 0, sizeof *w);
    for (uint8_t i = 0; i < 2; i++) {
        bench_config(&config[i], (uint8_t)(i + 1));
        if (change != NULL)
            change(&config[i], NULL);
    }
    pair_open(&w->pair, &config[0], &config[1]);
    for (int i = 0; i < 2; i++) {
        struct side *side = &w->side[i];
        struct tern_sockets_config c;
        size_t bytes;

        side->world = w;
        side->bench = &w->pair.end[i];
        tern_sockets_config_defaults(&c);
        c.stack = side->bench->stack;
        c.sockets_max = 12;
        c.watches_max = 6;
        c.arg = side;
        c.now = hook_now;
        c.wait = hook_wait;
        c.changed = hook_changed;
        c.event = hook_event;
        if (change != NULL)
            change(&config[i], &c);
        bytes = tern_sockets_bytes(&c);
        side->memory = aligned_alloc(64, (bytes + 63) / 64 * 64);
        assert_non_null(side->memory);
        memset(side->memory, 0xaa, bytes);
        assert_int_equal(tern_sockets_init(side->memory, bytes, &c, &side->table), TERN_ERR_OK);
    }
    w->a = w->side[0].table;
    w->b = w->side[1].table;
}

void world_open(struct world *w)
{
    world_open_with(w, NULL);
}

void world_close(struct world *w)
{
    for (int i = 0; i < 2; i++) {
        tern_sockets_check(w->side[i].table);
        tern_sockets_fini(w->side[i].table);
    }
    world_settle(w);
    for (int i = 0; i < 2; i++)
        free(w->side[i].memory);
    pair_close(&w->pair);
}

void world_settle(struct world *w)
{
    pair_settle(&w->pair);
    for (int i = 0; i < 2; i++) {
        (void)tern_sockets_pump(w->side[i].table);
        tern_sockets_check(w->side[i].table);
    }
}

void world_run(struct world *w, tern_time step)
{
    pair_run(&w->pair, step);
    world_settle(w);
}

struct sockaddr_in world_at(uint8_t host, uint16_t port)
{
    struct sockaddr_in at;

    memset(&at, 0, sizeof at);
    at.sin_family = AF_INET;
    at.sin_port = htons(port);
    at.sin_addr.s_addr = htonl(0x0a000000u | host);
    return at;
}

int world_bind(struct tern_sockets *t, int fd, uint8_t host, uint16_t port)
{
    struct sockaddr_in at = world_at(host, port);

    if (host == 0)
        at.sin_addr.s_addr = INADDR_ANY;
    return tern_bind(t, fd, (const struct sockaddr *)&at, sizeof at);
}

int world_dial(struct tern_sockets *t, int fd, uint8_t host, uint16_t port)
{
    const struct sockaddr_in at = world_at(host, port);

    return tern_connect(t, fd, (const struct sockaddr *)&at, sizeof at);
}

int world_listen(struct world *w, int backlog)
{
    const int fd = tern_socket(w->b, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

    assert_true(fd >= 0);
    assert_int_equal(world_bind(w->b, fd, 0, PORT), 0);
    assert_int_equal(tern_listen(w->b, fd, backlog), 0);
    return fd;
}

void world_connect(struct world *w, int *at_a, int *at_b)
{
    const int listener = world_listen(w, 1);

    *at_a = tern_socket(w->a, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    assert_true(*at_a >= 0);
    fails(world_dial(w->a, *at_a, 2, PORT), EINPROGRESS);
    world_settle(w);
    assert_int_equal(world_dial(w->a, *at_a, 2, PORT), 0);
    *at_b = tern_accept4(w->b, listener, NULL, NULL, SOCK_NONBLOCK);
    assert_true(*at_b >= 0);
    assert_int_equal(tern_close(w->b, listener), 0);
    world_settle(w);
}

void set_int(struct tern_sockets *t, int fd, int level, int name, int value)
{
    assert_int_equal(tern_setsockopt(t, fd, level, name, &value, sizeof value), 0);
}

int get_int(struct tern_sockets *t, int fd, int level, int name)
{
    int value = -77;
    socklen_t bytes = sizeof value;

    assert_int_equal(tern_getsockopt(t, fd, level, name, &value, &bytes), 0);
    assert_int_equal(bytes, sizeof value);
    return value;
}

uint32_t polled(struct tern_sockets *t, int fd)
{
    struct pollfd p = {.fd = fd,
                       .events = POLLIN | POLLPRI | POLLOUT | POLLRDHUP | POLLRDNORM | POLLWRNORM};
    const int n = tern_poll(t, &p, 1, 0);

    assert_int_equal(n, p.revents != 0);
    return (uint32_t)(unsigned short)p.revents;
}
