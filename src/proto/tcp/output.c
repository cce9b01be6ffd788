/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What to send next, in this order: a reset, a SYN, a tail loss probe, what was lost, new bytes and
 * the FIN, a window probe, a bare ACK. Each segment carries its cause. Whatever is emitted counts
 * as sent: sequence numbers, timers and the promise of a window move here.
 *
 * New bytes wait for the peer's window, the congestion window, and for being worth a segment: the
 * sender's half of silly-window avoidance (RFC 9293 §3.8.6.2.1), and Nagle's rule in Minshall's
 * form, by which one short segment at a time may be in flight.
 */
#include "proto/tcp/internal.h"

void tern_tcb_ack_now(struct tern_tcb *c, enum tern_cause cause)
{
    if (!c->ack.now)
        c->ack.cause = cause;
    c->ack.now = true;
}

void tern_tcb_ack_again(struct tern_tcb *c)
{
    tern_tcb_ack_now(c, TERN_CAUSE_OUT_OF_ORDER_ACK);
}

uint32_t tern_tcb_segment_bytes(const struct tern_tcb *c)
{
    return c->snd.mss - (c->opt.timestamps ? 12 : 0);
}

/* The number of a segment without text. The byte of a window probe, and whatever else was sent into
 * a window that closed, the peer did not take: ACKs and resets from behind it would fit nowhere. */
static uint64_t seq_without_text(const struct tern_tcb *c)
{
    return c->snd.wnd == 0 && c->snd.una > c->snd.iss ? c->snd.una : c->snd.nxt;
}

static bool emit_reset(struct tern_tcb *c, struct tern_segment_out *out, tern_time now)
{
    const bool stray = c->stray_rst_due;
    const bool know_peer = c->rcv.irs != 0 && !stray;

    c->env->resets_out++;
    if (stray)
        c->stray_rst_due = false;
    else
        c->rst_due = false;
    out->cause = c->rst_cause;
    out->h.src_port = c->local.port;
    out->h.dst_port = c->remote.port;
    out->h.seq = stray ? c->stray_rst_seq : tern_tcb_wrap(seq_without_text(c));
    out->h.flags = know_peer ? TERN_TCP_RST | TERN_TCP_ACK : TERN_TCP_RST;
    out->h.ack = tern_seq_of(know_peer ? (uint32_t)c->rcv.nxt : 0);
    if (know_peer) /* RFC 7323 §3.2 */
        tern_tcb_fill_options(c, &out->h, false, now);
    c->env->segments_out++;
    c->count.segs_out++;
    return true;
}

static bool emit_syn(struct tern_tcb *c, struct tern_segment_out *out, tern_time now)
{
    const bool answer = c->state == TERN_TCP_SYN_RECEIVED;
    const bool again = c->snd.nxt > c->snd.iss;

    c->syn_due = false;
    c->fastopen.option = c->fastopen.option && !again;
    if (!answer && c->loss.retries > 0)
        c->ecn.fell_back = true; /* the path may swallow SYNs that offer it (RFC 3168 §6.1.1.1) */
    tern_tcb_fill_header(c, out, c->snd.iss, answer ? TERN_TCP_SYN | TERN_TCP_ACK : TERN_TCP_SYN,
                         now);
    out->cause = again && c->loss.retries > 0 ? TERN_CAUSE_RTO
                 : answer                     ? TERN_CAUSE_SYN_ACK
                                              : TERN_CAUSE_SYN;
    c->snd.nxt = c->snd.iss + 1 + tern_tcb_fastopen_emit(c, out, now);
    c->snd.max = tern_max_u64(c->snd.max, c->snd.nxt);
    if (again) {
        tern_tcb_fastopen_unanswered(c);
        c->timed.active = false; /* Karn */
        c->count.retrans++;
        c->env->retransmits++;
    } else {
        tern_tcb_time_segment(c, c->snd.iss + 1, now);
    }
    tern_tcb_timer_start_resend(c, now);
    return true;
}

/* RFC 5682 §2.1 (2): two segments, to see whether old ones still arrive. */
static uint64_t frto_room(const struct tern_tcb *c)
{
    const uint64_t two = 2 * (uint64_t)tern_tcb_segment_bytes(c);
    const uint64_t sent = c->snd.nxt - c->loss.recover;

    return sent < two ? two - sent : 0;
}

static uint64_t cwnd_room(const struct tern_tcb *c)
{
    const uint64_t pipe = tern_tcb_pipe(c);

    if (tern_tcb_frto_blocks_resends(c))
        return frto_room(c);
    return pipe < c->cc.cwnd ? c->cc.cwnd - pipe : 0;
}

