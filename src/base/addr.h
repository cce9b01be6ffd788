/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_BASE_ADDR_H
#define TERN_BASE_ADDR_H
/* What is asked of addresses for each packet, in place: the answers are those of tern/addr.h. */
#include <string.h>

#include "base/bytes.h"
#include <tern/addr.h>

static inline bool tern_addr_same(const struct tern_addr *a, const struct tern_addr *b)
{
    uint64_t x[2], y[2];

    memcpy(x, a->b, sizeof x);
    memcpy(y, b->b, sizeof y);
    return ((x[0] ^ y[0]) | (x[1] ^ y[1])) == 0;
}

static inline bool tern_addr_is_mapped(const struct tern_addr *a)
{
    static const uint8_t prefix[4] = {0, 0, 0xff, 0xff};
    uint64_t zeros;

    memcpy(&zeros, a->b, sizeof zeros);
    return zeros == 0 && memcmp(a->b + 8, prefix, sizeof prefix) == 0;
}

/* Of a mapped one, in host order. */
static inline uint32_t tern_addr_mapped_be32(const struct tern_addr *a)
{
    return tern_get_be32(a->b + 12);
}

#endif
