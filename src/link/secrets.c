/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A mailbox between two threads, without a lock that the stack's thread could wait for: lines are
 * pushed onto a list, and taken off all at once. `expected` stands beside it, since the capture
 * looks at it for every frame.
 *
 * The order that the capture relies on: `expected` is set before the first byte of a handshake is
 * handed to the stack, so that each frame of it is seen with the flag set; and all lines are in the
 * mailbox before the flag is cleared.
 */
#include "link/secrets.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

struct line {
    struct line *next;
    size_t bytes;
    char text[];
};

struct tern_secrets {
    _Atomic(struct line *) newest;
    atomic_bool expected;
};

struct tern_secrets *tern_secrets_create(void)
{
    return calloc(1, sizeof(struct tern_secrets));
}

void tern_secrets_destroy(struct tern_secrets *s)
{
    size_t bytes;

    if (s == NULL)
        return;
    free(tern_secrets_take(s, &bytes));
    free(s);
}

void tern_secrets_expect(struct tern_secrets *s)
{
    atomic_store(&s->expected, true);
}

void tern_secrets_add(struct tern_secrets *s, const char *text)
{
    size_t length = strlen(text);
    struct line *line = malloc(sizeof *line + length + 1);
    struct line *before = atomic_load(&s->newest);

    if (line == NULL)
        return;
    memcpy(line->text, text, length);
    line->text[length] = '\n';
    line->bytes = length + 1;
    do
        line->next = before;
    while (!atomic_compare_exchange_weak(&s->newest, &before, line));
}

void tern_secrets_settle(struct tern_secrets *s)
{
    atomic_store(&s->expected, false);
}

bool tern_secrets_expected(const struct tern_secrets *s)
{
    return atomic_load(&s->expected);
}

char *tern_secrets_take(struct tern_secrets *s, size_t *bytes)
{
    struct line *line = atomic_exchange(&s->newest, NULL);
    size_t all = 0, at;
    char *text;

    for (const struct line *l = line; l != NULL; l = l->next)
        all += l->bytes;
    text = all == 0 ? NULL : malloc(all);
    at = all;
    while (line != NULL) { /* the newest stands first, and goes last */
        struct line *next = line->next;

        TERN_ASSERT(line->bytes <= at);
        at -= line->bytes;
        if (text != NULL)
            memcpy(text + at, line->text, line->bytes);
        free(line);
        line = next;
    }
    *bytes = text == NULL ? 0 : all;
    return text;
}
