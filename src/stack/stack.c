/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A stack's birth: the price of a configuration, and its layout in the memory that the caller
 * brings. Every part is carved off in one fixed order by carve(), which prices when it has no
 * memory and lays out when it has, so that the two can never disagree.
 */
#include "stack/internal.h"

#define CARVE_ALIGN 64
#define SUPER_TEXT_BYTES_MAX                                                                       \
    (65535u - 60u - 60u) /* of an IP packet, both headers at their longest */
#define TEXT_CHUNKS_MAX                                                                            \
    (TERN_FRAME_PIECES_MAX - 2u) /* beside the header, and straddling one more */

void tern_config_defaults(struct tern_config *config)
{
    memset(config, 0, sizeof(*config));
    config->connections_max = 1024;
    config->time_waits_max = 4096;
    config->fastopen_peers_max = 256;
    config->listeners_max = 16;
    config->udp_sockets_max = 16;
    config->ping_sockets_max = 4;
    config->neighbours_max = 256;
    config->reassembly_max = 16;
    config->addresses_max = 4;
    config->loans_max = 4096;
    config->chunk_bytes = 16384;
    config->chunks_max = 16384; /* 256 MiB, touched only where used */
    /* A gigabit over 100 ms has 12.5 MB on the way and as much in the queue of its bottleneck.
     * Buffers begin small and come to this only where a connection uses it. */
    config->send_buffer_bytes = 48u << 20;
    config->receive_buffer_bytes = 32u << 20;
    config->traces_count = 0;
    config->congestion = "cubic";
}

static bool is_power_of_two(uint64_t v)
{
    return v != 0 && (v & (v - 1)) == 0;
}

/* RFC 791 §3.1's least; and a packet must fit the pieces of a frame. */
static bool is_possible_mtu(const struct tern_config *c, uint32_t mtu_bytes)
{
    return mtu_bytes >= 68 && mtu_bytes <= 65535 && TEXT_CHUNKS_MAX * c->chunk_bytes >= mtu_bytes;
}

static bool is_possible_table(uint32_t count)
{
    return count > 0 && count <= 1u << 24;
}

static bool is_possible(const struct tern_config *c)
{
    const uint32_t buffer_max = UINT32_C(1) << 30;

    return is_possible_table(c->connections_max) && is_possible_table(c->time_waits_max) &&
           is_possible_table(c->fastopen_peers_max) && c->listeners_max <= 65535 &&
           c->udp_sockets_max <= 65535 && c->ping_sockets_max <= 65535 && c->neighbours_max > 0 &&
           c->neighbours_max <= 1u << 20 && c->reassembly_max > 0 && c->reassembly_max <= 65535 &&
           c->addresses_max > 0 && c->addresses_max <= 64 && c->loans_max <= 1u << 24 &&
           is_power_of_two(c->chunk_bytes) && c->chunk_bytes >= 1024 &&
           c->chunk_bytes <= 1u << 20 && c->chunks_max > 0 && c->send_buffer_bytes >= 1024 &&
           c->send_buffer_bytes <= buffer_max && c->receive_buffer_bytes >= 1024 &&
           c->receive_buffer_bytes <= buffer_max && is_possible_mtu(c, c->link.mtu_bytes) &&
           c->congestion != NULL && tern_cc_find(c->congestion) != NULL;
}

static uint64_t round_up_pow2(uint64_t v)
{
    uint64_t p = 1;

    while (p < v)
        p <<= 1;
    return p;
}

static uint32_t longest_buffer(const struct tern_config *c)
{
    return c->send_buffer_bytes > c->receive_buffer_bytes ? c->send_buffer_bytes
                                                          : c->receive_buffer_bytes;
}

/* Holes that a connection can remember: a slow start that ran into a full queue loses every other
 * segment for a while. */
