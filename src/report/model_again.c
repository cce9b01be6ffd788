/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a spectator can tell of a segment below the highest byte that was seen. In this order:
 *
 *   1. One byte or none, just below the highest: a window probe where the receiver's window is
 *      closed, else a keep-alive (RFC 9293 §3.8.4, §3.8.6.1). Neither is a retransmission.
 *   2. All its bytes went by before: a retransmission, however soon it comes. (Wireshark, which
 *      does not remember bytes, calls it out of order where it comes within a round trip.)
 *   3. Some went by for the first time, below the highest. Either it was late on its way, or
 *      it is sent again and the first was lost before this capture's place:
 *      a. Timestamps (RFC 7323) tell when it was sent, and the segment that jumped over its bytes
 *         was sent after them: a newer one than that segment's means sent again, an older one
 *         late. So does an equal one, where a round trip is longer than any such clock's tick.
 *      b. Else two duplicate ACKs for its first byte, the last within 20 ms: sent again.
 *      c. Else by how long the bytes have been missed: less than 7/8 of the handshake's round trip
 *         (3 ms where none was seen) means late, since who sends again had to hear of it first. b
 *         is Wireshark's rule as well; for c it takes the time since the highest byte rose, which
 *         stays short as long as new segments come.
 *
 * Why it was sent again: what its sender said of it, where that is known. Else, duplicate ACKs or
 * SACK had told of it, or a recovery that they began is not over: FAST; unless it had been sent
 * again before, nothing that was sent since has been acknowledged (which alone tells that the
 * second was lost as well), and the sender had been silent. Else, the sender had been silent for a
 * while: TIMEOUT, and all that follows until what was then under way is acknowledged; but the last
 * segment, once, before a timeout can have come (a round trip and 200 ms, RFC 6298 as Linux has
 * it): PROBE (RFC 8985 §7.3). Else UNKNOWN.
 *
 * Whether that was needless: enum tern_spurious. The first is known at once, the others by the ACK
 * that covers it or a later one; a segment is counted under the first that is found.
 */
#include <stdlib.h>

#include "base/assert.h"
#include "report/model_internal.h"

#define TICK_MAX       (10 * TERN_MS) /* of the clocks that make timestamps */
#define LATE_DEFAULT   (3 * TERN_MS)
#define DUPLICATE_LIFE (20 * TERN_MS)
#define TIMEOUT_MIN    (200 * TERN_MS)
#define SILENCE_MIN    (5 * TERN_MS)

static uint64_t not_negative(int64_t offset)
{
    return offset < 0 ? 0 : (uint64_t)offset;
}

/* A whole round trip, roughly; 0: not known. */
static tern_time round_trip(const struct model_conn *c)
{
    if (c->out.handshake > 0)
        return c->out.handshake;
    return c->dir[0].rtt.min + c->dir[1].rtt.min;
}

static bool duplicates_ask_for(const struct segment *s, uint64_t start)
{
    return s->other->duplicates >= 2 && s->other->ack_last == start;
}

static bool is_told_lost(const struct segment *s)
{
    const struct model_ranges *sacked = &s->own->sacked;

    if (duplicates_ask_for(s, s->start))
        return true;
    /* A SYN-ACK of the SYN alone did not take what rode on it (RFC 7413 §4.2.2). */
    if (s->start < s->own->syn_text && s->other->syn_seen)
        return true;
    return sacked->item != NULL && sacked->set.count > 0 &&
           sacked->item[sacked->set.count - 1].end > s->end;
}

/* The timestamps' word; 0: they have none. */
static int late_by_timestamp(const struct segment *s, const struct model_hole *hole)
{
    bool known = s->h.has_timestamps && (hole != NULL ? hole->has_ts : s->own->max_has_ts);
    uint32_t than = hole != NULL ? hole->ts : s->own->max_ts;

    if (!known)
        return 0;
    if (s->h.ts_value != than)
        return (int32_t)(s->h.ts_value - than) < 0 ? 1 : -1;
    return s->c->out.handshake >= TICK_MAX ? 1 : 0;
}

