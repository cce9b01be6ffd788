/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bytes both ways between a client's socket and a connection of tern's.
 *
 * Down: by the client's lane where it has one (socks_lane.c). Else the receive buffer's own memory
 * goes straight into sendmsg(2); what the socket does not take stays in the buffer, and so closes
 * TCP's window. Up: one read at a time; what TCP has no room for waits in c->up, and until it is
 * gone the client is not read. Ends of streams are passed on each way by themselves (half-close). A
 * client that closed altogether is closed on the wire once what it had sent is with TCP: FIN, or
 * RST if bytes for it are left unread, as a kernel does. A reset from the network closes the
 * client's socket.
 */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "apps/socks_parts.h"

/* Reads of one turn, so that one upload does not keep the loop from the link. */
#define READS_MAX 8
/* Slices of the receive buffer that one call hands over. */
#define SLICES_MAX 16

/* A client with a lane is waited for to the last, and once. */
static void watch_for(struct tern_socks_conn *c, uint32_t add, uint32_t remove)
{
    const uint32_t always = c->lane != NULL && !c->client_gone ? POLLHUP : 0;

    tern_socks_conn_watch(c, ((c->poll_bits | add) & ~remove) | always);
}

/* Nothing can be given to the client any more. Its descriptor would report that for ever. */
static void client_left(struct tern_socks_conn *c)
{
    c->client_gone = true;
    tern_socks_conn_watch(c, 0);
}

static void down_eof(struct tern_socks_conn *c)
{
    if (c->client_done) {
        tern_socks_conn_end(c, TERN_ERR_OK);
        return;
    }
    c->network_done = true;
    if (c->lane != NULL)
        tern_lane_end(c->lane);
    else
        (void)shutdown(c->fd, SHUT_WR);
    watch_for(c, 0, POLLOUT);
}

static ssize_t send_slices(int fd, const struct tern_slice *slices, int count)
{
    struct iovec pieces[SLICES_MAX];
    const struct msghdr message = {.msg_iov = pieces, .msg_iovlen = (size_t)count};

    for (int i = 0; i < count; i++)
        pieces[i] = (struct iovec){(void *)(uintptr_t)slices[i].data, slices[i].bytes};
    return sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void down_lane(struct tern_socks_conn *c)
{
    const int more = c->network_done || c->client_gone ? TERN_ERR_AGAIN : tern_socks_lane_down(c);

    if (more == 0)
        down_eof(c);
    else if (more != TERN_ERR_AGAIN)
        tern_socks_conn_end(c, (enum tern_err)more);
}

void tern_socks_pump_down(struct tern_socks_conn *c)
{
    if (c->lane != NULL) {
        down_lane(c);
        return;
    }
    while (!c->network_done && !c->client_gone) {
        struct tern_slice slices[SLICES_MAX];
        const int waiting = tern_tcp_peekv(c->conn, slices, SLICES_MAX);
        ssize_t sent;

        if (waiting == TERN_ERR_AGAIN) {
            watch_for(c, 0, POLLOUT);
            return;
        }
        if (waiting < 0) {
            tern_socks_conn_end(c, (enum tern_err)waiting);
            return;
        }
        if (waiting == 0) {
            down_eof(c);
            return;
        }
        sent = send_slices(c->fd, slices, waiting);
        if (sent < 0 && errno == EAGAIN) {
            watch_for(c, POLLOUT, 0);
            return;
        }
        if (sent < 0 && errno != EINTR) {
            client_left(c);
            tern_socks_pump_up(c); /* what it sent before still counts */
            return;
        }
        if (sent > 0)
            tern_tcp_skip(c->conn, (size_t)sent);
    }
}

/* Hand what waits in c->up to TCP. Returns false when not all of it fit, or the connection ended.
 * */
static bool flush_up(struct tern_socks_conn *c)
{
    while (c->up_bytes > 0) {
        ptrdiff_t n = tern_tcp_write(c->conn, c->up + c->up_first, c->up_bytes);

        if (n < 0 && n != TERN_ERR_AGAIN) {
            /* The connection is over; what it still holds for the client comes first. */
            tern_socks_pump_down(c);
            if (c->state == TERN_SOCKS_PUMPING)
                tern_socks_conn_end(c, (enum tern_err)n);
            return false;
        }
        if (n <= 0) {
            watch_for(c, 0, POLLIN);
            return false;
        }
        c->up_first += (size_t)n;
        c->up_bytes -= (size_t)n;
    }
    c->up_first = 0;
    return true;
}

/* The client's stream ended: a half-close, or it is gone altogether. */
static void up_eof(struct tern_socks_conn *c)
{
    struct pollfd look = {.fd = c->fd, .events = POLLIN};

    c->client_done = true;
    if (poll(&look, 1, 0) > 0 && (look.revents & POLLHUP) != 0)
        c->client_gone = true;
    if (c->client_gone || c->network_done) {
        tern_socks_conn_end(c, TERN_ERR_OK);
        return;
    }
    tern_tcp_shutdown(c->conn);
    watch_for(c, 0, POLLIN);
}

void tern_socks_pump_up(struct tern_socks_conn *c)
{
    int reads;

    if (c->client_done || !flush_up(c))
        return;
    /* A client that is gone wakes nobody again, and has left no more than its buffer holds. */
    for (reads = 0; reads < READS_MAX || c->client_gone; reads++) {
        ssize_t n = read(c->fd, c->up, sizeof c->up);

        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
            up_eof(c);
            return;
        }
        if (n < 0)
            break;
        c->up_bytes = (size_t)n;
        if (!flush_up(c))
            return;
    }
    if (!c->client_gone)
        watch_for(c, POLLIN, 0);
}

void tern_socks_pump_fd(struct tern_socks_conn *c, uint32_t poll_bits)
{
    if ((poll_bits & POLLOUT) != 0)
        tern_socks_pump_down(c);
    if (c->state != TERN_SOCKS_PUMPING)
        return;
    if ((poll_bits & (POLLHUP | POLLERR)) != 0)
        client_left(c);
    if ((poll_bits & (POLLIN | POLLHUP | POLLERR)) != 0) {
        if (c->client_done)
            tern_socks_conn_end(c, TERN_ERR_OK);
        else
            tern_socks_pump_up(c);
    }
}

void tern_socks_pump_event(struct tern_socks_conn *c, uint32_t event_bits)
{
    const uint32_t down = TERN_CONN_READABLE | TERN_CONN_PEER_FIN | TERN_CONN_CLOSED;

    if (c->lane == NULL && (event_bits & down) != 0) /* else tern_socks_turn() does it, once */
        tern_socks_pump_down(c);
    if (c->state == TERN_SOCKS_PUMPING && (event_bits & TERN_CONN_WRITABLE) != 0)
        tern_socks_pump_up(c);
    /* Over, but not in order, and nothing left to give: peek would have said so only to a reader.
     * */
    if (c->state == TERN_SOCKS_PUMPING && (event_bits & TERN_CONN_CLOSED) != 0 &&
        tern_tcp_reason(c->conn) != TERN_ERR_OK && (c->network_done || c->client_gone))
        tern_socks_conn_end(c, tern_tcp_reason(c->conn));
}