static uint16_t ranges_count(const struct tern_config *c)
{
    const uint32_t count = longest_buffer(c) / 8192;

    if (count < TERN_TCP_SACK_RANGES)
        return TERN_TCP_SACK_RANGES;
    return (uint16_t)(count > TERN_TCP_SACK_RANGES_MAX ? TERN_TCP_SACK_RANGES_MAX : count);
}

/* Entries of a chunk map: the longest buffer, one chunk that it straddles, and one for a rounded-up
 * window. */
static uint32_t map_count(const struct tern_config *c)
{
    return (uint32_t)round_up_pow2(longest_buffer(c) / c->chunk_bytes + 3);
}

struct carver {
    uint8_t *memory; /* NULL: only price */
    size_t bytes;
};

static void *carve(struct carver *c, size_t bytes)
{
    void *at = c->memory == NULL ? NULL : c->memory + c->bytes;

    c->bytes += (bytes + CARVE_ALIGN - 1) & ~(size_t)(CARVE_ALIGN - 1);
    return at;
}

static void carve_pool(struct carver *c, struct tern_pool *pool, size_t item_bytes, uint32_t count)
{
    void *at = carve(c, tern_pool_bytes(item_bytes, count > 0 ? count : 1));

    if (at != NULL)
        tern_pool_init(pool, at, item_bytes, count > 0 ? count : 1);
}

static void carve_lines(struct carver *c, struct tern_lines *lines, uint32_t count)
{
    void *at = carve(c, count * sizeof(struct tern_line));

    if (at != NULL)
        tern_lines_init(lines, at, count);
}

static void carve_table(struct carver *c, struct tern_table *table, uint32_t count)
{
    const uint64_t buckets = round_up_pow2(count < 8 ? 16 : 2 * (uint64_t)count);
    void *at = carve(c, buckets * sizeof(struct tern_table_node *));

    if (at != NULL) {
        table->buckets = at;
        table->mask = buckets - 1;
    }
}

/* The queues and scratch that every stack has one of. */
static void carve_rings(struct carver *c, struct tern_stack *s, const struct tern_config *config)
{
    uint8_t *tx = carve(c, TERN_TX_QUEUE_BYTES);
    uint8_t *waiting = carve(c, TERN_TX_QUEUE_BYTES);
    void *headers = carve(c, TERN_BURST_MAX * TERN_HEADERS_BYTES);
    void *ack_headers = carve(c, TERN_BURST_MAX * TERN_HEADERS_BYTES);
    void *acks = carve(c, TERN_BURST_MAX * sizeof(struct tern_frame));
    void *traces = carve(c, config->traces_count * sizeof(struct tern_trace));
    void *addresses = carve(c, config->addresses_max * sizeof(struct tern_own_address));

    if (s == NULL)
        return;
    s->tx_ring = tx;
    s->tx_waiting_ring = waiting;
    s->headers = headers;
    s->ack_headers = ack_headers;
    s->acks = acks;
    s->traces.entries = traces;
    s->traces.count_max = config->traces_count;
    s->addresses = addresses;
    tern_dgram_queue_init(&s->tx, tx, TERN_TX_QUEUE_BYTES);
    tern_dgram_queue_init(&s->tx_waiting, waiting, TERN_TX_QUEUE_BYTES);
}

static void carve_keyed(struct carver *c, struct tern_stack *s, const struct tern_config *config)
{
    void *neigh = carve(c, tern_neigh_bytes(config->neighbours_max));
    void *reass = carve(c, tern_reass_bytes(config->reassembly_max));
    struct tern_hash_key key;

    if (s == NULL)
        return;
    tern_random_bytes(&s->random, &key, sizeof(key));
    tern_neigh_init(&s->neigh, neigh, config->neighbours_max, &key, config->link.mac);
    tern_random_bytes(&s->random, &key, sizeof(key));
    tern_reass_init(&s->reass, reass, config->reassembly_max, &key);
}