static bool is_late(const struct segment *s)
{
    const struct model_dir *d = s->own;
    const struct model_hole *hole = model_hole_of(d, s->start);
    tern_time trip = s->c->out.handshake;
    tern_time limit = trip > 0 ? trip - trip / 8 : LATE_DEFAULT;
    int stamps = late_by_timestamp(s, hole);

    if (stamps != 0)
        return stamps > 0;
    if (duplicates_ask_for(s, s->start) && s->p->at - s->other->ack_at < DUPLICATE_LIFE)
        return false;
    return s->p->at - (hole == NULL ? d->max_at : hole->at) < limit;
}

/* What the sender itself said; NOT: nothing, or no word of sending again. */
static enum tern_again by_cause(enum tern_cause cause)
{
    switch (cause) {
    case TERN_CAUSE_RTO:
        return TERN_AGAIN_TIMEOUT;
    case TERN_CAUSE_FAST_RETRANSMIT:
    case TERN_CAUSE_SACK_RETRANSMIT:
    case TERN_CAUSE_RACK_RETRANSMIT:
        return TERN_AGAIN_FAST;
    case TERN_CAUSE_TAIL_PROBE:
        return TERN_AGAIN_PROBE;
    case TERN_CAUSE_PATH_MTU:
        return TERN_AGAIN_UNKNOWN;
    default:
        return TERN_AGAIN_NOT;
    }
}

/* For how long its sender had sent nothing. */
static tern_time silence_of(const struct segment *s)
{
    return s->own->sent_at < 0 ? 0 : s->p->at - s->own->sent_at;
}

static bool is_long(const struct segment *s, tern_time silence)
{
    tern_time trip = round_trip(s->c);

    return silence >= trip + trip / 2 && silence >= SILENCE_MIN;
}

/* It had been sent again before, and no ACK since has told that this, too, was lost. */
static bool is_again_in_vain(const struct segment *s)
{
    const struct model_dir *d = s->own;
    tern_time at = -1;

    for (uint32_t i = 0; d->resent != NULL && i < d->resent_room; i++)
        if (d->resent[i].open && d->resent[i].start <= s->start && s->start < d->resent[i].end &&
            d->resent[i].at > at)
            at = d->resent[i].at;
    return at >= 0 && d->arrived_sent_at <= at;
}

static enum tern_again by_timer(const struct segment *s)
{
    tern_time trip = round_trip(s->c);
    tern_time silence = silence_of(s);
    tern_time since_first = s->first_at < 0 ? silence : s->p->at - s->first_at;
    bool is_last = s->end >= s->own->max;

    if (is_last && silence >= SILENCE_MIN && since_first < trip + TIMEOUT_MIN &&
        since_first >= trip)
        return TERN_AGAIN_PROBE;
    if (is_long(s, silence) || since_first >= TIMEOUT_MIN)
        return TERN_AGAIN_TIMEOUT;
    return TERN_AGAIN_UNKNOWN;
}

static enum tern_again reason(const struct segment *s)
{
    enum tern_again said = by_cause(s->p->cause);

    if (said != TERN_AGAIN_NOT)
        return said;
    if (is_again_in_vain(s) && is_long(s, silence_of(s)))
        return TERN_AGAIN_TIMEOUT;
    if (s->own->recover > 0)
        return s->own->recovery;
    return is_told_lost(s) ? TERN_AGAIN_FAST : by_timer(s);
}

static void count_again(struct segment *s)
{
    struct tern_model_side *side = s->side;

    side->retransmissions++;
    switch (s->again) {
    case TERN_AGAIN_FAST:
        side->by_fast++;
        break;
    case TERN_AGAIN_TIMEOUT:
        side->by_timeout++;
        break;
    case TERN_AGAIN_PROBE:
        side->by_probe++;
        break;
    default:
        side->by_unknown++;
        break;
    }
}

