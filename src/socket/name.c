/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Endpoints as sockaddr_in and sockaddr_in6. An AF_INET6 socket speaks of IPv4 addresses in their
 * mapped form, which is also how the stack holds all of them.
 */
#include "socket/internal.h"

#include <netinet/in.h>
#include <string.h>

static bool in4(const struct sockaddr *address, socklen_t bytes, struct tern_endpoint *out)
{
    struct sockaddr_in in;

    if (bytes < sizeof(in))
        return false;
    memcpy(&in, address, sizeof(in));
    out->addr = tern_addr_from_be32(ntohl(in.sin_addr.s_addr));
    out->port = ntohs(in.sin_port);
    return true;
}

static bool in6(const struct sockaddr *address, socklen_t bytes, struct tern_endpoint *out)
{
    struct sockaddr_in6 in;

    if (bytes < offsetof(struct sockaddr_in6, sin6_scope_id)) /* RFC 2133's shorter one */
        return false;
    memset(&in, 0, sizeof(in));
    memcpy(&in, address, bytes < sizeof(in) ? bytes : sizeof(in));
    memcpy(out->addr.b, in.sin6_addr.s6_addr, sizeof(out->addr.b));
    out->port = ntohs(in.sin6_port);
    return true;
}

bool tern_sock_name_in(const struct tern_sock *s, const struct sockaddr *address, socklen_t bytes,
                       struct tern_endpoint *out)
{
    sa_family_t family;
    bool good;

    errno = EINVAL;
    if (address == NULL) {
        errno = EFAULT;
        return false;
    }
    if (bytes < sizeof(family))
        return false;
    memcpy(&family, (const char *)address + offsetof(struct sockaddr, sa_family), sizeof(family));
    memset(out, 0, sizeof(*out));
    good = s->domain == AF_INET ? in4(address, bytes, out) : in6(address, bytes, out);
    if (!good)
        return false;
    if (family != s->domain) {
        errno = EAFNOSUPPORT;
        return false;
    }
    return true;
}

bool tern_sock_is_unspecified(const struct sockaddr *address, socklen_t bytes)
{
    sa_family_t family;

    if (address == NULL || bytes < sizeof(family))
        return false;
    memcpy(&family, (const char *)address + offsetof(struct sockaddr, sa_family), sizeof(family));
    return family == AF_UNSPEC;
}

bool tern_sock_name_in_of_old(const struct tern_sock *s, const struct sockaddr *address,
                              socklen_t bytes, struct tern_endpoint *out)
{
    if (s->domain == AF_INET && tern_sock_is_unspecified(address, bytes)) {
        errno = EINVAL;
        return in4(address, bytes, out);
    }
    return tern_sock_name_in(s, address, bytes, out);
}

void tern_sock_name_out(const struct tern_sock *s, const struct tern_endpoint *e,
                        struct sockaddr *address, socklen_t *bytes)
{
    struct sockaddr_in in4 = {.sin_family = AF_INET, .sin_port = htons(e->port)};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(e->port)};
    const void *from = &in4;
    socklen_t whole = sizeof(in4);

    if (address == NULL || bytes == NULL)
        return;
    if (s->domain == AF_INET6) {
        memcpy(in6.sin6_addr.s6_addr, e->addr.b, sizeof(e->addr.b));
        if (tern_addr_is_any(e->addr))
            memset(in6.sin6_addr.s6_addr, 0, sizeof(in6.sin6_addr.s6_addr));
        from = &in6;
        whole = sizeof(in6);
    } else if (tern_addr_is_v4(e->addr)) {
        in4.sin_addr.s_addr = htonl(tern_addr_to_be32(e->addr));
    }
    memcpy(address, from, *bytes < whole ? *bytes : whole);
    *bytes = whole;
}

static int check_room(const struct sockaddr *address, const socklen_t *bytes)
{
    if (address == NULL || bytes == NULL)
        return tern_sock_fail(EFAULT);
    return (int)*bytes < 0 ? tern_sock_fail(EINVAL) : 0;
}

int tern_getsockname(struct tern_sockets *t, int fd, struct sockaddr *address, socklen_t *bytes)
{
    const struct tern_sock *s = tern_sock_get(t, fd);

    if (s == NULL || check_room(address, bytes) != 0)
        return -1;
    tern_sock_name_out(s, &s->local, address, bytes);
    return 0;
}

int tern_getpeername(struct tern_sockets *t, int fd, struct sockaddr *address, socklen_t *bytes)
{
    const struct tern_sock *s = tern_sock_get(t, fd);
    const enum tern_tcp_state state = s != NULL ? tern_sock_state(s) : TERN_TCP_CLOSED;

    if (s == NULL || check_room(address, bytes) != 0)
        return -1;
    if (s->remote.port == 0 ||
        (s->kind == TERN_SOCK_STREAM && (state == TERN_TCP_CLOSED || state == TERN_TCP_SYN_SENT)))
        return tern_sock_fail(ENOTCONN);
    tern_sock_name_out(s, &s->remote, address, bytes);
    return 0;
}
