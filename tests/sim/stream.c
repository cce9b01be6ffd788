/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bytes of streams: a hash of the name and the place, eight places at a time; the first two are
 * the name itself. See stream.h.
 */
#include "stream.h"

#include <string.h>

#define PIECE 512

static uint64_t word_of(uint32_t name, uint64_t number)
{
    uint64_t v = (number + 1) * UINT64_C(0x9e3779b97f4a7c15) ^ ((uint64_t)name << 40);

    v ^= v >> 29;
    v *= UINT64_C(0xbf58476d1ce4e5b9);
    v ^= v >> 32;
    return number > 0 ? v : (v & ~UINT64_C(0xffff)) | (name >> 8 & 0xff) | (name & 0xff) << 8;
}

void stream_fill(uint32_t name, uint64_t at, uint8_t *out, size_t bytes)
{
    for (size_t i = 0; i < bytes;) {
        const uint64_t word = word_of(name, (at + i) >> 3);

        for (uint32_t k = (at + i) & 7; k < 8 && i < bytes; k++, i++)
            out[i] = (uint8_t)(word >> (8 * k));
    }
}

size_t stream_compare(uint32_t name, uint64_t at, const uint8_t *data, size_t bytes)
{
    uint8_t want[PIECE];

    for (size_t i = 0; i < bytes; i += PIECE) {
        const size_t n = bytes - i < PIECE ? bytes - i : PIECE;

        stream_fill(name, at + i, want, n);
        if (memcmp(want, data + i, n) == 0)
            continue;
        for (size_t k = 0; k < n; k++)
            if (want[k] != data[i + k])
                return i + k;
    }
    return bytes;
}
