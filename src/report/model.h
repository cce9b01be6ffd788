/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_REPORT_MODEL_H
#define TERN_REPORT_MODEL_H
/*
 * What went by between hosts, as connections with their figures and as steps that a picture can
 * show. Filled from records of tern's own frames and from traces, or from anybody's capture
 * (capture.h); it knows no stack, no link and no terminal, and every rendering reads it alone.
 *
 * Two levels. Of each connection there are figures, whose memory does not grow with its length.
 * And there are steps: segments that follow each other, with the ACKs that answer them, are one;
 * where a connection has more of them than its list may hold, neighbours are folded into one,
 * so that all of it stays in the picture, more coarsely.
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
#include "wire/dissect.h"

/* Who speaks. Left is tern where it is one of the two, else the client. The kernel's lane is the
 * kernel of our own machine, when it meddles. */
enum tern_lane { TERN_LANE_LEFT, TERN_LANE_KERNEL, TERN_LANE_RIGHT, TERN_LANE_COUNT };

/* Index of a side of a connection. */
enum tern_side { TERN_SIDE_LEFT, TERN_SIDE_RIGHT };

static inline enum tern_side tern_side_other(enum tern_side side)
{
    return side == TERN_SIDE_LEFT ? TERN_SIDE_RIGHT : TERN_SIDE_LEFT;
}

enum tern_step_kind {
    TERN_STEP_NOTE,      /* words of the story-teller */
    TERN_STEP_ARP_CLAIM, /* probes and announcements for one address */
    TERN_STEP_ARP_ASK,
    TERN_STEP_ARP_ANSWER,
    TERN_STEP_SYN,
    TERN_STEP_SYN_ACK,
    TERN_STEP_DATA, /* segments one way, and the ACKs that came back for them */
    TERN_STEP_TALK, /* data both ways, folded */
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
    TERN_DATA_MIXED,  /* several of these, folded because the list was full */
};

/* Why data, a SYN or a FIN went by again, as far as a spectator can tell (model_again.c). */
enum tern_again {
    TERN_AGAIN_NOT,
    TERN_AGAIN_FAST,    /* duplicate ACKs or SACK had told of a loss */
    TERN_AGAIN_TIMEOUT, /* nothing had: a timer ran out; and what follows until it is made good */
    TERN_AGAIN_PROBE,   /* the last segment once more, sooner than a timeout: a tail loss probe */
    TERN_AGAIN_UNKNOWN,
};

/* How it is known that sending again was needless. */
enum tern_spurious {
    TERN_SPURIOUS_NOT,
    TERN_SPURIOUS_ACKED,      /* the bytes had been acknowledged */
    TERN_SPURIOUS_DSACK,      /* the receiver said that it has them twice (RFC 2883) */
    TERN_SPURIOUS_TIMESTAMPS, /* the ACK echoes the first one's timestamp (RFC 3522) */
    TERN_SPURIOUS_EARLY,      /* the ACK came sooner than the second could have made it */
    TERN_SPURIOUS_COUNT
};

enum tern_ack_class {
    TERN_ACK_PLAIN,
    TERN_ACK_HANDSHAKE, /* of a SYN */
    TERN_ACK_DUPLICATE, /* the same number again: something is missing (RFC 5681 §2) */
    TERN_ACK_WINDOW,    /* the same number, another window */
    TERN_ACK_CLOSED,    /* the window that it offers is zero */
    TERN_ACK_FIN,       /* of a FIN */
    TERN_ACK_EARLIER,   /* of the connection that was between the two before this one */
};

#define TERN_STEP_HEAD_BYTES 48

#define TERN_STEP_LOST_MAX 3

/* A segment of a burst that had to be sent again. */
struct tern_step_lost {
    uint64_t start, end;
    tern_time at, again_at;
};