static void remember_resent(struct segment *s, const struct model_sent_segment *first)
{
    struct model_dir *d = s->own;

    void *resent = d->resent;

    if (!model_ring_grow(&resent, sizeof *d->resent, d->resent_next, &d->resent_room,
                         MODEL_RESENT_MAX))
        return;
    d->resent = resent;
    d->resent[d->resent_next++ % d->resent_room] = (struct model_resent){
        .start = s->start,
        .end = s->end,
        .at = s->p->at,
        .first_at = s->first_at,
        .ts_value = s->h.ts_value,
        .first_ts = first == NULL ? 0 : first->ts_value,
        .has_ts = s->h.has_timestamps && first != NULL && first->has_ts,
        .open = true,
    };
}

static void judge_resent(struct segment *s)
{
    struct model_dir *d = s->own;
    struct model_sent_segment *first = model_sent_find(&d->sent, s->start);

    if (first != NULL) {
        s->first_at = first->at;
        first->again = true;
    }
    s->again = reason(s);
    count_again(s);
    if (d->acked_by_peer && s->end <= d->una) {
        s->spurious = TERN_SPURIOUS_ACKED;
        s->side->spurious[TERN_SPURIOUS_ACKED]++;
        return;
    }
    remember_resent(s, first);
    /* A timeout makes all that is under way its own, though a recovery had begun. */
    bool anew = d->recover == 0 || s->again != d->recovery;

    if (s->again == TERN_AGAIN_TIMEOUT || (s->again == TERN_AGAIN_FAST && d->recover == 0)) {
        d->recover = anew ? d->max : d->recover;
        d->recovery_resent = anew ? 0 : d->recovery_resent;
        d->recovery_needless = anew ? 0 : d->recovery_needless;
        d->recovery = s->again;
    }
    d->recovery_resent++;
}

/* Rule 1; counts nothing. */
static bool is_probe(struct segment *s)
{
    bool closed = s->other->window_seen && s->other->window_last == 0;

    if (s->payload_bytes != 1 || by_cause(s->p->cause) != TERN_AGAIN_NOT)
        return false;
    if (s->start + 1 == s->own->max && s->class == TERN_DATA_AGAIN) {
        s->window_probe = closed;
        s->keep_alive = !closed;
        return true;
    }
    s->window_probe = closed && s->start == s->own->max;
    return s->window_probe;
}

void model_judge_data(struct segment *s)
{
    int64_t first = model_offset(s->own, s->h.seq);

    s->start = not_negative(first);
    s->end = not_negative(first + (int64_t)s->payload_bytes);
    s->class = model_dir_class(s->own, s->start, s->end);
    s->first_at = -1;
    if (is_probe(s)) {
        s->side->window_probes += s->window_probe;
        s->side->keep_alives += s->keep_alive;
        return;
    }
    if (s->class == TERN_DATA_NEW || s->class == TERN_DATA_BEYOND)
        return;
    s->reordered = s->class == TERN_DATA_FILL && is_late(s);
    if (s->reordered)
        s->side->out_of_order++;
    else
        judge_resent(s);
}

void model_judge_again(struct segment *s, tern_time first_at)
{
    tern_time since = first_at < 0 ? 0 : s->p->at - first_at;

    s->first_at = first_at;
    s->again = by_cause(s->p->cause);
    if (s->again == TERN_AGAIN_NOT)
        s->again = since >= SILENCE_MIN ? TERN_AGAIN_TIMEOUT : TERN_AGAIN_UNKNOWN;
    count_again(s);
}

/* ---- what ACKs say of it ---- */

static void found_needless(struct segment *s, struct model_resent *r, enum tern_spurious how)
{
    enum tern_side by = tern_side_other(s->by);
    struct tern_step_lost mark = {
        .start = r->start, .end = r->end, .at = r->first_at, .again_at = -1};

    s->c->out.side[by].spurious[how]++;
    s->c->dir[by].recovery_needless++;
    s->spurious = how;
    model_data_lost(s, by, &mark);
    r->open = false;
    r->end = r->start; /* nothing: no second witness counts it again */
}

