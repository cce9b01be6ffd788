/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A server for the lab, over libtern: says hello to each who connects to port 80, and swallows all
 * that they send. Each tenth of a second it prints what it has done so far, as a JSON object on a
 * line of its own, until it is killed.
 *
 *     sink INTERFACE ADDRESS/LEN GATEWAY [deaf]      deaf: accepts nobody
 */
#include <stdio.h>
#include <string.h>

#include <tern/tern.h>

#define BACKLOG 64
#define TELL    (TERN_SECOND / 10)

struct sink {
    struct tern_loop *loop;
    struct tern_stack *stack;
    struct tern_listener *listener;
    uint64_t bytes, accepted;
    tern_time tell_at;
    bool deaf;
};

static void swallow(struct sink *s, struct tern_conn *conn)
{
    static uint8_t bytes[65536];
    ptrdiff_t n;

    while ((n = tern_tcp_read(conn, bytes, sizeof bytes)) > 0)
        s->bytes += (uint64_t)n;
    if (n != TERN_ERR_AGAIN) /* the end, in order or not */
        tern_tcp_close(conn);
}

static void accept_all(struct sink *s)
{
    struct tern_conn *conn;

    while (!s->deaf && tern_tcp_accept(s->listener, NULL, &conn) == TERN_ERR_OK) {
        s->accepted++;
        (void)!tern_tcp_write(conn, "hello\n", 6);
    }
}

static void hear(struct sink *s)
{
    struct tern_event e;

    while (tern_stack_event(s->stack, &e)) {
        if (e.kind == TERN_EVENT_LISTENER)
            accept_all(s);
        else if (e.kind == TERN_EVENT_CONN)
            swallow(s, e.conn);
    }
}

static void tell(struct sink *s)
{
    struct tern_stack_counters c;

    if (tern_loop_now(s->loop) < s->tell_at)
        return;
    s->tell_at = tern_loop_now(s->loop) + TELL;
    tern_stack_counters(s->stack, &c);
    printf("{\"at_ns\": %lld, \"bytes\": %llu, \"accepted\": %llu, \"cookies_sent\": %llu, "
           "\"cookies_accepted\": %llu, \"frames_in\": %llu, \"resets_out\": %llu, "
           "\"connections\": %llu}\n",
           (long long)tern_loop_now(s->loop), (unsigned long long)s->bytes,
           (unsigned long long)s->accepted, (unsigned long long)c.syn_cookies_sent,
           (unsigned long long)c.syn_cookies_accepted, (unsigned long long)c.frames_in,
           (unsigned long long)c.tcp_resets_out, (unsigned long long)c.connections_used);
    fflush(stdout);
}

static enum tern_err open_sink(struct sink *s, char **argv)
{
    struct tern_link_packet_options packet = {.interface = argv[1], .socket_fd = -1, .seed = 7};
    const struct tern_tcp_options listen = {.local = {.port = 80}};
    struct tern_link *link;
    struct tern_cidr own;
    struct tern_addr gateway;
    char words[TERN_LINK_ERROR_MAX];
    enum tern_err err;

    if (tern_cidr_parse(argv[2], &own) != TERN_ERR_OK ||
        tern_addr_parse(argv[3], &gateway) != TERN_ERR_OK)
        return TERN_ERR_INVAL;
    packet.address = own.addr;
    err = tern_link_packet_open(&packet, &link, words);
    if (err != TERN_ERR_OK) {
        fprintf(stderr, "sink: %s\n", words);
        return err;
    }
    err = tern_loop_create(link, NULL, &s->loop);
    if (err != TERN_ERR_OK)
        return err;
    s->stack = tern_loop_stack(s->loop);
    tern_stack_gateway_set(s->stack, gateway);
    err = tern_stack_address_add(s->stack, &own, TERN_CLAIM_FAST);
    return err != TERN_ERR_OK ? err : tern_tcp_listen(s->stack, &listen, BACKLOG, &s->listener);
}

int main(int argc, char **argv)
{
    struct sink s = {.deaf = argc > 4};

    if (argc < 4 || open_sink(&s, argv) != TERN_ERR_OK) {
        fputs("sink INTERFACE ADDRESS/LEN GATEWAY [deaf]\n", stderr);
        return 2;
    }
    while (tern_loop_run(s.loop, tern_loop_now(s.loop) + TELL) == TERN_ERR_OK) {
        hear(&s);
        tell(&s);
    }
    return 1;
}
