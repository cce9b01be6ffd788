/* SPDX-License-Identifier: BSD-2-Clause */
/* The guard: which sockets it refuses, what the calls say of a lane's descriptor, and that other
 * threads are left alone. */
#include "world.h"

#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "apps/inet_guard.h"

/* Try to open one; returns errno, or 0. */
static int try_open(int domain)
{
    int fd = socket(domain, SOCK_STREAM, 0);

    if (fd < 0)
        return errno;
    (void)close(fd);
    return 0;
}

static void *try_inet(void *out)
{
    *(int *)out = try_open(AF_INET);
    return NULL;
}

static void refuses_the_internet(void **state)
{
    pthread_t thread;
    int elsewhere = -1;

    (void)state;
    tern_inet_guard();
    assert_int_equal(try_open(AF_INET), EAFNOSUPPORT);
    assert_int_equal(try_open(AF_INET6), EAFNOSUPPORT);
    assert_int_equal(try_open(AF_UNIX), 0);
    assert_int_equal(pthread_create(&thread, NULL, try_inet, &elsewhere), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(elsewhere, 0);
    tern_inet_unguard();
    assert_int_equal(try_open(AF_INET), 0);
}

static void no_call(void *user)
{
    (void)user;
}

static void leads_to_a_lane(void **state)
{
    const struct sockaddr_in somewhere = {
        .sin_family = AF_INET, .sin_port = htons(1), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct tern_slice text = {(const uint8_t *)"text", 4};
    struct sockaddr_in peer = {0};
    socklen_t peer_bytes = sizeof peer;
    struct tern_lane *lane;
    char data[8];
    int giver, fd;

    (void)state;
    lane = tern_lane_open(no_call, NULL, &giver, &fd);
    assert_non_null(lane);
    assert_int_equal(tern_inet_guard_enter(fd, lane), TERN_ERR_OK);
    assert_int_equal(connect(fd, (const struct sockaddr *)&somewhere, sizeof somewhere), -1);
    tern_inet_guard();
    assert_int_equal(connect(fd, (const struct sockaddr *)&somewhere, sizeof somewhere), 0);
    assert_int_equal(getpeername(fd, (struct sockaddr *)&peer, &peer_bytes), 0);
    assert_int_equal(peer.sin_family, AF_INET);
    assert_int_equal(ntohl(peer.sin_addr.s_addr), INADDR_LOOPBACK);
    assert_int_equal(recv(fd, data, sizeof data, 0), -1);
    assert_int_equal(errno, EAGAIN);
    tern_lane_put(lane, &text, 1);
    assert_int_equal(recv(fd, data, sizeof data, 0), 4);
    assert_memory_equal(data, "text", 4);
    assert_int_equal(send(giver, "kernel's", 8, 0), 8);
    tern_inet_unguard();
    assert_int_equal(recv(fd, data, sizeof data, 0), 8); /* the socket itself */
    peer_bytes = sizeof peer;
    assert_int_equal(getpeername(fd, (struct sockaddr *)&peer, &peer_bytes), 0);
    assert_int_equal(peer.sin_family, AF_UNIX);
    assert_int_equal(tern_inet_guard_close(fd), 0);
    (void)close(giver);
    tern_lane_give(lane);
}

/* A number that was a lane's and is used again. */
static void a_closed_lane_is_forgotten(void **state)
{
    struct tern_lane *lane;
    int giver, fd, pair[2];
    char byte;

    (void)state;
    tern_inet_guard();
    lane = tern_lane_open(no_call, NULL, &giver, &fd);
    assert_non_null(lane);
    assert_int_equal(tern_inet_guard_enter(fd, lane), TERN_ERR_OK);
    assert_int_equal(tern_inet_guard_close(fd), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_true(pair[0] == fd || pair[1] == fd);
    assert_int_equal(send(pair[0] == fd ? pair[1] : pair[0], "x", 1, 0), 1);
    assert_int_equal(recv(fd, &byte, 1, 0), 1);
    tern_inet_unguard();
    (void)tern_inet_guard_close(pair[0]);
    (void)tern_inet_guard_close(pair[1]);
    (void)close(giver);
    tern_lane_give(lane);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_the_internet),
        cmocka_unit_test(leads_to_a_lane),
        cmocka_unit_test(a_closed_lane_is_forgotten),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
