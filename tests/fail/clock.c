/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The core's clock leaps ahead: by seconds, minutes, days and 30 days, at any moment of a transfer,
 * at one end or both, as it does where a machine was stopped for so long. Nothing may break for
 * that: the transfer goes on and ends soon, with every byte right; connections that idle over the
 * leap are still there (PAWS forgets its timestamps after 24 days: RFC 7323 §5.5), keep-alive or
 * not. And the clock stands still: then nothing happens twice, and it goes on afterwards.
 *
 * Where one end alone leaps by more than half of the timestamps' range (24.8 days), or both while
 * segments are under way, what comes next must be taken for old: then the connection ends with a
 * timeout, and not never.
 *
 * Two stacks, a wire of WIRE_NS, all in virtual time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include <tern/tern.h>

#define WIRE_NS     (5 * TERN_MS)
#define TICK        TERN_MS
#define FRAMES_MAX  256
#define FRAME_BYTES 1514
#define BYTES       60000u
#define SOON        (60 * TERN_SECOND)
#define PORT        80
#define DAY         (86400 * TERN_SECOND)

struct flying {
    tern_time due; /* by the wire's clock */
    uint32_t bytes;
    uint8_t data[FRAME_BYTES];
};

struct end {
    struct tern_stack *stack;
    void *memory;
    size_t memory_bytes;
    tern_time ahead; /* of the wire's clock */
    struct flying in[FRAMES_MAX];
    uint32_t first, count;
};

struct world {
    struct end end[2];
    tern_time now; /* the wire's */
    struct tern_listener *listener;
    struct tern_conn *conn[2];
    uint32_t sent, received;
    bool shut;
};

static uint8_t byte_at(uint32_t at)
{
    return (uint8_t)(at * 2654435761u >> 24);
}

static tern_time now_of(const struct world *w, int i)
{
    return w->now + w->end[i].ahead;
}

static void open_end(struct world *w, int i)
{
    struct end *e = &w->end[i];
    struct tern_cidr own = {tern_addr_v4(10, 0, 0, (uint8_t)(i + 1)), 24};
    struct tern_config c;
    size_t bytes;

    tern_config_defaults(&c);
    memset(c.seed, i + 1, sizeof c.seed);
    c.link.mac = (struct tern_mac){{2, 0, 0, 0, 0, (uint8_t)(i + 1)}};
    c.link.mtu_bytes = 1500;
    c.connections_max = c.time_waits_max = 8;
    c.chunk_bytes = 1024;
    c.chunks_max = 512;
    c.send_buffer_bytes = c.receive_buffer_bytes = 65536;
    bytes = tern_stack_bytes(&c);
    e->memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(e->memory != MAP_FAILED);
    e->memory_bytes = bytes;
    assert_int_equal(tern_stack_init(e->memory, bytes, &c, now_of(w, i), &e->stack), TERN_ERR_OK);
    assert_int_equal(tern_stack_address_add(e->stack, &own, TERN_CLAIM_NONE), TERN_ERR_OK);
}

/* What an end has to say goes on the wire to the other. */
static void listen_to(struct world *w, int i)
{
    struct end *to = &w->end[1 - i];
    struct tern_frame f;

    while (tern_stack_output(w->end[i].stack, &f, 1, now_of(w, i)) == 1) {
        struct flying *fly = &to->in[(to->first + to->count++) % FRAMES_MAX];

        assert_true(to->count <= FRAMES_MAX);
        assert_true(f.bytes <= FRAME_BYTES);
        fly->due = w->now + WIRE_NS;
        fly->bytes = 0;
        for (uint32_t k = 0; k < f.piece_count; k++) {
            memcpy(fly->data + fly->bytes, f.piece[k].data, f.piece[k].bytes);
            fly->bytes += (uint32_t)f.piece[k].bytes;
        }
    }
}

static void deliver(struct world *w, int i)
{
    struct end *e = &w->end[i];

    while (e->count > 0 && e->in[e->first].due <= w->now) {
        const struct flying *fly = &e->in[e->first];
        struct tern_frame f = {.piece_count = 1, .bytes = fly->bytes};

        f.piece[0] = (struct tern_slice){.data = fly->data, .bytes = fly->bytes};
        tern_stack_input(e->stack, &f, 1, now_of(w, i));
        e->first = (e->first + 1) % FRAMES_MAX;
        e->count--;
    }
}

