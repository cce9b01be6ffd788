/* SPDX-License-Identifier: BSD-2-Clause */
/* Resets that answer a segment: for nobody (RFC 9293 §3.10.7.1), or by the same rule. */
#include "proto/tcp/internal.h"

bool tern_tcp_reset_for(const struct tern_segment *seg, struct tern_segment_out *out)
{
    uint32_t len = (uint32_t)seg->text.bytes;

    if ((seg->h.flags & TERN_TCP_RST) != 0)
        return false;
    memset(out, 0, sizeof(*out));
    out->cause = TERN_CAUSE_RST_NO_CONNECTION;
    out->h.src_port = seg->h.dst_port;
    out->h.dst_port = seg->h.src_port;
    if ((seg->h.flags & TERN_TCP_ACK) != 0) {
        out->h.seq = seg->h.ack;
        out->h.flags = TERN_TCP_RST;
        return true;
    }
    len += (seg->h.flags & TERN_TCP_SYN) != 0;
    len += (seg->h.flags & TERN_TCP_FIN) != 0;
    out->h.ack = tern_seq_add(seg->h.seq, len);
    out->h.flags = TERN_TCP_RST | TERN_TCP_ACK;
    return true;
}

void tern_tcb_answer_reset(struct tern_tcb *c, const struct tern_segment *seg,
                           enum tern_cause cause)
{
    c->stray_rst_due = true;
    c->stray_rst_seq = seg->h.ack;
    c->rst_cause = cause;
}
