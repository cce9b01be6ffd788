/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the time of a connection went into. The time from one packet of a connection to the next is
 * given to one kind of waiting, by how things stood before the second and by what the second is:
 *
 *   a retransmission by a timer       the timeout of its sender
 *   a handshake that is not complete  opening
 *   no room at the receiver           its window (zero, or less than another segment); but
 *                                     recovery where a retransmission ends it: a hole keeps what
 *                                     is behind it from being read
 *   nothing under way                 idleness of the side that speaks next; but the path, where
 *                                     that side goes on after a full segment: it had more to say,
 *                                     and what comes at a slow link's pace was under way elsewhere
 *   all had come, and was not         slow ACKs: at the receiver's own place, where it took longer
 *   acknowledged                      than ACKs are delayed, or ends in sending again; elsewhere
 *                                     in a recovery of which ACKs told that it was needless
 *   a loss that is being made good    recovery
 *   else                              the path: data under way, the round trip, the sender's
 *   caution
 *
 * "Nothing under way" is as the capture's place sees it: its last ACK may still travel to the
 * sender, and the answer back. So of such a silence the least round trip to that side belongs to
 * the path, and only the rest is idle. A wait longer than three round trips, and
 * than 50 ms (which a delayed ACK may take), is a stall; the longest are kept.
 */
#include "report/model_internal.h"

#define STALL_MIN   (50 * TERN_MS)
#define STALL_TRIPS 3

void model_before(const struct model_conn *c, struct model_before *out)
{
    for (unsigned i = 0; i < 2; i++) {
        const struct model_dir *d = &c->dir[i], *peer = &c->dir[1 - i];
        uint64_t base = d->acked_by_peer ? d->una : 0;
        bool scaled = d->syn_seen && peer->syn_seen;

        out->flight[i] = d->max > base ? d->max - base : 0;
        out->full[i] = peer->window_seen &&
                       (peer->window_last == 0 || (scaled && out->flight[i] > 0 &&
                                                   out->flight[i] + d->mss > peer->window_last));
        out->recovering[i] = d->recover > 0;
        out->needless[i] =
            d->recovery_needless > 0 && d->recovery_needless * 2 >= d->recovery_resent;
        out->whole[i] = out->flight[i] > 0 && d->next >= d->max;
        out->more[i] = d->full;
        out->pushed[i] = d->pushed;
    }
}

static bool by_timer(const struct segment *s)
{
    return s->again == TERN_AGAIN_TIMEOUT || s->again == TERN_AGAIN_PROBE;
}

/* Had all that this side sent come, and did only the ACK lag? */
static bool lacks_acks(const struct segment *s, const struct model_before *b, enum tern_side side,
                       tern_time gap)
{
    bool here = s->p->from_is_known && side == TERN_SIDE_RIGHT;

    if (!b->whole[side])
        return false;
    if (!here)
        return b->recovering[side] && b->needless[side];
    if (s->by == side)
        return s->again != TERN_AGAIN_NOT;
    return gap >= STALL_MIN || b->recovering[side];
}

/* Nothing is under way here, and the same side goes on: had it paused? A sender pushes what it
 * writes last, and some push in between. */
static bool goes_on(const struct segment *s, const struct model_before *b, tern_time gap)
{
    return s->payload_bytes > 0 && b->more[s->by] && (!b->pushed[s->by] || gap < STALL_MIN);
}

static enum tern_wait kind_of(const struct segment *s, const struct model_before *b, tern_time gap,
                              enum tern_side *side)
{
    bool right_first = b->flight[TERN_SIDE_RIGHT] > b->flight[TERN_SIDE_LEFT];

    *side = s->by;
    if (!s->c->is_open)
        return TERN_WAIT_OPENING;
    if (lacks_acks(s, b, s->by, gap))
        return TERN_WAIT_ACKS;
    if (by_timer(s) && s->payload_bytes > 0)
        return TERN_WAIT_TIMEOUT;
    for (unsigned i = 0; i < 2; i++)
        if (b->full[i] &&
            (b->flight[i] > 0 || s->window_probe || (s->by != i && s->payload_bytes == 0))) {
            bool fills_hole = s->by == i && s->again != TERN_AGAIN_NOT && s->payload_bytes > 0;

            *side = (enum tern_side)i;
            return fills_hole ? TERN_WAIT_RECOVERY : TERN_WAIT_WINDOW;
        }
    if (by_timer(s))
        return TERN_WAIT_TIMEOUT;
    if (b->flight[0] == 0 && b->flight[1] == 0)
        return goes_on(s, b, gap) ? TERN_WAIT_PATH : TERN_WAIT_IDLE;
    *side = right_first ? TERN_SIDE_RIGHT : TERN_SIDE_LEFT;
    if (lacks_acks(s, b, *side, gap))
        return TERN_WAIT_ACKS;
    if (b->recovering[*side])
        return TERN_WAIT_RECOVERY;
    return b->recovering[tern_side_other(*side)] ? TERN_WAIT_RECOVERY : TERN_WAIT_PATH;
}

static unsigned shortest(const struct tern_model_conn *c)
{
    unsigned at = 0;

    for (unsigned i = 1; i < c->stall_count; i++)
        if (c->stall[i].length < c->stall[at].length)
            at = i;
    return at;
}

static void stall_add(struct tern_model_conn *c, const struct tern_stall *stall)
{
    c->stalls++;
    if (c->stall_count == TERN_STALLS_MAX) {
        unsigned at = shortest(c);

        if (c->stall[at].length >= stall->length)
            return;
        for (unsigned i = at; i + 1 < c->stall_count; i++)
            c->stall[i] = c->stall[i + 1];
        c->stall_count--;
    }
    c->stall[c->stall_count++] = *stall;
}

/* From the capture's place to a side and back: what the other side's segments took. */
static tern_time trip_to(const struct model_conn *c, enum tern_side side)
{
    const struct model_quantile *q = &c->dir[tern_side_other(side)].rtt;

    return q->count > 0 ? q->min : 0;
}

void model_waited(struct segment *s, const struct model_before *before)
{
    struct tern_model_conn *c = &s->c->out;
    tern_time gap = s->p->at - c->until;
    tern_time trips = c->handshake > 0 ? STALL_TRIPS * c->handshake : 0;
    enum tern_side side;
    enum tern_wait kind = kind_of(s, before, gap, &side);
    tern_time trip = kind == TERN_WAIT_IDLE ? trip_to(s->c, side) : 0;

    if (gap <= 0)
        return;
    if (trip > 0 && gap < trip + trip / 2) {
        kind = TERN_WAIT_PATH;
        trip = 0;
    }
    c->spent[TERN_WAIT_PATH][side] += trip;
    c->spent[kind][side] += gap - trip;
    if (gap >= STALL_MIN && gap >= trips)
        stall_add(c,
                  &(struct tern_stall){.at = c->until, .length = gap, .kind = kind, .side = side});
}
