/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Data segments as steps. Segments of one class that follow each other are one step, a burst; bytes
 * that are jumped over are a step of their own, a hole. A segment that is sent again finds the
 * burst in which it went by first, which then knows what of it was lost.
 */
#include <string.h>

#include "base/assert.h"
#include "report/model_internal.h"

#define SENT_ROOM_MAX   8192u
#define OPTIONS_MAX     40u
#define MSS_USUAL       1460u
#define SENT_ROOM_ALONE 64u /* where nobody acknowledges in this capture */

static uint64_t pieces_of(uint64_t bytes, uint64_t piece_bytes)
{
    return piece_bytes == 0 ? 1 : (bytes + piece_bytes - 1) / piece_bytes;
}

static void step_reaches(struct tern_step *step, tern_time at)
{
    if (at > step->until)
        step->until = at;
}

static void step_head(const struct segment *s, struct tern_step_data *data)
{
    size_t n = s->payload.bytes;

    if (n > TERN_STEP_HEAD_BYTES)
        n = TERN_STEP_HEAD_BYTES;
    if (n > 0)
        memcpy(data->head, s->payload.data, n);
    data->head_bytes = (uint8_t)n;
}

/* A burst that these bytes continue. */
static struct tern_step *burst_find(const struct segment *s)
{
    struct tern_step *last = model_step_last(s->m, s->c);

    if (last == NULL || last->kind != TERN_STEP_DATA || last->from != s->from ||
        s->p->at - last->until > s->m->options.fold_gap)
        return NULL;
    const struct tern_step_data *d = &last->data;

    if (d->class != s->class || d->end != s->start || d->fin || d->again != s->again ||
        d->reordered != s->reordered || d->probe != (s->window_probe || s->keep_alive) ||
        d->spurious != s->spurious)
        return NULL;
    return last;
}

void model_data_missing(struct segment *s, uint64_t before)
{
    uint64_t missing = pieces_of(before - s->own->max, s->own->mss);

    s->side->missing_segments += missing;
    model_hole_opened(s, before);
    struct tern_step *step = model_step_add(s->m, s->c, TERN_STEP_HOLE, s->from, s->p->at);

    if (step == NULL)
        return;
    step->data.start = s->own->max;
    step->data.end = before;
    step->data.segments = missing;
}

static void burst_begin(const struct segment *s, uint64_t segments)
{
    struct tern_step *step = model_step_add(s->m, s->c, TERN_STEP_DATA, s->from, s->p->at);

    if (step == NULL)
        return;
    step->why = s->p->cause;
    step->near = s->p->from_is_known;
    step->data = (struct tern_step_data){.class = s->class,
                                         .cause = s->p->cause,
                                         .segments = segments,
                                         .start = s->start,
                                         .end = s->end,
                                         .again = s->again,
                                         .spurious = s->spurious,
                                         .reordered = s->reordered,
                                         .probe = s->window_probe || s->keep_alive,
                                         .first_at = s->first_at,
                                         .fin = (s->h.flags & TERN_TCP_FIN) != 0};
    step_head(s, &step->data);
    model_step_words(step, s->p->comment);
    if (!s->own->acked && s->other->syn_seen &&
        (s->h.flags & (TERN_TCP_SYN | TERN_TCP_ACK)) == TERN_TCP_ACK)
        step->acks.class = TERN_ACK_HANDSHAKE;
    model_step_settled(s->m, s->c, step);
    step_reaches(step, s->p->at);
}

static bool holds(const struct tern_step *step, enum tern_lane from, uint64_t byte)
{
    return step->kind == TERN_STEP_DATA && step->from == from && step->data.start <= byte &&
           byte < step->data.end;
}

static bool is_first_time(const struct tern_step *step)
{
    return step->data.class == TERN_DATA_NEW || step->data.class == TERN_DATA_BEYOND ||
           step->data.class == TERN_DATA_MIXED;
}

static void lost_add(struct tern_step_data *d, const struct tern_step_lost *lost)
{
    for (uint32_t i = 0; i < d->lost_count && i < TERN_STEP_LOST_MAX; i++)
        if (d->lost[i].start == lost->start)
            return;
    if (d->lost_count < TERN_STEP_LOST_MAX)
        d->lost[d->lost_count] = *lost;
    d->lost_count++;
}

static void lost_remove(struct tern_step_data *d, const struct tern_step_lost *lost)
{
    uint32_t shown = d->lost_count < TERN_STEP_LOST_MAX ? d->lost_count : TERN_STEP_LOST_MAX;

    for (uint32_t i = 0; i < shown; i++)
        if (d->lost[i].start == lost->start) {
            memmove(&d->lost[i], &d->lost[i + 1], (shown - i - 1) * sizeof d->lost[0]);
            /* Of those that are not shown none can take its place. */
            d->lost_count =
                d->lost_count > TERN_STEP_LOST_MAX ? TERN_STEP_LOST_MAX - 1 : d->lost_count - 1;
            return;
        }
}

void model_data_lost(struct segment *s, enum tern_side by, const struct tern_step_lost *lost)
{
    enum tern_lane from = by == TERN_SIDE_LEFT ? TERN_LANE_LEFT : TERN_LANE_RIGHT;
    struct model_steps *list = &s->c->steps;
    bool needless = lost->again_at < 0;

    for (size_t i = 0; i < MODEL_LOST_BACK && i < list->count; i++) {
        struct tern_step *step = &list->item[list->count - 1 - i];

        if (!holds(step, from, lost->start))
            continue;
        if (!is_first_time(step)) {
            if (needless && step->data.spurious == TERN_SPURIOUS_NOT)
                step->data.spurious = s->spurious;
            continue;
        }
        if (needless)
            lost_remove(&step->data, lost);
        else
            lost_add(&step->data, lost);
        return;
    }
}

