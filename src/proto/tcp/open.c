/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Opening: a control block is born active (RFC 9293 §3.10.1), with a SYN to send, or passive
 * (RFC 9293 §3.10.7.2), from the SYN that reached a listener, with a SYN-ACK to send. The options
 * that its settings name are offered; what the other SYN lacks is dropped in tern_tcb_negotiate().
 */
#include "proto/tcp/internal.h"

/* The extended number of the first sequence number of a direction: never near zero. */
static uint64_t extended_first(tern_seq seq)
{
    return (UINT64_C(1) << 32) + seq.value;
}

/* mss_max: the application's, 0: none */
static uint32_t own_mss(const struct tern_tcp_env *env, struct tern_addr remote, uint32_t mss_max)
{
    const uint32_t headers = tern_addr_is_v4(remote) ? 40 : 60;
    const uint32_t mss =
        env->mtu_bytes > headers + TERN_TCP_MSS_MIN ? env->mtu_bytes - headers : TERN_TCP_MSS_MIN;

    return mss_max > 0 && mss_max < mss ? mss_max : mss;
}

static void init_times(struct tern_tcb *c, tern_time now)
{
    c->opened_at = now;
    c->established_at = TERN_TIME_NEVER;
    c->closed_at = TERN_TIME_NEVER;
    c->timer.resend = TERN_TIME_NEVER;
    c->timer.delack = TERN_TIME_NEVER;
    c->timer.wait = TERN_TIME_NEVER;
    c->timer.reorder = TERN_TIME_NEVER;
    c->timer.tail = TERN_TIME_NEVER;
    c->timer.pace = TERN_TIME_NEVER;
    c->snd.sent_at = TERN_TIME_NEVER;
    c->timer.give_up = TERN_TIME_NEVER;
    c->timer.cork = TERN_TIME_NEVER;
    c->last.data_sent_at = c->last.data_received_at = TERN_TIME_NEVER;
    c->last.ack_sent_at = c->last.ack_received_at = TERN_TIME_NEVER;
    c->last.stuck_at = TERN_TIME_NEVER;
    c->ack.challenged_at = TERN_TIME_NEVER;
    c->ack.answered_at = TERN_TIME_NEVER;
}

static void init_common(struct tern_tcb *c, struct tern_tcp_env *env,
                        const struct tern_tcb_options *o, tern_time now)
{
    memset(c, 0, sizeof(*c));
    c->env = env;
    c->id = o->id;
    c->local = o->local;
    c->remote = o->remote;
    c->set = o->set;
    c->set.congestion = o->cc->name;
    c->ack.every = o->ack_every;
    c->ack.quick = TERN_TCP_QUICK_ACKS;
    init_times(c, now);

    c->snd.iss = extended_first(o->iss);
    c->snd.una = c->snd.nxt = c->snd.max = c->snd.iss;
    c->snd.end = c->snd.iss + 1;
    c->snd.small_end = c->snd.iss;
    tern_bytequeue_init(&c->sendq, c->snd.iss + 1);
    tern_bytequeue_init(&c->recvq, 0);

    c->rcv.mss = own_mss(env, o->remote.addr, o->set.mss_bytes);
    c->rcv.piece_bytes = c->rcv.frame_bytes = c->rcv.mss;
    c->rcv.buffer = tern_min_u64(TERN_TCP_RECEIVE_START, env->receive_buffer_bytes);
    c->rcv.wscale = o->set.window_scale ? tern_tcb_wscale(c) : 0;
    c->snd.buffer = tern_min_u64(TERN_TCP_SEND_START, env->send_buffer_bytes);
    tern_tcb_mtu_init(c);
    c->opt.timestamps = o->set.timestamps;
    c->opt.sack = o->set.sack;
    c->opt.wscale = o->set.window_scale;
    c->opt.ecn = c->set.ecn;
    c->opt.ts_offset = o->ts_offset;

    tern_rtt_init(&c->rtt);
    c->cc_ops = o->cc;
    c->cc_ops->init(&c->cc, c->snd.mss);
    tern_tcb_loss_init(c);
    c->syn_due = true;
}

void tern_tcb_open_active(struct tern_tcb *c, struct tern_tcp_env *env,
                          const struct tern_tcb_options *o, tern_time now)
{
    init_common(c, env, o, now);
    /* who connects tells of it with the handshake's ACK, before a server's first burst */
    c->rcv.buffer = tern_min_u64(4 * TERN_TCP_RECEIVE_START, env->receive_buffer_bytes);
    if (o->connect_timeout > 0)
        c->timer.give_up = now + o->connect_timeout;
    tern_tcb_fastopen_open(c, o);
    tern_tcb_tell_opened(c, now);
    tern_tcb_set_state(c, TERN_TCP_SYN_SENT, now);
}

void tern_tcb_open_passive(struct tern_tcb *c, struct tern_tcp_env *env,
                           const struct tern_tcb_options *o, const struct tern_segment *syn,
                           tern_time now)
{
    init_common(c, env, o, now);
    c->passive = true;
    c->env->segments_in++; /* the SYN */
    c->count.segs_in = 1;
    c->rcv.irs = extended_first(syn->h.seq);
    c->rcv.nxt = c->rcv.adv = c->rcv.head = c->rcv.irs + 1;
    c->rcv.last_ack_sent = c->rcv.nxt;
    c->ack.slow_nxt = c->rcv.nxt;
    tern_bytequeue_init(&c->recvq, c->rcv.nxt);
    tern_tcb_tune_start(c, now);
    tern_tcb_negotiate(c, &syn->h, now);
    tern_tcb_take_window(c, syn, c->rcv.irs, now);
    tern_tcb_tell_opened(c, now);
    tern_tcb_set_state(c, TERN_TCP_SYN_RECEIVED, now);
    c->fastopen.option = o->fastopen.option;
    c->fastopen.cookie = o->fastopen.cookie;
    if (o->fastopen.accept)
        tern_tcb_fastopen_accept(c, syn, now);
}

void tern_tcb_forget(struct tern_tcb *c)
{
    TERN_ASSERT(c->state == TERN_TCP_TIME_WAIT || c->state == TERN_TCP_CLOSED);
    c->state = TERN_TCP_CLOSED;
    tern_tcb_note_promise(c);
}

void tern_tcb_fini(struct tern_tcb *c)
{
    if (c->state != TERN_TCP_CLOSED)
        tern_tcb_finish(c, TERN_ERR_ABORTED, c->opened_at);
    tern_tcb_sendq_clear(c);
    tern_tcb_recvq_fini(c);
    tern_tcb_loss_fini(c);
}
