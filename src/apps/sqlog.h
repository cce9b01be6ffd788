/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_APPS_SQLOG_H
#define TERN_APPS_SQLOG_H
/*
 * The event log: what the stack tells its observer, and the milestones above it, as qlog's JSON
 * text sequence (RFC 7464; draft-ietf-quic-qlog-main-schema §5) with the events of docs/sqlog.md. A
 * bounded buffer goes to the file when it is full, a second after its first event, and at the end.
 * Where writing fails the file is cut back to its last whole record as far as that can be done, and
 * the log stops; the traffic goes on. The stack's thread.
 */
#include "apps/milestone.h"
#include <tern/observe.h>

struct tern_sqlog;

struct tern_sqlog_options {
    const char *path; /* "-": standard output */
    const char *title;
    bool server;            /* the vantage point: else a client's */
    tern_time now;          /* when the log's clock begins */
    int64_t wall_offset_ns; /* added to a time to get UNIX time */
};

/* TERN_ERR_MEMORY; TERN_ERR_SYSTEM (see errno). */
TERN_NODISCARD enum tern_err tern_sqlog_open(const struct tern_sqlog_options *options,
                                             struct tern_sqlog **out);
void tern_sqlog_note(struct tern_sqlog *log, const struct tern_note *note);
void tern_sqlog_milestone(struct tern_sqlog *log, const struct tern_milestone *milestone);
/* Once a turn of the loop. */
void tern_sqlog_turn(struct tern_sqlog *log, tern_time now);
/* Write out what is buffered; 0, or the errno that stopped the log. */
int tern_sqlog_error(struct tern_sqlog *log);
void tern_sqlog_close(struct tern_sqlog *log);

#endif
