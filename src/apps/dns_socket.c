/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The five socket calls that c-ares makes, answered with tern's UDP and TCP. What it holds for a
 * descriptor is a number of a slot in our table: it belongs to no kernel and is never polled;
 * events of the stack call ares_process_fd() instead. Calls fail as the kernel's would, with
 * errno.
 */
#include "apps/dns_socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/uio.h>

/* Far from small numbers, so that a mix-up with a real descriptor shows. */
#define FD_FIRST 1000000

/* c-ares reads a TCP message's length and body in separate calls: enough for both, many times. */
#define READS_MAX 256

static int to_errno(enum tern_err err)
{
    switch (err) {
    case TERN_ERR_AGAIN:
        return EAGAIN;
    case TERN_ERR_REFUSED:
        return ECONNREFUSED;
    case TERN_ERR_NO_ROUTE:
    case TERN_ERR_UNREACHABLE:
        return EHOSTUNREACH;
    case TERN_ERR_TIMEOUT:
        return ETIMEDOUT;
    case TERN_ERR_TOO_BIG:
        return EMSGSIZE;
    case TERN_ERR_FULL:
    case TERN_ERR_MEMORY:
        return ENOBUFS;
    default:
        return ECONNRESET;
    }
}

static int fail(enum tern_err err)
{
    errno = to_errno(err);
    return -1;
}

static struct tern_dns_socket *slot_of(struct tern_dns_sockets *all, ares_socket_t fd)
{
    int index = fd - FD_FIRST;

    if (index < 0 || index >= TERN_DNS_SOCKETS_MAX || all->slot[index].kind == TERN_DNS_SOCKET_FREE)
        return NULL;
    return &all->slot[index];
}

static ares_socket_t fd_of(const struct tern_dns_socket *s)
{
    return FD_FIRST + (ares_socket_t)(s - s->all->slot);
}

static bool bytes_wait(const struct tern_dns_socket *s)
{
    struct tern_slice slice;

    return s->kind == TERN_DNS_SOCKET_TCP && tern_tcp_peek(s->conn, &slice) > 0;
}

static void hear(struct tern_sink *sink, const struct tern_event *event)
{
    struct tern_dns_socket *s = (struct tern_dns_socket *)sink;
    ares_socket_t fd = fd_of(s);
    int reads = 0;

    if (s->kind == TERN_DNS_SOCKET_FREE)
        return;
    if (event->kind == TERN_EVENT_CONN && (event->bits & TERN_CONN_ESTABLISHED) != 0)
        s->connected = true;
    if (event->kind == TERN_EVENT_CONN &&
        (event->bits & (TERN_CONN_ESTABLISHED | TERN_CONN_WRITABLE)) != 0)
        ares_process_fd(s->all->channel, ARES_SOCKET_BAD, fd);
    do {
        if (s->kind != TERN_DNS_SOCKET_FREE)
            ares_process_fd(s->all->channel, fd, ARES_SOCKET_BAD);
    } while (bytes_wait(s) && ++reads < READS_MAX);
}

static ares_socket_t open_socket(int family, int type, int protocol, void *user)
{
    struct tern_dns_sockets *all = user;
    int i;

    (void)protocol;
    if (family != AF_INET) {
        errno = EAFNOSUPPORT;
        return ARES_SOCKET_BAD;
    }
    for (i = 0; i < TERN_DNS_SOCKETS_MAX; i++) {
        struct tern_dns_socket *s = &all->slot[i];

        if (s->kind != TERN_DNS_SOCKET_FREE)
            continue;
        memset(s, 0, sizeof *s);
        s->sink.hear = hear;
        s->all = all;
        s->kind = type == SOCK_STREAM ? TERN_DNS_SOCKET_TCP : TERN_DNS_SOCKET_UDP;
        return FD_FIRST + i;
    }
    errno = EMFILE;
    return ARES_SOCKET_BAD;
}

static int close_socket(ares_socket_t fd, void *user)
{
    struct tern_dns_socket *s = slot_of(user, fd);

    if (s == NULL)
        return fail(TERN_ERR_INVAL);
    if (s->udp != NULL)
        tern_udp_close(s->udp);
    if (s->conn != NULL)
        tern_tcp_close(s->conn);
    s->udp = NULL;
    s->conn = NULL;
    s->kind = TERN_DNS_SOCKET_FREE;
    return 0;
}

static int connect_udp(struct tern_dns_socket *s)
{
    struct tern_endpoint any = {.port = 0};
    enum tern_err err = tern_udp_open(s->all->stack, &any, &s->sink, &s->udp);

    return err == TERN_ERR_OK ? 0 : fail(err);
}

