/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_PROTO_TCP_CC_H
#define TERN_PROTO_TCP_CC_H
/*
 * Congestion control behind one table. A newcomer adds one file and one line in cc.c.
 * The engine detects (ACKs, losses, timeouts, ECN marks); a controller only turns that into cwnd,
 * ssthresh and, if it likes, a pacing rate. All times in nanoseconds; `now` is the engine's and
 * never goes back.
 *
 * Recovery is the engine's: while it lasts the engine lets proportional rate reduction (RFC 6937)
 * move cwnd towards ssthresh, and calls on_recovered at its end. A controller with own_recovery
 * gets on_ack then too, and cwnd is left to it. The engine keeps a copy of the state at the start
 * of a recovery, and puts it back where the recovery proves spurious (RFC 4015 §3.2).
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tern/time.h>

#define TERN_CC_SSTHRESH_NONE UINT64_MAX

/* Slow start's own brake (RFC 9406). */
struct tern_hystart {
    uint64_t round_end; /* sequence number: the round is over once it is acknowledged */
    tern_time last_round_min, round_min, css_baseline_min; /* TERN_TIME_NEVER: none */
    uint32_t samples, css_rounds;
    bool started, in_css;
};

/* BBR's view of the path, and where it is in its cycle: names as in draft-ietf-ccwg-bbr §2. */
struct tern_bbr {
    uint64_t max_bw[2]; /* bytes a second: of this ProbeBW cycle, of the one before */
    uint64_t bw_shortterm, bw_latest, full_bw;
    uint64_t delivered; /* bytes, as of the last ACK; the next two are ends of rounds in the same */
    uint64_t next_round_delivered, loss_round_delivered;
    tern_time min_rtt, min_rtt_stamp; /* min_rtt TERN_TIME_NEVER: none */
    tern_time probe_rtt_min_delay, probe_rtt_min_stamp;
    tern_time probe_rtt_done_stamp; /* TERN_TIME_NEVER: inflight has not come down yet */
    tern_time cycle_stamp, bw_probe_wait;
    tern_time extra_acked_start;
    uint32_t inflight_latest, inflight_shortterm, inflight_longterm, prior_cwnd; /* bytes */
    uint32_t extra_acked_delivered, extra_acked[2];
    uint32_t lost_in_round; /* bytes */
    uint32_t up_acked;      /* bytes counted towards the next raise of inflight_longterm */
    uint8_t state, acks_of; /* enum tern_bbr_state, enum tern_bbr_acks */
    uint8_t rounds_in_state, rounds_since_probe, up_rounds, full_bw_count, loss_events;
    uint8_t extra_acked_rounds;
    uint8_t ignore_rounds; /* of samples that ProbeRTT made low */
    bool started : 1, round_start : 1, loss_round_start : 1, loss_in_round : 1;
    bool full_bw_now : 1, full_bw_reached : 1, idle_restart : 1, probe_rtt_expired : 1;
    bool probe_rtt_round_done : 1, bw_probe_samples : 1, in_recovery : 1, marked : 1;
};

struct tern_cc_state {
    uint64_t cwnd, ssthresh; /* bytes */
    uint64_t pacing_rate;    /* bytes a second; 0: the engine takes a multiple of cwnd / srtt */
    uint32_t mss;
    bool after_rto; /* in the slow start that follows a timeout (RFC 3465 §2.3) */
    struct tern_hystart hystart;
    union {
        struct {
            uint64_t acked; /* bytes counted towards the next increase (RFC 3465 §2.1) */
        } reno;
        struct {
            double w_max, k, origin_point, w_est; /* segments, seconds: RFC 9438 §4.1 */
            double byte_fraction;                 /* gained, but not yet a whole byte of cwnd */
            uint32_t mss;                         /* of the segments that they count in */
            uint64_t cwnd_prior;                  /* bytes; 0: no loss yet */
            tern_time epoch_start;                /* TERN_TIME_NEVER: none */
            tern_time last_ack_at;                /* within the epoch */
        } cubic;
        struct tern_bbr bbr;
    };
};

/* How fast the path delivered what this ACK tells of: draft-ietf-ccwg-bbr §4.1's rate sample. */
struct tern_rate_sample {
    uint64_t delivered;       /* bytes delivered over the interval; 0: no sample */
    uint64_t prior_delivered; /* the connection's count when the newest of them was sent */
    tern_time interval;       /* the longer of the send's and the ACKs' */
    uint64_t in_flight_at_send;
    bool is_app_limited;
};

