/* SPDX-License-Identifier: BSD-2-Clause */
/* UDP sockets (RFC 768): a bounded queue each, found by port through a table; and their public
 * calls. */
#include "proto/tcp/isn.h"
#include "stack/internal.h"

#define UDP_BYTES_MAX (65535 - TERN_IPV4_BYTES)

/* The socket with this address, or one for any address. */
static struct tern_udp_socket *bound(struct tern_stack *s, struct tern_addr addr, uint16_t port)
{
    struct tern_table_node *node = tern_table_first(&s->udp_table, port);
    struct tern_udp_socket *wild = NULL;

    for (; node != NULL; node = tern_table_next(node)) {
        struct tern_udp_socket *udp = TERN_CONTAINER(node, struct tern_udp_socket, by_port);

        if (tern_addr_equal(udp->local.addr, addr))
            return udp;
        if (tern_addr_is_any(udp->local.addr))
            wild = udp;
    }
    return wild;
}

/* Who hears of a peer at this address: whoever is connected to that very peer before all others. */
static struct tern_udp_socket *find(struct tern_stack *s, struct tern_addr addr, uint16_t port,
                                    const struct tern_endpoint *peer)
{
    struct tern_table_node *node = tern_table_first(&s->udp_table, port);
    struct tern_udp_socket *best = NULL;
    int best_score = 0;

    for (; node != NULL; node = tern_table_next(node)) {
        struct tern_udp_socket *udp = TERN_CONTAINER(node, struct tern_udp_socket, by_port);
        const bool any = tern_addr_is_any(udp->local.addr);
        const bool mine = udp->peer.port != 0 && tern_endpoint_equal(&udp->peer, peer);
        const int score = 1 + (any ? 0 : 1) + (mine ? 2 : 0);

        if ((any || tern_addr_equal(udp->local.addr, addr)) && (udp->peer.port == 0 || mine) &&
            score > best_score) {
            best = udp;
            best_score = score;
        }
    }
    return best;
}

void tern_stack_udp_input(struct tern_stack *s, const struct tern_packet *p)
{
    struct tern_udp header;
    struct tern_udp_socket *udp;
    struct tern_dgram meta = {.at = s->now, .ttl = p->ip.ttl};
    tern_span body;

    if (!tern_udp_parse(p->body, p->ip.src, p->ip.dst, p->verified, &header, &body)) {
        tern_stack_drop(s, TERN_DROP_UDP_BAD);
        return;
    }
    meta.peer.addr = p->ip.src;
    meta.peer.port = header.src_port;
    udp = find(s, p->ip.dst, header.dst_port, &meta.peer);
    if (udp == NULL) {
        tern_stack_drop(s, TERN_DROP_UDP_NO_PORT);
        tern_stack_icmp_error(s, p, TERN_ICMP_UNREACHABLE, TERN_ICMP_PORT_UNREACHABLE);
        return;
    }
    if (!tern_dgram_queue_push(&udp->queue, &meta, body)) {
        tern_stack_drop(s, TERN_DROP_UDP_FULL);
        return;
    }
    tern_stack_event_raise(s, &udp->event, TERN_CONN_READABLE);
}

void tern_stack_udp_error(struct tern_stack *s, const struct tern_icmp_quote *quote,
                          enum tern_err error)
{
    const struct tern_endpoint peer = {quote->dst, quote->dst_port};
    struct tern_udp_socket *udp = find(s, quote->src, quote->src_port, &peer);

    if (udp == NULL) {
        tern_stack_drop(s, TERN_DROP_ICMP_IGNORED);
        return;
    }
    udp->error = error;
    tern_stack_event_raise(s, &udp->event, TERN_CONN_READABLE);
}

static bool pick_port(struct tern_stack *s, struct tern_endpoint *local)
{
    for (uint32_t i = 0; i < TERN_PORT_EPHEMERAL_COUNT; i++) {
        const uint16_t port = (uint16_t)(TERN_PORT_EPHEMERAL_MIN +
                                         tern_random_below(&s->random, TERN_PORT_EPHEMERAL_COUNT));

        if (bound(s, local->addr, port) == NULL) {
            local->port = port;
            return true;
        }
    }
    return false;
}

enum tern_err tern_udp_open(struct tern_stack *s, const struct tern_endpoint *local, void *user,
                            struct tern_udp_socket **out)
{
    struct tern_endpoint wanted = *local;
    struct tern_udp_socket *udp;

