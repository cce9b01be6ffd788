/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_OS_ENTROPY_H
#define TERN_OS_ENTROPY_H
/* The only place where the system's randomness is drawn (libsodium's randombytes). */
#include <stddef.h>

void tern_entropy(void *out, size_t bytes);

#endif
