/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What was lost: the scoreboard and the recovery from losses (RFC 5681 §3.2, RFC 6675, RFC 6582,
 * RFC 2018).
 *
 * The scoreboard is three things: the set of SACKed ranges; lost_below, under which everything
 * that is not SACKed is deemed lost; and resent_below, under which the lost has been sent again.
 * From these follow what to send next (the lowest lost byte not yet resent) and how much is in the
 * network (RFC 6675's pipe), without a record a segment and without a walk over them. una <=
 * resent_below, lost_below <= nxt.
 *
 * Without SACK the same machine runs NewReno: each duplicate ACK counts as one segment that left
 * the network, three of them mark the first segment lost, and so does each partial ACK
 * (RFC 6582 §3.2).
 *
 * After a timeout everything not SACKed is lost (RFC 5681 §3.1); SACK information is kept unless
 * the peer has reneged, which shows in its first missing byte being one that it had SACKed
 * (RFC 2018 §8).
 */
#include "proto/tcp/internal.h"

void tern_tcb_loss_init(struct tern_tcb *c)
{
    c->loss.state = TERN_RECOVERY_OPEN;
    c->loss.recover = c->loss.lost_below = c->loss.resent_below = c->snd.iss;
    c->loss.dupacks = 0;
    c->loss.retries = 0;
    c->loss.first_due = false;
    c->loss.sacked = NULL;
}

void tern_tcb_loss_fini(struct tern_tcb *c)
{
    tern_tcb_ranges_give(c, &c->loss.sacked);
    c->loss.state = TERN_RECOVERY_OPEN;
    c->loss.lost_below = c->loss.resent_below = c->snd.una;
    c->loss.first_due = false;
}

static uint64_t sacked_within(const struct tern_tcb *c, uint64_t from, uint64_t to)
{
    return c->loss.sacked == NULL ? 0 : tern_ranges_bytes_within(c->loss.sacked, from, to);
}

static uint64_t sacked_bytes(const struct tern_tcb *c)
{
    return c->loss.sacked == NULL ? 0 : tern_ranges_bytes(c->loss.sacked);
}

/* RFC 6675 §4 SetPipe: in flight, less what arrived, less what is lost and not yet sent again. */
uint64_t tern_tcb_pipe(const struct tern_tcb *c)
{
    const uint64_t flight = c->snd.nxt - c->snd.una;
    const uint64_t from = tern_max_u64(c->loss.resent_below, c->snd.una);
    uint64_t gone = sacked_bytes(c);

    if (c->loss.lost_below > from)
        gone += c->loss.lost_below - from - sacked_within(c, from, c->loss.lost_below);
    if (!c->opt.sack && c->loss.state != TERN_RECOVERY_LOSS)
        gone += (uint64_t)c->loss.dupacks * tern_tcb_segment_bytes(c);
    return gone < flight ? flight - gone : 0;
}

bool tern_tcb_next_lost(const struct tern_tcb *c, uint64_t *from, uint64_t *to)
{
    uint64_t at = tern_max_u64(c->loss.resent_below, c->snd.una);
    uint64_t stop = tern_min_u64(c->loss.lost_below, c->snd.nxt);

    if (c->loss.sacked != NULL) {
        const struct tern_ranges *r = c->loss.sacked;
        uint16_t i = tern_ranges_seek(r, at);

        if (i < r->count && r->item[i].start <= at)
            at = r->item[i++].end;
        if (i < r->count)
            stop = tern_min_u64(stop, r->item[i].start);
    }
    *from = at;
    *to = stop;
    return at < stop;
}

/* Take in the SACK blocks of an ACK; returns the bytes that are new. */
static uint64_t take_sack(struct tern_tcb *c, const struct tern_segment *seg)
{
    uint64_t before;

    if (!c->opt.sack || seg->h.sack_count == 0)
        return 0;
    if (c->loss.sacked == NULL)
        c->loss.sacked = tern_tcb_ranges_take(c);
    if (c->loss.sacked == NULL)
        return 0; /* no memory: a hint is lost, no byte is */
    before = tern_ranges_bytes(c->loss.sacked);
    for (uint8_t i = 0; i < seg->h.sack_count; i++) {
        uint64_t start = tern_tcb_unwrap(c->snd.una, seg->h.sack[i].start);
        const uint64_t end = tern_tcb_unwrap(c->snd.una, seg->h.sack[i].end);

        if (end <= start || end <= c->snd.una || end > c->snd.max)
            continue; /* old, a DSACK, or nonsense (RFC 2883 §4) */
        start = tern_max_u64(start, c->snd.una);
        (void)tern_ranges_add(c->loss.sacked, start, end);
    }
    return tern_ranges_bytes(c->loss.sacked) - before;
}

static void trim(struct tern_tcb *c)
{
    c->loss.resent_below = tern_max_u64(c->loss.resent_below, c->snd.una);
    c->loss.lost_below = tern_max_u64(c->loss.lost_below, c->snd.una);
    if (c->loss.sacked == NULL)
        return;
    tern_ranges_trim(c->loss.sacked, c->snd.una);
    if (c->loss.sacked->count == 0)
        tern_tcb_ranges_give(c, &c->loss.sacked);
}

/* RFC 6675 §4 IsLost: the highest number below which what is not SACKed is lost: three separate
 * ranges, or more than two segments' bytes, are SACKed above it. From the top, so a step or three.
 */
static uint64_t lost_by_sack(const struct tern_tcb *c)
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

static void trace_loss(struct tern_tcb *c, enum tern_cause cause, tern_time now)
{
    struct tern_trace *t = tern_trace_push(c->env->traces, now, TERN_TRACE_LOSS, c->id);

    if (t == NULL)
        return;
    t->loss.cause = cause;
    t->loss.offset = c->snd.una - c->snd.iss - 1;
    t->loss.bytes = (uint32_t)tern_min_u64(c->loss.lost_below - c->snd.una, UINT32_MAX);
}

static void enter_fast(struct tern_tcb *c, tern_time now)
{
    /* Not what limited transmit added since the first duplicate (RFC 5681 §3.2 (2)). */
    const uint64_t flight = tern_min_u64(c->snd.nxt - c->snd.una, c->cc.cwnd);

    c->loss.state = TERN_RECOVERY_FAST;
    c->loss.recover = c->snd.nxt;
    c->loss.resent_below = c->snd.una;
    c->loss.first_due = true;
    c->timed.active = false;
    c->count.fast_recoveries++;
    c->cc_ops->on_loss(&c->cc, flight, now);
    trace_loss(c, c->opt.sack ? TERN_CAUSE_SACK_RETRANSMIT : TERN_CAUSE_FAST_RETRANSMIT, now);
}

static void leave(struct tern_tcb *c, tern_time now)
{
    if (c->loss.state == TERN_RECOVERY_FAST)
        c->cc_ops->on_recovered(&c->cc, now);
    c->loss.state = TERN_RECOVERY_OPEN;
    c->loss.dupacks = 0;
    c->loss.first_due = false;
    c->loss.lost_below = c->loss.resent_below = c->snd.una;
}

static void grow(struct tern_tcb *c, uint64_t bytes, uint64_t in_flight, tern_time now)
{
    const struct tern_cc_ack ack = {
        .bytes = bytes,
        .in_flight = in_flight,
        .srtt = c->rtt.srtt,
        .now = now,
        .cwnd_limited = c->cwnd_limited,
    };

    c->cc_ops->on_ack(&c->cc, &ack);
}

static void note_losses(struct tern_tcb *c)
{
    /* Without SACK, duplicates of what was resent look like a loss behind it: RFC 6582 §3.2. */
    const bool proven = c->opt.sack || c->snd.una > c->loss.recover;
    uint64_t lost = lost_by_sack(c);

    if (c->loss.dupacks >= TERN_TCP_DUPACKS && proven && c->loss.state == TERN_RECOVERY_OPEN)
        lost = tern_max_u64(lost, tern_min_u64(c->snd.una + tern_tcb_segment_bytes(c), c->snd.nxt));
    c->loss.lost_below = tern_max_u64(c->loss.lost_below, lost);
}

static void in_fast(struct tern_tcb *c, uint64_t acked, tern_time now)
{
    if (c->snd.una >= c->loss.recover) {
        leave(c, now);
    } else if (acked > 0 && !c->opt.sack) { /* a partial ACK: the next hole (RFC 6582 §3.2 (3)) */
        c->loss.lost_below = tern_min_u64(c->snd.una + tern_tcb_segment_bytes(c), c->snd.nxt);
        c->loss.resent_below = c->snd.una;
        c->loss.first_due = true;
        c->loss.dupacks -=
            (uint32_t)tern_min_u64(c->loss.dupacks, acked / tern_tcb_segment_bytes(c));
    }
}

void tern_tcb_loss_on_ack(struct tern_tcb *c, const struct tern_segment *seg, uint64_t acked_bytes,
                          bool duplicate, tern_time now)
{
    const uint64_t flight_before = c->snd.nxt - c->snd.una + acked_bytes;
    const uint64_t news = take_sack(c, seg);

    trim(c);
    if (duplicate) {
        c->count.dup_acks_in++;
        if (!c->opt.sack || news > 0)
            c->loss.dupacks++;
    } else if (acked_bytes > 0 && c->loss.state == TERN_RECOVERY_OPEN) {
        c->loss.dupacks = 0;
    }
    note_losses(c);
    switch (c->loss.state) {
    case TERN_RECOVERY_OPEN:
        if (c->loss.lost_below > c->snd.una)
            enter_fast(c, now);
        else if (acked_bytes > 0)
            grow(c, acked_bytes, flight_before, now);
        break;
    case TERN_RECOVERY_FAST:
        in_fast(c, acked_bytes, now);
        break;
    case TERN_RECOVERY_LOSS:
        if (acked_bytes > 0)
            grow(c, acked_bytes, flight_before, now);
        if (c->snd.una >= c->loss.recover)
            leave(c, now);
        break;
    }
}

void tern_tcb_loss_of_all(struct tern_tcb *c, enum tern_cause cause, tern_time now)
{
    c->loss.state = TERN_RECOVERY_LOSS;
    c->loss.recover = c->snd.nxt;
    c->loss.lost_below = c->snd.nxt;
    c->loss.resent_below = c->snd.una;
    c->loss.dupacks = 0;
    c->loss.first_due = false;
    c->timed.active = false;
    trace_loss(c, cause, now);
}

void tern_tcb_loss_on_rto(struct tern_tcb *c, tern_time now)
{
    const bool first = c->loss.retries <= 1;

    if (c->loss.sacked != NULL && tern_ranges_covers(c->loss.sacked, c->snd.una, c->snd.una + 1))
        tern_tcb_ranges_give(c, &c->loss.sacked); /* reneged: RFC 2018 §8 */
    c->cc_ops->on_rto(&c->cc, c->snd.nxt - c->snd.una, first, now);
    c->count.rtos++;
    tern_tcb_loss_of_all(c, TERN_CAUSE_RTO, now);
}