struct tern_step_data {
    enum tern_data_class class;
    enum tern_cause cause; /* of the first segment, where we sent it */
    uint64_t segments;     /* MSS-sized pieces */
    uint64_t start, end;   /* offsets: the lowest byte, and one behind the highest */
    uint64_t again_segments, missing_segments; /* with TERN_DATA_MIXED */
    bool fin;                                  /* the last of them carries a FIN: the next step */
    enum tern_again again;                     /* with AGAIN and FILL */
    enum tern_spurious spurious;
    bool reordered;     /* FILL: late on the way, and not sent again */
    bool probe;         /* of a closed window, or of a silent peer */
    tern_time first_at; /* AGAIN: when these bytes went by first; FILL: when they were missed */
    uint32_t lost_count;
    struct tern_step_lost lost[TERN_STEP_LOST_MAX];
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
    uint32_t conn; /* index of its connection; TERN_MODEL_NO_CONN */
    tern_time at, until;
    struct tern_addr address; /* ARP: asked for, claimed; ICMP, UDP: the other end */
    struct tern_mac mac;      /* ARP_ANSWER, and the rival of a claim */
    uint32_t count;           /* ARP_CLAIM: probes; PING, UDP, FRAME, OMITTED: frames */
    uint32_t announces;       /* ARP_CLAIM */
    bool conflict;            /* ARP_CLAIM: somebody has it */
    bool again;               /* SYN, SYN_ACK, FIN: not for the first time */
    bool asks_alive;          /* ACK: a keep-alive without data */
    bool answers_alive;       /* ACK: the answer to one */
    bool asks_window;         /* ACK: a window probe without data */
    bool near;                /* seen at the left side's own place, where tern is it */
    bool acks_fin;            /* FIN: and it acknowledges the other side's */
    bool to_us;               /* ARP_ASK: asked by the other side */
    uint8_t icmp_type, icmp_code;
    uint16_t mss;        /* SYN, SYN_ACK */
    enum tern_cause why; /* SYN, FIN, RST: the cause, where we sent it */
    uint32_t bytes;      /* PING, UDP: payload of the last */
    uint64_t serial;     /* rises from step to step, over all connections */
    struct tern_step_data data;
    struct tern_step_acks acks;         /* ACK; DATA: those that came back, count 0 where none */
    uint64_t back_segments, back_bytes; /* TALK: data the other way */
    bool has_state;                     /* our side's TCP state became … at this step */
    enum tern_tcp_state state;
    char *words; /* NOTE, UDP: what is said; else a comment that the capture holds on its first
                    frame; NULL: none */
};

#define TERN_MODEL_NO_CONN UINT32_MAX

struct tern_model_side {
    uint64_t packets;
    uint64_t segments, bytes;  /* data: MSS-sized pieces, and payload bytes each time it went by */
    uint64_t unique_bytes;     /* of them, counted once */
    uint64_t stream_bytes;     /* length of the stream */
    uint64_t again_segments;   /* of segments: seen before, or filling a hole */
    uint64_t missing_segments; /* jumps over bytes that had not come */
    uint64_t acks, duplicate_acks, sack_acks, dsacks; /* without data; RFC 5681 §2's definition */
    uint64_t sack_blocks_max;                         /* told of at one time */
    uint64_t retransmissions;                         /* packets: data, SYN or FIN again */
    uint64_t by_fast, by_timeout, by_probe, by_unknown; /* their sum is retransmissions */
    uint64_t spurious[TERN_SPURIOUS_COUNT];
    uint64_t out_of_order;
    uint64_t zero_windows, window_updates, window_full, window_probes;
    uint64_t keep_alives, keep_alive_acks;
    uint64_t resets;
    uint64_t merged;      /* packets longer than one segment may be: several put together */
    uint64_t lacks_bytes; /* acknowledged by the other side, and not in this capture */
    uint64_t flight_max, window_min, window_max; /* bytes */
    uint64_t ack_events, acked_segments; /* as a receiver: how many segments an ACK is for */
    uint32_t mss;                        /* as its SYN said; 0: not seen */
    uint8_t wscale;
    bool has_wscale, sack_permitted, timestamps, syn_seen, fin_seen;
};