/* What a frame holds of it; full segments, where one fits. */
static uint64_t fit_pieces(const struct tern_tcb *c, uint64_t from, uint64_t bytes,
                           uint32_t segment)
{
    const uint64_t fits = tern_tcb_fit_pieces(c, from, bytes);

    return fits == bytes || fits < segment ? fits : fits - fits % segment;
}

static enum tern_cause resend_cause(const struct tern_tcb *c)
{
    if (c->snd.una < c->mtu.resend_below && c->loss.retries == 0)
        return TERN_CAUSE_PATH_MTU;
    if (c->loss.state == TERN_RECOVERY_LOSS)
        return TERN_CAUSE_RTO;
    if (!c->opt.sack)
        return TERN_CAUSE_FAST_RETRANSMIT;
    return c->log != NULL ? TERN_CAUSE_RACK_RETRANSMIT : TERN_CAUSE_SACK_RETRANSMIT;
}

/* Bytes that lost segments may take now, the next being so long; 0: they wait. */
static uint64_t room_for_lost(struct tern_tcb *c, uint64_t next)
{
    uint64_t room = cwnd_room(c);

    if (room < next && (c->loss.first_due || tern_tcb_pipe(c) == 0))
        room = next;
    c->loss.first_due = false;
    if (room >= next)
        return room;
    c->snd.limited_end = c->snd.nxt;
    return 0;
}

/* Where a lost stretch ends that is sent again: with a segment, as it was sent, though the peer
 * said to have the last part of it; but before the end of a record it stops. */
static uint64_t end_of_lost(const struct tern_tcb *c, uint64_t from, uint64_t to)
{
    const struct tern_sent *s = c->log == NULL ? NULL : tern_sentlog_find(c->log, to - 1);
    uint64_t end = to;

    if (s != NULL && to > s->start && to < s->end)
        end = s->start + (to - s->start + s->segment - 1) / s->segment * s->segment;
    if (s != NULL && end > to)
        end = tern_min_u64(end, s->end);
    return tern_min_u64(end, tern_tcb_record_end(c, from));
}

static bool emit_lost(struct tern_tcb *c, struct tern_segment_out *out, tern_time now)
{
    uint64_t from, to;
    uint32_t segment;
    uint64_t bytes = tern_tcb_text_bytes_max(c, &segment);
    uint64_t room;
    bool fin;

    if (c->loss.state == TERN_RECOVERY_OPEN || tern_tcb_frto_blocks_resends(c) ||
        !tern_tcb_next_lost(c, &from, &to) || tern_tcb_pace_holds(c, now))
        return false;
    to = end_of_lost(c, from, to);
    room = room_for_lost(c, tern_min_u64(segment, to - from));
    if (room == 0)
        return false;
    fin = to > c->snd.end;
    bytes = tern_min_u64(bytes, tern_min_u64(to, c->snd.end) - tern_min_u64(from, c->snd.end));
    if (bytes > room) {
        bytes = room - room % segment;
        fin = false;
    }
    bytes = fit_pieces(c, from, bytes, segment);
    fin = fin && from + bytes == c->snd.end;
    out->cause = resend_cause(c);
    tern_tcb_emit_text(c, out, from, (uint32_t)bytes, segment, fin, now);
    tern_tcb_note_text(c, from, from + bytes + fin, segment, true, now);
    return true;
}

/* New text is told as able to bear a mark; what is sent again is not (RFC 3168 §6.1.5). */
static void mark_new_text(struct tern_tcb *c, struct tern_segment_out *out)
{
    if (!tern_tcb_ecn_sends(c))
        return;
    out->ecn = TERN_ECN_ECT0;
    if (c->ecn.cwr_due)
        out->h.flags |= TERN_TCP_CWR;
    c->ecn.cwr_due = false;
}

static bool can_send_data(const struct tern_tcb *c)
{
    return c->state == TERN_TCP_ESTABLISHED || c->state == TERN_TCP_CLOSE_WAIT ||
           ((c->state == TERN_TCP_FIN_WAIT_1 || c->state == TERN_TCP_CLOSING ||
             c->state == TERN_TCP_LAST_ACK) &&
            !c->snd.fin_sent) ||
           tern_tcb_fastopen_may_send(c);
}

static uint64_t window_room(const struct tern_tcb *c)
{
    const uint64_t edge = c->snd.una + c->snd.wnd;

    return edge > c->snd.nxt ? edge - c->snd.nxt : 0;
}

