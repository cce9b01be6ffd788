/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Was the recovery for nothing? Four witnesses: a timestamp echoed by the original and not by the
 * copy (Eifel, RFC 3522 §3.2); DSACKs that report each copy as the second to arrive (RFC 3708 §3);
 * all that was deemed lost arrived before any of it was sent again; and, after a timeout, F-RTO
 * (RFC 5682): having sent one segment again, send new ones and see whether what was sent before the
 * timeout still arrives by itself. If it was, the congestion window is put back as it had been
 * (RFC 4015 §3.2).
 */
#include "proto/tcp/internal.h"

/* What an earlier recovery sent again, and is still on its way, counts on: its arrival says nothing
 * of this recovery, and its DSACKs are no witnesses as long as one copy was needed. */
void tern_tcb_undo_arm(struct tern_tcb *c)
{
    if (c->loss.resent_below <= c->snd.una) {
        c->undo.again = false;
        c->undo.again_bytes = 0;
        c->undo.from = c->snd.una;
    }
    c->undo.armed = true;
    c->undo.resent = c->undo.copied = false;
    c->undo.frto = TERN_FRTO_OFF;
    c->undo.cc = c->cc;
}

void tern_tcb_undo_disarm(struct tern_tcb *c)
{
    c->undo.armed = false;
    c->undo.frto = TERN_FRTO_OFF;
}

void tern_tcb_undo_note_resent(struct tern_tcb *c, uint64_t from, uint64_t bytes, tern_time now)
{
    if (!c->undo.again) {
        c->undo.again_ts = tern_tcb_ts_now(c, now);
        c->undo.below = from;
    }
    c->undo.below = tern_max_u64(c->undo.below, from + bytes);
    if (!c->undo.resent)
        c->undo.first = from;
    c->undo.again = c->undo.resent = true;
    c->undo.again_bytes += bytes;
}

/* Only the ACK that moves on from what this recovery sent again first (RFC 3522 §3.2 (4)): the
 * originals of what an earlier one sent again were late for themselves. */
static bool is_echo_of_original(const struct tern_tcb *c, const struct tern_segment *seg,
                                const struct tern_delivery *d)
{
    const uint64_t old_una = c->snd.una - d->acked;

    return d->acked > 0 && c->undo.resent && old_una == c->undo.first && c->opt.timestamps &&
           seg->h.has_timestamps && seg->h.ts_echo != 0 &&
           (int32_t)(seg->h.ts_echo - c->undo.again_ts) < 0;
}

/* The tail loss probe's own DSACK says nothing of what was sent again, nor does that of a copy
 * which the network made of something else (RFC 3708 §3). */
static bool is_dsack_of_copy(const struct tern_tcb *c, const struct tern_delivery *d)
{
    return d->dsack && d->dsack_end > c->undo.from && d->dsack_end <= c->undo.below &&
           !(c->tlp.is_retrans && d->dsack_end == c->tlp.end);
}

/* Not if a copy of before this recovery filled a hole: a tail loss probe, or a recovery undone. */
static bool all_came_by_itself(struct tern_tcb *c, const struct tern_delivery *d)
{
    if (d->copy)
        c->undo.copied = true;
    return c->loss.state == TERN_RECOVERY_FAST && c->opt.sack && c->log != NULL &&
           !c->undo.resent && !c->undo.copied && c->snd.una >= c->loss.lost_below;
}

/* A whole segment, or the rest where neither a cork nor Nagle's rule holds it back: the test with
 * new text that waits would hold back the lost as well, until the next timeout. */
static bool new_data_may_go(const struct tern_tcb *c)
{
    const uint64_t until = tern_min_u64(c->snd.end, c->snd.una + c->snd.wnd);
    const uint64_t fresh = until > c->snd.nxt ? until - c->snd.nxt : 0;

    if (fresh >= tern_tcb_segment_bytes(c))
        return true;
    return fresh > 0 && until == c->snd.end && !c->set.cork && !c->marks.held &&
           (c->set.nodelay || c->snd.small_end <= c->snd.una);
}

/* Step 3a: three segments, of which the new ones are two; else nothing of the lost had room. A
 * SACK takes those that arrived out of what is in flight. */
static void end_test(struct tern_tcb *c)
{
    const uint64_t three = 3 * (uint64_t)tern_tcb_segment_bytes(c);

    if (c->undo.frto == TERN_FRTO_PROBED && !c->opt.sack)
        c->cc.cwnd = tern_max_u64(c->cc.cwnd, three);
    c->undo.frto = TERN_FRTO_OFF;
}

/* RFC 5682 §2.1, and §3.1 where there is SACK. */
static bool frto_try(struct tern_tcb *c, const struct tern_delivery *d, bool duplicate)
{
    if (c->undo.frto == TERN_FRTO_OFF)
        return false;
    if (c->opt.sack && d->original && d->original_from < c->loss.recover)
        return true;
    if (c->undo.frto == TERN_FRTO_PROBED && d->acked > 0 && d->original && !c->opt.sack)
        return true;
    if (c->undo.frto == TERN_FRTO_RESENT && d->acked > 0 && c->snd.una < c->loss.recover &&
        new_data_may_go(c))
        c->undo.frto = TERN_FRTO_PROBED;
    else if (duplicate || d->delivered > 0)
        end_test(c);
    return false;
}

enum tern_undo_by tern_tcb_undo_try(struct tern_tcb *c, const struct tern_segment *seg,
                                    const struct tern_delivery *d, bool duplicate)
{
    const bool twice = is_dsack_of_copy(c, d);

    if (twice)
        c->undo.again_bytes -= tern_min_u64(c->undo.again_bytes, d->dsack_bytes);
    if (!c->undo.armed)
        return TERN_UNDO_NONE;
    if (is_echo_of_original(c, seg, d))
        return TERN_UNDO_TIMESTAMP;
    if (twice && c->undo.resent && c->undo.again_bytes == 0)
        return TERN_UNDO_DSACK;
    if (all_came_by_itself(c, d))
        return TERN_UNDO_ARRIVED;
    return c->loss.state == TERN_RECOVERY_LOSS && frto_try(c, d, duplicate) ? TERN_UNDO_FRTO
                                                                            : TERN_UNDO_NONE;
}

bool tern_tcb_frto_blocks_resends(const struct tern_tcb *c)
{
    return c->undo.armed && c->undo.frto == TERN_FRTO_PROBED;
}
