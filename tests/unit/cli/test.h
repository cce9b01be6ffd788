/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_CLI_H
#define TEST_CLI_H
/* cmocka needs these before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array)   (sizeof(array) / sizeof((array)[0]))
#define TEST_WORDS_MAX 16

/* The words of a command line, split at blanks; how many. They stay until the next call. */
static inline int test_words(const char *line, char *argv[TEST_WORDS_MAX + 1])
{
    static char text[256];
    int argc = 0;

    assert_true(strlen(line) < sizeof text);
    memcpy(text, line, strlen(line) + 1);
    for (char *word = strtok(text, " "); word != NULL; word = strtok(NULL, " ")) {
        assert_true(argc < TEST_WORDS_MAX);
        argv[argc++] = word;
    }
    argv[argc] = NULL;
    return argc;
}

#endif
