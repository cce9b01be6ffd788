/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * read, write and all their forms: each becomes a message (the caller's buffers, flags, a name,
 * room for control data), which a stream or a datagram socket sends or fills.
 */
#include "socket/internal.h"

#include <limits.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>

/* ---- the caller's buffers ---- */

void tern_message_rewind(struct tern_message *m)
{
    m->part = m->offset = 0;
}

size_t tern_message_next(struct tern_message *m, size_t max, uint8_t **piece)
{
    size_t bytes;

    while (m->part < m->count && m->offset == m->parts[m->part].iov_len) {
        m->part++;
        m->offset = 0;
    }
    if (m->part == m->count)
        return 0;
    bytes = m->parts[m->part].iov_len - m->offset;
    bytes = bytes < max ? bytes : max;
    *piece = (uint8_t *)m->parts[m->part].iov_base + m->offset;
    m->offset += bytes;
    return bytes;
}

void tern_message_put(struct tern_message *m, const uint8_t *data, size_t bytes)
{
    while (bytes > 0) {
        uint8_t *piece;
        const size_t n = tern_message_next(m, bytes, &piece);

        if (n == 0)
            return;
        memcpy(piece, data, n);
        data += n;
        bytes -= n;
    }
}

size_t tern_message_room(const struct tern_message *m)
{
    size_t room = 0;

    for (size_t i = m->part; i < m->count; i++)
        room += m->parts[i].iov_len;
    return room - m->offset;
}

static int message_of(struct tern_message *m, const struct iovec *parts, size_t count, int flags)
{
    memset(m, 0, sizeof(*m));
    m->parts = parts;
    m->count = count;
    m->flags = flags;
    if (parts == NULL && count > 0)
        return tern_sock_fail(EFAULT);
    for (size_t i = 0; i < count; i++) {
        if (parts[i].iov_base == NULL && parts[i].iov_len > 0)
            return tern_sock_fail(EFAULT);
        if (parts[i].iov_len > SSIZE_MAX - m->bytes)
            return tern_sock_fail(EINVAL);
        m->bytes += parts[i].iov_len;
    }
    return 0;
}

static int check_count(int count, int error)
{
    return count < 0 || count > IOV_MAX ? tern_sock_fail(error) : 0;
}

/* ---- in ---- */

static ssize_t receive(struct tern_sock *s, struct tern_message *m)
{
    if ((m->flags & MSG_ERRQUEUE) != 0) /* nothing is ever put there */
        return tern_sock_fail(EAGAIN);
    return s->kind == TERN_SOCK_STREAM ? tern_stream_receive(s, m) : tern_dgram_receive(s, m);
}

ssize_t tern_recvfrom(struct tern_sockets *t, int fd, void *data, size_t bytes, int flags,
                      struct sockaddr *from, socklen_t *from_bytes)
{
    const struct iovec part = {data, bytes};
    struct tern_sock *s = tern_sock_get(t, fd);
    struct tern_message m;
    ssize_t n;

    if (s == NULL || message_of(&m, &part, 1, flags) != 0)
        return -1;
    if (from != NULL && from_bytes == NULL)
        return tern_sock_fail(EFAULT);
    m.name = from;
    m.name_bytes = from != NULL ? *from_bytes : 0;
    n = receive(s, &m);
    if (n >= 0 && from != NULL)
        *from_bytes = m.name_bytes;
    return n;
}

ssize_t tern_recv(struct tern_sockets *t, int fd, void *data, size_t bytes, int flags)
{
    return tern_recvfrom(t, fd, data, bytes, flags, NULL, NULL);
}

ssize_t tern_read(struct tern_sockets *t, int fd, void *data, size_t bytes)
{
    const struct iovec part = {data, bytes};

    return tern_readv(t, fd, &part, 1);
}

ssize_t tern_readv(struct tern_sockets *t, int fd, const struct iovec *parts, int count)
{
    struct tern_sock *s = tern_sock_get(t, fd);
    struct tern_message m;

    if (s == NULL || check_count(count, EINVAL) != 0 ||
        message_of(&m, parts, (size_t)count, 0) != 0)
        return -1;
    return m.bytes > 0 ? receive(s, &m) : 0;
}

/* Bytes left to read; the end of the stream counts as one, so that a reader that trusts the number
 * comes for it. */
