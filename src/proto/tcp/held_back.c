/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What holds a sender back, and for how long: a clock that always runs for one of four reasons. At
 * the end of each turn the reason is looked at anew, and where it changed the time so far goes to
 * the old one. For tern_tcp_info, which tells them as Linux's struct tcp_info does: busy is the
 * time with anything unsent or unacknowledged, the other two are parts of it.
 */
#include "proto/tcp/internal.h"

static enum tern_held held_by(const struct tern_tcb *c)
{
    const uint64_t unsent = c->snd.end > c->snd.nxt ? c->snd.end - c->snd.nxt : 0;
    const uint64_t edge = c->snd.una + c->snd.wnd;
    const uint64_t room = edge > c->snd.nxt ? edge - c->snd.nxt : 0;

    if (!tern_tcb_is_synchronised(c) || c->state == TERN_TCP_TIME_WAIT ||
        c->snd.end + c->snd.fin_queued == c->snd.una)
        return TERN_HELD_NONE;
    if (unsent > 0 && room < tern_min_u64(unsent, tern_tcb_segment_bytes(c)))
        return TERN_HELD_WINDOW;
    return unsent == 0 && c->snd.writable_wanted ? TERN_HELD_BUFFER : TERN_HELD_BUSY;
}

void tern_tcb_note_held(struct tern_tcb *c, tern_time now)
{
    const enum tern_held by = held_by(c);

    if (by == c->held.now)
        return;
    c->held.spent[c->held.now] += now - c->held.since;
    c->held.now = by;
    c->held.since = now;
}

tern_time tern_tcb_held_for(const struct tern_tcb *c, enum tern_held by, tern_time now)
{
    return c->held.spent[by] + (c->held.now == by ? now - c->held.since : 0);
}
