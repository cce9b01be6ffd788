/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_TESTS_TCP_BOTTLENECK_H
#define TERN_TESTS_TCP_BOTTLENECK_H
/*
 * A path for congestion controllers alone: flows of full packets share one bottleneck, a FIFO
 * queue of so many bytes in front of a link of so many bytes a second, behind which the rest of the
 * round trip takes a fixed time. Every packet that gets through is acknowledged by itself. What
 * is lost is noticed three packets later, and its bytes go again under a new number, so that
 * there is no scoreboard here. Rate samples are those of draft-ietf-ccwg-bbr §4.1. Virtual time;
 * chance comes from a counter that starts the same each time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/tcp/cc.h"

#define BN_MSS     1448
#define BN_PACKETS (1u << 15) /* of a flow in flight, at most */
#define BN_FLOWS   4
#define BN_QUEUE   (1u << 17) /* on their way, of all flows */

struct bn_packet {
    tern_time sent, delivered_at, first_sent;
    uint64_t delivered, in_flight;
    bool app_limited, done;
};

struct bn_flow {
    const struct tern_cc_ops *ops;
    struct tern_cc_state cc;
    struct bn_packet *packet; /* by number, BN_PACKETS of them */
    uint64_t una, next;       /* numbers */
    uint64_t delivered, lost, in_flight, app_limited;
    tern_time delivered_at, first_sent, srtt, rtt_min, next_send, last_ack_at;
    tern_time app_interval, app_next; /* one packet each so long; 0: no limit */
    tern_time starts_at;
    uint64_t recover;
    bool in_recovery, in_loss, limited; /* in_loss: that of a timeout */
    /* to be looked at */
    uint64_t losses, rtos, recoveries, cwnd_min, marks;
    tern_time last_rtt;
};

struct bn_way {
    uint64_t number;
    tern_time at;
    int flow;
    bool marked;
};

struct bn {
    uint64_t rate, buffer; /* bytes a second, bytes */
    tern_time delay, now, busy_until;
    uint32_t loss_ppm;
    uint64_t mark_above; /* bytes of queue beyond which packets are marked; 0: never */
    uint64_t chance;
    bool blind; /* the controllers hear no RTTs */
    struct bn_flow flow[BN_FLOWS];
    int flows;
    struct bn_way *way; /* in order of arrival */
    uint32_t way_head, way_count;
    /* to be looked at */
    uint64_t queue_max, dropped;
    double queue_sum;
    uint64_t queue_samples;
};

static inline void bn_open(struct bn *n, uint64_t rate, tern_time delay, uint64_t buffer)
{
    memset(n, 0, sizeof *n);
    n->rate = rate;
    n->delay = delay;
    n->buffer = buffer;
    n->now = TERN_SECOND;
    n->way = calloc(BN_QUEUE, sizeof *n->way);
    assert_non_null(n->way);
}

static inline void bn_close(struct bn *n)
{
    for (int i = 0; i < n->flows; i++)
        free(n->flow[i].packet);
    free(n->way);
}

static inline struct bn_flow *bn_flow_add(struct bn *n, const struct tern_cc_ops *ops, tern_time at)
{
    struct bn_flow *f = &n->flow[n->flows++];

    f->ops = ops;
    f->starts_at = at;
    f->packet = calloc(BN_PACKETS, sizeof *f->packet);
    assert_non_null(f->packet);
    f->una = f->next = 1;
    f->srtt = f->rtt_min = n->delay; /* the handshake's */
    f->cwnd_min = UINT64_MAX;
    ops->init(&f->cc, BN_MSS);
    return f;
}

static inline uint64_t bn_queued(const struct bn *n)
{
    if (n->busy_until <= n->now)
        return 0;
    return (uint64_t)((double)(n->busy_until - n->now) * (double)n->rate / 1e9);
}

static inline void bn_look_afresh(struct bn *n)
{
    n->queue_max = n->queue_samples = 0;
    n->queue_sum = 0;
    for (int i = 0; i < n->flows; i++) {
        n->flow[i].losses = n->flow[i].recoveries = n->flow[i].rtos = 0;
        n->flow[i].cwnd_min = UINT64_MAX;
    }
}

static inline bool bn_chance(struct bn *n, uint32_t ppm)
{
    uint64_t v = ++n->chance * UINT64_C(0x9e3779b97f4a7c15);

    v = (v ^ (v >> 31)) * UINT64_C(0xbf58476d1ce4e5b9);
    return (v ^ (v >> 29)) % 1000000 < ppm;
}

