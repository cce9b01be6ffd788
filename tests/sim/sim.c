/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two stacks, a bad network, virtual time, one seed.
 *
 *   sim FIRST COUNT [-v]     run seeds FIRST … FIRST + COUNT - 1
 *   sim -f FILE              run the seeds that begin the lines of a file (those that once failed)
 *
 * Each seed draws the network's faults, the stacks' sizes and offloads, and what a few connections
 * do: how much each side writes and in what pieces, how lazily it reads, who closes. Judged: every
 * byte that arrives is the one written at that place, nothing is missing at the end, both stacks'
 * structures are sound after each step, and, with faults healed after a while, everything ends
 * within a bounded virtual time with all memory given back. A seed that fails prints itself; it
 * goes to tests/sim/seeds.txt for good.
 */
#include "network.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tern/tern.h>

#define CONNS_MAX 4
#define HEAL_AT   (60 * TERN_SECOND)
#define END_AT    (2400 * TERN_SECOND)

struct flow {
    struct tern_conn *conn;
    uint64_t to_write, written, to_read, read;
    uint32_t key; /* which stream this side writes */
    uint32_t peer_key;
    uint32_t write_max, read_max;
    tern_time pause, next_read;
    bool closes_first; /* shuts down as soon as all is written */
    bool shut, closed, ended;
};

struct side {
    struct tern_stack *stack;
    void *memory;
    struct tern_listener *listener;
    struct flow flow[CONNS_MAX];
    uint32_t accepted;
};

struct sim {
    uint64_t seed;
    struct tern_random random;
    struct side side[2];
    struct sim_network *network;
    tern_time now;
    uint32_t conns;
    bool failed;
    const char *why;
};

static bool verbose;

static void fail(struct sim *s, const char *why)
{
    if (!s->failed)
        s->why = why;
    s->failed = true;
}

static uint8_t stream_byte(uint32_t key, uint64_t at)
{
    uint64_t v = (at + 1) * UINT64_C(0x9e3779b97f4a7c15) ^ ((uint64_t)key << 32);

    v ^= v >> 29;
    v *= UINT64_C(0xbf58476d1ce4e5b9);
    return (uint8_t)(v >> 40);
}

static uint32_t pick(struct sim *s, uint32_t low, uint32_t high)
{
    return low + (uint32_t)tern_random_below(&s->random, high - low + 1u);
}

static struct tern_addr address_of(int i)
{
    return tern_addr_v4(10, 0, 0, (uint8_t)(1 + i));
}

static void make_stack(struct sim *s, int i)
{
    static const uint32_t chunk_sizes[] = {1024, 4096, 16384};
    static const uint32_t mtus[] = {576, 1500, 1500, 1500};
    static const char *const controllers[] = {"cubic", "cubic", "reno", "bbr"};
    struct side *side = &s->side[i];
    struct tern_config c;
    const struct tern_cidr cidr = {address_of(i), 24};
    size_t bytes;

    tern_config_defaults(&c);
    tern_random_bytes(&s->random, c.seed, sizeof(c.seed));
    c.link.mac = (struct tern_mac){{2, 0, 0, 0, 0, (uint8_t)(1 + i)}};
    c.link.mtu_bytes = mtus[pick(s, 0, 3)];
    c.link.offloads = pick(s, 0, 1) ? TERN_OFFLOAD_TSO4 | TERN_OFFLOAD_CSUM_TX : 0;
    c.link.hold_frames = pick(s, 0, 2) == 0 ? 0 : pick(s, 8, 512);
    c.link.hold_bytes = c.link.hold_frames * UINT64_C(65536);
    c.connections_max = 16;
    c.udp_sockets_max = 1;
    c.ping_sockets_max = 1;
    c.reassembly_max = 1;
    c.neighbours_max = 4;
    c.traces_count = pick(s, 0, 1) * 16;
    c.chunk_bytes = chunk_sizes[pick(s, 0, 2)];
    c.chunks_max = pick(s, 64, 2048);
    c.send_buffer_bytes = pick(s, 2048, 1u << 19);
    c.receive_buffer_bytes = pick(s, 2048, 1u << 19);
    c.congestion = controllers[pick(s, 0, 3)];
    bytes = tern_stack_bytes(&c);
    side->memory = bytes == 0 ? NULL : aligned_alloc(64, bytes);
    if (side->memory == NULL)
        abort();
    memset(side->memory, 0, bytes);
    if (tern_stack_init(side->memory, bytes, &c, s->now, &side->stack) != TERN_ERR_OK ||
        tern_stack_address_add(side->stack, &cidr, TERN_CLAIM_NONE) != TERN_ERR_OK)
        abort();
}

