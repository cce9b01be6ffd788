/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_BASE_CHECKSUM_H
#define TERN_BASE_CHECKSUM_H
/*
 * The Internet checksum (RFC 1071): a running one's-complement sum over any number of pieces, each
 * of any length (odd ones included), folded at the end.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tern/addr.h>

struct tern_sum {
    uint64_t total;
    bool odd; /* an odd number of bytes has been added */
};

void tern_sum_add(struct tern_sum *sum, const void *data, size_t bytes);
void tern_sum_add_be16(struct tern_sum *sum, uint16_t v); /* only while not odd */
void tern_sum_add_be32(struct tern_sum *sum, uint32_t v);
/* Folded to 16 bits, not complemented, host order. */
uint16_t tern_sum_fold(const struct tern_sum *sum);
/* The checksum to store: the complement of the fold. */
uint16_t tern_sum_finish(const struct tern_sum *sum);
/* The pseudo-header of UDP, TCP (IPv4: RFC 9293 §3.1; IPv6: RFC 8200 §8.1), both addresses of one
 * family. */
void tern_sum_add_pseudo(struct tern_sum *sum, struct tern_addr src, struct tern_addr dst,
                         uint8_t protocol, uint32_t bytes);

/* The same for two addresses of IPv4, in host order; only while not odd. */
static inline void tern_sum_add_pseudo4(struct tern_sum *sum, uint32_t src, uint32_t dst,
                                        uint8_t protocol, uint32_t bytes)
{
    sum->total += (uint64_t)(src >> 16) + (src & UINT16_MAX) + (dst >> 16) + (dst & UINT16_MAX);
    sum->total += (uint64_t)protocol + bytes;
}

#endif
