/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * socket, bind and listen. The stack knows no ports that are merely bound, so the table holds them:
 * a socket that has a port stands in `ports`, and bind looks there for one in its way. Ports that
 * others opened on the same stack show when listen or connect asks it.
 *
 * Linux's rule: two sockets may have one port where their addresses differ (none of them any), or
 * where both allow it (SO_REUSEADDR, SO_REUSEPORT) and neither listens. No port is kept from new
 * sockets by a connection in TIME-WAIT.
 */
#include "socket/internal.h"

#include <netinet/in.h>

#include <tern/stack.h>

#define PICKS_MAX 1000 /* tries for a port: enough while a fortieth of them is free */

static int check_protocol(int kind, int protocol)
{
    const int own = kind == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP;

    if (protocol < 0 || protocol >= IPPROTO_MAX)
        return EINVAL;
    return protocol == 0 || protocol == own ? 0 : EPROTONOSUPPORT;
}

int tern_socket(struct tern_sockets *t, int domain, int type, int protocol)
{
    const int flags = SOCK_NONBLOCK | SOCK_CLOEXEC;
    const int kind = type & ~flags;
    struct tern_sock *s;
    int error;

    if (domain != AF_INET && domain != AF_INET6)
        return tern_sock_fail(EAFNOSUPPORT);
    if (kind != SOCK_STREAM && kind != SOCK_DGRAM)
        return tern_sock_fail(kind < 0 || kind > SOCK_PACKET ? EINVAL : ESOCKTNOSUPPORT);
    error = check_protocol(kind, protocol);
    if (error != 0)
        return tern_sock_fail(error);
    s = tern_sock_new(t, kind == SOCK_STREAM ? TERN_SOCK_STREAM : TERN_SOCK_DGRAM);
    if (s == NULL)
        return -1;
    s->domain = domain;
    s->nonblock = (type & SOCK_NONBLOCK) != 0;
    s->cloexec = (type & SOCK_CLOEXEC) != 0;
    if (t->config.settings != NULL)
        s->set = *t->config.settings;
    else
        tern_tcp_settings_defaults(&s->set);
    s->set.urgent_inline = false;
    s->set.note = 0;
    s->opt.read_lowat = 1;
    s->opt.mtu_discover = IP_PMTUDISC_WANT;
    return s->fd;
}

/* ---- ports ---- */

void tern_sock_hold_port(struct tern_sock *s, uint16_t port)
{
    s->local.port = port;
    if (s->port_held)
        return;
    tern_table_insert(&s->table->ports, &s->by_port, port);
    s->port_held = true;
}

void tern_sock_drop_port(struct tern_sock *s)
{
    if (s->port_held)
        tern_table_remove(&s->table->ports, &s->by_port);
    s->port_held = false;
}

static bool may_share(const struct tern_sock *a, const struct tern_sock *b)
{
    if (a->opt.reuse_port && b->opt.reuse_port)
        return true;
    if (a->kind == TERN_SOCK_DGRAM)
        return a->opt.reuse_address && b->opt.reuse_address;
    return a->opt.reuse_address && b->opt.reuse_address && a->listener == NULL &&
           b->listener == NULL;
}

static bool is_in_way(const struct tern_sock *s, const struct tern_sock *other,
                      const struct tern_endpoint *local)
{
    const bool overlap = tern_addr_is_any(other->local.addr) || tern_addr_is_any(local->addr) ||
                         tern_addr_equal(other->local.addr, local->addr);

    return other != s && other->kind == s->kind && overlap && !may_share(s, other);
}

static bool is_taken(const struct tern_sock *s, const struct tern_endpoint *local)
{
    struct tern_table_node *node = tern_table_first(&s->table->ports, local->port);

    for (; node != NULL; node = tern_table_next(node)) {
        if (is_in_way(s, TERN_CONTAINER(node, struct tern_sock, by_port), local))
            return true;
    }
    return false;
}

