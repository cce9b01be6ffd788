/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_FUZZ_MUTATE_H
#define TERN_FUZZ_MUTATE_H
/*
 * Mutation that knows where a command begins and ends, for targets whose input is a head and a list
 * of commands. Lengths and checksums of frames are made by the target, and sequence numbers are
 * drawn relative to the connection's, so that what is left to mutate is the order of commands and
 * their fields: commands are inserted, taken out, repeated, moved and taken from another input, and
 * a command's bytes change within it, which leaves the ones behind it what they were.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

#define FUZZ_COMMAND_BYTES_MAX 80 /* of a fresh one */

/* What a target brings along. */
extern const size_t fuzz_head_bytes;
/* Read one command and do nothing; the target asserts that it reads the same in earnest. */
void fuzz_skip_command(struct tern_reader *in);
/* Write a command that is likely to lead somewhere; its length, FUZZ_COMMAND_BYTES_MAX at most. */
size_t fuzz_fresh_command(uint32_t *random, uint8_t *out);

/* The next of a sequence (a linear congruence; its upper bits). */
static inline uint32_t fuzz_draw(uint32_t *random, uint32_t below)
{
    *random = *random * UINT32_C(1664525) + UINT32_C(1013904223);
    return (uint32_t)((uint64_t)(*random >> 8) * below >> 24);
}

#endif
