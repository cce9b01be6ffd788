/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the stack is lent must stand still until the client has it: a mapping of the file would not
 * (it may change between a segment and its retransmission, and a file that shrinks would kill the
 * process), so blocks are read into memory of our own. While a block is lent, and as long as nobody
 * else needs its place, it serves every answer that asks for the same bytes of the same state of
 * the same file: device, inode, length, and the time of its last change of any kind (ctime), which
 * nobody can set back. Each answer asks the file system for these anew.
 *
 * A program that writes through a mapping of its own may change a file without its times telling;
 * so a block is shared for a second at the most, and then read again.
 *
 * A block that is used is in no list; one that is unused is in the list, and stays in the table
 * until it is taken for something else.
 */
#include "apps/http_blocks.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/assert.h"

#define SHARED_FOR TERN_SECOND

bool tern_http_blocks_init(struct tern_http_blocks *b, size_t count)
{
    TERN_ASSERT(count > 0);
    TERN_ASSERT((count & (count - 1)) == 0);
    b->count = count;
    b->block = calloc(count, sizeof *b->block);
    b->bucket = calloc(count, sizeof(struct tern_http_block *));
    b->memory = mmap(NULL, count * TERN_HTTP_BLOCK_BYTES, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    tern_list_init(&b->unused);
    if (b->block == NULL || b->bucket == NULL || b->memory == MAP_FAILED) {
        tern_http_blocks_fini(b);
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        b->block[i].data = b->memory + i * TERN_HTTP_BLOCK_BYTES;
        tern_list_push(&b->unused, &b->block[i].link);
    }
    return true;
}

void tern_http_blocks_fini(struct tern_http_blocks *b)
{
    free(b->block);
    free(b->bucket);
    if (b->memory != MAP_FAILED && b->memory != NULL)
        (void)munmap(b->memory, b->count * TERN_HTTP_BLOCK_BYTES);
    b->block = NULL;
    b->bucket = NULL;
    b->memory = NULL;
}

static struct tern_http_block **bucket_of(const struct tern_http_blocks *b, uint64_t inode,
                                          uint64_t index)
{
    return &b->bucket[(inode * 31 + index) & (b->count - 1)];
}

static bool is_same(const struct tern_http_block *block, const struct tern_http_file *file,
                    uint64_t index, tern_time now)
{
    return block->index == index && block->file.inode == file->inode &&
           block->file.device == file->device && block->file.bytes == file->bytes &&
           block->file.changed == file->changed && block->file.changed_ns == file->changed_ns &&
           now - block->read_at < SHARED_FOR;
}

static void forget(struct tern_http_blocks *b, struct tern_http_block *block)
{
    struct tern_http_block **at;

    if (!block->known)
        return;
    for (at = bucket_of(b, block->file.inode, block->index); *at != block; at = &(*at)->next)
        TERN_ASSERT(*at != NULL);
    *at = block->next;
    block->known = false;
}

static bool read_block(struct tern_http_block *block, int fd, uint64_t index)
{
    const uint64_t at = index * TERN_HTTP_BLOCK_BYTES;
    ssize_t n;

    block->bytes = 0;
    do { /* less than was asked for is no end yet */
        n = pread(fd, block->data + block->bytes, TERN_HTTP_BLOCK_BYTES - block->bytes,
                  (off_t)(at + block->bytes));
        if (n > 0)
            block->bytes += (size_t)n;
    } while (n > 0 ? block->bytes < TERN_HTTP_BLOCK_BYTES : n < 0 && errno == EINTR);
    return n >= 0;
}

static struct tern_http_block *use(struct tern_http_block *block)
{
    block->users++;
    tern_list_remove(&block->link);
    return block;
}

struct tern_http_block *tern_http_block_take(struct tern_http_blocks *b,
                                             const struct tern_http_file *file, uint64_t index,
                                             bool steady, tern_time now)
{
    struct tern_http_block **bucket = bucket_of(b, file->inode, index), *block;
    struct tern_list *link;

    for (block = *bucket; block != NULL; block = block->next)
        if (is_same(block, file, index, now))
            return use(block);
    link = tern_list_pop(&b->unused);
    if (link == NULL)
        return NULL;
    block = TERN_CONTAINER(link, struct tern_http_block, link);
    TERN_ASSERT(block->users == 0);
    forget(b, block);
    if (!read_block(block, file->fd, index)) {
        tern_list_push(&b->unused, &block->link);
        return NULL;
    }
    block->file = *file;
    block->index = index;
    block->read_at = now;
    block->known = steady;
    if (steady) {
        block->next = *bucket;
        *bucket = block;
    }
    return use(block);
}

void tern_http_block_give(struct tern_http_blocks *b, struct tern_http_block *block)
{
    TERN_ASSERT(block->users > 0);
    if (--block->users == 0)
        tern_list_push(&b->unused, &block->link);
}
