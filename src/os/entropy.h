/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_OS_ENTROPY_H
#define TERN_OS_ENTROPY_H
/* The only place where the system's randomness is drawn. */
#include <stddef.h>

#include <tern/err.h>

/* TERN_ERR_SYSTEM: the system gives none; errno says why, and out is not to be used. */
TERN_NODISCARD enum tern_err tern_entropy(void *out, size_t bytes);

#endif
