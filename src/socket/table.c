/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table: sockets in slots of a pool, found by descriptor; and the pump, which takes the stack's
 * events and hands each to the socket whose address is the event's `user`.
 *
 * A slot is known to the stack while it has a connection, a listener or a UDP socket; all three are
 * given up before the slot goes back, so that no event can come to a stranger.
 */
#include "socket/internal.h"

#include <string.h>

#include <tern/stack.h>

#define ALIGN     64
#define WORD_BITS 64

void tern_sockets_config_defaults(struct tern_sockets_config *config)
{
    memset(config, 0, sizeof(*config));
    config->sockets_max = 256;
    config->watches_max = 256;
    config->fd_first = 3;
}

static size_t aligned(size_t bytes)
{
    return (bytes + ALIGN - 1) / ALIGN * ALIGN;
}

static size_t buckets_count(uint32_t wanted)
{
    size_t count = 16;

    while (count < wanted)
        count *= 2;
    return count;
}

static size_t numbers_words(uint32_t sockets_max)
{
    return (sockets_max + WORD_BITS - 1) / WORD_BITS;
}

size_t tern_sockets_bytes(const struct tern_sockets_config *c)
{
    return ALIGN + aligned(sizeof(struct tern_sockets)) +
           aligned(tern_pool_bytes(sizeof(struct tern_sock), c->sockets_max)) +
           aligned(tern_pool_bytes(sizeof(struct tern_watch), c->watches_max)) +
           2 * aligned(buckets_count(c->sockets_max) * sizeof(struct tern_table_node *)) +
           aligned(numbers_words(c->sockets_max) * sizeof(uint64_t));
}

static void *carve(uint8_t **at, size_t bytes)
{
    uint8_t *start = *at;

    *at += aligned(bytes);
    return start;
}

static void carve_table(struct tern_table *table, uint8_t **at, size_t buckets)
{
    table->buckets = carve(at, buckets * sizeof(struct tern_table_node *));
    table->mask = buckets - 1;
}

enum tern_err tern_sockets_init(void *memory, size_t bytes, const struct tern_sockets_config *c,
                                struct tern_sockets **out)
{
    const size_t socks = tern_pool_bytes(sizeof(struct tern_sock), c->sockets_max);
    const size_t watches = tern_pool_bytes(sizeof(struct tern_watch), c->watches_max);
    const size_t buckets = buckets_count(c->sockets_max);
    uint8_t *at = memory;
    struct tern_sockets *t;

    if (c->stack == NULL || c->sockets_max == 0 || c->fd_first < 0)
        return TERN_ERR_INVAL;
    if (bytes < tern_sockets_bytes(c))
        return TERN_ERR_MEMORY;
    memset(memory, 0, tern_sockets_bytes(c));
    t = carve(&at, sizeof(*t));
    t->config = *c;
    t->serial_next = 1;
    tern_pool_init(&t->socks, carve(&at, socks), sizeof(struct tern_sock), c->sockets_max);
    tern_pool_init(&t->watches, carve(&at, watches), sizeof(struct tern_watch), c->watches_max);
    carve_table(&t->fds, &at, buckets);
    carve_table(&t->ports, &at, buckets);
    t->numbers = carve(&at, numbers_words(c->sockets_max) * sizeof(uint64_t));
    TERN_ASSERT(at <= (uint8_t *)memory + bytes);
    *out = t;
    return TERN_ERR_OK;
}

void tern_sockets_fini(struct tern_sockets *t)
{
    for (uint32_t i = 0; i < t->socks.fresh; i++) {
        if (tern_pool_is_taken(&t->socks, i))
            tern_sock_close(tern_pool_at(&t->socks, i), false);
    }
}

/* ---- descriptors ---- */

/* Descriptors are small and chosen by nobody hostile: no key. */
static uint64_t fd_hash(int fd)
{
    return (uint64_t)(uint32_t)fd;
}

struct tern_sock *tern_sock_find(const struct tern_sockets *t, int fd)
{
    struct tern_table_node *node = tern_table_first(&t->fds, fd_hash(fd));

    return node != NULL ? TERN_CONTAINER(node, struct tern_sock, by_fd) : NULL;
}

struct tern_sock *tern_sock_get(struct tern_sockets *t, int fd)
{
    struct tern_sock *s = tern_sock_find(t, fd);

    if (s == NULL || s->kind == TERN_SOCK_EPOLL) {
        errno = s == NULL ? EBADF : ENOTSOCK;
        return NULL;
    }
    tern_sock_refresh(s);
    return s;
}

/* The lowest number that is free. */
static int take_number(struct tern_sockets *t)
{
    for (uint32_t i = 0; i < t->config.sockets_max; i++) {
        uint64_t *word = &t->numbers[i / WORD_BITS];
        const uint64_t bit = UINT64_C(1) << i % WORD_BITS;

        if ((*word & bit) != 0)
            continue;
        *word |= bit;
        return t->config.fd_first + (int)i;
    }
    return tern_sock_fail(EMFILE);
}

static int take_fd(struct tern_sockets *t)
{
    struct tern_sock *stale;
    int fd;

    if (t->config.fd_new == NULL)
        return take_number(t);
    fd = t->config.fd_new(t->config.arg);
    stale = fd >= 0 ? tern_sock_find(t, fd) : NULL;
    if (stale != NULL) { /* closed behind our back, and the number is used again */
        tern_table_remove(&t->fds, &stale->by_fd);
        stale->fd = -1;
        tern_sock_close(stale, false);
    }
    return fd;
}

