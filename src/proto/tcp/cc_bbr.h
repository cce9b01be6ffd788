/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_PROTO_TCP_CC_BBR_H
#define TERN_PROTO_TCP_CC_BBR_H
/* What BBR's two files call of each other: cc_bbr.c is the state machine, cc_bbr_model.c what is
 * known of the path. Nobody else includes this but tests. */
#include "proto/tcp/cc.h"

enum tern_bbr_state {
    TERN_BBR_STARTUP,
    TERN_BBR_DRAIN,
    TERN_BBR_DOWN, /* the four phases of ProbeBW */
    TERN_BBR_CRUISE,
    TERN_BBR_REFILL,
    TERN_BBR_UP,
    TERN_BBR_PROBE_RTT,
};

/* What the ACKs that arrive now are answers to: acks_of in struct tern_bbr. */
enum tern_bbr_acks {
    TERN_BBR_ACKS_PLAIN,
    TERN_BBR_ACKS_REFILLING,
    TERN_BBR_ACKS_STARTING, /* UP has begun, its packets are still on their way */
    TERN_BBR_ACKS_FEEDBACK, /* of packets that UP sent */
    TERN_BBR_ACKS_STOPPING, /* UP is over, its last packets come in */
};

#define TERN_BBR_NO_RATE     UINT64_MAX
#define TERN_BBR_NO_INFLIGHT UINT32_MAX

/* So many bytes of inflight, kept in 32 bits. */
uint32_t tern_bbr_clamp(uint64_t bytes);
/* bytes a second for a time. */
uint64_t tern_bbr_bytes(uint64_t rate, tern_time time);
/* The rate that this ACK shows; 0: none. */
uint64_t tern_bbr_rate(const struct tern_cc_ack *ack);
uint64_t tern_bbr_max_bw(const struct tern_cc_state *s);
/* What it sends by: max_bw, or less after recent losses. */
uint64_t tern_bbr_bw(const struct tern_cc_state *s);
/* Without an RTT the initial window stands for it. */
uint64_t tern_bbr_bdp(const struct tern_cc_state *s);
bool tern_bbr_is_probe_bw(const struct tern_cc_state *s);
/* The pipe is being filled on purpose: a loss tells of that, and not of others. */
bool tern_bbr_is_probing(const struct tern_cc_state *s);

void tern_bbr_round_restart(struct tern_cc_state *s);
void tern_bbr_full_bw_reset(struct tern_cc_state *s, uint64_t rate);
void tern_bbr_short_term_reset(struct tern_cc_state *s);
/* §5.5.10.2: the first loss of a round begins a loss round. */
void tern_bbr_note_loss(struct tern_cc_state *s, uint64_t bytes);
void tern_bbr_signals_reset(struct tern_cc_state *s);
/* The application, or ProbeRTT, was what held this ACK's sample down. */
bool tern_bbr_is_limited(const struct tern_cc_state *s, const struct tern_cc_ack *ack);
/* More was lost lately than the 2 % of what was in flight that are borne; or something marked. */
bool tern_bbr_too_much_lost(const struct tern_cc_state *s, const struct tern_cc_ack *ack);

/* For each ACK: first this, then the state machine, then tern_bbr_model_advance(). */
void tern_bbr_model_update(struct tern_cc_state *s, const struct tern_cc_ack *ack);
void tern_bbr_model_advance(struct tern_cc_state *s, const struct tern_cc_ack *ack);

#endif
