/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sending on a stream. A socket that is still connecting waits for the handshake; one that cannot
 * send any more says why once (an error not yet told) and then EPIPE, and never raises SIGPIPE.
 *
 * MSG_MORE holds the last short segment back as TCP_CORK does, until a write without it.
 * MSG_FASTOPEN connects and sends in one (RFC 7413 §4.2): the stack puts the bytes into the SYN if
 * it has a cookie.
 */
#include "socket/internal.h"

#include <tern/stack.h>

static int broken(struct tern_sock *s)
{
    const int error = tern_sock_take_error(s);

    return tern_sock_fail(error != 0 ? error : EPIPE);
}

/* Until the handshake is over. */
static int await_handshake(struct tern_sock *s, struct tern_wait *w)
{
    for (;;) {
        const enum tern_tcp_state state = tern_sock_state(s);

        if (state == TERN_TCP_ESTABLISHED || state == TERN_TCP_CLOSE_WAIT ||
            (state == TERN_TCP_SYN_RECEIVED && !tern_sock_is_connecting(s)))
            return 0;
        if (s->error != 0)
            return tern_sock_fail(tern_sock_take_error(s));
        if (!tern_sock_is_connecting(s))
            return tern_sock_fail(EPIPE);
        if (!tern_wait_more(w))
            return -1;
    }
}

/* MSG_MORE and MSG_EOR are about the end of the message, and hold once all of it is taken. */
static void mark_end(struct tern_sock *s, const struct tern_message *m)
{
    if ((m->flags & MSG_MORE) != 0)
        tern_tcp_mark(s->conn, TERN_TCP_MARK_MORE);
    if ((m->flags & MSG_EOR) != 0)
        tern_tcp_mark(s->conn, TERN_TCP_MARK_RECORD);
}

/* The next piece of the message that the stack takes at once; 0: it takes none. */
static size_t write_piece(struct tern_sock *s, struct tern_message *m, size_t left)
{
    const size_t part = m->part;
    const size_t offset = m->offset;
    const bool urgent = (m->flags & MSG_OOB) != 0;
    uint8_t *piece;
    const size_t bytes = tern_message_next(m, left, &piece);
    ptrdiff_t n;

    if (urgent && bytes == left)
        n = tern_tcp_write_urgent(s->conn, piece, bytes);
    else
        n = tern_tcp_write(s->conn, piece, bytes);
    n = n > 0 ? n : 0;
    if ((size_t)n < bytes) { /* back to where the stack stopped */
        m->part = part;
        m->offset = offset;
        if (n > 0)
            (void)tern_message_next(m, (size_t)n, &piece);
    }
    s->full = (size_t)n < bytes;
    return (size_t)n;
}

static ssize_t write_all(struct tern_sock *s, struct tern_message *m, struct tern_wait *w,
                         size_t sent)
{
    while (sent < m->bytes) {
        size_t n;

        if (s->error != 0 || tern_sock_write_is_shut(s))
            return sent > 0 ? (ssize_t)sent : broken(s);
        n = write_piece(s, m, m->bytes - sent);
        sent += n;
        if (n == 0 && !tern_wait_more(w))
            return sent > 0 ? (ssize_t)sent : -1;
    }
    mark_end(s, m);
    return (ssize_t)sent;
}

/* ---- Fast Open ---- */

/* What the SYN has room for. */
static size_t fill_syn(struct tern_sock *s, struct tern_message *m)
{
    struct tern_tcp_info info;
    size_t sent = 0;
    size_t room;

    tern_tcp_info(s->conn, &info);
    room = m->bytes < info.syn_room_bytes ? m->bytes : info.syn_room_bytes;
    s->deferred = false;
    if (room == 0) {
        (void)!tern_tcp_write(s->conn, NULL, 0); /* it goes without */
        return 0;
    }
    while (sent < room) {
        const size_t n = write_piece(s, m, room - sent);

        if (n == 0)
            break;
        sent += n;
    }
    return sent;
}

/* The connection was opened by this call, or by connect() before. Without a cookie the SYN goes
 * alone, and asks for one. */
static ssize_t send_in_syn(struct tern_sock *s, struct tern_message *m, struct tern_wait *w)
{
    const size_t sent = s->deferred ? fill_syn(s, m) : 0;

    if (w->now_or_never)
        return sent > 0 ? (ssize_t)sent : tern_sock_fail(EINPROGRESS);
    if (await_handshake(s, w) != 0)
        return sent > 0 && errno == EAGAIN ? (ssize_t)sent : -1;
    s->phase = TERN_SOCK_CONNECTED;
    return write_all(s, m, w, sent);
}

static ssize_t open_and_send(struct tern_sock *s, struct tern_message *m, struct tern_wait *w)
{
    struct tern_endpoint to;

    if (m->name == NULL)
        return tern_sock_fail(s->phase == TERN_SOCK_UNCONNECTED ? EDESTADDRREQ : EISCONN);
    if (!tern_sock_name_in(s, m->name, m->name_bytes, &to))
        return errno == EAFNOSUPPORT ? tern_sock_fail(EOPNOTSUPP) : -1;
    if (tern_sock_connect(s, &to, w->now_or_never || s->phase == TERN_SOCK_UNCONNECTED, true) != 0)
        return -1;
    return s->phase == TERN_SOCK_CONNECTED ? write_all(s, m, w, 0) : send_in_syn(s, m, w);
}

ssize_t tern_stream_send(struct tern_sock *s, struct tern_message *m)
{
    const bool now_or_never = s->nonblock || (m->flags & MSG_DONTWAIT) != 0;
    struct tern_wait w;

    tern_wait_begin(&w, s, now_or_never, s->opt.write_timeout);
    if ((m->flags & MSG_FASTOPEN) != 0)
        return open_and_send(s, m, &w);
    if (s->deferred)
        return send_in_syn(s, m, &w);
    if (await_handshake(s, &w) != 0)
        return -1;
    if (s->error != 0 || tern_sock_write_is_shut(s))
        return broken(s);
    return write_all(s, m, &w, 0);
}
