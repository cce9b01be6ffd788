/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How much of a bottleneck one connection gets, by controller, path, buffer and loss, in virtual
 * time: two whole stacks, no faults but those of the row. Each row has bounds: what a controller
 * of that kind must reach, and what it cannot honestly exceed. `goodput -v` prints the table.
 */
#include "network.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tern/tern.h>

#define MTU     1500
#define WARM_UP (6 * TERN_SECOND)

struct row {
    const char *congestion;
    uint64_t rate;           /* bytes a second */
    tern_time delay;         /* there and back */
    uint32_t buffer_percent; /* of a BDP */
    uint32_t loss_ppm;
    uint32_t least, most; /* percent of the rate, frames and all */
};

struct end {
    struct tern_stack *stack;
    void *memory;
    struct tern_conn *conn;
};

struct path {
    struct end end[2];
    struct tern_listener *listener;
    struct sim_network *network;
    tern_time now;
    uint64_t received, received_warm;
};

static struct tern_addr address_of(int i)
{
    return tern_addr_v4(10, 0, 0, (uint8_t)(1 + i));
}

static void make_stack(struct path *p, int i, const struct row *row)
{
    const struct tern_cidr cidr = {address_of(i), 24};
    struct tern_config c;
    size_t bytes;

    tern_config_defaults(&c);
    c.seed[0] = (uint8_t)(i + 1);
    c.link.mac = (struct tern_mac){{2, 0, 0, 0, 0, (uint8_t)(1 + i)}};
    c.link.mtu_bytes = MTU;
    c.connections_max = 4;
    c.traces_count = 0;
    c.congestion = row->congestion;
    bytes = tern_stack_bytes(&c);
    p->end[i].memory = bytes == 0 ? NULL : aligned_alloc(64, bytes);
    if (p->end[i].memory == NULL)
        abort();
    memset(p->end[i].memory, 0, bytes);
    if (tern_stack_init(p->end[i].memory, bytes, &c, p->now, &p->end[i].stack) != TERN_ERR_OK ||
        tern_stack_address_add(p->end[i].stack, &cidr, TERN_CLAIM_NONE) != TERN_ERR_OK)
        abort();
}

static void open_path(struct path *p, const struct row *row)
{
    const uint64_t bdp = row->rate * (uint64_t)(row->delay / TERN_US) / 1000000;
    const struct sim_faults faults = {
        .loss_ppm = row->loss_ppm,
        .delay = row->delay / 2,
        .bytes_per_second = row->rate,
        .queue_frames = (uint32_t)(bdp * row->buffer_percent / 100 / MTU),
    };
    struct tern_tcp_options o = {.local = {.addr = address_of(1), .port = 80}};

    memset(p, 0, sizeof(*p));
    p->now = TERN_SECOND;
    p->network = sim_network_create(&faults, 1);
    make_stack(p, 0, row);
    make_stack(p, 1, row);
    if (tern_tcp_listen(p->end[1].stack, &o, 1, &p->listener) != TERN_ERR_OK)
        abort();
    o = (struct tern_tcp_options){.remote = {.addr = address_of(1), .port = 80}};
    if (tern_tcp_connect(p->end[0].stack, &o, &p->end[0].conn) != TERN_ERR_OK)
        abort();
}

static void write_and_read(struct path *p)
{
    static uint8_t bytes[65536];
    struct tern_slice slice;
    ptrdiff_t n;

    if (tern_tcp_state(p->end[0].conn) != TERN_TCP_SYN_SENT)
        while (tern_tcp_write(p->end[0].conn, bytes, sizeof(bytes)) > 0) {
        }
    if (p->end[1].conn == NULL &&
        tern_tcp_accept(p->listener, NULL, &p->end[1].conn) != TERN_ERR_OK)
        return;
    while ((n = tern_tcp_peek(p->end[1].conn, &slice)) > 0) {
        tern_tcp_skip(p->end[1].conn, (size_t)n);
        p->received += (uint64_t)n;
    }
}

