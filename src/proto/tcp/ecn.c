/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Explicit congestion notification (RFC 3168 §6.1): a router marks a packet where it would else
 * have dropped one; the receiver tells the sender in each ACK, by ECE, until a CWR says that it was
 * heard.
 *
 * Both SYNs must agree. A SYN that is sent again offers nothing, since some paths swallow those
 * that do; from then on our text bears no marks. Whoever saw one SYN without the offer does not use
 * it at all (RFC 3168 §6.1.1).
 */
#include "proto/tcp/internal.h"

#define ECN_FLAGS (TERN_TCP_ECE | TERN_TCP_CWR)

bool tern_tcb_ecn_agreed(const struct tern_tcb *c, uint8_t syn_flags)
{
    const uint8_t want = (syn_flags & TERN_TCP_ACK) != 0 ? TERN_TCP_ECE : ECN_FLAGS;

    return c->opt.ecn && (syn_flags & ECN_FLAGS) == want;
}

/* Does our own text bear marks? Whoever offered once tells of marks for good, but may set ECT only
 * where no SYN went without the offer (RFC 3168 §6.1.1). */
bool tern_tcb_ecn_sends(const struct tern_tcb *c)
{
    return c->opt.ecn && !c->ecn.fell_back;
}

/* The flags that a segment carries for it. */
uint8_t tern_tcb_ecn_flags(const struct tern_tcb *c, uint8_t flags)
{
    const bool is_syn = (flags & TERN_TCP_SYN) != 0;

    if (!c->opt.ecn || (is_syn && c->ecn.fell_back))
        return 0;
    if (is_syn)
        return (flags & TERN_TCP_ACK) != 0 ? TERN_TCP_ECE : ECN_FLAGS;
    return c->ecn.echo ? TERN_TCP_ECE : 0;
}

/* In-window text came: RFC 3168 §6.1.3. Marks of other segments are anyone's (§6.1.5, §6.1.6). */
void tern_tcb_ecn_text(struct tern_tcb *c, const struct tern_segment *seg)
{
    const bool was = c->ecn.echo;

    if (!c->opt.ecn)
        return;
    if ((seg->h.flags & TERN_TCP_CWR) != 0)
        c->ecn.echo = false;
    c->ecn.seen = c->ecn.seen || seg->ecn != 0;
    if (seg->ecn == TERN_ECN_CE)
        c->ecn.echo = true;
    if (c->ecn.echo != was && c->ack.quick < TERN_TCP_QUICK_AFTER_MARK)
        c->ack.quick = TERN_TCP_QUICK_AFTER_MARK; /* the sender waits for this word */
}

/* The window was reduced, for whatever reason. All that is in flight speaks of the same window of
 * data, and the first new text says that we reacted (RFC 3168 §6.1.2). */
void tern_tcb_ecn_reduced(struct tern_tcb *c)
{
    c->ecn.recover = c->snd.nxt;
    c->ecn.cwr_due = true;
}

/* It was for nothing: nobody reacted to anything. */
void tern_tcb_ecn_undone(struct tern_tcb *c)
{
    c->ecn.recover = c->snd.una - 1;
    c->ecn.cwr_due = false;
}

/* The peer echoes a mark: react as to a loss, once a window of data. The peer goes on until the
 * CWR reaches it, which stands right behind that window. */
void tern_tcb_ecn_echo(struct tern_tcb *c, uint64_t acked, tern_time now)
{
    const uint64_t left = c->snd.nxt - c->snd.una;

    tern_tcb_undo_disarm(c); /* what is reduced by now is the mark's as well (RFC 4015 §3.2) */
    if (c->snd.una <= c->ecn.recover || left + acked == 0 || c->loss.state != TERN_RECOVERY_OPEN)
        return;
    tern_tcb_ecn_reduced(c);
    tern_tcb_loss_on_mark(c, left > 0 ? left : acked, now);
}
