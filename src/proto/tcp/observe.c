/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a connection tells an observer (tern/observe.h).
 *
 * The engine is not sprinkled with calls. A verb runs as ever, and then the control block is
 * compared with what it was before: windows, metrics, timers and losses show in it. So the path
 * without an observer has one branch a verb, and no mechanism can forget to tell. What leaves no
 * trace in the block (a state passed through, which witness undid a recovery, why something was
 * dropped) is told where it happens, in places that run rarely.
 *
 * Timers that go with the end of a connection are not told one by one: CLOSED tells of all.
 */
#include "proto/tcp/observe.h"

#include "proto/tcp/cc_bbr.h"
#include "proto/tcp/internal.h"

static struct tern_note note_of(const struct tern_tcb *c, enum tern_note_kind kind, tern_time now)
{
    return (struct tern_note){.at = now, .kind = kind, .conn_id = c->id};
}

static void tell(const struct tern_tcb *c, const struct tern_note *note)
{
    tern_tell(&c->env->observer, note);
}

/* ---- what is told where it happens ---- */

void tern_tcb_tell_opened(const struct tern_tcb *c, tern_time now)
{
    struct tern_note note;

    if (!tern_tcb_is_observed(c))
        return;
    note = note_of(c, TERN_NOTE_OPENED, now);
    note.opened.local = c->local;
    note.opened.remote = c->remote;
    note.opened.passive = c->passive;
    note.opened.congestion = c->cc_ops->name;
    tell(c, &note);
}

static void tell_agreed(const struct tern_tcb *c, tern_time now)
{
    struct tern_note note = note_of(c, TERN_NOTE_AGREED, now);

    note.agreed.mss_bytes = tern_tcb_segment_bytes(c);
    note.agreed.snd_wscale = c->snd.wscale;
    note.agreed.rcv_wscale = c->rcv.wscale;
    note.agreed.sack = c->opt.sack;
    note.agreed.timestamps = c->opt.timestamps;
    note.agreed.ecn = c->opt.ecn;
    tell(c, &note);
}

void tern_tcb_tell_state(const struct tern_tcb *c, enum tern_tcp_state from, tern_time now)
{
    struct tern_note note;

    if (!tern_tcb_is_observed(c))
        return;
    note = note_of(c, TERN_NOTE_STATE, now);
    note.state.from = from;
    note.state.to = c->state;
    tell(c, &note);
    if (c->state == TERN_TCP_ESTABLISHED)
        tell_agreed(c, now);
}

void tern_tcb_tell_closed(const struct tern_tcb *c, tern_time now)
{
    struct tern_note note;

    if (!tern_tcb_is_observed(c))
        return;
    note = note_of(c, TERN_NOTE_CLOSED, now);
    note.closed.reason = c->reason;
    note.closed.bytes_sent = c->count.bytes_sent;
    note.closed.bytes_received = c->count.bytes_received;
    note.closed.segs_out = c->count.segs_out;
    note.closed.segs_in = c->count.segs_in;
    note.closed.retrans = c->count.retrans;
    note.closed.lasted = now - c->opened_at;
    tell(c, &note);
}

/* The place of a number in the stream of bytes that begins after that of the SYN. */
static uint64_t offset_of(uint64_t seq, uint64_t first)
{
    return seq > first + 1 ? seq - first - 1 : 0;
}

void tern_tcb_tell_loss(struct tern_tcb *c, enum tern_loss_by by, uint64_t from, uint64_t to,
                        bool again, tern_time now)
{
    struct tern_note note;

    if (!tern_tcb_is_observed(c) || from >= to)
        return;
    note = note_of(c, TERN_NOTE_LOSS, now);
    if (by == TERN_LOSS_TIMEOUT || by == TERN_LOSS_PATH_MTU)
        c->env->observer.loss_told = true;
    note.loss.by = by;
    note.loss.offset_bytes = offset_of(from, c->snd.iss);
    note.loss.bytes = to - from;
    if (c->loss.sacked != NULL)
        note.loss.bytes -= tern_ranges_bytes_within(c->loss.sacked, from, to);
    note.loss.again = again;
    if (note.loss.bytes > 0) /* else all of it has arrived meanwhile */
        tell(c, &note);
}

