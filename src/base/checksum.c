/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Internet checksum (RFC 1071).
 *
 * The one's-complement sum does not care about byte order until the end (RFC 1071 §2.B): a piece
 * is summed in words as the machine loads them, 8 bytes at a time, folded to 16 bits, and only
 * then read as the big-endian number that it stands for. Four sums run side by side, so that
 * one addition need not wait for the carry of the last.
 *
 * A piece that starts at an odd distance from the beginning contributes with its bytes swapped
 * (the same paragraph); tern_sum.odd remembers the distance. tern_sum.total is a plain 64-bit sum
 * of 16-bit values: it would take 2^48 pieces to overflow it.
 */
#include "base/checksum.h"

#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"

/* One's-complement addition of 64-bit words: the carry comes back in at the bottom. */
static inline uint64_t add_carry(uint64_t a, uint64_t b)
{
    uint64_t sum = a + b;

    return sum + (sum < b);
}

static inline uint64_t load(const uint8_t *p)
{
    uint64_t word;

    memcpy(&word, p, sizeof word);
    return word;
}

/* The words of the last 0 to 31 bytes, the missing ones of the last word taken as zero. */
static uint64_t sum_tail(const uint8_t *p, size_t bytes)
{
    uint64_t sum = 0;
    uint64_t last = 0;

    for (; bytes >= 8; bytes -= 8, p += 8)
        sum = add_carry(sum, load(p));
    if (bytes > 0)
        memcpy(&last, p, bytes);
    return add_carry(sum, last);
}

static uint64_t sum_words(const uint8_t *p, size_t bytes)
{
    uint64_t a = 0, b = 0, c = 0, d = 0;

    for (; bytes >= 32; bytes -= 32, p += 32) {
        a = add_carry(a, load(p));
        b = add_carry(b, load(p + 8));
        c = add_carry(c, load(p + 16));
        d = add_carry(d, load(p + 24));
    }
    a = add_carry(a, sum_tail(p, bytes));
    return add_carry(add_carry(a, b), add_carry(c, d));
}

static uint16_t fold(uint64_t total)
{
    total = (total >> 32) + (total & 0xffffffff); /* 33 bits at most */
    total = (total >> 16) + (total & 0xffff);     /* 18 */
    total = (total >> 16) + (total & 0xffff);     /* 17 */
    total = (total >> 16) + (total & 0xffff);
    TERN_ASSERT(total <= 0xffff);
    return (uint16_t)total;
}

void tern_sum_add(struct tern_sum *sum, const void *data, size_t bytes)
{
    uint16_t machine = fold(sum_words(data, bytes));
    uint8_t wire[2];
    uint16_t value;

    memcpy(wire, &machine, sizeof wire);
    value = tern_get_be16(wire);
    if (sum->odd)
        value = (uint16_t)(value << 8 | value >> 8);
    sum->total += value;
    sum->odd ^= (bytes & 1) != 0;
}

void tern_sum_add_be16(struct tern_sum *sum, uint16_t v)
{
    TERN_ASSERT(!sum->odd);
    sum->total += v;
}

void tern_sum_add_be32(struct tern_sum *sum, uint32_t v)
{
    TERN_ASSERT(!sum->odd);
    sum->total += (v >> 16) + (v & 0xffff);
}

uint16_t tern_sum_fold(const struct tern_sum *sum)
{
    return fold(sum->total);
}

uint16_t tern_sum_finish(const struct tern_sum *sum)
{
    return (uint16_t)~fold(sum->total);
}

void tern_sum_add_pseudo(struct tern_sum *sum, struct tern_addr src, struct tern_addr dst,
                         uint8_t protocol, uint32_t bytes)
{
    TERN_ASSERT(tern_addr_is_v4(src) == tern_addr_is_v4(dst));
    TERN_ASSERT(!sum->odd);
    if (tern_addr_is_v4(src)) { /* RFC 9293 §3.1 */
        tern_sum_add_pseudo4(sum, tern_addr_to_be32(src), tern_addr_to_be32(dst), protocol, bytes);
        return;
    }
    tern_sum_add(sum, src.b, sizeof src.b); /* RFC 8200 §8.1 */
    tern_sum_add(sum, dst.b, sizeof dst.b);
    tern_sum_add_be16(sum, protocol);
    tern_sum_add_be32(sum, bytes);
}
