/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The SOCKS endpoint, whichever way the client came: requests and their outcomes, bytes both ways
 * with a slow reader at either end, half-close, reset, clients that leave, and strangers.
 */
#include "socks_world.h"

#include <sys/wait.h>

/* A large body to a client that reads slowly at first: whole, in order, then the end. */
static void pours_down(void **state)
{
    int fd = client_connect();
    size_t offset = 0;
    uint8_t data[5000];

    (void)state;
    assert_int_equal(client_ask(fd, PORT_POUR), 0);
    socks_turns(300); /* everything fills up: nobody reads */
    assert_true(socks_peers[0].poured < POUR_BYTES);
    for (;;) {
        ssize_t n = client_read(fd, data, sizeof data);
        ssize_t i;

        assert_true(n >= 0);
        if (n == 0)
            break;
        for (i = 0; i < n; i++)
            if (data[i] != socks_pattern(offset + (size_t)i))
                fail_msg("byte %zu is wrong", offset + (size_t)i);
        offset += (size_t)n;
    }
    assert_true(offset >= POUR_BYTES);
    assert_int_equal(offset, socks_peers[0].poured);
    assert_true(socks_newest().established);
    assert_false(socks_newest().ended);
    client_leave(fd);
    socks_turns(50);
    assert_true(socks_newest().ended);
    assert_int_equal(socks_newest().err, TERN_ERR_OK);
    assert_true(tern_socks_idle(socks));
    assert_int_equal(tern_stack_connections_unfinished(tern_loop_stack(socks_world.near)), 0);
}

/* Bytes up and back, then the client's half-close, which comes back as the far end's. */
static void echoes(void **state)
{
    int fd = client_connect();
    size_t sent = 0, got = 0;
    int idle = 0;

    (void)state;
    assert_int_equal(client_ask(fd, PORT_ECHO), 0);
    while (got < ECHO_BYTES && idle < 100000) {
        uint8_t data[777];
        ssize_t n, i;

        for (i = 0; i < (ssize_t)sizeof data; i++)
            data[i] = socks_pattern(sent + (size_t)i);
        n = sent < ECHO_BYTES ? send(fd, data, sizeof data, 0) : 0;
        sent += n > 0 ? (size_t)n : 0;
        if (sent >= ECHO_BYTES)
            (void)shutdown(fd, SHUT_WR);
        n = recv(fd, data, sizeof data, 0);
        idle = n > 0 ? 0 : idle + 1;
        for (i = 0; i < n; i++)
            if (data[i] != socks_pattern(got + (size_t)i))
                fail_msg("byte %zu is wrong", got + (size_t)i);
        got += n > 0 ? (size_t)n : 0;
        socks_turn();
    }
    while (got < sent) {
        uint8_t rest[777];
        ssize_t n = client_read(fd, rest, sizeof rest);

        assert_true(n > 0);
        got += (size_t)n;
    }
    assert_int_equal(got, sent);
    assert_int_equal(client_read(fd, &got, 1), 0);
    client_leave(fd);
    socks_turns(50);
    assert_int_equal(socks_newest().err, TERN_ERR_OK);
    assert_true(tern_socks_idle(socks));
}

static void refused(void **state)
{
    int fd = client_connect();
    char byte;

    (void)state;
    assert_int_equal(client_ask(fd, 9), 5);
    assert_int_equal(socks_newest().err, TERN_ERR_REFUSED);
    assert_false(socks_newest().established);
    assert_true(socks_newest().ended);
    assert_string_equal(socks_newest().host, "10.0.0.2");
    assert_int_equal(socks_newest().port, 9);
    assert_int_equal(client_read(fd, &byte, 1), 0);
    client_leave(fd);
    assert_true(tern_socks_idle(socks));
}

static void reset_by_the_peer(void **state)
{
    int fd = client_connect();
    char byte;

    (void)state;
    assert_int_equal(client_ask(fd, PORT_RST), 0);
    assert_true(client_read(fd, &byte, 1) <= 0);
    assert_true(socks_newest().established);
    assert_true(socks_newest().ended);
    assert_int_equal(socks_newest().err, TERN_ERR_RESET);
    client_leave(fd);
}

/* The far end closes its direction only: the client's bytes still go there. */
static void half_closed_by_the_peer(void **state)
{
    int fd = client_connect();
    char byte;

    (void)state;
    assert_int_equal(client_ask(fd, PORT_SHUT), 0);
    assert_int_equal(client_read(fd, &byte, 1), 0);
    assert_int_equal(send(fd, "still here", 10, 0), 10);
    socks_turns(50);
    assert_int_equal(socks_peers[0].swallowed, 10);
    client_leave(fd);
    socks_turns(50);
    assert_true(socks_peers[0].ended);
    assert_int_equal(socks_newest().err, TERN_ERR_OK);
}

/* What a client sent before it closed arrives, and the connection ends in order. */
static void client_leaves(void **state)
{
    uint8_t data[100000] = {0};
    int fd = client_connect();
    ssize_t sent;

    (void)state;
    assert_int_equal(client_ask(fd, PORT_SHUT), 0);
    sent = send(fd, data, sizeof data, 0);
    assert_true(sent > 0);
    client_leave(fd);
    socks_turns(300);
    assert_int_equal(socks_peers[0].swallowed, sent);
    assert_true(socks_peers[0].ended);
    assert_true(tern_socks_idle(socks));
}

static void nonsense_is_closed(void **state)
{
    int fd = client_connect();
    char byte;

    (void)state;
    assert_int_equal(send(fd, "GET / HTTP/1.1\r\n", 16, 0), 16);
    assert_true(client_read(fd, &byte, 1) <= 0);
    client_leave(fd);
    assert_true(tern_socks_idle(socks));
}

static void more_clients_than_places(void **state)
{
    int fds[TERN_SOCKS_CONNECTIONS_MAX + 4];
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(fds); i++) {
        fds[i] = client_connect();
        socks_turns(2);
    }
    socks_turns(20);
    for (i = 0; i < 8; i++)
        client_leave(fds[i]);
    /* The last ones waited and are served now. */
    assert_int_equal(client_ask(fds[COUNT(fds) - 1], PORT_ECHO), 0);
    for (i = 8; i < COUNT(fds); i++)
        client_leave(fds[i]);
    socks_turns(100);
    assert_true(tern_socks_idle(socks));
}

static void strangers_are_refused(void **state)
{
    pid_t child = fork();
    int status = 0, i;

    (void)state;
    if (child == 0) {
        int fd = client_connect();

        (void)send(fd, "\5\1\0", 3, MSG_NOSIGNAL);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    for (i = 0; i < 10; i++) {
        socks_turn();
        assert_true(tern_socks_idle(socks));
    }
}

#define PLAIN(test) cmocka_unit_test_setup_teardown(test, socks_set_up, socks_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLAIN(pours_down),
        PLAIN(echoes),
        PLAIN(refused),
        PLAIN(reset_by_the_peer),
        PLAIN(half_closed_by_the_peer),
        PLAIN(client_leaves),
        PLAIN(nonsense_is_closed),
        PLAIN(more_clients_than_places),
        PLAIN(strangers_are_refused),
        LANE(pours_down),
        LANE(echoes),
        LANE(refused),
        LANE(reset_by_the_peer),
        LANE(half_closed_by_the_peer),
        LANE(client_leaves),
        LANE(nonsense_is_closed),
        LANE(more_clients_than_places),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