static void give_fd(struct tern_sockets *t, int fd)
{
    const uint32_t i = (uint32_t)(fd - t->config.fd_first);

    if (fd < 0)
        return;
    if (t->config.fd_new == NULL)
        t->numbers[i / WORD_BITS] &= ~(UINT64_C(1) << i % WORD_BITS);
    if (t->config.fd_free != NULL)
        t->config.fd_free(t->config.arg, fd);
}

struct tern_sock *tern_sock_new(struct tern_sockets *t, enum tern_sock_kind kind)
{
    struct tern_sock *s = tern_pool_take(&t->socks);

    if (s == NULL) {
        errno = ENFILE;
        return NULL;
    }
    memset(s, 0, sizeof(*s));
    s->table = t;
    s->kind = kind;
    s->serial = t->serial_next++;
    s->fd = take_fd(t);
    if (s->fd < 0) {
        tern_pool_give(&t->socks, s);
        return NULL;
    }
    tern_list_init(&s->watches);
    tern_list_init(&s->members);
    tern_list_init(&s->ready);
    tern_table_insert(&t->fds, &s->by_fd, fd_hash(s->fd));
    return s;
}

void tern_sock_free(struct tern_sock *s)
{
    struct tern_sockets *t = s->table;
    const int fd = s->fd;

    TERN_ASSERT(s->conn == NULL && s->listener == NULL && s->udp == NULL);
    TERN_ASSERT(tern_list_is_empty(&s->watches));
    tern_sock_drop_port(s);
    s->serial = 0;
    tern_pool_give(&t->socks, s);
    give_fd(t, fd);
}

tern_time tern_sock_now(const struct tern_sockets *t)
{
    return t->config.now != NULL ? t->config.now(t->config.arg) : 0;
}

/* ---- events ---- */

/* The socket that an event is for; NULL: it is not ours. */
static struct tern_sock *receiver(const struct tern_sockets *t, const struct tern_event *e)
{
    const uint8_t *first = t->socks.items;
    const uint8_t *end = first + t->socks.item_bytes * t->socks.count;
    const uint8_t *user = e->user;

    if (e->kind == TERN_EVENT_ADDRESS || e->kind == TERN_EVENT_PING || e->kind == TERN_EVENT_LOAN)
        return NULL;
    return user >= first && user < end ? e->user : NULL;
}

static uint32_t poll_key(const struct tern_event *e)
{
    const uint32_t states = TERN_CONN_ESTABLISHED | TERN_CONN_PEER_FIN | TERN_CONN_CLOSED;
    uint32_t key = 0;

    if ((e->bits & states) != 0)
        return 0; /* anything may have changed */
    if ((e->bits & TERN_CONN_READABLE) != 0)
        key |= POLLIN | POLLRDNORM;
    if ((e->bits & TERN_CONN_URGENT) != 0)
        key |= POLLPRI | POLLIN | POLLRDNORM;
    if ((e->bits & TERN_CONN_WRITABLE) != 0)
        key |= POLLOUT | POLLWRNORM;
    return key;
}

static void hear(struct tern_sock *s, const struct tern_event *e)
{
    const uint32_t states = TERN_CONN_ESTABLISHED | TERN_CONN_PEER_FIN | TERN_CONN_CLOSED;
    const uint32_t shown = states | TERN_CONN_READABLE | TERN_CONN_WRITABLE | TERN_CONN_URGENT;

    if ((e->bits & (TERN_CONN_WRITABLE | TERN_CONN_CLOSED)) != 0)
        s->full = false;
    tern_sock_refresh(s);
    if ((e->bits & shown) != 0 && !s->closing)
        tern_sock_changed(s, poll_key(e));
}

uint32_t tern_sockets_pump(struct tern_sockets *t)
{
    struct tern_event e;
    uint32_t count = 0;

    for (; tern_stack_event(t->config.stack, &e); count++) {
        struct tern_sock *s = receiver(t, &e);

        if (s != NULL)
            hear(s, &e);
        else if (t->config.event != NULL)
            t->config.event(t->config.arg, &e);
    }
    return count;
}

uint32_t tern_sockets_ready(const struct tern_sockets *t, int fd)
{
    const struct tern_sock *s = tern_sock_find(t, fd);

    if (s == NULL)
        return POLLNVAL;
    return s->kind == TERN_SOCK_EPOLL ? tern_epoll_poll(s) : tern_sock_poll(s);
}

struct tern_conn *tern_sockets_conn(const struct tern_sockets *t, int fd)
{
    const struct tern_sock *s = tern_sock_find(t, fd);

    return s != NULL ? s->conn : NULL;
}

void tern_sockets_check(const struct tern_sockets *t)
{
    tern_pool_check(&t->socks);
    tern_pool_check(&t->watches);
    for (uint32_t i = 0; i < t->socks.fresh; i++) {
        const struct tern_sock *s = tern_pool_at(&t->socks, i);

        if (!tern_pool_is_taken(&t->socks, i))
            continue;
        TERN_ASSERT(s->table == t);
        TERN_ASSERT(s->serial != 0);
        TERN_ASSERT(s->closing || tern_sock_find(t, s->fd) == s);
        TERN_ASSERT((s->conn != NULL) + (s->listener != NULL) + (s->udp != NULL) <= 1);
        TERN_ASSERT(s->conn == NULL || s->kind == TERN_SOCK_STREAM);
        TERN_ASSERT(s->udp == NULL || s->kind == TERN_SOCK_DGRAM);
        TERN_ASSERT(s->kind == TERN_SOCK_EPOLL || tern_list_is_empty(&s->members));
    }
}
