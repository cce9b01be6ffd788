/* SPDX-License-Identifier: BSD-2-Clause */
/* What a stream can show: its width, its character set, its colours. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "report/ladder.h"

static bool is_set(const char *name)
{
    const char *value = getenv(name);

    return value != NULL && value[0] != '\0';
}

/* The first of the locale's variables that is set decides, as it does for the C library. */
static bool locale_is_utf8(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (is_set(names[i]))
            return strcasestr(getenv(names[i]), "utf-8") != NULL ||
                   strcasestr(getenv(names[i]), "utf8") != NULL;
    return false;
}

void tern_ladder_options_for(FILE *stream, struct tern_ladder_options *out)
{
    struct winsize size = {0};
    int fd = fileno(stream);
    bool is_terminal = fd >= 0 && isatty(fd) == 1;
    const char *term = getenv("TERM");

    *out = (struct tern_ladder_options){.columns = TERN_LADDER_COLUMNS_DEFAULT};
    if (is_terminal && ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        out->columns = size.ws_col;
    if (out->columns > TERN_LADDER_COLUMNS_WIDE)
        out->columns = TERN_LADDER_COLUMNS_WIDE;
    if (out->columns < TERN_LADDER_COLUMNS_MIN)
        out->columns = TERN_LADDER_COLUMNS_MIN;
    out->utf8 = locale_is_utf8();
    out->colour = is_terminal && !is_set("NO_COLOR") && (term == NULL || strcmp(term, "dumb") != 0);
}
