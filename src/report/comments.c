/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A second reader of pcapng beside libpcap, for options alone. Blocks are gathered one at a time;
 * those that are too long, or no packets, are skipped. Whatever does not look like pcapng switches
 * it off for good: then nothing is known of any packet. The bytes of a comment are a stranger's:
 * they are cut at a length and at the first zero, and escaped by whoever shows them.
 */
#include "report/comments.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK_MAX   (300u * 1024)
#define COMMENT_MAX 400u
#define QUEUE_MAX   (1u << 20)

enum {
    BLOCK_SECTION = 0x0a0d0d0a,
    BLOCK_OLD_PACKET = 2,
    BLOCK_SIMPLE = 3,
    BLOCK_PACKET = 6,
    ORDER_MAGIC = 0x1a2b3c4d,
    OPTION_COMMENT = 1,
    OPTION_FLAGS = 2,
    OPTION_APPLICATION = 4,
    HEAD_BYTES = 12, /* a section's byte order stands behind type and length */
};

struct tern_comments {
    bool off, swapped, by_tern;
    uint8_t *block;
    size_t have, room;
    uint64_t skip;
    struct tern_comment *queue;
    size_t first, count, queue_room;
};

static uint32_t get32(const struct tern_comments *c, const uint8_t *p)
{
    uint32_t little =
        (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | (uint32_t)p[0];

    return c->swapped ? __builtin_bswap32(little) : little;
}

static unsigned get16(const struct tern_comments *c, const uint8_t *p)
{
    return c->swapped ? (unsigned)(p[0] << 8 | p[1]) : (unsigned)(p[1] << 8 | p[0]);
}

struct tern_comments *tern_comments_create(void)
{
    return calloc(1, sizeof(struct tern_comments));
}

void tern_comments_destroy(struct tern_comments *c)
{
    if (c == NULL)
        return;
    for (size_t i = 0; i < c->count; i++)
        free(c->queue[(c->first + i) & (c->queue_room - 1)].text);
    free(c->queue);
    free(c->block);
    free(c);
}

static bool queue_grow(struct tern_comments *c)
{
    size_t room = c->queue_room == 0 ? 256 : c->queue_room * 2;
    struct tern_comment *queue = room > QUEUE_MAX ? NULL : calloc(room, sizeof *queue);

    if (queue == NULL)
        return false;
    for (size_t i = 0; i < c->count; i++)
        queue[i] = c->queue[(c->first + i) & (c->queue_room - 1)];
    free(c->queue);
    c->queue = queue;
    c->queue_room = room;
    c->first = 0;
    return true;
}

static void enqueue(struct tern_comments *c, struct tern_comment one)
{
    if (c->count == c->queue_room && !queue_grow(c)) {
        free(one.text);
        c->off = true;
        return;
    }
    c->queue[(c->first + c->count) & (c->queue_room - 1)] = one;
    c->count++;
}

bool tern_comments_next(struct tern_comments *c, struct tern_comment *out)
{
    if (c->count == 0)
        return false;
    *out = c->queue[c->first];
    c->first = (c->first + 1) & (c->queue_room - 1);
    c->count--;
    return true;
}

bool tern_comments_by_tern(const struct tern_comments *c)
{
    return c->by_tern && !c->off;
}

static void option(struct tern_comments *c, unsigned code, const uint8_t *value, size_t bytes,
                   struct tern_comment *packet)
{
    if (packet == NULL) {
        if (code == OPTION_APPLICATION)
            c->by_tern = bytes >= 5 && memcmp(value, "tern ", 5) == 0;
    } else if (code == OPTION_COMMENT && packet->text == NULL && bytes > 0) {
        packet->text = strndup((const char *)value, bytes < COMMENT_MAX ? bytes : COMMENT_MAX);
    } else if (code == OPTION_FLAGS && bytes == 4) {
        packet->inbound = (get32(c, value) & 3) == 1;
        packet->outbound = (get32(c, value) & 3) == 2;
    }
}

static void options(struct tern_comments *c, const uint8_t *p, size_t bytes,
                    struct tern_comment *packet)
{
    while (bytes >= 4) {
        unsigned code = get16(c, p);
        size_t length = get16(c, p + 2);
        size_t padded = (length + 3) & ~(size_t)3;

        if (code == 0 || padded > bytes - 4)
            return;
        option(c, code, p + 4, length, packet);
        p += 4 + padded;
        bytes -= 4 + padded;
    }
}

/* A whole block, its trailing length left out. */
static void block_done(struct tern_comments *c, uint32_t type, size_t bytes)
{
    struct tern_comment packet = {.text = NULL};

    if (type == BLOCK_SECTION && bytes >= 24) {
        c->by_tern = false;
        options(c, c->block + 24, bytes - 24, NULL);
        return;
    }
    if (type != BLOCK_PACKET && type != BLOCK_OLD_PACKET && type != BLOCK_SIMPLE)
        return;
    if (type != BLOCK_SIMPLE && bytes >= 28) {
        const uint64_t captured = get32(c, c->block + 20);
        const size_t padded = (size_t)((captured + 3) & ~UINT64_C(3));

        if (captured <= bytes - 28 && padded <= bytes - 28)
            options(c, c->block + 28 + padded, bytes - 28 - padded, &packet);
    }
    enqueue(c, packet);
}

static bool block_room(struct tern_comments *c, size_t bytes)
{
    if (bytes <= c->room)
        return true;
    uint8_t *block = realloc(c->block, bytes);

    if (block == NULL)
        return false;
    c->block = block;
    c->room = bytes;
    return true;
}

/* Bytes up to `want` of the block; false: more are needed. */
static bool gather(struct tern_comments *c, const uint8_t **data, size_t *bytes, size_t want)
{
    size_t take = want - c->have < *bytes ? want - c->have : *bytes;

    memcpy(c->block + c->have, *data, take);
    c->have += take;
    *data += take;
    *bytes -= take;
    return c->have == want;
}

/* Type and length of the block whose head is here; 0: it makes no sense. */
static size_t block_length(struct tern_comments *c, uint32_t *type)
{
    *type = get32(c, c->block);
    if (*type == BLOCK_SECTION) {
        c->swapped = false;
        c->swapped = get32(c, c->block + 8) != ORDER_MAGIC;
        if (get32(c, c->block + 8) != ORDER_MAGIC)
            return 0;
    }
    size_t length = get32(c, c->block + 4);

    return length < HEAD_BYTES || length % 4 != 0 ? 0 : length;
}

static void skip_block(struct tern_comments *c, uint32_t type, size_t length)
{
    c->skip = length - HEAD_BYTES;
    c->have = 0;
    if (type == BLOCK_PACKET || type == BLOCK_OLD_PACKET || type == BLOCK_SIMPLE)
        enqueue(c, (struct tern_comment){.text = NULL});
}

/* Goes on with the block at hand; false: it needs more bytes, or gave up. */
static bool block_step(struct tern_comments *c, const uint8_t **data, size_t *bytes)
{
    uint32_t type;

    if (!block_room(c, HEAD_BYTES) || (c->have < HEAD_BYTES && !gather(c, data, bytes, HEAD_BYTES)))
        return false;
    size_t length = block_length(c, &type);

    if (length == 0) {
        c->off = true;
        return false;
    }
    if (length > BLOCK_MAX || !block_room(c, length)) {
        skip_block(c, type, length);
        return true;
    }
    if (c->have < length && !gather(c, data, bytes, length))
        return false;
    block_done(c, type, length - 4);
    c->have = 0;
    return true;
}

void tern_comments_feed(struct tern_comments *c, const void *data, size_t bytes)
{
    const uint8_t *p = data;

    while (bytes > 0 && !c->off) {
        size_t jump = c->skip < bytes ? (size_t)c->skip : bytes;

        c->skip -= jump;
        p += jump;
        bytes -= jump;
        if (bytes > 0 && !block_step(c, &p, &bytes) && bytes > 0)
            return;
    }
}
