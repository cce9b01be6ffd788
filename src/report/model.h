/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_REPORT_MODEL_H
#define TERN_REPORT_MODEL_H
/*
 * A conversation, as a list of steps that a picture can show. Filled from records of frames and
 * from traces; it knows no stack, no link and no terminal. Frames are folded as they come: a burst
 * of segments and the ACKs that answer it are one step, so memory is bounded whatever is told.
 *
 * Bytes are stream offsets, 0 being the first byte after the SYN. Times are as in the records.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tern/addr.h>
#include <tern/cause.h>
#include <tern/tcp.h>
#include <tern/trace.h>

#include "link/record.h"

/* Who speaks. The kernel's lane is the kernel of our own machine, when it meddles. */
enum tern_lane { TERN_LANE_US, TERN_LANE_KERNEL, TERN_LANE_PEER, TERN_LANE_COUNT };

enum tern_step_kind {
    TERN_STEP_NOTE,      /* words of the story-teller */
    TERN_STEP_ARP_CLAIM, /* probes and announcements for one address */
    TERN_STEP_ARP_ASK,
    TERN_STEP_ARP_ANSWER,
    TERN_STEP_SYN,
    TERN_STEP_SYN_ACK,
    TERN_STEP_DATA, /* segments one way, and the ACKs that came back for them */
    TERN_STEP_HOLE, /* bytes that should have come by now, and have not */
    TERN_STEP_ACK,  /* ACKs without data */
    TERN_STEP_FIN,
    TERN_STEP_RST,
    TERN_STEP_PING, /* an ICMP echo request or reply */
    TERN_STEP_ICMP, /* an ICMP error */
    TERN_STEP_UDP,
    TERN_STEP_FRAME,   /* frames of other kinds */
    TERN_STEP_OMITTED, /* the list was full: so many frames are not shown */
    TERN_STEP_KIND_COUNT
};

enum tern_data_class {
    TERN_DATA_NEW,    /* the next bytes */
    TERN_DATA_BEYOND, /* new bytes, behind a hole */
    TERN_DATA_FILL,   /* bytes of a hole: late, or sent again */
    TERN_DATA_AGAIN,  /* bytes that had been seen before */
    TERN_DATA_MIXED,  /* several of these, folded because the list was getting full */
};

enum tern_ack_class {
    TERN_ACK_PLAIN,
    TERN_ACK_HANDSHAKE, /* of a SYN */
    TERN_ACK_DUPLICATE, /* the same number again: something is missing (RFC 5681 §2) */
    TERN_ACK_WINDOW,    /* the same number, another window */
    TERN_ACK_CLOSED,    /* the window that it offers is zero */
    TERN_ACK_FIN,       /* of a FIN */
};

#define TERN_STEP_HEAD_BYTES 48

struct tern_step_data {
    enum tern_data_class class;
    enum tern_cause cause; /* of the first segment, where we sent it */
    uint64_t segments;     /* MSS-sized pieces */
    uint64_t start, end;   /* offsets: the lowest byte, and one behind the highest */
    uint64_t again_segments, missing_segments; /* with TERN_DATA_MIXED */
    bool fin;                                  /* the last of them carries a FIN: the next step */
    uint8_t head_bytes;
    uint8_t head[TERN_STEP_HEAD_BYTES]; /* how the first segment begins: raw bytes, escape them */
};

struct tern_step_acks {
    enum tern_ack_class class;
    enum tern_cause cause; /* of the first, where we sent it */
    uint64_t count;
    uint64_t upto;             /* offset of the first byte not yet acknowledged */
    uint64_t window;           /* bytes offered by the last */
    bool fin;                  /* the last covers the other side's FIN */
    bool sack;                 /* the last carried SACK blocks of bytes beyond it */
    bool dsack;                /* one told of bytes that came twice (RFC 2883 §4) */
    tern_time at, until;       /* the first, the last */
    uint64_t sack_lo, sack_hi; /* with sack: the first of those blocks */
};

struct tern_step {
    enum tern_step_kind kind;
    enum tern_lane from;
    uint16_t conn; /* index of its connection; TERN_MODEL_NO_CONN */
    tern_time at, until;
    struct tern_addr address; /* ARP: asked for, claimed; ICMP, UDP: the other end */
    struct tern_mac mac;      /* ARP_ANSWER, and the rival of a claim */
    uint32_t count;           /* ARP_CLAIM: probes; PING, UDP, FRAME, OMITTED: frames */
    uint32_t announces;       /* ARP_CLAIM */
    bool conflict;            /* ARP_CLAIM: somebody has it */
    bool again;               /* SYN, SYN_ACK, FIN: not for the first time */
    bool acks_fin;            /* FIN: and it acknowledges the other side's */
    bool to_us;               /* ARP_ASK: asked by the other side */
    uint8_t icmp_type, icmp_code;
    uint16_t mss;        /* SYN, SYN_ACK */
    enum tern_cause why; /* SYN, FIN, RST: the cause, where we sent it */
    uint32_t bytes;      /* PING, UDP: payload of the last */
    struct tern_step_data data;
    struct tern_step_acks acks; /* ACK; DATA: those that came back, count 0 where none */
    bool has_state;             /* our side's TCP state became … at this step */
    enum tern_tcp_state state;
    char words[96]; /* NOTE */
};

#define TERN_MODEL_NO_CONN UINT16_MAX

struct tern_model_side {
    uint64_t segments, bytes; /* data segments and payload bytes, each time they were sent */
    uint64_t again_segments;  /* of them: seen before, or filling a hole */
    uint64_t stream_bytes;    /* length of the stream */
    uint64_t acks, duplicate_acks;
    uint64_t resets, zero_windows;
    uint64_t missing_segments; /* jumps over bytes that had not come */
};

struct tern_model_conn {
    struct tern_endpoint us, peer;
    uint32_t id; /* the stack's number; 0: not known */
    struct tern_model_side from_us, from_peer;
    bool closed_by_fin, closed_by_reset;
};

struct tern_model_options {
    size_t steps_max;   /* 0: 512 */
    tern_time fold_gap; /* a longer silence ends a burst; 0: 20 ms */
};

struct tern_model;

/* NULL: out of memory. options NULL: defaults. */
struct tern_model *tern_model_create(const struct tern_model_options *options);
void tern_model_destroy(struct tern_model *model);

/* A frame went by. record->sent decides between us and the peer. Cost: constant. */
void tern_model_frame(struct tern_model *model, const struct tern_record *record);
/* A frame that the kernel of our own machine sent, behind our back. */
void tern_model_kernel_frame(struct tern_model *model, const struct tern_record *record);
/* What the stack decided: changes of state find their step; the rest is ignored. */
void tern_model_trace(struct tern_model *model, const struct tern_trace *trace);
/* The state of our side, where no stack tells (a picture of somebody else's kernel). */
void tern_model_state(struct tern_model *model, uint32_t conn_id, enum tern_tcp_state to);
/* Words between two steps; cut off at the size of step.words. */
void tern_model_note(struct tern_model *model, tern_time at, const char *words);

size_t tern_model_step_count(const struct tern_model *model);
const struct tern_step *tern_model_step(const struct tern_model *model, size_t index);
size_t tern_model_conn_count(const struct tern_model *model);
const struct tern_model_conn *tern_model_conn(const struct tern_model *model, size_t index);
/* When the first frame went by; 0 where none has. */
tern_time tern_model_origin(const struct tern_model *model);
/* Has the kernel of our own machine spoken? */
bool tern_model_has_kernel(const struct tern_model *model);
void tern_model_check(const struct tern_model *model);

#endif
