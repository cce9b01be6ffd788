/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The SOCKS endpoint with a client on its Unix socket, or one with a lane, and servers at the far
 * end of a cable in memory: requests and their outcomes, bytes both ways with a slow reader at
 * either end, half-close, reset, clients that leave, and strangers.
 */
#include "world.h"

#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

#include "apps/inet_guard.h"
#include "apps/socks.h"

#define PORT_ECHO 7  /* sends back what it gets, ends after the client's end */
#define PORT_POUR 80 /* sends POUR_BYTES at once and ends */
#define PORT_RST  81 /* resets */
#define PORT_SHUT 82 /* ends at once and swallows what comes */
#define PORT_MUTE 83 /* swallows what comes */

#define POUR_BYTES 6000000 /* more than all buffers between the two hold */
#define ECHO_BYTES 1000000

static struct world world;
static struct tern_dns *dns;
static struct tern_socks *socks;
static bool by_lane;
static struct tern_listener *listeners[5];

struct peer {
    struct tern_conn *conn;
    uint16_t port;
    size_t poured, swallowed;
    bool ended, failed;
};
static struct peer peers[80];
static int peers_count;

static uint8_t pattern(size_t offset)
{
    return (uint8_t)(offset * 31 + (offset >> 8) * 7);
}

static void pour(struct peer *p)
{
    while (p->poured < POUR_BYTES) {
        uint8_t piece[1000];
        size_t i;
        ptrdiff_t n;

        for (i = 0; i < sizeof piece; i++)
            piece[i] = pattern(p->poured + i);
        n = tern_tcp_write(p->conn, piece, sizeof piece);
        if (n <= 0)
            return;
        p->poured += (size_t)n;
    }
    tern_tcp_shutdown(p->conn);
}

static void echo(struct peer *p)
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

static void swallow(struct peer *p)
{
    struct tern_slice slice;
    ptrdiff_t n;

    while ((n = tern_tcp_peek(p->conn, &slice)) > 0) {
        p->swallowed += slice.bytes;
        tern_tcp_skip(p->conn, slice.bytes);
    }
    p->ended = p->ended || n == 0;
}

static void play(struct peer *p)
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
        struct peer *p = &peers[peers_count++];

        assert_true(peers_count < (int)COUNT(peers));
        *p = (struct peer){.conn = conn, .port = tern_listener_port(listener)};
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
    struct peer *p = event->user;

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

static int set_up(void **state)
{
    static const uint16_t ports[] = {PORT_ECHO, PORT_POUR, PORT_RST, PORT_SHUT, PORT_MUTE};
    struct tern_dns_options dns_options = {0};
    struct tern_socks_options options = {.listen = true, .own_process_only = true};
    size_t i;

    (void)state;
    world_open(&world);
    world.far_event = far_event;
    peers_count = 0;
    for (i = 0; i < COUNT(ports); i++) {
        struct tern_tcp_options listen = {.local.port = ports[i]};

        assert_int_equal(tern_tcp_listen(tern_loop_stack(world.far), &listen, 80, &listeners[i]),
                         TERN_ERR_OK);
    }
    dns_options.loop = world.near;
    assert_int_equal(tern_dns_create(&dns_options, &dns), TERN_ERR_OK);
    options.loop = world.near;
    options.dns = dns;
    assert_int_equal(tern_socks_create(&options, &socks), TERN_ERR_OK);
    return 0;
}

static int set_up_lane(void **state)
{
    by_lane = true;
    tern_inet_guard();
    return set_up(state);
}

static int tear_down(void **state)
{
    (void)state;
    by_lane = false;
    tern_inet_unguard();
    tern_dns_destroy(dns);
    tern_socks_destroy(socks);
    world_close(&world);
    return 0;
}

static void turn(void)
{
    world_turn(&world);
    (void)tern_socks_turn(socks);
}

static void leave(int fd)
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

static int connect_client(void)
{
    return by_lane ? open_client() : connect_socket();
}