static void resent_acked(struct segment *s, struct model_resent *r)
{
    const struct model_quantile *rtt = &s->other->rtt;

    if (r->has_ts && s->h.has_timestamps && r->ts_value != r->first_ts &&
        (int32_t)(s->h.ts_echo - r->ts_value) < 0 && (int32_t)(s->h.ts_echo - r->first_ts) >= 0)
        found_needless(s, r, TERN_SPURIOUS_TIMESTAMPS);
    else if (r->first_at >= 0 && rtt->count > 0 && s->p->at - r->at < rtt->min / 2)
        found_needless(s, r, TERN_SPURIOUS_EARLY);
    r->open = false;
}

/* The first block tells of bytes that came twice (RFC 2883 §4): below the ACK, or within the
 * second. */
static bool has_dsack(const struct tern_tcp_header *h)
{
    if (h->sack_count == 0)
        return false;
    return tern_seq_le(h->sack[0].end, h->ack) ||
           (h->sack_count > 1 && tern_seq_le(h->sack[1].start, h->sack[0].start) &&
            tern_seq_le(h->sack[0].end, h->sack[1].end));
}

static void judge_dsack(struct segment *s)
{
    struct model_dir *d = s->other;
    int64_t start = model_offset(d, s->h.sack[0].start), end = model_offset(d, s->h.sack[0].end);

    s->side->dsacks++;
    for (uint32_t i = 0; d->resent != NULL && i < d->resent_room; i++) {
        struct model_resent *r = &d->resent[i];

        if (r->start < r->end && (int64_t)r->start < end && start < (int64_t)r->end) {
            found_needless(s, r, TERN_SPURIOUS_DSACK);
            return;
        }
    }
}

static void arrived(struct model_dir *d, const struct model_sent_segment *segment)
{
    if (segment != NULL && segment->at > d->arrived_sent_at)
        d->arrived_sent_at = segment->at;
}

static void sacked(struct segment *s, uint64_t start, uint64_t end)
{
    arrived(s->other, model_sent_find(&s->other->sent, end - 1));
    (void)model_ranges_add(&s->other->sacked, start, end);
    model_mark(s, TERN_MARK_SACK, tern_side_other(s->by), start, end);
}

static void judge_sack(struct segment *s)
{
    struct model_dir *d = s->other;
    bool dsack = has_dsack(&s->h);

    for (unsigned i = dsack; i < s->h.sack_count; i++) {
        int64_t start = model_offset(d, s->h.sack[i].start);
        int64_t end = model_offset(d, s->h.sack[i].end);

        if (start > (int64_t)d->una && end > start && end <= (int64_t)d->max)
            sacked(s, (uint64_t)start, (uint64_t)end);
    }
    if (d->sacked.item != NULL && d->sacked.set.count > s->side->sack_blocks_max)
        s->side->sack_blocks_max = d->sacked.set.count;
}

void model_judge_ack(struct segment *s, uint64_t upto)
{
    struct model_dir *d = s->other;
    struct model_sent_segment newest;
    bool clean;

    for (uint32_t i = 0; d->resent != NULL && i < d->resent_room; i++)
        if (d->resent[i].open && d->resent[i].end <= upto)
            resent_acked(s, &d->resent[i]);
    if (has_dsack(&s->h))
        judge_dsack(s);
    if (model_sent_acked(&d->sent, upto, &newest, &clean)) {
        s->side->ack_events++;
        s->side->acked_segments += newest.pieces;
        arrived(d, &newest);
        if (clean) {
            model_quantile_add(&d->rtt, s->p->at - newest.at);
            model_mark(s, TERN_MARK_RTT, tern_side_other(s->by), (uint64_t)(s->p->at - newest.at),
                       0);
        }
    }
    if (upto > d->una)
        d->una = upto;
    d->acked_by_peer = true;
    if (d->recover > 0 && d->una >= d->recover)
        d->recover = 0;
    if (d->sacked.item != NULL)
        tern_ranges_trim(&d->sacked.set, d->una);
    if (s->h.sack_count > 0)
        judge_sack(s);
}
