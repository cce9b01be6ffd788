/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_LINK_WORDS_H
#define TERN_LINK_WORDS_H
/* Why a link could not be opened, in words for its user. */

/* Write one line (TERN_LINK_ERROR_MAX bytes at most) to error_text, which may be NULL. */
void tern_link_say(char *error_text, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
