/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keep-alives (RFC 9293 §3.8.4): off unless the application asks. Where nothing is under way and
 * nothing was heard for keep_idle, a segment without text goes out whose number was acknowledged
 * long ago, so that a living peer must answer. One lost probe proves nothing: only keep_count of
 * them in a row, keep_interval apart, without any answer end the connection, with a reset; or the
 * user timeout where there is one (RFC 5482 §2), as Linux has it.
 *
 * There is no timer to keep in step: when the next probe is due follows from when the peer was last
 * heard, when the last probe left, and the settings.
 */
#include "proto/tcp/internal.h"

static bool is_idle(const struct tern_tcb *c)
{
    return tern_tcb_is_synchronised(c) && c->state != TERN_TCP_TIME_WAIT &&
           c->snd.una == c->snd.max && c->snd.end <= c->snd.nxt;
}

static tern_time heard_at(const struct tern_tcb *c)
{
    return c->last.ack_received_at != TERN_TIME_NEVER ? c->last.ack_received_at : c->established_at;
}

tern_time tern_tcb_keep_deadline(const struct tern_tcb *c)
{
    if (!c->set.keepalive || c->keep.due || !is_idle(c))
        return TERN_TIME_NEVER;
    if (c->keep.probes == 0)
        return heard_at(c) + (c->set.keep_idle > 0 ? c->set.keep_idle : TERN_TCP_KEEP_IDLE);
    return c->keep.probed_at +
           (c->set.keep_interval > 0 ? c->set.keep_interval : TERN_TCP_KEEP_INTERVAL);
}

static bool is_enough(const struct tern_tcb *c, tern_time now)
{
    if (c->set.user_timeout > 0)
        return c->keep.probes > 0 && now - heard_at(c) >= c->set.user_timeout;
    return c->keep.probes >= (c->set.keep_count > 0 ? c->set.keep_count : TERN_TCP_KEEP_COUNT);
}

void tern_tcb_keep_expire(struct tern_tcb *c, tern_time now)
{
    if (is_enough(c, now)) {
        c->rst_due = true;
        c->rst_cause = TERN_CAUSE_RST_KEEPALIVE;
        tern_tcb_give_up(c, now);
        return;
    }
    c->keep.probes++;
    c->keep.probed_at = now;
    c->keep.due = true;
}

void tern_tcb_note_heard(struct tern_tcb *c, tern_time now)
{
    c->last.ack_received_at = now;
    c->keep.probes = 0;
}
