/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What has arrived and what is lost (RFC 2018, RFC 6675 §3).
 *
 * The scoreboard is four things: the set of SACKed ranges; lost_below, under which everything
 * that is not SACKed is deemed lost; resent_below, under which the lost has been sent again; and
 * relost, what of that was lost once more. From these follow what to send next (relost, then the
 * lowest lost byte not yet resent) and how much is in the network (RFC 6675's pipe), without a
 * record a segment and without a walk over them. una <= resent_below, lost_below <= nxt.
 */
#include "proto/tcp/internal.h"

void tern_tcb_loss_init(struct tern_tcb *c)
{
    c->loss.state = TERN_RECOVERY_OPEN;
    c->loss.recover = c->loss.lost_below = c->loss.resent_below = c->snd.iss;
    tern_tcb_rack_init(c);
}

void tern_tcb_loss_fini(struct tern_tcb *c)
{
    tern_tcb_ranges_give(c, &c->loss.sacked);
    tern_tcb_ranges_give(c, &c->loss.relost);
    if (c->log != NULL)
        tern_pool_give(&c->env->logs, c->log);
    c->log = NULL;
    c->loss.sacked_bytes = 0;
    c->loss.state = TERN_RECOVERY_OPEN;
    c->loss.lost_below = c->loss.resent_below = c->snd.una;
    c->loss.first_due = false;
    c->undo.armed = false;
}

static uint64_t sacked_within(const struct tern_tcb *c, uint64_t from, uint64_t to)
{
    return c->loss.sacked == NULL ? 0 : tern_ranges_bytes_within(c->loss.sacked, from, to);
}

uint64_t tern_tcb_lost_bytes(const struct tern_tcb *c)
{
    const uint64_t from = tern_max_u64(c->loss.resent_below, c->snd.una);
    uint64_t lost = c->loss.relost == NULL ? 0 : tern_ranges_bytes(c->loss.relost);

    if (c->loss.lost_below > from)
        lost += c->loss.lost_below - from - sacked_within(c, from, c->loss.lost_below);
    return lost;
}

uint64_t tern_tcb_deemed_lost(const struct tern_tcb *c)
{
    return c->loss.lost_below > c->snd.una
               ? c->loss.lost_below - c->snd.una - sacked_within(c, c->snd.una, c->loss.lost_below)
               : 0;
}

/* RFC 6675 §4 SetPipe: in flight, less what arrived, less what is lost and not yet sent again. */
uint64_t tern_tcb_pipe(const struct tern_tcb *c)
{
    const bool syn = c->snd.una == c->snd.iss && c->snd.nxt > c->snd.iss; /* weighs nothing */
    const uint64_t flight = c->snd.nxt - c->snd.una - syn;
    uint64_t gone;

    if (c->loss.lost_below <= c->snd.una && c->loss.sacked_bytes == 0 && c->loss.relost == NULL &&
        c->loss.dupacks == 0)
        return flight;
    gone = c->loss.sacked_bytes + tern_tcb_lost_bytes(c);
    if (!c->opt.sack && c->loss.state != TERN_RECOVERY_LOSS)
        gone += (uint64_t)c->loss.dupacks * tern_tcb_segment_bytes(c);
    return gone < flight ? flight - gone : 0;
}

bool tern_tcb_next_lost(const struct tern_tcb *c, uint64_t *from, uint64_t *to)
{
    struct tern_range gap = {tern_max_u64(c->loss.resent_below, c->snd.una),
                             tern_min_u64(c->loss.lost_below, c->snd.nxt)};

    if (c->loss.relost != NULL) {
        gap = c->loss.relost->item[0];
    } else {
        if (gap.start >= gap.end)
            return false;
        if (c->loss.sacked != NULL && !tern_ranges_gap(c->loss.sacked, gap.start, gap.end, &gap))
            return false;
    }
    *from = gap.start;
    *to = gap.end;
    return true;
}

static void drop_if_empty(struct tern_tcb *c, struct tern_ranges **ranges)
{
    if (*ranges != NULL && (*ranges)->count == 0)
        tern_tcb_ranges_give(c, ranges);
}

/* Out of relost. Where that would split a range and there is no room, the rest goes as well: then
 * it is the timer that sends it. */
static void forget_relost(struct tern_tcb *c, uint64_t from, uint64_t to)
{
    if (c->loss.relost == NULL)
        return;
    if (!tern_ranges_remove(c->loss.relost, from, to))
        tern_ranges_trim(c->loss.relost, to);
    drop_if_empty(c, &c->loss.relost);
}

void tern_tcb_note_resent(struct tern_tcb *c, uint64_t from, uint64_t to)
{
    if (c->loss.state == TERN_RECOVERY_OPEN || c->loss.state == TERN_RECOVERY_CWR)
        return; /* a tail loss probe: nothing is deemed lost, and the log knows what went twice */
    if (from < c->loss.resent_below)
        forget_relost(c, from, to);
    c->loss.resent_below = tern_max_u64(c->loss.resent_below, to);
}

void tern_tcb_mark_lost(struct tern_tcb *c, uint64_t below)
{
    c->loss.lost_below = tern_max_u64(c->loss.lost_below, tern_min_u64(below, c->snd.nxt));
}

void tern_tcb_mark_relost(struct tern_tcb *c, uint64_t from, uint64_t to)
{
    struct tern_range gap = {tern_max_u64(from, c->snd.una),
                             tern_min_u64(to, c->loss.resent_below)};

    if (c->loss.relost == NULL)
        c->loss.relost = tern_tcb_ranges_take(c);
    for (uint32_t i = 0; i <= c->env->ranges_count && gap.start < gap.end; i++) {
        const uint64_t stop = tern_min_u64(to, c->loss.resent_below);

        gap.end = stop;
        if (c->loss.relost == NULL ||
            (c->loss.sacked != NULL && !tern_ranges_gap(c->loss.sacked, gap.start, stop, &gap)))
            break;
        if (!tern_ranges_add(c->loss.relost, gap.start, gap.end))
            break; /* no room to remember it: the timer will */
        gap.start = gap.end;
        gap.end = stop;
    }
    drop_if_empty(c, &c->loss.relost);
}

static void note_delivered(struct tern_tcb *c, const struct tern_segment *seg, uint64_t from,
                           uint64_t to, struct tern_delivery *d, tern_time now)
{
    d->delivered += to - from;
    tern_tcb_rack_delivered(c, seg, from, to, d, now);
    forget_relost(c, from, to);
}

/* [from, to) has arrived: what of it is news? */
static void note_arrived(struct tern_tcb *c, const struct tern_segment *seg, uint64_t from,
                         uint64_t to, struct tern_delivery *d, tern_time now)
{
    struct tern_range gap = {from, to};

    if (c->loss.sacked == NULL) {
        note_delivered(c, seg, from, to, d, now);
        return;
    }
    for (uint32_t i = 0; i <= c->env->ranges_count; i++) {
        if (!tern_ranges_gap(c->loss.sacked, gap.start, to, &gap))
            return;
        note_delivered(c, seg, gap.start, gap.end, d, now);
        gap.start = gap.end;
        if (gap.start >= to)
            return;
    }
}

/* Is this block about bytes that had arrived before? (RFC 2883 §4: below the ACK, or within the
 * second block) */
static bool is_dsack(const struct tern_tcb *c, const struct tern_tcp_header *h, uint64_t start,
                     uint64_t end)
{
    if (start >= end || end > c->snd.max)
        return false;
    if (end <= tern_tcb_unwrap(c->snd.una, h->ack))
        return true;
    return h->sack_count > 1 && start >= tern_tcb_unwrap(c->snd.una, h->sack[1].start) &&
           end <= tern_tcb_unwrap(c->snd.una, h->sack[1].end);
}

static void note_dsack(struct tern_tcb *c, struct tern_delivery *d, uint64_t start, uint64_t end)
{
    if (end + c->snd.wnd_max < c->snd.una)
        return; /* of another age */
    d->dsack = true;
    d->dsack_bytes = end - start;
    d->dsack_end = end;
    c->count.dsacks_in++;
    tern_tcb_rack_dsack(c);
}

static void take_block(struct tern_tcb *c, const struct tern_segment *seg, uint64_t start,
                       uint64_t end, struct tern_delivery *d, tern_time now)
{
    uint64_t before;

    if (end <= start || end <= c->snd.una || end > c->snd.max)
        return; /* old, or nonsense */
    start = tern_max_u64(start, c->snd.una);
    note_arrived(c, seg, start, end, d, now);
    before = tern_ranges_bytes_within(c->loss.sacked, start, end);
    if (tern_ranges_add(c->loss.sacked, start, end))
        c->loss.sacked_bytes += end - start - before;
}

static void take_sack(struct tern_tcb *c, const struct tern_segment *seg, struct tern_delivery *d,
                      tern_time now)
{
    if (!c->opt.sack || seg->h.sack_count == 0)
        return;
    if (c->loss.sacked == NULL)
        c->loss.sacked = tern_tcb_ranges_take(c);
    for (uint8_t i = 0; i < seg->h.sack_count; i++) {
        const uint64_t start = tern_tcb_unwrap(c->snd.una, seg->h.sack[i].start);
        const uint64_t end = tern_tcb_unwrap(c->snd.una, seg->h.sack[i].end);

        if (i == 0 && is_dsack(c, &seg->h, start, end))
            note_dsack(c, d, start, end);
        else if (c->loss.sacked != NULL) /* else a hint is lost, no byte is */
            take_block(c, seg, start, end, d, now);
    }
    drop_if_empty(c, &c->loss.sacked);
}

/* What the cumulative ACK covers needs no scoreboard. */
static void trim(struct tern_tcb *c)
{
    c->loss.resent_below = tern_max_u64(c->loss.resent_below, c->snd.una);
    c->loss.lost_below = tern_max_u64(c->loss.lost_below, c->snd.una);
    if (c->loss.sacked != NULL) {
        c->loss.sacked_bytes -= tern_ranges_bytes_within(c->loss.sacked, 0, c->snd.una);
        tern_ranges_trim(c->loss.sacked, c->snd.una);
        drop_if_empty(c, &c->loss.sacked);
    }
    if (c->loss.relost != NULL) {
        tern_ranges_trim(c->loss.relost, c->snd.una);
        drop_if_empty(c, &c->loss.relost);
    }
    if (c->log == NULL)
        return;
    tern_sentlog_trim(c->log, c->snd.una);
    if (c->snd.una == c->snd.nxt) {
        tern_pool_give(&c->env->logs, c->log);
        c->log = NULL;
    }
}

void tern_tcb_score_ack(struct tern_tcb *c, const struct tern_segment *seg, uint64_t old_una,
                        struct tern_delivery *d, tern_time now)
{
    d->acked = c->snd.una - old_una;
    d->fack_before = c->rack.fack;
    if (d->acked > 0)
        note_arrived(c, seg, old_una, c->snd.una, d, now);
    take_sack(c, seg, d, now);
    trim(c);
}

/* What has been sent again stays so: its copies are on their way, and the log knows since when. */
void tern_tcb_score_open(struct tern_tcb *c)
{
    if (!c->opt.sack || c->log == NULL) {
        c->loss.resent_below = c->snd.una;
        tern_tcb_ranges_give(c, &c->loss.relost);
    }
    c->loss.lost_below = c->loss.resent_below;
    c->loss.dupacks = 0;
    c->loss.first_due = false;
}

/* The receiver has thrown away what it had SACKed, which shows in its first missing byte being one
 * of those (RFC 2018 §8). */
void tern_tcb_score_renege(struct tern_tcb *c)
{
    if (c->loss.sacked == NULL || !tern_ranges_covers(c->loss.sacked, c->snd.una, c->snd.una + 1))
        return;
    tern_tcb_ranges_give(c, &c->loss.sacked);
    c->loss.sacked_bytes = 0;
}

/* Three separate ranges, or more than two segments' bytes, are SACKed above it (RFC 6675 §4). From
 * the top, so a step or three. */
uint64_t tern_tcb_lost_by_sack(const struct tern_tcb *c)
{
    const struct tern_ranges *r = c->loss.sacked;
    const uint64_t enough = (TERN_TCP_DUPACKS - 1) * (uint64_t)tern_tcb_segment_bytes(c);
    uint64_t above = 0;

    for (uint16_t i = r == NULL ? 0 : r->count; i > 0; i--) {
        above += r->item[i - 1].end - r->item[i - 1].start;
        if (above > enough || r->count - i + 1 >= TERN_TCP_DUPACKS)
            return r->item[i - 1].start;
    }
    return c->snd.una;
}
