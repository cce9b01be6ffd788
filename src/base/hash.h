/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_BASE_HASH_H
#define TERN_BASE_HASH_H
/* The keyed hash (SipHash-2-4, libsodium's crypto_shorthash) for tables keyed by what a peer
 * chooses, for ISNs (RFC 6528 §3) and for ports (RFC 6056 §3.3.3). */
#include <stddef.h>
#include <stdint.h>

struct tern_hash_key {
    uint8_t b[16];
};

uint64_t tern_hash(const struct tern_hash_key *key, const void *data, size_t bytes);

#endif
