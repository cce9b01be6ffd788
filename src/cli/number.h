/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_CLI_NUMBER_H
#define TERN_CLI_NUMBER_H
/* Numbers and flags of the small verbs. */
#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tern/time.h>

/* The whole text is a decimal number within the limits; else false, and *out is left alone. */
bool tern_number(const char *text, uint64_t low, uint64_t high, uint64_t *out);
/* The whole text is a number of seconds, with a decimal point or without, not negative, below 10^6.
 */
bool tern_seconds(const char *text, tern_time *out);
/* A verb's own long flags and the shared ones, in one table that ends with a zeroed entry. */
void tern_flags_join(struct option *out, size_t out_count, const struct option *own,
                     size_t own_count);

#endif
