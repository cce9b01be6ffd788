/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The workloads of `tern bench` and their peer, in one thread: the client asks each turn whether it
 * should stop, and there the peer gets its turn. Each row runs between two stacks on a cable in
 * memory, and over the kernel's sockets on the loopback.
 */
#include "apps/bench.h"

#include <sys/socket.h>

#include "world.h"

#define TURNS_MAX 2000000

struct ground {
    struct world world;
    struct tern_bench_wire *near, *far;
    struct tern_bench_peer *peer;
    struct tern_endpoint to;
};

/* What the client's question reaches: it takes no argument. */
static struct {
    struct tern_bench_peer *peer;
    int turns, turns_max;
} turning;

static bool give_peer_its_turn(void)
{
    if (turning.peer != NULL)
        assert_int_equal(tern_bench_peer_turn(turning.peer, 0), TERN_ERR_OK);
    turning.turns++;
    return turning.turns >= turning.turns_max;
}

static enum tern_err process(void *user, tern_time until)
{
    (void)until;
    return tern_process(user);
}

static struct tern_bench_wire *over_loop(struct tern_loop *loop, uint8_t last, bool copy)
{
    const struct tern_bench_tern_options options = {
        .common = {.copy = copy},
        .loop = loop,
        .address = tern_addr_v4(10, 0, 0, last),
        .turn = process,
        .user = loop,
    };
    struct tern_bench_wire *wire;

    assert_int_equal(tern_bench_tern_create(&options, &wire), TERN_ERR_OK);
    return wire;
}

static struct tern_bench_wire *over_kernel(void)
{
    const struct tern_bench_wire_options options = {.wait = TERN_LOOP_SPIN};
    struct tern_bench_wire *wire;

    assert_int_equal(tern_bench_kernel_create(&options, &wire), TERN_ERR_OK);
    return wire;
}

static void open_ground(struct ground *g, bool kernel, bool copy)
{
    uint16_t port = 0;

    memset(g, 0, sizeof *g);
    if (kernel) {
        g->near = over_kernel();
        g->far = over_kernel();
        g->to.addr = tern_addr_v4(127, 0, 0, 1);
    } else {
        world_open(&g->world);
        g->near = over_loop(g->world.near, 1, copy);
        g->far = over_loop(g->world.far, 2, false);
        g->to.addr = tern_addr_v4(10, 0, 0, 2);
    }
    assert_int_equal(tern_bench_peer_open(g->far, &port, &g->peer), TERN_ERR_OK);
    assert_int_not_equal(port, 0);
    g->to.port = port;
    turning.peer = g->peer;
    turning.turns = 0;
    turning.turns_max = TURNS_MAX;
}

static void close_ground(struct ground *g)
{
    tern_bench_peer_close(g->peer);
    g->near->ops->destroy(g->near);
    g->far->ops->destroy(g->far);
    if (g->world.near != NULL)
        world_close(&g->world);
}

struct row {
    enum tern_bench_work work;
    uint64_t limit;
    uint32_t streams, message_bytes;
    bool copy;
    uint64_t bytes, count; /* that must come out */
};

static const struct row rows[] = {
    {TERN_BENCH_RECV, 1000000, 1, 131072, false, 1000000, 0},
    {TERN_BENCH_RECV, 1000001, 8, 1000, true, 1000001, 0},
    {TERN_BENCH_RECV, 3, 8, 1, false, 3, 0}, /* most have nothing to do */
    {TERN_BENCH_SEND, 1000000, 1, 131072, false, 1000000, 0},
    {TERN_BENCH_SEND, 1000001, 8, 999, false, 1000001, 0},
    {TERN_BENCH_SEND, 1, 1, 1 << 20, false, 1, 0},
    {TERN_BENCH_RR, 300, 1, 1, false, 600, 300},
    {TERN_BENCH_RR, 20, 3, 70000, true, 2800000, 20},
    {TERN_BENCH_RR, 2, 1, 1 << 20, false, 4 << 20, 2},
    {TERN_BENCH_CONN, 100, 1, 1, false, 200, 100},
    {TERN_BENCH_CONN, 100, 7, 1, false, 200, 100},
};

static void all_rows(bool kernel)
{
    static struct tern_bench_result result;

    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct row *row = &rows[i];
        struct tern_bench_plan plan = {.work = row->work,
                                       .limit = row->limit,
                                       .streams = row->streams,
                                       .message_bytes = row->message_bytes,
                                       .stop = give_peer_its_turn};
        struct ground g;

        open_ground(&g, kernel, row->copy);
        plan.peer = g.to;
        print_message("row %zu\n", i);
        assert_int_equal(tern_bench_run(g.near, &plan, &result), TERN_ERR_OK);
        assert_true(result.connected);
        assert_false(result.stopped);
        assert_int_equal(result.bytes, row->bytes);
        assert_int_equal(result.count, row->count);
        assert_int_equal(result.latency.count, row->count);
        assert_true(result.elapsed > 0);
        for (int turn = 0; turn < 1000 && !tern_bench_peer_is_done(g.peer); turn++) {
            if (!kernel)
                assert_int_equal(tern_process(g.world.near), TERN_ERR_OK);
            (void)give_peer_its_turn();
        }
        assert_true(tern_bench_peer_is_done(g.peer));
        close_ground(&g);
    }
}

