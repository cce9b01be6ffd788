/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_PROTO_TCP_CC_H
#define TERN_PROTO_TCP_CC_H
/*
 * Congestion control behind one table. A newcomer adds one file and one line in cc.c.
 * The engine detects (ACKs, losses, timeouts); a controller only turns that into cwnd and ssthresh, in bytes.
 * All times in nanoseconds; 'now' is the engine's.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tern/time.h>

#define TERN_CC_SSTHRESH_NONE UINT64_MAX

struct tern_cc_state {
    uint64_t cwnd, ssthresh; /* bytes */
    uint32_t mss;
    union {
        struct {
            uint64_t acked; /* bytes counted towards the next increase (RFC 3465 §2.1) */
        } reno;
        struct {
            double w_max, k, origin_point, w_est; /* segments, seconds: RFC 9438 §4.1 */
            uint64_t cwnd_prior;
            tern_time epoch_start; /* TERN_TIME_NEVER: none */
            double cwnd_fraction;  /* segments gained but not yet whole */
            uint64_t acked;
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
    /* Entering fast recovery: set ssthresh and cwnd (RFC 5681 §3.1 (4); RFC 9438 §4.6). */
    void (*on_loss)(struct tern_cc_state *s, uint64_t in_flight, tern_time now);
    /* Retransmission timeout: ssthresh, and cwnd of one segment (RFC 5681 §3.1). */
    void (*on_rto)(struct tern_cc_state *s, uint64_t in_flight, bool first, tern_time now);
    /* Leaving fast recovery. */
    void (*on_recovered)(struct tern_cc_state *s, tern_time now);
};

extern const struct tern_cc_ops tern_cc_reno, tern_cc_cubic;

/* By name; NULL: unknown. */
const struct tern_cc_ops *tern_cc_find(const char *name);
/* RFC 6928 §2: min(10 * MSS, max(2 * MSS, 14600)). */
uint64_t tern_cc_initial_window(uint32_t mss);

#endif