uint64_t tern_tcb_goes_now(const struct tern_tcb *c)
{
    return tern_min_u64(window_room(c), cwnd_room(c));
}

/* A piece shorter than a segment: may it go? It is the whole rest of the data, or what a small
 * window takes. A cork holds the rest back, but not for ever. */
static bool may_send_short(struct tern_tcb *c, uint64_t bytes, uint64_t data, tern_time now)
{
    if (bytes < data)
        return bytes == window_room(c) && bytes >= c->snd.wnd_max / 2;
    if (c->snd.fin_queued || c->snd.short_to >= c->snd.end ||
        tern_tcb_record_end(c, c->snd.nxt) < c->snd.end)
        return true; /* nothing that is written can make it longer */
    if (c->set.cork || c->marks.held) {
        if (c->timer.cork == TERN_TIME_NEVER)
            c->timer.cork = now + TERN_TCP_CORK_MAX;
        return false;
    }
    return c->set.nodelay || c->snd.nxt == c->snd.una || c->snd.small_end <= c->snd.una;
}

/* How many new bytes may go now; 0: none. */
static uint64_t sendable(struct tern_tcb *c, uint32_t segment, uint64_t bytes_max, tern_time now)
{
    const uint64_t stop = tern_min_u64(c->snd.end, tern_tcb_record_end(c, c->snd.nxt));
    const uint64_t data = stop > c->snd.nxt ? stop - c->snd.nxt : 0;
    const uint64_t room = cwnd_room(c);
    uint64_t bytes = tern_min_u64(tern_min_u64(data, window_room(c)), bytes_max);

    if (bytes == 0)
        return 0;
    if (room < bytes || room < segment)
        c->snd.limited_end = c->snd.nxt + tern_min_u64(room, bytes);
    bytes = tern_min_u64(bytes, room);
    if (bytes == segment || bytes % segment == 0)
        return bytes;
    if (bytes < segment)
        return may_send_short(c, bytes, data, now) ? bytes : 0;
    if (bytes < data || !may_send_short(c, bytes, data, now))
        bytes -= bytes % segment;
    return bytes;
}

/* After a pause nothing is known of the path any more (RFC 5681 §4.1). */
static void restart_after_idle(struct tern_tcb *c, tern_time now)
{
    const tern_time idle = c->snd.sent_at == TERN_TIME_NEVER ? 0 : now - c->snd.sent_at;

    const bool restarts = idle > c->rtt.rto && c->set.restart_after_idle;

    if (c->snd.nxt > c->snd.una || (!restarts && !c->cc_ops->any_pause))
        return;
    if (restarts)
        tern_tcb_undo_disarm(c);
    if (c->cc_ops->on_restart != NULL)
        c->cc_ops->on_restart(&c->cc, idle, c->rtt.rto, now);
    else
        tern_cc_restart(&c->cc);
}

static bool emit_new(struct tern_tcb *c, struct tern_segment_out *out, tern_time now)
{
    uint32_t segment;
    const bool is_new = c->snd.nxt == c->snd.max;
    uint64_t bytes, from, bytes_max;
    uint32_t probe;
    bool fin;

    if (!can_send_data(c) || c->snd.end + c->snd.fin_queued == c->snd.nxt)
        return false;
    restart_after_idle(c, now);
    tern_tcb_mtu_raise(c, now);
    bytes_max = tern_tcb_text_bytes_max(c, &segment);
    probe = tern_tcb_mtu_probe(c, tern_min_u64(window_room(c), cwnd_room(c)), now);
    if (probe == TERN_MTU_PROBE_WAITS) {
        c->snd.limited_end = c->snd.nxt;
        return false;
    }
    if (probe > 0 && tern_tcb_fit_pieces(c, c->snd.nxt, probe) < probe)
        probe = 0;
    if (probe > 0)
        bytes = segment = probe;
    else
        bytes = fit_pieces(c, c->snd.nxt, sendable(c, segment, bytes_max, now), segment);
    fin = c->snd.fin_queued && !c->snd.fin_sent && c->snd.nxt + bytes == c->snd.end &&
          tern_tcb_is_synchronised(c);
    if ((bytes == 0 && !fin) || tern_tcb_pace_holds(c, now))
        return false;
    from = c->snd.nxt;
    out->cause = bytes == 0  ? TERN_CAUSE_FIN
                 : probe > 0 ? TERN_CAUSE_MTU_PROBE
                             : TERN_CAUSE_APP_WRITE;
    if (from == c->snd.una) /* what may run is the window probe's timer, and no timeout of this */
        c->timer.resend = TERN_TIME_NEVER;
    tern_tcb_emit_text(c, out, from, (uint32_t)bytes, segment, fin, now);
    if (is_new && bytes > 0)
        mark_new_text(c, out);
    tern_tcb_note_answer(c, now);
    if (c->set.notsent_lowat_bytes > 0)
        tern_tcb_note_writable(c);
    if (probe > 0)
        tern_tcb_mtu_probe_sent(c, from, probe);
    else
        tern_tcb_mtu_note_sent(c, from, bytes);
    c->probe_due = false;
    c->probe_out = false;
    if (c->snd.nxt >= c->snd.end)
        c->timer.cork = TERN_TIME_NEVER;
    tern_tcb_note_text(c, from, from + bytes + fin, segment, false, now);
    return true;
}

