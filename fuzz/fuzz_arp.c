/* SPDX-License-Identifier: BSD-2-Clause */
/* ARP: what parses is emitted as the very 28 bytes that came. */
#include "fuzz.h"

#include "base/assert.h"
#include "wire/arp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t bytes[TERN_ARP_BYTES];
    struct tern_writer w = tern_writer_of(bytes, sizeof bytes);
    struct tern_arp arp;

    if (!tern_arp_parse(tern_span_of(data, size), &arp))
        return 0;
    TERN_ASSERT(size >= TERN_ARP_BYTES);
    tern_arp_emit(&arp, &w);
    TERN_ASSERT(!w.failed);
    TERN_ASSERT(w.bytes == TERN_ARP_BYTES);
    TERN_ASSERT(memcmp(bytes, data, TERN_ARP_BYTES) == 0);
    return 0;
}
