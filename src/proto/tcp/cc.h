/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_PROTO_TCP_CC_H
#define TERN_PROTO_TCP_CC_H
/*
 * Congestion control behind one table. A newcomer adds one file and one line in cc.c.
 * The engine detects (ACKs, losses, timeouts); a controller only turns that into cwnd and
 * ssthresh, in bytes. All times in nanoseconds; `now` is the engine's and never goes back.
 *
 * The engine may add to cwnd during fast recovery (RFC 5681 §3.2 step 4: inflation); on_recovered
 * takes that back. It need not call on_ack during recovery.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tern/time.h>

#define TERN_CC_SSTHRESH_NONE UINT64_MAX

struct tern_cc_state {
    uint64_t cwnd, ssthresh; /* bytes */
    uint32_t mss;
    bool after_rto; /* in the slow start that follows a timeout (RFC 3465 §2.3) */
    union {
        struct {
            uint64_t acked; /* bytes counted towards the next increase (RFC 3465 §2.1) */
        } reno;
        struct {
            double w_max, k, origin_point, w_est; /* segments, seconds: RFC 9438 §4.1 */
            double byte_fraction;                 /* gained, but not yet a whole byte of cwnd */
            uint64_t cwnd_prior;                  /* bytes; 0: no loss yet */
            tern_time epoch_start;                /* TERN_TIME_NEVER: none */
            tern_time last_ack_at;                /* within the epoch */
        } cubic;
    };
};

struct tern_cc_ack {
    uint64_t bytes;     /* newly acknowledged in order or by SACK */
    uint64_t in_flight; /* before this ACK, bytes */
    tern_time srtt, now;
    bool cwnd_limited; /* the window was what held us back (RFC 7661's concern) */
};

struct tern_cc_ops {
    const char *name;
    void (*init)(struct tern_cc_state *s, uint32_t mss); /* IW10: RFC 6928 §2 */
    void (*on_ack)(struct tern_cc_state *s, const struct tern_cc_ack *ack);
    /* Entering fast recovery: set ssthresh and cwnd (RFC 5681 §3.1 (4); RFC 9438 §4.6).
     * in_flight: RFC 5681's FlightSize, sent and not yet acknowledged, lost bytes included. */
    void (*on_loss)(struct tern_cc_state *s, uint64_t in_flight, tern_time now);
    /* Retransmission timeout: ssthresh, and cwnd of one segment (RFC 5681 §3.1). first: not
     * again for bytes that a timeout had resent before. */
    void (*on_rto)(struct tern_cc_state *s, uint64_t in_flight, bool first, tern_time now);
    /* Leaving fast recovery. */
    void (*on_recovered)(struct tern_cc_state *s, tern_time now);
};

extern const struct tern_cc_ops tern_cc_reno, tern_cc_cubic;

/* By name; NULL: unknown. */
const struct tern_cc_ops *tern_cc_find(const char *name);
/* RFC 6928 §2: min(10 * MSS, max(2 * MSS, 14600)). */
uint64_t tern_cc_initial_window(uint32_t mss);

/* For controllers. */

/* Zero the state; the initial window and no ssthresh. */
void tern_cc_start(struct tern_cc_state *s, uint32_t mss);
/*
 * Slow start, while cwnd < ssthresh: grow by the acknowledged bytes, 1 MSS an ACK after a timeout
 * (RFC 3465 §2.3), and not beyond ssthresh. RFC 3465 §2.2's limit of 2 MSS an ACK is left out: see
 * docs/decisions/0004. Returns the bytes within the limit that ssthresh cut off: they count for
 * congestion avoidance.
 */
uint64_t tern_cc_slow_start(struct tern_cc_state *s, uint64_t bytes);
/* The cube root of v, to the last few bits; 0 for what is not above 0. */
double tern_cc_cubic_root(double v);

#endif
