/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The application's ways to stop (RFC 9293 §3.10.4, §3.10.5; §3.6.1
 * for closing with unread bytes). ICMP's ways to stop a connection are here as well
 * (RFC 9293 §3.9.2.2, RFC 5927 §4, §5.2).
 */
#include "proto/tcp/internal.h"

void tern_tcb_shutdown(struct tern_tcb *c, tern_time now)
{
    if (c->snd.fin_queued || c->state == TERN_TCP_CLOSED || c->state == TERN_TCP_TIME_WAIT)
        return;
    c->snd.fin_queued = true;
    tern_tcb_fastopen_go(c);
    c->events &= ~(uint32_t)TERN_CONN_SENT_ALL; /* the FIN is not */
    switch (c->state) {
    case TERN_TCP_SYN_SENT:
    case TERN_TCP_SYN_RECEIVED: /* waits until the handshake is done */
        break;
    case TERN_TCP_ESTABLISHED:
        tern_tcb_set_state(c, TERN_TCP_FIN_WAIT_1, now);
        break;
    case TERN_TCP_CLOSE_WAIT:
        tern_tcb_set_state(c, TERN_TCP_LAST_ACK, now);
        break;
    default:
        break;
    }
}

/* Must the peer hear of an ABORT? Not where both sides have said all that they had to say
 * (RFC 9293 §3.10.5: CLOSING, LAST-ACK and TIME-WAIT). */
static bool is_reset_due(const struct tern_tcb *c, enum tern_cause cause)
{
    const bool all_said =
        (c->state == TERN_TCP_CLOSING || c->state == TERN_TCP_LAST_ACK) && c->snd.fin_sent;

    if (c->state < TERN_TCP_SYN_RECEIVED || c->state == TERN_TCP_TIME_WAIT)
        return false;
    return !all_said || cause != TERN_CAUSE_RST_ABORT;
}

void tern_tcb_abort(struct tern_tcb *c, enum tern_cause cause, tern_time now)
{
    if (c->state == TERN_TCP_CLOSED)
        return;
    if (is_reset_due(c, cause)) {
        c->rst_due = true;
        c->rst_cause = cause;
    }
    tern_tcb_finish(c, TERN_ERR_ABORTED, now);
}

void tern_tcb_close(struct tern_tcb *c, tern_time now)
{
    uint64_t from;
    const bool unread = tern_tcb_readable(c, &from) > 0 || tern_tcb_urgent_untaken(c);

    c->orphan = true;
    c->rcv.no_reader = true;
    c->ack.every = 0; /* the story that wanted slow ACKs is over */
    if (c->state == TERN_TCP_SYN_SENT) {
        tern_tcb_finish(c, TERN_ERR_ABORTED, now);
    } else if (unread && c->state != TERN_TCP_CLOSED && c->state != TERN_TCP_TIME_WAIT) {
        tern_tcb_abort(c, TERN_CAUSE_RST_UNREAD, now);
    } else {
        tern_tcb_shutdown(c, now);
        if (c->state == TERN_TCP_FIN_WAIT_2)
            tern_tcb_start_fin_wait_2_timer(c, now);
    }
    tern_tcb_recvq_fini(c);
    c->rcv.head = c->rcv.closed ? c->rcv.nxt - 1 : c->rcv.nxt;
    tern_bytequeue_init(&c->recvq, c->rcv.nxt);
}

/* RFC 5927 §4.1: an error about a segment that is not in flight is a forgery, or too late. */
bool tern_tcb_is_in_flight(const struct tern_tcb *c, tern_seq seq)
{
    const uint64_t at = tern_tcb_unwrap(c->snd.una, seq);

    return at >= c->snd.una && at < c->snd.max;
}

void tern_tcb_icmp(struct tern_tcb *c, tern_seq seq, bool hard, enum tern_err err, tern_time now)
{
    if (c->state == TERN_TCP_CLOSED || !tern_tcb_is_in_flight(c, seq))
        return;
    c->soft_error = err;
    if (hard && !tern_tcb_is_synchronised(c))
        tern_tcb_finish(c, err, now);
}

void tern_tcb_unreachable(struct tern_tcb *c, tern_time now)
{
    c->soft_error = TERN_ERR_UNREACHABLE;
    /* In SYN-RECEIVED the peer was heard, and may believe in the connection (RFC 9293 §3.9.2.2). */
    if (c->state == TERN_TCP_SYN_SENT)
        tern_tcb_finish(c, TERN_ERR_UNREACHABLE, now);
}