static void over_a_cable(void **state)
{
    (void)state;
    all_rows(false);
}

static void over_the_loopback(void **state)
{
    (void)state;
    all_rows(true);
}

/* The time is over as soon as it began: what was written by then counts. */
static void no_time(void **state)
{
    static struct tern_bench_result result;

    (void)state;
    for (int i = 0; i < 2 * TERN_BENCH_WORK_COUNT; i++) {
        struct tern_bench_plan plan = {.work = (enum tern_bench_work)(i / 2),
                                       .duration = 1,
                                       .streams = 2,
                                       .message_bytes = 1000,
                                       .stop = give_peer_its_turn};
        struct ground g;

        open_ground(&g, i % 2 == 1, false);
        plan.peer = g.to;
        assert_int_equal(tern_bench_run(g.near, &plan, &result), TERN_ERR_OK);
        assert_false(result.stopped);
        assert_true(result.bytes > 0 || plan.work != TERN_BENCH_SEND);
        close_ground(&g);
    }
}

/* The user stops a run without an end. */
static void stopped(void **state)
{
    static struct tern_bench_result result;

    (void)state;
    for (int i = 0; i < 2 * TERN_BENCH_WORK_COUNT; i++) {
        struct tern_bench_plan plan = {.work = (enum tern_bench_work)(i / 2),
                                       .limit = UINT64_MAX,
                                       .streams = 1,
                                       .message_bytes = 1000,
                                       .stop = give_peer_its_turn};
        struct ground g;

        open_ground(&g, i % 2 == 1, false);
        plan.peer = g.to;
        turning.turns_max = 200;
        assert_int_equal(tern_bench_run(g.near, &plan, &result), TERN_ERR_OK);
        assert_true(result.stopped);
        close_ground(&g);
    }
}

/* Nobody listens there. */
static void refused(void **state)
{
    static struct tern_bench_result result;

    (void)state;
    for (int kernel = 0; kernel < 2; kernel++) {
        struct tern_bench_plan plan = {
            .limit = 1, .streams = 3, .message_bytes = 1, .stop = give_peer_its_turn};
        struct ground g;

        open_ground(&g, kernel == 1, false);
        plan.peer = g.to;
        plan.peer.port = 1; /* reserved, and no program's */
        assert_int_equal(tern_bench_run(g.near, &plan, &result), TERN_ERR_REFUSED);
        assert_false(result.connected);
        close_ground(&g);
    }
}

/* What says a head that means nothing is thrown out; and the next caller is served. */
static void nonsense(void **state)
{
    static const uint8_t heads[][16] = {
        {'x', 0, 0, 0, 0, 0, 0, 1},                     /* no such kind */
        {'r', 0, 0, 0, 0, 0, 0, 0},                     /* messages of no bytes */
        {'e', 0, 0, 0, 0xff, 0xff, 0xff, 0xff},         /* of too many */
        {'c', 'c', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, /* more than its one byte */
    };

    (void)state;
    for (size_t i = 0; i < COUNT(heads); i++) {
        struct tern_bench_event events[TERN_BENCH_EVENTS_MAX];
        struct tern_bench_line *line;
        struct tern_slice slice;
        struct ground g;
        uint32_t seen = 0;

        open_ground(&g, false, false);
        assert_int_equal(g.near->ops->connect(g.near, &g.to, NULL, &line), TERN_ERR_OK);
        for (int turn = 0; turn < 1000 && (seen & TERN_BENCH_OVER) == 0; turn++) {
            int count = g.near->ops->wait(g.near, events, 0);

            for (int k = 0; k < count; k++)
                seen |= events[k].bits;
            if ((seen & TERN_BENCH_OPEN) != 0 && g.near->ops->write(line, heads[i], 16) == 16)
                seen &= ~(uint32_t)TERN_BENCH_OPEN;
            (void)give_peer_its_turn();
        }
        assert_true((seen & TERN_BENCH_OVER) != 0);
        assert_int_equal(g.near->ops->peek(line, &slice), TERN_ERR_RESET);
        assert_true(tern_bench_peer_is_done(g.peer));
        close_ground(&g);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(over_a_cable), cmocka_unit_test(over_the_loopback),
        cmocka_unit_test(no_time),      cmocka_unit_test(stopped),
        cmocka_unit_test(refused),      cmocka_unit_test(nonsense),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
