/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Marks: what a chart of sequence numbers over time is drawn from. One a packet while there are
 * few; when a connection's list is full, neighbours in time of one kind and one side become one,
 * and what may become one takes twice as long each time: levels of detail, as fine as the list
 * allows.
 */
#include <stdlib.h>

#include "base/assert.h"
#include "report/model_internal.h"

#define ROOM_FIRST 4u
#define SPAN_FIRST TERN_US
#define ROUNDS_MAX 62
#define KINDS      (TERN_MARK_KIND_COUNT * 2)

/* Pairs only: a round halves the list at the most. */
static void fold_round(struct model_marks *list)
{
    size_t last[KINDS], kept = 0;
    bool folded[KINDS];

    for (size_t i = 0; i < KINDS; i++) {
        last[i] = SIZE_MAX;
        folded[i] = true;
    }
    for (size_t i = 0; i < list->count; i++) {
        struct tern_mark *m = &list->item[i];
        size_t key = (size_t)m->kind * 2 + m->side;
        struct tern_mark *to = last[key] == SIZE_MAX ? NULL : &list->item[last[key]];

        if (to != NULL && !folded[key] && m->until - to->at <= list->span) {
            bool line =
                m->kind == TERN_MARK_ACK || m->kind == TERN_MARK_RTT || m->kind == TERN_MARK_CWND;

            to->until = m->until;
            to->count += m->count;
            to->lo = line || m->lo < to->lo ? m->lo : to->lo;
            to->hi = line || m->hi > to->hi ? m->hi : to->hi;
            folded[key] = true;
            continue;
        }
        folded[key] = false;
        last[key] = kept;
        list->item[kept++] = *m;
    }
    list->count = kept;
}

static void fold(struct tern_model *m, struct model_marks *list)
{
    size_t before = list->count;

    for (unsigned i = 0; i < ROUNDS_MAX && list->count > list->room / 4 * 3; i++) {
        size_t count = list->count;

        fold_round(list);
        if (list->count < count - count / 16)
            continue;
        if (list->span < INT64_MAX / 2)
            list->span *= 2;
    }
    m->mark_count -= before - list->count;
}

static bool grow(struct tern_model *m, struct model_marks *list)
{
    size_t room = list->room == 0 ? ROOM_FIRST : list->room * 2;

    if (room > m->options.marks_max)
        room = m->options.marks_max;
    if (room <= list->room || m->mark_count >= m->options.all_marks_max)
        return false;
    struct tern_mark *item = realloc(list->item, room * sizeof *item);

    if (item == NULL)
        return false;
    list->item = item;
    list->room = room;
    if (list->span == 0)
        list->span = SPAN_FIRST;
    return true;
}

void model_mark(struct segment *s, enum tern_mark_kind kind, enum tern_side side, uint64_t lo,
                uint64_t hi)
{
    struct tern_model *m = s->m;
    struct model_marks *list = &s->c->marks;

    if (m->options.marks_max == 0)
        return;
    if (list->count == list->room && !grow(m, list)) {
        if (list->room == 0)
            return;
        fold(m, list);
        if (list->count == list->room)
            return;
    }
    list->item[list->count++] = (struct tern_mark){.at = s->p->at,
                                                   .until = s->p->at,
                                                   .lo = lo,
                                                   .hi = hi,
                                                   .count = 1,
                                                   .kind = (uint8_t)kind,
                                                   .side = (uint8_t)side};
    m->mark_count++;
}

size_t tern_model_mark_count(const struct tern_model *m, size_t conn)
{
    TERN_ASSERT(conn < m->conn_count);
    return m->conn[conn]->marks.count;
}

const struct tern_mark *tern_model_mark(const struct tern_model *m, size_t conn, size_t index)
{
    TERN_ASSERT(conn < m->conn_count);
    TERN_ASSERT(index < m->conn[conn]->marks.count);
    return &m->conn[conn]->marks.item[index];
}
