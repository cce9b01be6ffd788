/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The keyed hash: libsodium's SipHash-2-4. Who does not know the key can neither fill one bucket
 * of a table on purpose nor guess an ISN or a port. Its eight bytes are read least significant
 * first, so that a seeded run is the same on every machine.
 */
#include "base/hash.h"

#include <sodium/crypto_shorthash.h>

#include "base/bytes.h"

_Static_assert(sizeof(struct tern_hash_key) == crypto_shorthash_KEYBYTES, "key size");
_Static_assert(crypto_shorthash_BYTES == 8, "hash size");

uint64_t tern_hash(const struct tern_hash_key *key, const void *data, size_t bytes)
{
    uint8_t out[crypto_shorthash_BYTES];

    crypto_shorthash(out, data, bytes, key->b);
    return __builtin_bswap64((uint64_t)tern_get_be32(out) << 32 | tern_get_be32(out + 4));
}