static uint16_t pick(const struct tern_sock *s, struct tern_addr addr)
{
    struct tern_endpoint local = {addr, 0};

    for (int i = 0; i < PICKS_MAX; i++) {
        local.port = tern_tcp_port_pick(s->table->config.stack, addr);
        if (local.port == 0 ||
            tern_table_first(&s->table->ports, local.port) == NULL) /* shared with nobody */
            return local.port;
    }
    return 0;
}

static int open_udp(struct tern_sock *s, const struct tern_endpoint *local)
{
    enum tern_err err = tern_udp_open(s->table->config.stack, local, s, &s->udp);

    if (err != TERN_ERR_OK) {
        s->udp = NULL;
        return tern_sock_fail(tern_sock_errno(err));
    }
    s->local = tern_udp_local(s->udp);
    return 0;
}

int tern_sock_bind(struct tern_sock *s, const struct tern_endpoint *wanted)
{
    struct tern_endpoint local = *wanted;

    if (local.port != 0 && is_taken(s, &local))
        return tern_sock_fail(EADDRINUSE);
    if (s->kind == TERN_SOCK_DGRAM) {
        if (open_udp(s, &local) != 0)
            return -1;
    } else {
        local.port = local.port != 0 ? local.port : pick(s, local.addr);
        if (local.port == 0)
            return tern_sock_fail(EADDRINUSE);
        s->local = local;
    }
    tern_sock_hold_port(s, s->local.port);
    return 0;
}

int tern_sock_autobind(struct tern_sock *s)
{
    const struct tern_endpoint any = {s->local.addr, 0};

    return s->local.port != 0 ? 0 : tern_sock_bind(s, &any);
}

int tern_bind(struct tern_sockets *t, int fd, const struct sockaddr *address, socklen_t bytes)
{
    struct tern_sock *s = tern_sock_get(t, fd);
    struct tern_endpoint local;

    if (s == NULL || !tern_sock_name_in_of_old(s, address, bytes, &local))
        return -1;
    if (tern_sock_is_unspecified(address, bytes) && !tern_addr_is_any(local.addr))
        return tern_sock_fail(EAFNOSUPPORT);
    if (s->local.port != 0 || s->conn != NULL || s->listener != NULL)
        return tern_sock_fail(EINVAL);
    if (!tern_addr_is_any(local.addr) && !s->opt.freebind &&
        !tern_stack_address_is_own(t->config.stack, local.addr))
        return tern_sock_fail(EADDRNOTAVAIL);
    if (tern_sock_bind(s, &local) != 0)
        return -1;
    s->port_bound = true;
    s->address_bound = !tern_addr_is_any(local.addr);
    return 0;
}

/* ---- listen ---- */

/* Linux lets one more wait than was asked for. */
static uint32_t backlog_of(int backlog)
{
    return backlog < 0 || backlog > TERN_SOCK_BACKLOG_MAX ? TERN_SOCK_BACKLOG_MAX + 1
                                                          : (uint32_t)backlog + 1;
}

static int start_listening(struct tern_sock *s, int backlog)
{
    const struct tern_tcp_options o = {
        .local = s->local, .user = s, .congestion = s->set.congestion, .settings = &s->set};
    enum tern_err err;

    if (is_taken(s, &s->local))
        return tern_sock_fail(EADDRINUSE);
    err = tern_tcp_listen(s->table->config.stack, &o, backlog_of(backlog), &s->listener);
    if (err != TERN_ERR_OK) {
        s->listener = NULL;
        return tern_sock_fail(tern_sock_errno(err));
    }
    return 0;
}

int tern_listen(struct tern_sockets *t, int fd, int backlog)
{
    struct tern_sock *s = tern_sock_get(t, fd);

    if (s == NULL)
        return -1;
    if (s->kind != TERN_SOCK_STREAM)
        return tern_sock_fail(EOPNOTSUPP);
    if (s->phase != TERN_SOCK_UNCONNECTED || s->conn != NULL)
        return tern_sock_fail(EINVAL);
    if (s->listener != NULL) {
        tern_listener_backlog_set(s->listener, backlog_of(backlog));
        return 0;
    }
    if (tern_sock_autobind(s) != 0)
        return -1;
    return start_listening(s, backlog);
}
