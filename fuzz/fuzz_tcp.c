/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TCP: what parses is emitted and parsed again: the same value, but for SACK blocks that no longer
 * fit (an input may pack its options tighter than we do).
 */
#include "fuzz.h"

#include "base/assert.h"
#include "wire/tcp.h"

static void check_same(const struct tern_tcp_header *a, const struct tern_tcp_header *b)
{
    TERN_ASSERT(a->src_port == b->src_port && a->dst_port == b->dst_port);
    TERN_ASSERT(tern_seq_eq(a->seq, b->seq) && tern_seq_eq(a->ack, b->ack));
    TERN_ASSERT(a->flags == b->flags);
    TERN_ASSERT(a->window == b->window && a->urgent == b->urgent);
    TERN_ASSERT(a->has_mss == b->has_mss && a->mss == b->mss);
    TERN_ASSERT(a->has_wscale == b->has_wscale && a->wscale == b->wscale);
    TERN_ASSERT(a->has_timestamps == b->has_timestamps);
    TERN_ASSERT(a->ts_value == b->ts_value && a->ts_echo == b->ts_echo);
    TERN_ASSERT(a->sack_permitted == b->sack_permitted);
    TERN_ASSERT(a->sack_count >= b->sack_count);
    TERN_ASSERT(a->has_fastopen == b->has_fastopen && a->cookie_bytes == b->cookie_bytes);
    TERN_ASSERT(memcmp(a->cookie, b->cookie, sizeof a->cookie) == 0);
    TERN_ASSERT(a->sack_count == 0 || b->sack_count > 0 || /* one fits beside all the others */
                a->cookie_bytes > 2);
    for (unsigned i = 0; i < b->sack_count; i++) {
        TERN_ASSERT(tern_seq_eq(a->sack[i].start, b->sack[i].start));
        TERN_ASSERT(tern_seq_eq(a->sack[i].end, b->sack[i].end));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t bytes[TERN_TCP_HEADER_BYTES_MAX];
    struct tern_writer w = tern_writer_of(bytes, sizeof bytes);
    struct tern_tcp_header tcp, again;
    tern_span body, again_body;

    if (!tern_tcp_parse(tern_span_of(data, size), &tcp, &body))
        return 0;
    TERN_ASSERT(body.bytes <= size - TERN_TCP_HEADER_BYTES);
    TERN_ASSERT(body.data + body.bytes == data + size);
    TERN_ASSERT(tcp.sack_count <= TERN_TCP_SACK_BLOCKS_MAX);
    tern_tcp_emit(&tcp, &w);
    TERN_ASSERT(!w.failed);
    TERN_ASSERT(w.bytes == tern_tcp_header_bytes(&tcp));
    TERN_ASSERT(tern_tcp_parse(tern_span_of(bytes, w.bytes), &again, &again_body));
    TERN_ASSERT(again_body.bytes == 0);
    check_same(&tcp, &again);
    return 0;
}
