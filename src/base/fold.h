/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_BASE_FOLD_H
#define TERN_BASE_FOLD_H
/*
 * A structure folded small, exactly: what unfolds is the same, bit for bit, whatever it held. How
 * small it gets depends on a model of the same size: words that are as in the model cost next to
 * nothing, and so do words near ones that came before, as times and sequence numbers are.
 */
#include <stddef.h>
#include <stdint.h>

/* Of a structure that the model does not help with at all. */
#define TERN_FOLD_BYTES_MAX(words) (10 * (words) + 8)
#define TERN_FOLD_WORDS_MAX        512

/* words: the structure's size in units of 8 bytes, at most TERN_FOLD_WORDS_MAX. out: room for
 * TERN_FOLD_BYTES_MAX(words). Returns the bytes written. */
size_t tern_fold(const void *structure, const void *model, size_t words, uint8_t *out);
/* in: what tern_fold() wrote with an equal model. */
void tern_unfold(const uint8_t *in, const void *model, size_t words, void *structure);

#endif
