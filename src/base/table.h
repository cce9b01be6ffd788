/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_BASE_TABLE_H
#define TERN_BASE_TABLE_H
/*
 * A hash table of intrusive nodes, chained, in buckets that the caller brings (a power of two,
 * zeroed). The caller hashes (with a key, where a peer chooses what is hashed) and compares.
 */
#include <stddef.h>
#include <stdint.h>

struct tern_table_node {
    struct tern_table_node *next;
    uint64_t hash;
};

struct tern_table {
    struct tern_table_node **buckets;
    uint64_t mask;
};

static inline void tern_table_insert(struct tern_table *t, struct tern_table_node *node,
                                     uint64_t hash)
{
    struct tern_table_node **bucket = &t->buckets[hash & t->mask];

    node->hash = hash;
    node->next = *bucket;
    *bucket = node;
}

static inline void tern_table_remove(struct tern_table *t, struct tern_table_node *node)
{
    struct tern_table_node **at = &t->buckets[node->hash & t->mask];

    while (*at != NULL && *at != node)
        at = &(*at)->next;
    if (*at != NULL)
        *at = node->next;
    node->next = NULL;
}

static inline struct tern_table_node *tern_table_skip(struct tern_table_node *node, uint64_t hash)
{
    while (node != NULL && node->hash != hash)
        node = node->next;
    return node;
}

/* Nodes with exactly this hash, one after the other. */
static inline struct tern_table_node *tern_table_first(const struct tern_table *t, uint64_t hash)
{
    return tern_table_skip(t->buckets[hash & t->mask], hash);
}

static inline struct tern_table_node *tern_table_next(const struct tern_table_node *node)
{
    return tern_table_skip(node->next, node->hash);
}

#endif
