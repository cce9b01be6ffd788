/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_FUZZ_SCREEN_H
#define TERN_FUZZ_SCREEN_H
/* What a terminal may be shown of strangers' bytes, for the targets that draw. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/assert.h"

/* No control character but the ends of lines, and nothing beyond ASCII where that was not asked. */
static inline void fuzz_judge_screen(const char *text, size_t bytes, bool utf8)
{
    for (size_t i = 0; i < bytes; i++) {
        const uint8_t c = (uint8_t)text[i];

        TERN_ASSERT(c == '\n' || (c >= ' ' && c != 0x7f));
        TERN_ASSERT(c < 0x80 || utf8);
    }
}

#endif
