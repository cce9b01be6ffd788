/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The interface: own addresses and how they are claimed, which source and next hop lead to a
 * destination, and ARP in and out. There are a handful of own addresses (config.addresses_max), so
 * they are looked through in order; nothing here grows with peers.
 */
#include "stack/internal.h"

static struct tern_own_address *find_any(struct tern_stack *s, struct tern_addr addr)
{
    for (uint32_t i = 0; i < s->config.addresses_max; i++)
        if (s->addresses[i].used && tern_addr_equal(s->addresses[i].cidr.addr, addr))
            return &s->addresses[i];
    return NULL;
}

struct tern_own_address *tern_stack_own(struct tern_stack *s, struct tern_addr addr)
{
    struct tern_own_address *own = find_any(s, addr);

    return own != NULL && tern_claim_is_ours(&own->claim) ? own : NULL;
}

bool tern_stack_is_broadcast(const struct tern_stack *s, struct tern_addr addr)
{
    if (tern_addr_is_v4(addr) && tern_addr_to_be32(addr) == UINT32_MAX)
        return true;
    for (uint32_t i = 0; i < s->config.addresses_max; i++) {
        const struct tern_own_address *own = &s->addresses[i];

        if (own->used && own->cidr.prefix_bits < 31 &&
            tern_addr_equal(tern_cidr_broadcast(&own->cidr), addr))
            return true;
    }
    return false;
}

static bool is_host_address(const struct tern_cidr *c)
{
    const uint32_t v4 = tern_addr_to_be32(c->addr);

    if (!tern_addr_is_v4(c->addr) || tern_addr_is_any(c->addr) || tern_addr_is_multicast(c->addr))
        return false;
    if (v4 >> 24 == 127 || v4 >> 24 == 0 || v4 >= UINT32_C(0xf0000000) || c->prefix_bits > 32)
        return false;
    if (c->prefix_bits <
        31) { /* neither the network itself nor its broadcast (RFC 1122 §3.2.1.3) */
        const uint32_t host_mask = UINT32_MAX >> c->prefix_bits;

        return (v4 & host_mask) != 0 && (v4 & host_mask) != host_mask;
    }
    return true;
}

static void trace_address(struct tern_stack *s, const struct tern_own_address *own,
                          enum tern_address_step step)
{
    struct tern_trace *t = tern_trace_push(&s->traces, s->now, TERN_TRACE_ADDRESS, 0);

    tern_stack_tell_address(s, own, step);
    if (t == NULL)
        return;
    t->address.address = own->cidr.addr;
    t->address.step = step;
    t->address.other = own->claim.other_mac;
}

static void hear_claim(struct tern_stack *s, struct tern_own_address *own)
{
    const uint32_t events = tern_claim_events(&own->claim);

    if ((events & TERN_CLAIM_EVENT_CLAIMED) != 0) {
        tern_stack_event_raise(s, &own->event, TERN_ADDRESS_CLAIMED);
        trace_address(s, own, TERN_ADDRESS_ANNOUNCED);
    }
    if ((events & TERN_CLAIM_EVENT_DEFENDED) != 0)
        trace_address(s, own, TERN_ADDRESS_DEFENDED);
    if ((events & TERN_CLAIM_EVENT_LOST) != 0) {
        tern_stack_event_raise(s, &own->event, TERN_ADDRESS_CONFLICT);
        trace_address(s, own, TERN_ADDRESS_LOST);
    }
}

enum tern_err tern_stack_address_add(struct tern_stack *s, const struct tern_cidr *address,
                                     enum tern_claim claim)
{
    if (!is_host_address(address))
        return TERN_ERR_INVAL;
    if (find_any(s, address->addr) != NULL)
        return TERN_ERR_ADDRESS_IN_USE;
    for (uint32_t i = 0; i < s->config.addresses_max; i++) {
        struct tern_own_address *own = &s->addresses[i];

        if (own->used)
            continue;
        memset(own, 0, sizeof(*own));
        s->routes++;
        own->used = true;
        own->serial = ++s->address_serial;
        own->cidr = *address;
        own->event.kind = TERN_EVENT_ADDRESS;
        tern_claim_init(&own->claim, address->addr, s->mac, claim, &s->random, s->now);
        hear_claim(s, own);
        return TERN_ERR_OK;
    }
    return TERN_ERR_FULL;
}

void tern_stack_address_remove(struct tern_stack *s, struct tern_addr address)
{
    struct tern_own_address *own = find_any(s, address);

    if (own == NULL)
        return;
    tern_stack_event_drop(&own->event);
    own->used = false;
    s->routes++;
}

void tern_stack_gateway_set(struct tern_stack *s, struct tern_addr gateway)
{
    s->gateway = gateway;
    s->routes++;
}

/* RFC 1122 §3.2.1.3: loopback, and what names no host, never go out. And what we send to ourselves
 * the link does not bring back. */
