/* SPDX-License-Identifier: BSD-2-Clause */
/* Servers at the far end, each on its port, and clients of the endpoint, all in one thread. */
#include "socks_world.h"

#include "apps/inet_guard.h"

struct world socks_world;
static struct tern_dns *dns;
struct tern_socks *socks;
static bool by_lane;
static struct tern_listener *listeners[5];

struct socks_peer socks_peers[PEERS_MAX];
static int peers_count;

uint8_t socks_pattern(size_t offset)
{
    return (uint8_t)(offset * 31 + (offset >> 8) * 7);
}

static void pour(struct socks_peer *p)
{
    while (p->poured < POUR_BYTES) {
        uint8_t piece[1000];
        size_t i;
        ptrdiff_t n;

        for (i = 0; i < sizeof piece; i++)
            piece[i] = socks_pattern(p->poured + i);
        n = tern_tcp_write(p->conn, piece, sizeof piece);
        if (n <= 0)
            return;
        p->poured += (size_t)n;
    }
    tern_tcp_shutdown(p->conn);
}

static void echo(struct socks_peer *p)
{
    struct tern_slice slice;
    ptrdiff_t n;

    while ((n = tern_tcp_peek(p->conn, &slice)) > 0) {
        ptrdiff_t taken = tern_tcp_write(p->conn, slice.data, slice.bytes);

        if (taken <= 0)
            return;
        tern_tcp_skip(p->conn, (size_t)taken);
    }
    if (n == 0)
        tern_tcp_shutdown(p->conn);
}

static void swallow(struct socks_peer *p)
{
    struct tern_slice slice;
    ptrdiff_t n;

    while ((n = tern_tcp_peek(p->conn, &slice)) > 0) {
        p->swallowed += slice.bytes;
        tern_tcp_skip(p->conn, slice.bytes);
    }
    p->ended = p->ended || n == 0;
}

static void play(struct socks_peer *p)
{
    if (p->conn == NULL)
        return;
    if (p->port == PORT_POUR)
        pour(p);
    if (p->port == PORT_ECHO)
        echo(p);
    else
        swallow(p);
}

static void accept_all(struct tern_listener *listener)
{
    struct tern_conn *conn;

    while (tern_tcp_accept(listener, NULL, &conn) == TERN_ERR_OK) {
        struct socks_peer *p = &socks_peers[peers_count++];

        assert_true(peers_count < (int)COUNT(socks_peers));
        *p = (struct socks_peer){.conn = conn, .port = tern_listener_port(listener)};
        tern_tcp_set_user(conn, p);
        if (p->port == PORT_RST) {
            tern_tcp_abort(conn);
            p->conn = NULL;
        } else if (p->port == PORT_SHUT) {
            tern_tcp_shutdown(conn);
        }
        play(p);
    }
}

static void far_event(struct world *w, const struct tern_event *event)
{
    struct socks_peer *p = event->user;

    (void)w;
    if (event->kind == TERN_EVENT_LISTENER)
        accept_all(event->listener);
    if (event->kind != TERN_EVENT_CONN || p == NULL || p->conn == NULL)
        return;
    play(p);
    if ((event->bits & TERN_CONN_CLOSED) != 0) {
        p->ended = true;
        p->failed = tern_tcp_reason(p->conn) != TERN_ERR_OK;
        tern_tcp_close(p->conn);
        p->conn = NULL;
    }
}

int socks_set_up(void **state)
{
    static const uint16_t ports[] = {PORT_ECHO, PORT_POUR, PORT_RST, PORT_SHUT, PORT_MUTE};
    struct tern_dns_options dns_options = {0};
    struct tern_socks_options options = {.listen = true, .own_process_only = true};
    size_t i;

    (void)state;
    world_open(&socks_world);
    socks_world.far_event = far_event;
    peers_count = 0;
    for (i = 0; i < COUNT(ports); i++) {
        struct tern_tcp_options listen = {.local.port = ports[i]};

        assert_int_equal(
            tern_tcp_listen(tern_loop_stack(socks_world.far), &listen, 80, &listeners[i]),
            TERN_ERR_OK);
    }
    dns_options.loop = socks_world.near;
    assert_int_equal(tern_dns_create(&dns_options, &dns), TERN_ERR_OK);
    options.loop = socks_world.near;
    options.dns = dns;
    assert_int_equal(tern_socks_create(&options, &socks), TERN_ERR_OK);
    return 0;
}

int socks_set_up_lane(void **state)
{
    by_lane = true;
    tern_inet_guard();
    return socks_set_up(state);
}

int socks_tear_down(void **state)
{
    (void)state;
    by_lane = false;
    tern_inet_unguard();
    tern_dns_destroy(dns);
    tern_socks_destroy(socks);
    world_close(&socks_world);
    return 0;
}

void socks_turn(void)
{
    world_turn(&socks_world);
    (void)tern_socks_turn(socks);
}

void client_leave(int fd)
{
    (void)tern_inet_guard_close(fd);
}

static int connect_socket(void)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_un to;
    socklen_t bytes;

    tern_socks_address(socks, &to, &bytes);
    assert_int_equal(connect(fd, (const struct sockaddr *)&to, bytes), 0);
    return fd;
}

static int open_client(void)
{
    struct tern_lane *lane;
    int fd;

    assert_int_equal(tern_socks_open(socks, &fd, &lane), TERN_ERR_OK);
    assert_int_equal(tern_inet_guard_enter(fd, lane), TERN_ERR_OK);
    return fd;
}

int client_connect(void)
{
    return by_lane ? open_client() : connect_socket();
}

ssize_t client_read(int fd, void *data, size_t bytes)
{
    int turns;

    for (turns = 0; turns < 1000000; turns++) {
        ssize_t n = recv(fd, data, bytes, 0);

        if (n >= 0 || errno != EAGAIN)
            return n;
        socks_turn();
    }
    fail_msg("nothing came");
    return -1;
}

void client_read_all(int fd, void *data, size_t bytes)
{
    uint8_t *p = data;

    while (bytes > 0) {
        ssize_t n = client_read(fd, p, bytes);

        assert_true(n > 0);
        p += n;
        bytes -= (size_t)n;
    }
}

int client_ask(int fd, uint16_t port)
{
    const uint8_t request[] = {
        5, 1, 0, 5, 1, 0, 1, 10, 0, 0, 2, (uint8_t)(port >> 8), (uint8_t)port};
    uint8_t reply[12];
    size_t i;

    /* Byte by byte: the parser has to wait for more. */
    for (i = 0; i < sizeof request; i++) {
        assert_int_equal(send(fd, request + i, 1, 0), 1);
        socks_turn();
    }
    client_read_all(fd, reply, sizeof reply);
    assert_int_equal(reply[0], 5);
    assert_int_equal(reply[1], 0);
    assert_int_equal(reply[2], 5);
    return reply[3];
}

struct tern_socks_outcome socks_newest(void)
{
    struct tern_socks_outcome outcome;

    assert_true(tern_socks_outcome(socks, 0, &outcome));
    return outcome;
}

void socks_turns(int count)
{
    while (count-- > 0)
        socks_turn();
}
