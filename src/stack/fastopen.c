/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The stack's side of TCP Fast Open (RFC 7413): cookies given out and judged, and those of peers
 * remembered.
 *
 * A cookie of ours is a keyed hash of both addresses and of the day: one of yesterday's is
 * good still, and is replaced (RFC 7413 §4.1.2). So a server keeps nothing for it. With a key that
 * was given there is no day in it: whoever gives keys also changes them.
 *
 * Of each peer that we connected to with Fast Open wanted, the cookie and the MSS stay in a table
 * of fixed size, the least lately used one giving way (RFC 7413 §4.1.3). Where it went wrong
 * (nobody answered, or the text was not taken) it is not tried for an hour (§4.1.3.1).
 *
 * A listener has no more connections before the end of their handshakes than its backlog (§5.1):
 * beyond, a SYN with text opens an ordinary one.
 */
#include "stack/internal.h"

#define COOKIE_BYTES 8
#define COOKIE_DAY   (86400 * TERN_SECOND)
#define QUIET        (3600 * TERN_SECOND)

struct tern_fastopen_peer {
    struct tern_table_node by_addr;
    struct tern_list link; /* the most lately used last */
    struct tern_addr addr;
    struct tern_fastopen_cookie cookie;
    uint16_t mss;
    tern_time quiet_until;
};

size_t tern_fastopen_peer_bytes(void)
{
    return sizeof(struct tern_fastopen_peer);
}

/* ---- what we give out ---- */

static bool is_key_given(const struct tern_stack *s)
{
    static const uint8_t none[sizeof s->config.fastopen_key];

    return memcmp(s->config.fastopen_key, none, sizeof none) != 0;
}

/* The client's address and ours, four bytes each where they are IPv4's. */
static void write_pair(struct tern_writer *w, const struct tern_tcb_options *o)
{
    const size_t skip = tern_addr_is_v4(o->remote.addr) ? 12 : 0;

    tern_write_bytes(w, o->remote.addr.b + skip, 16 - skip);
    tern_write_bytes(w, o->local.addr.b + skip, 16 - skip);
}

static struct tern_fastopen_cookie cookie_for(const struct tern_stack *s,
                                              const struct tern_tcb_options *o, uint64_t day)
{
    struct tern_fastopen_cookie cookie = {.bytes = COOKIE_BYTES};
    struct tern_hash_key key = s->fastopen_key;
    uint8_t message[40];
    struct tern_writer w = tern_writer_of(message, sizeof message);
    uint64_t hash;

    write_pair(&w, o);
    if (is_key_given(s)) {
        memcpy(key.b, s->config.fastopen_key, sizeof key.b);
    } else {
        tern_write_be32(&w, (uint32_t)(day >> 32));
        tern_write_be32(&w, (uint32_t)day);
    }
    TERN_ASSERT(!w.failed);
    hash = tern_hash(&key, message, w.bytes);
    memcpy(cookie.b, &hash, COOKIE_BYTES);
    return cookie;
}

static bool is_same(const struct tern_fastopen_cookie *a, const struct tern_tcp_header *syn)
{
    uint8_t differs = a->bytes ^ syn->cookie_bytes;

    for (size_t i = 0; i < sizeof a->b; i++) /* in a time that tells nothing */
        differs |= a->b[i] ^ syn->cookie[i];
    return differs == 0;
}

void tern_listener_fastopen(struct tern_listener *l, const struct tern_segment *syn,
                            struct tern_tcb_options *o)
{
    const uint64_t day = (uint64_t)l->stack->now / (uint64_t)COOKIE_DAY;
    struct tern_fastopen_cookie today, yesterday;
    bool fresh;

    if (!l->set.fastopen || !syn->h.has_fastopen)
        return;
    today = cookie_for(l->stack, o, day);
    yesterday = cookie_for(l->stack, o, day - 1);
    today.experimental = syn->h.fastopen_experimental;
    fresh = is_same(&today, &syn->h);
    o->fastopen.option = !fresh;
    o->fastopen.cookie = today;
    if (!fresh && !is_same(&yesterday, &syn->h)) {
        if (syn->h.cookie_bytes > 0)
            l->stack->counters.fastopen_cookies_bad++;
        return;
    }
    o->fastopen.accept = l->fastopen_count < l->backlog;
    l->stack->counters.fastopen_accepted += o->fastopen.accept;
}

