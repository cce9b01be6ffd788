/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A long fat path: 1 Gbit/s, 100 ms there and back, a queue of one product of the two, and two
 * stacks with the defaults alone. One connection must fill 95 % of the bottleneck with payload, of
 * what headers leave of it, in each direction: buffers and windows have to grow by themselves, and
 * the congestion window to be found, slow start included. Virtual time.
 *
 *   longfat up|down [SECONDS [-v]]
 */
#include "pipe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define RATE      UINT64_C(125000000) /* bytes a second */
#define ONE_WAY   (50 * TERN_MS)
#define QUEUE     UINT64_C(12500000)
#define MTU       1500
#define SETTLED   (5 * TERN_SECOND) /* the steady share is told from here on */
#define PERIOD    65536             /* of the stream's pattern */
#define SHARE_MIN 0.95
#define PORT      80

struct world {
    struct tern_stack *stack[2];
    void *memory[2];
    size_t bytes[2];
    struct pipe pipe[2]; /* from stack 0, from stack 1 */
    struct tern_conn *conn[2];
    struct tern_listener *listener;
    tern_time now;
    int writer;
    uint64_t written, read;
    bool failed;
};

static uint8_t pattern[2 * PERIOD];

static void die(const char *words)
{
    fprintf(stderr, "longfat: %s\n", words);
    exit(1);
}

static struct tern_addr address_of(int i)
{
    return tern_addr_v4(10, 0, 0, (uint8_t)(1 + i));
}

