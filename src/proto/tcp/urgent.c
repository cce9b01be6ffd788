/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Urgent data (RFC 9293 §3.8.5, RFC 6093): a mark in the stream, and nothing more. The pointer of a
 * segment leads to the byte after the urgent one, as RFC 6093 §3.1 found it on every host.
 *
 * Sending: urg.up is the number after the byte that was marked last. Until it is acknowledged each
 * segment that begins before it carries URG, also bare ACKs and probes before a closed window, so
 * that the peer hears of it even where it takes no bytes. The pointer has 16 bits; a segment that
 * begins further away than that says nothing yet: a host that takes the urgent byte out of the
 * stream would take a wrong one.
 *
 * Receiving: urg.at is the number of the urgent byte, urg.pending tells that the application has
 * not passed it. Reading stops before it, so that an application can see where it stands. By
 * default it is a byte like any other (RFC 6093 §4); where urgent_inline is off it is left out of
 * the stream and can be taken with tern_tcp_read_urgent(), as sockets have always had it. A later
 * one that overtakes it makes text of it, but where the reader already stands at it: then it is
 * lost, as with Linux, for a reader that looked at the mark knows that it is no text.
 */
#include "proto/tcp/internal.h"

#define URGENT_REACH UINT16_MAX /* of the pointer */

bool tern_tcb_is_urgent(const struct tern_tcb *c)
{
    return c->urg.up > c->snd.una;
}

void tern_tcb_mark_urgent(struct tern_tcb *c)
{
    c->urg.up = c->snd.end;
    if (tern_tcb_is_synchronised(c) && c->snd.una + c->snd.wnd <= c->snd.nxt)
        tern_tcb_ack_now(c, TERN_CAUSE_URGENT); /* the byte cannot go; the news can */
}

void tern_tcb_fill_urgent(const struct tern_tcb *c, struct tern_tcp_header *h, uint64_t seq)
{
    const uint8_t not_for = TERN_TCP_SYN | TERN_TCP_RST;

    if (!tern_tcb_is_urgent(c) || (h->flags & not_for) != 0 || seq >= c->urg.up ||
        c->urg.up - seq > URGENT_REACH)
        return;
    h->flags |= TERN_TCP_URG;
    h->urgent = (uint16_t)(c->urg.up - seq);
}

void tern_tcb_arrive_urgent(struct tern_tcb *c, const struct tern_segment *seg, uint64_t seq,
                            tern_time now)
{
    const uint64_t at = seq + seg->h.urgent - 1;

    if ((seg->h.flags & TERN_TCP_URG) == 0 || seg->h.urgent == 0 || !tern_tcb_can_receive(c))
        return;
    /* An old pointer, for RCV.UP only advances; or of a byte that the application may be looking
     * at, and has to find where it was. */
    if (at < c->rcv.nxt || (c->urg.at != 0 && at <= c->urg.at))
        return;
    tern_tcb_skip(c, 0, now);
    c->urg.at = at;
    c->urg.pending = true;
    c->urg.taken = false;
    c->events |= TERN_CONN_URGENT; /* at once, though the byte may be far (RFC 9293 §3.8.5) */
}

/* Does the next unread byte stand out of the stream? */
static bool is_hidden(const struct tern_tcb *c)
{
    return c->urg.pending && !c->set.urgent_inline && c->rcv.head == c->urg.at &&
           tern_tcb_unread(c) > 0;
}

uint64_t tern_tcb_readable(const struct tern_tcb *c, uint64_t *from)
{
    const uint64_t end = c->rcv.head + tern_tcb_unread(c);

    *from = c->rcv.head + is_hidden(c);
    if (c->urg.pending && c->urg.at > *from && c->urg.at < end)
        return c->urg.at - *from;
    return end - *from;
}

bool tern_tcb_urgent_untaken(const struct tern_tcb *c)
{
    return is_hidden(c) && !c->urg.taken;
}

void tern_tcb_note_read(struct tern_tcb *c)
{
    if (c->urg.pending && c->rcv.head > c->urg.at)
        c->urg.pending = false;
}

bool tern_tcb_urgent_waits(const struct tern_tcb *c)
{
    return c->urg.pending && !c->urg.taken && c->urg.at < c->rcv.head + tern_tcb_unread(c);
}

enum tern_err tern_tcb_read_urgent(struct tern_tcb *c, uint8_t *byte, bool peek)
{
    if (c->set.urgent_inline || !c->urg.pending || c->urg.taken)
        return TERN_ERR_INVAL;
    if (!tern_tcb_urgent_waits(c))
        return TERN_ERR_AGAIN;
    *byte = *tern_tcb_received(c, c->urg.at, 1).data;
    c->urg.taken = !peek;
    return TERN_ERR_OK;
}
