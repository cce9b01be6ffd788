/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_CLI_TALK_PARTS_H
#define TERN_CLI_TALK_PARTS_H
/* Between the files of talk only. */
#include "cli/talk.h"
#include "cli/talk_plan.h"

/* The link of the plan with all its wrappers, in *out; words on stderr and an exit code where
 * that fails. Sets talk->lab, capture and link_text. */
int tern_talk_link_open(struct tern_talk *talk, const struct tern_talk_plan *plan,
                        struct tern_link **out);

/* Keep other terns of this host off the address for as long as talk->address_lock is open.
 * 0, or 45 with words on stderr. */
int tern_talk_lock(struct tern_talk *talk, const struct tern_talk_plan *plan);

/* --sqlog: open it, or 23 with words; hear the stack, by its configuration; once a turn; at the
 * end, 0 or 23 with words; and then, after the loop. Without the flag they do nothing. */
int tern_talk_sqlog_open(struct tern_talk *talk);
void tern_talk_observe(struct tern_talk *talk, struct tern_config *config);
void tern_talk_sqlog_turn(struct tern_talk *talk);
int tern_talk_sqlog_close(struct tern_talk *talk);
void tern_talk_sqlog_free(struct tern_talk *talk);

/* Pull all traces: lines of --verbose, connections for --stats. */
void tern_talk_traces(struct tern_talk *talk);
/* Write --stats; 0 or 23. */
int tern_talk_stats_write(struct tern_talk *talk);

#endif