/* What the time went into. Of each kind there is one for either side as the sender (IDLE, OPENING:
 * as the one that is waited for). */
enum tern_wait {
    TERN_WAIT_OPENING,  /* the handshake */
    TERN_WAIT_IDLE,     /* all was acknowledged, and nothing came */
    TERN_WAIT_WINDOW,   /* the receiver had no room */
    TERN_WAIT_TIMEOUT,  /* for a timer, after a loss or a silence */
    TERN_WAIT_RECOVERY, /* for holes to be filled */
    TERN_WAIT_ACKS,     /* for the ACK of what had come: the receiver's was slow */
    TERN_WAIT_PATH,     /* data under way: the round trip, and what the sender dares to send */
    TERN_WAIT_COUNT
};

/* Points of a chart of bytes over time. `side` is whose bytes they are. */
enum tern_mark_kind {
    TERN_MARK_DATA,  /* [lo, hi) went by for the first time */
    TERN_MARK_AGAIN, /* … once more */
    TERN_MARK_LATE,  /* … late on the way */
    TERN_MARK_ACK,   /* the other side has all below lo, and room up to hi */
    TERN_MARK_SACK,  /* the other side has [lo, hi) */
    TERN_MARK_PROBE, /* a keep-alive, or a probe of a closed window */
    TERN_MARK_RTT,   /* from the capture's place to the other side and back: lo nanoseconds */
    TERN_MARK_FLAG,  /* SYN, FIN or RST */
    /* its sender's congestion window is lo; ssthresh hi - lo, 0 where there is none */
    TERN_MARK_CWND,
    TERN_MARK_KIND_COUNT
};

struct tern_mark {
    tern_time at, until; /* the first and the last of those that are folded into it */
    uint64_t lo, hi;
    uint32_t count;
    uint8_t kind, side;
};

#define TERN_STALLS_MAX 6

struct tern_stall {
    tern_time at, length;
    enum tern_wait kind;
    enum tern_side side;
};

struct tern_model_rtt {
    uint64_t count;
    tern_time min, median;
};

struct tern_model_conn {
    uint32_t stream;             /* its index, in order of appearance */
    struct tern_endpoint end[2]; /* of each enum tern_side */
    struct tern_model_side side[2];
    enum tern_side client; /* who opened it, or seems to have */
    uint32_t id;           /* the stack's number; 0: not known */
    tern_time at, until;
    bool closed_by_fin, closed_by_reset;
    enum tern_side reset_by;
    tern_time handshake; /* SYN to the ACK of the SYN-ACK; -1: not seen */
    tern_time spent[TERN_WAIT_COUNT][2];
    struct tern_stall stall[TERN_STALLS_MAX]; /* the longest, in order of time */
    uint32_t stall_count;
    uint64_t stalls;      /* all of them */
    uint64_t cut_packets; /* of which the capture holds the beginning only */
    bool no_steps;        /* there was no room left for the details */
};

/* What else the capture held, and what it lacks. */
struct tern_model_other {
    uint64_t packets, tcp, udp, icmp, arp, other_ip, not_ip, fragments, unreadable;
    uint64_t backwards; /* packets with a time before that of the one before them */
    uint64_t steps_omitted;
    /* Of connections beyond those that are told apart; opened: SYNs of clients. */
    uint64_t beyond_packets, beyond_bytes, beyond_opened;
};

struct tern_model_options {
    size_t conns_max;     /* connections that are told apart; 0: 100,000. What belongs to others is
                             counted as a whole (struct tern_model_other) */
    size_t steps_max;     /* of one connection; 0: 512 */
    size_t all_steps_max; /* of all; 0: 200,000 */
    size_t marks_max;     /* of one connection; 0: none */
    size_t all_marks_max; /* of all */
    tern_time fold_gap;   /* a longer silence ends a burst; 0: 20 ms */
    bool infer_states;    /* of the left side, from what went by: nobody tells them */
    uint64_t seed;        /* of the table of connections, whose keys strangers choose */
};

