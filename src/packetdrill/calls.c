/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of calls. Most are tern's own sockets behind a lock. A descriptor that is not
 * tern's (a file, a pipe) goes to libc.
 */
#include "packetdrill/plugin.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

#define RECEIVE_MAX   (4 * 3600 * TERN_SECOND) /* no script waits longer for a packet */
#define MEMINFO_COUNT 9                        /* numbers of Linux's SO_MEMINFO */

static struct tern_pd *begin(void *userdata)
{
    struct tern_pd *p = userdata;

    tern_pd_call_begins(p);
    return p;
}

static ssize_t end(struct tern_pd *p, ssize_t result)
{
    const int error = errno;

    tern_pd_call_ends(p);
    errno = error;
    return result;
}

static int end_int(struct tern_pd *p, int result)
{
    return (int)end(p, result);
}

/* The socket table does not know this descriptor: is it libc's? */
static bool is_foreign(ssize_t result)
{
    return result < 0 && errno == EBADF;
}

static struct tern_addr address_of(const struct sockaddr *address, socklen_t bytes)
{
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
    struct tern_addr addr = {{0}};

    if (address == NULL || bytes < sizeof in)
        return addr;
    if (address->sa_family == AF_INET6 && bytes >= sizeof in6) {
        memcpy(&in6, address, sizeof in6);
        memcpy(addr.b, &in6.sin6_addr, sizeof addr.b);
    } else if (address->sa_family == AF_INET) {
        memcpy(&in, address, sizeof in);
        addr = tern_addr_from_be32(tern_get_be32((const uint8_t *)&in.sin_addr));
    }
    return addr;
}

static int call_socket(void *userdata, int domain, int type, int protocol)
{
    struct tern_pd *p = begin(userdata);

    if (p->flags.sysctl)
        tern_pd_flags_sysctl(&p->flags);
    return end_int(p, tern_socket(p->sockets, domain, type, protocol));
}

static int call_bind(void *userdata, int fd, const struct sockaddr *address, socklen_t bytes)
{
    struct tern_pd *p = begin(userdata);

    tern_pd_own(p, address_of(address, bytes));
    return end_int(p, tern_bind(p->sockets, fd, address, bytes));
}

static int call_listen(void *userdata, int fd, int backlog)
{
    struct tern_pd *p = begin(userdata);
    int fastopen = 0;
    socklen_t bytes = sizeof fastopen;

    if (p->flags.fastopen &&
        tern_getsockopt(p->sockets, fd, IPPROTO_TCP, TCP_FASTOPEN, &fastopen, &bytes) == 0 &&
        fastopen == 0) {
        fastopen = backlog > 0 ? backlog : 1;
        (void)tern_setsockopt(p->sockets, fd, IPPROTO_TCP, TCP_FASTOPEN, &fastopen,
                              sizeof fastopen);
    }
    return end_int(p, tern_listen(p->sockets, fd, backlog));
}

static int call_accept(void *userdata, int fd, struct sockaddr *address, socklen_t *bytes)
{
    struct tern_pd *p = begin(userdata);

    return end_int(p, tern_accept(p->sockets, fd, address, bytes));
}

static int call_connect(void *userdata, int fd, const struct sockaddr *address, socklen_t bytes)
{
    struct tern_pd *p = begin(userdata);

    return end_int(p, tern_connect(p->sockets, fd, address, bytes));
}

static ssize_t call_read(void *userdata, int fd, void *data, size_t bytes)
{
    struct tern_pd *p = begin(userdata);
    const ssize_t result = end(p, tern_read(p->sockets, fd, data, bytes));

    return is_foreign(result) ? read(fd, data, bytes) : result;
}

static ssize_t call_readv(void *userdata, int fd, const struct iovec *parts, int count)
{
    struct tern_pd *p = begin(userdata);

    return end(p, tern_readv(p->sockets, fd, parts, count));
}

static ssize_t call_recv(void *userdata, int fd, void *data, size_t bytes, int flags)
{
    struct tern_pd *p = begin(userdata);

    return end(p, tern_recv(p->sockets, fd, data, bytes, flags));
}

static ssize_t call_recvfrom(void *userdata, int fd, void *data, size_t bytes, int flags,
                             struct sockaddr *from, socklen_t *from_bytes)
{
    struct tern_pd *p = begin(userdata);

    return end(p, tern_recvfrom(p->sockets, fd, data, bytes, flags, from, from_bytes));
}

static ssize_t call_recvmsg(void *userdata, int fd, struct msghdr *message, int flags)
{
    struct tern_pd *p = begin(userdata);

    return end(p, tern_recvmsg(p->sockets, fd, message, flags));
}