static void step(struct path *p)
{
    tern_time next = TERN_TIME_NEVER;
    struct tern_frame frames[TERN_BURST_MAX], frame;
    struct tern_event e;
    int n;

    for (int i = 0; i < 2; i++) {
        struct tern_stack *s = p->end[i].stack;

        while (sim_network_receive(p->network, i, p->now, &frame))
            tern_stack_input(s, &frame, 1, p->now);
        if (tern_stack_deadline(s) <= p->now)
            tern_stack_expire(s, p->now);
    }
    write_and_read(p);
    for (int i = 0; i < 2; i++) {
        struct tern_stack *s = p->end[i].stack;

        while ((n = tern_stack_output(s, frames, TERN_BURST_MAX, p->now)) > 0)
            for (int k = 0; k < n; k++)
                sim_network_send(p->network, i, &frames[k], p->now);
        while (tern_stack_event(s, &e)) {
        }
        next = tern_stack_deadline(s) < next ? tern_stack_deadline(s) : next;
    }
    if (sim_network_deadline(p->network) < next)
        next = sim_network_deadline(p->network);
    p->now = next > p->now ? next : p->now + TERN_US;
}

static void close_path(struct path *p)
{
    sim_network_destroy(p->network);
    free(p->end[0].memory);
    free(p->end[1].memory);
}

/* Percent of the rate that the text had with its headers. */
static double measure(const struct row *row, tern_time duration, struct tern_tcp_info *info)
{
    struct path p;
    double bytes;

    open_path(&p, row);
    while (p.now < TERN_SECOND + WARM_UP)
        step(&p);
    p.received_warm = p.received;
    while (p.now < TERN_SECOND + WARM_UP + duration)
        step(&p);
    tern_tcp_info(p.end[0].conn, info);
    bytes = (double)(p.received - p.received_warm) / info->mss_bytes * (MTU + 14);
    close_path(&p);
    return bytes * 100 / ((double)row->rate * (double)duration / 1e9);
}

int main(int argc, char **argv)
{
    static const struct row rows[] = {
        {"reno", 1250000, 20 * TERN_MS, 100, 0, 90, 101},
        {"cubic", 1250000, 20 * TERN_MS, 100, 0, 93, 101},
        {"bbr", 1250000, 20 * TERN_MS, 100, 0, 90, 101},
        {"cubic", 12500000, 40 * TERN_MS, 100, 0, 93, 101},
        {"bbr", 12500000, 40 * TERN_MS, 100, 0, 90, 101},
        {"cubic", 12500000, 40 * TERN_MS, 20, 0, 80, 101},
        {"bbr", 12500000, 40 * TERN_MS, 20, 0, 88, 101},
        {"reno", 12500000, 40 * TERN_MS, 100, 1000, 5, 40},
        {"cubic", 12500000, 40 * TERN_MS, 100, 1000, 8, 60},
        {"bbr", 12500000, 40 * TERN_MS, 100, 1000, 70, 101},
        {"bbr", 12500000, 40 * TERN_MS, 100, 10000, 60, 101},
        {"cubic", 1250000, 2 * TERN_MS, 300, 0, 93, 101},
        {"bbr", 1250000, 2 * TERN_MS, 300, 0, 85, 101},
    };
    const bool verbose = argc > 1 && strcmp(argv[1], "-v") == 0;
    unsigned failed = 0;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *r = &rows[i];
        struct tern_tcp_info info;
        const double got = measure(r, 10 * TERN_SECOND, &info);
        const bool ok = got >= r->least && got <= r->most;

        if (!ok || verbose)
            printf(
                "%s %-5s %4llu Mbit/s %3lld ms, buffer %3u %%, loss %.1f %%: %5.1f %% of %u to %u, "
                "%llu resent, %llu timeouts, srtt %.1f ms, cwnd %llu\n",
                ok ? "ok  " : "FAIL", r->congestion, (unsigned long long)r->rate / 125000,
                (long long)(r->delay / TERN_MS), r->buffer_percent, r->loss_ppm / 1e4, got,
                r->least, r->most, (unsigned long long)info.retrans, (unsigned long long)info.rtos,
                (double)info.srtt / 1e6, (unsigned long long)info.cwnd_bytes);
        failed += !ok;
    }
    printf("%zu rows, %u failed\n", sizeof rows / sizeof rows[0], failed);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
