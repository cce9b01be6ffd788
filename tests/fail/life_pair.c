/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A life in one process: two stacks on a cable in memory. The first stands behind impair, capture
 * and record, connects, and sends; the second listens and sends everything back.
 */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "faulty_link.h"
#include "half.h"
#include "link/record.h"

#define PORT 80

struct pair_world {
    struct half client, server;
    struct life_end *end;
    int listener, conn; /* of the server; -1: none */
    uint8_t held[4096];
    size_t held_start, held_end;
    bool server_done;
    bool faulty;
};

static void tell_nobody(void *user, const struct tern_record *record)
{
    (void)user;
    (void)record;
}

/* Wrap in place; where that fails the link is still the caller's. */
static bool dress(struct tern_link **link, struct life_end *end)
{
    char text[TERN_LINK_ERROR_MAX] = "";
    enum tern_err err;

    err = tern_link_impair_open(*link, "delay 1ms out drop 5 in drop 9", 7, link, text);
    if (err == TERN_ERR_OK)
        err = tern_link_capture_open(*link, "/dev/null", 0, link, text);
    if (err == TERN_ERR_OK && tern_link_record_open(*link, tell_nobody, NULL, link) != TERN_ERR_OK)
        return life_fail(end, "tern_link_record_open", TERN_ERR_MEMORY);
    return err == TERN_ERR_OK || life_refused(end, "wrapping", err, text);
}

static bool make_faulty(struct tern_link **link, struct life_end *end)
{
    struct tern_link *faulty = faulty_link_open(*link);

    if (faulty == NULL)
        return life_fail(end, "faulty_link_open", ENOMEM);
    *link = faulty;
    return true;
}

static bool open_links(struct tern_link *link[2], struct life_end *end)
{
    const struct tern_link_mem_options options = {
        .mtu_bytes = 1500,
        .hold_frames = 64,
        .offloads = TERN_OFFLOAD_CSUM_TX | TERN_OFFLOAD_TSO4,
        .mac = {{{2, 0, 0, 0, 0, 1}}, {{2, 0, 0, 0, 0, 2}}},
    };
    const enum tern_err err = tern_link_mem_open(&options, link);

    return err == TERN_ERR_OK || life_fail(end, "tern_link_mem_open", err);
}

static bool server_listen(struct pair_world *w)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    struct tern_sockets *t = w->server.sockets;

    w->listener = tern_socket(t, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (w->listener < 0 ||
        tern_bind(t, w->listener, (const struct sockaddr *)&at, sizeof at) != 0 ||
        tern_listen(t, w->listener, 4) != 0)
        return life_fail_errno(w->end, "listen");
    return true;
}

/* Send back what came, as far as it goes now. */
static bool server_echo(struct pair_world *w)
{
    struct tern_sockets *t = w->server.sockets;
    ssize_t n;

    if (w->held_start == w->held_end) {
        n = tern_read(t, w->conn, w->held, sizeof w->held);
        if (n == 0) {
            w->server_done = true;
            return tern_close(t, w->conn) == 0 || life_fail_errno(w->end, "server's close");
        }
        if (n < 0)
            return errno == EAGAIN || life_fail_errno(w->end, "server's read");
        w->held_start = 0;
        w->held_end = (size_t)n;
    }
    n = tern_write(t, w->conn, w->held + w->held_start, w->held_end - w->held_start);
    if (n < 0)
        return errno == EAGAIN || life_fail_errno(w->end, "server's write");
    w->held_start += (size_t)n;
    return true;
}

static bool server_turn(void *user)
{
    struct pair_world *w = user;

    if (!half_turn(&w->server))
        return false;
    if (w->server_done)
        return true;
    if (w->conn < 0) {
        w->conn = tern_accept4(w->server.sockets, w->listener, NULL, NULL, SOCK_NONBLOCK);
        return w->conn >= 0 || errno == EAGAIN || life_fail_errno(w->end, "accept");
    }
    return server_echo(w);
}

static bool live(struct pair_world *w, struct tern_link *link[2])
{
    const bool dressed = w->faulty ? make_faulty(&link[0], w->end) : dress(&link[0], w->end);
    bool open;

    w->client.meanwhile = server_turn;
    w->client.user = w;
    if (!dressed) {
        link[0]->ops->close(link[0]);
        link[1]->ops->close(link[1]);
        return false;
    }
    open = half_open(&w->client, link[0], "10.0.0.1/24", w->end);
    open = half_open(&w->server, link[1], "10.0.0.2/24", w->end) && open;
    return open && server_listen(w) && half_echo(&w->client, tern_addr_v4(10, 0, 0, 2), PORT);
}

static void live_and_close(struct life_end *end, bool faulty)
{
    struct pair_world w = {
        .end = end, .faulty = faulty, .listener = -1, .conn = -1, .client = {.stubborn = faulty}};
    struct tern_link *link[2];

    if (!open_links(link, end))
        return;
    (void)live(&w, link);
    half_close(&w.client);
    half_close(&w.server);
}

void life_pair(struct life_end *end)
{
    live_and_close(end, false);
}

void life_driver(struct life_end *end)
{
    live_and_close(end, true);
}