static bool stays_within(struct tern_stack *s, struct tern_addr dst)
{
    const uint32_t v4 = tern_addr_to_be32(dst);

    return v4 >> 24 == 127 || v4 >> 24 == 0 || tern_stack_own(s, dst) != NULL;
}

/* The own address from whose prefix a destination is reached, on-link or through the gateway. */
bool tern_stack_source_for(struct tern_stack *s, struct tern_addr dst, struct tern_addr *src)
{
    const struct tern_own_address *first = NULL;

    if (stays_within(s, dst))
        return false;
    for (uint32_t i = 0; i < s->config.addresses_max; i++) {
        const struct tern_own_address *own = &s->addresses[i];

        if (!own->used || !tern_claim_is_ours(&own->claim))
            continue;
        if (tern_cidr_contains(&own->cidr, dst)) {
            *src = own->cidr.addr;
            return true;
        }
        if (first == NULL && tern_cidr_contains(&own->cidr, s->gateway))
            first = own;
    }
    if (first == NULL || tern_addr_is_any(s->gateway))
        return false;
    *src = first->cidr.addr;
    return true;
}

/* RFC 1112 §6.4: the group's low 23 bits behind 01:00:5e. */
static struct tern_mac multicast_mac(struct tern_addr a)
{
    const uint32_t v4 = tern_addr_to_be32(a);

    return (struct tern_mac){
        {0x01, 0x00, 0x5e, (v4 >> 16) & 0x7f, (uint8_t)(v4 >> 8), (uint8_t)v4}};
}

enum tern_neigh_verdict tern_stack_next_hop(struct tern_stack *s, struct tern_addr src,
                                            struct tern_addr dst, struct tern_mac *mac)
{
    const struct tern_own_address *own = find_any(s, src);
    struct tern_addr hop = dst;

    if (tern_stack_is_broadcast(s, dst)) {
        *mac = tern_mac_broadcast;
        return TERN_NEIGH_RESOLVED;
    }
    if (tern_addr_is_multicast(dst)) {
        *mac = multicast_mac(dst);
        return TERN_NEIGH_RESOLVED;
    }
    if (own == NULL || !tern_claim_is_ours(&own->claim) || stays_within(s, dst))
        return TERN_NEIGH_FAILED;
    if (!tern_cidr_contains(&own->cidr, dst))
        hop = s->gateway;
    if (tern_addr_is_any(hop))
        return TERN_NEIGH_FAILED;
    return tern_neigh_lookup(&s->neigh, hop, src, s->now, mac);
}

enum tern_neigh_verdict tern_conn_next_hop(struct tern_conn *conn, struct tern_mac *mac)
{
    struct tern_stack *s = conn->stack;
    enum tern_neigh_verdict verdict;

    if (conn->awake->hop.routes == s->routes && conn->awake->hop.at == s->now) {
        *mac = conn->awake->hop.mac;
        return TERN_NEIGH_RESOLVED;
    }
    verdict = tern_stack_next_hop(s, conn->tcb->local.addr, conn->tcb->remote.addr, mac);
    if (verdict == TERN_NEIGH_RESOLVED) {
        conn->awake->hop.mac = *mac;
        conn->awake->hop.at = s->now;
        conn->awake->hop.routes = s->routes;
    }
    return verdict;
}

void tern_stack_doubt_hop(struct tern_stack *s, struct tern_addr src, struct tern_addr dst)
{
    const struct tern_own_address *own = find_any(s, src);
    const bool on_link = own != NULL && tern_cidr_contains(&own->cidr, dst);

    s->routes++;
    tern_neigh_doubt(&s->neigh, on_link ? dst : s->gateway, s->now);
}

bool tern_stack_neighbour(const struct tern_stack *s, struct tern_addr address,
                          struct tern_mac *out)
{
    return tern_neigh_peek(&s->neigh, address, out);
}

void tern_stack_arp_input(struct tern_stack *s, tern_span body)
{
    struct tern_arp arp;
    bool for_us;

    s->routes++;
    if (!tern_arp_parse(body, &arp)) {
        tern_stack_drop(s, TERN_DROP_ARP_BAD);
        return;
    }
    tern_stack_tell_arp(s, &arp, TERN_CAUSE_NONE);
    for (uint32_t i = 0; i < s->config.addresses_max; i++) {
        struct tern_own_address *own = &s->addresses[i];

        if (!own->used)
            continue;
        tern_claim_input(&own->claim, &arp, s->now);
        hear_claim(s, own);
    }
    for_us = tern_stack_own(s, arp.target) != NULL;
    if (!tern_mac_equal(arp.sender_mac, s->mac) && tern_stack_own(s, arp.sender) == NULL)
        tern_neigh_input(&s->neigh, &arp, for_us, s->now);
    if (for_us && arp.op == TERN_ARP_REQUEST && !tern_addr_equal(arp.sender, arp.target) &&
        s->config.link.queue == 0) { /* of those that share the address, one answers */
        const struct tern_arp reply = {TERN_ARP_REPLY, s->mac, arp.target, arp.sender_mac,
                                       arp.sender};
        uint8_t bytes[TERN_ARP_BYTES];
        struct tern_writer w = tern_writer_of(bytes, sizeof(bytes));

        tern_arp_emit(&reply, &w);
        (void)tern_stack_queue(s, arp.target, arp.sender, 0, 0, TERN_CAUSE_ARP_REPLY,
                               tern_span_of(bytes, w.bytes));
    }
    tern_stack_neighbours_changed(s);
}