/* s NULL: only price. */
static void carve_all(struct carver *c, struct tern_stack *s, const struct tern_config *config)
{
    struct tern_stack dummy;
    struct tern_stack *to = s != NULL ? s : &dummy;
    const uint32_t awake = tern_rest_awake_count(config);
    const uint32_t maps = 2 * awake < config->chunks_max ? 2 * awake : config->chunks_max;
    const size_t ranges_bytes =
        sizeof(struct tern_ranges) + ranges_count(config) * sizeof(struct tern_range);

    carve_pool(c, &to->conns, sizeof(struct tern_conn), config->connections_max);
    carve_pool(c, &to->awake, sizeof(struct tern_awake), awake);
    carve_lines(c, &to->rest.lines, tern_rest_lines_count(config));
    carve_pool(c, &to->time_waits.pool, sizeof(struct tern_timewait), config->time_waits_max);
    carve_pool(c, &to->fastopen.pool, tern_fastopen_peer_bytes(), config->fastopen_peers_max);
    carve_pool(c, &to->listeners, sizeof(struct tern_listener), config->listeners_max);
    carve_pool(c, &to->udps, sizeof(struct tern_udp_socket), config->udp_sockets_max);
    carve_pool(c, &to->pings, sizeof(struct tern_ping_socket), config->ping_sockets_max);
    carve_pool(c, &to->tcp.chunks.chunks, config->chunk_bytes, config->chunks_max);
    carve_pool(c, &to->tcp.chunks.maps, map_count(config) * sizeof(uint32_t), maps);
    carve_pool(c, &to->tcp.ranges, ranges_bytes, maps);
    carve_pool(c, &to->tcp.logs, sizeof(struct tern_sentlog), maps);
    carve_pool(c, &to->tcp.loans, sizeof(struct tern_loan), config->loans_max);
    carve_table(c, &to->conn_table, config->connections_max);
    carve_table(c, &to->time_waits.table, config->time_waits_max);
    carve_table(c, &to->fastopen.table, config->fastopen_peers_max);
    carve_table(c, &to->listener_table, config->listeners_max);
    carve_table(c, &to->udp_table, config->udp_sockets_max);
    carve_table(c, &to->ping_table, config->ping_sockets_max);
    carve_rings(c, s, config);
    carve_keyed(c, s, config);
}

size_t tern_stack_bytes(const struct tern_config *config)
{
    struct carver c = {NULL, 0};

    if (!is_possible(config))
        return 0;
    (void)carve(&c, sizeof(struct tern_stack));
    carve_all(&c, NULL, config);
    return c.bytes;
}

static void init_link(struct tern_stack *s, const struct tern_link_info *info)
{
    s->config.link = *info;
    s->mac = info->mac;
    s->tcp.mtu_bytes = info->mtu_bytes;
    s->tcp.super_bytes_max = TEXT_CHUNKS_MAX * s->config.chunk_bytes;
    if (s->tcp.super_bytes_max > SUPER_TEXT_BYTES_MAX)
        s->tcp.super_bytes_max = SUPER_TEXT_BYTES_MAX;
    s->tcp.tso = (info->offloads & TERN_OFFLOAD_TSO4) != 0;
    s->tcp.hold_frames = info->hold_frames;
    s->tcp.hold_bytes = info->hold_bytes;
    s->tcp.long_bytes = info->long_bytes;
    s->tcp.hold_long_frames = info->hold_long_frames;
}

