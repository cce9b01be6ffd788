/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_REPORT_HTML_H
#define TERN_REPORT_HTML_H
/*
 * A model as one page that needs nothing else: an overview of the connections, and of each its
 * ladder, bytes over time, flight, windows and round trips. What came over the wire is data in it,
 * never markup.
 */
#include <stdio.h>

#include "report/model.h"

struct tern_html_options {
    bool one_conn;
    uint32_t conn;
    bool is_tern; /* tern's own capture: tern stands at the left */
};

/* False: out has failed, or there was no memory. */
bool tern_report_html(const struct tern_model *model, const struct tern_html_options *options,
                      FILE *out);

#endif
