/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_BASE_POOL_H
#define TERN_BASE_POOL_H
/*
 * A pool of items of one size in memory that the caller brings. Items are numbered; those never
 * used before are handed out in order, so that untouched memory stays untouched; those given back
 * are handed out first. Take and give are constant time.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TERN_POOL_NONE UINT32_MAX

struct tern_pool {
    uint8_t *items;
    uint32_t *next_free; /* a list through the numbers of free items */
    uint8_t *taken;      /* one byte an item: asserts one give for each take */
    size_t item_bytes;   /* rounded up to 16 */
    uint32_t count;
    uint32_t fresh; /* items below this number have been used */
    uint32_t first_free;
    uint32_t used;
};

/* Bytes of memory for a pool; 0 on overflow. */
size_t tern_pool_bytes(size_t item_bytes, uint32_t count);
/* memory: tern_pool_bytes() bytes, aligned to 64. */
void tern_pool_init(struct tern_pool *pool, void *memory, size_t item_bytes, uint32_t count);
/* An item, its bytes as they were left; NULL where the pool is empty. */
void *tern_pool_take(struct tern_pool *pool);
void tern_pool_give(struct tern_pool *pool, void *item);
uint32_t tern_pool_index(const struct tern_pool *pool, const void *item);
void *tern_pool_at(const struct tern_pool *pool, uint32_t index);
bool tern_pool_is_taken(const struct tern_pool *pool, uint32_t index);
void tern_pool_check(const struct tern_pool *pool);

#endif
