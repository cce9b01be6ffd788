/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_BASE_LIST_H
#define TERN_BASE_LIST_H
/* Intrusive doubly linked lists: a ring through the head. A node that is in no list is zeroed. */
#include <stdbool.h>
#include <stddef.h>

struct tern_list {
    struct tern_list *next, *prev;
};

/* The object that embeds a node. */
#define TERN_CONTAINER(node, type, member)                                                         \
    ((type *)(void *)((unsigned char *)(node)-offsetof(type, member)))

static inline void tern_list_init(struct tern_list *head)
{
    head->next = head->prev = head;
}

static inline bool tern_list_is_linked(const struct tern_list *node)
{
    return node->next != NULL;
}

static inline bool tern_list_is_empty(const struct tern_list *head)
{
    return head->next == head;
}

static inline void tern_list_push(struct tern_list *head, struct tern_list *node)
{
    node->prev = head->prev;
    node->next = head;
    head->prev->next = node;
    head->prev = node;
}

static inline void tern_list_remove(struct tern_list *node)
{
    if (node->next == NULL)
        return;
    node->prev->next = node->next;
    node->next->prev = node->prev;
    node->next = node->prev = NULL;
}

static inline struct tern_list *tern_list_pop(struct tern_list *head)
{
    struct tern_list *node = head->next;

    if (node == head)
        return NULL;
    tern_list_remove(node);
    return node;
}

#endif