static ssize_t call_write(void *userdata, int fd, const void *data, size_t bytes)
{
    struct tern_pd *p = begin(userdata);
    const ssize_t result = end(p, tern_write(p->sockets, fd, data, bytes));

    return is_foreign(result) ? write(fd, data, bytes) : result;
}

static ssize_t call_writev(void *userdata, int fd, const struct iovec *parts, int count)
{
    struct tern_pd *p = begin(userdata);

    return end(p, tern_writev(p->sockets, fd, parts, count));
}

static ssize_t call_send(void *userdata, int fd, const void *data, size_t bytes, int flags)
{
    struct tern_pd *p = begin(userdata);

    return end(p, tern_send(p->sockets, fd, data, bytes, flags));
}

static ssize_t call_sendto(void *userdata, int fd, const void *data, size_t bytes, int flags,
                           const struct sockaddr *to, socklen_t to_bytes)
{
    struct tern_pd *p = begin(userdata);

    return end(p, tern_sendto(p->sockets, fd, data, bytes, flags, to, to_bytes));
}

static ssize_t call_sendmsg(void *userdata, int fd, const struct msghdr *message, int flags)
{
    struct tern_pd *p = begin(userdata);

    return end(p, tern_sendmsg(p->sockets, fd, message, flags));
}

static int call_fcntl(void *userdata, int fd, int command, ...)
{
    struct tern_pd *p = begin(userdata);
    va_list arguments;
    int argument, result;

    va_start(arguments, command);
    argument = va_arg(arguments, int); /* unused by the commands that take none */
    va_end(arguments);
    result = end_int(p, tern_fcntl(p->sockets, fd, command, argument));
    return is_foreign(result) ? fcntl(fd, command, argument) : result;
}

static int call_ioctl(void *userdata, int fd, unsigned long request, ...)
{
    struct tern_pd *p = begin(userdata);
    va_list arguments;
    void *argument;

    va_start(arguments, request);
    argument = va_arg(arguments, void *);
    va_end(arguments);
    return end_int(p, tern_ioctl(p->sockets, fd, request, argument));
}

static int call_close(void *userdata, int fd)
{
    struct tern_pd *p = begin(userdata);
    const int result = end_int(p, tern_close(p->sockets, fd));

    return is_foreign(result) ? close(fd) : result;
}

static int call_shutdown(void *userdata, int fd, int how)
{
    struct tern_pd *p = begin(userdata);

    return end_int(p, tern_shutdown(p->sockets, fd, how));
}

/* What Linux has, and tern's sockets do not: nothing to tell of a congestion control, and of memory
 * nothing but zeros. packetdrill asks for both whenever a script holds code. */
static int empty_answer(int level, int name, void *value, socklen_t *bytes)
{
    const socklen_t meminfo = MEMINFO_COUNT * sizeof(uint32_t);

    if (level == IPPROTO_TCP && name == TCP_CC_INFO) {
        *bytes = 0;
        return 0;
    }
    if (level == SOL_SOCKET && name == SO_MEMINFO && *bytes >= meminfo) {
        memset(value, 0, meminfo);
        *bytes = meminfo;
        return 0;
    }
    return -1;
}

/* packetdrill knows of more members of TCP_INFO than this system's headers may: they are zero. */
static int get_tcp_info(struct tern_pd *p, int fd, void *value, socklen_t *bytes)
{
    const socklen_t asked = *bytes;
    int result;

    memset(value, 0, asked);
    result = tern_getsockopt(p->sockets, fd, IPPROTO_TCP, TCP_INFO, value, bytes);
    if (result == 0)
        *bytes = asked;
    return result;
}

int tern_pd_getsockopt(struct tern_pd *p, int fd, int level, int name, void *value,
                       socklen_t *bytes)
{
    int result;

    tern_pd_call_begins(p);
    if (level == IPPROTO_TCP && name == TCP_INFO)
        result = get_tcp_info(p, fd, value, bytes);
    else
        result = tern_getsockopt(p->sockets, fd, level, name, value, bytes);
    if (result < 0 && errno == ENOPROTOOPT)
        result = empty_answer(level, name, value, bytes);
    return end_int(p, result);
}

static int call_getsockopt(void *userdata, int fd, int level, int name, void *value,
                           socklen_t *bytes)
{
    return tern_pd_getsockopt(userdata, fd, level, name, value, bytes);
}

