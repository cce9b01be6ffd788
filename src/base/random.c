/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A seeded generator: xoshiro256** (Blackman and Vigna, "Scrambled linear pseudorandom number
 * generators", 2018). Its four words are hashes of the seed and of a purpose, so that two
 * purposes of one seed have nothing to do with each other, and a new consumer that takes
 * numbers leaves all others as they were. Whoever sees the output can work out the state:
 * what must stay secret uses hash.h.
 */
#include "base/random.h"

#include <string.h>

#include "base/assert.h"
#include "base/hash.h"

#define TRIES_MAX 128 /* each succeeds with probability 1/2 at least: all fail in 2^-128 */

static void put_le64(uint8_t *p, uint64_t v)
{
    for (unsigned i = 0; i < 8; i++)
        p[i] = (uint8_t)(v >> (8 * i));
}

/* A key for the purposes of this seed: two hashes of it under two fixed keys. */
static struct tern_hash_key key_of_seed(const void *seed, size_t seed_bytes)
{
    struct tern_hash_key fixed = {{0}};
    struct tern_hash_key key;

    for (uint8_t half = 0; half < 2; half++) {
        fixed.b[0] = half;
        put_le64(key.b + 8 * half, tern_hash(&fixed, seed, seed_bytes));
    }
    return key;
}

void tern_random_init(struct tern_random *r, const void *seed, size_t seed_bytes,
                      const char *purpose)
{
    struct tern_hash_key key = key_of_seed(seed, seed_bytes);
    uint8_t input[16];

    TERN_ASSERT(purpose != NULL);
    put_le64(input, tern_hash(&key, purpose, strlen(purpose)));
    for (unsigned i = 0; i < 4; i++) {
        put_le64(input + 8, i);
        r->s[i] = tern_hash(&key, input, sizeof input);
    }
    if ((r->s[0] | r->s[1] | r->s[2] | r->s[3]) == 0)
        r->s[0] = 1; /* the one state that the generator never leaves */
}

static inline uint64_t rotate(uint64_t x, unsigned bits)
{
    return x << bits | x >> (64 - bits);
}

uint64_t tern_random_u64(struct tern_random *r)
{
    uint64_t *s = r->s;
    uint64_t result = rotate(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 45);
    return result;
}

uint32_t tern_random_u32(struct tern_random *r)
{
    return (uint32_t)(tern_random_u64(r) >> 32);
}

uint64_t tern_random_below(struct tern_random *r, uint64_t bound)
{
    uint64_t uneven; /* 2^64 mod bound: the low values that would come up once too often */
    uint64_t x = 0;

    TERN_ASSERT(bound > 0);
    uneven = (0 - bound) % bound;
    for (unsigned i = 0; i < TRIES_MAX; i++) {
        x = tern_random_u64(r);
        if (x >= uneven)
            break;
    }
    return x % bound;
}

int tern_random_chance(struct tern_random *r, uint32_t parts_per_million)
{
    return tern_random_below(r, 1000000) < parts_per_million;
}

void tern_random_bytes(struct tern_random *r, void *out, size_t bytes)
{
    uint8_t *p = out;
    uint8_t word[8];

    while (bytes > 0) {
        size_t n = bytes < sizeof word ? bytes : sizeof word;

        put_le64(word, tern_random_u64(r));
        memcpy(p, word, n);
        p += n;
        bytes -= n;
    }
}
