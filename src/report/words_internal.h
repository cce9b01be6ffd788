/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_REPORT_WORDS_INTERNAL_H
#define TERN_REPORT_WORDS_INTERNAL_H
/* What the parts of words.c share. */
#include "report/words.h"

/* One more part. */
void words_say(struct tern_words *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* "s", but of one. */
const char *words_plural(uint64_t n);

/* words_data.c: of the kinds DATA, TALK and HOLE. */
void words_data(const struct tern_step *s, struct tern_words *w);
void words_talk(const struct tern_step *s, struct tern_words *w);
void words_hole(const struct tern_step *s, struct tern_words *w);

#endif
