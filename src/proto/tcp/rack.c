/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * RACK: a segment is lost when one sent later has arrived, and the reordering that the path is
 * known for cannot explain the delay any more (RFC 8985 §6).
 *
 * What is sent for the first time stands in the log by time and by sequence number alike, so the
 * lost ones are always those below a number: the search goes on where the last one stopped and ends
 * at the first segment that is not late. What was sent again is judged in its own ring, oldest
 * first.
 */
#include "proto/tcp/internal.h"

#define WINDOW_STEPS_MAX 255
#define PERSIST          16 /* RFC 8985 §6.2.4 */
#define COARSE_PART      16 /* of a round trip */

void tern_tcb_rack_init(struct tern_tcb *c)
{
    c->rack.fack = c->rack.end = c->rack.surely_end = c->rack.dsack_round = c->snd.iss;
    c->rack.window_steps = 1;
}

/* RFC 8985 §6.2 RACK_sent_after. */
static bool is_sent_after(tern_time at_1, uint64_t end_1, tern_time at_2, uint64_t end_2)
{
    return at_1 > at_2 || (at_1 == at_2 && end_1 > end_2);
}

/* Did the ACK of what was sent again come from the original? (RFC 8985 §6.2 step 2) */
static bool is_of_original(const struct tern_tcb *c, const struct tern_segment *seg,
                           const struct tern_sent *s, tern_time rtt)
{
    if (c->opt.timestamps && seg->h.has_timestamps && seg->h.ts_echo != 0 &&
        (int32_t)(seg->h.ts_echo - tern_tcb_ts_now(c, s->at)) < 0)
        return true;
    return c->rtt.rtt_min != TERN_TIME_NEVER && rtt < c->rtt.rtt_min;
}

/* When it was sent at the soonest: a record of many has the time of its last. */
static void take_surely(struct tern_tcb *c, const struct tern_sent *s, uint64_t end)
{
    const tern_time at = end < s->end ? s->first_at : s->at;

    if (!is_sent_after(at, end, c->rack.surely_at, c->rack.surely_end))
        return;
    c->rack.surely_at = at;
    c->rack.surely_end = end;
}

static void take_newest(struct tern_tcb *c, const struct tern_sent *s, uint64_t end, tern_time rtt)
{
    take_surely(c, s, end);
    if (c->rack.rtt > 0 && !is_sent_after(s->at, end, c->rack.at, c->rack.end))
        return;
    c->rack.at = s->at;
    c->rack.end = end;
    c->rack.rtt = rtt > 0 ? rtt : 1;
}

static void note_sample(const struct tern_sent *s, struct tern_delivery *d)
{
    if (d->has_sent && d->sent.at >= s->at)
        return;
    d->sent = *s;
    d->has_sent = true;
}

/* A part of a segment is no segment (RFC 8985 §6.2): where the last whole one ends that [from, to)
 * completes. */
static uint64_t whole_end(const struct tern_tcb *c, const struct tern_sent *s, uint64_t from,
                          uint64_t to)
{
    const uint64_t last = s->start + (to - 1 - s->start) / s->segment * s->segment;
    const bool ends = to == s->end || to - last == s->segment;
    const bool begins = from <= last || to <= c->snd.una ||
                        (c->loss.sacked != NULL && tern_ranges_covers(c->loss.sacked, last, from));

    return ends && begins ? to : last;
}

/* A record may stand for more than a small part of a round trip, when the log was full: then its
 * time is that of its last segment only. */
static bool is_coarse(const struct tern_tcb *c, const struct tern_sent *s, uint64_t to)
{
    return to < s->end && s->at - s->first_at > c->rtt.srtt / COARSE_PART;
}

/* [from, to) was sent once only. */
static void note_original(struct tern_tcb *c, uint64_t from, uint64_t to, struct tern_delivery *d,
                          tern_time now)
{
    const struct tern_sent *s = tern_sentlog_find(c->log, to - 1);
    tern_time rtt;

    if (!d->original || from < d->original_from)
        d->original_from = from;
    d->original = true;
    if (to < d->fack_before) {
        c->rack.reordering_seen = true; /* RFC 8985 §6.2 step 3 */
        c->rack.overtaken_bytes = tern_max_u64(c->rack.overtaken_bytes, c->rack.fack - from);
    }
    if (s != NULL)
        to = whole_end(c, s, from, to);
    if (s == NULL || to <= from || to <= s->start)
        return;
    take_newest(c, s, to, now - s->at);
    if (is_coarse(c, s, to))
        return;
    note_sample(s, d);
    rtt = now - s->at > 0 ? now - s->at : 1;
    d->rtt = d->rtt == 0 || rtt < d->rtt ? rtt : d->rtt;
}

/* [from, to) lies above what recovery sent again; but a tail loss probe may have sent its end. */
static void note_once(struct tern_tcb *c, uint64_t from, uint64_t to, struct tern_delivery *d,
                      tern_time now)
{
    const struct tern_sent *probe = tern_sentlog_find_again(c->log, from, to);
    const uint64_t stop = probe != NULL && probe->end >= to ? probe->start : to;

    if (from < stop)
        note_original(c, from, stop, d, now);
}

/* Where there are many copies some share a record, over more of a round trip: a part of it has the
 * time of the first. */
static void note_copy(struct tern_tcb *c, const struct tern_segment *seg,
                      const struct tern_sent *again, uint64_t end, struct tern_delivery *d,
                      tern_time now)
{
    struct tern_sent s = *again;

    if (end < s.end)
        s.at = s.first_at;
    if (is_of_original(c, seg, &s, now - s.at))
        return;
    take_newest(c, &s, end, now - s.at);
    note_sample(again, d);
    d->copy = true;
}

