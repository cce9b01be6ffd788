/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * connect and accept. connect() goes by Linux's phase of the socket: unconnected, connecting,
 * connected. The phase lags behind the connection: it is a later call of connect() that finds out,
 * once, how the attempt ended; the reason of a failure goes to whoever asks first, SO_ERROR or
 * connect() (which then says ECONNABORTED). shutdown() finds out as well: after it an attempt that
 * went well is EISCONN, any other EINVAL.
 */
#include "socket/internal.h"

#include <string.h>

#include <tern/stack.h>

static int connect_errno(enum tern_err err)
{
    switch (err) {
    case TERN_ERR_INVAL: /* a multicast or broadcast address, or port 0 */
        return ENETUNREACH;
    case TERN_ERR_ADDRESS_IN_USE: /* this very pair of endpoints */
        return EADDRNOTAVAIL;
    default:
        return tern_sock_errno(err);
    }
}

/* What the stack chose. */
static void take_names(struct tern_sock *s)
{
    struct tern_tcp_info info;

    tern_tcp_info(s->conn, &info);
    s->deferred = info.syn_waits;
    s->local.addr = info.local.addr;
    s->remote = info.remote;
    tern_sock_hold_port(s, info.local.port);
}

static int dial(struct tern_sock *s, const struct tern_endpoint *to, bool fastopen)
{
    struct tern_tcp_options o = {.local = s->local,
                                 .remote = *to,
                                 .user = s,
                                 .congestion = s->set.congestion,
                                 .settings = &s->set};
    enum tern_err err;

    s->set.fastopen = fastopen;
    err = tern_tcp_connect(s->table->config.stack, &o, &s->conn);
    if (err != TERN_ERR_OK) {
        s->conn = NULL;
        return tern_sock_fail(connect_errno(err));
    }
    s->phase = TERN_SOCK_CONNECTING;
    s->shut = 0;
    s->error = 0;
    s->ended = s->full = false;
    take_names(s);
    return 0;
}

void tern_sock_disconnect(struct tern_sock *s)
{
    static const struct tern_addr any;
    struct tern_conn *conn = s->conn;

    if (s->listener != NULL)
        tern_tcp_unlisten(s->listener);
    s->listener = NULL;
    if (conn != NULL) {
        if (tern_sock_state(s) != TERN_TCP_CLOSED)
            s->error = ECONNRESET;
        tern_tcp_settings(conn, &s->set);
        s->conn = NULL;
        tern_tcp_abort(conn);
    }
    if (!s->port_bound) {
        tern_sock_drop_port(s);
        s->local.port = 0;
    }
    if (!s->address_bound)
        s->local.addr = any;
    memset(&s->remote, 0, sizeof(s->remote));
    s->phase = TERN_SOCK_UNCONNECTED;
    s->shut = 0;
    s->ended = s->full = s->deferred = false;
}

/* The handshake goes on: wait for its end, or say `error`. */
static int await(struct tern_sock *s, bool now_or_never, int error)
{
    struct tern_wait w;

    tern_wait_begin(&w, s, now_or_never, s->opt.write_timeout);
    while (tern_sock_is_connecting(s)) {
        if (!tern_wait_more(&w))
            return tern_sock_fail(errno == EAGAIN ? error : errno);
    }
    if (tern_sock_state(s) == TERN_TCP_CLOSED) {
        const int reason = tern_sock_take_error(s);

        tern_sock_disconnect(s);
        return tern_sock_fail(reason != 0 ? reason : ECONNABORTED);
    }
    s->phase = TERN_SOCK_CONNECTED;
    return 0;
}

static int start(struct tern_sock *s, const struct tern_endpoint *to, bool now_or_never,
                 bool in_send)
{
    const bool fastopen = in_send || s->opt.fastopen_connect;

    if (s->conn != NULL || s->listener != NULL)
        return tern_sock_fail(EISCONN);
    if (s->opt.v6only && tern_addr_is_v4(to->addr))
        return tern_sock_fail(ENETUNREACH);
    if (dial(s, to, fastopen) != 0)
        return -1;
    if (in_send || s->deferred) /* bytes come with the call, or are to come before there is a SYN */
        return 0;
    return await(s, now_or_never, EINPROGRESS);
}

int tern_sock_connect(struct tern_sock *s, const struct tern_endpoint *to, bool now_or_never,
                      bool in_send)
{
    switch (s->phase) {
    case TERN_SOCK_CONNECTED:
        return tern_sock_fail(EISCONN);
    case TERN_SOCK_CONNECTING:
        if (s->deferred)
            return tern_sock_fail(in_send ? EINPROGRESS : EISCONN);
        return await(s, now_or_never, EALREADY);
    case TERN_SOCK_DISCONNECTING:
        return tern_sock_fail(EINVAL);
    default:
        return start(s, to, now_or_never, in_send);
    }
}

