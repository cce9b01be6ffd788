/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A life on slirp: the router's address leads to this machine's loopback, where a server of ours
 * sends everything back. What libslirp does itself never fails; the driver's calls and the loop's
 * do. The other end answers within the call, so that time can be ours here as well.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "faults.h"
#include "half.h"

struct slirp_world {
    struct half client;
    struct life_end *end;
    int listener, conn; /* -1: none */
    struct sockaddr_in at;
    uint8_t held[4096];
    size_t held_start, held_end;
    bool done;
};

static bool open_server(struct slirp_world *w)
{
    socklen_t bytes = sizeof w->at;

    w->at = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    w->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (w->listener < 0 || bind(w->listener, (const struct sockaddr *)&w->at, sizeof w->at) != 0 ||
        listen(w->listener, 4) != 0 ||
        getsockname(w->listener, (struct sockaddr *)&w->at, &bytes) != 0)
        return life_fail_errno(w->end, "the server");
    return true;
}

static void echo(struct slirp_world *w)
{
    ssize_t n;

    if (w->held_start == w->held_end) {
        n = read(w->conn, w->held, sizeof w->held);
        w->held_start = 0;
        w->held_end = n > 0 ? (size_t)n : 0;
        if (n == 0) {
            w->done = true;
            (void)shutdown(w->conn, SHUT_WR);
        }
    }
    if (w->held_start == w->held_end)
        return;
    n = write(w->conn, w->held + w->held_start, w->held_end - w->held_start);
    if (n > 0)
        w->held_start += (size_t)n;
}

static bool server_turn(void *user)
{
    struct slirp_world *w = user;

    faults_pause(true);
    if (w->conn < 0)
        w->conn = accept4(w->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    else if (!w->done)
        echo(w);
    faults_pause(false);
    return true;
}

static bool live(struct slirp_world *w)
{
    const struct tern_link_slirp_options options = {.mac = {{2, 0x54, 0x45, 0x52, 0x4e, 1}}};
    char text[TERN_LINK_ERROR_MAX] = "";
    struct tern_link *link = NULL;
    enum tern_err err = tern_link_slirp_open(&options, &link, text);

    if (err != TERN_ERR_OK)
        return life_refused(w->end, "tern_link_slirp_open", err, text);
    w->client.meanwhile = server_turn;
    w->client.user = w;
    return half_open(&w->client, link, "10.0.2.15/24", w->end) && half_claimed(&w->client) &&
           half_echo(&w->client, tern_addr_v4(10, 0, 2, 2), ntohs(w->at.sin_port));
}

void life_slirp(struct life_end *end)
{
    struct slirp_world w = {.end = end, .listener = -1, .conn = -1};
    bool open;

    faults_pause(true);
    open = open_server(&w);
    faults_pause(false);
    if (open)
        (void)live(&w);
    half_close(&w.client);
    if (w.conn >= 0)
        (void)close(w.conn);
    if (w.listener >= 0)
        (void)close(w.listener);
}
