/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_BENCH_RESIDENT_H
#define TERN_BENCH_RESIDENT_H
/* How much of a mapping was touched. */
#include <stdbool.h>
#include <stddef.h>

/* memory: the beginning of a page. False: the kernel does not tell. */
bool resident_bytes(void *memory, size_t bytes, size_t *out);

#endif
