/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_CLI_SAY_H
#define TERN_CLI_SAY_H
/*
 * Words on standard error: whole lines, each in one write, so that two threads never mix inside
 * a line; and the one line at the bottom that shows progress and gives way to the others.
 * Any thread.
 */
#include <stddef.h>

/* One line; the newline is added. */
void tern_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same with "tern: " before it: for what went wrong. */
void tern_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Draw the progress line in place of the last one; NULL takes it away; with keep, it stays for good
 * and the next line goes below it. */
void tern_say_progress(const char *line, int keep);

#endif
