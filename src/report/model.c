/* SPDX-License-Identifier: BSD-2-Clause */
/* The model as a whole: made, asked, checked. */
#include "report/model.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "report/model_internal.h"

static void options_complete(struct tern_model_options *o)
{
    if (o->conns_max == 0)
        o->conns_max = MODEL_CONNS_DEFAULT;
    if (o->steps_max == 0)
        o->steps_max = MODEL_STEPS_DEFAULT;
    if (o->steps_max < MODEL_STEPS_MIN)
        o->steps_max = MODEL_STEPS_MIN;
    if (o->all_steps_max == 0)
        o->all_steps_max = MODEL_STEPS_ALL_DEFAULT;
    if (o->marks_max > 0 && o->marks_max < MODEL_MARKS_MIN)
        o->marks_max = MODEL_MARKS_MIN;
    if (o->all_marks_max == 0)
        o->all_marks_max = MODEL_MARKS_ALL_DEFAULT;
    if (o->fold_gap == 0)
        o->fold_gap = 20 * TERN_MS;
}

struct tern_model *tern_model_create(const struct tern_model_options *options)
{
    struct tern_model *m = calloc(1, sizeof *m);

    if (m == NULL)
        return NULL;
    if (options != NULL)
        m->options = *options;
    options_complete(&m->options);
    memcpy(m->key.b, &m->options.seed, sizeof m->options.seed);
    m->story.max = m->options.steps_max;
    m->story.fold_span = m->options.fold_gap / MODEL_FOLD_FIRST;
    m->order = calloc(1, sizeof *m->order);
    if (m->order == NULL) {
        free(m);
        return NULL;
    }
    return m;
}

void tern_model_destroy(struct tern_model *m)
{
    if (m == NULL)
        return;
    model_steps_fini(&m->story);
    model_conns_fini(m);
    free(m->order->item);
    free(m->order);
    free(m);
}

size_t tern_model_conn_count(const struct tern_model *m)
{
    return m->conn_count;
}

const struct tern_model_conn *tern_model_conn(const struct tern_model *m, size_t index)
{
    TERN_ASSERT(index < m->conn_count);
    return &m->conn[index]->out;
}

bool tern_model_rtt(const struct tern_model *m, size_t conn, enum tern_side side,
                    struct tern_model_rtt *out)
{
    TERN_ASSERT(conn < m->conn_count);
    const struct model_quantile *q = &m->conn[conn]->dir[side].rtt;

    *out = (struct tern_model_rtt){
        .count = q->count, .min = q->min, .median = model_quantile_median(q)};
    return q->count > 0;
}

/*
 * The capture's place splits the way in two. The far half's median is that of the network; the near
 * half's is mostly the receiver's delayed ACKs, so that its least is taken.
 */
bool tern_model_path_rtt(const struct tern_model *m, size_t conn, struct tern_model_rtt *out)
{
    struct tern_model_rtt half[2];
    bool left = tern_model_rtt(m, conn, TERN_SIDE_LEFT, &half[0]);
    bool right = tern_model_rtt(m, conn, TERN_SIDE_RIGHT, &half[1]);
    tern_time handshake = m->conn[conn]->out.handshake;
    unsigned far = half[1].min > half[0].min;

    *out = (struct tern_model_rtt){.count = half[0].count + half[1].count};
    if (left && right) {
        out->min = half[0].min + half[1].min;
        out->median = half[far].median + half[1 - far].min;
    } else if (left || right) {
        out->min = half[right].min;
        out->median = half[right].median;
    }
    if (handshake > 0 && (out->count == 0 || handshake < out->min))
        out->min = handshake;
    return out->count > 0;
}

uint64_t tern_model_spurious(const struct tern_model_side *s)
{
    uint64_t all = 0;

    for (unsigned i = 0; i < TERN_SPURIOUS_COUNT; i++)
        all += s->spurious[i];
    return all;
}

const struct tern_model_other *tern_model_other(const struct tern_model *m)
{
    return &m->other;
}

tern_time tern_model_origin(const struct tern_model *m)
{
    return m->origin;
}

tern_time tern_model_end(const struct tern_model *m)
{
    return m->latest;
}

bool tern_model_has_kernel(const struct tern_model *m)
{
    return m->has_kernel;
}

static void steps_check(const struct model_steps *list, uint32_t conn)
{
    TERN_ASSERT(list->count <= list->room || list->count == 0);
    TERN_ASSERT(list->count <= list->max);
    for (size_t i = 0; i < list->count; i++) {
        TERN_ASSERT(list->item[i].kind < TERN_STEP_KIND_COUNT);
        TERN_ASSERT(list->item[i].at <= list->item[i].until);
        TERN_ASSERT(list->item[i].conn == conn);
        TERN_ASSERT(list->item[i].data.start <= list->item[i].data.end);
    }
}

static void dir_check(const struct model_dir *d)
{
    TERN_ASSERT(d->next <= d->max);
    TERN_ASSERT(d->sent.count <= d->sent.room);
    if (d->beyond.item != NULL)
        tern_ranges_check(&d->beyond.set);
    if (d->sacked.item != NULL)
        tern_ranges_check(&d->sacked.set);
}

void tern_model_check(const struct tern_model *m)
{
    size_t steps = m->story.count;

    TERN_ASSERT(m->pending_count <= MODEL_PENDING_MAX);
    steps_check(&m->story, TERN_MODEL_NO_CONN);
    for (size_t i = 0; i < m->conn_count; i++) {
        const struct model_conn *c = m->conn[i];

        TERN_ASSERT(c->out.stream == i);
        steps += c->steps.count;
        steps_check(&c->steps, c->out.stream);
        dir_check(&c->dir[0]);
        dir_check(&c->dir[1]);
    }
    TERN_ASSERT(steps == m->step_count);
}
