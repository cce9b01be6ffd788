/* SPDX-License-Identifier: BSD-2-Clause */
/* Two lists in one order: the story's steps have rising serials, as a connection's have. */
#include "report/telling.h"

#include "base/assert.h"

static size_t story_until(const struct tern_model *m, tern_time until)
{
    size_t count = tern_model_story_count(m), at = 0;

    while (at < count && tern_model_story_step(m, at)->at <= until)
        at++;
    return at;
}

/* When the last of the first `count` connections ended. */
static tern_time ended(const struct tern_model *m, size_t count)
{
    tern_time end = INT64_MIN;

    for (size_t i = 0; i < count; i++)
        if (tern_model_conn(m, i)->until > end)
            end = tern_model_conn(m, i)->until;
    return end;
}

void tern_telling_begin(struct tern_telling *t, const struct tern_model *m, uint32_t conn,
                        bool with_story)
{
    *t = (struct tern_telling){.model = m, .conn = conn};
    if (!with_story)
        return;
    t->story_end = tern_model_story_count(m);
    if (conn == TERN_MODEL_NO_CONN)
        return;
    TERN_ASSERT(conn < tern_model_conn_count(m));
    if (conn + 1 < tern_model_conn_count(m))
        t->story_end = story_until(m, ended(m, conn + 1));
    if (conn > 0)
        t->story_at = story_until(m, ended(m, conn));
}

const struct tern_step *tern_telling_next(struct tern_telling *t)
{
    const struct tern_step *own = NULL, *story = NULL;

    if (t->conn != TERN_MODEL_NO_CONN && t->at < tern_model_conn_step_count(t->model, t->conn))
        own = tern_model_conn_step(t->model, t->conn, t->at);
    if (t->story_at < t->story_end)
        story = tern_model_story_step(t->model, t->story_at);
    if (story != NULL && (own == NULL || story->serial < own->serial)) {
        t->story_at++;
        return story;
    }
    t->at += own != NULL;
    return own;
}

tern_time tern_telling_origin(const struct tern_model *m, uint32_t conn, bool with_story)
{
    struct tern_telling t;
    const struct tern_step *first;

    tern_telling_begin(&t, m, conn, with_story);
    first = tern_telling_next(&t);
    if (conn == TERN_MODEL_NO_CONN)
        return first == NULL ? tern_model_origin(m) : first->at;
    if (first == NULL || first->at > tern_model_conn(m, conn)->at)
        return tern_model_conn(m, conn)->at;
    return first->at;
}
