/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The only place where the system's randomness is drawn: seeds for stacks and generators, which
 * are deterministic from there on. libsodium falls back by itself from getrandom(2) to
 * /dev/urandom, and stops the program where there is neither: a guessable seed would be worse.
 */
#include "os/entropy.h"

#include <sodium.h>

#include "base/assert.h"

void tern_entropy(void *out, size_t bytes)
{
    int started = sodium_init(); /* 1: it had been called before */

    TERN_ASSERT(started >= 0);
    randombytes_buf(out, bytes);
}
