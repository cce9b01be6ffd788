/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is true of a socket at this moment, worked out from its connection, and what poll(2) says of
 * it, as Linux's tcp_poll has it.
 *
 * Two things must be remembered because the connection forgets them: that its end was noticed (the
 * reason becomes an error that is told once), and that a write found no room (POLLOUT stays away
 * until the stack says that there is room again, so that a level-triggered loop does not spin while
 * the pool is short).
 */
#include "socket/internal.h"

int tern_sock_errno(enum tern_err err)
{
    static const struct {
        enum tern_err err;
        int number;
    } table[] = {
        {TERN_ERR_OK, 0},
        {TERN_ERR_INVAL, EINVAL},
        {TERN_ERR_AGAIN, EAGAIN},
        {TERN_ERR_FULL, ENOBUFS},
        {TERN_ERR_MEMORY, ENOMEM},
        {TERN_ERR_CLOSED, EPIPE},
        {TERN_ERR_RESET, ECONNRESET},
        {TERN_ERR_REFUSED, ECONNREFUSED},
        {TERN_ERR_TIMEOUT, ETIMEDOUT},
        {TERN_ERR_UNREACHABLE, EHOSTUNREACH},
        {TERN_ERR_NO_ROUTE, ENETUNREACH},
        {TERN_ERR_ADDRESS_IN_USE, EADDRINUSE},
        {TERN_ERR_ABORTED, ECONNABORTED},
        {TERN_ERR_PERMISSION, EACCES},
        {TERN_ERR_NO_DEVICE, ENODEV},
        {TERN_ERR_LINK, ENETDOWN},
        {TERN_ERR_UNSUPPORTED, EOPNOTSUPP},
        {TERN_ERR_TOO_BIG, EMSGSIZE},
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (table[i].err == err)
            return table[i].number;
    }
    return EIO;
}

enum tern_tcp_state tern_sock_state(const struct tern_sock *s)
{
    enum tern_tcp_state state;

    if (s->listener != NULL)
        return TERN_TCP_LISTEN;
    if (s->conn == NULL)
        return TERN_TCP_CLOSED;
    state = tern_tcp_state(s->conn);
    return state == TERN_TCP_TIME_WAIT ? TERN_TCP_CLOSED : state;
}

bool tern_sock_is_connecting(const struct tern_sock *s)
{
    const enum tern_tcp_state state = tern_sock_state(s);

    return state == TERN_TCP_SYN_SENT ||
           (state == TERN_TCP_SYN_RECEIVED && s->phase != TERN_SOCK_CONNECTED);
}

/* The connection is over, in order or not, and still held. */
static bool is_over(const struct tern_sock *s)
{
    return s->conn != NULL && tern_sock_state(s) == TERN_TCP_CLOSED;
}

bool tern_sock_read_is_shut(const struct tern_sock *s)
{
    return (s->shut & TERN_SHUT_READ) != 0 || is_over(s) ||
           (s->conn != NULL && tern_tcp_peer_done(s->conn));
}

bool tern_sock_write_is_shut(const struct tern_sock *s)
{
    return (s->shut & TERN_SHUT_WRITE) != 0 || is_over(s);
}

uint64_t tern_sock_unread(const struct tern_sock *s)
{
    struct tern_tcp_info info;
    size_t ahead;

    if (!tern_tcp_urgent_mark(s->conn, &ahead))
        return tern_tcp_unread(s->conn);
    tern_tcp_info(s->conn, &info);
    return info.unread_bytes;
}

bool tern_sock_mark_ahead(const struct tern_sock *s, uint64_t *bytes)
{
    struct tern_tcp_settings set;
    size_t ahead;

    if (!tern_tcp_urgent_mark(s->conn, &ahead))
        return false;
    *bytes = ahead;
    tern_tcp_settings(s->conn, &set);
    return !set.urgent_inline;
}

