/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_REPORT_OVERVIEW_H
#define TERN_REPORT_OVERVIEW_H
/* A capture on a terminal: a table of its connections with what was slow in each, then each as a
 * ladder with its figures. */
#include "report/ladder.h"

struct tern_overview_options {
    const struct tern_ladder_options *screen;
    bool is_tern; /* tern's own capture: tern stands at the left */
    bool one_conn;
    uint32_t conn;
    size_t ladders_max; /* with more connections than this, only the table */
};

void tern_overview_print(const struct tern_model *model,
                         const struct tern_overview_options *options, FILE *out);

#endif
