/* SPDX-License-Identifier: BSD-2-Clause */
/* A server that sends everything back: see echo.h. */
#include "echo.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

#include "faults.h"
#include "half.h"

/* No congestion control that sends by the clock: the kernel's is not ours. */
static void send_at_once(int fd)
{
    (void)setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "reno", 4);
}

static bool listen_on(struct echo *e, uint32_t address)
{
    socklen_t bytes = sizeof e->at;

    e->at = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {htonl(address)}};
    e->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (e->listener < 0)
        return false;
    send_at_once(e->listener);
    return bind(e->listener, (const struct sockaddr *)&e->at, sizeof e->at) == 0 &&
           listen(e->listener, 4) == 0 &&
           getsockname(e->listener, (struct sockaddr *)&e->at, &bytes) == 0;
}

bool echo_open(struct echo *e, uint32_t address, struct life_end *end)
{
    bool open;

    *e = (struct echo){.listener = -1, .conn = -1};
    faults_pause(true);
    open = listen_on(e, address);
    faults_pause(false);
    return open || life_fail_errno(end, "the server");
}

static void echo(struct echo *e)
{
    ssize_t n;

    if (e->held_start == e->held_end) {
        n = read(e->conn, e->held, sizeof e->held);
        e->held_start = 0;
        e->held_end = n > 0 ? (size_t)n : 0;
        if (n == 0) {
            e->done = true;
            (void)shutdown(e->conn, SHUT_WR);
        }
    }
    if (e->held_start == e->held_end)
        return;
    n = write(e->conn, e->held + e->held_start, e->held_end - e->held_start);
    if (n > 0)
        e->held_start += (size_t)n;
}

bool echo_turn(void *user)
{
    struct echo *e = user;

    faults_pause(true);
    if (e->conn < 0)
        e->conn = accept4(e->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    else if (!e->done)
        echo(e);
    faults_pause(false);
    return true;
}

/* Nothing of it stays behind in the kernel for the next life to meet. */
static void close_at_once(int fd)
{
    const struct linger none = {.l_onoff = 1};

    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
    (void)close(fd);
}

void echo_next(struct echo *e)
{
    faults_pause(true);
    if (e->conn >= 0)
        close_at_once(e->conn);
    e->conn = -1;
    e->held_start = e->held_end = 0;
    e->done = false;
    faults_pause(false);
}

void echo_close(struct echo *e)
{
    echo_next(e);
    faults_pause(true);
    if (e->listener >= 0)
        (void)close(e->listener);
    faults_pause(false);
}
