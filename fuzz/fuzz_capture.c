/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A capture file: frames of any bytes, with comments, times and lengths of any value, written as
 * pcapng into memory that ends anywhere. What was written is read back by the little reader below,
 * block by block: lengths agree at both ends, and each block is as long as was foretold. Where
 * there is no room, the writer says so and stays within its memory.
 */
#include "fuzz.h"

#include <stdlib.h>

#include "base/assert.h"
#include "link/frame.h"
#include "link/pcapng.h"

#define FRAMES_MAX   64
#define COMMENT_MAX  2000
#define MEMORY_BYTES 20000

static uint32_t le32(const uint8_t *p)
{
    return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

/* Whole blocks from here to the end? */
static void judge(const uint8_t *data, size_t bytes)
{
    while (bytes > 0) {
        uint32_t block;

        TERN_ASSERT(bytes >= 12);
        block = le32(data + 4);
        TERN_ASSERT(block % 4 == 0);
        TERN_ASSERT(block >= 12 && block <= bytes);
        TERN_ASSERT(le32(data + block - 4) == block);
        data += block;
        bytes -= block;
    }
}

/* A comment of so many bytes, UTF-8 or not. */
static const char *comment_of(struct tern_reader *in, uint8_t how, char *out)
{
    const size_t bytes = (how & 3) == 3 ? tern_read_be16(in) % COMMENT_MAX : how >> 2;

    if ((how & 3) == 0)
        return NULL;
    memset(out, how | 1, bytes);
    out[bytes] = '\0';
    return out;
}

static bool write_one(struct tern_writer *w, struct tern_reader *in)
{
    char comment[COMMENT_MAX + 1];
    const uint8_t how = tern_read_u8(in);
    struct tern_pcapng_packet packet = {.outbound = (how & 1) != 0};
    const size_t before = w->bytes;
    size_t count = tern_read_u8(in);
    const uint8_t *bytes;
    uint8_t *to;

    packet.unix_ns = (int64_t)((uint64_t)tern_read_be32(in) << 32 | how);
    packet.comment = comment_of(in, how, comment);
    count = count < in->left.bytes ? count : in->left.bytes;
    packet.bytes = (uint32_t)count;
    to = tern_pcapng_packet(w, &packet);
    if (to == NULL)
        return false;
    TERN_ASSERT(w->bytes - before == tern_pcapng_packet_bytes(&packet));
    bytes = count > 0 ? tern_read_bytes(in, count) : NULL;
    if (bytes != NULL)
        memcpy(to, bytes, count);
    judge(w->data + before, w->bytes - before);
    if (count > 2) /* a link that fills in a checksum where a frame says, wherever that is */
        (void)tern_frame_fill_checksum(to, count, how, (uint16_t)(to[0] << 2));
    judge(w->data + before, w->bytes - before);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tern_reader in = tern_reader_of(tern_span_of(data, size));
    const struct tern_link_info info = {.name = "fuzz", .mtu_bytes = 1500};
    const size_t memory_bytes = 256 + tern_read_be16(&in) % MEMORY_BYTES;
    uint8_t *memory = malloc(memory_bytes);
    struct tern_writer w = tern_writer_of(memory, memory_bytes);

    TERN_ASSERT(memory != NULL);
    tern_pcapng_begin(&w, "fuzz", &info);
    TERN_ASSERT(!w.failed);
    judge(memory, w.bytes);
    for (int i = 0; i < FRAMES_MAX && in.left.bytes > 0 && write_one(&w, &in); i++) {
    }
    free(memory);
    return 0;
}
