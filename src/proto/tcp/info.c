/* SPDX-License-Identifier: BSD-2-Clause */
/* What a connection tells of itself, and what must always hold for it. */
#include "proto/tcp/internal.h"

static void info_counts(const struct tern_tcb *c, struct tern_tcp_info *out)
{
    out->bytes_sent = c->count.bytes_sent;
    out->bytes_retrans = c->count.bytes_retrans;
    out->bytes_acked = c->count.bytes_acked;
    out->bytes_received = c->count.bytes_received;
    out->segs_out = c->count.segs_out;
    out->segs_in = c->count.segs_in;
    out->data_segs_out = c->count.data_segs_out;
    out->data_segs_in = c->count.data_segs_in;
    out->retrans = c->count.retrans;
    out->rtos = c->count.rtos;
    out->fast_recoveries = c->count.fast_recoveries;
    out->dup_acks_in = c->count.dup_acks_in;
    out->out_of_order_in = c->count.out_of_order_in;
    out->acks_out = c->count.acks_out;
    out->zero_windows_sent = c->count.zero_windows_sent;
    out->window_probes_out = c->count.window_probes_out;
    out->keepalives_out = c->count.keepalives_out;
}

static enum tern_tcp_ca_state ca_state(const struct tern_tcb *c)
{
    if (c->loss.state == TERN_RECOVERY_LOSS)
        return TERN_TCP_CA_LOSS;
    if (c->loss.state == TERN_RECOVERY_FAST)
        return TERN_TCP_CA_RECOVERY;
    if (c->loss.state == TERN_RECOVERY_CWR)
        return TERN_TCP_CA_CWR;
    return c->loss.dupacks > 0 || c->loss.sacked != NULL ? TERN_TCP_CA_DISORDER : TERN_TCP_CA_OPEN;
}

static void info_times(const struct tern_tcb *c, tern_time now, struct tern_tcp_info *out)
{
    out->at = now;
    out->opened_at = c->opened_at;
    out->established_at = c->established_at;
    out->closed_at = c->closed_at;
    out->data_sent_at = c->last.data_sent_at;
    out->data_received_at = c->last.data_received_at;
    out->ack_sent_at = c->last.ack_sent_at;
    out->ack_received_at = c->last.ack_received_at;
    out->rto = c->rtt.rto;
    out->srtt = c->rtt.srtt;
    out->rttvar = c->rtt.rttvar;
    out->rtt_min = c->rtt.rtt_min;
    out->ato = TERN_TCP_DELACK;
    out->rwnd_limited = tern_tcb_held_for(c, TERN_HELD_WINDOW, now);
    out->sndbuf_limited = tern_tcb_held_for(c, TERN_HELD_BUFFER, now);
    out->busy = tern_tcb_held_for(c, TERN_HELD_BUSY, now) + out->rwnd_limited + out->sndbuf_limited;
}

static void info_rates(const struct tern_tcb *c, struct tern_tcp_info *out)
{
    out->pacing_rate = tern_tcb_pace_rate(c);
    out->delivery_rate = c->delivered.rate;
    out->delivery_rate_app_limited = c->delivered.rate_app_limited;
    out->delivered_bytes = c->delivered.total;
    out->delivered_segs = c->delivered.segs;
    out->delivered_ce_segs = c->delivered.ce_segs;
    out->reorders_seen = c->rack.reordering_seen;
    out->dsacks_in = c->count.dsacks_in;
    out->rcv_space_bytes = c->rcv.buffer;
    out->rcv_rtt = c->rcv.rtt;
}

/* The longest way that a segment was overtaken, in segments; not below what counts as in order. */
static uint32_t reordering(const struct tern_tcb *c)
{
    const uint32_t segment = tern_tcb_segment_bytes(c);
    const uint64_t overtaken = (c->rack.overtaken_bytes + segment - 1) / segment;

    return (uint32_t)tern_min_u64(tern_max_u64(overtaken, TERN_TCP_DUPACKS), UINT32_MAX);
}

