/* SPDX-License-Identifier: BSD-2-Clause */
/* Two chained tables; a node is made where there is none, and all go at the end. */
#include "report/eventlog_conns.h"

#include <stdlib.h>
#include <string.h>

#define BUCKETS (1u << 15)

static bool table_init(struct tern_table *t)
{
    t->buckets = calloc(BUCKETS, sizeof(struct tern_table_node *));
    t->mask = BUCKETS - 1;
    return t->buckets != NULL;
}

/* The node is the first member of what is in the table. */
static void table_fini(struct tern_table *t)
{
    for (size_t i = 0; t->buckets != NULL && i < BUCKETS; i++) {
        struct tern_table_node *node = t->buckets[i];

        while (node != NULL) {
            struct tern_table_node *next = node->next;

            free(node);
            node = next;
        }
    }
    free(t->buckets);
    t->buckets = NULL;
}

bool tern_eventlog_conns_init(struct tern_eventlog_conns *c, uint64_t seed)
{
    *c = (struct tern_eventlog_conns){.pair_count = 0};
    memcpy(c->key.b, &seed, sizeof seed);
    return table_init(&c->pairs) && table_init(&c->groups);
}

void tern_eventlog_conns_fini(struct tern_eventlog_conns *c)
{
    table_fini(&c->pairs);
    table_fini(&c->groups);
}

static uint64_t pair_hash(const struct tern_eventlog_conns *c, const struct tern_endpoint *local,
                          const struct tern_endpoint *remote)
{
    const uint32_t words[] = {tern_addr_to_be32(local->addr), tern_addr_to_be32(remote->addr),
                              (uint32_t)local->port << 16 | remote->port};

    return tern_hash(&c->key, words, sizeof words);
}

struct tern_eventlog_pair *tern_eventlog_pair(struct tern_eventlog_conns *c,
                                              const struct tern_endpoint *local,
                                              const struct tern_endpoint *remote)
{
    const uint64_t hash = pair_hash(c, local, remote);
    struct tern_table_node *node = tern_table_first(&c->pairs, hash);
    struct tern_eventlog_pair *p;

    for (; node != NULL; node = tern_table_next(node)) {
        p = (struct tern_eventlog_pair *)node;
        if (tern_endpoint_equal(&p->local, local) && tern_endpoint_equal(&p->remote, remote))
            return p;
    }
    p = c->pair_count < TERN_EVENTLOG_CONNS_MAX ? calloc(1, sizeof *p) : NULL;
    if (p == NULL)
        return NULL;
    p->local = *local;
    p->remote = *remote;
    p->shift[0] = p->shift[1] = -1;
    c->pair_count++;
    tern_table_insert(&c->pairs, &p->node, hash);
    return p;
}

static struct tern_eventlog_group *group_find(const struct tern_eventlog_conns *c, uint64_t id)
{
    struct tern_table_node *node = tern_table_first(&c->groups, tern_hash(&c->key, &id, sizeof id));

    for (; node != NULL; node = tern_table_next(node))
        if (((struct tern_eventlog_group *)node)->id == id)
            break;
    return (struct tern_eventlog_group *)node;
}

const struct tern_eventlog_group *tern_eventlog_group(const struct tern_eventlog_conns *c,
                                                      uint64_t id)
{
    return group_find(c, id);
}

bool tern_eventlog_group_set(struct tern_eventlog_conns *c, uint64_t id,
                             const struct tern_endpoint *local, const struct tern_endpoint *remote)
{
    struct tern_eventlog_group *g = group_find(c, id);

    if (g == NULL) {
        g = c->group_count < TERN_EVENTLOG_CONNS_MAX ? calloc(1, sizeof *g) : NULL;
        if (g == NULL)
            return false;
        g->id = id;
        c->group_count++;
        tern_table_insert(&c->groups, &g->node, tern_hash(&c->key, &id, sizeof id));
    }
    g->local = *local;
    g->remote = *remote;
    return true;
}