/* One read of the client's; turns the world where there is nothing. -1: reset. */
static ssize_t client_read(int fd, void *data, size_t bytes)
{
    int turns;

    for (turns = 0; turns < 1000000; turns++) {
        ssize_t n = recv(fd, data, bytes, 0);

        if (n >= 0 || errno != EAGAIN)
            return n;
        turn();
    }
    fail_msg("nothing came");
    return -1;
}

static void read_exactly(int fd, void *data, size_t bytes)
{
    uint8_t *p = data;

    while (bytes > 0) {
        ssize_t n = client_read(fd, p, bytes);

        assert_true(n > 0);
        p += n;
        bytes -= (size_t)n;
    }
}

/* Greeting and request; returns the reply's code. */
static int ask(int fd, uint16_t port)
{
    const uint8_t request[] = {
        5, 1, 0, 5, 1, 0, 1, 10, 0, 0, 2, (uint8_t)(port >> 8), (uint8_t)port};
    uint8_t reply[12];
    size_t i;

    /* Byte by byte: the parser has to wait for more. */
    for (i = 0; i < sizeof request; i++) {
        assert_int_equal(send(fd, request + i, 1, 0), 1);
        turn();
    }
    read_exactly(fd, reply, sizeof reply);
    assert_int_equal(reply[0], 5);
    assert_int_equal(reply[1], 0);
    assert_int_equal(reply[2], 5);
    return reply[3];
}

static struct tern_socks_outcome newest(void)
{
    struct tern_socks_outcome outcome;

    assert_true(tern_socks_outcome(socks, 0, &outcome));
    return outcome;
}

static void turns(int count)
{
    while (count-- > 0)
        turn();
}

/* A large body to a client that reads slowly at first: whole, in order, then the end. */
static void pours_down(void **state)
{
    int fd = connect_client();
    size_t offset = 0;
    uint8_t data[5000];

    (void)state;
    assert_int_equal(ask(fd, PORT_POUR), 0);
    turns(300); /* everything fills up: nobody reads */
    assert_true(peers[0].poured < POUR_BYTES);
    for (;;) {
        ssize_t n = client_read(fd, data, sizeof data);
        ssize_t i;

        assert_true(n >= 0);
        if (n == 0)
            break;
        for (i = 0; i < n; i++)
            if (data[i] != pattern(offset + (size_t)i))
                fail_msg("byte %zu is wrong", offset + (size_t)i);
        offset += (size_t)n;
    }
    assert_true(offset >= POUR_BYTES);
    assert_int_equal(offset, peers[0].poured);
    assert_true(newest().established);
    assert_false(newest().ended);
    leave(fd);
    turns(50);
    assert_true(newest().ended);
    assert_int_equal(newest().err, TERN_ERR_OK);
    assert_true(tern_socks_idle(socks));
    assert_int_equal(tern_stack_connections_unfinished(tern_loop_stack(world.near)), 0);
}

/* Bytes up and back, then the client's half-close, which comes back as the far end's. */
static void echoes(void **state)
{
    int fd = connect_client();
    size_t sent = 0, got = 0;
    int idle = 0;

    (void)state;
    assert_int_equal(ask(fd, PORT_ECHO), 0);
    while (got < ECHO_BYTES && idle < 100000) {
        uint8_t data[777];
        ssize_t n, i;

        for (i = 0; i < (ssize_t)sizeof data; i++)
            data[i] = pattern(sent + (size_t)i);
        n = sent < ECHO_BYTES ? send(fd, data, sizeof data, 0) : 0;
        sent += n > 0 ? (size_t)n : 0;
        if (sent >= ECHO_BYTES)
            (void)shutdown(fd, SHUT_WR);
        n = recv(fd, data, sizeof data, 0);
        idle = n > 0 ? 0 : idle + 1;
        for (i = 0; i < n; i++)
            if (data[i] != pattern(got + (size_t)i))
                fail_msg("byte %zu is wrong", got + (size_t)i);
        got += n > 0 ? (size_t)n : 0;
        turn();
    }
    while (got < sent) {
        uint8_t rest[777];
        ssize_t n = client_read(fd, rest, sizeof rest);

        assert_true(n > 0);
        got += (size_t)n;
    }
    assert_int_equal(got, sent);
    assert_int_equal(client_read(fd, &got, 1), 0);
    leave(fd);
    turns(50);
    assert_int_equal(newest().err, TERN_ERR_OK);
    assert_true(tern_socks_idle(socks));
}

