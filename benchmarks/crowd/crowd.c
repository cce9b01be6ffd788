/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Very many connections in one process over a real link: a stack of tern's that accepts all who
 * come and sends back what they say.
 *
 *     crowd INTERFACE ADDRESS/LEN PORTS CONNECTIONS AWAKE
 *
 * It listens on the ports 1 to PORTS. Each line on standard input is answered by a JSON object with
 * what it has seen, used, and spent so far; its end ends the program.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <tern/tern.h>

#define BACKLOG    4096
#define PORTS_MAX  64u
#define PIECE      512
#define PAGE_BYTES 4096u

struct crowd {
    struct tern_loop *loop;
    struct tern_stack *stack;
    bool claimed, lost, over;
    unsigned long accepted, ended;
};

static void say_back(struct crowd *c, struct tern_conn *conn)
{
    char text[PIECE];
    ptrdiff_t n;

    while ((n = tern_tcp_read(conn, text, sizeof text)) > 0)
        if (tern_tcp_write(conn, text, (size_t)n) != n)
            c->over = true; /* a message found no room: that is a failure here */
    if (n == TERN_ERR_AGAIN)
        return;
    c->ended++;
    tern_tcp_close(conn);
}

static void accept_all(struct crowd *c, struct tern_listener *l)
{
    struct tern_conn *conn;

    while (tern_tcp_accept(l, NULL, &conn) == TERN_ERR_OK)
        c->accepted++;
}

static void hear(struct crowd *c)
{
    struct tern_event e;

    while (tern_stack_event(c->stack, &e)) {
        if (e.kind == TERN_EVENT_LISTENER)
            accept_all(c, e.listener);
        else if (e.kind == TERN_EVENT_CONN)
            say_back(c, e.conn);
        else if (e.kind == TERN_EVENT_ADDRESS && (e.bits & TERN_ADDRESS_CLAIMED) != 0)
            c->claimed = true;
        else if (e.kind == TERN_EVENT_ADDRESS)
            c->lost = true;
    }
}

static bool turn(struct crowd *c)
{
    if (tern_loop_run(c->loop, TERN_TIME_NEVER) != TERN_ERR_OK)
        c->lost = true;
    hear(c);
    return !c->over && !c->lost;
}

/* ---- what it tells ---- */

static unsigned long resident_bytes(void)
{
    unsigned long total = 0, resident = 0;
    FILE *f = fopen("/proc/self/statm", "r");

    if (f == NULL || fscanf(f, "%lu %lu", &total, &resident) != 2)
        resident = 0;
    if (f != NULL)
        (void)fclose(f);
    return resident * PAGE_BYTES;
}

static unsigned long long cpu_ns(void)
{
    struct timespec t = {0};

    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (unsigned long long)t.tv_sec * 1000000000u + (unsigned long long)t.tv_nsec;
}

static void tell(const struct crowd *c)
{
    struct tern_link *link = tern_loop_link(c->loop);
    struct tern_link_counters l;
    struct tern_stack_counters n;

    link->ops->counters(link, &l);
    tern_stack_counters(c->stack, &n);
    printf("{\"accepted\": %lu, \"ended\": %lu, \"connections\": %llu, \"resting\": %llu, "
           "\"segments_in\": %llu, \"segments_out\": %llu, \"retransmits\": %llu, "
           "\"asleep\": %llu, \"limit\": %llu, \"cookies\": %llu, \"wakes\": %llu, "
           "\"dropped_in\": %llu, \"rss_bytes\": %lu, \"cpu_ns\": %llu}\n",
           c->accepted, c->ended, (unsigned long long)n.connections_used,
           (unsigned long long)n.connections_resting, (unsigned long long)n.tcp_segments_in,
           (unsigned long long)n.tcp_segments_out, (unsigned long long)n.tcp_retransmits,
           (unsigned long long)n.drops[TERN_DROP_TCP_ASLEEP],
           (unsigned long long)n.drops[TERN_DROP_TCP_LIMIT], (unsigned long long)n.syn_cookies_sent,
           (unsigned long long)n.wakes, (unsigned long long)l.dropped_in, resident_bytes(),
           cpu_ns());
    (void)fflush(stdout);
}

static void hear_input(void *user, int fd, uint32_t bits)
{
    struct crowd *c = user;
    char line[256];
    const ssize_t n = read(fd, line, sizeof line);

    (void)bits;
    for (ssize_t i = 0; i < n; i++)
        if (line[i] == '\n')
            tell(c);
    if (n <= 0)
        c->over = true;
}

/* ---- to begin with ---- */

static bool open_loop(struct crowd *c, char **argv, const struct tern_cidr *own)
{
    const struct tern_link_packet_options packet = {
        .interface = argv[1], .socket_fd = -1, .seed = 7, .address = own->addr};
    char words[TERN_LINK_ERROR_MAX];
    struct tern_config config;
    struct tern_link *link;

    tern_config_defaults(&config);
    config.connections_max = (uint32_t)strtoul(argv[4], NULL, 10);
    config.awake_max = (uint32_t)strtoul(argv[5], NULL, 10);
    config.listeners_max = PORTS_MAX;
    config.chunk_bytes = 2048; /* each end with text under way holds one */
    config.chunks_max = 65536;
    config.send_buffer_bytes = config.receive_buffer_bytes = 256 << 10;
    if (tern_link_packet_open(&packet, &link, words) != TERN_ERR_OK) {
        fprintf(stderr, "crowd: %s\n", words);
        return false;
    }
    if (tern_loop_create(link, &config, &c->loop) != TERN_ERR_OK)
        return false;
    tern_loop_wait_set(c->loop, TERN_LOOP_BLOCK); /* spinning would be counted as cost */
    c->stack = tern_loop_stack(c->loop);
    return true;
}

static bool listen_all(struct crowd *c, unsigned long ports)
{
    for (unsigned long i = 0; i < ports; i++) {
        const struct tern_tcp_options at = {.local = {.port = (uint16_t)(1 + i)}};
        struct tern_listener *l;

        if (tern_tcp_listen(c->stack, &at, BACKLOG, &l) != TERN_ERR_OK)
            return false;
    }
    return true;
}

static bool set_up(struct crowd *c, char **argv)
{
    const unsigned long ports = strtoul(argv[3], NULL, 10);
    struct tern_cidr own;

    return ports >= 1 && ports <= PORTS_MAX && tern_cidr_parse(argv[2], &own) == TERN_ERR_OK &&
           open_loop(c, argv, &own) && listen_all(c, ports) &&
           tern_stack_address_add(c->stack, &own, TERN_CLAIM_FAST) == TERN_ERR_OK &&
           tern_loop_watch(c->loop, STDIN_FILENO, 1 /* POLLIN */, hear_input, c) == TERN_ERR_OK;
}

int main(int argc, char **argv)
{
    static struct crowd c;

    if (argc != 6 || !set_up(&c, argv)) {
        fputs("crowd INTERFACE ADDRESS/LEN PORTS CONNECTIONS AWAKE\n", stderr);
        return 2;
    }
    while (!c.claimed && turn(&c))
        continue;
    tell(&c);
    while (turn(&c))
        continue;
    tern_loop_destroy(c.loop);
    return c.lost ? 1 : 0;
}
