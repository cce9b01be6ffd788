/* SPDX-License-Identifier: BSD-2-Clause */
/* The words of links that do not open: one line, cut where it is too long. */
#include "link/words.h"

#include <stdarg.h>
#include <stdio.h>

#include <tern/link.h>

void tern_link_say(char *error_text, const char *format, ...)
{
    va_list args;

    if (error_text == NULL)
        return;
    va_start(args, format);
    (void)vsnprintf(error_text, TERN_LINK_ERROR_MAX, format, args);
    va_end(args);
}