static void open_stack(struct world *w, int i)
{
    const struct tern_cidr cidr = {address_of(i), 24};
    struct tern_config c;

    tern_config_defaults(&c);
    memset(c.seed, 7 + i, sizeof(c.seed));
    c.link.mac = (struct tern_mac){{2, 0, 0, 0, 0, (uint8_t)(1 + i)}};
    c.link.mtu_bytes = MTU;
    c.link.offloads = TERN_OFFLOAD_CSUM_TX;
    w->bytes[i] = tern_stack_bytes(&c);
    w->memory[i] = mmap(NULL, w->bytes[i], PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (w->memory[i] == MAP_FAILED ||
        tern_stack_init(w->memory[i], w->bytes[i], &c, w->now, &w->stack[i]) != TERN_ERR_OK ||
        tern_stack_address_add(w->stack[i], &cidr, TERN_CLAIM_NONE) != TERN_ERR_OK)
        die("no stack");
}

static void open_world(struct world *w, int writer)
{
    const struct pipe_options o = {RATE, QUEUE, ONE_WAY};
    const struct tern_tcp_options listen = {.local = {address_of(1), PORT}};
    const struct tern_tcp_options connect = {.remote = {address_of(1), PORT}};

    memset(w, 0, sizeof(*w));
    w->now = TERN_SECOND;
    w->writer = writer;
    for (int i = 0; i < 2; i++) {
        pipe_open(&w->pipe[i], &o);
        open_stack(w, i);
    }
    if (tern_tcp_listen(w->stack[1], &listen, 1, &w->listener) != TERN_ERR_OK ||
        tern_tcp_connect(w->stack[0], &connect, &w->conn[0]) != TERN_ERR_OK)
        die("no connection");
}

static void close_world(struct world *w)
{
    for (int i = 0; i < 2; i++) {
        pipe_close(&w->pipe[i]);
        munmap(w->memory[i], w->bytes[i]);
    }
}

static void write_all(struct world *w, struct tern_conn *conn)
{
    ptrdiff_t n;

    do {
        n = tern_tcp_write(conn, pattern + w->written % PERIOD, PERIOD);
        w->written += n > 0 ? (uint64_t)n : 0;
    } while (n > 0);
}

static void read_all(struct world *w, struct tern_conn *conn)
{
    struct tern_slice slice;

    while (tern_tcp_peek(conn, &slice) > 0) {
        const size_t n = slice.bytes > PERIOD ? PERIOD : slice.bytes;

        if (memcmp(slice.data, pattern + w->read % PERIOD, n) != 0)
            die("a byte that was not written there");
        w->read += n;
        tern_tcp_skip(conn, n);
    }
}

static void hear(struct world *w, int i)
{
    struct tern_event e;

    while (tern_stack_event(w->stack[i], &e)) {
        if (e.kind == TERN_EVENT_LISTENER)
            (void)!tern_tcp_accept(w->listener, NULL, &w->conn[1]);
        if (e.kind == TERN_EVENT_CONN && (e.bits & TERN_CONN_CLOSED) != 0)
            die("the connection ended");
        if (w->conn[i] == NULL)
            continue;
        if (i == w->writer && tern_tcp_state(w->conn[i]) == TERN_TCP_ESTABLISHED)
            write_all(w, w->conn[i]);
        if (i != w->writer)
            read_all(w, w->conn[i]);
    }
}

static void turn(struct world *w, int i)
{
    struct tern_frame frames[TERN_BURST_MAX];
    int n = pipe_peek(&w->pipe[1 - i], w->now, frames, TERN_BURST_MAX);

    if (n > 0) {
        tern_stack_input(w->stack[i], frames, n, w->now);
        pipe_skip(&w->pipe[1 - i], n);
    }
    if (tern_stack_deadline(w->stack[i]) <= w->now)
        tern_stack_expire(w->stack[i], w->now);
    hear(w, i);
    while ((n = tern_stack_output(w->stack[i], frames, TERN_BURST_MAX, w->now)) > 0)
        for (int k = 0; k < n; k++)
            pipe_send(&w->pipe[i], &frames[k], w->now);
}

static tern_time earliest(const struct world *w)
{
    tern_time at = TERN_TIME_NEVER;

    for (int i = 0; i < 2; i++) {
        const tern_time stack = tern_stack_deadline(w->stack[i]);
        const tern_time pipe = pipe_deadline(&w->pipe[i]);

        at = stack < at ? stack : at;
        at = pipe < at ? pipe : at;
    }
    return at > w->now ? at : w->now + TERN_US;
}

static void run_until(struct world *w, tern_time end)
{
    while (w->now < end) {
        turn(w, 0);
        turn(w, 1);
        w->now = earliest(w);
    }
}

static void print_sender(const struct world *w)
{
    struct tern_tcp_info in, out;

    tern_tcp_info(w->conn[w->writer], &out);
    tern_tcp_info(w->conn[1 - w->writer], &in);
    printf(
        "  %6.2f s: read %9.3f MB, cwnd %8llu, in flight %8llu, unsent %8llu, peer's window %8llu, "
        "srtt %3lld ms, retrans %llu, rtos %llu, lost %llu, beyond holes %llu\n",
        (double)(w->now - TERN_SECOND) / 1e9, (double)w->read / 1e6,
        (unsigned long long)out.cwnd_bytes, (unsigned long long)out.unacked_bytes,
        (unsigned long long)out.notsent_bytes, (unsigned long long)in.rcv_wnd_bytes,
        (long long)(out.srtt / TERN_MS), (unsigned long long)out.retrans,
        (unsigned long long)out.rtos, (unsigned long long)w->pipe[w->writer].lost,
        (unsigned long long)in.out_of_order_in);
}

/* The share of the bottleneck's room for payload that was used between two moments. */
static double share(uint64_t bytes, tern_time time)
{
    const double payload = (MTU - 40 - 12) / (double)(MTU + 14);

    return (double)bytes / ((double)RATE * payload * (double)time / 1e9);
}

static bool one_way(int writer, long seconds, bool verbose)
{
    const tern_time start = TERN_SECOND, end = start + seconds * TERN_SECOND;
    struct world w;
    uint64_t settled;
    double steady, whole;

    open_world(&w, writer);
    for (tern_time t = start; verbose && t < start + SETTLED; t += TERN_SECOND / 4) {
        run_until(&w, t);
        if (w.conn[0] != NULL && w.conn[1] != NULL)
            print_sender(&w);
    }
    run_until(&w, start + SETTLED);
    settled = w.read;
    for (tern_time t = start + SETTLED; verbose && t < end; t += TERN_SECOND) {
        run_until(&w, t);
        print_sender(&w);
    }
    run_until(&w, end);
    steady = share(w.read - settled, end - start - SETTLED);
    whole = share(w.read, end - start);
    printf("%s: %.1f %% of the bottleneck from %lld s to %ld s, %.1f %% with the start\n",
           writer == 0 ? "from client to server" : "from server to client", 100 * steady,
           (long long)(SETTLED / TERN_SECOND), seconds, 100 * whole);
    tern_stack_check(w.stack[0]);
    tern_stack_check(w.stack[1]);
    close_world(&w);
    return whole >= SHARE_MIN;
}

int main(int argc, char **argv)
{
    const int writer = argc > 1 && strcmp(argv[1], "down") == 0;
    const long seconds = argc > 2 ? atol(argv[2]) : 60;

    if (argc < 2 || (writer == 0 && strcmp(argv[1], "up") != 0) ||
        seconds <= SETTLED / TERN_SECOND) {
        (void)fprintf(stderr, "usage: longfat up|down [SECONDS] [-v], more than %d of them\n",
                      (int)(SETTLED / TERN_SECOND));
        return 2;
    }
    for (uint32_t i = 0; i < sizeof(pattern); i++)
        pattern[i] = (uint8_t)((i % PERIOD) * 2654435761u >> 24);
    return one_way(writer, seconds, argc > 3) ? 0 : 1;
}
