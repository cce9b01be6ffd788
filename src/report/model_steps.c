/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lists of steps: one for each connection, and one, the story, for what belongs to none. A list
 * grows as it is needed. When it is full it is folded (model_fold.c); what still finds no
 * room is counted by a last step of its own. All lists together are bounded as well: then only
 * the figures of further connections are kept.
 */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "report/model_internal.h"

#define ROOM_FIRST 2u

static bool order_has_room(struct tern_model *m)
{
    struct model_order *o = m->order;

    if (m->step_count < o->room)
        return true;
    size_t room = o->room == 0 ? 64 : o->room * 2;
    const struct tern_step **item = realloc(o->item, room * sizeof *item);

    if (item == NULL)
        return false;
    o->item = item;
    o->room = room;
    return true;
}

static bool list_has_room(struct tern_model *m, struct model_steps *list)
{
    if (list->count < list->room)
        return true;
    if (m->step_count >= m->options.all_steps_max)
        return false;
    size_t room = list->room == 0 ? ROOM_FIRST : list->room * 2;

    if (room > list->max)
        room = list->max;
    TERN_ASSERT(room > list->count);
    struct tern_step *item = realloc(list->item, room * sizeof *item);

    if (item == NULL)
        return false;
    list->item = item;
    list->room = room;
    return true;
}

static struct tern_step *omitted(struct tern_model *m, struct model_conn *c, tern_time at)
{
    struct model_steps *list = c == NULL ? &m->story : &c->steps;
    struct tern_step *last = list->count == 0 ? NULL : &list->item[list->count - 1];

    m->other.steps_omitted++;
    if (c != NULL)
        c->out.no_steps = true;
    if (last != NULL && last->kind == TERN_STEP_OMITTED) {
        last->count++;
        last->until = at > last->until ? at : last->until;
    }
    return NULL;
}

struct tern_step *model_step_add(struct tern_model *m, struct model_conn *c,
                                 enum tern_step_kind kind, enum tern_lane from, tern_time at)
{
    struct model_steps *list = c == NULL ? &m->story : &c->steps;

    TERN_ASSERT(kind < TERN_STEP_KIND_COUNT);
    if (list->count > 0 && list->item[list->count - 1].kind == TERN_STEP_OMITTED)
        return omitted(m, c, at);
    if (list->count >= list->max - 1) {
        size_t before = list->count;

        model_steps_fold(list);
        m->step_count -= before - list->count;
        m->order->stale = true;
    }
    if (!order_has_room(m) || list->count == list->max || !list_has_room(m, list))
        return omitted(m, c, at);
    bool is_final = list->count == list->max - 1;
    struct tern_step *s = &list->item[list->count++];

    memset(s, 0, sizeof *s);
    m->step_count++;
    m->order->stale = true;
    s->kind = is_final ? TERN_STEP_OMITTED : kind;
    s->from = from;
    s->at = at;
    s->until = at;
    s->conn = c == NULL ? TERN_MODEL_NO_CONN : c->out.stream;
    s->count = 1;
    s->serial = m->serial++;
    s->data.first_at = -1;
    return is_final ? NULL : s;
}

struct tern_step *model_step_last(struct tern_model *m, struct model_conn *c)
{
    struct model_steps *list = c == NULL ? &m->story : &c->steps;
    struct tern_step *last = list->count == 0 ? NULL : &list->item[list->count - 1];

    return last != NULL && last->serial >= m->barrier ? last : NULL;
}

void model_step_words(struct tern_step *s, const char *words)
{
    if (s != NULL && s->words == NULL && words != NULL)
        s->words = strdup(words);
}

void tern_model_note(struct tern_model *m, tern_time at, const char *words)
{
    struct tern_step *s = model_step_add(m, NULL, TERN_STEP_NOTE, TERN_LANE_LEFT, at);

    model_step_words(s, words);
    m->barrier = m->serial;
}

void model_steps_fini(struct model_steps *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->item[i].words);
    free(list->item);
    memset(list, 0, sizeof *list);
}

/* ---- the order of all ---- */

static int by_serial(const void *a, const void *b)
{
    const struct tern_step *const *x = a, *const *y = b;

    return (*x)->serial < (*y)->serial ? -1 : (*x)->serial > (*y)->serial;
}

static void gather(struct model_order *o, const struct model_steps *list)
{
    for (size_t i = 0; i < list->count; i++) {
        TERN_ASSERT(o->count < o->room);
        o->item[o->count++] = &list->item[i];
    }
}

static void order_refresh(const struct tern_model *m)
{
    struct model_order *o = m->order;

    if (!o->stale)
        return;
    o->count = 0;
    gather(o, &m->story);
    for (size_t i = 0; i < m->conn_count; i++)
        gather(o, &m->conn[i]->steps);
    if (o->count > 1)
        qsort(o->item, o->count, sizeof o->item[0], by_serial);
    o->stale = false;
}

size_t tern_model_step_count(const struct tern_model *m)
{
    return m->step_count;
}

const struct tern_step *tern_model_step(const struct tern_model *m, size_t index)
{
    order_refresh(m);
    TERN_ASSERT(index < m->order->count);
    return m->order->item[index];
}

size_t tern_model_story_count(const struct tern_model *m)
{
    return m->story.count;
}

const struct tern_step *tern_model_story_step(const struct tern_model *m, size_t index)
{
    TERN_ASSERT(index < m->story.count);
    return &m->story.item[index];
}

size_t tern_model_conn_step_count(const struct tern_model *m, size_t conn)
{
    TERN_ASSERT(conn < m->conn_count);
    return m->conn[conn]->steps.count;
}

const struct tern_step *tern_model_conn_step(const struct tern_model *m, size_t conn, size_t index)
{
    TERN_ASSERT(conn < m->conn_count);
    TERN_ASSERT(index < m->conn[conn]->steps.count);
    return &m->conn[conn]->steps.item[index];
}
