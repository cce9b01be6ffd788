/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers on the command line: the whole word must be one, in range, or it is refused. */
#include "cli/number.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "cli/talk.h"

bool tern_number(const char *text, uint64_t low, uint64_t high, uint64_t *out)
{
    char *end = NULL;

    if (text == NULL || *text < '0' || *text > '9')
        return false;
    errno = 0;
    unsigned long long n = strtoull(text, &end, 10);

    if (errno != 0 || *end != '\0' || n < low || n > high)
        return false;
    *out = n;
    return true;
}

/* By hand and not strtod(): no locale, no hexadecimal, no infinity. */
bool tern_seconds(const char *text, tern_time *out)
{
    tern_time whole = 0, part = 0, unit = TERN_SECOND;
    size_t digits = 0;

    for (; *text >= '0' && *text <= '9' && digits < 7; text++, digits++)
        whole = whole * 10 + (*text - '0');
    if (digits > 6)
        return false;
    if (*text == '.')
        for (text++; *text >= '0' && *text <= '9'; text++, digits++) {
            unit /= 10;
            part += (*text - '0') * unit;
        }
    if (*text != '\0' || digits == 0)
        return false;
    *out = whole * TERN_SECOND + part;
    return true;
}

void tern_flags_join(struct option *out, size_t out_count, const struct option *own,
                     size_t own_count)
{
    TERN_ASSERT(own_count + tern_talk_flags_count + 1 <= out_count);
    memcpy(out, own, own_count * sizeof *own);
    memcpy(out + own_count, tern_talk_flags, (tern_talk_flags_count + 1) * sizeof *own);
}