static void draw_faults(struct sim *s, struct sim_faults *f)
{
    memset(f, 0, sizeof(*f));
    f->delay = (tern_time)pick(s, 0, 60000) * TERN_US;
    if (pick(s, 0, 3) == 0)
        f->delay = 0;
    f->jitter = pick(s, 0, 2) == 0 ? (tern_time)pick(s, 0, 20000) * TERN_US : 0;
    f->loss_ppm = pick(s, 0, 1) ? pick(s, 0, 80000) : 0;
    f->burst_ppm = pick(s, 0, 3) == 0 ? pick(s, 0, 5000) : 0;
    f->burst_frames = pick(s, 1, 12);
    f->duplicate_ppm = pick(s, 0, 2) == 0 ? pick(s, 0, 50000) : 0;
    f->corrupt_ppm = pick(s, 0, 3) == 0 ? pick(s, 0, 20000) : 0;
    f->reorder_ppm = pick(s, 0, 2) == 0 ? pick(s, 0, 100000) : 0;
    f->bytes_per_second = pick(s, 0, 1) ? (uint64_t)pick(s, 50, 20000) * 1000 : 0;
    f->queue_frames = pick(s, 5, 200);
}

static void draw_flow(struct sim *s, struct flow *f, uint32_t key, uint64_t to_write)
{
    f->key = key;
    f->peer_key = key ^ 1;
    f->to_write = to_write;
    f->write_max = pick(s, 1, 3) == 1 ? pick(s, 1, 2000) : pick(s, 1000, 100000);
    f->read_max = pick(s, 1, 3) == 1 ? pick(s, 100, 2000) : 1u << 20;
    f->pause = pick(s, 0, 2) == 0 ? (tern_time)pick(s, 0, 20) * TERN_MS : 0;
    f->closes_first = pick(s, 0, 1) == 0;
}

static void draw_flows(struct sim *s)
{
    s->conns = pick(s, 1, CONNS_MAX);
    for (uint32_t i = 0; i < s->conns; i++) {
        const uint64_t there = pick(s, 0, 3) == 0 ? pick(s, 0, 10) : pick(s, 0, 200000);
        const uint64_t back = pick(s, 0, 3) == 0 ? pick(s, 0, 10) : pick(s, 0, 200000);

        draw_flow(s, &s->side[0].flow[i], 2 * i, there);
        draw_flow(s, &s->side[1].flow[i], 2 * i + 1, back);
        s->side[0].flow[i].to_read = back;
        s->side[1].flow[i].to_read = there;
    }
}

static void open_flows(struct sim *s)
{
    struct tern_tcp_options listen = {.local = {.port = 80}};

    listen.local.addr = address_of(1);
    if (tern_tcp_listen(s->side[1].stack, &listen, 8, &s->side[1].listener) != TERN_ERR_OK)
        abort();
    for (uint32_t i = 0; i < s->conns; i++) {
        /* The i-th connection comes from port 1000 + i, so that the other side knows it whenever it
         * is accepted. */
        struct tern_tcp_options o = {.local = {.port = (uint16_t)(1000 + i)},
                                     .remote = {.addr = address_of(1), .port = 80}};

        if (tern_tcp_connect(s->side[0].stack, &o, &s->side[0].flow[i].conn) != TERN_ERR_OK)
            fail(s, "connect refused");
    }
}

static void accept_flows(struct sim *s)
{
    struct tern_conn *conn;

    while (tern_tcp_accept(s->side[1].listener, NULL, &conn) == TERN_ERR_OK) {
        struct tern_tcp_info info;
        uint32_t i;

        tern_tcp_info(conn, &info);
        i = info.remote.port - 1000u;
        if (i >= s->conns || s->side[1].flow[i].conn != NULL) {
            fail(s, "a connection was accepted twice");
            return;
        }
        s->side[1].flow[i].conn = conn;
    }
}

