/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an application may set for a connection: is it in its range, and what happens at once when
 * it changes while the connection lives. Most fields are only looked at where they matter.
 */
#include "proto/tcp/internal.h"

#define KEEP_TIME_MAX    (32767 * TERN_SECOND) /* Linux's limits for its options of the kind */
#define KEEP_COUNT_MAX   127
#define SYN_RETRIES_MAX  127
#define MSS_MAX          (65535 - 40)
#define FIN_WAIT_2_MAX   (120 * TERN_SECOND)
#define USER_TIMEOUT_MAX (INT32_MAX * TERN_MS)

static bool time_fits(tern_time v, tern_time max)
{
    return v >= 0 && v <= max;
}

bool tern_tcp_settings_valid(const struct tern_tcp_settings *set)
{
    return time_fits(set->keep_idle, KEEP_TIME_MAX) &&
           time_fits(set->keep_interval, KEEP_TIME_MAX) &&
           time_fits(set->user_timeout, USER_TIMEOUT_MAX) &&
           time_fits(set->fin_wait_2, FIN_WAIT_2_MAX) && set->keep_count <= KEEP_COUNT_MAX &&
           set->syn_retries <= SYN_RETRIES_MAX && set->mtu_probe <= TERN_MTU_PROBE_ALWAYS &&
           (set->mss_bytes == 0 ||
            (set->mss_bytes >= TERN_TCP_MSS_MIN && set->mss_bytes <= MSS_MAX)) &&
           (set->congestion == NULL || tern_cc_find(set->congestion) != NULL);
}

/* Another controller takes over where the old one stands. A recovery that the old one saw to by
 * itself has left no ssthresh for its end to come down to: the new one makes its own reduction. */
static void change_congestion(struct tern_tcb *c, const struct tern_cc_ops *ops, tern_time now)
{
    const struct tern_cc_state was = c->cc;
    bool reduces;

    if (ops == NULL || ops == c->cc_ops)
        return;
    reduces = c->loss.state != TERN_RECOVERY_OPEN && c->cc_ops->own_recovery && !ops->own_recovery;
    tern_tcb_undo_disarm(c); /* what it would restore is the other's */
    c->cc_ops = ops;
    ops->init(&c->cc, was.mss);
    c->cc.cwnd = was.cwnd;
    c->cc.ssthresh = was.ssthresh;
    if (reduces)
        tern_tcb_loss_take_over(c, now);
}

void tern_tcb_set(struct tern_tcb *c, const struct tern_tcp_settings *set, tern_time now)
{
    const bool reads = set->readable_bytes != c->set.readable_bytes;
    const bool writes = set->notsent_lowat_bytes != c->set.notsent_lowat_bytes ||
                        set->send_buffer_bytes != c->set.send_buffer_bytes;
    const bool pushes = set->nodelay && (!c->set.nodelay || c->marks.held);

    TERN_ASSERT(tern_tcp_settings_valid(set));
    if (set->congestion != NULL)
        change_congestion(c, tern_cc_find(set->congestion), now);
    c->set = *set;
    c->set.congestion = c->cc_ops->name; /* the caller's string is the caller's */
    tern_tcb_mtu_set(c);
    if (set->quickack && c->timer.delack != TERN_TIME_NEVER && c->ack.every == 0)
        tern_tcb_ack_now(c, TERN_CAUSE_QUICK_ACK);
    if (reads) /* what is no news wakes nobody */
        tern_tcb_note_readable(c);
    if (writes)
        tern_tcb_note_writable(c);
    if (pushes || !set->cork) {
        c->timer.cork = TERN_TIME_NEVER;
        if (pushes)
            c->snd.short_to = c->snd.end; /* what waits goes, corked or not */
    }
    if (c->state == TERN_TCP_FIN_WAIT_2 && c->orphan)
        tern_tcb_start_fin_wait_2_timer(c, now);
}