/* Where the last segment of what is in flight begins: a FIN that went alone is one. */
static uint64_t last_segment_from(const struct tern_tcb *c, uint32_t segment, uint64_t text_end)
{
    const struct tern_sent *s =
        c->log == NULL || text_end <= c->snd.una ? NULL : tern_sentlog_find(c->log, c->snd.nxt - 1);
    const uint64_t start = s == NULL ? c->snd.una : tern_max_u64(s->start, c->snd.una);

    if (text_end <= c->snd.una || start >= text_end)
        return text_end;
    return start + (text_end - 1 - start) / segment * segment;
}

/* RFC 8985 §7.3: new bytes if there are any and the peer takes them, whatever cwnd says; else the
 * last segment again. */
static bool emit_tail_probe(struct tern_tcb *c, struct tern_segment_out *out, tern_time now)
{
    const uint32_t segment = tern_tcb_piece_bytes_max(c);
    const uint64_t data = c->snd.end > c->snd.nxt ? c->snd.end - c->snd.nxt : 0;
    const uint64_t fresh = tern_min_u64(tern_min_u64(data, window_room(c)), segment);
    const uint64_t text_end = tern_min_u64(c->snd.nxt, c->snd.end);
    const bool again = fresh == 0 || !can_send_data(c);
    bool fin = again && c->snd.fin_sent && !c->snd.fin_acked;
    uint64_t from = c->snd.nxt;
    uint64_t bytes = fresh;

    c->tlp.due = false;
    if (again) {
        from = last_segment_from(c, segment, text_end);
        bytes = text_end - from;
    }
    bytes = fit_pieces(c, from, bytes, segment);
    fin = fin && from + bytes == c->snd.end;
    out->cause = TERN_CAUSE_TAIL_PROBE;
    tern_tcb_emit_text(c, out, from, (uint32_t)bytes, segment, fin, now);
    if (!again)
        mark_new_text(c, out);
    tern_tcb_note_text(c, from, from + bytes + fin, segment, again, now);
    c->tlp.out = c->tlp.untimed = true;
    c->tlp.is_retrans = again;
    c->tlp.bytes = (uint32_t)bytes + fin;
    c->tlp.end = c->snd.nxt;
    c->timer.tail = TERN_TIME_NEVER;
    c->count.tail_probes++;
    return true;
}

/* One byte beyond the window (RFC 9293 §3.8.6.1), or what little it takes (§3.8.6.2.1): that is
 * text like any other, which may be timed, and missed. */
static bool emit_probe(struct tern_tcb *c, struct tern_segment_out *out, tern_time now)
{
    const uint32_t segment = tern_tcb_piece_bytes_max(c);
    const uint64_t take = tern_min_u64(tern_max_u64(c->snd.wnd, 1), segment);
    const uint64_t left = c->snd.end - tern_min_u64(c->snd.una, c->snd.end);
    const uint64_t bytes = fit_pieces(c, c->snd.una, tern_min_u64(take, left), segment);
    const bool fin = bytes == 0 && c->snd.fin_sent && !c->snd.fin_acked;
    const bool open = c->snd.wnd > 0 && c->snd.nxt == c->snd.una;
    const bool is_new = open && c->snd.nxt == c->snd.max;

    c->probe_due = false;
    if (bytes == 0 && !fin)
        return false;
    c->probe_out = (c->snd.nxt == c->snd.una || c->probe_out) && !fin && !open;
    c->count.window_probes_out++;
    out->cause = TERN_CAUSE_WINDOW_PROBE;
    tern_tcb_emit_text(c, out, c->snd.una, (uint32_t)bytes, segment, fin, now);
    if (is_new)
        mark_new_text(c, out);
    if (open)
        tern_tcb_note_text(c, c->snd.una, c->snd.una + bytes, segment, false, now);
    else
        c->timed.active = false; /* how long a closed window takes says nothing of the path */
    return true;
}