/* One end writes all that fits, and ends; the other reads and compares. */
static void applications(struct world *w)
{
    struct tern_event event;
    uint8_t piece[1000];
    ptrdiff_t n;

    for (int i = 0; i < 2; i++)
        while (tern_stack_event(w->end[i].stack, &event))
            continue;
    if (w->conn[1] == NULL)
        (void)!tern_tcp_accept(w->listener, NULL, &w->conn[1]);
    while (w->sent < BYTES) {
        for (uint32_t k = 0; k < sizeof piece; k++)
            piece[k] = byte_at(w->sent + k);
        n = tern_tcp_write(w->conn[0], piece, sizeof piece);
        if (n <= 0)
            break;
        w->sent += (uint32_t)n;
    }
    if (w->sent == BYTES && w->shut)
        tern_tcp_shutdown(w->conn[0]);
    while (w->conn[1] != NULL && (n = tern_tcp_read(w->conn[1], piece, sizeof piece)) > 0)
        for (ptrdiff_t k = 0; k < n; k++)
            assert_int_equal(piece[k], byte_at(w->received++));
}

/* Time goes on to the next moment at which anything is due. */
static void pass(struct world *w)
{
    tern_time next = TERN_TIME_NEVER;

    for (int i = 0; i < 2; i++) {
        const tern_time at = tern_stack_deadline(w->end[i].stack);

        if (at != TERN_TIME_NEVER && at - w->end[i].ahead < next)
            next = at - w->end[i].ahead;
        if (w->end[i].count > 0 && w->end[i].in[w->end[i].first].due < next)
            next = w->end[i].in[w->end[i].first].due;
    }
    w->now = next < w->now + TICK || next == TERN_TIME_NEVER ? w->now + TICK : next;
}

static void tick(struct world *w)
{
    for (int i = 0; i < 2; i++) {
        deliver(w, i);
        if (tern_stack_deadline(w->end[i].stack) <= now_of(w, i))
            tern_stack_expire(w->end[i].stack, now_of(w, i));
    }
    applications(w);
    for (int i = 0; i < 2; i++) {
        listen_to(w, i);
        tern_stack_check(w->end[i].stack);
    }
    pass(w);
}

static void open_world(struct world *w, const struct tern_tcp_settings *settings)
{
    struct tern_tcp_options o = {.local = {.port = PORT}, .settings = settings};

    memset(w, 0, sizeof *w);
    w->now = TERN_SECOND;
    for (int i = 0; i < 2; i++)
        open_end(w, i);
    assert_int_equal(tern_tcp_listen(w->end[1].stack, &o, 4, &w->listener), TERN_ERR_OK);
    for (int k = 0; k < 20; k++) {
        for (int i = 0; i < 2; i++) {
            deliver(w, i);
            tern_stack_expire(w->end[i].stack, now_of(w, i));
            listen_to(w, i);
        }
        w->now += TICK;
    }
    o.local.port = 0;
    o.remote = (struct tern_endpoint){tern_addr_v4(10, 0, 0, 2), PORT};
    assert_int_equal(tern_tcp_connect(w->end[0].stack, &o, &w->conn[0]), TERN_ERR_OK);
}

static void close_world(struct world *w)
{
    for (int i = 0; i < 2; i++)
        (void)munmap(w->end[i].memory, w->end[i].memory_bytes);
}

/* Everything arrived, and the end of it. */
static bool is_done(const struct world *w)
{
    return w->received == BYTES && w->conn[1] != NULL && tern_tcp_peer_done(w->conn[1]);
}

static void leap(struct world *w, tern_time by, int who)
{
    for (int i = 0; i < 2; i++)
        if (who == 2 || who == i)
            w->end[i].ahead += by;
}

static const tern_time leaps[] = {
    TERN_SECOND, 20 * TERN_SECOND, 600 * TERN_SECOND, 3600 * TERN_SECOND, DAY, 25 * DAY, 30 * DAY};

/* Timestamps from before and after look the wrong way round. */
static bool is_beyond_paws(tern_time by)
{
    return by / TERN_MS >= INT64_C(1) << 31;
}

