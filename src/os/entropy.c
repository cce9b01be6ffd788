/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The only place where the system's randomness is drawn: seeds for stacks and generators, which
 * are deterministic from there on. Straight from the system, since libsodium's randombytes ends the
 * process where there is none, and a program that embeds us may have better plans.
 */
#include "os/entropy.h"

#include <errno.h>
#include <stdint.h>
#include <sys/random.h>

enum tern_err tern_entropy(void *out, size_t bytes)
{
    uint8_t *at = out;

    while (bytes > 0) {
        ssize_t n = getrandom(at, bytes, 0);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return TERN_ERR_SYSTEM; /* and no seed: one that can be guessed would be worse */
        at += n;
        bytes -= (size_t)n;
    }
    return TERN_ERR_OK;
}
