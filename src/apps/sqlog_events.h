/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_APPS_SQLOG_EVENTS_H
#define TERN_APPS_SQLOG_EVENTS_H
/* Notes and milestones as JSON: docs/sqlog.md, docs/sqlog.schema.json. */
#include "apps/json_line.h"
#include "apps/milestone.h"
#include <tern/observe.h>

/* No event is longer. */
#define TERN_SQLOG_EVENT_MAX 4096

/* The object of an event; false: this note makes none. since: what the log's times count from. */
bool tern_sqlog_event(struct tern_json_line *j, const struct tern_note *note, tern_time since);
void tern_sqlog_milestone_event(struct tern_json_line *j, const struct tern_milestone *m,
                                tern_time since);

#endif
