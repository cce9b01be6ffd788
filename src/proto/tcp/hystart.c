/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HyStart++ (RFC 9406). Slow start doubles until something breaks; but before a buffer overflows
 * it fills, and that shows in the round-trip time. So the least RTT of each round trip is compared
 * with that of the round before. Where it rose by an eighth (at least 4 ms, at most 16 ms) cwnd
 * grows four times as slowly from then on: conservative slow start. If the RTT falls
 * again below what it was when that began, it was jitter, and slow start goes on as before. If it
 * has not after five rounds, slow start is over.
 *
 * A round trip ends when what had been sent at its begin is acknowledged. Where nothing is in
 * flight at the end of a round the next one begins with the first ACK of the next flight, so that
 * the pauses of an application make no rounds.
 *
 * Least RTTs count from the eighth sample of a round on: with fewer, a delayed ACK or two would
 * be the whole measurement.
 */
#include "proto/tcp/hystart.h"

#include "base/assert.h"

/* RFC 9406 §4.3 */
#define RTT_RISE_MIN     (4 * TERN_MS)
#define RTT_RISE_MAX     (16 * TERN_MS)
#define RTT_RISE_DIVISOR 8
#define SAMPLES_MIN      8
#define CSS_ROUNDS       5

static void round_begin(struct tern_hystart *h, const struct tern_cc_ack *ack)
{
    h->last_round_min = h->round_min;
    h->round_min = TERN_TIME_NEVER;
    h->samples = 0;
    h->round_end = ack->nxt;
    h->started = true;
}

/* Returns whether slow start is over with it. */
static bool round_finish(struct tern_hystart *h, const struct tern_cc_ack *ack)
{
    /* RFC 9406 §4.2: the partial round in which it began counts as one. */
    const bool over = h->in_css && ++h->css_rounds >= CSS_ROUNDS;

    h->started = false;
    if (ack->nxt > ack->una)
        round_begin(h, ack);
    return over;
}

static void note_sample(struct tern_hystart *h, tern_time rtt)
{
    if (rtt <= 0)
        return;
    h->samples++;
    if (rtt < h->round_min)
        h->round_min = rtt;
}

/* RFC 9406 §4.2: RttThresh */
static tern_time rise(tern_time last_round_min)
{
    const tern_time part = last_round_min / RTT_RISE_DIVISOR;

    if (part < RTT_RISE_MIN)
        return RTT_RISE_MIN;
    return part > RTT_RISE_MAX ? RTT_RISE_MAX : part;
}

static void judge(struct tern_hystart *h)
{
    if (h->samples < SAMPLES_MIN)
        return;
    TERN_ASSERT(h->round_min != TERN_TIME_NEVER);
    if (h->in_css) {
        h->in_css = h->round_min >= h->css_baseline_min;
    } else if (h->last_round_min != TERN_TIME_NEVER &&
               h->round_min >= h->last_round_min + rise(h->last_round_min)) {
        h->in_css = true;
        h->css_baseline_min = h->round_min;
        h->css_rounds = 0;
    }
}

enum tern_hystart_verdict tern_hystart_on_ack(struct tern_hystart *h, const struct tern_cc_ack *ack)
{
    TERN_ASSERT(ack->una <= ack->nxt);
    if (h->round_min == 0) /* the first ACK of all */
        h->round_min = TERN_TIME_NEVER;
    if (!h->started)
        round_begin(h, ack);
    note_sample(h, ack->rtt);
    judge(h);
    if (ack->una >= h->round_end && round_finish(h, ack))
        return TERN_HYSTART_LEAVE;
    return h->in_css ? TERN_HYSTART_GROW_SLOWLY : TERN_HYSTART_GROW;
}