/* How it stands with what was not answered yet. */
static void info_waiting(const struct tern_tcb *c, struct tern_tcp_info *out)
{
    const bool probing = c->snd.wnd == 0 && tern_tcb_is_synchronised(c);

    out->ca_state = ca_state(c);
    out->soft_error = c->soft_error;
    out->retransmits = probing ? 0 : c->loss.retries;
    out->probes = (probing ? c->loss.retries : 0) + c->keep.probes;
    out->backoff = c->rtt.backoffs;
    out->reordering = reordering(c);
    out->unacked_bytes = c->snd.nxt - c->snd.una;
    out->notsent_bytes = c->snd.end > c->snd.nxt ? c->snd.end - c->snd.nxt : 0;
    out->unread_bytes = tern_tcb_unread(c);
    out->sacked_bytes = c->loss.sacked_bytes;
    out->lost_bytes = tern_tcb_deemed_lost(c);
    if (c->loss.resent_below > c->snd.una)
        out->resent_bytes = c->loss.resent_below - c->snd.una;
    out->snd_wnd_bytes = c->snd.wnd;
    out->rcv_wnd_bytes = c->rcv.adv - c->rcv.nxt;
}

void tern_tcb_info(const struct tern_tcb *c, tern_time now, struct tern_tcp_info *out)
{
    memset(out, 0, sizeof(*out));
    out->id = c->id;
    out->local = c->local;
    out->remote = c->remote;
    out->state = c->state;
    out->reason = c->reason;
    out->congestion = c->cc_ops->name;
    out->cwnd_bytes = c->cc.cwnd;
    out->ssthresh_bytes = c->cc.ssthresh;
    out->mss_bytes = tern_tcb_segment_bytes(c);
    out->pmtu_bytes = c->mtu.path_bytes;
    out->advmss_bytes = c->rcv.mss;
    out->rcvmss_bytes = c->rcv.piece_bytes;
    out->snd_wscale = c->snd.wscale;
    out->rcv_wscale = c->rcv.wscale;
    out->timestamps = c->opt.timestamps;
    out->sack = c->opt.sack;
    out->wscale = c->opt.wscale;
    out->syn_data = c->fastopen.taken;
    out->syn_waits = c->fastopen.waits;
    out->syn_room_bytes = c->fastopen.waits ? tern_tcb_fastopen_room(c) : 0;
    out->ecn = c->opt.ecn;
    out->ecn_seen = c->ecn.seen;
    info_times(c, now, out);
    info_waiting(c, out);
    info_rates(c, out);
    info_counts(c, out);
}

void tern_tcb_check(const struct tern_tcb *c)
{
    TERN_ASSERT(c->snd.iss <= c->snd.una);
    TERN_ASSERT(c->snd.una <= c->snd.nxt);
    TERN_ASSERT(c->snd.nxt <= c->snd.max);
    TERN_ASSERT(c->snd.max <= c->snd.end + c->snd.fin_queued);
    TERN_ASSERT(!c->snd.fin_sent || c->snd.fin_queued);
    TERN_ASSERT(c->rcv.head <= c->rcv.nxt);
    TERN_ASSERT(c->rcv.nxt <= c->rcv.adv);
    TERN_ASSERT(c->rcv.promised <= c->env->promised);
    TERN_ASSERT(c->rcv.load <= c->env->load);
    TERN_ASSERT(c->rcv.promised > 0 || c->rcv.load == 0);
    TERN_ASSERT(c->loss.resent_below <= c->snd.max);
    TERN_ASSERT(c->loss.lost_below <= c->snd.max);
    TERN_ASSERT(c->rcv.ooo == NULL || c->rcv.ooo->count > 0);
    TERN_ASSERT(c->rcv.ooo == NULL || c->rcv.ooo->item[0].start > c->rcv.nxt);
    TERN_ASSERT(c->state != TERN_TCP_CLOSED || c->timer.resend == TERN_TIME_NEVER);
    TERN_ASSERT(tern_tcb_is_synchronised(c) || c->loss.sacked == NULL);
    if (c->rcv.ooo != NULL)
        tern_ranges_check(c->rcv.ooo);
    if (c->loss.sacked != NULL)
        tern_ranges_check(c->loss.sacked);
    if (c->loss.relost != NULL)
        tern_ranges_check(c->loss.relost);
    if (c->log != NULL)
        tern_sentlog_check(c->log);
    TERN_ASSERT(c->loss.relost == NULL || c->loss.relost->count > 0);
    TERN_ASSERT(c->loss.sacked == NULL ||
                c->loss.sacked_bytes == tern_ranges_bytes(c->loss.sacked));
    tern_bytequeue_check(&c->sendq, &c->env->chunks);
    tern_tcb_lent_check(c);
    tern_bytequeue_check(&c->recvq, &c->env->chunks);
    /* Somebody must wake a connection that has bytes in flight. */
    TERN_ASSERT(c->snd.nxt == c->snd.una || c->timer.resend != TERN_TIME_NEVER ||
                !tern_tcb_is_synchronised(c) || tern_tcb_wants_output(c) ||
                c->state == TERN_TCP_TIME_WAIT);
}
