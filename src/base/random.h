/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_BASE_RANDOM_H
#define TERN_BASE_RANDOM_H
/*
 * A seeded generator (xoshiro256**), split by purpose so that one consumer cannot disturb
 * another. For jitter, IDs and simulations; secrets are keyed hashes (hash.h).
 */
#include <stddef.h>
#include <stdint.h>

struct tern_random {
    uint64_t s[4];
};

/* Streams of one seed with different purposes are independent. purpose: a short name. */
void tern_random_init(struct tern_random *r, const void *seed, size_t seed_bytes,
                      const char *purpose);
uint64_t tern_random_u64(struct tern_random *r);
uint32_t tern_random_u32(struct tern_random *r);
/* Uniform in [0, bound); bound > 0. */
uint64_t tern_random_below(struct tern_random *r, uint64_t bound);
/* True with probability parts_per_million / 1e6. */
int tern_random_chance(struct tern_random *r, uint32_t parts_per_million);
void tern_random_bytes(struct tern_random *r, void *out, size_t bytes);

#endif