static int connect_tcp(struct tern_dns_socket *s)
{
    struct tern_tcp_options options = {.remote = s->remote, .user = &s->sink, .nodelay = true};
    enum tern_err err = tern_tcp_connect(s->all->stack, &options, &s->conn);

    if (err != TERN_ERR_OK)
        return fail(err);
    errno = EINPROGRESS;
    return -1;
}

static int connect_socket(ares_socket_t fd, const struct sockaddr *to, ares_socklen_t length,
                          void *user)
{
    struct tern_dns_socket *s = slot_of(user, fd);
    struct sockaddr_in in;

    if (s == NULL || length < (ares_socklen_t)sizeof in)
        return fail(TERN_ERR_INVAL);
    memcpy(&in, to, sizeof in);
    s->remote.addr = tern_addr_from_be32(ntohl(in.sin_addr.s_addr));
    s->remote.port = ntohs(in.sin_port);
    return s->kind == TERN_DNS_SOCKET_TCP ? connect_tcp(s) : connect_udp(s);
}

static void tell_sender(const struct tern_endpoint *from, struct sockaddr *out,
                        ares_socklen_t *length)
{
    struct sockaddr_in in = {.sin_family = AF_INET};

    if (out == NULL || length == NULL || *length < (ares_socklen_t)sizeof in)
        return;
    in.sin_addr.s_addr = htonl(tern_addr_to_be32(from->addr));
    in.sin_port = htons(from->port);
    memcpy(out, &in, sizeof in);
    *length = sizeof in;
}

static ares_ssize_t receive(ares_socket_t fd, void *data, size_t bytes, int flags,
                            struct sockaddr *from, ares_socklen_t *from_bytes, void *user)
{
    struct tern_dns_socket *s = slot_of(user, fd);
    struct tern_endpoint sender;
    ptrdiff_t n;

    (void)flags;
    if (s == NULL)
        return fail(TERN_ERR_INVAL);
    sender = s->remote;
    if (s->kind == TERN_DNS_SOCKET_UDP)
        n = tern_udp_receive(s->udp, &sender, data, bytes);
    else
        n = tern_tcp_read(s->conn, data, bytes);
    if (n < 0)
        return fail((enum tern_err)n);
    tell_sender(&sender, from, from_bytes);
    return n < (ptrdiff_t)bytes ? n : (ptrdiff_t)bytes;
}

static ares_ssize_t send_stream(struct tern_dns_socket *s, const struct iovec *pieces, int count)
{
    ares_ssize_t sent = 0;
    int i;

    if (!s->connected)
        return fail(TERN_ERR_AGAIN);
    for (i = 0; i < count; i++) {
        ptrdiff_t n = tern_tcp_write(s->conn, pieces[i].iov_base, pieces[i].iov_len);

        if (n < 0)
            return sent > 0 ? sent : fail((enum tern_err)n);
        sent += n;
        if ((size_t)n < pieces[i].iov_len)
            break;
    }
    return sent;
}

static ares_ssize_t send_datagram(struct tern_dns_socket *s, const struct iovec *pieces, int count)
{
    uint8_t data[512 + 64]; /* RFC 1035 §4.2.1: a question is never longer than 512 bytes */
    size_t bytes = 0;
    enum tern_err err;
    int i;

    for (i = 0; i < count; i++) {
        if (pieces[i].iov_len > sizeof data - bytes)
            return fail(TERN_ERR_TOO_BIG);
        memcpy(data + bytes, pieces[i].iov_base, pieces[i].iov_len);
        bytes += pieces[i].iov_len;
    }
    err = tern_udp_send(s->udp, &s->remote, data, bytes);
    return err == TERN_ERR_OK ? (ares_ssize_t)bytes : fail(err);
}

static ares_ssize_t send_pieces(ares_socket_t fd, const struct iovec *pieces, int count, void *user)
{
    struct tern_dns_socket *s = slot_of(user, fd);

    if (s == NULL)
        return fail(TERN_ERR_INVAL);
    return s->kind == TERN_DNS_SOCKET_TCP ? send_stream(s, pieces, count)
                                          : send_datagram(s, pieces, count);
}

void tern_dns_sockets_init(struct tern_dns_sockets *all, struct tern_stack *stack,
                           ares_channel channel)
{
    static const struct ares_socket_functions functions = {
        .asocket = open_socket,
        .aclose = close_socket,
        .aconnect = connect_socket,
        .arecvfrom = receive,
        .asendv = send_pieces,
    };

    memset(all, 0, sizeof *all);
    all->stack = stack;
    all->channel = channel;
    ares_set_socket_functions(channel, &functions, all);
}
