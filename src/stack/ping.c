/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ping sockets (RFC 792): each has an ICMP identifier of its own. An echo request carries its
 * sending time (nanoseconds, big-endian) where there is room, then bytes that count up, so that a
 * reply tells its own round trip and shows whether it is whole.
 */
#include "stack/internal.h"

#define PING_BYTES_MAX  (65535 - TERN_IPV4_BYTES - TERN_ICMP_BYTES)
#define PING_TIME_BYTES 8

static struct tern_ping_socket *find(struct tern_stack *s, uint16_t id)
{
    struct tern_table_node *node = tern_table_first(&s->ping_table, id);

    return node == NULL ? NULL : TERN_CONTAINER(node, struct tern_ping_socket, by_id);
}

enum tern_err tern_ping_open(struct tern_stack *s, void *user, struct tern_ping_socket **out)
{
    struct tern_ping_socket *ping = tern_pool_take(&s->pings);

    if (ping == NULL)
        return TERN_ERR_FULL;
    memset(ping, 0, offsetof(struct tern_ping_socket, ring));
    ping->stack = s;
    ping->event.kind = TERN_EVENT_PING;
    ping->event.user = user;
    tern_dgram_queue_init(&ping->queue, ping->ring, sizeof(ping->ring));
    do { /* the sockets are fewer than 2^16, so a free number turns up */
        ping->id = (uint16_t)tern_random_u32(&s->random);
    } while (find(s, ping->id) != NULL);
    tern_table_insert(&s->ping_table, &ping->by_id, ping->id);
    *out = ping;
    return TERN_ERR_OK;
}

void tern_ping_close(struct tern_ping_socket *ping)
{
    struct tern_stack *s = ping->stack;

    tern_stack_event_drop(&ping->event);
    tern_table_remove(&s->ping_table, &ping->by_id);
    tern_pool_give(&s->pings, ping);
}

static void put_time(uint8_t *p, tern_time t)
{
    tern_put_be32(p, (uint32_t)((uint64_t)t >> 32));
    tern_put_be32(p + 4, (uint32_t)t);
}

static tern_time get_time(const uint8_t *p)
{
    return (tern_time)((uint64_t)tern_get_be32(p) << 32 | tern_get_be32(p + 4));
}

static void fill_payload(uint8_t *payload, uint32_t bytes, tern_time now)
{
    for (uint32_t i = 0; i < bytes; i++)
        payload[i] = (uint8_t)i;
    if (bytes >= PING_TIME_BYTES)
        put_time(payload, now);
}

static bool is_intact(tern_span payload)
{
    const size_t from = payload.bytes >= PING_TIME_BYTES ? PING_TIME_BYTES : 0;

    for (size_t i = from; i < payload.bytes; i++)
        if (payload.data[i] != (uint8_t)i)
            return false;
    return true;
}

enum tern_err tern_ping_send(struct tern_ping_socket *ping, struct tern_addr to, uint16_t sequence,
                             uint8_t ttl, uint32_t bytes)
{
    struct tern_stack *s = ping->stack;
    const struct tern_icmp icmp = {
        .type = TERN_ICMP_ECHO_REQUEST, .id = ping->id, .sequence = sequence};
    struct tern_addr src;
    uint8_t payload[PING_BYTES_MAX];
    uint8_t message[TERN_ICMP_BYTES + PING_BYTES_MAX];
    struct tern_writer w = tern_writer_of(message, sizeof(message));

    if (bytes > PING_BYTES_MAX)
        return TERN_ERR_TOO_BIG;
    if (!tern_stack_source_for(s, to, &src))
        return TERN_ERR_NO_ROUTE;
    fill_payload(payload, bytes, s->now);
    tern_icmp_emit(&icmp, tern_span_of(payload, bytes), &w);
    TERN_ASSERT(!w.failed);
    if (!tern_stack_queue(s, src, to, TERN_IP_ICMP, ttl > 0 ? ttl : TERN_TTL,
                          TERN_CAUSE_ECHO_REQUEST, tern_span_of(message, w.bytes)))
        return TERN_ERR_AGAIN;
    return TERN_ERR_OK;
}

/* What the queue holds of a reply: the time from its payload, then the payload's length and state.
 */
struct stored_reply {
    tern_time sent_at;
    uint32_t bytes;
    bool intact;
};

static void store(struct tern_ping_socket *ping, const struct tern_dgram *meta,
                  const struct stored_reply *reply)
{
    struct tern_stack *s = ping->stack;

    if (!tern_dgram_queue_push(&ping->queue, meta, tern_span_of(reply, sizeof(*reply))))
        tern_stack_drop(s, TERN_DROP_UDP_FULL);
    else
        tern_stack_event_raise(s, &ping->event, TERN_CONN_READABLE);
}

void tern_stack_ping_input(struct tern_stack *s, const struct tern_packet *p,
                           const struct tern_icmp *icmp, tern_span data)
{
    struct tern_ping_socket *ping = find(s, icmp->id);
    struct tern_dgram meta = {.at = s->now, .ttl = p->ip.ttl, .tag = icmp->sequence};
    struct stored_reply reply;

    if (ping == NULL) {
        tern_stack_drop(s, TERN_DROP_ICMP_IGNORED);
        return;
    }
    memset(&reply, 0, sizeof(reply));
    meta.peer.addr = p->ip.src;
    reply.sent_at = data.bytes >= PING_TIME_BYTES ? get_time(data.data) : TERN_TIME_NEVER;
    reply.bytes = (uint32_t)data.bytes;
    reply.intact = is_intact(data);
    store(ping, &meta, &reply);
}

void tern_stack_ping_error(struct tern_stack *s, const struct tern_packet *p,
                           const struct tern_icmp *icmp, const struct tern_icmp_quote *quote)
{
    struct tern_ping_socket *ping = find(s, quote->echo_id);
    struct tern_dgram meta = {.at = s->now,
                              .ttl = p->ip.ttl,
                              .kind = icmp->type,
                              .code = icmp->code,
                              .tag = quote->echo_sequence};
    struct stored_reply reply;

    if (ping == NULL) {
        tern_stack_drop(s, TERN_DROP_ICMP_IGNORED);
        return;
    }
    memset(&reply, 0, sizeof(reply));
    meta.peer.addr = p->ip.src;
    reply.sent_at = TERN_TIME_NEVER;
    store(ping, &meta, &reply);
}

enum tern_err tern_ping_receive(struct tern_ping_socket *ping, struct tern_ping_reply *out)
{
    struct tern_dgram meta;
    struct stored_reply reply;
    tern_span body;

    if (!tern_dgram_queue_peek(&ping->queue, &meta, &body))
        return TERN_ERR_AGAIN;
    TERN_ASSERT(body.bytes == sizeof(reply));
    memcpy(&reply, body.data, sizeof(reply));
    *out = (struct tern_ping_reply){
        .from = meta.peer.addr,
        .sequence = meta.tag,
        .ttl = meta.ttl,
        .icmp_type = meta.kind,
        .icmp_code = meta.code,
        .bytes = reply.bytes,
        .intact = reply.intact,
        .sent_at = reply.sent_at,
        .received_at = meta.at,
    };
    tern_dgram_queue_pop(&ping->queue);
    return TERN_ERR_OK;
}
