/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_REPORT_SVG_H
#define TERN_REPORT_SVG_H
/* The ladder as a drawing that stands alone: real text, light and dark, fit for print. */
#include <stdio.h>

#include "report/model.h"

struct tern_svg_options {
    bool one_conn;
    uint32_t conn;
    bool is_tern;     /* tern's own capture: tern stands at the left */
    bool bare;        /* the conversation alone: no words about where the time went */
    size_t conns_max; /* of more connections than this, only the table */
};

/* False: out has failed. */
bool tern_report_svg(const struct tern_model *model, const struct tern_svg_options *options,
                     FILE *out);

#endif