struct tern_cc_ack {
    uint64_t bytes;           /* newly acknowledged in order */
    uint64_t delivered_bytes; /* newly acknowledged in order or by SACK */
    uint64_t delivered_total; /* of the connection, this ACK included */
    uint64_t lost_bytes;      /* newly deemed lost */
    uint64_t in_flight;       /* before this ACK, bytes */
    uint64_t pipe;            /* after it: thought to be in the network */
    uint64_t una, nxt;        /* SND.UNA after this ACK, and SND.NXT: to tell rounds */
    tern_time rtt;            /* this ACK's own sample; 0: none */
    tern_time rtt_min;        /* of the connection; TERN_TIME_NEVER: none */
    tern_time srtt, now;
    struct tern_rate_sample rate;
    bool cwnd_limited; /* the window was what held us back (RFC 7661's concern) */
    bool in_recovery;  /* only with own_recovery */
};

struct tern_cc_ops {
    const char *name;
    bool own_recovery;
    bool any_pause; /* on_restart however short the pause was, whatever the settings say */
    void (*init)(struct tern_cc_state *s, uint32_t mss); /* IW10: RFC 6928 §2 */
    void (*on_ack)(struct tern_cc_state *s, const struct tern_cc_ack *ack);
    /* Entering fast recovery: set ssthresh (RFC 5681 §3.1 (4); RFC 9438 §4.6), and cwnd to it.
     * in_flight: RFC 5681's FlightSize, sent and not yet acknowledged, lost bytes included. */
    void (*on_loss)(struct tern_cc_state *s, uint64_t in_flight, tern_time now);
    /* The network marked a segment of ours (RFC 3168 §6.1.2), once a round trip at most. NULL: as
     * on_loss. */
    void (*on_ecn)(struct tern_cc_state *s, uint64_t in_flight, tern_time now);
    /* Retransmission timeout: ssthresh, and cwnd of one segment (RFC 5681 §3.1). first: not
     * again for bytes that a timeout had resent before. */
    void (*on_rto)(struct tern_cc_state *s, uint64_t in_flight, bool first, tern_time now);
    /* Leaving fast recovery. */
    void (*on_recovered)(struct tern_cc_state *s, tern_time now);
    /* The last recovery, or timeout, was for nothing (RFC 4015 §3.2); was: the state before it.
     * NULL: the engine puts that back, cwnd no lower than it has become. */
    void (*on_undo)(struct tern_cc_state *s, const struct tern_cc_state *was, tern_time now);
    /* Nothing was sent for longer than an RTO, and now something will be (RFC 5681 §4.1). NULL:
     * tern_cc_restart(). */
    void (*on_restart)(struct tern_cc_state *s, tern_time idle, tern_time rto, tern_time now);
};

extern const struct tern_cc_ops tern_cc_reno, tern_cc_cubic, tern_cc_bbr;

/* By name; NULL: unknown. */
const struct tern_cc_ops *tern_cc_find(const char *name);
/* RFC 6928 §2: min(10 * MSS, max(2 * MSS, 14600)). */
uint64_t tern_cc_initial_window(uint32_t mss);

/* For controllers. */

/* Zero the state; the initial window and no ssthresh. */
void tern_cc_start(struct tern_cc_state *s, uint32_t mss);
/*
 * Slow start, while cwnd < ssthresh, for every ACK: grow by the acknowledged bytes, 1 MSS an ACK
 * after a timeout (RFC 3465 §2.3), and not beyond ssthresh; not at all where the window was
 * not what held us back. RFC 3465 §2.2's limit of 2 MSS an ACK is left out: see
 * docs/decisions/0004. The first slow start ends by HyStart++ (RFC 9406) where no loss ends it.
 * Returns the bytes within the limit that ssthresh cut off: they count for congestion avoidance.
 */
uint64_t tern_cc_slow_start(struct tern_cc_state *s, const struct tern_cc_ack *ack);
/*
 * After an idle time of more than an RTO nothing is known of the path any more: back to the
 * initial window (RFC 5681 §4.1). What was known of its size is not thrown away: slow start
 * may go up to three quarters of the old window (docs/decisions/0020).
 */
void tern_cc_restart(struct tern_cc_state *s);
/* The cube root of v, to the last few bits; 0 for what is not above 0. */
double tern_cc_cubic_root(double v);

#endif
