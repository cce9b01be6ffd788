/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_PROTO_TCP_INTERNAL_H
#define TERN_PROTO_TCP_INTERNAL_H
/* What the engine's files call of each other. Nobody else includes this. */
#include "base/assert.h"
#include "proto/tcp/observe.h"
#include "proto/tcp/tcp.h"

/* state.c */
void tern_tcb_set_state(struct tern_tcb *c, enum tern_tcp_state to, tern_time now);
void tern_tcb_finish(struct tern_tcb *c, enum tern_err reason, tern_time now); /* to CLOSED */
void tern_tcb_enter_time_wait(struct tern_tcb *c, tern_time now);
bool tern_tcb_is_synchronised(const struct tern_tcb *c);
bool tern_tcb_can_receive(const struct tern_tcb *c); /* ESTABLISHED, FIN-WAIT-1, FIN-WAIT-2 */
void tern_tcb_trace_window(struct tern_tcb *c, uint64_t bytes, tern_time now);

/* reset.c */
void tern_tcb_answer_reset(struct tern_tcb *c, const struct tern_segment *seg,
                           enum tern_cause cause);

/* fast.c: true: that was all there was to do. */
bool tern_tcb_input_fast(struct tern_tcb *c, const struct tern_segment *seg, tern_time now);
/* arrive.c: as tern_tcb_input(), by every step, for the test that compares both. */
void tern_tcb_input_long(struct tern_tcb *c, const struct tern_segment *seg, tern_time now);

/* options.c */
void tern_tcb_negotiate(struct tern_tcb *c, const struct tern_tcp_header *syn, tern_time now);
/* Agree to nothing that a SYN cookie without timestamps could not remember. */
void tern_tcb_forgo_options(struct tern_tcb *c);
void tern_tcb_fill_options(const struct tern_tcb *c, struct tern_tcp_header *h, bool syn,
                           tern_time now);
uint32_t tern_tcb_ts_now(const struct tern_tcb *c, tern_time now);

/* ecn.c */
bool tern_tcb_ecn_agreed(const struct tern_tcb *c, uint8_t syn_flags);
uint8_t tern_tcb_ecn_flags(const struct tern_tcb *c, uint8_t flags);
void tern_tcb_ecn_text(struct tern_tcb *c, const struct tern_segment *seg);
bool tern_tcb_ecn_sends(const struct tern_tcb *c);
void tern_tcb_ecn_reduced(struct tern_tcb *c);
void tern_tcb_ecn_undone(struct tern_tcb *c);
void tern_tcb_ecn_echo(struct tern_tcb *c, uint64_t acked, tern_time now);

/* ack.c: step five of RFC 9293 §3.10.7.4 */
enum tern_ack_verdict { TERN_ACK_GO_ON, TERN_ACK_DROP, TERN_ACK_DROP_AND_ACK };
/* Does it acknowledge what somebody may who knows the connection? */
bool tern_tcb_ack_is_known(const struct tern_tcb *c, const struct tern_segment *seg);
/* first: our SYN-ACK is acknowledged as well, so that it is no duplicate. */
enum tern_ack_verdict tern_tcb_arrive_ack(struct tern_tcb *c, const struct tern_segment *seg,
                                          bool first, tern_time now);
void tern_tcb_take_window(struct tern_tcb *c, const struct tern_segment *seg, uint64_t seq,
                          tern_time now);
void tern_tcb_first_ack(struct tern_tcb *c, const struct tern_segment *seg, tern_time now);

/* What one ACK tells of. */
struct tern_delivery {
    uint64_t fack_before;   /* the highest that had arrived; blocks of one ACK come in any order */
    uint64_t acked;         /* bytes: in order */
    uint64_t delivered;     /* in order or by SACK, and not known before */
    uint64_t lost;          /* deemed lost because of it */
    bool original;          /* some of it had been sent only once, … */
    uint64_t original_from; /* … from here on */
    bool copy;              /* some of it had been sent again, and that is what arrived */
    bool has_sent;          /* sent: the newest record of what arrived */
    struct tern_sent sent;
    tern_time rtt;        /* of what was sent only once; 0: none */
    bool marked;          /* together with the echo of a mark (RFC 3168 §6.1.3) */
    bool dsack;           /* something arrived twice (RFC 2883 §4) */
    uint64_t dsack_bytes; /* so much of it, … */
    uint64_t dsack_end;   /* … up to here */
};

