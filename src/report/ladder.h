/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_REPORT_LADDER_H
#define TERN_REPORT_LADDER_H
/*
 * The picture of a conversation for a terminal: time at the left, arrows between the two sides, the
 * TCP state of the left one at the right. A third lane appears where the kernel of
 * the own machine meddled.
 */
#include <stdio.h>

#include "report/model.h"

#define TERN_LADDER_COLUMNS_MIN     60
#define TERN_LADDER_COLUMNS_MAX     200
#define TERN_LADDER_COLUMNS_WIDE    100 /* wider than this is not chosen unasked */
#define TERN_LADDER_COLUMNS_DEFAULT 80

struct tern_ladder_options {
    size_t columns; /* clamped to the limits above */
    bool utf8;      /* else plain ASCII */
    bool colour;    /* ANSI colours */
    bool one_conn;  /* only the steps of the connection `conn`; else all */
    bool is_tern;   /* with one_conn: and what tern did for it beside TCP (telling.h) */
    uint32_t conn;
    const char *us;      /* header: "you 10.9.0.77" */
    const char *kernel;  /* header of the third lane */
    const char *peer;    /* header: "10.9.0.1:80 server" */
    tern_time origin;    /* what the times are relative to; 0: the model's first frame */
    tern_time quiet_gap; /* a longer silence gets a line of its own; 0: 20 ms */
};

/*
 * What suits a stream: its width where it is a terminal (else 80 columns), UTF-8 where the locale's
 * variables say so, colour on a terminal unless NO_COLOR is set or TERM is "dumb".
 */
void tern_ladder_options_for(FILE *stream, struct tern_ladder_options *out);

/* The header line, then the steps from index `first` on. */
void tern_ladder_header(const struct tern_ladder_options *options, FILE *out);
void tern_ladder_print(const struct tern_model *model, size_t first,
                       const struct tern_ladder_options *options, FILE *out);

/* A line of text in the options' character set, folded at the width, each line behind `indent`
 * blanks. */
void tern_ladder_words(const struct tern_ladder_options *options, size_t indent, const char *utf8,
                       FILE *out);

#endif