static int disconnect_dgram(struct tern_sock *s)
{
    static const struct tern_endpoint nobody;

    if (s->udp != NULL)
        tern_udp_connect(s->udp, &nobody);
    s->remote = nobody;
    if (!s->address_bound) /* it was that of the way to the peer */
        s->local.addr = nobody.addr;
    s->phase = TERN_SOCK_UNCONNECTED;
    return 0;
}

int tern_connect(struct tern_sockets *t, int fd, const struct sockaddr *address, socklen_t bytes)
{
    struct tern_sock *s = tern_sock_get(t, fd);
    struct tern_endpoint to;

    if (s == NULL)
        return -1;
    if (tern_sock_is_unspecified(address, bytes)) {
        if (s->kind == TERN_SOCK_DGRAM)
            return disconnect_dgram(s);
        tern_sock_disconnect(s);
        tern_sock_changed(s, 0);
        return 0;
    }
    /* what is no new attempt does not look at the address */
    if (s->phase == TERN_SOCK_UNCONNECTED || s->kind == TERN_SOCK_DGRAM) {
        if (!tern_sock_name_in(s, address, bytes, &to))
            return -1;
    } else {
        memset(&to, 0, sizeof(to));
    }
    return s->kind == TERN_SOCK_DGRAM ? tern_dgram_connect(s, &to)
                                      : tern_sock_connect(s, &to, s->nonblock, false);
}

/* ---- accept ---- */

static struct tern_sock *adopt(struct tern_sock *parent, int flags)
{
    struct tern_sock *s = tern_sock_new(parent->table, TERN_SOCK_STREAM);

    if (s == NULL)
        return NULL;
    s->domain = parent->domain;
    s->nonblock = (flags & SOCK_NONBLOCK) != 0;
    s->cloexec = (flags & SOCK_CLOEXEC) != 0;
    s->opt = parent->opt;
    s->opt.fastopen_queue = 0;
    s->phase = TERN_SOCK_CONNECTED;
    s->port_bound = s->address_bound = true;
    return s;
}

/* What the listener's settings were when the handshake was made. */
static void inherit(struct tern_sock *s)
{
    struct tern_tcp_settings set;

    tern_tcp_settings(s->conn, &set);
    s->opt.read_lowat = set.readable_bytes > 0 ? (int)set.readable_bytes : 1;
    s->opt.linger2 = set.fin_wait_2 == 1 ? -1 : (int)(set.fin_wait_2 / TERN_SECOND);
}

static int accept_one(struct tern_sock *parent, int flags)
{
    struct tern_sock *s = adopt(parent, flags);

    if (s == NULL)
        return -1;
    if (tern_tcp_accept(parent->listener, s, &s->conn) != TERN_ERR_OK) {
        s->conn = NULL;
        tern_sock_free(s);
        return tern_sock_fail(EAGAIN);
    }
    inherit(s);
    take_names(s);
    return s->fd;
}

int tern_accept4(struct tern_sockets *t, int fd, struct sockaddr *address, socklen_t *bytes,
                 int flags)
{
    struct tern_sock *s = tern_sock_get(t, fd);
    struct tern_wait w;
    int child;

    if (s == NULL)
        return -1;
    if ((flags & ~(SOCK_NONBLOCK | SOCK_CLOEXEC)) != 0)
        return tern_sock_fail(EINVAL);
    if (s->kind != TERN_SOCK_STREAM)
        return tern_sock_fail(EOPNOTSUPP);
    if (address != NULL && (bytes == NULL || (int)*bytes < 0))
        return tern_sock_fail(bytes == NULL ? EFAULT : EINVAL);
    tern_wait_begin(&w, s, s->nonblock, s->opt.read_timeout);
    while (s->listener != NULL && !tern_listener_is_ready(s->listener)) {
        if (!tern_wait_more(&w))
            return -1;
    }
    if (s->listener == NULL)
        return tern_sock_fail(EINVAL);
    child = accept_one(s, flags);
    if (child >= 0) {
        tern_sock_name_out(s, &tern_sock_find(t, child)->remote, address, bytes);
        tern_sock_told(s);
    }
    return child;
}

int tern_accept(struct tern_sockets *t, int fd, struct sockaddr *address, socklen_t *bytes)
{
    return tern_accept4(t, fd, address, bytes, 0);
}
