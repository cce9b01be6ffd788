/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_APPS_DNS_SOCKET_H
#define TERN_APPS_DNS_SOCKET_H
/* The resolver's sockets: what c-ares takes for descriptors, over tern's UDP and TCP. */
#include <ares.h>

#include <tern/tern.h>

#include "apps/sink.h"

/* c-ares opens one UDP and one TCP socket a server, and closes before it opens again. */
#define TERN_DNS_SOCKETS_MAX 8

enum tern_dns_socket_kind { TERN_DNS_SOCKET_FREE, TERN_DNS_SOCKET_UDP, TERN_DNS_SOCKET_TCP };

struct tern_dns_socket {
    struct tern_sink sink; /* first: events find the socket by it */
    struct tern_dns_sockets *all;
    enum tern_dns_socket_kind kind;
    bool connected; /* TCP: the handshake is complete */
    struct tern_udp_socket *udp;
    struct tern_conn *conn;
    struct tern_endpoint remote;
};

struct tern_dns_sockets {
    struct tern_stack *stack;
    ares_channel channel;
    struct tern_dns_socket slot[TERN_DNS_SOCKETS_MAX];
};

/* Make the channel use these sockets, and no others. */
void tern_dns_sockets_init(struct tern_dns_sockets *all, struct tern_stack *stack,
                           ares_channel channel);

#endif
