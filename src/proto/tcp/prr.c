/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proportional rate reduction (RFC 6937): during recovery the congestion window comes down to
 * ssthresh evenly, a part of a segment for each that arrives, instead of a pause and a burst; and
 * where losses have emptied the network below ssthresh it grows back as slow start would, as long
 * as ACKs show progress without new losses.
 */
#include "proto/tcp/internal.h"

void tern_tcb_prr_start(struct tern_tcb *c, uint64_t flight)
{
    c->prr.delivered = c->prr.out = 0;
    c->prr.flight = tern_max_u64(flight, 1);
}

/* In whole segments, upwards: RFC 6937 §3's CEIL. */
static uint64_t whole(uint64_t bytes, uint32_t segment)
{
    return (bytes + segment - 1) / segment * segment;
}

static uint64_t to_send(const struct tern_tcb *c, const struct tern_delivery *d, uint64_t pipe)
{
    const uint32_t segment = tern_tcb_segment_bytes(c);
    uint64_t limit, target;

    if (pipe > c->cc.ssthresh) {
        /* the product may take more than 64 bits */
        target = whole(
            (uint64_t)((double)c->prr.delivered * (double)c->cc.ssthresh / (double)c->prr.flight),
            segment);
        return target > c->prr.out ? target - c->prr.out : 0;
    }
    limit = c->prr.delivered > c->prr.out ? c->prr.delivered - c->prr.out : 0;
    limit = tern_max_u64(limit, d->delivered);
    if (d->acked > 0 && d->lost == 0)
        limit += segment;
    return tern_min_u64(c->cc.ssthresh - pipe, limit);
}

void tern_tcb_prr_on_ack(struct tern_tcb *c, const struct tern_delivery *d)
{
    const uint64_t pipe = tern_tcb_pipe(c);
    uint64_t send;

    c->prr.delivered += d->delivered;
    send = to_send(c, d, pipe);
    if (c->prr.out == 0) /* the fast retransmission itself */
        send = tern_max_u64(send, tern_tcb_segment_bytes(c));
    c->cc.cwnd = tern_max_u64(pipe + send, c->cc.mss);
}