static void init_keys(struct tern_stack *s)
{
    static const uint8_t none[sizeof s->config.timestamps_key];
    struct tern_random keys;

    tern_random_init(&keys, s->config.seed, TERN_SEED_BYTES, "keys");
    tern_random_bytes(&keys, &s->demux_key, sizeof(s->demux_key));
    s->pair.hash = tern_hash(&s->demux_key, s->pair.bytes, sizeof(s->pair.bytes));
    tern_random_bytes(&keys, &s->isn_key, sizeof(s->isn_key));
    tern_random_bytes(&keys, &s->port_key, sizeof(s->port_key));
    tern_random_bytes(&keys, &s->ts_key, sizeof(s->ts_key));
    if (memcmp(s->config.timestamps_key, none, sizeof none) != 0)
        memcpy(s->ts_key.b, s->config.timestamps_key, sizeof s->ts_key.b);
    tern_random_bytes(&keys, &s->cookie_key, sizeof(s->cookie_key));
    tern_random_bytes(&keys, &s->fastopen_key, sizeof(s->fastopen_key));
    tern_random_init(&s->random, s->config.seed, TERN_SEED_BYTES, "stack");
    tern_random_init(&s->tcp.random, s->config.seed, TERN_SEED_BYTES, "tcp");
    s->port_counter = tern_random_u32(&s->random);
    s->ip_id = (uint16_t)tern_random_u32(&s->random);
}

enum tern_err tern_stack_init(void *memory, size_t bytes, const struct tern_config *config,
                              tern_time now, struct tern_stack **out)
{
    const size_t needed = tern_stack_bytes(config);
    struct carver c = {memory, 0};
    struct tern_stack *s;

    if (needed == 0)
        return TERN_ERR_INVAL;
    if (bytes < needed)
        return TERN_ERR_MEMORY;
    s = carve(&c, sizeof(*s));
    memset(s, 0, sizeof(*s));
    s->config = *config;
    s->config.congestion = tern_cc_find(config->congestion)->name; /* the caller's may not last */
    s->now = now;
    s->conn_id_next = 1;
    s->routes = 1;
    init_keys(s);
    init_link(s, &config->link);
    tern_list_init(&s->ready);
    tern_list_init(&s->waiting);
    tern_list_init(&s->events);
    tern_list_init(&s->starved);
    tern_list_init(&s->loanless);
    tern_list_init(&s->holed);
    tern_list_init(&s->rest.wanting);
    tern_list_init(&s->rest.by_use);
    s->rest.serve_at = TERN_TIME_NEVER;
    tern_list_init(&s->time_waits.oldest);
    tern_list_init(&s->fastopen.oldest);
    tern_wheel_init(&s->wheel, now);
    tern_icmp_bucket_init(&s->icmp_bucket, now);
    carve_all(&c, s, config);
    TERN_ASSERT(c.bytes == needed);
    s->tcp.chunks.chunk_shift = (uint32_t)__builtin_ctz(config->chunk_bytes);
    s->tcp.chunks.map_count = map_count(config);
    s->tcp.ranges_count = ranges_count(config);
    s->tcp.traces = &s->traces;
    s->tcp.observer.tell = config->observer;
    s->tcp.observer.user = config->observer_user;
    s->neigh.observer = &s->tcp.observer;
    s->tcp.drops = s->counters.drops;
    s->tcp.send_buffer_bytes = config->send_buffer_bytes;
    s->tcp.receive_buffer_bytes = config->receive_buffer_bytes;
    *out = s;
    return TERN_ERR_OK;
}

void tern_stack_link_changed(struct tern_stack *s, const struct tern_link_info *info)
{
    struct tern_link_info next = *info;

    if (!is_possible_mtu(&s->config, info->mtu_bytes))
        return;
    next.mac = s->mac;
    init_link(s, &next);
    s->rest.link_changes++;                         /* for those that rest */
    for (uint32_t i = 0; i < s->conns.fresh; i++) { /* it happens once in a while, and to all */
        struct tern_conn *conn = tern_pool_at(&s->conns, i);

        if (tern_pool_is_taken(&s->conns, i) && conn->awake != NULL)
            tern_tcb_own_mtu(conn->tcb, info->mtu_bytes);
    }
}

