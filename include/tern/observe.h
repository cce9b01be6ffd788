/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_OBSERVE_H
#define TERN_OBSERVE_H
/*
 * Observers: everything that the stack decides, told to whoever listens, at the moment of it. The
 * event log, the comments in a capture and the tests are observers.
 *
 * config.observer is called from within the stack's verbs and calls. It gets a note of plain values
 * that are its own only until it returns, and must not call the stack; to call it later it keeps
 * what it needs. Notes come in the order of what happened. Without an observer nothing of this
 * costs more than a branch for each segment.
 *
 * What arrives: FRAME_IN, then all that the frame changed, with SEGMENT_IN behind it where it held
 * a segment, and the ACK that may go at once; INPUT_END after the last frame of a burst. What
 * follows then was caused by the burst as a whole, by a timer, or by a call of the application.
 */
#include <tern/stack.h>
#include <tern/trace.h>

#ifdef __cplusplus
extern "C" {
#endif

/* X(name): what the members of struct tern_note mean stands there */
#define TERN_NOTE_LIST(X)                                                                          \
    X(FRAME_IN)                                                                                    \
    X(INPUT_END)                                                                                   \
    X(PACKET_IN)                                                                                   \
    X(PACKET_OUT)                                                                                  \
    X(ARP_IN)                                                                                      \
    X(ARP_OUT)                                                                                     \
    X(SEGMENT_IN)                                                                                  \
    X(SEGMENT_OUT)                                                                                 \
    X(OPENED)                                                                                      \
    X(STATE)                                                                                       \
    X(AGREED)                                                                                      \
    X(CLOSED)                                                                                      \
    X(TIMER)                                                                                       \
    X(LOSS)                                                                                        \
    X(RECOVERY)                                                                                    \
    X(UNDO)                                                                                        \
    X(METRICS)                                                                                     \
    X(WINDOW)                                                                                      \
    X(DROP)                                                                                        \
    X(ADDRESS)                                                                                     \
    X(NEIGHBOUR)

enum tern_note_kind {
#define TERN_NOTE_ENUM(name) TERN_NOTE_##name,
    TERN_NOTE_LIST(TERN_NOTE_ENUM)
#undef TERN_NOTE_ENUM
        TERN_NOTE_COUNT
};

/* X(name, text) */
#define TERN_TIMER_LIST(X)                                                                         \
    X(RETRANSMISSION, "retransmission") /* RFC 6298 §5 */                                         \
    X(WINDOW_PROBE, "window-probe")     /* RFC 9293 §3.8.6.1 */                                   \
    X(REORDERING, "reordering")         /* RFC 8985 §6.3 */                                       \
    X(TAIL_PROBE, "tail-loss-probe")    /* RFC 8985 §7.2 */                                       \
    X(PACING, "pacing")                                                                            \
    X(DELAYED_ACK, "delayed-ack")   /* RFC 9293 §3.8.6.3 */                                       \
    X(WAIT, "time-wait")            /* TIME-WAIT, or FIN-WAIT-2 */                                 \
    X(CONNECT, "connect")           /* giving up */                                                \
    X(CORK, "cork")                 /* what is held back goes */                                   \
    X(KEEPALIVE, "keep-alive")      /* RFC 9293 §3.8.4 */                                         \
    X(USER_TIMEOUT, "user-timeout") /* RFC 5482 §2 */

enum tern_timer_kind {
#define TERN_TIMER_ENUM(name, text) TERN_TIMER_##name,
    TERN_TIMER_LIST(TERN_TIMER_ENUM)
#undef TERN_TIMER_ENUM
        TERN_TIMER_COUNT
};

enum tern_timer_step { TERN_TIMER_SET, TERN_TIMER_FIRED, TERN_TIMER_CANCELLED };

/* What noticed that bytes are lost. X(name, text, words) */
#define TERN_LOSS_LIST(X)                                                                          \
    X(RACK, "rack", "what was sent later has arrived (RFC 8985 §6.2)")                             \
    X(SACK_COUNT, "sack-count", "enough was SACKed above it (RFC 6675 §4)")                        \
    X(DUPLICATE_ACKS, "duplicate-acks", "three duplicate ACKs (RFC 5681 §3.2)")                    \
    X(PARTIAL_ACK, "partial-ack", "an ACK of a part, in recovery (RFC 6582 §3.2)")                 \
    X(TIMEOUT, "timeout", "the retransmission timer ran out (RFC 6298 §5.4)")                      \
    X(TAIL_PROBE, "tail-loss-probe", "a probe repaired it (RFC 8985 §7.4)")                        \
    X(PATH_MTU, "path-mtu", "it was too long for the path (RFC 1191 §3)")

enum tern_loss_by {
#define TERN_LOSS_ENUM(name, text, words) TERN_LOSS_##name,
    TERN_LOSS_LIST(TERN_LOSS_ENUM)
#undef TERN_LOSS_ENUM
        TERN_LOSS_COUNT
};

/* What showed that a recovery was for nothing. X(name, text, words) */
#define TERN_UNDO_LIST(X)                                                                          \
    X(NONE, "none", "nothing")                                                                     \
    X(TIMESTAMP, "eifel", "the original's timestamp came back (RFC 3522 §3.2)")                    \
    X(DSACK, "dsack", "all that was sent again had arrived before (RFC 3708 §3)")                  \
    X(ARRIVED, "arrived", "all of it arrived before any was sent again (RFC 4015 §3.2)")           \
    X(FRTO, "f-rto", "what went before the timeout still arrives (RFC 5682 §2.1)")

enum tern_undo_by {
#define TERN_UNDO_ENUM(name, text, words) TERN_UNDO_##name,
    TERN_UNDO_LIST(TERN_UNDO_ENUM)
#undef TERN_UNDO_ENUM
        TERN_UNDO_COUNT
};

/* X(name, text): how the sender stands to losses */
#define TERN_SENDER_LIST(X)                                                                        \
    X(OPEN, "open")                                                                                \
    X(CWR, "cwr")                     /* slowing down after a mark (RFC 3168 §6.1.2) */           \
    X(FAST_RECOVERY, "fast-recovery") /* RFC 6675 §5, RFC 6582 §3.2 */                           \
    X(LOSS, "loss")                   /* after a timeout (RFC 5681 §3.1) */

enum tern_sender {
#define TERN_SENDER_ENUM(name, text) TERN_SENDER_##name,
    TERN_SENDER_LIST(TERN_SENDER_ENUM)
#undef TERN_SENDER_ENUM
        TERN_SENDER_COUNT
};

/* X(name, text): what the congestion controller does */
#define TERN_PHASE_LIST(X)                                                                         \
    X(SLOW_START, "slow-start")                                                                    \
    X(CONSERVATIVE, "conservative-slow-start") /* RFC 9406 §4.2 */                                \
    X(AVOIDANCE, "congestion-avoidance")                                                           \
    X(STARTUP, "startup") /* from here on BBR's */                                                 \
    X(DRAIN, "drain")                                                                              \
    X(PROBE_DOWN, "probe-bw-down")                                                                 \
    X(PROBE_CRUISE, "probe-bw-cruise")                                                             \
    X(PROBE_REFILL, "probe-bw-refill")                                                             \
    X(PROBE_UP, "probe-bw-up")                                                                     \
    X(PROBE_RTT, "probe-rtt")

enum tern_phase {
#define TERN_PHASE_ENUM(name, text) TERN_PHASE_##name,
    TERN_PHASE_LIST(TERN_PHASE_ENUM)
#undef TERN_PHASE_ENUM
        TERN_PHASE_COUNT
};

/* X(name, text): what is known of a neighbour's MAC */
#define TERN_NEIGHBOUR_LIST(X)                                                                     \
    X(ASKED, "asked")                                                                              \
    X(KNOWN, "known")                                                                              \
    X(FAILED, "failed")                                                                            \
    X(FORGOTTEN, "forgotten")

enum tern_neighbour {
#define TERN_NEIGHBOUR_ENUM(name, text) TERN_NEIGHBOUR_##name,
    TERN_NEIGHBOUR_LIST(TERN_NEIGHBOUR_ENUM)
#undef TERN_NEIGHBOUR_ENUM
        TERN_NEIGHBOUR_COUNT
};

/* The flags of a segment, as on the wire. */
enum {
    TERN_SEGMENT_FIN = 1,
    TERN_SEGMENT_SYN = 2,
    TERN_SEGMENT_RST = 4,
    TERN_SEGMENT_PSH = 8,
    TERN_SEGMENT_ACK = 16,
    TERN_SEGMENT_URG = 32,
    TERN_SEGMENT_ECE = 64,
    TERN_SEGMENT_CWR = 128,
};

struct tern_note_sack {
    uint32_t start, end; /* sequence numbers of the wire */
};

/* What a received segment did to its connection. */
struct tern_note_effect {
    uint64_t acked_bytes;    /* newly acknowledged in order, and … */
    uint64_t delivered_more; /* … newly told of by SACK */
    uint64_t in_order_bytes; /* text that the application may have now, and … */
    uint64_t joined_bytes;   /* … of it what had waited beyond the hole that was filled */
    uint64_t beyond_bytes;   /* text kept beyond a hole */
    uint64_t cwnd_before, cwnd;
    uint64_t peer_window_before, peer_window;
    uint64_t in_flight_before, in_flight;
    enum tern_tcp_state state_before, state;
    enum tern_drop drop; /* why it, or a part of it, was dropped; TERN_DROP_COUNT: it was not */
    bool duplicate_ack;
    bool dsack_in;   /* the peer tells of bytes that came to it twice (RFC 2883 §4) */
    bool dsack_next; /* we shall tell the same of this segment's */
    bool fin;        /* the peer's FIN was taken */
};

struct tern_note_segment {
    struct tern_endpoint local, remote;
    uint32_t seq, ack;     /* of the wire */
    uint64_t offset_bytes; /* of the first byte of text in its stream; 0 for a SYN */
    uint64_t window_bytes; /* scaled; of no connection, or of one in TIME-WAIT: as in the header */
    uint32_t text_bytes;
    uint32_t piece_bytes; /* of a super-segment: text of each piece; 0: it is one */
    uint8_t flags;        /* TERN_SEGMENT_… */
    uint8_t sack_count;
    struct tern_note_sack sack[4];
    uint16_t mss_bytes;   /* a SYN's option; 0: it has none */
    uint8_t window_shift; /* the same */
    bool has_window_shift, sack_permitted, has_timestamps;
    uint32_t ts_value, ts_echo;     /* RFC 7323 §3 */
    enum tern_cause cause;          /* SEGMENT_OUT */
    bool again;                     /* SEGMENT_OUT: some of it had been sent before */
    struct tern_note_effect effect; /* SEGMENT_IN, of a connection */
};

struct tern_note_metrics {
    uint64_t cwnd, ssthresh; /* bytes; ssthresh UINT64_MAX: none yet */
    uint64_t pacing_rate;    /* bytes a second; 0: not paced */
    uint64_t in_flight;      /* sent, and not acknowledged in order */
    uint64_t pipe;           /* bytes thought to be in the network (RFC 6675 §4) */
    tern_time srtt, rttvar;  /* srtt 0: no sample yet */
    tern_time rtt_min;       /* TERN_TIME_NEVER: no sample yet */
    tern_time rto;
    enum tern_phase phase;
};

struct tern_note {
    tern_time at;
    enum tern_note_kind kind;
    uint32_t conn_id; /* tern_tcp_id(); 0 where no connection is concerned */
    union {
        struct { /* FRAME_IN: the next of those that are being looked at */
            uint32_t bytes;
        } frame;
        struct { /* PACKET_IN, PACKET_OUT: of UDP or ICMP */
            struct tern_addr src, dst;
            uint8_t protocol;
            uint32_t bytes;               /* behind the IP header */
            uint16_t src_port, dst_port;  /* of UDP */
            uint8_t icmp_type, icmp_code; /* of ICMP */
            enum tern_cause cause;
        } packet;
        struct { /* ARP_IN, ARP_OUT */
            bool reply;
            struct tern_addr sender, target;
            struct tern_mac sender_mac, target_mac;
            enum tern_cause cause;
        } arp;
        struct tern_note_segment segment; /* SEGMENT_IN, SEGMENT_OUT */
        struct {                          /* OPENED */
            struct tern_endpoint local, remote;
            bool passive; /* a listener's */
            const char *congestion;
        } opened;
        struct { /* STATE */
            enum tern_tcp_state from, to;
        } state;
        struct {                /* AGREED: both SYNs have been heard */
            uint32_t mss_bytes; /* text of a full segment of ours */
            uint8_t snd_wscale, rcv_wscale;
            bool sack, timestamps, ecn;
        } agreed;
        struct { /* CLOSED: over for its application */
            enum tern_err reason;
            uint64_t bytes_sent, bytes_received, segs_out, segs_in, retrans;
            tern_time lasted;
        } closed;
        struct { /* TIMER */
            enum tern_timer_kind timer;
            enum tern_timer_step step;
            tern_time due; /* SET: when */
        } timer;
        struct { /* LOSS: bytes that will be sent again, or were (TAIL_PROBE) */
            enum tern_loss_by by;
            uint64_t offset_bytes; /* of the first of them in our stream */
            uint64_t bytes;
            bool again; /* what was sent again is lost as well */
        } loss;
        struct { /* RECOVERY */
            enum tern_sender from, to;
        } recovery;
        struct { /* UNDO: the recovery was for nothing */
            enum tern_undo_by by;
            uint64_t cwnd_before, cwnd;
        } undo;
        struct tern_note_metrics metrics; /* METRICS: some of them changed */
        struct {                          /* WINDOW */
            bool own;                     /* the one that we advertise; else the peer's */
            uint64_t bytes_before, bytes;
        } window;
        struct { /* DROP */
            enum tern_drop reason;
        } drop;
        struct { /* ADDRESS */
            enum tern_address_step step;
            struct tern_addr address;
            struct tern_mac other; /* DEFENDED, LOST: who else uses it */
        } address;
        struct { /* NEIGHBOUR */
            enum tern_neighbour state;
            struct tern_addr address;
            struct tern_mac mac; /* KNOWN */
        } neighbour;
    };
};

/* The texts of the lists; never NULL. */
TERN_EXPORT const char *tern_timer_text(enum tern_timer_kind timer);
TERN_EXPORT const char *tern_loss_text(enum tern_loss_by by);
TERN_EXPORT const char *tern_loss_words(enum tern_loss_by by);
TERN_EXPORT const char *tern_undo_text(enum tern_undo_by by);
TERN_EXPORT const char *tern_undo_words(enum tern_undo_by by);
TERN_EXPORT const char *tern_sender_text(enum tern_sender sender);
TERN_EXPORT const char *tern_phase_text(enum tern_phase phase);
TERN_EXPORT const char *tern_address_step_text(enum tern_address_step step);
TERN_EXPORT const char *tern_neighbour_text(enum tern_neighbour state);

#ifdef __cplusplus
}
#endif
#endif