void tern_tcb_tell_recovery(const struct tern_tcb *c, enum tern_tcp_recovery from, tern_time now)
{
    struct tern_note note;

    if (!tern_tcb_is_observed(c) || from == c->loss.state)
        return;
    note = note_of(c, TERN_NOTE_RECOVERY, now);
    note.recovery.from = (enum tern_sender)from;
    note.recovery.to = (enum tern_sender)c->loss.state;
    tell(c, &note);
}

_Static_assert((int)TERN_SENDER_OPEN == (int)TERN_RECOVERY_OPEN, "told as they are");
_Static_assert((int)TERN_SENDER_CWR == (int)TERN_RECOVERY_CWR, "told as they are");
_Static_assert((int)TERN_SENDER_FAST_RECOVERY == (int)TERN_RECOVERY_FAST, "told as they are");
_Static_assert((int)TERN_SENDER_LOSS == (int)TERN_RECOVERY_LOSS, "told as they are");

void tern_tcb_tell_undo(const struct tern_tcb *c, enum tern_undo_by by, uint64_t cwnd_before,
                        tern_time now)
{
    struct tern_note note;

    if (!tern_tcb_is_observed(c))
        return;
    note = note_of(c, TERN_NOTE_UNDO, now);
    note.undo.by = by;
    note.undo.cwnd_before = cwnd_before;
    note.undo.cwnd = c->cc.cwnd;
    tell(c, &note);
}

/* ---- what a verb changed ---- */

static enum tern_phase phase_of(const struct tern_tcb *c)
{
    static const enum tern_phase bbr[] = {
        [TERN_BBR_STARTUP] = TERN_PHASE_STARTUP,     [TERN_BBR_DRAIN] = TERN_PHASE_DRAIN,
        [TERN_BBR_DOWN] = TERN_PHASE_PROBE_DOWN,     [TERN_BBR_CRUISE] = TERN_PHASE_PROBE_CRUISE,
        [TERN_BBR_REFILL] = TERN_PHASE_PROBE_REFILL, [TERN_BBR_UP] = TERN_PHASE_PROBE_UP,
        [TERN_BBR_PROBE_RTT] = TERN_PHASE_PROBE_RTT,
    };

    if (c->cc_ops == &tern_cc_bbr)
        return bbr[c->cc.bbr.state];
    if (c->cc.cwnd >= c->cc.ssthresh)
        return TERN_PHASE_AVOIDANCE;
    return c->cc.hystart.in_css ? TERN_PHASE_CONSERVATIVE : TERN_PHASE_SLOW_START;
}

static bool metrics_changed(const struct tern_tcb *was, const struct tern_tcb *c)
{
    return was->cc.cwnd != c->cc.cwnd || was->cc.ssthresh != c->cc.ssthresh ||
           was->cc.pacing_rate != c->cc.pacing_rate || was->rtt.srtt != c->rtt.srtt ||
           was->rtt.rto != c->rtt.rto || was->rtt.rtt_min != c->rtt.rtt_min ||
           was->cc_ops != c->cc_ops || phase_of(was) != phase_of(c);
}

static void tell_metrics(const struct tern_tcb *was, const struct tern_tcb *c, tern_time now)
{
    struct tern_note note;

    if (!metrics_changed(was, c))
        return;
    note = note_of(c, TERN_NOTE_METRICS, now);
    note.metrics.cwnd = c->cc.cwnd;
    note.metrics.ssthresh = c->cc.ssthresh;
    note.metrics.pacing_rate = tern_tcb_pace_rate(c);
    note.metrics.in_flight = c->snd.nxt - c->snd.una;
    note.metrics.pipe = tern_tcb_pipe(c);
    note.metrics.srtt = c->rtt.srtt;
    note.metrics.rttvar = c->rtt.rttvar;
    note.metrics.rtt_min = c->rtt.rtt_min;
    note.metrics.rto = c->rtt.rto;
    note.metrics.phase = phase_of(c);
    tell(c, &note);
}

