/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_REPORT_VERDICT_H
#define TERN_REPORT_VERDICT_H
/* Judgement in plain words: what was slow in a connection, and what a capture lacks. UTF-8; no
 * byte of it came over the wire. */
#include "report/model.h"

#define TERN_VERDICT_BYTES 400

/* What the time of a connection went into, the most first. Returns out. */
char *tern_verdict_slow(const struct tern_model *model, size_t conn, char *out, size_t out_bytes);
/* What one side waited for in a stall. Returns out. */
char *tern_verdict_stall(const struct tern_model *model, size_t conn,
                         const struct tern_stall *stall, char *out, size_t out_bytes);
/* The index-th thing that the capture does not have of a connection; false: no more. */
bool tern_verdict_lacks(const struct tern_model *model, size_t conn, unsigned index, char *out,
                        size_t out_bytes);
/* The same for the capture as a whole. */
bool tern_verdict_capture(const struct tern_model *model, unsigned index, char *out,
                          size_t out_bytes);
/* "client", "server"; "tern" and "peer" never: those are words for lanes. */
const char *tern_verdict_who(const struct tern_model_conn *conn, enum tern_side side);
/* "1.2 ms", "3.4 s". out: at least 32 bytes. Returns out. */
char *tern_verdict_time(tern_time t, char *out);

#endif