/* The end gives up, in the time that R2 gives it (RFC 9293 §3.8.3). */
static void gives_up(struct world *w)
{
    const tern_time began = w->now;

    while (!is_done(w) && tern_tcp_reason(w->conn[0]) == TERN_ERR_OK) {
        tick(w);
        assert_true(w->now < began + 3600 * TERN_SECOND);
    }
    /* Or the other end gave up first, and answers what comes with a reset. */
    assert_true(is_done(w) || tern_tcp_reason(w->conn[0]) == TERN_ERR_TIMEOUT ||
                tern_tcp_reason(w->conn[0]) == TERN_ERR_RESET);
}

/* The leap comes before the n-th tick. False: the transfer was over before. */
static bool transfer(tern_time by, int who, uint32_t n)
{
    struct world *w = malloc(sizeof *w);
    tern_time leapt_at;
    bool in_time;

    assert_non_null(w);
    open_world(w, NULL);
    w->shut = true;
    for (uint32_t k = 0; k < n && !is_done(w); k++)
        tick(w);
    in_time = !is_done(w);
    leap(w, by, who);
    leapt_at = w->now;
    if (is_beyond_paws(by))
        gives_up(w);
    while (!is_done(w) && !is_beyond_paws(by)) {
        tick(w);
        if (w->now > leapt_at + SOON)
            fail_msg("a leap of %lld s of end %d at tick %u: %u of %u bytes after %lld s",
                     (long long)(by / TERN_SECOND), who, n, w->received, BYTES,
                     (long long)(SOON / TERN_SECOND));
    }
    close_world(w);
    free(w);
    return in_time;
}

static void in_a_transfer(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof leaps / sizeof leaps[0]; i++)
        for (int who = 0; who < 3; who++)
            for (uint32_t n = 0; transfer(leaps[i], who, n); n++)
                continue;
}

/* Idle over the leap; then it carries the same again. */
static void idle_over(tern_time by, int who, bool keepalive)
{
    struct world *w = malloc(sizeof *w);
    struct tern_tcp_settings settings;
    tern_time leapt_at;

    assert_non_null(w);
    tern_tcp_settings_defaults(&settings);
    settings.keepalive = keepalive;
    open_world(w, &settings);
    while (w->received < BYTES)
        tick(w);
    for (int k = 0; k < 100; k++)
        tick(w);
    leap(w, by, who);
    for (int k = 0; k < 100; k++)
        tick(w);
    w->sent = w->received = 0;
    leapt_at = w->now;
    while (w->received < BYTES) {
        tick(w);
        if (w->now > leapt_at + SOON)
            fail_msg("a leap of %lld s of end %d: %u of %u bytes, state %d",
                     (long long)(by / TERN_SECOND), who, w->received, BYTES,
                     (int)tern_tcp_state(w->conn[0]));
    }
    assert_int_equal(tern_tcp_state(w->conn[0]), TERN_TCP_ESTABLISHED);
    close_world(w);
    free(w);
}

static void in_idleness(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof leaps / sizeof leaps[0]; i++) {
        for (int who = 0; who < 3; who++) {
            if (who < 2 && is_beyond_paws(leaps[i]))
                continue;
            idle_over(leaps[i], who, false);
            idle_over(leaps[i], who, true);
        }
    }
}

/* The clock stands still for many turns, at any moment: no frame is said again for that. */
static void standing_still(void **state)
{
    struct tern_stack_counters c;

    (void)state;
    for (uint32_t n = 0; n < 60; n++) {
        struct world *w = malloc(sizeof *w);

        assert_non_null(w);
        open_world(w, NULL);
        w->shut = true;
        for (uint32_t k = 0; !is_done(w); k++) {
            assert_true(k < 2000);
            for (int turns = 0; k == n && turns < 50; turns++) {
                const tern_time now = w->now;

                tick(w);
                w->now = now;
            }
            tick(w);
        }
        tern_stack_counters(w->end[0].stack, &c);
        assert_int_equal(c.tcp_retransmits, 0);
        close_world(w);
        free(w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_a_transfer),
        cmocka_unit_test(in_idleness),
        cmocka_unit_test(standing_still),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