void tern_sock_refresh(struct tern_sock *s)
{
    enum tern_err reason;

    if (s->kind == TERN_SOCK_DGRAM)
        tern_dgram_refresh(s);
    if (s->ended || !is_over(s))
        return;
    s->ended = true;
    s->full = false;
    reason = tern_tcp_reason(s->conn);
    if (reason == TERN_ERR_RESET && tern_tcp_peer_done(s->conn) && (s->shut & TERN_SHUT_WRITE) == 0)
        s->error = EPIPE; /* reset in CLOSE-WAIT: the reader knows its end, the writer does not */
    else if (reason == TERN_ERR_ABORTED)
        s->error = ECONNRESET; /* by us, of text that nobody would read: Linux tells it alike */
    else if (reason != TERN_ERR_OK)
        s->error = tern_sock_errno(reason);
}

int tern_sock_take_error(struct tern_sock *s)
{
    const int error = s->error;

    s->error = 0;
    return error;
}

/* ---- poll ---- */

#define IN  (POLLIN | POLLRDNORM)
#define OUT (POLLOUT | POLLWRNORM)

/* No more can come before something is read. */
static bool is_window_closed(const struct tern_sock *s)
{
    struct tern_tcp_info info;

    tern_tcp_info(s->conn, &info);
    return info.rcv_wnd_bytes <= info.advmss_bytes;
}

/* An urgent byte out of the stream is no text, so at it one byte more must be here. */
static bool has_enough_to_read(const struct tern_sock *s)
{
    const uint64_t lowat = s->opt.read_lowat > 0 ? (uint64_t)s->opt.read_lowat : 1;
    const uint64_t unread = tern_sock_unread(s);
    uint64_t ahead;
    const bool at_mark = tern_sock_mark_ahead(s, &ahead) && ahead == 0;

    if (unread >= lowat + at_mark)
        return true;
    return unread > at_mark && is_window_closed(s);
}

static bool has_room_to_write(const struct tern_sock *s)
{
    return !s->full && tern_tcp_write_space(s->conn) > 0;
}

static uint32_t poll_stream(const struct tern_sock *s)
{
    const bool read_shut = tern_sock_read_is_shut(s);
    const bool write_shut = tern_sock_write_is_shut(s);
    uint32_t bits = 0;

    if (s->listener != NULL)
        return tern_listener_is_ready(s->listener) ? IN : 0;
    if ((read_shut && write_shut) || tern_sock_state(s) == TERN_TCP_CLOSED)
        bits |= POLLHUP;
    if (read_shut)
        bits |= IN | POLLRDHUP;
    if (tern_sock_is_connecting(s))
        return s->deferred ? bits | OUT : bits;
    if (s->conn != NULL && has_enough_to_read(s))
        bits |= IN;
    if (s->conn != NULL && tern_tcp_urgent_waits(s->conn))
        bits |= POLLPRI;
    if (s->conn == NULL || write_shut || has_room_to_write(s))
        bits |= OUT;
    return bits;
}

static uint32_t poll_dgram(const struct tern_sock *s)
{
    uint32_t bits = OUT;

    if (tern_dgram_waits(s))
        bits |= IN;
    if ((s->shut & TERN_SHUT_READ) != 0)
        bits |= IN | POLLRDHUP;
    if (s->shut == (TERN_SHUT_READ | TERN_SHUT_WRITE))
        bits |= POLLHUP;
    return bits;
}

uint32_t tern_sock_poll(const struct tern_sock *s)
{
    uint32_t bits = s->kind == TERN_SOCK_STREAM ? poll_stream(s) : poll_dgram(s);

    if (s->error != 0 || (is_over(s) && !s->ended && tern_tcp_reason(s->conn) != TERN_ERR_OK))
        bits |= POLLERR;
    return bits;
}

void tern_sock_told(struct tern_sock *s)
{
    struct tern_sockets *t = s->table;

    if (t->config.changed != NULL && !s->closing)
        t->config.changed(t->config.arg, s->fd, tern_sock_poll(s));
}

void tern_sock_changed(struct tern_sock *s, uint32_t key)
{
    tern_epoll_wake(s, key);
    tern_sock_told(s);
}
