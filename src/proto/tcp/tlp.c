/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tail loss probe (RFC 8985 §7). The last segments of a flight have nothing behind them whose
 * arrival could tell of their loss; so after two round trips of silence one more segment goes, new
 * if there is one, else the last once more, and its SACK starts RACK instead of the long wait for
 * the timer.
 */
#include "proto/tcp/internal.h"

#define WITHOUT_RTT   (1 * TERN_SECOND) /* RFC 8985 §7.2: no sample yet */
#define MAX_ACK_DELAY (200 * TERN_MS)   /* RFC 8985 §7.2: what a lone segment's ACK may take */
#define PROCESSOR     (2 * TERN_MS)     /* what a peer may wait for one: docs/decisions/0028 */

/* Not while losses are repaired; but after a mark none is. Nor before a round trip was measured
 * after the last one: what is probed is not timed, and longer round trips would never be noticed
 * (§7.3). */
static bool may_probe(const struct tern_tcb *c)
{
    const bool repairs = c->loss.state == TERN_RECOVERY_FAST || c->loss.state == TERN_RECOVERY_LOSS;

    return c->opt.sack && tern_tcb_is_synchronised(c) && !repairs && !c->tlp.out &&
           !c->tlp.untimed && c->snd.nxt > c->snd.una && !c->probe_out && c->snd.wnd > 0;
}

void tern_tcb_tlp_arm(struct tern_tcb *c, tern_time now)
{
    const uint64_t flight = c->snd.nxt - c->snd.una;
    tern_time wait = c->rtt.srtt > 0 ? 2 * c->rtt.srtt : WITHOUT_RTT;

    if (wait < PROCESSOR)
        wait = PROCESSOR;
    c->timer.tail = TERN_TIME_NEVER;
    c->tlp.due = false;
    if (!may_probe(c) || c->loss.sacked != NULL) /* with a SACK RACK has something to go by */
        return;
    if (c->rtt.srtt > 0 && flight <= tern_tcb_segment_bytes(c))
        wait += MAX_ACK_DELAY;
    c->timer.tail = now + wait < c->timer.resend ? now + wait : c->timer.resend;
}

void tern_tcb_tlp_expire(struct tern_tcb *c, tern_time now)
{
    c->timer.tail = TERN_TIME_NEVER;
    if (!may_probe(c))
        return;
    c->tlp.due = true;
    c->timer.resend = now + c->rtt.rto; /* RFC 8985 §7.3 */
}

/* RFC 8985 §7.4.2. */
bool tern_tcb_tlp_ack(struct tern_tcb *c, const struct tern_segment *seg,
                      const struct tern_delivery *d, bool duplicate)
{
    if (!c->tlp.out || c->snd.una < c->tlp.end)
        return false;
    if (!c->tlp.is_retrans || (d->dsack && d->dsack_end == c->tlp.end)) {
        c->tlp.out = false;
    } else if (c->snd.una > c->tlp.end) {
        c->tlp.out = false;
        return true;
    } else if (duplicate && seg->h.sack_count == 0) {
        c->tlp.out = false;
    }
    return false;
}
