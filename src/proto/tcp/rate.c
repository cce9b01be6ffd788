/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How fast the path delivers (draft-ietf-ccwg-bbr §4.1): each segment remembers how much had been
 * delivered when it went; when it arrives, what was delivered in between, over the time it took,
 * is a sample. The longer of the time that the sending took and the time that the ACKs took
 * counts, so that neither a burst nor a compression of ACKs looks like speed.
 */
#include "proto/tcp/internal.h"

#define JOIN_PART 64 /* of a round trip: see sentlog.h */
#define ROOM_PART 8  /* the same, of what went again, where there is no room left */

void tern_tcb_note_sent(struct tern_tcb *c, uint64_t from, uint64_t to, uint32_t segment,
                        bool again, tern_time now)
{
    const uint64_t pipe = tern_tcb_pipe(c); /* what goes again is not in it yet */
    const bool was_idle = pipe == (again ? 0 : to - from);
    const tern_time join = c->rtt.srtt / JOIN_PART;
    struct tern_sent s = {.start = from, .end = to, .first_at = now, .at = now, .segment = segment};

    if (c->log == NULL) {
        c->log = tern_pool_take(&c->env->logs);
        if (c->log == NULL)
            return; /* duplicate ACKs and the timer do without */
        tern_sentlog_init(c->log);
    }
    if (was_idle) /* all that was sent before is lost: the silence is no part of the rate */
        c->delivered.at = c->delivered.burst_at = now;
    s.delivered = c->delivered.total;
    s.delivered_at = c->delivered.at;
    s.burst_at = c->delivered.burst_at;
    s.in_flight = pipe;
    s.app_limited = c->delivered.app_limited > 0;
    if (again) {
        tern_sentlog_make_room_again(c->log, c->loss.sacked, c->rtt.srtt / ROOM_PART);
        tern_sentlog_again(c->log, &s, join);
    } else {
        tern_sentlog_fresh(c->log, &s, join, c->snd.last_whole);
    }
    c->snd.last_whole = to - from == segment || (to - from) % segment == 0;
}

/* Bytes a second; neither overflows: what is delivered in an interval is less than 2^33. */
static uint64_t rate_of(uint64_t bytes, tern_time interval)
{
    return bytes * (uint64_t)TERN_SECOND / (uint64_t)interval;
}

void tern_tcb_note_delivered(struct tern_tcb *c, const struct tern_delivery *d,
                             struct tern_rate_sample *rate, tern_time now)
{
    tern_time sending, acking;

    memset(rate, 0, sizeof(*rate));
    c->delivered.total += d->delivered;
    if (d->delivered > 0) {
        const uint32_t segment = tern_tcb_segment_bytes(c);

        c->delivered.segs += (d->delivered + segment - 1) / segment;
        if (d->marked)
            c->delivered.ce_segs += (d->delivered + segment - 1) / segment;
        c->delivered.at = now;
    }
    if (c->delivered.app_limited > 0 && c->delivered.total > c->delivered.app_limited)
        c->delivered.app_limited = 0;
    if (!d->has_sent)
        return;
    c->delivered.burst_at = d->sent.at;
    sending = d->sent.at - d->sent.burst_at;
    acking = now - d->sent.delivered_at;
    rate->interval = sending > acking ? sending : acking;
    rate->delivered = rate->interval > 0 ? c->delivered.total - d->sent.delivered : 0;
    rate->prior_delivered = d->sent.delivered;
    rate->in_flight_at_send = d->sent.in_flight;
    rate->is_app_limited = d->sent.app_limited;
    if (rate->delivered > 0) {
        c->delivered.rate = rate_of(rate->delivered, rate->interval);
        c->delivered.rate_app_limited = rate->is_app_limited;
    }
}

/* Less than a segment is left, and waits for more of the application's (§4.1.2.4): it is held back
 * by Nagle's rule or a cork, and neither by the peer's window nor by the pacing. */
static bool only_rest_is_held(const struct tern_tcb *c)
{
    return c->snd.end < c->snd.nxt + tern_tcb_segment_bytes(c) &&
           c->snd.end <= c->snd.una + c->snd.wnd && c->timer.pace == TERN_TIME_NEVER;
}

/* Nothing more could go: was it for want of data, or of the peer's window? */
void tern_tcb_note_app_limited(struct tern_tcb *c)
{
    const uint64_t pipe = tern_tcb_pipe(c);
    const uint64_t until = tern_min_u64(c->snd.end, c->snd.una + c->snd.wnd);

    if (pipe < c->cc.cwnd && (c->snd.nxt >= until || only_rest_is_held(c)) &&
        tern_tcb_lost_bytes(c) == 0)
        c->delivered.app_limited = tern_max_u64(c->delivered.total + pipe, 1);
}
