/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Folding a list of steps that is full. Neighbours become one where both are data, holes or ACKs:
 * first those of one direction that together take little time, then more, then both directions into
 * one TALK. So all of a connection, however long, stays in the picture, as fine everywhere. What
 * begins, ends or breaks a connection (SYN, FIN, RST) and notes are never folded.
 */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "report/model_internal.h"

#define SPAN_FACTOR 2
#define SPAN_WIDEST (INT64_MAX / SPAN_FACTOR)
#define ROUNDS_MAX  90 /* by then any span is wide enough */
#define ROUNDS_TALK 16 /* from here on, both directions become one */

static bool is_again(const struct tern_step_data *d)
{
    return d->class == TERN_DATA_AGAIN || d->class == TERN_DATA_FILL;
}

static void data_range(struct tern_step_data *a, const struct tern_step_data *b)
{
    if (b->start < a->start)
        a->start = b->start;
    if (b->end > a->end)
        a->end = b->end;
}

static void data_lost(struct tern_step_data *a, const struct tern_step_data *b)
{
    for (uint32_t i = 0; i < b->lost_count && i < TERN_STEP_LOST_MAX; i++)
        if (a->lost_count + i < TERN_STEP_LOST_MAX)
            a->lost[a->lost_count + i] = b->lost[i];
    a->lost_count += b->lost_count;
}

static void data_join(struct tern_step_data *a, const struct tern_step_data *b)
{
    if (a->class != TERN_DATA_MIXED && is_again(a))
        a->again_segments = a->segments;
    if (!(a->class == TERN_DATA_NEW && b->class == TERN_DATA_NEW && a->end == b->start))
        a->class = TERN_DATA_MIXED;
    a->again_segments += b->class == TERN_DATA_MIXED ? b->again_segments
                         : is_again(b)               ? b->segments
                                                     : 0;
    a->missing_segments += b->missing_segments;
    a->segments += b->segments;
    a->fin = b->fin;
    a->probe = a->probe && b->probe;
    data_range(a, b);
    data_lost(a, b);
}

static void acks_join(struct tern_step_acks *a, const struct tern_step_acks *b)
{
    tern_time at = a->at;
    uint64_t count = a->count;

    if (b->count == 0)
        return;
    *a = *b;
    a->count += count;
    if (count > 0) {
        a->at = at;
        if (a->class == TERN_ACK_WINDOW || a->class == TERN_ACK_DUPLICATE)
            a->class = TERN_ACK_PLAIN;
    }
}

/* A hole counts as nothing but what is missing. */
static void hole_to_data(struct tern_step *s)
{
    if (s->kind != TERN_STEP_HOLE)
        return;
    s->kind = TERN_STEP_DATA;
    s->data.class = TERN_DATA_MIXED;
    s->data.missing_segments = s->data.segments;
    s->data.segments = 0;
}

static bool is_foldable(const struct tern_step *s)
{
    bool special = s->kind == TERN_STEP_ACK || s->kind == TERN_STEP_DATA
                       ? s->acks.count > 0 &&
                             (s->acks.class == TERN_ACK_FIN || s->acks.class == TERN_ACK_HANDSHAKE)
                       : false;

    return !special && !s->has_state &&
           (s->kind == TERN_STEP_DATA || s->kind == TERN_STEP_HOLE || s->kind == TERN_STEP_ACK ||
            s->kind == TERN_STEP_TALK);
}

static bool is_data(const struct tern_step *s)
{
    return s->kind == TERN_STEP_DATA || s->kind == TERN_STEP_HOLE;
}

static void reach(struct tern_step *a, const struct tern_step *b)
{
    if (b->until > a->until)
        a->until = b->until;
    if (b->at < a->at)
        a->at = b->at;
}

/* Two of one direction; an ACK of the other side answers data. False: they do not go together. */
static bool fold_one_way(struct tern_step *a, struct tern_step *b)
{
    if (is_data(a) && is_data(b) && a->from == b->from) {
        hole_to_data(a);
        hole_to_data(b);
        data_join(&a->data, &b->data);
        acks_join(&a->acks, &b->acks);
    } else if (is_data(a) && b->kind == TERN_STEP_ACK && a->from != b->from) {
        hole_to_data(a);
        acks_join(&a->acks, &b->acks);
    } else if (a->kind == TERN_STEP_ACK && b->kind == TERN_STEP_ACK && a->from == b->from) {
        acks_join(&a->acks, &b->acks);
    } else {
        return false;
    }
    reach(a, b);
    return true;
}

static void to_talk(struct tern_step *s)
{
    hole_to_data(s);
    if (s->kind == TERN_STEP_TALK)
        return;
    if (s->kind == TERN_STEP_ACK)
        memset(&s->data, 0, sizeof s->data);
    s->data.class = TERN_DATA_MIXED;
    s->kind = TERN_STEP_TALK;
}

static void fold_to_talk(struct tern_step *a, struct tern_step *b)
{
    to_talk(a);
    to_talk(b);
    bool same = a->from == b->from;

    a->back_segments += same ? b->back_segments : b->data.segments;
    a->back_bytes += same ? b->back_bytes : b->data.end - b->data.start;
    if (same) {
        a->data.segments += b->data.segments;
        data_range(&a->data, &b->data);
    } else {
        a->data.segments += b->back_segments;
        a->data.end += b->back_bytes;
    }
    a->data.again_segments += b->data.again_segments;
    a->data.missing_segments += b->data.missing_segments;
    acks_join(&a->acks, &b->acks);
    reach(a, b);
}

static bool fold_pair(struct tern_step *a, struct tern_step *b, tern_time span, bool talk)
{
    if (!is_foldable(a) || !is_foldable(b) || b->until - a->at > span)
        return false;
    if (a->kind != TERN_STEP_TALK && b->kind != TERN_STEP_TALK && fold_one_way(a, b))
        return true;
    if (!talk)
        return false;
    fold_to_talk(a, b);
    return true;
}

static void fold_round(struct model_steps *list, bool talk)
{
    size_t kept = 0;
    bool folded = false; /* pairs only, so that a round halves the detail at the most */

    for (size_t i = 1; i < list->count; i++) {
        struct tern_step *a = &list->item[kept], *b = &list->item[i];

        if (!folded && fold_pair(a, b, list->fold_span, talk)) {
            free(b->words);
            folded = true;
            continue;
        }
        folded = false;
        if (++kept != i)
            list->item[kept] = *b;
    }
    list->count = kept + 1;
}

void model_steps_fold(struct model_steps *list)
{
    TERN_ASSERT(list->count > 0);
    for (unsigned i = 0; i < ROUNDS_MAX && list->count > list->max - list->max / 4; i++) {
        size_t before = list->count;
        bool talk = list->rounds >= ROUNDS_TALK, is_widest = list->fold_span > SPAN_WIDEST;

        fold_round(list, talk);
        /* What is left cannot be folded; and a list of that is full again at the next step. */
        if (list->count == before && talk && is_widest)
            return;
        if (list->count < before - before / 16)
            continue;
        list->rounds++;
        if (!is_widest)
            list->fold_span *= SPAN_FACTOR;
    }
}
