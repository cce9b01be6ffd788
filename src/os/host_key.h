/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_OS_HOST_KEY_H
#define TERN_OS_HOST_KEY_H
/*
 * A key that all processes of this machine share from one boot to the next, as its monotonic clock:
 * for what one process goes on with where another left off. All zero where the system does not say
 * which boot it is. Other users of the machine can compute it: no secret rests on it.
 */
#include <stdint.h>

#define TERN_HOST_KEY_BYTES 16

void tern_host_key(uint8_t out[TERN_HOST_KEY_BYTES]);

#endif
