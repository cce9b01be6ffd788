/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A life on slirp: the router's address leads to this machine's loopback, where a server of ours
 * sends everything back. What libslirp does itself never fails; the driver's calls and the loop's
 * do. The other end answers within the call, so that time can be ours here as well.
 */
#include <netinet/in.h>

#include "echo.h"
#include "half.h"

struct slirp_world {
    struct half client;
    struct echo server;
    struct life_end *end;
};

static bool live(struct slirp_world *w)
{
    const struct tern_link_slirp_options options = {.mac = {{2, 0x54, 0x45, 0x52, 0x4e, 1}}};
    char text[TERN_LINK_ERROR_MAX] = "";
    struct tern_link *link = NULL;
    enum tern_err err = tern_link_slirp_open(&options, &link, text);

    if (err != TERN_ERR_OK)
        return life_refused(w->end, "tern_link_slirp_open", err, text);
    w->client.meanwhile = echo_turn;
    w->client.user = &w->server;
    return half_open(&w->client, link, "10.0.2.15/24", w->end) && half_claimed(&w->client) &&
           half_echo(&w->client, tern_addr_v4(10, 0, 2, 2), ntohs(w->server.at.sin_port));
}

void life_slirp(struct life_end *end)
{
    struct slirp_world w = {.end = end};

    if (echo_open(&w.server, INADDR_LOOPBACK, end))
        (void)live(&w);
    half_close(&w.client);
    echo_close(&w.server);
}
