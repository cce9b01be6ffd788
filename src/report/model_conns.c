/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of connections: by a keyed hash of both endpoints, in either order, so that a segment
 * finds its connection in constant time however many there are.
 *
 * A SYN with another number than that of the connection between the same endpoints begins a new
 * one, which the table then knows in place of the old.
 *
 * Who is the client: who sent the SYN; where no SYN was seen, who has the higher port, since
 * servers are found at low ones.
 */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "report/model_internal.h"

#define BUCKETS_FIRST 64u

struct flow {
    struct tern_endpoint low, high;
};

static struct flow flow_of(const struct tern_endpoint *a, const struct tern_endpoint *b)
{
    int order = memcmp(a->addr.b, b->addr.b, sizeof a->addr.b);

    if (order > 0 || (order == 0 && a->port > b->port))
        return (struct flow){*b, *a};
    return (struct flow){*a, *b};
}

static uint64_t flow_hash(const struct tern_model *m, const struct flow *f)
{
    uint8_t bytes[36];

    memcpy(bytes, f->low.addr.b, 16);
    memcpy(bytes + 16, f->high.addr.b, 16);
    memcpy(bytes + 32, &f->low.port, 2);
    memcpy(bytes + 34, &f->high.port, 2);
    return tern_hash(&m->key, bytes, sizeof bytes);
}

static struct model_conn *conn_of(struct tern_table_node *node)
{
    return (struct model_conn *)(void *)node;
}

static bool is_between(const struct model_conn *c, const struct tern_endpoint *a,
                       const struct tern_endpoint *b)
{
    const struct tern_endpoint *end = c->out.end;

    return (tern_endpoint_equal(&end[0], a) && tern_endpoint_equal(&end[1], b)) ||
           (tern_endpoint_equal(&end[1], a) && tern_endpoint_equal(&end[0], b));
}

static bool table_grow(struct tern_model *m)
{
    size_t buckets = m->table.buckets == NULL ? BUCKETS_FIRST : (size_t)(m->table.mask + 1) * 2;
    struct tern_table bigger = {.buckets = calloc(buckets, sizeof(struct tern_table_node *)),
                                .mask = buckets - 1};
    struct tern_table ids = {.buckets = calloc(buckets, sizeof(struct tern_table_node *)),
                             .mask = buckets - 1};

    if (bigger.buckets == NULL || ids.buckets == NULL) {
        free(bigger.buckets);
        free(ids.buckets);
        return false;
    }
    for (size_t i = 0; i < m->conn_count; i++) {
        if (!m->conn[i]->is_superseded)
            tern_table_insert(&bigger, &m->conn[i]->node, m->conn[i]->node.hash);
        if (m->conn[i]->out.id != 0)
            tern_table_insert(&ids, &m->conn[i]->by_id, m->conn[i]->by_id.hash);
    }
    free(m->table.buckets);
    free(m->ids.buckets);
    m->table = bigger;
    m->ids = ids;
    return true;
}

static bool conns_have_room(struct tern_model *m)
{
    if (m->conn_count >= m->options.conns_max)
        return false;
    if (m->conn_count == m->conn_room) {
        size_t room = m->conn_room == 0 ? 16 : m->conn_room * 2;
        struct model_conn **conn = realloc(m->conn, room * sizeof *conn);

        if (conn == NULL)
            return false;
        m->conn = conn;
        m->conn_room = room;
    }
    if (m->table.buckets == NULL || m->conn_count > m->table.mask)
        return table_grow(m) || m->table.buckets != NULL;
    return true;
}

static struct model_conn *conn_add(struct segment *s, const struct tern_endpoint *left,
                                   const struct tern_endpoint *right, uint64_t hash)
{
    struct tern_model *m = s->m;
    struct model_conn *c = conns_have_room(m) ? calloc(1, sizeof *c) : NULL;

    if (c == NULL)
        return NULL;
    c->out.stream = (uint32_t)m->conn_count;
    c->out.end[TERN_SIDE_LEFT] = *left;
    c->out.end[TERN_SIDE_RIGHT] = *right;
    c->out.at = s->p->at;
    c->out.until = s->p->at;
    c->out.handshake = -1;
    c->steps.max = m->options.steps_max;
    c->steps.fold_span = m->options.fold_gap / MODEL_FOLD_FIRST;
    for (size_t i = 0; i < 2; i++) {
        c->dir[i].sent_at = -1;
        c->dir[i].syn_at = -1;
        c->dir[i].fin_time = -1;
        c->dir[i].ack_at = -1;
        c->out.side[i].window_min = UINT64_MAX;
    }
    m->conn[m->conn_count++] = c;
    tern_table_insert(&m->table, &c->node, hash);
    model_conn_started(m, c);
    return c;
}

/* Is this SYN the beginning of another connection between the same endpoints? */
static bool is_reincarnation(const struct model_conn *c, const struct segment *s,
                             const struct tern_endpoint *src)
{
    const struct model_dir *d = &c->dir[!tern_endpoint_equal(&c->out.end[0], src)];

    return (s->h.flags & (TERN_TCP_SYN | TERN_TCP_ACK)) == TERN_TCP_SYN && d->known &&
           !tern_seq_eq(tern_seq_add(s->h.seq, 1), d->zero);
}

