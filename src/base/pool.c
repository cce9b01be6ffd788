/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pools of items of one size.
 *
 * The caller's memory holds three arrays: the items, the free list's links (by number) and one
 * byte an item that says whether it is taken. Nothing of it is written at init: an item at or
 * above `fresh` was never used, its link and its byte mean nothing, and its pages stay untouched
 * until the pool has really grown that far. Below `fresh` each item is either taken or on the free
 * list.
 */
#include "base/pool.h"

#include "base/assert.h"

#define ITEM_ALIGN   16
#define MEMORY_ALIGN 64

/* Each of the two roundings adds less than 64, and the product is checked first. */
size_t tern_pool_bytes(size_t item_bytes, uint32_t count)
{
    size_t rounded = (item_bytes + ITEM_ALIGN - 1) / ITEM_ALIGN * ITEM_ALIGN;
    size_t each = rounded + sizeof(uint32_t) + 1;
    size_t total;

    if (rounded < item_bytes || each < rounded || count == TERN_POOL_NONE)
        return 0;
    if (count > (SIZE_MAX - MEMORY_ALIGN) / each)
        return 0;
    total = each * count;
    return (total / MEMORY_ALIGN + 1) * MEMORY_ALIGN;
}

void tern_pool_init(struct tern_pool *pool, void *memory, size_t item_bytes, uint32_t count)
{
    uint8_t *p = memory;

    TERN_ASSERT(item_bytes > 0);
    TERN_ASSERT(tern_pool_bytes(item_bytes, count) > 0);
    TERN_ASSERT((uintptr_t)memory % MEMORY_ALIGN == 0);
    pool->item_bytes = (item_bytes + ITEM_ALIGN - 1) / ITEM_ALIGN * ITEM_ALIGN;
    pool->items = p;
    pool->next_free = (uint32_t *)(void *)(p + pool->item_bytes * count);
    pool->taken = (uint8_t *)(pool->next_free + count);
    pool->count = count;
    pool->fresh = 0;
    pool->first_free = TERN_POOL_NONE;
    pool->used = 0;
}

void *tern_pool_take(struct tern_pool *pool)
{
    uint32_t index;

    if (pool->first_free != TERN_POOL_NONE) {
        index = pool->first_free;
        TERN_ASSERT(index < pool->fresh);
        TERN_ASSERT(pool->taken[index] == 0);
        pool->first_free = pool->next_free[index];
    } else if (pool->fresh < pool->count) {
        index = pool->fresh++;
    } else {
        return NULL;
    }
    pool->taken[index] = 1;
    pool->used++;
    return pool->items + pool->item_bytes * index;
}

void tern_pool_give(struct tern_pool *pool, void *item)
{
    uint32_t index = tern_pool_index(pool, item);

    TERN_ASSERT(index < pool->fresh);
    TERN_ASSERT(pool->taken[index] == 1);
    TERN_ASSERT(pool->used > 0);
    pool->taken[index] = 0;
    pool->next_free[index] = pool->first_free;
    pool->first_free = index;
    pool->used--;
}

uint32_t tern_pool_index(const struct tern_pool *pool, const void *item)
{
    size_t offset = (size_t)((uintptr_t)item - (uintptr_t)pool->items);

    TERN_ASSERT(offset < pool->item_bytes * pool->count);
    TERN_ASSERT(offset % pool->item_bytes == 0);
    return (uint32_t)(offset / pool->item_bytes);
}

void *tern_pool_at(const struct tern_pool *pool, uint32_t index)
{
    TERN_ASSERT(index < pool->count);
    return pool->items + pool->item_bytes * index;
}

bool tern_pool_is_taken(const struct tern_pool *pool, uint32_t index)
{
    TERN_ASSERT(index < pool->count);
    return index < pool->fresh && pool->taken[index] != 0;
}

void tern_pool_check(const struct tern_pool *pool)
{
    uint32_t taken_count = 0;
    uint32_t free_count = 0;
    uint32_t index = pool->first_free;

    TERN_ASSERT(pool->fresh <= pool->count);
    for (uint32_t i = 0; i < pool->fresh; i++) {
        TERN_ASSERT(pool->taken[i] <= 1);
        taken_count += pool->taken[i];
    }
    TERN_ASSERT(taken_count == pool->used);
    while (index != TERN_POOL_NONE) {
        TERN_ASSERT(index < pool->fresh);
        TERN_ASSERT(pool->taken[index] == 0);
        TERN_ASSERT(free_count < pool->fresh - taken_count); /* or the list is a ring */
        free_count++;
        index = pool->next_free[index];
    }
    TERN_ASSERT(free_count == pool->fresh - taken_count);
}
