/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command line of `tern get`, and the plan that the shared flags make: words parted by line
 * feeds. Nothing is opened, whatever they say; words that name a file to read are left out, so that
 * no input reads one.
 */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "cli/get_options.h"
#include "cli/talk_plan.h"

#define WORDS_MAX 40

/* What is wrong with a flag is said on standard error, which would drown the rest. The stream alone
 * is turned away: a sanitizer writes to its descriptor. */
static void hush(void)
{
    static FILE *nowhere;

    if (nowhere == NULL)
        nowhere = fopen("/dev/null", "w");
    TERN_ASSERT(nowhere != NULL);
    stderr = nowhere;
}

static void plan(const struct tern_talk_options *options)
{
    struct tern_talk_plan p;
    char error[TERN_LINK_ERROR_MAX] = "";
    const int code = tern_talk_plan(options, &p, error);

    TERN_ASSERT(code == 0 || code == 2 || code == 45);
    TERN_ASSERT((code == 0) == (error[0] == '\0'));
    TERN_ASSERT(memchr(error, '\0', sizeof error) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char name[] = "get";
    char *argv[WORDS_MAX + 1] = {name};
    struct get_options options;
    char *text, *word, *rest = NULL;
    int argc = 1, code;

    if (size == 0 || size > 4096 || memchr(data, '@', size) != NULL)
        return 0;
    hush();
    text = malloc(size + 1);
    TERN_ASSERT(text != NULL);
    memcpy(text, data, size);
    text[size] = '\0';
    for (word = strtok_r(text, "\n", &rest); word != NULL && argc < WORDS_MAX;
         word = strtok_r(NULL, "\n", &rest))
        argv[argc++] = word;
    code = tern_get_options_parse(&options, argc, argv);
    TERN_ASSERT(code >= 0);
    TERN_ASSERT(code < 100);
    if (code == 0 && !options.help)
        plan(&options.talk);
    tern_get_options_free(&options);
    free(text);
    return 0;
}
