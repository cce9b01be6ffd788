/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_CLI_BENCH_REPORT_H
#define TERN_CLI_BENCH_REPORT_H
/* What `tern bench` prints at the end of a run. */
#include "cli/bench_options.h"

/* Lines for people, or with --json one object, on standard output. 0, or 1 with words on stderr. */
int tern_bench_report(const struct tern_bench_options *options, const char *link,
                      const struct tern_bench_result *result);

#endif
