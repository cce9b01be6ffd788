/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_TRACE_H
#define TERN_TRACE_H
/*
 * Traces: what the stack decided, for whoever wants to explain it. They wait in a ring of
 * config.traces_count entries (0: off, and then they cost a branch); pull them each turn.
 */
#include <tern/drop.h>
#include <tern/tcp.h>

#ifdef __cplusplus
extern "C" {
#endif

enum tern_trace_kind {
    TERN_TRACE_STATE,   /* state: conn went from one state to another */
    TERN_TRACE_RTT,     /* rtt: a sample was taken */
    TERN_TRACE_LOSS,    /* loss: data is being sent again, and what noticed */
    TERN_TRACE_DROP,    /* drop: a received packet was dropped */
    TERN_TRACE_WINDOW,  /* window: the window that we advertise closed or opened again */
    TERN_TRACE_CLOSED,  /* closed: the connection's last figures, before the block is reused */
    TERN_TRACE_ADDRESS, /* address: claim steps */
};

enum tern_address_step {
    TERN_ADDRESS_PROBED,
    TERN_ADDRESS_ANNOUNCED,
    TERN_ADDRESS_DEFENDED,
    TERN_ADDRESS_LOST,
};

struct tern_trace {
    tern_time at;
    enum tern_trace_kind kind;
    uint32_t conn_id; /* 0 where no connection is concerned */
    union {
        struct {
            enum tern_tcp_state from, to;
        } state;
        struct {
            tern_time sample, srtt, rto;
        } rtt;
        struct {
            enum tern_cause cause;
            uint64_t offset;
            uint32_t bytes;
        } loss;
        struct {
            enum tern_drop reason;
        } drop;
        struct {
            uint64_t bytes;
        } window;
        struct tern_tcp_info closed;
        struct {
            struct tern_addr address;
            enum tern_address_step step;
            struct tern_mac other;
        } address;
    };
};

/* The oldest trace; false: none. */
TERN_EXPORT bool tern_stack_trace(struct tern_stack *stack, struct tern_trace *out);
/* Traces overwritten because nobody pulled in time. */
TERN_EXPORT uint64_t tern_stack_traces_lost(const struct tern_stack *stack);

#ifdef __cplusplus
}
#endif
#endif