/* scoreboard.c */
void tern_tcb_loss_init(struct tern_tcb *c);
void tern_tcb_loss_fini(struct tern_tcb *c);
/* old_una: before this ACK. rack.c's part of the delivery is filled in as well. */
void tern_tcb_score_ack(struct tern_tcb *c, const struct tern_segment *seg, uint64_t old_una,
                        struct tern_delivery *d, tern_time now);
/* Recovery is over: what was not sent again is not lost. */
void tern_tcb_score_open(struct tern_tcb *c);
void tern_tcb_score_renege(struct tern_tcb *c);
/* What is not SACKed below, and was not sent again, is lost. */
void tern_tcb_mark_lost(struct tern_tcb *c, uint64_t below);
/* Sent again, and lost again. */
void tern_tcb_mark_relost(struct tern_tcb *c, uint64_t from, uint64_t to);
void tern_tcb_note_resent(struct tern_tcb *c, uint64_t from, uint64_t to);
uint64_t tern_tcb_pipe(const struct tern_tcb *c);        /* bytes thought to be in the network */
uint64_t tern_tcb_lost_bytes(const struct tern_tcb *c);  /* and not yet sent again */
uint64_t tern_tcb_deemed_lost(const struct tern_tcb *c); /* resent since or not */
/* The next lost bytes to send again; false: none. */
bool tern_tcb_next_lost(const struct tern_tcb *c, uint64_t *from, uint64_t *to);
/* RFC 6675 §4 IsLost, for want of a log: everything not SACKed below is lost. */
uint64_t tern_tcb_lost_by_sack(const struct tern_tcb *c);

/* rack.c */
void tern_tcb_rack_init(struct tern_tcb *c);
void tern_tcb_rack_delivered(struct tern_tcb *c, const struct tern_segment *seg, uint64_t from,
                             uint64_t to, struct tern_delivery *d, tern_time now);
void tern_tcb_rack_dsack(struct tern_tcb *c);
/* Mark what is late, and set the timer for what may still come. */
void tern_tcb_rack_detect(struct tern_tcb *c, tern_time now);
void tern_tcb_rack_recovered(struct tern_tcb *c);
/* At a timeout: how far the segments are old enough to be lost (RFC 8985 §6.3). */
uint64_t tern_tcb_rack_old_below(struct tern_tcb *c, tern_time now);

/* tlp.c */
void tern_tcb_tlp_arm(struct tern_tcb *c, tern_time now);
void tern_tcb_tlp_expire(struct tern_tcb *c, tern_time now);
/* True: the probe repaired a loss, to which the congestion controller must answer. */
bool tern_tcb_tlp_ack(struct tern_tcb *c, const struct tern_segment *seg,
                      const struct tern_delivery *d, bool duplicate);

/* recovery.c */
void tern_tcb_loss_on_ack(struct tern_tcb *c, const struct tern_segment *seg, uint64_t old_una,
                          bool duplicate, tern_time now);
void tern_tcb_loss_on_rto(struct tern_tcb *c, tern_time now);
void tern_tcb_loss_on_reorder_timer(struct tern_tcb *c, tern_time now);
/* Everything in flight is lost, for a cause that says nothing about congestion. */
void tern_tcb_loss_of_all(struct tern_tcb *c, enum tern_cause cause, tern_time now);
/* The same of what is below. */
void tern_tcb_loss_below(struct tern_tcb *c, uint64_t below, enum tern_cause cause, tern_time now);
/* The network marked a segment of a flight of so many bytes (RFC 3168 §6.1.2). */
void tern_tcb_loss_on_mark(struct tern_tcb *c, uint64_t flight, tern_time now);
/* Amid a recovery: the controller is a new one, which has heard of no loss yet. */
void tern_tcb_loss_take_over(struct tern_tcb *c, tern_time now);
/* Out of recovery, with the congestion window as it was. */
void tern_tcb_undo(struct tern_tcb *c, enum tern_undo_by by, tern_time now);