static void tell_window(const struct tern_tcb *c, bool own, uint64_t before, uint64_t bytes,
                        tern_time now)
{
    struct tern_note note;

    if (before == bytes)
        return;
    note = note_of(c, TERN_NOTE_WINDOW, now);
    note.window.own = own;
    note.window.bytes_before = before;
    note.window.bytes = bytes;
    tell(c, &note);
}

/* Timeouts and the path's MTU told of theirs themselves. */
static void tell_new_loss(const struct tern_tcb *was, struct tern_tcb *c, tern_time now)
{
    enum tern_loss_by by = TERN_LOSS_RACK;

    if (c->env->observer.loss_told || c->loss.state == TERN_RECOVERY_OPEN)
        return;
    if (!c->opt.sack)
        by = was->loss.state == TERN_RECOVERY_FAST ? TERN_LOSS_PARTIAL_ACK
                                                   : TERN_LOSS_DUPLICATE_ACKS;
    else if (c->log == NULL)
        by = TERN_LOSS_SACK_COUNT;
    tern_tcb_tell_loss(c, by, tern_max_u64(was->loss.lost_below, c->snd.una), c->loss.lost_below,
                       false, now);
}

static tern_time due_of(const struct tern_tcb *c, enum tern_timer_kind timer)
{
    switch (timer) {
    case TERN_TIMER_RETRANSMISSION:
        return tern_tcb_is_persisting(c) ? TERN_TIME_NEVER : c->timer.resend;
    case TERN_TIMER_WINDOW_PROBE:
        return tern_tcb_is_persisting(c) ? c->timer.resend : TERN_TIME_NEVER;
    case TERN_TIMER_REORDERING:
        return c->timer.reorder;
    case TERN_TIMER_TAIL_PROBE:
        return c->timer.tail;
    case TERN_TIMER_PACING:
        return c->timer.pace;
    case TERN_TIMER_DELAYED_ACK:
        return c->timer.delack;
    case TERN_TIMER_WAIT:
        return c->timer.wait;
    case TERN_TIMER_CONNECT:
        return c->timer.give_up;
    case TERN_TIMER_CORK:
        return c->timer.cork;
    case TERN_TIMER_KEEPALIVE:
        return tern_tcb_keep_deadline(c);
    case TERN_TIMER_USER_TIMEOUT:
        return tern_tcb_user_deadline(c);
    case TERN_TIMER_COUNT:
        break;
    }
    return TERN_TIME_NEVER;
}

static void tell_timer(const struct tern_tcb *c, enum tern_timer_kind timer,
                       enum tern_timer_step step, tern_time due, tern_time now)
{
    struct tern_note note = note_of(c, TERN_NOTE_TIMER, now);

    note.timer.timer = timer;
    note.timer.step = step;
    note.timer.due = due;
    tell(c, &note);
}

/* fired: those that are known to have ended. */
static void tell_timers(const struct tern_tcb *was, const struct tern_tcb *c, uint32_t fired,
                        tern_time now)
{
    for (int i = 0; i < TERN_TIMER_COUNT; i++) {
        const enum tern_timer_kind timer = (enum tern_timer_kind)i;
        const bool ended = (fired >> i & 1) != 0;
        const tern_time before = ended ? TERN_TIME_NEVER : due_of(was, timer);
        const tern_time due = due_of(c, timer);

        if (due == before)
            continue;
        if (due == TERN_TIME_NEVER)
            tell_timer(c, timer, TERN_TIMER_CANCELLED, due, now);
        else /* one that counts from long ago is due at once */
            tell_timer(c, timer, TERN_TIMER_SET, due > now ? due : now, now);
    }
}

static void tell_changes(const struct tern_tcb *was, struct tern_tcb *c, uint32_t fired,
                         tern_time now)
{
    tell_new_loss(was, c, now);
    tell_window(c, false, was->snd.wnd, c->snd.wnd, now);
    tell_metrics(was, c, now);
    if (c->state != TERN_TCP_CLOSED)
        tell_timers(was, c, fired, now);
}

/* ---- segments ---- */