static void tell_lost(struct segment *s)
{
    struct tern_step_lost lost = {
        .start = s->start, .end = s->end, .at = s->first_at, .again_at = s->p->at};
    /* At the receiver's own place nothing is lost any more that was seen. */
    bool arrived = s->p->from_is_known && s->by == TERN_SIDE_RIGHT;

    const struct model_hole *hole = model_hole_of(s->own, s->start);

    if (s->class == TERN_DATA_FILL && s->first_at < 0)
        s->first_at = hole == NULL ? -1 : hole->at;
    else if (s->again != TERN_AGAIN_NOT && s->spurious == TERN_SPURIOUS_NOT && s->first_at >= 0 &&
             !arrived)
        model_data_lost(s, s->by, &lost);
}

/* As long as segments can be, where the peer said that, or on Ethernet; and no rest in the end. */
static bool is_full(const struct segment *s, uint64_t piece)
{
    uint64_t mss = s->c->out.side[tern_side_other(s->by)].mss;

    return piece >= s->own->mss && piece + OPTIONS_MAX >= (mss > 0 ? mss : MSS_USUAL);
}

/* What is new goes under way. */
static void under_way(struct segment *s, uint64_t segments)
{
    struct model_dir *d = s->own;
    struct model_sent_segment sent = {.start = s->start,
                                      .end = s->end,
                                      .at = s->p->at,
                                      .ts_value = s->h.ts_value,
                                      .has_ts = s->h.has_timestamps,
                                      .pieces = (uint32_t)segments};

    if (s->class == TERN_DATA_NEW || s->class == TERN_DATA_BEYOND)
        model_sent_add(&d->sent, &sent, d->acked_by_peer ? SENT_ROOM_MAX : SENT_ROOM_ALONE);
    if (s->end > d->max)
        model_dir_rose(s);
    d->sent_at = s->p->at;
    d->pushed = (s->h.flags & TERN_TCP_PSH) != 0;
    d->full = is_full(s, s->payload_bytes / segments);
}

static void count_data(struct segment *s, uint64_t segments)
{
    struct tern_model_side *side = s->side;
    bool again = s->class == TERN_DATA_FILL || s->class == TERN_DATA_AGAIN;

    side->segments += segments;
    side->bytes += s->payload_bytes;
    if (again)
        side->again_segments += segments;
    side->unique_bytes += model_dir_saw(s->own, s->start, s->end);
    side->stream_bytes = s->own->max;
    if (s->own->acked_by_peer && s->own->max > s->own->una &&
        s->own->max - s->own->una > side->flight_max)
        side->flight_max = s->own->max - s->own->una;
    if (s->other->window_seen && s->other->window_last > 0 && s->own->acked_by_peer &&
        s->end == s->own->una + s->other->window_last)
        side->window_full++;
}

/* How much of it is one segment: told by a record or a log, else by the peer's SYN. */
static uint64_t piece_bytes(const struct segment *s)
{
    uint64_t mss = s->c->out.side[tern_side_other(s->by)].mss;
    uint64_t options = s->h.has_timestamps ? 12 : 0;

    if (s->p->pieces_known)
        return s->p->gso_bytes > 0 ? s->p->gso_bytes : s->payload_bytes;
    if (mss > options + 100)
        return mss - options < s->payload_bytes ? mss - options : s->payload_bytes;
    /* Mid-stream nobody says: what is longer than any Ethernet frame was put together. */
    return s->payload_bytes > 9000 ? 1448 : s->payload_bytes;
}

/* A closed window is asked with the next byte, which the receiver may take, or not: until an ACK
 * or what follows tells, it was not sent. */
static void probe(struct segment *s)
{
    s->own->probed = true;
    s->own->sent_at = s->p->at;
    s->side->segments++;
    s->side->bytes += s->payload_bytes;
    model_mark(s, TERN_MARK_PROBE, s->by, s->start, s->end);
    burst_begin(s, 1);
}

void model_data(struct segment *s)
{
    int64_t first = model_offset(s->own, s->h.seq);

    model_probe_taken(s->own, first < 0 ? 0 : (uint64_t)first);
    model_judge_data(s);
    if (s->window_probe && s->start == s->own->max) {
        probe(s);
        return;
    }
    s->own->probed = s->own->probed && s->end <= s->own->max;
    uint64_t piece = piece_bytes(s);
    uint64_t segments = pieces_of(s->payload_bytes, piece);

    s->side->merged += segments > 1;
    if (piece > s->own->mss)
        s->own->mss = (uint32_t)piece;
    if (s->start > s->own->max)
        model_data_missing(s, s->start);
    tell_lost(s);
    model_mark(s,
               s->window_probe || s->keep_alive ? TERN_MARK_PROBE
               : s->reordered                   ? TERN_MARK_LATE
               : s->again != TERN_AGAIN_NOT     ? TERN_MARK_AGAIN
                                                : TERN_MARK_DATA,
               s->by, s->start, s->end);
    under_way(s, segments);
    count_data(s, segments);
    struct tern_step *step = burst_find(s);

    if (step == NULL) {
        burst_begin(s, segments);
        return;
    }
    step->data.segments += segments;
    step->data.end = s->end > step->data.end ? s->end : step->data.end;
    step->data.fin = (s->h.flags & TERN_TCP_FIN) != 0;
    step_reaches(step, s->p->at);
}
