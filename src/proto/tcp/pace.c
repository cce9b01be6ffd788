/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pacing: a window's worth of segments is spread over the round trip instead of leaving as one
 * burst that overflows the queue at the bottleneck. Segments leave in small bursts, one each
 * millisecond or so, since a timer costs as much as they do; and where a round trip is a fraction
 * of a millisecond not at all, for there the ACKs are clock enough and any timer is too coarse.
 */
#include "proto/tcp/internal.h"

#define PACE_RTT_MIN     (500 * TERN_US)
#define PACE_BURST       (1 * TERN_MS) /* so long a part of the rate goes at once */
#define PACE_BURST_LEAST 2             /* segments */

static uint64_t within_limit(const struct tern_tcb *c, uint64_t rate)
{
    return c->set.pacing_rate_max > 0 && (rate == 0 || rate > c->set.pacing_rate_max)
               ? c->set.pacing_rate_max
               : rate;
}

/* What the window comes to over a round trip: twice in slow start, or the window could not double;
 * else with a margin to probe into. 0: the path is too short, or nothing is known of it. */
static uint64_t rate_of_window(const struct tern_tcb *c)
{
    double rate;

    if (c->rtt.srtt < PACE_RTT_MIN || c->delivered.total == 0)
        return 0;
    rate = (double)c->cc.cwnd * (double)TERN_SECOND / (double)c->rtt.srtt *
           (c->cc.cwnd < c->cc.ssthresh / 2 ? 2.0 : 1.2);
    return rate > 1.0 ? (uint64_t)rate : 1;
}

uint64_t tern_tcb_pace_rate(const struct tern_tcb *c)
{
    if (c->cc.pacing_rate > 0)
        return within_limit(c, c->cc.pacing_rate);
    return within_limit(c, c->set.pacing ? rate_of_window(c) : 0);
}

/* Paced or not: a super-segment is a burst, and takes its time on the wire. */
uint64_t tern_tcb_pace_burst(const struct tern_tcb *c)
{
    const uint64_t rate =
        within_limit(c, c->cc.pacing_rate > 0 ? c->cc.pacing_rate : rate_of_window(c));
    const uint64_t least = PACE_BURST_LEAST * (uint64_t)tern_tcb_segment_bytes(c);

    return rate == 0 ? UINT64_MAX : tern_max_u64(rate / (TERN_SECOND / PACE_BURST), least);
}

bool tern_tcb_pace_holds(struct tern_tcb *c, tern_time now)
{
    if (c->pace.next <= now || tern_tcb_pace_rate(c) == 0)
        return false;
    c->timer.pace = c->pace.next;
    return true;
}

/* The first window goes at once (RFC 6928 §2): nothing is known of the path yet. A timer that comes
 * late is made up for by at most a burst. */
void tern_tcb_pace_sent(struct tern_tcb *c, uint64_t bytes, tern_time now)
{
    const uint64_t rate = tern_tcb_pace_rate(c);
    tern_time start = c->pace.next;

    if (rate == 0)
        return;
    if (start < now - PACE_BURST)
        start = now - PACE_BURST;
    c->pace.next = start + (tern_time)((double)bytes * (double)TERN_SECOND / (double)rate);
}
