/* SPDX-License-Identifier: BSD-2-Clause */
/* One direction of a connection as a stream of offsets: which bytes went by, and which did not. */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "report/model_internal.h"

void model_dir_fini(struct model_dir *d)
{
    free(d->beyond.item);
    free(d->sacked.item);
    free(d->resent);
    free(d->hole);
    d->hole = NULL;
    model_sent_fini(&d->sent);
    memset(&d->beyond, 0, sizeof d->beyond);
    memset(&d->sacked, 0, sizeof d->sacked);
    d->resent = NULL;
}

void model_dir_begin(struct model_dir *d, tern_seq zero, bool syn)
{
    model_dir_fini(d);
    model_quantile_fini(&d->rtt);
    memset(d, 0, sizeof *d);
    d->known = true;
    d->syn_seen = syn;
    d->zero = zero;
    d->sent_at = -1;
    d->syn_at = -1;
    d->fin_time = -1;
    d->ack_at = -1;
    d->arrived_sent_at = -1;
}

int64_t model_offset(const struct model_dir *d, tern_seq seq)
{
    tern_seq max = tern_seq_add(d->zero, (uint32_t)d->max);

    return (int64_t)d->max + tern_seq_diff(seq, max);
}

void model_dir_rose(struct segment *s)
{
    s->own->max_at = s->p->at;
    s->own->max_ts = s->h.ts_value;
    s->own->max_has_ts = s->h.has_timestamps;
}

bool model_ring_grow(void **item, size_t item_bytes, uint32_t next, uint32_t *room, uint32_t max)
{
    uint32_t wanted = *room == 0 ? MODEL_ROOM_FIRST : *room * 2;

    if (next < *room || *room >= max)
        return true;
    uint8_t *bigger = realloc(*item, wanted * item_bytes);

    if (bigger == NULL)
        return *room > 0;
    memset(bigger + *room * item_bytes, 0, (wanted - *room) * item_bytes);
    *item = bigger;
    *room = wanted;
    return true;
}

void model_hole_opened(struct segment *s, uint64_t before)
{
    struct model_dir *d = s->own;

    void *hole = d->hole;

    if (!model_ring_grow(&hole, sizeof *d->hole, d->hole_next, &d->hole_room, MODEL_HOLES_MAX))
        return;
    d->hole = hole;
    d->hole[d->hole_next++ % d->hole_room] = (struct model_hole){
        .start = d->max,
        .end = before,
        .at = s->p->at,
        .ts = s->h.ts_value,
        .has_ts = s->h.has_timestamps,
    };
}

const struct model_hole *model_hole_of(const struct model_dir *d, uint64_t byte)
{
    for (uint32_t i = 0; d->hole != NULL && i < d->hole_room; i++)
        if (d->hole[i].start <= byte && byte < d->hole[i].end)
            return &d->hole[i];
    return NULL;
}

static bool ranges_grow(struct model_ranges *r)
{
    uint16_t room = r->item == NULL ? MODEL_ROOM_FIRST : (uint16_t)(r->set.count_max * 2);
    struct tern_range *item =
        room > MODEL_RANGES_MAX ? NULL : realloc(r->item, room * sizeof *item);

    if (item == NULL)
        return false;
    if (r->item == NULL)
        tern_ranges_init(&r->set, item, room);
    r->item = item;
    r->set.item = item;
    r->set.count_max = room;
    return true;
}

bool model_ranges_add(struct model_ranges *r, uint64_t start, uint64_t end)
{
    if (r->item == NULL && !ranges_grow(r))
        return false;
    return tern_ranges_add(&r->set, start, end) ||
           (ranges_grow(r) && tern_ranges_add(&r->set, start, end));
}

enum tern_data_class model_dir_class(const struct model_dir *d, uint64_t start, uint64_t end)
{
    uint64_t from = start > d->next ? start : d->next;

    if (start >= d->max)
        return d->next == d->max && start == d->max ? TERN_DATA_NEW : TERN_DATA_BEYOND;
    if (end <= d->next || (d->beyond.item != NULL && tern_ranges_covers(&d->beyond.set, from, end)))
        return TERN_DATA_AGAIN;
    return TERN_DATA_FILL;
}

static uint64_t seen_within(const struct model_dir *d, uint64_t start, uint64_t end)
{
    uint64_t below = start >= d->next ? 0 : (end < d->next ? end : d->next) - start;

    if (d->beyond.item == NULL || end <= d->next)
        return below;
    return below + tern_ranges_bytes_within(&d->beyond.set, start > d->next ? start : d->next, end);
}

void model_probe_taken(struct model_dir *d, uint64_t below)
{
    if (!d->probed || below <= d->max)
        return;
    d->probed = false;
    (void)model_dir_saw(d, d->max, d->max + 1);
}

uint64_t model_dir_saw(struct model_dir *d, uint64_t start, uint64_t end)
{
    TERN_ASSERT(start <= end);
    uint64_t fresh = end - start - seen_within(d, start, end);

    if (end > d->max)
        d->max = end;
    if (start <= d->next) {
        if (end > d->next)
            d->next = end;
    } else if (!model_ranges_add(&d->beyond, start, end)) {
        /* More holes than there is room for: those behind are forgotten. */
        if (d->beyond.item != NULL)
            tern_ranges_trim(&d->beyond.set, end);
        d->next = end;
    }
    if (d->beyond.item == NULL)
        return fresh;
    tern_ranges_trim(&d->beyond.set, d->next);
    while (d->beyond.set.count > 0 && d->beyond.item[0].start <= d->next) {
        if (d->beyond.item[0].end > d->next)
            d->next = d->beyond.item[0].end;
        tern_ranges_trim(&d->beyond.set, d->next);
    }
    return fresh;
}