static void fill_segment(struct tern_note_segment *s, const struct tern_tcb *c,
                         const struct tern_tcp_header *h)
{
    s->local = c->local;
    s->remote = c->remote;
    tern_note_header(s, h);
}

void tern_note_header(struct tern_note_segment *s, const struct tern_tcp_header *h)
{
    s->seq = h->seq.value;
    s->ack = h->ack.value;
    s->flags = h->flags;
    s->window_bytes = h->window;
    s->mss_bytes = h->has_mss ? h->mss : 0;
    s->window_shift = h->wscale;
    s->has_window_shift = h->has_wscale;
    s->sack_permitted = h->sack_permitted;
    s->has_timestamps = h->has_timestamps;
    s->ts_value = h->ts_value;
    s->ts_echo = h->ts_echo;
    s->sack_count = h->sack_count;
    for (uint8_t i = 0; i < h->sack_count && i < TERN_TCP_SACK_BLOCKS_MAX; i++) {
        s->sack[i].start = h->sack[i].start.value;
        s->sack[i].end = h->sack[i].end.value;
    }
}

static uint64_t held_beyond(const struct tern_tcb *c)
{
    return c->rcv.ooo == NULL ? 0 : tern_ranges_bytes(c->rcv.ooo);
}

/* What must be looked at before the segment is, in structures that do not stay as they are. */
struct before {
    uint64_t beyond_bytes;
    uint64_t sacked_bytes; /* above what the segment acknowledges */
};

static struct before look_before(const struct tern_tcb *c, const struct tern_segment *seg)
{
    const uint64_t ack = tern_tcb_unwrap(c->snd.una, seg->h.ack);
    struct before b = {.beyond_bytes = held_beyond(c)};

    if (c->loss.sacked != NULL)
        b.sacked_bytes =
            tern_ranges_bytes_within(c->loss.sacked, tern_max_u64(ack, c->snd.una), UINT64_MAX);
    return b;
}

static void fill_text_effect(struct tern_note_effect *e, const struct tern_tcb *was,
                             const struct tern_tcb *c, const struct tern_segment *seg,
                             const struct before *b)
{
    const uint64_t end = tern_tcb_unwrap(c->rcv.nxt, seg->h.seq) + seg->text.bytes +
                         ((seg->h.flags & TERN_TCP_SYN) != 0);
    const uint64_t taken_to = c->rcv.nxt - c->rcv.closed;
    const uint64_t beyond = held_beyond(c);

    e->in_order_bytes = c->count.bytes_received - was->count.bytes_received;
    if (e->in_order_bytes > 0 && taken_to > end)
        e->joined_bytes = taken_to - end;
    if (e->in_order_bytes == 0 && beyond > b->beyond_bytes)
        e->beyond_bytes = beyond - b->beyond_bytes;
    e->dsack_next = seg->text.bytes > 0 && c->rcv.twice_end > 0;
    e->fin = c->rcv.closed && !was->rcv.closed;
}

static void fill_effect(struct tern_note_effect *e, const struct tern_tcb *was,
                        const struct tern_tcb *c, const struct tern_segment *seg,
                        const struct before *b)
{
    e->acked_bytes = c->count.bytes_acked - was->count.bytes_acked;
    if (c->loss.sacked_bytes > b->sacked_bytes)
        e->delivered_more = c->loss.sacked_bytes - b->sacked_bytes;
    e->cwnd_before = was->cc.cwnd;
    e->cwnd = c->cc.cwnd;
    e->peer_window_before = was->snd.wnd;
    e->peer_window = c->snd.wnd;
    e->in_flight_before = was->snd.nxt - was->snd.una;
    e->in_flight = c->snd.nxt - c->snd.una;
    e->state_before = was->state;
    e->state = c->state;
    e->drop = c->env->observer.drop;
    e->duplicate_ack = c->count.dup_acks_in > was->count.dup_acks_in;
    e->dsack_in = c->count.dsacks_in > was->count.dsacks_in;
    fill_text_effect(e, was, c, seg, b);
}

