/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_PROTO_TCP_HYSTART_H
#define TERN_PROTO_TCP_HYSTART_H
/* Leaving the first slow start before it overflows the bottleneck (RFC 9406). */
#include "proto/tcp/cc.h"

#define TERN_HYSTART_CSS_DIVISOR 4 /* RFC 9406 §4.3: CSS_GROWTH_DIVISOR */

/* What this ACK is for cwnd. */
enum tern_hystart_verdict {
    TERN_HYSTART_GROW,        /* slow start: by the acknowledged bytes */
    TERN_HYSTART_GROW_SLOWLY, /* conservative slow start: by their fourth part */
    TERN_HYSTART_LEAVE,       /* the queue stays: congestion avoidance from here */
};

/* h begins as zeros. Every ACK of the first slow start, whatever it does to cwnd. */
enum tern_hystart_verdict tern_hystart_on_ack(struct tern_hystart *h,
                                              const struct tern_cc_ack *ack);

#endif