static void write_some(struct sim *s, struct flow *f)
{
    uint8_t bytes[4096];

    while (f->written < f->to_write) {
        uint64_t n = f->to_write - f->written;
        ptrdiff_t taken;

        n = n > f->write_max ? f->write_max : n;
        n = n > sizeof(bytes) ? sizeof(bytes) : n;
        for (uint64_t i = 0; i < n; i++)
            bytes[i] = stream_byte(f->key, f->written + i);
        taken = tern_tcp_write(f->conn, bytes, (size_t)n);
        if (taken == TERN_ERR_AGAIN)
            return;
        if (taken < 0) {
            fail(s, "write failed");
            return;
        }
        f->written += (uint64_t)taken;
    }
    if (!f->shut && (f->closes_first || f->read == f->to_read)) {
        tern_tcp_shutdown(f->conn);
        f->shut = true;
    }
}

/* Read up to read_max bytes, then pause; next_read says when to go on. */
static void read_some(struct sim *s, struct flow *f)
{
    uint64_t budget = f->read_max;

    if (s->now < f->next_read)
        return;
    f->next_read = s->now + (f->pause > 0 ? f->pause : TERN_US);
    while (budget > 0 && !f->ended) {
        struct tern_slice slice;
        const ptrdiff_t n = tern_tcp_peek(f->conn, &slice);

        if (n == TERN_ERR_AGAIN) {
            if (f->pause == 0)
                f->next_read = 0;
            return;
        }
        if (n < 0) {
            fail(s, tern_err_text((enum tern_err)n));
            return;
        }
        if (n == 0) {
            f->ended = true;
            if (f->read != f->to_read)
                fail(s, "the stream ended early");
            return;
        }
        if (slice.bytes > budget)
            slice.bytes = (size_t)budget;
        for (size_t i = 0; i < slice.bytes; i++)
            if (slice.data[i] != stream_byte(f->peer_key, f->read + i))
                fail(s, "a byte is not the one that was written there");
        f->read += slice.bytes;
        budget -= slice.bytes;
        if (f->read > f->to_read)
            fail(s, "more bytes than were written");
        tern_tcp_skip(f->conn, slice.bytes);
    }
}

static tern_time run_flow(struct sim *s, struct flow *f)
{
    if (f->conn == NULL || f->closed)
        return TERN_TIME_NEVER;
    if (tern_tcp_state(f->conn) == TERN_TCP_SYN_SENT)
        return TERN_TIME_NEVER;
    read_some(s, f);
    if (!s->failed)
        write_some(s, f);
    if (s->failed)
        return TERN_TIME_NEVER;
    if (f->ended && f->shut) {
        tern_tcp_close(f->conn);
        f->closed = true;
        return TERN_TIME_NEVER;
    }
    return f->next_read > s->now && !f->ended ? f->next_read : TERN_TIME_NEVER;
}

static void move_frames(struct sim *s, int i)
{
    struct tern_frame frames[TERN_BURST_MAX];
    int n;

    while ((n = tern_stack_output(s->side[i].stack, frames, TERN_BURST_MAX, s->now)) > 0)
        for (int k = 0; k < n; k++)
            sim_network_send(s->network, i, &frames[k], s->now);
}

static void drain_events(struct tern_stack *stack)
{
    struct tern_event e;
    struct tern_trace t;

    while (tern_stack_event(stack, &e)) {
    }
    while (tern_stack_trace(stack, &t)) {
    }
}

static bool is_over(const struct sim *s)
{
    struct tern_stack_counters a, b;

    for (uint32_t i = 0; i < s->conns; i++)
        if (!s->side[0].flow[i].closed || !s->side[1].flow[i].closed)
            return false;
    tern_stack_counters(s->side[0].stack, &a);
    tern_stack_counters(s->side[1].stack, &b);
    return a.connections_used == 0 && b.connections_used == 0;
}

static void step(struct sim *s)
{
    tern_time next = TERN_TIME_NEVER;
    struct tern_frame frame;

    for (int i = 0; i < 2; i++) {
        while (sim_network_receive(s->network, i, s->now, &frame))
            tern_stack_input(s->side[i].stack, &frame, 1, s->now);
        if (tern_stack_deadline(s->side[i].stack) <= s->now)
            tern_stack_expire(s->side[i].stack, s->now);
        if (i == 1)
            accept_flows(s);
        for (uint32_t k = 0; k < s->conns && !s->failed; k++) {
            const tern_time at = run_flow(s, &s->side[i].flow[k]);

            next = at < next ? at : next;
        }
        move_frames(s, i);
        drain_events(s->side[i].stack);
        tern_stack_check(s->side[i].stack);
        if (tern_stack_deadline(s->side[i].stack) < next)
            next = tern_stack_deadline(s->side[i].stack);
    }
    if (sim_network_deadline(s->network) < next)
        next = sim_network_deadline(s->network);
    if (next == TERN_TIME_NEVER) {
        if (!is_over(s))
            fail(s, "nothing will ever happen again");
        return;
    }
    if (next > s->now)
        s->now = next;
    else
        s->now += TERN_US; /* an end that came first in this step has more to do */
}

