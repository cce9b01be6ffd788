/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_APPS_HTTP_BLOCKS_H
#define TERN_APPS_HTTP_BLOCKS_H
/* Blocks of files in memory that is lent to the stack; a block that many ask for is read once. */
#include <stddef.h>

#include <tern/time.h>

#include "apps/http_file.h"
#include "base/list.h"

#define TERN_HTTP_BLOCK_BYTES 131072

struct tern_http_block {
    uint8_t *data;
    size_t bytes; /* that were read */
    /* The rest is the table's own. */
    struct tern_list link; /* of those that nobody uses, the longest unused first */
    struct tern_http_block *next;
    struct tern_http_file file;
    uint64_t index;
    tern_time read_at;
    uint32_t users;
    bool known; /* may be found by others */
};

struct tern_http_blocks {
    struct tern_http_block *block, **bucket;
    uint8_t *memory;
    size_t count; /* a power of two */
    struct tern_list unused;
};

/* count: a power of two. False: out of memory. The memory costs nothing until it is used. */
bool tern_http_blocks_init(struct tern_http_blocks *b, size_t count);
void tern_http_blocks_fini(struct tern_http_blocks *b);
/* The index-th block of a file, read now or a moment ago; give it back. steady: the file is old
 * enough that its next change will show in its times, so that others may have the block as well.
 * NULL: all are in use, or it cannot be read. */
struct tern_http_block *tern_http_block_take(struct tern_http_blocks *b,
                                             const struct tern_http_file *file, uint64_t index,
                                             bool steady, tern_time now);
void tern_http_block_give(struct tern_http_blocks *b, struct tern_http_block *block);

#endif
