/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reno (RFC 5681) with appropriate byte counting (RFC 3465): cwnd grows by the bytes that were
 * acknowledged and not by the number of ACKs, so that neither delayed ACKs nor split ones matter.
 *
 * Slow start: by the acknowledged bytes (docs/decisions/0004), 1 MSS an ACK after a timeout (RFC
 * 3465 §2.3). Congestion avoidance: one MSS for each whole cwnd acknowledged (RFC 3465 §2.1).
 * Loss: half of what was in flight, at least 2 MSS. A window that did not hold us back does not
 * grow, since nothing was learnt about it (RFC 7661's concern).
 */
#include "base/assert.h"
#include "proto/tcp/cc.h"

static void reno_init(struct tern_cc_state *s, uint32_t mss)
{
    tern_cc_start(s, mss);
}

static void reno_on_ack(struct tern_cc_state *s, const struct tern_cc_ack *ack)
{
    uint64_t bytes = ack->bytes;

    if (s->cwnd < s->ssthresh)
        bytes = tern_cc_slow_start(s, ack);
    if (!ack->cwnd_limited || s->cwnd < s->ssthresh)
        return;
    s->reno.acked += bytes;
    if (s->reno.acked >= s->cwnd) { /* once an ACK: an ACK never stands for two round trips */
        s->reno.acked -= s->cwnd;
        s->cwnd += s->mss;
        if (s->reno.acked > s->cwnd)
            s->reno.acked = s->cwnd;
    }
}

/* RFC 5681 §3.1 equation (4). */
static uint64_t half(const struct tern_cc_state *s, uint64_t in_flight)
{
    const uint64_t least = 2 * (uint64_t)s->mss;

    return in_flight / 2 > least ? in_flight / 2 : least;
}

static void reno_on_loss(struct tern_cc_state *s, uint64_t in_flight, tern_time now)
{
    (void)now;
    s->ssthresh = half(s, in_flight);
    s->cwnd = s->ssthresh;
    s->after_rto = false;
    s->reno.acked = 0;
    TERN_ASSERT(s->cwnd >= s->mss);
}

/* RFC 3168 §6.1.2: as a loss is answered, but down to one segment (docs/decisions/0021). */
static void reno_on_ecn(struct tern_cc_state *s, uint64_t in_flight, tern_time now)
{
    reno_on_loss(s, in_flight, now);
    if (in_flight / 2 < s->cwnd)
        s->cwnd = in_flight / 2 > s->mss ? in_flight / 2 : s->mss;
    TERN_ASSERT(s->cwnd <= s->ssthresh);
}

static void reno_on_rto(struct tern_cc_state *s, uint64_t in_flight, bool first, tern_time now)
{
    (void)now;
    if (first) /* RFC 5681 §3.1: a segment that is resent again leaves ssthresh alone */
        s->ssthresh = half(s, in_flight);
    s->cwnd = s->mss;
    s->after_rto = true;
    s->reno.acked = 0;
    TERN_ASSERT(s->ssthresh > s->cwnd);
}

static void reno_on_recovered(struct tern_cc_state *s, tern_time now)
{
    (void)now;
    if (s->cwnd > s->ssthresh) /* RFC 6582 §3.2 step 3: deflate what recovery may have added */
        s->cwnd = s->ssthresh;
}

const struct tern_cc_ops tern_cc_reno = {
    .name = "reno",
    .init = reno_init,
    .on_ack = reno_on_ack,
    .on_loss = reno_on_loss,
    .on_ecn = reno_on_ecn,
    .on_rto = reno_on_rto,
    .on_recovered = reno_on_recovered,
};
