/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reassembly fed with any fragments in any order. The input is a list of commands: a byte of
 * flags (which of four packets, more fragments, protocol, let time pass), an offset in units of
 * 8, a length, and then the bytes, as many as there are. Each whole packet must be no longer
 * than IP allows, and the structure is checked after each step.
 */
#include "fuzz.h"

#include <stdlib.h>

#include "base/assert.h"
#include "proto/reass.h"

#define COUNT_MAX 3

enum { FLAG_ID = 3, FLAG_MORE = 4, FLAG_TCP = 8, FLAG_OPTIONS = 16, FLAG_WAIT = 32 };

static void step(struct tern_reass *r, struct tern_reader *in, tern_time *now)
{
    const uint8_t flags = tern_read_u8(in);
    const uint16_t offset = tern_read_be16(in), wanted = tern_read_be16(in);
    const size_t bytes = wanted < in->left.bytes ? wanted : in->left.bytes;
    struct tern_ipv4 ip = {
        .id = flags & FLAG_ID,
        .more_fragments = (flags & FLAG_MORE) != 0,
        .fragment_offset_bytes = (uint16_t)((offset & 0x1fff) * 8),
        .protocol = (flags & FLAG_TCP) != 0 ? TERN_IP_TCP : TERN_IP_UDP,
        .header_bytes = (flags & FLAG_OPTIONS) != 0 ? 60 : 20,
        .src = tern_addr_v4(10, 0, 0, 2),
        .dst = tern_addr_v4(10, 0, 0, 1),
    };
    const tern_span body = tern_span_first(in->left, bytes);
    struct tern_ipv4 whole;
    tern_span whole_body;

    in->left = tern_span_from(in->left, bytes);
    if ((flags & FLAG_WAIT) != 0)
        *now += 11 * TERN_SECOND;
    tern_reass_expire(r, *now);
    if (ip.fragment_offset_bytes == 0)
        ip.more_fragments = true; /* else it would not come here */
    if (tern_reass_input(r, &ip, body, *now, &whole, &whole_body)) {
        TERN_ASSERT(whole.total_bytes == whole.header_bytes + whole_body.bytes);
        TERN_ASSERT(whole.fragment_offset_bytes == 0);
        TERN_ASSERT(!whole.more_fragments);
    }
    tern_reass_check(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void *memory;
    const struct tern_hash_key key = {{1}};
    struct tern_reader in = tern_reader_of(tern_span_of(data, size));
    struct tern_reass r;
    tern_time now = 0;

    if (memory == NULL)
        memory = malloc(tern_reass_bytes(COUNT_MAX));
    TERN_ASSERT(memory != NULL);
    tern_reass_init(&r, memory, COUNT_MAX, &key);
    for (int i = 0; i < 200 && in.left.bytes >= 5; i++)
        step(&r, &in, &now);
    tern_reass_expire(&r, now + 31 * TERN_SECOND);
    TERN_ASSERT(r.used == 0);
    return 0;
}