/* A packet comes to the queue. */
static inline void bn_carry(struct bn *n, int flow, uint64_t number)
{
    const uint64_t queued = bn_queued(n);
    struct bn_way *w = &n->way[(n->way_head + n->way_count) % BN_QUEUE];

    n->queue_sum += (double)queued;
    n->queue_samples++;
    if (queued > n->queue_max)
        n->queue_max = queued;
    if (queued + BN_MSS > n->buffer || bn_chance(n, n->loss_ppm)) {
        n->dropped++;
        return;
    }
    if (n->busy_until < n->now)
        n->busy_until = n->now;
    n->busy_until += (tern_time)(UINT64_C(1000000000) * BN_MSS / n->rate);
    w->at = n->busy_until + n->delay;
    w->flow = flow;
    w->number = number;
    w->marked = n->mark_above > 0 && queued > n->mark_above;
    n->way_count++;
    assert_true(n->way_count < BN_QUEUE);
}

static inline bool bn_may_send(const struct bn *n, const struct bn_flow *f)
{
    return n->now >= f->starts_at && f->in_flight + BN_MSS <= f->cc.cwnd &&
           f->next - f->una < BN_PACKETS;
}

static inline tern_time bn_pause(const struct bn_flow *f)
{
    uint64_t rate = f->cc.pacing_rate;

    if (rate == 0) {
        const uint64_t twelfths = f->cc.cwnd < f->cc.ssthresh ? 20 : 12;

        rate = f->cc.cwnd * twelfths / 10 * UINT64_C(1000000) / (uint64_t)(f->srtt / 1000);
    }
    return (tern_time)(UINT64_C(1000000000) * BN_MSS / (rate > 0 ? rate : 1));
}

static inline void bn_send(struct bn *n, int i)
{
    struct bn_flow *f = &n->flow[i];
    struct bn_packet *p = &f->packet[f->next % BN_PACKETS];

    if (f->in_flight == 0) {
        f->first_sent = f->delivered_at = n->now;
        f->last_ack_at = n->now;
    }
    f->in_flight += BN_MSS;
    *p = (struct bn_packet){.sent = n->now,
                            .delivered_at = f->delivered_at,
                            .first_sent = f->first_sent,
                            .delivered = f->delivered,
                            .in_flight = f->in_flight,
                            .app_limited = f->app_limited != 0};
    bn_carry(n, i, f->next++);
    f->next_send = (f->next_send > n->now - TERN_MS ? f->next_send : n->now) + bn_pause(f);
    if (f->app_interval > 0) {
        f->app_next = n->now + f->app_interval;
        if (f->in_flight + BN_MSS <= f->cc.cwnd)
            f->app_limited = f->delivered + f->in_flight;
    }
}

/* Everything older than three before this one is lost. Returns the bytes. */
static inline uint64_t bn_find_losses(struct bn_flow *f, uint64_t number)
{
    uint64_t bytes = 0;

    for (; f->una < f->next; f->una++) {
        if (!f->packet[f->una % BN_PACKETS].done) {
            if (f->una + 3 > number)
                break;
            bytes += BN_MSS;
            f->in_flight -= BN_MSS;
        }
    }
    f->lost += bytes;
    f->losses += bytes / BN_MSS;
    return bytes;
}

static inline void bn_sample(struct bn_flow *f, const struct bn_packet *p, struct tern_cc_ack *a)
{
    const tern_time acks = a->now - p->delivered_at, sends = p->sent - p->first_sent;

    f->delivered += BN_MSS;
    f->delivered_at = a->now;
    f->first_sent = p->sent;
    if (f->app_limited != 0 && f->delivered > f->app_limited)
        f->app_limited = 0;
    a->rate.interval = acks > sends ? acks : sends;
    a->rate.prior_delivered = p->delivered;
    a->rate.in_flight_at_send = p->in_flight;
    a->rate.is_app_limited = p->app_limited;
    a->rate.delivered = a->rate.interval < f->rtt_min ? 0 : f->delivered - p->delivered;
    a->rtt = a->now - p->sent;
    f->last_rtt = a->rtt;
    f->srtt += (a->rtt - f->srtt) / 8;
    if (a->rtt < f->rtt_min)
        f->rtt_min = a->rtt;
}