static bool emit_ack(struct tern_tcb *c, struct tern_segment_out *out, tern_time now)
{
    const uint32_t blocks = c->opt.timestamps ? 3 : 4;

    out->cause = c->ack.cause;
    if (c->ack.every > 0)
        out->cause = TERN_CAUSE_SLOW_ACK;
    tern_tcb_fill_header(c, out, seq_without_text(c), TERN_TCP_ACK, now);
    tern_tcb_sack_fill(c, &out->h, blocks);
    c->count.acks_out++;
    return true;
}

/* A number that was acknowledged long ago: whoever lives must answer (RFC 9293 §3.8.4). */
static bool emit_keepalive(struct tern_tcb *c, struct tern_segment_out *out, tern_time now)
{
    c->keep.due = false;
    c->count.keepalives_out++;
    out->cause = TERN_CAUSE_KEEPALIVE;
    tern_tcb_fill_header(c, out, c->snd.nxt - 1, TERN_TCP_ACK, now);
    return true;
}

static bool ack_is_due(const struct tern_tcb *c)
{
    const bool answered_syn = c->state == TERN_TCP_SYN_RECEIVED && c->snd.nxt > c->snd.iss;

    return c->ack.now && (answered_syn || tern_tcb_is_synchronised(c)) &&
           (c->ack.every == 0 || tern_tcb_ack_number(c) != c->rcv.last_ack_sent ||
            c->ack.cause == TERN_CAUSE_HANDSHAKE_ACK);
}

/* Nothing can go and nothing is in flight, but bytes wait: somebody must ask again
 * (RFC 9293 §3.8.6.1). Not for what a cork or the pacing holds back: their own timers will. */
static void start_persist_timer(struct tern_tcb *c, tern_time now)
{
    if (can_send_data(c) && c->snd.end > c->snd.nxt && c->snd.nxt == c->snd.una &&
        c->timer.cork == TERN_TIME_NEVER && c->timer.pace == TERN_TIME_NEVER)
        tern_tcb_timer_start_resend(c, now);
}

static bool output_due_ack(struct tern_tcb *c, tern_time now, struct tern_segment_out *out)
{
    memset(out, 0, sizeof(*out));
    return emit_ack(c, out, now);
}

bool tern_tcb_output_ack(struct tern_tcb *c, tern_time now, struct tern_segment_out *out)
{
    if (!ack_is_due(c))
        return false;
    if (tern_tcb_is_observed(c))
        return tern_tcb_observe_output(c, now, out, output_due_ack);
    return output_due_ack(c, now, out);
}

static bool output(struct tern_tcb *c, tern_time now, struct tern_segment_out *out)
{
    memset(out, 0, sizeof(*out));
    if (c->stray_rst_due || c->rst_due)
        return emit_reset(c, out, now);
    if (c->state == TERN_TCP_CLOSED)
        return false;
    if (c->state < TERN_TCP_ESTABLISHED && c->syn_due)
        return emit_syn(c, out, now);
    if (c->state < TERN_TCP_ESTABLISHED)
        return emit_new(c, out, now) || (ack_is_due(c) && emit_ack(c, out, now));
    if (c->tlp.due)
        return emit_tail_probe(c, out, now);
    if (emit_lost(c, out, now) || emit_new(c, out, now))
        return true;
    tern_tcb_note_app_limited(c);
    if (c->probe_due && emit_probe(c, out, now))
        return true;
    if (c->keep.due)
        return emit_keepalive(c, out, now);
    if (ack_is_due(c))
        return emit_ack(c, out, now);
    start_persist_timer(c, now);
    tern_tcb_note_held(c, now);
    return false;
}

bool tern_tcb_output(struct tern_tcb *c, tern_time now, struct tern_segment_out *out)
{
    if (tern_tcb_is_observed(c))
        return tern_tcb_observe_output(c, now, out, output);
    return output(c, now, out);
}

bool tern_tcb_wants_output(const struct tern_tcb *c)
{
    return c->stray_rst_due || c->rst_due || c->syn_due || c->probe_due || c->keep.due ||
           c->tlp.due || ack_is_due(c) || c->loss.relost != NULL ||
           c->loss.lost_below > c->loss.resent_below ||
           (can_send_data(c) && c->snd.end + c->snd.fin_queued > c->snd.nxt);
}
