/* SPDX-License-Identifier: BSD-2-Clause */
/* fcntl and ioctl. */
#include "socket/internal.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>

int tern_fcntl(struct tern_sockets *t, int fd, int command, long argument)
{
    struct tern_sock *s = tern_sock_find(t, fd);

    if (s == NULL)
        return tern_sock_fail(EBADF);
    switch (command) {
    case F_GETFL:
        return O_RDWR | (s->nonblock ? O_NONBLOCK : 0);
    case F_SETFL: /* the flags that say how it was opened stay */
        s->nonblock = (argument & O_NONBLOCK) != 0;
        return 0;
    case F_GETFD:
        return s->cloexec ? FD_CLOEXEC : 0;
    case F_SETFD:
        s->cloexec = (argument & FD_CLOEXEC) != 0;
        return 0;
    default:
        return tern_sock_fail(EINVAL);
    }
}

static int int_of(uint64_t value)
{
    return value < INT_MAX ? (int)value : INT_MAX;
}

/* Up to an urgent byte that stands out of the stream; an announced one that has not come counts for
 * nothing. */
static uint64_t unread_of(const struct tern_sock *s)
{
    const uint64_t unread = tern_sock_unread(s);
    uint64_t ahead;

    return tern_sock_mark_ahead(s, &ahead) && ahead < unread ? ahead : unread;
}

static int ask_unread(const struct tern_sock *s, int *out)
{
    if (s->kind == TERN_SOCK_DGRAM) {
        *out = int_of(tern_dgram_bytes(s));
        return 0;
    }
    if (s->listener != NULL)
        return tern_sock_fail(EINVAL);
    *out = s->conn != NULL ? int_of(unread_of(s)) : 0;
    return 0;
}

static int ask_unsent(const struct tern_sock *s, bool acknowledged, int *out)
{
    struct tern_tcp_info info;

    *out = 0;
    if (s->listener != NULL)
        return tern_sock_fail(EINVAL);
    if (s->conn == NULL || tern_sock_is_connecting(s))
        return 0;
    tern_tcp_info(s->conn, &info);
    *out = int_of(info.notsent_bytes + (acknowledged ? info.unacked_bytes : 0));
    return 0;
}

static int ask_at_mark(const struct tern_sock *s, int *out)
{
    size_t ahead;

    if (s->kind == TERN_SOCK_DGRAM)
        return tern_sock_fail(ENOTTY);
    *out = s->conn != NULL && tern_tcp_urgent_mark(s->conn, &ahead) && ahead == 0;
    return 0;
}

static int ask(struct tern_sock *s, unsigned long request, int *out)
{
    switch (request) {
    case FIONREAD:
        return ask_unread(s, out);
    case TIOCOUTQ:
        return ask_unsent(s, true, out);
    case SIOCOUTQNSD:
        return ask_unsent(s, false, out);
    case SIOCATMARK:
        return ask_at_mark(s, out);
    default:
        return tern_sock_fail(ENOTTY);
    }
}

int tern_ioctl(struct tern_sockets *t, int fd, unsigned long request, void *argument)
{
    struct tern_sock *s = tern_sock_find(t, fd);
    int value = 0;

    if (s == NULL)
        return tern_sock_fail(EBADF);
    if (argument == NULL)
        return tern_sock_fail(EFAULT);
    if (request == FIONBIO) {
        memcpy(&value, argument, sizeof(value));
        s->nonblock = value != 0;
        return 0;
    }
    if (s->kind == TERN_SOCK_EPOLL || ask(s, request, &value) != 0)
        return s->kind == TERN_SOCK_EPOLL ? tern_sock_fail(ENOTTY) : -1;
    memcpy(argument, &value, sizeof(value));
    return 0;
}
