/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_SIM_STREAM_H
#define TERN_SIM_STREAM_H
/* The bytes of streams: each place of each stream has one of its own. */
#include <stddef.h>
#include <stdint.h>

/* The bytes that the stream of this name has from a place on. */
void stream_fill(uint32_t name, uint64_t at, uint8_t *out, size_t bytes);
/* How many of the bytes are as they must be, from the first on. */
size_t stream_compare(uint32_t name, uint64_t at, const uint8_t *data, size_t bytes);

#endif
