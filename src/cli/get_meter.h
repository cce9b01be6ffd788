/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_CLI_GET_METER_H
#define TERN_CLI_GET_METER_H
/* The progress line. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tern/time.h>

struct get_meter {
    bool on;
    bool bar; /* -#: a bare bar */
    tern_time started_at, drawn_at;
};

struct get_progress {
    int64_t before;     /* bytes that were there already (-C) */
    int64_t now, total; /* of this transfer; total 0: unknown */
    tern_time elapsed;
    int columns; /* of the terminal */
};

/* The line for a progress, at most columns - 1 wide, into out (bytes long). Returns out. */
char *tern_get_meter_line(const struct get_progress *progress, bool bar, char *out, size_t bytes);
/* Draw it where it is time to; last: whatever the time, and let it stand. */
void tern_get_meter_draw(struct get_meter *meter, const struct get_progress *progress,
                         tern_time now, bool last);
/* Columns of the terminal on standard error; 80 where it does not say. */
int tern_get_meter_columns(void);

#endif
