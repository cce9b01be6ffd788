/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_PROTO_TCP_RTT_H
#define TERN_PROTO_TCP_RTT_H
/*
 * Round-trip times and the retransmission timeout (RFC 6298). Departure: the floor of the RTO
 * is srtt + 200 ms and not 1 s (RFC 6298 §2.4 SHOULD), as deployed hosts have it; see
 * docs/decisions.
 */
#include <stdbool.h>
#include <stdint.h>

#include <tern/time.h>

#define TERN_RTO_INITIAL     (1 * TERN_SECOND) /* RFC 6298 §2.1 */
#define TERN_RTO_MIN         (200 * TERN_MS)
#define TERN_RTO_MAX         (120 * TERN_SECOND) /* RFC 6298 §2.5: at least 60 s */
#define TERN_RTT_GRANULARITY (1 * TERN_MS)       /* RFC 6298's G */

struct tern_rtt {
    tern_time srtt, rttvar; /* 0: no sample yet */
    tern_time rtt_min;      /* TERN_TIME_NEVER: no sample yet */
    tern_time rto;          /* with back-off applied */
    tern_time rto_base;     /* without */
    uint32_t backoffs;      /* doublings since the last good sample */
};

void tern_rtt_init(struct tern_rtt *r);
/*
 * A sample that is not ambiguous (Karn: RFC 6298 §3). samples_per_rtt: expected number of
 * samples in a window, at least 1, to scale the gains when every ACK gives one (RFC 7323
 * appendix G). Impossible samples are clamped. Ends any back-off.
 */
void tern_rtt_sample(struct tern_rtt *r, tern_time sample, uint32_t samples_per_rtt);
/* The timer ran out: double (RFC 6298 §5.5). */
void tern_rtt_backoff(struct tern_rtt *r);
/* New data was acknowledged without a sample: the path lives, so drop the back-off (as Linux
 * does). */
void tern_rtt_backoff_end(struct tern_rtt *r);
/* RFC 6298 §5.7: the SYN was retransmitted; RTO must be 3 s when data starts. */
void tern_rtt_after_syn_loss(struct tern_rtt *r);

#endif