static bool sender_is_client(const struct segment *s)
{
    if ((s->h.flags & TERN_TCP_SYN) != 0)
        return (s->h.flags & TERN_TCP_ACK) == 0;
    return s->h.src_port >= s->h.dst_port;
}

static struct model_conn *conn_new(struct segment *s, const struct tern_endpoint *src,
                                   const struct tern_endpoint *dst, uint64_t hash)
{
    bool client = sender_is_client(s);
    bool left = s->p->from_is_known ? s->p->from != TERN_LANE_RIGHT : client;
    struct model_conn *c = conn_add(s, left ? src : dst, left ? dst : src, hash);

    if (c != NULL)
        c->out.client = client == left ? TERN_SIDE_LEFT : TERN_SIDE_RIGHT;
    return c;
}

struct model_conn *model_conn_find(struct segment *s)
{
    struct tern_model *m = s->m;
    struct tern_endpoint src = {.addr = s->p->ip.src, .port = s->h.src_port};
    struct tern_endpoint dst = {.addr = s->p->ip.dst, .port = s->h.dst_port};
    struct flow flow = flow_of(&src, &dst);
    uint64_t hash = flow_hash(m, &flow);
    struct tern_table_node *node =
        m->table.buckets == NULL ? NULL : tern_table_first(&m->table, hash);
    struct model_conn *c;

    while (node != NULL && !is_between(conn_of(node), &src, &dst))
        node = tern_table_next(node);
    c = node == NULL ? NULL : conn_of(node);
    if (c != NULL && is_reincarnation(c, s, &src)) {
        tern_table_remove(&m->table, &c->node);
        c->is_superseded = true;
        model_dir_fini(&c->dir[0]);
        model_dir_fini(&c->dir[1]);
        c = NULL;
    }
    if (c == NULL)
        c = conn_new(s, &src, &dst, hash);
    if (c == NULL)
        return NULL;
    s->by = tern_endpoint_equal(&c->out.end[0], &src) ? TERN_SIDE_LEFT : TERN_SIDE_RIGHT;
    s->from = s->by == TERN_SIDE_LEFT ? TERN_LANE_LEFT : TERN_LANE_RIGHT;
    if (s->p->from_is_known && s->p->from == TERN_LANE_KERNEL)
        s->from = TERN_LANE_KERNEL;
    return c;
}

void tern_model_congestion(struct tern_model *m, const struct tern_model_congestion *what)
{
    const struct flow flow = flow_of(&what->sender, &what->receiver);
    struct tern_table_node *node =
        m->table.buckets == NULL ? NULL : tern_table_first(&m->table, flow_hash(m, &flow));
    const struct model_packet p = {.at = what->at > m->latest ? what->at : m->latest};
    struct segment s = {.m = m, .p = &p};
    enum tern_side side;

    while (node != NULL && !is_between(conn_of(node), &what->sender, &what->receiver))
        node = tern_table_next(node);
    if (node == NULL)
        return;
    m->latest = p.at;
    s.c = conn_of(node);
    side = tern_endpoint_equal(&s.c->out.end[0], &what->sender) ? TERN_SIDE_LEFT : TERN_SIDE_RIGHT;
    model_mark(&s, TERN_MARK_CWND, side, what->cwnd, what->cwnd + what->ssthresh);
}

/* The stack's numbers are nobody's choice, and need no key. */
static uint64_t id_hash(uint32_t id)
{
    return id * UINT64_C(0x9e3779b97f4a7c15) >> 32;
}

struct model_conn *model_conn_named(const struct tern_model *m, uint32_t id)
{
    struct tern_table_node *node =
        m->ids.buckets == NULL ? NULL : tern_table_first(&m->ids, id_hash(id));

    for (; node != NULL; node = tern_table_next(node)) {
        struct model_conn *c =
            (struct model_conn *)(void *)((char *)node - offsetof(struct model_conn, by_id));

        if (c->out.id == id)
            return c;
    }
    return NULL;
}

void model_conn_name(struct tern_model *m, struct model_conn *c, uint32_t id)
{
    TERN_ASSERT(c->out.id == 0);
    TERN_ASSERT(id != 0);
    c->out.id = id;
    tern_table_insert(&m->ids, &c->by_id, id_hash(id));
}

void model_conns_fini(struct tern_model *m)
{
    for (size_t i = 0; i < m->conn_count; i++) {
        struct model_conn *c = m->conn[i];

        model_dir_fini(&c->dir[0]);
        model_dir_fini(&c->dir[1]);
        model_quantile_fini(&c->dir[0].rtt);
        model_quantile_fini(&c->dir[1].rtt);
        model_steps_fini(&c->steps);
        free(c->marks.item);
        free(c);
    }
    free(m->conn);
    free(m->table.buckets);
    free(m->ids.buckets);
}
