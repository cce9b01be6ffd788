/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The retransmission timeout, RFC 6298 with RFC 7323 appendix G's gains.
 *
 * Owns srtt, rttvar and the RTO made from them. rto_base is the timeout without back-off: 1 s
 * before any sample (§2.1), 3 s where the SYN was lost (§5.7), else the formula of §2.2 and
 * §2.3. rto is rto_base doubled once for each back-off, never above TERN_RTO_MAX.
 *
 * Integers in nanoseconds throughout: the rounding is far below the clock's own noise. A sample
 * may come from a timestamp that the peer echoed, so it is a claim of the peer's and is clamped
 * before it is used.
 *
 * The floor of 200 ms stands under the variance term and not only under the sum: a path of a
 * steady 190 ms would otherwise time out on 10 ms of jitter, and a peer's delayed ACK (up to
 * 500 ms by RFC 9293, at most 200 ms in practice) on a short path would look like a loss.
 */
#include "proto/tcp/rtt.h"

#include "base/assert.h"

#define RTO_AFTER_SYN_LOSS (3 * TERN_SECOND) /* RFC 6298 §5.7 */
#define ALPHA_DIVISOR      8                 /* RFC 6298 §2.3: 1/8 */
#define BETA_DIVISOR       4                 /* RFC 6298 §2.3: 1/4 */
#define K                  4                 /* RFC 6298 §2.3 */

_Static_assert(TERN_RTO_MIN >= TERN_RTT_GRANULARITY, "the floor covers RFC 6298's G");
_Static_assert(TERN_RTO_MAX >= 60 * TERN_SECOND, "RFC 6298 §2.5");

static tern_time clamp(tern_time v, tern_time low, tern_time high)
{
    if (v < low)
        return low;
    return v > high ? high : v;
}

void tern_rtt_init(struct tern_rtt *r)
{
    *r = (struct tern_rtt){
        .rtt_min = TERN_TIME_NEVER, .rto = TERN_RTO_INITIAL, .rto_base = TERN_RTO_INITIAL};
}

void tern_rtt_sample(struct tern_rtt *r, tern_time sample, uint32_t samples_per_rtt)
{
    const tern_time n = samples_per_rtt;
    tern_time variance;

    TERN_ASSERT(samples_per_rtt >= 1);
    sample = clamp(sample, 1, TERN_RTO_MAX);
    if (sample < r->rtt_min)
        r->rtt_min = sample;
    if (r->srtt == 0) { /* RFC 6298 §2.2 */
        r->srtt = sample;
        r->rttvar = sample / 2;
    } else { /* RFC 6298 §2.3: rttvar first, with the old srtt; RFC 7323 appendix G: gains over n */
        const tern_time error = sample > r->srtt ? sample - r->srtt : r->srtt - sample;

        r->rttvar += (error - r->rttvar) / (BETA_DIVISOR * n);
        r->srtt += (sample - r->srtt) / (ALPHA_DIVISOR * n);
    }
    TERN_ASSERT(r->srtt > 0);
    TERN_ASSERT(r->rttvar >= 0);
    variance = clamp(K * r->rttvar, TERN_RTO_MIN, TERN_RTO_MAX);
    r->rto_base = clamp(r->srtt + variance, TERN_RTO_MIN, TERN_RTO_MAX);
    tern_rtt_backoff_end(r);
}

void tern_rtt_backoff(struct tern_rtt *r)
{
    TERN_ASSERT(r->rto > 0);
    r->rto = clamp(r->rto * 2, TERN_RTO_MIN, TERN_RTO_MAX);
    r->backoffs++;
}

void tern_rtt_backoff_end(struct tern_rtt *r)
{
    TERN_ASSERT(r->rto_base >= TERN_RTO_MIN);
    r->rto = r->rto_base;
    r->backoffs = 0;
}

void tern_rtt_after_syn_loss(struct tern_rtt *r)
{
    if (r->rto_base < RTO_AFTER_SYN_LOSS)
        r->rto_base = RTO_AFTER_SYN_LOSS;
    tern_rtt_backoff_end(r);
}