    if (wanted.port != 0) {
        struct tern_udp_socket *other = bound(s, wanted.addr, wanted.port);

        /* "any address" has two spellings, one a family */
        if (other != NULL && tern_addr_is_any(other->local.addr) == tern_addr_is_any(wanted.addr))
            return TERN_ERR_ADDRESS_IN_USE;
    } else if (!pick_port(s, &wanted)) {
        return TERN_ERR_FULL;
    }
    udp = tern_pool_take(&s->udps);
    if (udp == NULL)
        return TERN_ERR_FULL;
    memset(udp, 0, offsetof(struct tern_udp_socket, ring));
    udp->stack = s;
    udp->local = wanted;
    udp->event.kind = TERN_EVENT_UDP;
    udp->event.user = user;
    tern_dgram_queue_init(&udp->queue, udp->ring, sizeof(udp->ring));
    tern_table_insert(&s->udp_table, &udp->by_port, wanted.port);
    *out = udp;
    return TERN_ERR_OK;
}

void tern_udp_close(struct tern_udp_socket *udp)
{
    struct tern_stack *s = udp->stack;

    tern_stack_event_drop(&udp->event);
    tern_table_remove(&s->udp_table, &udp->by_port);
    tern_pool_give(&s->udps, udp);
}

void tern_udp_connect(struct tern_udp_socket *udp, const struct tern_endpoint *peer)
{
    udp->peer = *peer;
}

struct tern_endpoint tern_udp_local(const struct tern_udp_socket *udp)
{
    return udp->local;
}

/* False: nothing leads there. From a given source everyone on the link is reached without a route,
 * as on Linux. */
static bool choose_source(struct tern_stack *s, struct tern_addr to, struct tern_addr *src)
{
    struct tern_addr way;
    const bool leads = tern_stack_source_for(s, to, &way);

    if (!tern_addr_is_any(*src))
        return tern_stack_own(s, *src) != NULL &&
               (leads || tern_stack_is_broadcast(s, to) || tern_addr_is_multicast(to));
    if (leads)
        *src = way;
    return leads;
}

enum tern_err tern_udp_send(struct tern_udp_socket *udp, const struct tern_endpoint *to,
                            const void *data, size_t len)
{
    struct tern_stack *s = udp->stack;
    const struct tern_udp header = {udp->local.port, to->port};
    struct tern_addr src = udp->local.addr;
    uint8_t bytes[UDP_BYTES_MAX];
    struct tern_writer w = tern_writer_of(bytes, sizeof(bytes));

    if (len > s->tcp.mtu_bytes - TERN_IPV4_BYTES - TERN_UDP_BYTES)
        return TERN_ERR_TOO_BIG;
    if (!choose_source(s, to->addr, &src))
        return TERN_ERR_NO_ROUTE;
    tern_udp_emit(&header, src, to->addr, tern_span_of(data, len), &w);
    TERN_ASSERT(!w.failed);
    if (!tern_stack_queue(s, src, to->addr, TERN_IP_UDP, TERN_TTL, TERN_CAUSE_UDP_SEND,
                          tern_span_of(bytes, w.bytes)))
        return TERN_ERR_AGAIN;
    return TERN_ERR_OK;
}

enum tern_err tern_udp_error(struct tern_udp_socket *udp)
{
    const enum tern_err error = udp->error;

    udp->error = TERN_ERR_OK;
    return error;
}

ptrdiff_t tern_udp_peek(const struct tern_udp_socket *udp, struct tern_endpoint *from,
                        struct tern_slice *out)
{
    struct tern_dgram meta;
    tern_span body;

    if (!tern_dgram_queue_peek(&udp->queue, &meta, &body))
        return TERN_ERR_AGAIN;
    *from = meta.peer;
    out->data = body.data;
    out->bytes = body.bytes;
    return (ptrdiff_t)body.bytes;
}

void tern_udp_skip(struct tern_udp_socket *udp)
{
    struct tern_dgram meta;
    tern_span body;

    if (tern_dgram_queue_peek(&udp->queue, &meta, &body))
        tern_dgram_queue_pop(&udp->queue);
}

ptrdiff_t tern_udp_receive(struct tern_udp_socket *udp, struct tern_endpoint *from, void *data,
                           size_t len)
{
    struct tern_slice body;
    const enum tern_err err = tern_udp_error(udp);
    ptrdiff_t bytes;

    if (err != TERN_ERR_OK)
        return err;
    bytes = tern_udp_peek(udp, from, &body);
    if (bytes < 0)
        return bytes;
    if (body.bytes > 0 && len > 0)
        memcpy(data, body.data, body.bytes < len ? body.bytes : len);
    tern_udp_skip(udp);
    return bytes;
}
