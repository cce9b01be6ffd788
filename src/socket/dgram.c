/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Datagram sockets: UDP. The stack sends no fragments, so that what does not fit the link's MTU is
 * EMSGSIZE. An ICMP error is told to a connected socket alone, as Linux does.
 */
#include "socket/internal.h"

#include <string.h>

#include <tern/stack.h>

void tern_dgram_refresh(struct tern_sock *s)
{
    const enum tern_err err = s->udp != NULL ? tern_udp_error(s->udp) : TERN_ERR_OK;

    if (err != TERN_ERR_OK && s->phase == TERN_SOCK_CONNECTED)
        s->error = tern_sock_errno(err);
}

static bool next(const struct tern_sock *s, struct tern_endpoint *from, struct tern_slice *body)
{
    return s->udp != NULL && tern_udp_peek(s->udp, from, body) >= 0;
}

bool tern_dgram_waits(const struct tern_sock *s)
{
    struct tern_endpoint from;
    struct tern_slice body;

    return next(s, &from, &body);
}

size_t tern_dgram_bytes(const struct tern_sock *s)
{
    struct tern_endpoint from;
    struct tern_slice body;

    return next(s, &from, &body) ? body.bytes : 0;
}

/* True: done, with *result. The end of reading ends a wait only, as Linux has it. */
static bool attempt(struct tern_sock *s, struct tern_message *m, bool now_or_never, ssize_t *result)
{
    struct tern_endpoint from;
    struct tern_slice body;
    const bool there = next(s, &from, &body);
    size_t taken;

    if (s->error != 0) {
        *result = tern_sock_fail(tern_sock_take_error(s));
        return true;
    }
    *result = 0;
    if (!there)
        return (s->shut & TERN_SHUT_READ) != 0 && !now_or_never;
    taken = body.bytes < m->bytes ? body.bytes : m->bytes;
    tern_message_put(m, body.data, taken);
    if (taken < body.bytes)
        m->out_flags |= MSG_TRUNC;
    *result = (ssize_t)((m->flags & MSG_TRUNC) != 0 ? body.bytes : taken);
    if (m->name != NULL)
        tern_sock_name_out(s, &from, m->name, &m->name_bytes);
    if ((m->flags & MSG_PEEK) == 0)
        tern_udp_skip(s->udp);
    return true;
}

ssize_t tern_dgram_receive(struct tern_sock *s, struct tern_message *m)
{
    const bool now_or_never = s->nonblock || (m->flags & MSG_DONTWAIT) != 0;
    struct tern_wait w;
    ssize_t result;

    tern_wait_begin(&w, s, now_or_never, s->opt.read_timeout);
    while (!attempt(s, m, now_or_never, &result)) {
        if (!tern_wait_more(&w))
            return -1;
    }
    if (result >= 0)
        tern_sock_told(s);
    return result;
}

/* A datagram in one piece: the caller's own memory where it has one part. */
static const uint8_t *gather(struct tern_message *m, uint8_t *room)
{
    uint8_t *piece;
    size_t at = 0;
    size_t n;

    if (m->count == 1)
        return m->parts[0].iov_base;
    while ((n = tern_message_next(m, m->bytes - at, &piece)) > 0) {
        memcpy(room + at, piece, n);
        at += n;
    }
    return room;
}

static int destination(struct tern_sock *s, const struct tern_message *m, struct tern_endpoint *to)
{
    if (m->name != NULL) {
        if (!tern_sock_name_in_of_old(s, m->name, m->name_bytes, to))
            return -1;
        if (to->port == 0)
            return tern_sock_fail(EINVAL);
        return 0;
    }
    *to = s->remote;
    return to->port != 0 ? 0 : tern_sock_fail(EDESTADDRREQ);
}

static int send_errno(enum tern_err err)
{
    return err == TERN_ERR_INVAL ? EACCES : tern_sock_errno(err);
}

ssize_t tern_dgram_send(struct tern_sock *s, struct tern_message *m)
{
    uint8_t room[UINT16_MAX];
    struct tern_endpoint to;
    struct tern_wait w;
    const uint8_t *data;
    enum tern_err err;

    if (m->bytes > sizeof(room))
        return tern_sock_fail(EMSGSIZE);
    if ((m->flags & MSG_OOB) != 0)
        return tern_sock_fail(EOPNOTSUPP);
    if (destination(s, m, &to) != 0)
        return -1;
    if (s->error != 0)
        return tern_sock_fail(tern_sock_take_error(s));
    if ((s->shut & TERN_SHUT_WRITE) != 0)
        return tern_sock_fail(EPIPE);
    if (tern_sock_autobind(s) != 0)
        return -1;
    data = gather(m, room);
    tern_wait_begin(&w, s, s->nonblock || (m->flags & MSG_DONTWAIT) != 0, s->opt.write_timeout);
    while ((err = tern_udp_send(s->udp, &to, data, m->bytes)) == TERN_ERR_AGAIN) {
        if (!tern_wait_more(&w))
            return -1;
    }
    return err == TERN_ERR_OK ? (ssize_t)m->bytes : tern_sock_fail(send_errno(err));
}

int tern_dgram_connect(struct tern_sock *s, const struct tern_endpoint *to)
{
    struct tern_addr source;

    if (!tern_stack_source(s->table->config.stack, to->addr, &source))
        return tern_sock_fail(ENETUNREACH);
    if (tern_sock_autobind(s) != 0)
        return -1;
    tern_udp_connect(s->udp, to);
    if (tern_addr_is_any(s->local.addr))
        s->local.addr = source;
    s->remote = *to;
    s->phase = TERN_SOCK_CONNECTED;
    return 0;
}