/* prr.c */
void tern_tcb_prr_start(struct tern_tcb *c, uint64_t flight);
void tern_tcb_prr_on_ack(struct tern_tcb *c, const struct tern_delivery *d);

/* undo.c */
void tern_tcb_undo_arm(struct tern_tcb *c);
void tern_tcb_undo_disarm(struct tern_tcb *c);
void tern_tcb_undo_note_resent(struct tern_tcb *c, uint64_t from, uint64_t bytes, tern_time now);
/* What shows that the recovery was for nothing, if anything does. */
enum tern_undo_by tern_tcb_undo_try(struct tern_tcb *c, const struct tern_segment *seg,
                                    const struct tern_delivery *d, bool duplicate);
bool tern_tcb_frto_blocks_resends(const struct tern_tcb *c);

/* rate.c */
void tern_tcb_note_sent(struct tern_tcb *c, uint64_t from, uint64_t to, uint32_t segment,
                        bool again, tern_time now);
void tern_tcb_note_delivered(struct tern_tcb *c, const struct tern_delivery *d,
                             struct tern_rate_sample *rate, tern_time now);
void tern_tcb_note_app_limited(struct tern_tcb *c);

/* pace.c */
bool tern_tcb_pace_holds(struct tern_tcb *c, tern_time now);
void tern_tcb_pace_sent(struct tern_tcb *c, uint64_t bytes, tern_time now);
uint64_t tern_tcb_pace_burst(const struct tern_tcb *c); /* bytes that may go at once */
uint64_t tern_tcb_pace_rate(const struct tern_tcb *c);  /* bytes a second; 0: no pacing */

/* recvq.c */
void tern_tcb_arrive_text(struct tern_tcb *c, const struct tern_segment *seg, uint64_t seq,
                          tern_time now);
void tern_tcb_arrive_fin(struct tern_tcb *c, const struct tern_segment *seg, uint64_t seq,
                         tern_time now);
void tern_tcb_note_answer(struct tern_tcb *c, tern_time now);
void tern_tcb_recvq_fini(struct tern_tcb *c);
/* Enough to read, as the settings have it, or as much as there will be? Then say so. */
void tern_tcb_note_readable(struct tern_tcb *c);

/* borrow.c: text in order that stays where it is for now. Bytes entered, 0: to be copied. */
size_t tern_tcb_borrow(struct tern_tcb *c, const uint8_t *text, size_t bytes);
void tern_tcb_borrow_read(struct tern_tcb *c); /* rcv.head moved */
void tern_tcb_borrow_fini(struct tern_tcb *c);

/* sack.c */
void tern_tcb_sack_note(struct tern_tcb *c, uint64_t at); /* bytes came beyond a hole */
void tern_tcb_dsack_note(struct tern_tcb *c, uint64_t start, uint64_t end); /* they came again */
void tern_tcb_dsack_note_old(struct tern_tcb *c, uint64_t seq, uint64_t length);
void tern_tcb_dsack_note_held(struct tern_tcb *c, uint64_t start, uint64_t end);
bool tern_tcb_sack_wanted(const struct tern_tcb *c);
void tern_tcb_sack_fill(struct tern_tcb *c, struct tern_tcp_header *h, uint32_t blocks_max);

/* window.c */
uint64_t tern_tcb_receive_room(const struct tern_tcb *c);
uint64_t tern_tcb_receive_limit(const struct tern_tcb *c);
uint64_t tern_tcb_window(const struct tern_tcb *c); /* what we could advertise, from rcv.nxt */
uint8_t tern_tcb_wscale(const struct tern_tcb *c);
/* The most that the field of a header can tell of (RFC 7323 §2.3). */
uint64_t tern_tcb_window_field_max(const struct tern_tcb *c);
/* The most that our SYN can have promised, whatever was there for others then. */
uint64_t tern_tcb_syn_promise_max(const struct tern_tcb *c);
void tern_tcb_note_promise(struct tern_tcb *c); /* after rcv.nxt or rcv.adv moved */
void tern_tcb_tune_start(struct tern_tcb *c, tern_time now);
void tern_tcb_tune_on_text(struct tern_tcb *c, const struct tern_segment *seg, tern_time now);
void tern_tcb_tune_on_read(struct tern_tcb *c, tern_time now);

