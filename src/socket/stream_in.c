/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Receiving from a stream, in the order in which Linux decides: bytes first, whatever happened
 * after them; then the peer's end (0), an error not yet told, our own end of reading (0), a socket
 * that has no connection (ENOTCONN), and last waiting.
 */
#include "socket/internal.h"

#include <tern/stack.h>

#define SLICES_MAX 64 /* looked at in one go; so a peek sees at least so many chunks */

static bool is_at_mark(const struct tern_sock *s)
{
    size_t ahead;

    return tern_tcp_urgent_mark(s->conn, &ahead) && ahead == 0;
}

/* Room and bytes meet: what is taken of the unread bytes, from the first on. */
static size_t take(struct tern_sock *s, struct tern_message *m, size_t room)
{
    const bool peek = (m->flags & MSG_PEEK) != 0;
    struct tern_slice slice[SLICES_MAX];
    int count = SLICES_MAX;
    size_t taken = 0;

    while (room > taken && count == SLICES_MAX) {
        size_t bytes = 0;

        count = tern_tcp_peekv(s->conn, slice, SLICES_MAX);
        for (int i = 0; i < count && taken + bytes < room; i++) {
            const size_t left = room - taken - bytes;
            const size_t n = slice[i].bytes < left ? slice[i].bytes : left;

            if ((m->flags & MSG_TRUNC) == 0) /* with it the bytes are thrown away */
                tern_message_put(m, slice[i].data, n);
            bytes += n;
        }
        taken += bytes;
        if (peek || bytes == 0)
            break;
        tern_tcp_skip(s->conn, bytes);
        if (is_at_mark(s)) /* a read ends there, so that its caller can see where it is */
            break;
    }
    return taken;
}

/* Nothing was taken, and nothing waits. Done: 0, or -1 with errno; else the call may wait. */
static bool is_settled(struct tern_sock *s, ssize_t *result)
{
    const int error = s->conn != NULL && tern_tcp_peer_done(s->conn) ? 0 : s->error;

    *result = 0;
    if (s->conn != NULL && tern_tcp_peer_done(s->conn))
        return true;
    if (error != 0) {
        *result = tern_sock_fail(tern_sock_take_error(s));
        return true;
    }
    if (tern_sock_read_is_shut(s))
        return true;
    if (tern_sock_state(s) == TERN_TCP_CLOSED) {
        *result = tern_sock_fail(ENOTCONN);
        return true;
    }
    return false;
}

/* In Linux's order: no such byte; a connection that broke, which keeps its error; the byte; the end
 * of reading; not here yet. */
static ssize_t receive_urgent(struct tern_sock *s, struct tern_message *m)
{
    uint8_t byte;
    enum tern_err err;

    err = s->conn != NULL ? tern_tcp_read_urgent(s->conn, &byte, true) : TERN_ERR_INVAL;
    if (err == TERN_ERR_INVAL)
        return tern_sock_fail(EINVAL);
    if (tern_sock_state(s) == TERN_TCP_CLOSED && !tern_tcp_peer_done(s->conn))
        return tern_sock_fail(ENOTCONN);
    if (err != TERN_ERR_OK)
        return tern_sock_read_is_shut(s) ? 0 : tern_sock_fail(EAGAIN);
    if ((m->flags & MSG_PEEK) == 0)
        (void)!tern_tcp_read_urgent(s->conn, &byte, false);
    m->out_flags |= MSG_OOB;
    tern_sock_told(s);
    if (m->bytes == 0) {
        m->out_flags |= MSG_TRUNC;
        return 0;
    }
    if ((m->flags & MSG_TRUNC) == 0)
        tern_message_put(m, &byte, 1);
    return 1;
}

/* Bytes that end the call. */
static size_t target_of(const struct tern_sock *s, const struct tern_message *m)
{
    const size_t lowat = (size_t)s->opt.read_lowat;
    size_t target = lowat < m->bytes ? lowat : m->bytes;

    if ((m->flags & MSG_WAITALL) != 0)
        target = m->bytes;
    return target > 0 ? target : 1;
}

/* A read passes an urgent byte out of the stream even where it finds nothing else. */
static void pass_urgent(struct tern_sock *s)
{
    uint64_t ahead;

    if (s->conn != NULL && tern_sock_mark_ahead(s, &ahead) && ahead == 0)
        tern_tcp_skip(s->conn, 0);
}

/* One try. True: the call is done, with *result. */
static bool attempt(struct tern_sock *s, struct tern_message *m, size_t target, size_t *copied,
                    ssize_t *result)
{
    const bool had_bytes = s->conn != NULL && tern_tcp_unread(s->conn) > 0;

    if ((m->flags & MSG_PEEK) != 0) { /* from the start again */
        tern_message_rewind(m);
        *copied = 0;
    }
    if (had_bytes)
        *copied += take(s, m, m->bytes - *copied);
    else if (*copied == 0 && m->bytes > 0 && (m->flags & MSG_PEEK) == 0)
        pass_urgent(s);
    *result = (ssize_t)*copied;
    if (*copied >= target || (m->bytes == 0 && had_bytes))
        return true;
    if (*copied == 0)
        return is_settled(s, result);
    return s->error != 0 || tern_sock_read_is_shut(s) || is_at_mark(s);
}

ssize_t tern_stream_receive(struct tern_sock *s, struct tern_message *m)
{
    const bool now_or_never = s->nonblock || (m->flags & MSG_DONTWAIT) != 0;
    const size_t target = target_of(s, m);
    struct tern_wait w;
    size_t copied = 0;
    ssize_t result;

    m->name_bytes = 0;
    if (s->listener != NULL)
        return tern_sock_fail(ENOTCONN);
    if ((m->flags & MSG_OOB) != 0)
        return receive_urgent(s, m);
    tern_wait_begin(&w, s, now_or_never, s->opt.read_timeout);
    while (!attempt(s, m, target, &copied, &result)) {
        if (!tern_wait_more(&w))
            return copied > 0 ? (ssize_t)copied : -1;
    }
    if (result >= 0)
        tern_sock_told(s);
    return result;
}