static inline void bn_tell(struct bn_flow *f, struct tern_cc_ack *a, const struct bn_way *w)
{
    if (!f->in_recovery && a->lost_bytes > 0) {
        f->in_recovery = true;
        f->recover = f->next;
        f->recoveries++;
        f->ops->on_loss(&f->cc, a->in_flight, a->now);
    } else if (!f->in_recovery && w->marked) {
        f->in_recovery = true;
        f->recover = f->next;
        f->marks++;
        if (f->ops->on_ecn != NULL)
            f->ops->on_ecn(&f->cc, a->in_flight, a->now);
        else
            f->ops->on_loss(&f->cc, a->in_flight, a->now);
    }
    if (f->in_recovery && w->number >= f->recover) {
        f->in_recovery = false;
        if (!f->in_loss)
            f->ops->on_recovered(&f->cc, a->now);
        f->in_loss = false;
    }
    a->in_recovery = f->in_recovery;
    if (!f->in_recovery || f->in_loss || f->ops->own_recovery)
        f->ops->on_ack(&f->cc, a);
    if (f->cc.cwnd < f->cwnd_min)
        f->cwnd_min = f->cc.cwnd;
}

static inline void bn_receive(struct bn *n, const struct bn_way *w)
{
    struct bn_flow *f = &n->flow[w->flow];
    struct bn_packet *p = &f->packet[w->number % BN_PACKETS];
    struct tern_cc_ack a = {.now = n->now, .bytes = BN_MSS, .delivered_bytes = BN_MSS};

    f->last_ack_at = n->now;
    if (w->number < f->una || p->done)
        return; /* after a timeout that was wrong */
    a.in_flight = f->in_flight;
    bn_sample(f, p, &a);
    p->done = true;
    f->in_flight -= BN_MSS;
    a.lost_bytes = bn_find_losses(f, w->number);
    a.delivered_total = f->delivered;
    a.pipe = f->in_flight;
    a.una = f->una * BN_MSS;
    a.nxt = f->next * BN_MSS;
    a.rtt_min = f->rtt_min;
    if (n->blind)
        a.rtt = 0;
    a.srtt = f->srtt;
    /* A window that is paced out never stands full: half of it will do in slow start. */
    f->limited = f->cc.cwnd < f->cc.ssthresh ? 2 * a.in_flight > f->cc.cwnd
                                             : a.in_flight + 3 * BN_MSS > f->cc.cwnd;
    a.cwnd_limited = f->limited;
    bn_tell(f, &a, w);
}

static inline void bn_timeout(struct bn *n, struct bn_flow *f)
{
    f->rtos++;
    f->ops->on_rto(&f->cc, f->in_flight, true, n->now);
    f->lost += f->in_flight;
    f->in_flight = 0;
    f->una = f->next;
    f->in_recovery = f->in_loss = true;
    f->recover = f->next;
    f->last_ack_at = n->now;
}

static inline tern_time bn_rto(const struct bn_flow *f)
{
    return f->last_ack_at + 200 * TERN_MS + 2 * f->srtt;
}

/* When it may send next; TERN_TIME_NEVER: an ACK must come first. */
static inline tern_time bn_next_send(const struct bn *n, const struct bn_flow *f)
{
    tern_time at = f->next_send > f->app_next ? f->next_send : f->app_next;

    at = at > f->starts_at ? at : f->starts_at;
    if (f->in_flight + BN_MSS > f->cc.cwnd)
        return TERN_TIME_NEVER;
    return at > n->now ? at : n->now;
}

static inline bool bn_step(struct bn *n, tern_time until)
{
    tern_time next = n->way_count > 0 ? n->way[n->way_head].at : TERN_TIME_NEVER;
    int sender = -1, late = -1;

    for (int i = 0; i < n->flows; i++) {
        const struct bn_flow *f = &n->flow[i];
        const tern_time at = bn_next_send(n, f);

        if (at < next) {
            next = at;
            sender = i;
            late = -1;
        }
        if (f->in_flight > 0 && bn_rto(f) < next) {
            next = bn_rto(f);
            late = i;
        }
    }
    if (next > until) {
        n->now = until;
        return false;
    }
    n->now = next > n->now ? next : n->now;
    if (late >= 0) {
        bn_timeout(n, &n->flow[late]);
    } else if (sender >= 0) {
        assert_true(bn_may_send(n, &n->flow[sender]));
        bn_send(n, sender);
    } else {
        const struct bn_way w = n->way[n->way_head];

        n->way_head = (n->way_head + 1) % BN_QUEUE;
        n->way_count--;
        bn_receive(n, &w);
    }
    return true;
}

static inline void bn_run(struct bn *n, tern_time duration)
{
    const tern_time until = n->now + duration;

    while (bn_step(n, until)) {
    }
}

static inline uint64_t bn_bdp(const struct bn *n)
{
    return (uint64_t)((double)n->rate * (double)n->delay / 1e9);
}

static inline double bn_queue_mean(const struct bn *n)
{
    return n->queue_samples == 0 ? 0 : n->queue_sum / (double)n->queue_samples;
}

#endif
