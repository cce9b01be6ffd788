/* SPDX-License-Identifier: BSD-2-Clause */
/* Connections over a bottleneck. See path.h. */
#include "path.h"

#include <stdlib.h>
#include <string.h>

#define PORT        80
#define QUEUE_LEAST 2 /* frames */

static struct tern_addr address_of(int i)
{
    return tern_addr_v4(10, 0, 0, (uint8_t)(1 + i));
}

static void make_stack(struct path *p, int i)
{
    const struct tern_cidr cidr = {address_of(i), 24};
    struct tern_config c;
    size_t bytes;

    tern_config_defaults(&c);
    c.seed[0] = (uint8_t)(i + 1);
    c.link.mac = (struct tern_mac){{2, 0, 0, 0, 0, (uint8_t)(1 + i)}};
    c.link.mtu_bytes = PATH_MTU;
    c.connections_max = 4;
    bytes = tern_stack_bytes(&c);
    p->memory[i] = bytes == 0 ? NULL : calloc(1, bytes + 64);
    if (p->memory[i] == NULL)
        abort();
    if (tern_stack_init((void *)(((uintptr_t)p->memory[i] + 63) & ~(uintptr_t)63), bytes, &c,
                        p->now, &p->stack[i]) != TERN_ERR_OK ||
        tern_stack_address_add(p->stack[i], &cidr, TERN_CLAIM_NONE) != TERN_ERR_OK)
        abort();
}

void path_open(struct path *p, const struct path_options *o)
{
    const uint64_t bdp = o->rate * (uint64_t)(o->delay / TERN_US) / 1000000;
    const uint32_t queue = (uint32_t)(bdp * o->buffer_percent / 100 / PATH_MTU);
    const struct sim_faults faults = {
        .loss_ppm = o->loss_ppm,
        .reorder_ppm = o->reorder_ppm,
        .reorder_by = o->reorder_by,
        .ways = 1, /* of the text, not of the ACKs */
        .delay = o->delay / 2,
        .bytes_per_second = o->rate,
        .queue_frames = queue < QUEUE_LEAST ? QUEUE_LEAST : queue,
    };
    const struct tern_tcp_options listen = {.local = {address_of(1), PORT}};

    memset(p, 0, sizeof(*p));
    p->o = *o;
    p->now = TERN_SECOND;
    p->network = sim_network_create(&faults, 1);
    make_stack(p, 0);
    make_stack(p, 1);
    if (tern_tcp_listen(p->stack[1], &listen, PATH_FLOWS_MAX, &p->listener) != TERN_ERR_OK)
        abort();
}

/* A flow's port tells the other side which it is. */
static void connect_due(struct path *p)
{
    for (int i = 0; i < PATH_FLOWS_MAX; i++) {
        const struct tern_tcp_options o = {.local = {.port = (uint16_t)(1000 + i)},
                                           .remote = {address_of(1), PORT},
                                           .congestion = p->o.congestion[i]};

        if (p->o.congestion[i] == NULL || p->flow[i].conn != NULL ||
            p->now < TERN_SECOND + i * p->o.apart)
            continue;
        if (tern_tcp_connect(p->stack[0], &o, &p->flow[i].conn) != TERN_ERR_OK)
            abort();
    }
}

static void accept_all(struct path *p)
{
    struct tern_conn *conn;

    while (tern_tcp_accept(p->listener, NULL, &conn) == TERN_ERR_OK) {
        struct tern_tcp_info info;

        tern_tcp_info(conn, &info);
        p->flow[info.remote.port - 1000].accepted = conn;
    }
}

static void write_and_read(struct path_flow *f)
{
    static uint8_t bytes[65536];
    struct tern_slice slice;
    ptrdiff_t n;

    if (f->conn != NULL && tern_tcp_state(f->conn) != TERN_TCP_SYN_SENT)
        while (tern_tcp_write(f->conn, bytes, sizeof(bytes)) > 0) {
        }
    if (f->accepted == NULL)
        return;
    while ((n = tern_tcp_peek(f->accepted, &slice)) > 0) {
        tern_tcp_skip(f->accepted, (size_t)n);
        f->received += (uint64_t)n;
    }
}

static tern_time turn(struct path *p, int i)
{
    struct tern_stack *s = p->stack[i];
    struct tern_frame frames[TERN_BURST_MAX];
    struct sim_arrival arrived;
    struct tern_event e;
    int n;

    while (sim_network_receive(p->network, i, p->now, &arrived, 1) > 0)
        tern_stack_input(s, &arrived.frame, 1, p->now);
    if (tern_stack_deadline(s) <= p->now)
        tern_stack_expire(s, p->now);
    for (int k = 0; k < PATH_FLOWS_MAX; k++)
        write_and_read(&p->flow[k]);
    while ((n = tern_stack_output(s, frames, TERN_BURST_MAX, p->now)) > 0)
        for (int k = 0; k < n; k++)
            sim_network_send(p->network, i, &frames[k], 0, p->now);
    while (tern_stack_event(s, &e)) {
    }
    return tern_stack_deadline(s);
}

void path_run(struct path *p, tern_time until)
{
    while (p->now < until) {
        tern_time next = until, at;

        connect_due(p);
        for (int i = 0; i < 2; i++) {
            accept_all(p);
            at = turn(p, i);
            next = at < next ? at : next;
        }
        at = sim_network_deadline(p->network);
        next = at < next ? at : next;
        p->now = next > p->now ? next : p->now + TERN_US;
    }
}

double path_percent(const struct path *p, uint64_t bytes, tern_time time)
{
    struct tern_tcp_info info;

    tern_tcp_info(p->flow[0].conn, &info);
    return (double)bytes / info.mss_bytes * (PATH_MTU + 14) * 100 /
           ((double)p->o.rate * (double)time / 1e9);
}

void path_close(struct path *p)
{
    sim_network_destroy(p->network);
    free(p->memory[0]);
    free(p->memory[1]);
}