/* A packet of a capture. */
struct tern_model_packet {
    tern_time at;
    struct tern_dissect what;
    bool has_direction, sent; /* in a capture of tern's own */
    const char *comment;      /* NULL: none */
    bool pieces_known;        /* how it was put together: */
    uint32_t piece_bytes;     /* bytes of each piece, 0: it is one segment */
};

struct tern_model;

/* NULL: out of memory. options NULL: defaults. */
struct tern_model *tern_model_create(const struct tern_model_options *options);
void tern_model_destroy(struct tern_model *model);

/* A frame went by. record->sent decides between left and right. Cost: constant. */
void tern_model_frame(struct tern_model *model, const struct tern_record *record);
/* A frame that the kernel of our own machine sent, behind our back. */
void tern_model_kernel_frame(struct tern_model *model, const struct tern_record *record);
/* A packet of a capture went by; the client of each connection stands at the left, or tern, where
 * the capture is its own. */
void tern_model_packet(struct tern_model *model, const struct tern_model_packet *packet);
/* What the stack decided: changes of state find their step; the rest is ignored. */
void tern_model_trace(struct tern_model *model, const struct tern_trace *trace);
/* What a sender's own log tells of its congestion window, in bytes (ssthresh 0: none), of a
 * connection of which a packet went by. As with packets, what comes from the past comes now. */
struct tern_model_congestion {
    tern_time at;
    struct tern_endpoint sender, receiver;
    uint64_t cwnd, ssthresh;
};
void tern_model_congestion(struct tern_model *model, const struct tern_model_congestion *what);
/* The state of the left side, where no stack tells (a picture of somebody else's kernel). */
void tern_model_state(struct tern_model *model, uint32_t conn_id, enum tern_tcp_state to);
/* Words between two steps. */
void tern_model_note(struct tern_model *model, tern_time at, const char *words);

/* All steps, of all connections, in their order; valid until the next packet. */
size_t tern_model_step_count(const struct tern_model *model);
const struct tern_step *tern_model_step(const struct tern_model *model, size_t index);
size_t tern_model_conn_count(const struct tern_model *model);
const struct tern_model_conn *tern_model_conn(const struct tern_model *model, size_t index);
/* The steps of one connection. */
size_t tern_model_conn_step_count(const struct tern_model *model, size_t conn);
const struct tern_step *tern_model_conn_step(const struct tern_model *model, size_t conn,
                                             size_t index);
/* The steps of no connection: ARP, DNS, pings, notes. */
size_t tern_model_story_count(const struct tern_model *model);
const struct tern_step *tern_model_story_step(const struct tern_model *model, size_t index);
size_t tern_model_mark_count(const struct tern_model *model, size_t conn);
const struct tern_mark *tern_model_mark(const struct tern_model *model, size_t conn, size_t index);
/* From the capture's place: a side's segment to the other side's ACK. False: no sample. */
bool tern_model_rtt(const struct tern_model *model, size_t conn, enum tern_side side,
                    struct tern_model_rtt *out);
/* The whole way, there and back: the handshake's, or both halves. */
bool tern_model_path_rtt(const struct tern_model *model, size_t conn, struct tern_model_rtt *out);
/* How many segments a side sent again needlessly, however that is known. */
uint64_t tern_model_spurious(const struct tern_model_side *side);
const struct tern_model_other *tern_model_other(const struct tern_model *model);
/* When the first frame went by; 0 where none has. */
tern_time tern_model_origin(const struct tern_model *model);
tern_time tern_model_end(const struct tern_model *model);
/* Has the kernel of our own machine spoken? */
bool tern_model_has_kernel(const struct tern_model *model);
void tern_model_check(const struct tern_model *model);

#endif
