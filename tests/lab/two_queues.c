/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two stacks in two threads which share one address on an interface, for the lab. Each says hello
 * to all who connect to port 80, swallows what they send, and itself connects to a peer so many
 * times, one after the other, waiting for a byte each time. Each tells what it has done so far,
 * each tenth of a second, as a JSON object on a line of its own, until the program is killed.
 *
 *     two_queues LINK ADDRESS/LEN PEER PORT CONNECTS
 *
 * LINK: lan:INTERFACE or tap:NAME.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tern/tern.h>

#define QUEUES  2
#define BACKLOG 512
#define TELL    (TERN_SECOND / 10)

struct server {
    unsigned queue;
    struct tern_loop *loop;
    struct tern_stack *stack;
    struct tern_listener *listener;
    struct tern_cidr own;
    struct tern_endpoint peer;
    bool claimed, lost;
    struct tern_conn *call;
    unsigned long calls_left, calls_answered, calls_failed, accepted, bytes;
    tern_time tell_at;
};

static void begin_call(struct server *s)
{
    const struct tern_tcp_options options = {.remote = s->peer};

    if (s->call != NULL || s->calls_left == 0)
        return;
    s->calls_left--;
    if (tern_tcp_connect(s->stack, &options, &s->call) != TERN_ERR_OK) {
        s->call = NULL;
        s->calls_failed++;
    }
}

/* The peer says one byte, and nothing after it before we have closed. */
static void hear_call(struct server *s, const struct tern_event *e)
{
    char byte;

    if (tern_tcp_read(s->call, &byte, 1) == 1)
        s->calls_answered++;
    else if ((e->bits & (TERN_CONN_CLOSED | TERN_CONN_PEER_FIN)) != 0)
        s->calls_failed++;
    else
        return;
    tern_tcp_close(s->call);
    s->call = NULL;
}

static void swallow(struct server *s, struct tern_conn *conn)
{
    char bytes[65536];
    ptrdiff_t n;

    while ((n = tern_tcp_read(conn, bytes, sizeof bytes)) > 0)
        s->bytes += (unsigned long)n;
    if (n != TERN_ERR_AGAIN) /* the end, in order or not */
        tern_tcp_close(conn);
}

static void accept_all(struct server *s)
{
    struct tern_conn *conn;

    while (tern_tcp_accept(s->listener, NULL, &conn) == TERN_ERR_OK) {
        s->accepted++;
        (void)!tern_tcp_write(conn, "hello\n", 6);
    }
}

static void hear(struct server *s)
{
    struct tern_event e;

    while (tern_stack_event(s->stack, &e)) {
        if (e.kind == TERN_EVENT_LISTENER)
            accept_all(s);
        else if (e.kind == TERN_EVENT_CONN && e.conn == s->call)
            hear_call(s, &e);
        else if (e.kind == TERN_EVENT_CONN)
            swallow(s, e.conn);
        else if (e.kind == TERN_EVENT_ADDRESS && (e.bits & TERN_ADDRESS_CLAIMED) != 0)
            s->claimed = true;
        else if (e.kind == TERN_EVENT_ADDRESS)
            s->lost = true;
    }
}

static void tell(struct server *s)
{
    struct tern_link *link = tern_loop_link(s->loop);
    struct tern_link_counters l;
    struct tern_stack_counters c;

    if (tern_loop_now(s->loop) < s->tell_at)
        return;
    s->tell_at = tern_loop_now(s->loop) + TELL;
    tern_stack_counters(s->stack, &c);
    link->ops->counters(link, &l);
    printf("{\"queue\": %u, \"accepted\": %lu, \"bytes\": %lu, \"calls_answered\": %lu, "
           "\"calls_failed\": %lu, \"resets_out\": %llu, \"retransmits\": %llu, "
           "\"dropped_in\": %llu}\n",
           s->queue, s->accepted, s->bytes, s->calls_answered, s->calls_failed,
           (unsigned long long)c.tcp_resets_out, (unsigned long long)c.tcp_retransmits,
           (unsigned long long)l.dropped_in);
    fflush(stdout);
}

/* Serve until the address is ours, where only that is wanted, or the link or the address is lost.
 */
static bool run(struct server *s, bool until_claimed)
{
    while (tern_loop_run(s->loop, tern_loop_now(s->loop) + TELL) == TERN_ERR_OK && !s->lost) {
        hear(s);
        if (s->claimed && until_claimed)
            return true;
        if (s->claimed) {
            begin_call(s);
            tell(s);
        }
    }
    return false;
}

static bool set_up(struct server *s, enum tern_claim claim)
{
    const struct tern_tcp_options listen = {.local = {.port = 80}};

    return tern_stack_address_add(s->stack, &s->own, claim) == TERN_ERR_OK &&
           tern_tcp_listen(s->stack, &listen, BACKLOG, &s->listener) == TERN_ERR_OK;
}

static void *serve(void *arg)
{
    struct server *s = arg;

    if (!s->claimed && !set_up(s, TERN_CLAIM_NONE))
        return NULL;
    (void)run(s, false);
    fputs("two_queues: the link or the address is lost\n", stderr);
    return NULL;
}

static enum tern_err open_links(const char *name, struct tern_addr own,
                                struct tern_link *link[QUEUES], char *words)
{
    const struct tern_link_packet_options packet = {
        .interface = name + 4, .socket_fd = -1, .seed = 7, .ring_slots = 60, .address = own};
    const struct tern_link_tap_options tap = {.name = name + 4, .fd = -1, .seed = 7};

    if (strncmp(name, "lan:", 4) == 0)
        return tern_link_packet_open_queues(&packet, QUEUES, link, words);
    if (strncmp(name, "tap:", 4) == 0)
        return tern_link_tap_open_queues(&tap, QUEUES, link, words);
    (void)snprintf(words, TERN_LINK_ERROR_MAX, "no such kind of link: %s", name);
    return TERN_ERR_INVAL;
}

static bool open_all(struct server *s, char **argv)
{
    struct tern_link *link[QUEUES];
    char words[TERN_LINK_ERROR_MAX];

    if (tern_cidr_parse(argv[2], &s[0].own) != TERN_ERR_OK ||
        tern_addr_parse(argv[3], &s[0].peer.addr) != TERN_ERR_OK)
        return false;
    s[0].peer.port = (uint16_t)strtoul(argv[4], NULL, 10);
    s[0].calls_left = strtoul(argv[5], NULL, 10);
    if (open_links(argv[1], s[0].own.addr, link, words) != TERN_ERR_OK) {
        fprintf(stderr, "two_queues: %s\n", words);
        return false;
    }
    for (unsigned i = 0; i < QUEUES; i++) {
        s[i] = s[0];
        s[i].queue = i;
        if (tern_loop_create(link[i], NULL, &s[i].loop) != TERN_ERR_OK)
            return false;
        s[i].stack = tern_loop_stack(s[i].loop);
    }
    return true;
}

int main(int argc, char **argv)
{
    static struct server s[QUEUES];
    pthread_t other;

    if (argc != 6 || !open_all(s, argv) || !set_up(&s[0], TERN_CLAIM_FAST) || !run(&s[0], true)) {
        fputs("two_queues LINK ADDRESS/LEN PEER PORT CONNECTS\n", stderr);
        return 2;
    }
    if (pthread_create(&other, NULL, serve, &s[1]) != 0)
        return 1;
    (void)serve(&s[0]);
    return 1;
}
