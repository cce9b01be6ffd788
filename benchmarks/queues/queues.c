/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What several stacks in one process cost, each on a queue of its own of one link and one address:
 * bulk in, or messages of 64 bytes and their answers, from `tern bench peer` at the other end.
 *
 *     queues lan:INTERFACE|tap:NAME ADDRESS/LEN PEER PORT QUEUES bulk|messages STREAMS SECONDS
 *
 * STREAMS connections a stack. One JSON object: for each stack bytes and segments received, and the
 * processor time of its thread (what the kernel does for it in calls of its own included), from
 * half a second after all are connected.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <tern/tern.h>

#include "apps/bench_parts.h"

#define STREAMS_MAX 4096u
#define QUEUES_MAX  16u
#define MESSAGE     64u
#define WRITES      131072u /* of the peer, for bulk */
#define WARM_UP     (TERN_SECOND / 2)
#define PATIENCE    (20 * TERN_SECOND)
#define TURN        (50 * TERN_MS)

struct figures {
    uint64_t bytes, segments, dropped;
    tern_time cpu;
};

struct queue {
    pthread_t thread;
    uint32_t number;
    struct tern_loop *loop;
    struct tern_stack *stack;
    bool claimed;
    uint32_t up; /* connections that are established */
    uint64_t bytes;
    struct figures first, last;
};

struct world {
    struct tern_cidr own;
    struct tern_endpoint peer;
    uint32_t queues, streams;
    uint8_t kind;
    tern_time seconds;
    atomic_uint ready;
    atomic_bool failed;
    struct queue queue[QUEUES_MAX];
};

static struct world world;

static tern_time thread_cpu(void)
{
    struct timespec t = {0};

    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (tern_time)t.tv_sec * TERN_SECOND + t.tv_nsec;
}

static struct figures figures_of(struct queue *q)
{
    struct tern_link *link = tern_loop_link(q->loop);
    struct tern_link_counters l;
    struct tern_stack_counters c;

    link->ops->counters(link, &l);
    tern_stack_counters(q->stack, &c);
    return (struct figures){.bytes = q->bytes,
                            .segments = c.tcp_segments_in,
                            .dropped = l.dropped_in,
                            .cpu = thread_cpu()};
}

static void say_head(struct tern_conn *conn)
{
    uint8_t head[TERN_BENCH_HEAD_BYTES + MESSAGE] = {world.kind};
    const bool bulk = world.kind == TERN_BENCH_KIND_SOURCE;
    const uint32_t size = bulk ? WRITES : MESSAGE;

    for (int i = 0; i < 4; i++)
        head[TERN_BENCH_HEAD_SIZE + i] = (uint8_t)(size >> (24 - 8 * i));
    (void)!tern_tcp_write(conn, head, bulk ? TERN_BENCH_HEAD_BYTES : sizeof head);
}

/* All that has come; and for each whole message another. */
static void hear(struct queue *q, const struct tern_event *e)
{
    static const uint8_t message[MESSAGE];
    struct tern_slice piece[8];
    uint64_t got = 0;
    int n;

    if ((e->bits & TERN_CONN_ESTABLISHED) != 0) {
        q->up++;
        say_head(e->conn);
    }
    if ((e->bits & TERN_CONN_CLOSED) != 0)
        world.failed = true;
    while ((n = tern_tcp_peekv(e->conn, piece, 8)) > 0) {
        size_t bytes = 0;

        for (int i = 0; i < n; i++)
            bytes += piece[i].bytes;
        tern_tcp_skip(e->conn, bytes);
        got += bytes;
    }
    q->bytes += got;
    if (world.kind == TERN_BENCH_KIND_ECHO && got > 0)
        (void)!tern_tcp_write(e->conn, message, got < MESSAGE ? got : MESSAGE);
}

static bool turn(struct queue *q)
{
    struct tern_event e;

    if (tern_loop_run(q->loop, tern_loop_now(q->loop) + TURN) != TERN_ERR_OK)
        world.failed = true;
    while (tern_stack_event(q->stack, &e)) {
        if (e.kind == TERN_EVENT_CONN)
            hear(q, &e);
        else if (e.kind == TERN_EVENT_ADDRESS && (e.bits & TERN_ADDRESS_CLAIMED) != 0)
            q->claimed = true;
    }
    return !world.failed;
}

static bool connect_all(struct queue *q)
{
    const struct tern_tcp_options options = {.remote = world.peer, .nodelay = true};
    const tern_time until = tern_loop_now(q->loop) + PATIENCE;
    struct tern_conn *conn;

    for (uint32_t i = 0; i < world.streams; i++)
        if (tern_tcp_connect(q->stack, &options, &conn) != TERN_ERR_OK)
            return false;
    while (q->up < world.streams && tern_loop_now(q->loop) < until && turn(q))
        continue;
    return q->up == world.streams;
}