static void judge_memory(struct sim *s)
{
    for (int i = 0; i < 2; i++) {
        struct tern_stack_counters c;

        tern_stack_counters(s->side[i].stack, &c);
        if (c.chunks_used != 0)
            fail(s, "buffers were not given back");
    }
}

static void print_flows(const struct sim *s)
{
    for (int i = 0; i < 2; i++)
        for (uint32_t k = 0; k < s->conns; k++) {
            const struct flow *f = &s->side[i].flow[k];
            struct tern_tcp_info t = {.state = TERN_TCP_CLOSED};

            if (f->conn != NULL && !f->closed)
                tern_tcp_info(f->conn, &t);
            printf(
                "  side %d flow %u: wrote %llu of %llu, read %llu of %llu, %s%s%s in flight %llu "
                "cwnd %llu wnd %llu rto %lld ms retrans %llu\n",
                i, k, (unsigned long long)f->written, (unsigned long long)f->to_write,
                (unsigned long long)f->read, (unsigned long long)f->to_read,
                f->closed ? "closed" : tern_tcp_state_text(t.state), f->shut ? " shut" : "",
                f->ended ? " ended" : "", (unsigned long long)t.unacked_bytes,
                (unsigned long long)t.cwnd_bytes, (unsigned long long)t.snd_wnd_bytes,
                (long long)(t.rto / TERN_MS), (unsigned long long)t.retrans);
        }
}

static bool run_seed(uint64_t seed)
{
    struct sim s = {.seed = seed, .now = TERN_SECOND};
    struct sim_faults faults;
    uint64_t steps = 0;
    bool healed = false;

    tern_random_init(&s.random, &seed, sizeof(seed), "sim");
    draw_faults(&s, &faults);
    s.network = sim_network_create(&faults, seed);
    make_stack(&s, 0);
    make_stack(&s, 1);
    draw_flows(&s);
    open_flows(&s);
    while (!s.failed && !is_over(&s)) {
        step(&s);
        if (!healed && s.now > HEAL_AT) {
            sim_network_heal(s.network);
            healed = true;
        }
        if (s.now > END_AT || ++steps > 5000000)
            fail(&s, "it does not end");
    }
    if (!s.failed)
        judge_memory(&s);
    if (s.failed || verbose) {
        printf("seed %llu: %s, at %.3f s, %llu steps (loss %u ppm, delay %lld us, jitter %lld us, "
               "rate %llu B/s, queue %u)\n",
               (unsigned long long)seed, s.failed ? s.why : "ok", (double)s.now / 1e9,
               (unsigned long long)steps, faults.loss_ppm, (long long)(faults.delay / 1000),
               (long long)(faults.jitter / 1000), (unsigned long long)faults.bytes_per_second,
               faults.queue_frames);
        if (s.failed)
            print_flows(&s);
    }
    sim_network_destroy(s.network);
    free(s.side[0].memory);
    free(s.side[1].memory);
    return !s.failed;
}

static int run_file(const char *path)
{
    FILE *file = fopen(path, "r");
    char line[512];
    unsigned count = 0, failed = 0;

    if (file == NULL) {
        perror(path);
        return 2;
    }
    while (fgets(line, sizeof(line), file) != NULL) {
        count++;
        failed += !run_seed(strtoull(line, NULL, 10));
    }
    fclose(file);
    printf("%u seeds, %u failed\n", count, failed);
    return failed == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    const uint64_t first = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    const uint64_t count = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    uint64_t failed = 0;

    if (argc == 3 && strcmp(argv[1], "-f") == 0)
        return run_file(argv[2]);
    verbose = argc > 3;
    for (uint64_t seed = first; seed < first + count; seed++)
        failed += !run_seed(seed);
    printf("%llu seeds, %llu failed\n", (unsigned long long)count, (unsigned long long)failed);
    return failed == 0 ? 0 : 1;
}
