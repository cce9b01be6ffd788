/* SPDX-License-Identifier: BSD-2-Clause */
/* The guard: which sockets it refuses, where connect() goes, and that other threads are left
 * alone. */
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
    tern_inet_guard(NULL, 0);
    assert_int_equal(try_open(AF_INET), EAFNOSUPPORT);
    assert_int_equal(try_open(AF_INET6), EAFNOSUPPORT);
    assert_int_equal(try_open(AF_UNIX), 0);
    assert_int_equal(pthread_create(&thread, NULL, try_inet, &elsewhere), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(elsewhere, 0);
    tern_inet_unguard();
    assert_int_equal(try_open(AF_INET), 0);
}

/* A listening Unix socket of a name that the kernel chose. */
static int listener(struct sockaddr_un *name, socklen_t *bytes)
{
    const sa_family_t family = AF_UNIX;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    memset(name, 0, sizeof *name);
    name->sun_family = AF_UNIX;
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)name, sizeof family), 0);
    assert_int_equal(listen(fd, 1), 0);
    *bytes = sizeof *name;
    assert_int_equal(getsockname(fd, (struct sockaddr *)name, bytes), 0);
    return fd;
}

static void diverts_connections(void **state)
{
    const struct sockaddr_in somewhere = {
        .sin_family = AF_INET, .sin_port = htons(1), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in peer = {0};
    struct sockaddr_un name;
    socklen_t name_bytes, peer_bytes = sizeof peer;
    int server = listener(&name, &name_bytes);
    int client, accepted;

    (void)state;
    tern_inet_guard(&name, name_bytes);
    client = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(connect(client, (const struct sockaddr *)&somewhere, sizeof somewhere), 0);
    assert_int_equal(getpeername(client, (struct sockaddr *)&peer, &peer_bytes), 0);
    assert_int_equal(peer.sin_family, AF_INET);
    assert_int_equal(ntohl(peer.sin_addr.s_addr), INADDR_LOOPBACK);
    tern_inet_unguard();
    accepted = accept(server, NULL, NULL);
    assert_true(accepted >= 0);
    peer_bytes = sizeof peer;
    assert_int_equal(getpeername(client, (struct sockaddr *)&peer, &peer_bytes), 0);
    assert_int_equal(peer.sin_family, AF_UNIX);
    (void)close(client);
    client = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(connect(client, (const struct sockaddr *)&somewhere, sizeof somewhere), -1);
    (void)close(client);
    (void)close(accepted);
    (void)close(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_the_internet),
        cmocka_unit_test(diverts_connections),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
