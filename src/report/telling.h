/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_REPORT_TELLING_H
#define TERN_REPORT_TELLING_H
/*
 * The steps that a picture of one connection tells, in order. In a run of tern's own these are also
 * the steps of no connection (ARP, DNS, pings) that happened until it ended, and after all earlier
 * connections had; the last connection has all that comes later.
 */
#include "report/model.h"

struct tern_telling {
    const struct tern_model *model;
    uint32_t conn;
    size_t at, story_at, story_end;
};

/* conn TERN_MODEL_NO_CONN: all steps of no connection. */
void tern_telling_begin(struct tern_telling *t, const struct tern_model *m, uint32_t conn,
                        bool with_story);
/* NULL: that was all. Valid until the next packet. */
const struct tern_step *tern_telling_next(struct tern_telling *t);

/* When what is told of a connection began: where times are to be relative to all of it. */
tern_time tern_telling_origin(const struct tern_model *m, uint32_t conn, bool with_story);

#endif