static void run_until(struct queue *q, tern_time until)
{
    while (tern_loop_now(q->loop) < until && turn(q))
        continue;
}

static void *live(void *arg)
{
    struct queue *q = arg;

    if (!connect_all(q))
        world.failed = true;
    world.ready++;
    while (world.ready < world.queues && turn(q))
        continue;
    run_until(q, tern_loop_now(q->loop) + WARM_UP);
    q->first = figures_of(q);
    run_until(q, tern_loop_now(q->loop) + world.seconds);
    q->last = figures_of(q);
    world.ready++; /* and go on until all have measured: what the others get depends on us */
    while (world.ready < 2 * world.queues && turn(q))
        continue;
    return NULL;
}

static enum tern_err open_links(const char *name, struct tern_link **link, char *words)
{
    const struct tern_link_packet_options packet = {
        .interface = name + 4, .socket_fd = -1, .seed = 7, .address = world.own.addr};
    const struct tern_link_tap_options tap = {.name = name + 4, .fd = -1, .seed = 7};

    if (strncmp(name, "tap:", 4) == 0)
        return tern_link_tap_open_queues(&tap, world.queues, link, words);
    return tern_link_packet_open_queues(&packet, world.queues, link, words);
}

/* The first stack claims the address, the others join it. */
static bool open_all(const char *name)
{
    struct tern_link *link[QUEUES_MAX];
    char words[TERN_LINK_ERROR_MAX];

    if (open_links(name, link, words) != TERN_ERR_OK) {
        fprintf(stderr, "queues: %s\n", words);
        return false;
    }
    for (uint32_t i = 0; i < world.queues; i++) {
        struct queue *q = &world.queue[i];

        q->number = i;
        if (tern_loop_create(link[i], NULL, &q->loop) != TERN_ERR_OK)
            return false;
        tern_loop_borrow(q->loop, true);
        tern_loop_wait_set(q->loop, TERN_LOOP_BLOCK);
        q->stack = tern_loop_stack(q->loop);
        if (tern_stack_address_add(q->stack, &world.own,
                                   i == 0 ? TERN_CLAIM_FAST : TERN_CLAIM_NONE) != TERN_ERR_OK)
            return false;
        while (!q->claimed && turn(q))
            continue;
    }
    return !world.failed;
}

static bool understand(char **argv)
{
    world.queues = (uint32_t)strtoul(argv[5], NULL, 10);
    world.kind = strcmp(argv[6], "bulk") == 0 ? TERN_BENCH_KIND_SOURCE : TERN_BENCH_KIND_ECHO;
    world.streams = (uint32_t)strtoul(argv[7], NULL, 10);
    world.seconds = (tern_time)(strtod(argv[8], NULL) * (double)TERN_SECOND);
    world.peer.port = (uint16_t)strtoul(argv[4], NULL, 10);
    return tern_cidr_parse(argv[2], &world.own) == TERN_ERR_OK &&
           tern_addr_parse(argv[3], &world.peer.addr) == TERN_ERR_OK && world.queues >= 1 &&
           world.queues <= QUEUES_MAX && world.streams >= 1 && world.streams <= STREAMS_MAX;
}

static void print(void)
{
    printf("[");
    for (uint32_t i = 0; i < world.queues; i++) {
        const struct figures *a = &world.queue[i].first, *b = &world.queue[i].last;

        printf("%s{\"queue\": %u, \"bytes\": %llu, \"segments\": %llu, \"dropped\": %llu, "
               "\"cpu_ns\": %lld}",
               i == 0 ? "" : ", ", i, (unsigned long long)(b->bytes - a->bytes),
               (unsigned long long)(b->segments - a->segments),
               (unsigned long long)(b->dropped - a->dropped), (long long)(b->cpu - a->cpu));
    }
    printf("]\n");
}

int main(int argc, char **argv)
{
    if (argc != 9 || !understand(argv) || !open_all(argv[1])) {
        fputs("queues LINK ADDRESS/LEN PEER PORT QUEUES bulk|messages STREAMS SECONDS\n", stderr);
        return 2;
    }
    for (uint32_t i = 1; i < world.queues; i++)
        if (pthread_create(&world.queue[i].thread, NULL, live, &world.queue[i]) != 0)
            return 1;
    (void)live(&world.queue[0]);
    for (uint32_t i = 1; i < world.queues; i++)
        (void)pthread_join(world.queue[i].thread, NULL);
    if (!world.failed)
        print();
    return world.failed ? 1 : 0;
}
