/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Options: what a SYN offers, what two SYNs agree on, and what each segment then carries
 * (RFC 9293 §3.7.1; RFC 7323 §2.2, §3.2; RFC 2018 §2).
 *
 * The timestamp clock ticks in milliseconds (RFC 7323 §5.4 allows 1 ms to 1 s) from an offset
 * that is keyed to the connection, so that it tells nobody how long this host is up.
 */
#include "proto/tcp/internal.h"

uint32_t tern_tcb_ts_now(const struct tern_tcb *c, tern_time now)
{
    return (uint32_t)(now / TERN_MS) + c->opt.ts_offset;
}

void tern_tcb_negotiate(struct tern_tcb *c, const struct tern_tcp_header *syn, tern_time now)
{
    c->opt.wscale = c->opt.wscale && syn->has_wscale;
    c->opt.sack = c->opt.sack && syn->sack_permitted;
    c->opt.timestamps = c->opt.timestamps && syn->has_timestamps;
    c->opt.ecn = tern_tcb_ecn_agreed(c, syn->flags);
    c->snd.wscale = 0;
    if (c->opt.wscale)
        c->snd.wscale = syn->wscale > TERN_TCP_WSCALE_MAX ? TERN_TCP_WSCALE_MAX : syn->wscale;
    else
        c->rcv.wscale = 0;
    if (c->opt.timestamps) {
        c->opt.ts_recent = syn->ts_value;
        c->opt.ts_recent_at = now;
    }
    tern_tcb_mtu_peer(c, syn->has_mss ? syn->mss : TERN_TCP_MSS_DEFAULT);
    c->cc_ops->init(&c->cc, tern_tcb_segment_bytes(c));
}

void tern_tcb_forgo_options(struct tern_tcb *c)
{
    c->opt.wscale = c->opt.sack = c->opt.ecn = false;
    c->snd.wscale = c->rcv.wscale = 0;
}

void tern_tcb_fill_options(const struct tern_tcb *c, struct tern_tcp_header *h, bool syn,
                           tern_time now)
{
    if (syn) {
        h->has_mss = true;
        h->mss = (uint16_t)c->rcv.mss;
        h->has_wscale = c->opt.wscale;
        h->wscale = c->rcv.wscale;
        h->sack_permitted = c->opt.sack;
    }
    if (c->opt.timestamps) {
        h->has_timestamps = true;
        h->ts_value = tern_tcb_ts_now(c, now);
        h->ts_echo = (h->flags & TERN_TCP_ACK) != 0 ? c->opt.ts_recent : 0;
    }
}