/* urgent.c */
bool tern_tcb_is_urgent(const struct tern_tcb *c); /* a byte of ours, not yet acknowledged */
void tern_tcb_fill_urgent(const struct tern_tcb *c, struct tern_tcp_header *h, uint64_t seq);
void tern_tcb_arrive_urgent(struct tern_tcb *c, const struct tern_segment *seg, uint64_t seq,
                            tern_time now);
bool tern_tcb_urgent_untaken(const struct tern_tcb *c); /* the next unread byte is, and waits */
void tern_tcb_note_read(struct tern_tcb *c);            /* rcv.head moved */

/* sendq.c */
size_t tern_tcb_sendq_write(struct tern_tcb *c, const uint8_t *data, size_t bytes);
void tern_tcb_sendq_advance(struct tern_tcb *c, uint64_t head);
void tern_tcb_sendq_clear(struct tern_tcb *c);
void tern_tcb_note_writable(struct tern_tcb *c); /* after bytes were sent or acknowledged */
void tern_tcb_note_written(struct tern_tcb *c, size_t bytes); /* at snd.end, which moves */

/* lent.c */
void tern_tcb_lent_advance(struct tern_tcb *c, uint64_t head); /* all below is acknowledged */
void tern_tcb_lent_clear(struct tern_tcb *c);                  /* nothing is sent any more */
/* So much of it has room in the pieces of one frame. */
uint64_t tern_tcb_fit_pieces(const struct tern_tcb *c, uint64_t at, uint64_t bytes);
void tern_tcb_lent_check(const struct tern_tcb *c);

/* header.c */
uint64_t tern_tcb_ack_number(const struct tern_tcb *c);
/* All that the headers of a connection's segments share; with the ACK everything is acknowledged.
 */
void tern_tcb_fill_header(struct tern_tcb *c, struct tern_segment_out *out, uint64_t seq,
                          uint8_t flags, tern_time now);

/* marks.c */
uint64_t tern_tcb_record_end(const struct tern_tcb *c, uint64_t from); /* UINT64_MAX: none */
bool tern_tcb_is_pushed(const struct tern_tcb *c, uint64_t end);

/* text.c */
/* The most text that one emission may carry, and of each segment of it, given the SACK blocks that
 * want to come along. */
uint32_t tern_tcb_text_bytes_max(const struct tern_tcb *c, uint32_t *segment);
uint32_t tern_tcb_piece_bytes_max(const struct tern_tcb *c); /* of what is never cut up */
/* Emit text [from, from + bytes), with FIN if fin, new or again. */
void tern_tcb_emit_text(struct tern_tcb *c, struct tern_segment_out *out, uint64_t from,
                        uint32_t bytes, uint32_t segment, bool fin, tern_time now);
/* What all text has in common once it is out. */
void tern_tcb_note_text(struct tern_tcb *c, uint64_t from, uint64_t to, uint32_t segment,
                        bool again, tern_time now);
void tern_tcb_time_segment(struct tern_tcb *c, uint64_t end, tern_time now); /* unless one is */

/* output.c */
void tern_tcb_ack_now(struct tern_tcb *c, enum tern_cause cause);
uint32_t tern_tcb_segment_bytes(const struct tern_tcb *c); /* text of a full segment, no SACK */
uint64_t tern_tcb_goes_now(const struct tern_tcb *c);      /* new bytes that both windows let go */

/* fastopen.c */
void tern_tcb_fastopen_open(struct tern_tcb *c, const struct tern_tcb_options *o);
uint32_t tern_tcb_fastopen_room(const struct tern_tcb *c); /* text that a SYN may carry */
/* The option, and the text in the SYN: how many bytes. */
uint32_t tern_tcb_fastopen_emit(struct tern_tcb *c, struct tern_segment_out *out, tern_time now);
void tern_tcb_fastopen_unanswered(struct tern_tcb *c);
/* The SYN-ACK has come; snd.una is where it says. */
void tern_tcb_fastopen_answer(struct tern_tcb *c, const struct tern_segment *seg);
void tern_tcb_fastopen_accept(struct tern_tcb *c, const struct tern_segment *syn, tern_time now);
bool tern_tcb_fastopen_may_send(const struct tern_tcb *c); /* text, before the handshake ends */