static void refused(void **state)
{
    int fd = connect_client();
    char byte;

    (void)state;
    assert_int_equal(ask(fd, 9), 5);
    assert_int_equal(newest().err, TERN_ERR_REFUSED);
    assert_false(newest().established);
    assert_true(newest().ended);
    assert_string_equal(newest().host, "10.0.0.2");
    assert_int_equal(newest().port, 9);
    assert_int_equal(client_read(fd, &byte, 1), 0);
    leave(fd);
    assert_true(tern_socks_idle(socks));
}

static void reset_by_the_peer(void **state)
{
    int fd = connect_client();
    char byte;

    (void)state;
    assert_int_equal(ask(fd, PORT_RST), 0);
    assert_true(client_read(fd, &byte, 1) <= 0);
    assert_true(newest().established);
    assert_true(newest().ended);
    assert_int_equal(newest().err, TERN_ERR_RESET);
    leave(fd);
}

/* The far end closes its direction only: the client's bytes still go there. */
static void half_closed_by_the_peer(void **state)
{
    int fd = connect_client();
    char byte;

    (void)state;
    assert_int_equal(ask(fd, PORT_SHUT), 0);
    assert_int_equal(client_read(fd, &byte, 1), 0);
    assert_int_equal(send(fd, "still here", 10, 0), 10);
    turns(50);
    assert_int_equal(peers[0].swallowed, 10);
    leave(fd);
    turns(50);
    assert_true(peers[0].ended);
    assert_int_equal(newest().err, TERN_ERR_OK);
}

/* What a client sent before it closed arrives, and the connection ends in order. */
static void client_leaves(void **state)
{
    uint8_t data[100000] = {0};
    int fd = connect_client();
    ssize_t sent;

    (void)state;
    assert_int_equal(ask(fd, PORT_SHUT), 0);
    sent = send(fd, data, sizeof data, 0);
    assert_true(sent > 0);
    leave(fd);
    turns(300);
    assert_int_equal(peers[0].swallowed, sent);
    assert_true(peers[0].ended);
    assert_true(tern_socks_idle(socks));
}

static void nonsense_is_closed(void **state)
{
    int fd = connect_client();
    char byte;

    (void)state;
    assert_int_equal(send(fd, "GET / HTTP/1.1\r\n", 16, 0), 16);
    assert_true(client_read(fd, &byte, 1) <= 0);
    leave(fd);
    assert_true(tern_socks_idle(socks));
}

static void more_clients_than_places(void **state)
{
    int fds[TERN_SOCKS_CONNECTIONS_MAX + 4];
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(fds); i++) {
        fds[i] = connect_client();
        turns(2);
    }
    turns(20);
    for (i = 0; i < 8; i++)
        leave(fds[i]);
    /* The last ones waited and are served now. */
    assert_int_equal(ask(fds[COUNT(fds) - 1], PORT_ECHO), 0);
    for (i = 8; i < COUNT(fds); i++)
        leave(fds[i]);
    turns(100);
    assert_true(tern_socks_idle(socks));
}

