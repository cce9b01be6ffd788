/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_REPORT_JSON_H
#define TERN_REPORT_JSON_H
/* The figures of a model as JSON: {"connections": [...], "capture": {...}}. One connection at a
 * time, so that many of them cost no memory. */
#include <stdio.h>

#include "report/model.h"

#define TERN_JSON_ALL UINT32_MAX

/* stream: one connection, or TERN_JSON_ALL. False: out of memory, or out has failed. */
bool tern_report_json(const struct tern_model *model, uint32_t stream, FILE *out);

#endif
