/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_REPORT_MODEL_INTERNAL_H
#define TERN_REPORT_MODEL_INTERNAL_H
/* What the files of the model share. Pictures see model.h only. */
#include "base/ranges.h"
#include "base/seq.h"
#include "report/model.h"
#include "wire/ipv4.h"
#include "wire/tcp.h"

#define MODEL_STEPS_DEFAULT 512
#define MODEL_STEPS_MIN     16
#define MODEL_CONNS_MAX     32
#define MODEL_RANGES_MAX    64
#define MODEL_PENDING_MAX   8
#define MODEL_LOOK_BACK     6  /* steps within which a late segment finds its burst */
#define MODEL_STATE_BACK    32 /* steps within which a state finds its frame */

/* One direction of a connection: what one side sent, and what it acknowledged. */
struct model_dir {
    bool known;                /* `zero` is: the SYN, or at least one segment, was seen */
    bool syn_seen;             /* so that `zero` is the true beginning */
    tern_seq zero;             /* sequence number of offset 0 */
    uint64_t next;             /* all bytes below were seen */
    uint64_t max;              /* the highest byte seen, plus one */
    struct tern_ranges beyond; /* what was seen above next */
    struct tern_range item[MODEL_RANGES_MAX];
    bool fin_seen;
    uint64_t fin_at; /* offset of the FIN: the stream's length */
    uint32_t mss;    /* the longest segment so far */

    bool acked;        /* this side has sent an ACK after its SYN */
    uint64_t ack_last; /* offset in the other direction */
    bool ack_fin;      /* … which covers the other side's FIN */
    uint64_t window_last;
    bool wscale_seen;
    uint8_t wscale;
};

struct model_conn {
    struct tern_model_conn out;
    struct model_dir dir[2]; /* 0: from us, 1: from the peer */
};

struct model_pending {
    uint32_t conn_id;
    enum tern_tcp_state to;
};

struct tern_model {
    struct tern_model_options options;
    struct tern_step *step;
    size_t step_count;
    struct model_conn conn[MODEL_CONNS_MAX];
    size_t conn_count;
    struct model_pending pending[MODEL_PENDING_MAX];
    size_t pending_count;
    bool started, has_kernel;
    tern_time origin;
    uint8_t *scratch; /* TERN_FRAME_BYTES_MAX: a frame, zero behind what the record holds */
};

/* A frame that was parsed down to its IP body, on its way to a step. */
struct model_packet {
    tern_time at;
    enum tern_lane from;
    enum tern_cause cause;
    uint32_t gso_bytes;
    struct tern_ipv4 ip;
    tern_span body;
    size_t known_bytes; /* of body: what lies behind them was not recorded */
};

/* A new step at the end; NULL where the list is full (and the frame is counted as omitted). */
struct tern_step *model_step_add(struct tern_model *m, enum tern_step_kind kind,
                                 enum tern_lane from, tern_time at);
/* The last step; NULL: none. */
struct tern_step *model_step_last(struct tern_model *m);
/* Is the list so full that bursts must be folded harder? */
bool model_is_crowded(const struct tern_model *m);
/* A step is complete enough to be given a state that waits for one like it. */
void model_step_settled(struct tern_model *m, struct tern_step *s);
/* A connection was seen for the first time. */
void model_conn_started(struct tern_model *m, struct model_conn *c);

void model_tcp(struct tern_model *m, const struct model_packet *p);

#endif
