/* SPDX-License-Identifier: BSD-2-Clause */
/* Ethernet: what parses has its body inside the frame, and comes back the same after emitting. */
#include "fuzz.h"

#include "base/assert.h"
#include "wire/eth.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tern_span in = tern_span_of(data, size), body, again_body;
    uint8_t bytes[TERN_ETH_BYTES + 8];
    struct tern_writer w = tern_writer_of(bytes, TERN_ETH_BYTES);
    struct tern_eth eth, again;

    if (!tern_eth_parse(in, &eth, &body))
        return 0;
    TERN_ASSERT(body.bytes <= size - TERN_ETH_BYTES);
    TERN_ASSERT(body.data + body.bytes == data + size);
    tern_eth_emit(&eth, &w);
    TERN_ASSERT(!w.failed);
    TERN_ASSERT(w.bytes == TERN_ETH_BYTES);
    memset(bytes + TERN_ETH_BYTES, 0, 8); /* tags, where the type is still that of a third one */
    TERN_ASSERT(tern_eth_parse(tern_span_of(bytes, sizeof bytes), &again, &again_body));
    TERN_ASSERT(tern_mac_equal(eth.dst, again.dst));
    TERN_ASSERT(tern_mac_equal(eth.src, again.src));
    if (again_body.bytes == 8)
        TERN_ASSERT(eth.type == again.type);
    return 0;
}