void tern_conn_fastopen_begin(struct tern_conn *conn, struct tern_listener *l)
{
    conn->awake->fastopen_of = l;
    l->fastopen_count++;
    tern_list_push(&l->fastopen, &conn->awake->fastopen);
}

void tern_conn_fastopen_end(struct tern_conn *conn)
{
    if (conn->awake->fastopen_of == NULL)
        return;
    TERN_ASSERT(conn->awake->fastopen_of->fastopen_count > 0);
    conn->awake->fastopen_of->fastopen_count--;
    conn->awake->fastopen_of = NULL;
    tern_list_remove(&conn->awake->fastopen);
}

void tern_listener_fastopen_fini(struct tern_listener *l)
{
    while (!tern_list_is_empty(&l->fastopen))
        tern_conn_fastopen_end(TERN_CONTAINER(l->fastopen.next, struct tern_awake, fastopen)->conn);
    TERN_ASSERT(l->fastopen_count == 0);
}

/* ---- what we remember ---- */

static uint64_t hash_of(const struct tern_stack *s, struct tern_addr addr)
{
    return tern_hash(&s->demux_key, addr.b, sizeof addr.b);
}

static struct tern_fastopen_peer *find(struct tern_stack *s, struct tern_addr addr)
{
    struct tern_table_node *node = tern_table_first(&s->fastopen.table, hash_of(s, addr));

    for (; node != NULL; node = tern_table_next(node)) {
        struct tern_fastopen_peer *p = TERN_CONTAINER(node, struct tern_fastopen_peer, by_addr);

        if (tern_addr_equal(p->addr, addr))
            return p;
    }
    return NULL;
}

static void forget(struct tern_stack *s, struct tern_fastopen_peer *p)
{
    tern_table_remove(&s->fastopen.table, &p->by_addr);
    tern_list_remove(&p->link);
    tern_pool_give(&s->fastopen.pool, p);
}

static struct tern_fastopen_peer *add(struct tern_stack *s, struct tern_addr addr)
{
    struct tern_fastopen_peer *p;

    if (s->fastopen.pool.used == s->fastopen.pool.count)
        forget(s, TERN_CONTAINER(s->fastopen.oldest.next, struct tern_fastopen_peer, link));
    p = tern_pool_take(&s->fastopen.pool);
    TERN_ASSERT(p != NULL);
    *p = (struct tern_fastopen_peer){.addr = addr, .mss = TERN_TCP_MSS_DEFAULT};
    tern_table_insert(&s->fastopen.table, &p->by_addr, hash_of(s, addr));
    tern_list_push(&s->fastopen.oldest, &p->link);
    return p;
}

void tern_stack_fastopen_offer(struct tern_stack *s, struct tern_tcb_options *o)
{
    struct tern_fastopen_peer *p;

    if (!o->set.fastopen)
        return;
    p = find(s, o->remote.addr);
    if (p != NULL && s->now < p->quiet_until)
        return;
    o->fastopen.option = true;
    if (p == NULL)
        return;
    tern_list_remove(&p->link);
    tern_list_push(&s->fastopen.oldest, &p->link);
    o->fastopen.cookie = p->cookie;
    o->fastopen.mss = p->mss;
}

void tern_conn_fastopen_learn(struct tern_conn *conn)
{
    struct tern_stack *s = conn->stack;
    struct tern_tcb *c = conn->tcb;
    struct tern_fastopen_peer *p;

    if (!c->fastopen.learned && !c->fastopen.failed)
        return;
    p = find(s, c->remote.addr);
    if (p == NULL)
        p = add(s, c->remote.addr);
    if (c->fastopen.learned) {
        p->cookie = c->fastopen.cookie;
        p->mss = c->fastopen.mss;
        p->quiet_until = 0;
    } else {
        p->quiet_until = s->now + QUIET;
    }
    c->fastopen.learned = c->fastopen.failed = false;
}