static void frame_arp(struct tern_stack *s, const struct tern_arp *arp, struct tern_mac dst,
                      enum tern_cause cause, struct tern_frame *frame, uint8_t *headers)
{
    struct tern_writer w = tern_writer_of(headers, TERN_HEADERS_BYTES);
    const struct tern_eth eth = {dst, s->mac, TERN_ETHERTYPE_ARP};

    tern_eth_emit(&eth, &w);
    tern_arp_emit(arp, &w);
    memset(frame, 0, sizeof(*frame));
    frame->piece[0] = tern_span_of(headers, w.bytes);
    frame->piece_count = 1;
    frame->bytes = (uint32_t)w.bytes;
    frame->cause = cause;
    tern_stack_tell_arp(s, arp, cause);
}

bool tern_stack_arp_output(struct tern_stack *s, struct tern_frame *frame, uint8_t *headers)
{
    struct tern_arp arp;
    struct tern_mac dst;
    enum tern_cause cause;

    for (uint32_t i = 0; i < s->config.addresses_max; i++) {
        struct tern_own_address *own = &s->addresses[i];

        if (own->used && tern_claim_output(&own->claim, &s->random, s->now, &arp, &cause)) {
            s->routes++;
            hear_claim(s, own);
            frame_arp(s, &arp, tern_mac_broadcast, cause, frame, headers);
            if (cause == TERN_CAUSE_ARP_PROBE)
                trace_address(s, own, TERN_ADDRESS_PROBED);
            return true;
        }
    }
    if (!tern_neigh_output(&s->neigh, s->now, &arp, &dst))
        return false;
    frame_arp(s, &arp, dst, TERN_CAUSE_ARP_REQUEST, frame, headers);
    return true;
}

tern_time tern_stack_iface_deadline(const struct tern_stack *s)
{
    tern_time at = tern_neigh_deadline(&s->neigh);
    const tern_time reass = tern_reass_deadline(&s->reass);

    at = reass < at ? reass : at;
    for (uint32_t i = 0; i < s->config.addresses_max; i++) {
        const struct tern_own_address *own = &s->addresses[i];
        const tern_time claim = own->used ? tern_claim_deadline(&own->claim) : TERN_TIME_NEVER;

        at = claim < at ? claim : at;
    }
    return at;
}

/* Entries were resolved or failed: everything that waits for one asks again. */
void tern_stack_neighbours_changed(struct tern_stack *s)
{
    struct tern_list *link;
    struct tern_dgram meta;
    tern_span body;

    if (!tern_neigh_changed(&s->neigh))
        return;
    while ((link = tern_list_pop(&s->waiting)) != NULL)
        tern_list_push(&s->ready, link);
    while (tern_dgram_queue_peek(&s->tx_waiting, &meta, &body)) {
        if (!tern_dgram_queue_push(&s->tx, &meta, body))
            tern_stack_drop(s, TERN_DROP_NO_NEIGHBOUR);
        tern_dgram_queue_pop(&s->tx_waiting);
    }
}

/* Packets that never became whole: their sender is told (RFC 1122 §3.3.2). */
static void expire_fragments(struct tern_stack *s)
{
    struct tern_packet p = {.verified = false};

    while (tern_reass_expire_one(&s->reass, s->now, &p.ip, &p.body)) {
        p.broadcast = tern_stack_is_broadcast(s, p.ip.dst) || tern_addr_is_multicast(p.ip.dst);
        if (p.body.bytes > 0)
            tern_stack_icmp_error(s, &p, TERN_ICMP_TIME_EXCEEDED, TERN_ICMP_REASSEMBLY_TIMEOUT);
    }
}

void tern_stack_iface_expire(struct tern_stack *s)
{
    s->routes++;
    tern_neigh_expire(&s->neigh, s->now);
    tern_stack_neighbours_changed(s);
    expire_fragments(s);
    s->counters.drops[TERN_DROP_FRAG_TIMEOUT] +=
        tern_reass_dropped(&s->reass, TERN_DROP_FRAG_TIMEOUT);
    for (uint32_t i = 0; i < s->config.addresses_max; i++) {
        struct tern_own_address *own = &s->addresses[i];

        if (!own->used)
            continue;
        tern_claim_expire(&own->claim, s->now);
        hear_claim(s, own);
    }
}
