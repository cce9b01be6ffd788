/* SPDX-License-Identifier: BSD-2-Clause */
/* What the header of each segment of ours says: numbers, and the window that it promises. */
#include "proto/tcp/internal.h"

/* 'demo slow': one segment more is admitted each time that the clock strikes. */
uint64_t tern_tcb_ack_number(const struct tern_tcb *c)
{
    return c->ack.every > 0 ? c->ack.slow_nxt : c->rcv.nxt;
}

/*
 * A window in units of its scale. Rounded up, for down would take back a part of what was promised
 * (RFC 7323 §2.4). But each ACK rounds anew: segments of a byte would walk the edge on for ever
 * while nobody reads. So once that has cost an eighth of the buffer, down it is.
 */
static uint16_t window_units(const struct tern_tcb *c, uint64_t ack, uint64_t edge, uint8_t shift)
{
    const uint64_t buffer = tern_tcb_receive_room(c);
    const uint64_t room =
        tern_min_u64(buffer + buffer / 8, tern_bytequeue_span_max(&c->env->chunks));
    const uint64_t wnd = edge > ack ? edge - ack : 0;
    const uint64_t up = (wnd + (UINT64_C(1) << shift) - 1) >> shift;
    const bool fits = ack + (up << shift) <= c->rcv.head + room;

    return (uint16_t)tern_min_u64(fits ? up : wnd >> shift, UINT16_MAX);
}

/* The window field; the promise is kept in rcv.adv. */
static uint16_t window_field(struct tern_tcb *c, uint64_t ack, bool syn, tern_time now)
{
    const uint8_t shift = syn ? 0 : c->rcv.wscale;
    const uint64_t edge = tern_max_u64(c->rcv.adv, c->rcv.nxt + tern_tcb_window(c));
    const uint16_t field = window_units(c, ack, edge, shift);
    const uint64_t promised = ack + ((uint64_t)field << shift);
    bool closed;

    c->rcv.adv = tern_max_u64(c->rcv.adv, promised);
    tern_tcb_note_promise(c);
    closed = !c->rcv.closed && c->rcv.adv - c->rcv.nxt < c->rcv.mss;
    if (closed != c->rcv.window_closed) {
        c->rcv.window_closed = closed;
        if (closed) {
            c->count.zero_windows_sent++;
            tern_tcb_note_readable(c); /* all that there will be for now */
        }
        tern_tcb_trace_window(c, c->rcv.adv - c->rcv.nxt, now);
    }
    return field;
}

/* The window that a SYN tells of, never scaled (RFC 7323 §2.2): a promise like any other, though
 * the peer's numbers are not known yet. */
static uint16_t syn_window_field(struct tern_tcb *c)
{
    const uint16_t window = (uint16_t)tern_min_u64(tern_tcb_window(c), UINT16_MAX);

    c->rcv.adv = tern_max_u64(c->rcv.adv, c->rcv.nxt + window);
    tern_tcb_note_promise(c);
    return window;
}

/* The part of a header that all segments of a synchronised connection share; with it, all is
 * acknowledged. */
void tern_tcb_fill_header(struct tern_tcb *c, struct tern_segment_out *out, uint64_t seq,
                          uint8_t flags, tern_time now)
{
    const bool syn = (flags & TERN_TCP_SYN) != 0;

    out->h.src_port = c->local.port;
    out->h.dst_port = c->remote.port;
    out->h.seq = tern_tcb_wrap(seq);
    out->h.flags = (uint8_t)(flags | tern_tcb_ecn_flags(c, flags));
    if ((flags & TERN_TCP_ACK) != 0) {
        const uint64_t ack = tern_tcb_ack_number(c);

        out->h.ack = tern_tcb_wrap(ack);
        out->h.window = window_field(c, ack, syn, now);
        c->rcv.last_ack_sent = ack;
        c->last.ack_sent_at = now;
        c->ack.now = false;
        c->ack.bytes = 0;
        if (c->ack.every == 0)
            c->timer.delack = TERN_TIME_NEVER;
    } else if (syn) {
        out->h.window = syn_window_field(c);
    }
    tern_tcb_fill_options(c, &out->h, syn, now);
    tern_tcb_fill_urgent(c, &out->h, seq);
    c->env->segments_out++;
    c->count.segs_out++;
}