static int call_setsockopt(void *userdata, int fd, int level, int name, const void *value,
                           socklen_t bytes)
{
    struct tern_pd *p = begin(userdata);

    return end_int(p, tern_setsockopt(p->sockets, fd, level, name, value, bytes));
}

static int call_poll(void *userdata, struct pollfd *polled, nfds_t count, int timeout_ms)
{
    struct tern_pd *p = begin(userdata);

    return end_int(p, tern_poll(p->sockets, polled, count, timeout_ms));
}

static int call_netdev_send(void *userdata, const void *packet, size_t count)
{
    struct tern_pd *p = begin(userdata);

    tern_pd_input(p, packet, count);
    return end_int(p, 0);
}

static int call_netdev_receive(void *userdata, void *packet, size_t *count, long long *time_usecs)
{
    struct tern_pd *p = begin(userdata);
    const tern_time limit = p->now + RECEIVE_MAX;
    struct tern_pd_packet *sent;

    (void)tern_pd_turn(p);
    while (p->sent.first == NULL && tern_pd_leap(p, limit))
        continue;
    sent = tern_pd_take(&p->sent);
    if (sent == NULL || sent->bytes > *count) {
        *count = 0;
    } else {
        memcpy(packet, sent->data, sent->bytes);
        *count = sent->bytes;
        *time_usecs = sent->at / TERN_US;
    }
    free(sent);
    return end_int(p, 0);
}

static int call_usleep(void *userdata, useconds_t usecs)
{
    struct tern_pd *p = begin(userdata);

    tern_pd_advance(p, p->now + usecs * TERN_US);
    return end_int(p, 0);
}

static int call_gettimeofday(void *userdata, struct timeval *tv, struct timezone *tz)
{
    struct tern_pd *p = userdata;
    tern_time now;

    (void)tz;
    tern_pd_call_begins(p);
    now = tern_pd_read_clock(p);
    pthread_mutex_unlock(&p->lock);
    tv->tv_sec = (time_t)(now / TERN_SECOND);
    tv->tv_usec = (suseconds_t)(now % TERN_SECOND / TERN_US);
    return 0;
}

static int call_epoll_create(void *userdata, int size)
{
    struct tern_pd *p = begin(userdata);

    (void)size;
    return end_int(p, tern_epoll_create(p->sockets, 0));
}

static int call_epoll_ctl(void *userdata, int epoll, int operation, int fd,
                          struct epoll_event *event)
{
    struct tern_pd *p = begin(userdata);

    return end_int(p, tern_epoll_ctl(p->sockets, epoll, operation, fd, event));
}

static int call_epoll_wait(void *userdata, int epoll, struct epoll_event *events, int events_max,
                           int timeout_ms)
{
    struct tern_pd *p = begin(userdata);

    return end_int(p, tern_epoll_wait(p->sockets, epoll, events, events_max, timeout_ms));
}

static int call_pipe(void *userdata, int fds[2])
{
    (void)userdata;
    return pipe(fds);
}

/* The kernel's own way between two of its objects; a socket of tern's is none of them. */
static int call_splice(void *userdata, int in, loff_t *in_offset, int out, loff_t *out_offset,
                       size_t bytes, unsigned int flags)
{
    (void)userdata;
    return (int)splice(in, in_offset, out, out_offset, bytes, flags);
}

void tern_pd_fill_interface(struct packetdrill_interface *ifc)
{
    ifc->socket = call_socket;
    ifc->bind = call_bind;
    ifc->listen = call_listen;
    ifc->accept = call_accept;
    ifc->connect = call_connect;
    ifc->read = call_read;
    ifc->readv = call_readv;
    ifc->recv = call_recv;
    ifc->recvfrom = call_recvfrom;
    ifc->recvmsg = call_recvmsg;
    ifc->write = call_write;
    ifc->writev = call_writev;
    ifc->send = call_send;
    ifc->sendto = call_sendto;
    ifc->sendmsg = call_sendmsg;
    ifc->fcntl = call_fcntl;
    ifc->ioctl = call_ioctl;
    ifc->close = call_close;
    ifc->shutdown = call_shutdown;
    ifc->getsockopt = call_getsockopt;
    ifc->setsockopt = call_setsockopt;
    ifc->poll = call_poll;
    ifc->netdev_send = call_netdev_send;
    ifc->netdev_receive = call_netdev_receive;
    ifc->usleep = call_usleep;
    ifc->gettimeofday = call_gettimeofday;
    ifc->epoll_create = call_epoll_create;
    ifc->epoll_ctl = call_epoll_ctl;
    ifc->epoll_wait = call_epoll_wait;
    ifc->pipe = call_pipe;
    ifc->splice = call_splice;
}