void tern_tcb_rack_delivered(struct tern_tcb *c, const struct tern_segment *seg, uint64_t from,
                             uint64_t to, struct tern_delivery *d, tern_time now)
{
    const uint64_t once = tern_max_u64(from, c->loss.resent_below);
    const struct tern_sent *again;

    if (c->log == NULL) {
        c->rack.fack = tern_max_u64(c->rack.fack, to);
        return;
    }
    again = tern_sentlog_find_again(c->log, from, to);
    if (once < to)
        note_once(c, once, to, d, now);
    if (again != NULL)
        note_copy(c, seg, again, tern_min_u64(to, again->end), d, now);
    c->rack.fack = tern_max_u64(c->rack.fack, to);
}

/* RFC 8985 §6.2 step 4: once a round trip, a needless resend widens the window. */
void tern_tcb_rack_dsack(struct tern_tcb *c)
{
    if (c->snd.una < c->rack.dsack_round)
        return;
    c->rack.dsack_round = c->snd.nxt;
    if (c->rack.window_steps < WINDOW_STEPS_MAX)
        c->rack.window_steps++;
    c->rack.persist = PERSIST;
}

void tern_tcb_rack_recovered(struct tern_tcb *c)
{
    if (c->rack.persist > 0 && --c->rack.persist == 0)
        c->rack.window_steps = 1;
}

/* RFC 8985 §6.2 step 4: how much later than expected a segment may come. */
static tern_time reordering_window(const struct tern_tcb *c)
{
    /* In bytes: three short records above a hole are not enough, as Linux has it. */
    const uint64_t enough = (TERN_TCP_DUPACKS - 1) * (uint64_t)tern_tcb_segment_bytes(c);
    const bool in_recovery =
        c->loss.state == TERN_RECOVERY_FAST || c->loss.state == TERN_RECOVERY_LOSS;
    tern_time window;

    if (!c->rack.reordering_seen && (in_recovery || c->loss.sacked_bytes > enough))
        return 0;
    window = c->rtt.rtt_min == TERN_TIME_NEVER ? 0 : c->rtt.rtt_min / 4 * c->rack.window_steps;
    return window < c->rtt.srtt ? window : c->rtt.srtt;
}

/* How long until a segment sent then, and before what arrived last, is late; none left: 0. */
static tern_time left(const struct tern_tcb *c, const struct tern_sent *s, tern_time window,
                      tern_time now)
{
    const tern_time late_at = s->at + c->rack.rtt + window;

    return late_at > now ? late_at - now : 0;
}

static tern_time detect_again(struct tern_tcb *c, tern_time window, tern_time now)
{
    tern_time wait = 0;

    for (uint32_t i = 0; i < c->log->again_count; i++) {
        const struct tern_sent s = *tern_sentlog_again_at(c->log, i);

        if (!is_sent_after(c->rack.surely_at, c->rack.surely_end, s.at, s.end))
            break;
        wait = left(c, &s, window, now);
        if (wait > 0)
            continue; /* those after it are later still: the longest wait counts */
        tern_sentlog_pop_again(c->log);
        i--;
        tern_tcb_mark_relost(c, s.start, s.end);
        tern_tcb_tell_loss(c, TERN_LOSS_RACK, tern_max_u64(s.start, c->snd.una), s.end, true, now);
    }
    return wait;
}

static tern_time detect_fresh(struct tern_tcb *c, tern_time window, tern_time now)
{
    tern_time wait = 0;

    for (uint32_t i = 0; i < c->log->fresh_count; i++) {
        const struct tern_sent *s = tern_sentlog_fresh_at(c->log, i);
        const uint64_t start = tern_max_u64(s->start, c->snd.una);
        const uint64_t end = s->at == c->rack.at ? tern_min_u64(s->end, c->rack.end) : s->end;

        if (s->end <= c->loss.lost_below)
            continue;
        if (end <= start || !is_sent_after(c->rack.at, c->rack.end + 1, s->at, end))
            break;
        if (c->loss.sacked != NULL && tern_ranges_covers(c->loss.sacked, start, end))
            continue;
        wait = left(c, s, window, now);
        if (wait == 0)
            tern_tcb_mark_lost(c, end);
    }
    return wait;
}

void tern_tcb_rack_detect(struct tern_tcb *c, tern_time now)
{
    const tern_time window = reordering_window(c);
    tern_time wait, wait_again;

    c->timer.reorder = TERN_TIME_NEVER;
    if (c->log == NULL || !c->opt.sack || c->rack.rtt == 0)
        return;
    wait = detect_fresh(c, window, now);
    wait_again = detect_again(c, window, now);
    if (wait_again > wait)
        wait = wait_again;
    if (wait > 0)
        c->timer.reorder = now + wait;
}

uint64_t tern_tcb_rack_old_below(struct tern_tcb *c, tern_time now)
{
    const tern_time window = reordering_window(c);
    uint64_t below = c->snd.una + 1;

    if (c->log == NULL || !c->opt.sack || c->rack.rtt == 0)
        return c->snd.nxt;
    for (uint32_t i = 0; i < c->log->fresh_count; i++) {
        const struct tern_sent *s = tern_sentlog_fresh_at(c->log, i);

        if (i > 0 && left(c, s, window, now) > 0)
            return below;
        below = s->end;
    }
    return c->snd.nxt;
}