static void strangers_are_refused(void **state)
{
    pid_t child = fork();
    int status = 0, i;

    (void)state;
    if (child == 0) {
        int fd = connect_client();

        (void)send(fd, "\5\1\0", 3, MSG_NOSIGNAL);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    for (i = 0; i < 10; i++) {
        turn();
        assert_true(tern_socks_idle(socks));
    }
}

/* ---- what only a lane could get wrong ---- */

/* The connection is reset while the client still has bytes of it to read. */
static void unread_bytes_stay_readable(void **state)
{
    int fd = connect_client();
    size_t offset = 0;
    uint8_t data[5000];
    ssize_t n;

    (void)state;
    assert_int_equal(ask(fd, PORT_POUR), 0);
    turns(300);
    tern_tcp_abort(peers[0].conn);
    peers[0].conn = NULL;
    turns(50);
    assert_true(newest().ended);
    assert_int_equal(newest().err, TERN_ERR_RESET);
    while ((n = client_read(fd, data, sizeof data)) > 0)
        for (ssize_t i = 0; i < n; i++, offset++)
            if (data[i] != pattern(offset))
                fail_msg("byte %zu is wrong", offset);
    assert_int_equal(n, 0);
    assert_true(offset > 100000);
    leave(fd);
    turns(50);
    assert_true(tern_socks_idle(socks));
}

/* A client that read all that came closes by FIN; one that did not, by RST. */
static void all_read_ends_in_order(void **state)
{
    uint8_t echoed[5];
    int fd = connect_client();

    (void)state;
    assert_int_equal(ask(fd, PORT_ECHO), 0);
    assert_int_equal(send(fd, "hello", 5, 0), 5);
    read_exactly(fd, echoed, sizeof echoed);
    assert_memory_equal(echoed, "hello", 5);
    leave(fd);
    turns(50);
    assert_true(peers[0].conn == NULL || tern_tcp_reason(peers[0].conn) == TERN_ERR_OK);
    assert_true(peers[0].ended);
    assert_false(peers[0].failed);
}

static void unread_resets(void **state)
{
    int fd = connect_client();

    (void)state;
    assert_int_equal(ask(fd, PORT_POUR), 0);
    turns(300);
    leave(fd);
    turns(50);
    assert_true(peers[0].failed);
    assert_true(tern_socks_idle(socks));
}

/* Text behind an urgent byte comes only when the mark was passed. */
static void passes_an_urgent_mark(void **state)
{
    int fd = connect_client();
    uint8_t data[11];

    (void)state;
    assert_int_equal(ask(fd, PORT_MUTE), 0);
    assert_int_equal(tern_tcp_write_urgent(peers[0].conn, "before!", 7), 7);
    assert_int_equal(tern_tcp_write(peers[0].conn, "then", 4), 4);
    turns(50);
    read_exactly(fd, data, sizeof data);
    assert_memory_equal(data, "before!then", sizeof data);
    leave(fd);
}

/* The stack is about to go, and the client's thread is not. */
static void shut_off(void **state)
{
    int fd = connect_client(), other;
    struct tern_lane *lane;
    uint8_t byte;

    (void)state;
    assert_int_equal(ask(fd, PORT_POUR), 0);
    turns(50);
    assert_int_equal(recv(fd, &byte, 1, 0), 1);
    tern_socks_shut(socks);
    assert_int_equal(recv(fd, &byte, 1, 0), -1);
    assert_int_equal(errno, ECONNRESET);
    assert_int_equal(tern_socks_open(socks, &other, &lane), TERN_ERR_CLOSED);
    leave(fd);
}

#define LANE(test) cmocka_unit_test_setup_teardown(test, set_up_lane, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(pours_down, set_up, tear_down),
        cmocka_unit_test_setup_teardown(echoes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(reset_by_the_peer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(half_closed_by_the_peer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(client_leaves, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nonsense_is_closed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(more_clients_than_places, set_up, tear_down),
        cmocka_unit_test_setup_teardown(strangers_are_refused, set_up, tear_down),
        LANE(pours_down),
        LANE(echoes),
        LANE(refused),
        LANE(reset_by_the_peer),
        LANE(half_closed_by_the_peer),
        LANE(client_leaves),
        LANE(nonsense_is_closed),
        LANE(more_clients_than_places),
        LANE(unread_bytes_stay_readable),
        LANE(all_read_ends_in_order),
        LANE(unread_resets),
        LANE(passes_an_urgent_mark),
        LANE(shut_off),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