/* timers.c */
void tern_tcb_timer_arm_resend(struct tern_tcb *c, tern_time now);
void tern_tcb_give_up(struct tern_tcb *c, tern_time now); /* nobody answers */
/* Bytes wait for the peer from now on, if they did not before. */
void tern_tcb_note_stuck(struct tern_tcb *c, tern_time now);
void tern_tcb_start_fin_wait_2_timer(struct tern_tcb *c, tern_time now);
bool tern_tcb_is_persisting(const struct tern_tcb *c); /* the resend timer is the probe's */
void tern_tcb_timer_start_resend(struct tern_tcb *c, tern_time now); /* unless it runs */
tern_time tern_tcb_user_deadline(const struct tern_tcb *c);

/* close.c: RFC 5927 §4.1 */
bool tern_tcb_is_in_flight(const struct tern_tcb *c, tern_seq seq);

/* mtu.c */
void tern_tcb_mtu_init(struct tern_tcb *c);
void tern_tcb_mtu_peer(struct tern_tcb *c, uint32_t mss); /* the peer's option */
void tern_tcb_mtu_set(struct tern_tcb *c);                /* the application's limit changed */
uint32_t tern_tcb_mtu_path_mss(const struct tern_tcb *c); /* what the path, so far, may carry */
/* The controller's segment, and what it needs at least of it. */
void tern_tcb_mtu_fit_window(struct tern_tcb *c);
void tern_tcb_mtu_note_sent(struct tern_tcb *c, uint64_t from, uint64_t bytes);
void tern_tcb_mtu_on_ack(struct tern_tcb *c, tern_time now); /* after snd.una moved */
void tern_tcb_mtu_on_rto(struct tern_tcb *c, tern_time now);
void tern_tcb_mtu_raise(struct tern_tcb *c, tern_time now); /* before new bytes go */
/* Text of a probe that may go now, there being room for so many bytes; 0: none. WAITS: it would go
 * if what is in flight left it the room, so nothing else is to take that. */
#define TERN_MTU_PROBE_WAITS UINT32_MAX
uint32_t tern_tcb_mtu_probe(struct tern_tcb *c, uint64_t room, tern_time now);
void tern_tcb_mtu_probe_sent(struct tern_tcb *c, uint64_t from, uint32_t text);
/* Is all that is lost a probe? */
bool tern_tcb_mtu_probe_lost(const struct tern_tcb *c);
void tern_tcb_mtu_probe_failed(struct tern_tcb *c, tern_time now);

/* held_back.c */
void tern_tcb_note_held(struct tern_tcb *c, tern_time now);
tern_time tern_tcb_held_for(const struct tern_tcb *c, enum tern_held by, tern_time now);

/* keepalive.c */
tern_time tern_tcb_keep_deadline(const struct tern_tcb *c);
void tern_tcb_keep_expire(struct tern_tcb *c, tern_time now);
void tern_tcb_note_heard(struct tern_tcb *c, tern_time now); /* a segment that fits arrived */

/* ranges blocks of the shared pool */
struct tern_ranges *tern_tcb_ranges_take(struct tern_tcb *c);
void tern_tcb_ranges_give(struct tern_tcb *c, struct tern_ranges **ranges);

static inline uint64_t tern_min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static inline uint64_t tern_max_u64(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static inline void tern_tcb_drop(struct tern_tcb *c, enum tern_drop reason, tern_time now)
{
    struct tern_trace *t;

    c->env->drops[reason]++;
    t = tern_trace_push(c->env->traces, now, TERN_TRACE_DROP, c->id);
    if (t != NULL)
        t->drop.reason = reason;
    tern_tell_drop(&c->env->observer, reason, c->id, now);
}

#endif
