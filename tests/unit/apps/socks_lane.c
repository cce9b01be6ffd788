/* SPDX-License-Identifier: BSD-2-Clause */
/* What only a client with a lane could get wrong. */
#include "socks_world.h"

#include "apps/lane.h"

/* The connection is reset while the client still has bytes of it to read. */
static void unread_bytes_stay_readable(void **state)
{
    int fd = client_connect();
    size_t offset = 0;
    uint8_t data[5000];
    ssize_t n;

    (void)state;
    assert_int_equal(client_ask(fd, PORT_POUR), 0);
    socks_turns(300);
    tern_tcp_abort(socks_peers[0].conn);
    socks_peers[0].conn = NULL;
    socks_turns(50);
    assert_true(socks_newest().ended);
    assert_int_equal(socks_newest().err, TERN_ERR_RESET);
    while ((n = client_read(fd, data, sizeof data)) > 0)
        for (ssize_t i = 0; i < n; i++, offset++)
            if (data[i] != socks_pattern(offset))
                fail_msg("byte %zu is wrong", offset);
    assert_int_equal(n, 0);
    assert_true(offset > 100000);
    client_leave(fd);
    socks_turns(50);
    assert_true(tern_socks_idle(socks));
}

/* A client that read all that came closes by FIN; one that did not, by RST. */
static void all_read_ends_in_order(void **state)
{
    uint8_t echoed[5];
    int fd = client_connect();

    (void)state;
    assert_int_equal(client_ask(fd, PORT_ECHO), 0);
    assert_int_equal(send(fd, "hello", 5, 0), 5);
    client_read_all(fd, echoed, sizeof echoed);
    assert_memory_equal(echoed, "hello", 5);
    client_leave(fd);
    socks_turns(50);
    assert_true(socks_peers[0].conn == NULL || tern_tcp_reason(socks_peers[0].conn) == TERN_ERR_OK);
    assert_true(socks_peers[0].ended);
    assert_false(socks_peers[0].failed);
}

static void unread_resets(void **state)
{
    int fd = client_connect();

    (void)state;
    assert_int_equal(client_ask(fd, PORT_POUR), 0);
    socks_turns(300);
    client_leave(fd);
    socks_turns(50);
    assert_true(socks_peers[0].failed);
    assert_true(tern_socks_idle(socks));
}

/* Text behind an urgent byte comes only when the mark was passed. */
static void passes_an_urgent_mark(void **state)
{
    int fd = client_connect();
    uint8_t data[11];

    (void)state;
    assert_int_equal(client_ask(fd, PORT_MUTE), 0);
    assert_int_equal(tern_tcp_write_urgent(socks_peers[0].conn, "before!", 7), 7);
    assert_int_equal(tern_tcp_write(socks_peers[0].conn, "then", 4), 4);
    socks_turns(50);
    client_read_all(fd, data, sizeof data);
    assert_memory_equal(data, "before!then", sizeof data);
    client_leave(fd);
}

/* The stack is about to go, and the client's thread is not. */
static void shut_off(void **state)
{
    int fd = client_connect(), other;
    struct tern_lane *lane;
    uint8_t byte;

    (void)state;
    assert_int_equal(client_ask(fd, PORT_POUR), 0);
    socks_turns(50);
    assert_int_equal(recv(fd, &byte, 1, 0), 1);
    tern_socks_shut(socks);
    assert_int_equal(recv(fd, &byte, 1, 0), -1);
    assert_int_equal(errno, ECONNRESET);
    assert_int_equal(tern_socks_open(socks, &other, &lane), TERN_ERR_CLOSED);
    client_leave(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LANE(unread_bytes_stay_readable),
        LANE(all_read_ends_in_order),
        LANE(unread_resets),
        LANE(passes_an_urgent_mark),
        LANE(shut_off),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