tern_time tern_stack_deadline(const struct tern_stack *s)
{
    const tern_time wheel = tern_wheel_deadline(&s->wheel);
    const tern_time iface = tern_stack_iface_deadline(s);
    const tern_time waits = tern_timewait_deadline(&s->time_waits, s->now);
    tern_time at = wheel < iface ? wheel : iface;

    if (!tern_list_is_empty(&s->ready) || s->tx.count > 0 || s->acks_taken < s->acks_count)
        return s->now;
    at = waits < at ? waits : at;
    at = s->rest.serve_at < at ? s->rest.serve_at : at;
    return at > s->now ? at : s->now;
}

void tern_stack_expire(struct tern_stack *s, tern_time now)
{
    struct tern_timer *t;

    TERN_ASSERT(now >= s->now);
    s->now = now;
    while ((t = tern_wheel_expire(&s->wheel, now)) != NULL) {
        struct tern_conn *conn = TERN_CONTAINER(t, struct tern_conn, timer);

        if (conn->awake == NULL && !tern_conn_wake_for(conn, 0))
            continue;
        if (tern_tcb_deadline(conn->tcb) <= now)
            tern_tcb_expire(conn->tcb, now);
        tern_conn_update(conn);
    }
    tern_stack_timewait_expire(s);
    tern_stack_iface_expire(s);
    tern_rest_serve(s);
    tern_rest_turn(s);
}

void tern_stack_counters(const struct tern_stack *s, struct tern_stack_counters *out)
{
    *out = s->counters;
    out->tcp_segments_in = s->tcp.segments_in;
    out->tcp_segments_out = s->tcp.segments_out;
    out->tcp_retransmits = s->tcp.retransmits;
    out->tcp_resets_in = s->tcp.resets_in;
    out->tcp_resets_out = s->tcp.resets_out;
    out->chunks_used = s->tcp.chunks.chunks.used;
    out->connections_used = s->conns.used;
    out->connections_resting = s->conns.used - s->awake.used;
    out->time_waits_used = s->time_waits.pool.used;
}

bool tern_stack_trace(struct tern_stack *s, struct tern_trace *out)
{
    return tern_trace_pull(&s->traces, out);
}

uint64_t tern_stack_traces_lost(const struct tern_stack *s)
{
    return s->traces.lost;
}

void tern_stack_check(const struct tern_stack *s)
{
    uint32_t counted = 0, resting = 0;

    tern_pool_check(&s->conns);
    tern_pool_check(&s->awake);
    tern_lines_check(&s->rest.lines);
    tern_pool_check(&s->tcp.chunks.chunks);
    tern_pool_check(&s->tcp.chunks.maps);
    tern_pool_check(&s->tcp.ranges);
    tern_pool_check(&s->tcp.logs);
    tern_pool_check(&s->tcp.loans);
    tern_wheel_check(&s->wheel);
    tern_timewait_check(&s->time_waits);
    tern_neigh_check(&s->neigh);
    tern_reass_check(&s->reass);
    tern_dgram_queue_check(&s->tx);
    for (uint32_t i = 0; i < s->conns.fresh; i++) {
        const struct tern_conn *conn = tern_pool_at(&s->conns, i);

        if (!tern_pool_is_taken(&s->conns, i))
            continue;
        tern_rest_check(s, conn);
        if (conn->awake == NULL) {
            counted += !conn->over;
            resting++;
            continue;
        }
        counted +=
            conn->tcb->state >= TERN_TCP_ESTABLISHED && conn->tcb->state != TERN_TCP_TIME_WAIT;
        /* in the midst of a burst the list will see to it */
        TERN_ASSERT(tern_tcb_deadline(conn->tcb) == TERN_TIME_NEVER ||
                    tern_timer_is_set(&conn->timer) || tern_list_is_linked(&conn->awake->ready));
    }
    TERN_ASSERT(resting == s->conns.used - s->awake.used);
    TERN_ASSERT(counted == s->tcp.synchronised_count);
    TERN_ASSERT(s->conns.used > 0 || (s->tcp.promised == 0 && s->tcp.load == 0));
}