static int unread_of(const struct tern_sock *s)
{
    struct tern_slice slice;
    int unread;

    if (s->conn == NULL)
        return 0;
    unread = (int)tern_sock_unread(s);
    return unread == 0 && tern_tcp_peek(s->conn, &slice) == 0 ? 1 : unread;
}

/* TCP_INQ: bytes left, as a control message. */
static void put_inq(struct tern_sock *s, struct msghdr *message)
{
    struct cmsghdr *c = CMSG_FIRSTHDR(message);
    const int unread = unread_of(s);

    if (c == NULL || message->msg_controllen < CMSG_SPACE(sizeof(unread))) {
        message->msg_flags |= MSG_CTRUNC;
        message->msg_controllen = 0;
        return;
    }
    c->cmsg_level = IPPROTO_TCP;
    c->cmsg_type = TCP_CM_INQ;
    c->cmsg_len = CMSG_LEN(sizeof(unread));
    memcpy(CMSG_DATA(c), &unread, sizeof(unread));
    message->msg_controllen = CMSG_SPACE(sizeof(unread));
}

ssize_t tern_recvmsg(struct tern_sockets *t, int fd, struct msghdr *message, int flags)
{
    struct tern_sock *s = tern_sock_get(t, fd);
    struct tern_message m;
    ssize_t n;

    if (s == NULL)
        return -1;
    if (message == NULL || message->msg_iovlen > IOV_MAX)
        return tern_sock_fail(message == NULL ? EFAULT : EMSGSIZE);
    if (message_of(&m, message->msg_iov, message->msg_iovlen, flags) != 0)
        return -1;
    m.name = message->msg_name;
    m.name_bytes = message->msg_name != NULL ? message->msg_namelen : 0;
    n = receive(s, &m);
    if (n < 0)
        return n;
    message->msg_namelen = m.name_bytes;
    message->msg_flags = m.out_flags;
    if (s->kind == TERN_SOCK_STREAM && s->opt.recv_inq)
        put_inq(s, message);
    else
        message->msg_controllen = 0;
    return n;
}

/* ---- out ---- */

static ssize_t transmit(struct tern_sock *s, struct tern_message *m)
{
    return s->kind == TERN_SOCK_STREAM ? tern_stream_send(s, m) : tern_dgram_send(s, m);
}

/* Memory of the caller's that is only read, in a structure that has no word for that. */
static void *unconst(const void *data)
{
    return (void *)(uintptr_t)data;
}

ssize_t tern_sendto(struct tern_sockets *t, int fd, const void *data, size_t bytes, int flags,
                    const struct sockaddr *to, socklen_t to_bytes)
{
    const struct iovec part = {unconst(data), bytes};
    struct tern_sock *s = tern_sock_get(t, fd);
    struct tern_message m;

    if (s == NULL || message_of(&m, &part, 1, flags) != 0)
        return -1;
    m.name = unconst(to);
    m.name_bytes = to != NULL ? to_bytes : 0;
    return transmit(s, &m);
}

ssize_t tern_send(struct tern_sockets *t, int fd, const void *data, size_t bytes, int flags)
{
    return tern_sendto(t, fd, data, bytes, flags, NULL, 0);
}

ssize_t tern_write(struct tern_sockets *t, int fd, const void *data, size_t bytes)
{
    return tern_sendto(t, fd, data, bytes, 0, NULL, 0);
}

ssize_t tern_writev(struct tern_sockets *t, int fd, const struct iovec *parts, int count)
{
    struct tern_sock *s = tern_sock_get(t, fd);
    struct tern_message m;

    if (s == NULL || check_count(count, EINVAL) != 0 ||
        message_of(&m, parts, (size_t)count, 0) != 0)
        return -1;
    return transmit(s, &m);
}

ssize_t tern_sendmsg(struct tern_sockets *t, int fd, const struct msghdr *message, int flags)
{
    struct tern_sock *s = tern_sock_get(t, fd);
    struct tern_message m;

    if (s == NULL)
        return -1;
    if (message == NULL || message->msg_iovlen > IOV_MAX)
        return tern_sock_fail(message == NULL ? EFAULT : EMSGSIZE);
    if (message_of(&m, message->msg_iov, message->msg_iovlen, flags) != 0)
        return -1;
    m.name = message->msg_name;
    m.name_bytes = message->msg_name != NULL ? message->msg_namelen : 0;
    return transmit(s, &m);
}
