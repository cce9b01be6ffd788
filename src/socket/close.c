/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shutdown and close. After close the stack finishes on the wire by itself, so the slot can go at
 * once; it stays only while SO_LINGER makes the call wait for the peer's acknowledgement.
 */
#include "socket/internal.h"

#include <tern/stack.h>

static int shutdown_stream(struct tern_sock *s, unsigned how)
{
    const bool connecting = s->phase == TERN_SOCK_CONNECTING && tern_sock_is_connecting(s);

    if (s->listener != NULL && (how & TERN_SHUT_READ) == 0)
        return 0;
    if (s->listener != NULL || (connecting && tern_sock_state(s) == TERN_TCP_SYN_SENT)) {
        tern_sock_disconnect(s);
        tern_sock_changed(s, 0);
        return 0;
    }
    if (s->phase == TERN_SOCK_CONNECTING)
        s->phase = connecting || tern_sock_state(s) == TERN_TCP_CLOSED ? TERN_SOCK_DISCONNECTING
                                                                       : TERN_SOCK_CONNECTED;
    s->shut |= how;
    if (tern_sock_state(s) == TERN_TCP_CLOSED)
        return tern_sock_fail(ENOTCONN);
    if ((how & TERN_SHUT_READ) != 0)
        tern_tcp_shutdown_read(s->conn);
    if ((how & TERN_SHUT_WRITE) != 0)
        tern_tcp_shutdown(s->conn);
    tern_sock_changed(s, 0);
    return 0;
}

static int shutdown_dgram(struct tern_sock *s, unsigned how)
{
    s->shut |= how;
    tern_sock_changed(s, 0);
    return s->remote.port != 0 ? 0 : tern_sock_fail(ENOTCONN);
}

int tern_shutdown(struct tern_sockets *t, int fd, int how)
{
    struct tern_sock *s = tern_sock_get(t, fd);
    unsigned bits;

    if (s == NULL)
        return -1;
    if (how != SHUT_RD && how != SHUT_WR && how != SHUT_RDWR)
        return tern_sock_fail(EINVAL);
    bits = (how != SHUT_WR ? (unsigned)TERN_SHUT_READ : 0) |
           (how != SHUT_RD ? (unsigned)TERN_SHUT_WRITE : 0);
    return s->kind == TERN_SOCK_STREAM ? shutdown_stream(s, bits) : shutdown_dgram(s, bits);
}

/* ---- close ---- */

/* Is our FIN still on its way? */
static bool is_closing(const struct tern_sock *s)
{
    switch (tern_sock_state(s)) {
    case TERN_TCP_FIN_WAIT_1:
    case TERN_TCP_CLOSING:
    case TERN_TCP_LAST_ACK:
    case TERN_TCP_SYN_RECEIVED:
        return true;
    default:
        return false;
    }
}

static void await_peer(struct tern_sock *s, int seconds)
{
    struct tern_wait w;

    tern_tcp_shutdown(s->conn);
    tern_wait_begin(&w, s, false, seconds * TERN_SECOND);
    while (is_closing(s) && tern_wait_more(&w))
        continue;
}

static void give_conn_up(struct tern_sock *s, bool linger)
{
    struct tern_conn *conn = s->conn;
    const bool unread = tern_tcp_unread(conn) > 0;
    const struct linger opt = tern_sock_linger(s);

    if (linger && opt.l_onoff != 0 && opt.l_linger > 0 && !unread)
        await_peer(s, opt.l_linger);
    s->conn = NULL;
    if (opt.l_onoff != 0 && opt.l_linger == 0)
        tern_tcp_abort(conn);
    else
        tern_tcp_close(conn);
}

void tern_sock_close(struct tern_sock *s, bool linger)
{
    tern_epoll_forget(s);
    if (!s->closing)
        tern_table_remove(&s->table->fds, &s->by_fd);
    s->closing = true;
    if (s->listener != NULL)
        tern_tcp_unlisten(s->listener);
    s->listener = NULL;
    if (s->udp != NULL)
        tern_udp_close(s->udp);
    s->udp = NULL;
    if (s->conn != NULL)
        give_conn_up(s, linger);
    tern_sock_free(s);
}

int tern_close(struct tern_sockets *t, int fd)
{
    struct tern_sock *s = tern_sock_find(t, fd);

    if (s == NULL)
        return tern_sock_fail(EBADF);
    tern_sock_close(s, true);
    return 0;
}