static void tell_segment_in(const struct tern_tcb *was, const struct tern_tcb *c,
                            const struct tern_segment *seg, const struct before *b, tern_time now)
{
    struct tern_note note = note_of(c, TERN_NOTE_SEGMENT_IN, now);
    struct tern_note_segment *s = &note.segment;

    fill_segment(s, c, &seg->h);
    if ((seg->h.flags & TERN_TCP_SYN) == 0)
        s->window_bytes <<= was->snd.wscale;
    if (c->rcv.irs != 0)
        s->offset_bytes = offset_of(tern_tcb_unwrap(c->rcv.nxt, seg->h.seq), c->rcv.irs);
    s->text_bytes = (uint32_t)seg->text.bytes;
    s->piece_bytes = seg->piece_bytes;
    fill_effect(&s->effect, was, c, seg, b);
    c->env->observer.segments++;
    tell(c, &note);
}

void tern_tcb_observe_input(struct tern_tcb *c, const struct tern_segment *seg, tern_time now,
                            void (*input)(struct tern_tcb *, const struct tern_segment *,
                                          tern_time))
{
    const struct tern_tcb was = *c;
    const struct before b = look_before(c, seg);

    c->env->observer.drop = TERN_DROP_COUNT;
    c->env->observer.loss_told = false;
    input(c, seg, now);
    tell_changes(&was, c, 0, now);
    tell_segment_in(&was, c, seg, &b, now);
}

/* Had some of it been sent before? */
static bool is_again(const struct tern_tcb *was, const struct tern_segment_out *out)
{
    if ((out->h.flags & TERN_TCP_SYN) != 0)
        return was->snd.max > was->snd.iss;
    if (out->text_bytes > 0)
        return out->text_at < was->snd.max;
    return (out->h.flags & TERN_TCP_FIN) != 0 &&
           tern_tcb_unwrap(was->snd.max, out->h.seq) < was->snd.max;
}

static void tell_segment_out(const struct tern_tcb *was, const struct tern_tcb *c,
                             const struct tern_segment_out *out, tern_time now)
{
    struct tern_note note = note_of(c, TERN_NOTE_SEGMENT_OUT, now);
    struct tern_note_segment *s = &note.segment;

    fill_segment(s, c, &out->h);
    if ((out->h.flags & TERN_TCP_SYN) == 0)
        s->window_bytes <<= c->rcv.wscale;
    s->offset_bytes = offset_of(tern_tcb_unwrap(c->snd.nxt, out->h.seq), c->snd.iss);
    s->text_bytes = out->text_bytes;
    s->piece_bytes = out->piece_bytes;
    s->cause = out->cause;
    s->again = is_again(was, out);
    tell(c, &note);
    if ((out->h.flags & TERN_TCP_ACK) != 0 && (out->h.flags & TERN_TCP_RST) == 0)
        tell_window(c, true, was->rcv.adv - was->rcv.last_ack_sent,
                    c->rcv.adv - c->rcv.last_ack_sent, now);
}

bool tern_tcb_observe_output(struct tern_tcb *c, tern_time now, struct tern_segment_out *out,
                             bool (*output)(struct tern_tcb *, tern_time,
                                            struct tern_segment_out *))
{
    const struct tern_tcb was = *c;
    const bool made = output(c, now, out);

    if (made)
        tell_segment_out(&was, c, out, now);
    c->env->observer.loss_told = true; /* what is sent again leaves its place: no news */
    tell_changes(&was, c, 0, now);
    return made;
}

void tern_tcb_observe_expire(struct tern_tcb *c, tern_time now,
                             void (*expire)(struct tern_tcb *, tern_time))
{
    const struct tern_tcb was = *c;
    uint32_t fired = 0;

    for (int i = 0; i < TERN_TIMER_COUNT; i++) {
        if (due_of(c, (enum tern_timer_kind)i) > now)
            continue;
        fired |= 1u << i;
        tell_timer(c, (enum tern_timer_kind)i, TERN_TIMER_FIRED, now, now);
    }
    c->env->observer.loss_told = false;
    expire(c, now);
    tell_changes(&was, c, fired, now);
}
