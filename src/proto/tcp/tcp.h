/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_PROTO_TCP_TCP_H
#define TERN_PROTO_TCP_TCP_H
/*
 * The TCP engine: one connection, five verbs (RFC 9293).
 *
 * Extended sequence numbers. Inside the engine a sequence number is 64 bits wide: the 32 bits of
 * the wire, unwrapped next to a number that is known (tern_tcb_unwrap), the first of a connection
 * being 2^32 + ISN. So they order with <, never wrap, and are the addresses of the byte queues as
 * well. The SYN is number iss, the first byte iss + 1, the FIN the number after the last byte.
 *
 * Files, a mechanism each: open, arrive (RFC 9293 §3.10.7 as a table of contents), ack, scoreboard
 * (what arrived, what is lost), rack, tlp, recovery, prr, undo, rate, pace, recvq, output, timers,
 * close, options, state, reset, and the leaves rtt, isn, sentlog, cc.
 */
#include "base/ranges.h"
#include "base/seq.h"
#include "proto/observe.h"
#include "proto/tcp/borrow.h"
#include "proto/tcp/bytequeue.h"
#include "proto/tcp/cc.h"
#include "proto/tcp/limit.h"
#include "proto/tcp/rtt.h"
#include "proto/tcp/sentlog.h"
#include "proto/trace_ring.h"
#include "wire/ecn.h"
#include "wire/tcp.h"
#include <tern/cause.h>
#include <tern/drop.h>
#include <tern/tcp.h>

/* Protocol limits, on one screen. */
#define TERN_TCP_MSS_DEFAULT        536            /* RFC 9293 §3.7.1 */
#define TERN_TCP_MSS_MIN            28             /* of the least MTU, 68; less is taken as this */
#define TERN_TCP_WSCALE_MAX         14             /* RFC 7323 §2.3 */
#define TERN_TCP_DELACK             (40 * TERN_MS) /* RFC 9293 §3.8.6.3: under 0.5 s */
#define TERN_TCP_QUICK_ACKS         16 /* segments at the start that are ACKed at once */
#define TERN_TCP_QUICK_AFTER_MARK   2  /* the same once ECN's echo changes */
#define TERN_TCP_TIME_WAIT_HOLD     (60 * TERN_SECOND) /* 2 MSL with MSL = 30 s */
#define TERN_TCP_FIN_WAIT_2_HOLD    (60 * TERN_SECOND) /* no reader left: give up waiting for FIN */
#define TERN_TCP_SYN_RETRIES        6                  /* R2 for SYN: 127 s (RFC 9293 §3.8.3) */
#define TERN_TCP_KEEP_IDLE          (7200 * TERN_SECOND) /* RFC 9293 §3.8.4: no less by default */
#define TERN_TCP_KEEP_INTERVAL      (75 * TERN_SECOND)
#define TERN_TCP_KEEP_COUNT         9
#define TERN_TCP_CORK_MAX           (200 * TERN_MS) /* so long may a short segment wait for more */
#define TERN_TCP_R1                 3  /* timeouts in a row that cast doubt on the next hop */
#define TERN_TCP_RETRIES            15 /* R2 for data: over 100 s (RFC 9293 §3.8.3) */
#define TERN_TCP_ORPHAN_RETRIES     8  /* the same once the application closed */
#define TERN_TCP_PAWS_IDLE          (24 * 86400 * TERN_SECOND) /* RFC 7323 §5.5 */
#define TERN_TCP_CHALLENGE_INTERVAL (500 * TERN_MS) /* RFC 5961 §7: a connection's limit */
#define TERN_TCP_CHALLENGES         200 /* the same a second, of all together, more or less */
#define TERN_TCP_RESETS             200 /* a second, to segments for no connection */
#define TERN_TCP_ANSWER_INTERVAL    (100 * TERN_MS) /* to empty segments that do not fit */
#define TERN_TCP_DUPACKS            3               /* RFC 5681 §3.2 */
#define TERN_TCP_RECORDS            16              /* ends of records remembered (marks.c) */
#define TERN_TCP_SACK_RANGES        64    /* remembered each way, at least; beyond: lost again */
#define TERN_TCP_SACK_RANGES_MAX    4096  /* the same where buffers are long */
#define TERN_TCP_RECEIVE_START      65535 /* bytes a window may come to before it is tuned */
#define TERN_TCP_SEND_START         131072
#define TERN_TCP_TUNE_START         10 /* segments: what a reader takes in the first round trip */
#define TERN_TCP_TUNE_MARGIN        16 /* segments beside twice what it took */
#define TERN_TCP_TUNE_RATE          12 /* bytes a nanosecond: more than a processor takes */
#define TERN_TCP_TUNE_SLACK         (2u << 20)
#define TERN_TCP_LOAD_ALL           (1u << 24)         /* all that the link holds */
#define TERN_TCP_LOANS_MAX          64                 /* of a connection: see lent.c */
#define TERN_TCP_PERSIST_MAX        (60 * TERN_SECOND) /* window probes at least so often */

/* Bytes of the application's, sent from where they stand. */
struct tern_loan {
    struct tern_loan *next;
    uint64_t start, end; /* sequence numbers */
    const uint8_t *data;
    void *user;
    bool acked; /* once it is returned */
};

/* What connections of one stack share. Owned by the stack. */
struct tern_tcp_env {
    struct tern_chunks chunks;
    struct tern_pool ranges; /* blocks of ranges_count, taken when holes appear */
    uint16_t ranges_count;
    struct tern_pool logs; /* of struct tern_sentlog, taken while bytes are in flight */
    struct tern_pool loans;
    struct tern_loan *returned_first, *returned_last; /* of which nobody has heard yet */
    struct tern_trace_ring *traces;
    struct tern_observer observer;
    uint32_t mtu_bytes;
    bool tso;                 /* the link cuts */
    uint32_t super_bytes_max; /* text of a super-segment: what fits the pieces of a frame */
    uint32_t cut_max;         /* else: so many pieces the stack itself cuts; 0 or 1: none */
    uint32_t send_buffer_bytes, receive_buffer_bytes;
    uint32_t hold_frames; /* of the link: see link.h */
    uint64_t hold_bytes;
    uint32_t long_bytes, hold_long_frames;
    uint32_t send_chunks;        /* held by send queues */
    uint64_t promised;           /* bytes of all advertised windows that may still come */
    uint64_t load;               /* what the link holds once they came, of TERN_TCP_LOAD_ALL */
    uint32_t synchronised_count; /* connections that share what the link holds */
    uint64_t *drops;             /* by enum tern_drop */
    struct tern_random random;   /* for jitter */
    struct tern_limit challenges, resets;
    uint64_t segments_in, segments_out, retransmits, resets_in,
        resets_out;            /* in MSS-sized pieces */
    struct tern_borrow borrow; /* last, for what a handshake alone needs ends before it */
};

/* A segment that arrived. text belongs to somebody else. */
struct tern_segment {
    struct tern_tcp_header h;
    tern_span text;
    bool text_stays;      /* until tern_tcp_borrow_settle(): it may be borrowed */
    uint32_t piece_bytes; /* of a super-frame: the length of its pieces; 0: one segment */
    uint8_t ecn;          /* TERN_ECN_… of its IP header */
};

/* A segment to send; its text stands in the connection's send queue. */
struct tern_segment_out {
    struct tern_tcp_header h;
    uint64_t text_at;
    uint32_t text_bytes;
    uint32_t piece_bytes; /* the text is to be cut into pieces of so many bytes; 0: it fits */
    uint8_t ecn;          /* TERN_ECN_… for its IP header */
    enum tern_cause cause;
};

enum tern_tcp_recovery {
    TERN_RECOVERY_OPEN,
    TERN_RECOVERY_CWR, /* the network marked: cwnd comes down, nothing is lost (RFC 3168 §6.1.2) */
    TERN_RECOVERY_FAST, /* RFC 6675 §5, RFC 6582 */
    TERN_RECOVERY_LOSS, /* after a timeout (RFC 5681 §3.1) */
};

enum tern_frto { /* RFC 5682 §2.1 */
                 TERN_FRTO_OFF,
                 TERN_FRTO_RESENT, /* the timer ran out and the first segment went again */
                 TERN_FRTO_PROBED, /* an ACK came, and new bytes were sent instead of old ones */
};

struct tern_fastopen_cookie {
    uint8_t bytes; /* 0: none */
    uint8_t b[TERN_TCP_COOKIE_BYTES_MAX];
    bool experimental; /* in the option's old form: wire/tcp.h */
};

enum tern_held { TERN_HELD_NONE, TERN_HELD_BUSY, TERN_HELD_WINDOW, TERN_HELD_BUFFER };

struct tern_tcb {
    struct tern_tcp_env *env;
    struct tern_endpoint local, remote;
    uint32_t id;
    enum tern_tcp_state state;
    enum tern_err reason;
    enum tern_err soft_error; /* ICMP said so; told if the attempt times out (RFC 9293 §3.9.2.2) */
    uint32_t events;          /* TERN_CONN_… not yet pulled */
    bool passive;             /* came from a listener */
    bool orphan;              /* the application gave up its handle */
    struct tern_tcp_settings set;

    struct {
        uint64_t iss, una, nxt;
        uint64_t max; /* highest ever sent + 1; above nxt after a window probe was taken back */
        uint64_t end; /* after the last byte written: where FIN goes */
        uint64_t wnd; /* bytes, unscaled */
        uint64_t wnd_max;
        uint64_t wl1;
        uint32_t mss;   /* of the path and the peer, before options */
        uint8_t wscale; /* the peer's shift */
        bool fin_queued, fin_sent, fin_acked;
        uint64_t limited_end;    /* what was in flight when cwnd held us back ended here */
        uint64_t peak, peak_end; /* most bytes in flight of this round trip, which ends there */
        tern_time sent_at;       /* when data last went; TERN_TIME_NEVER: not yet */
        uint64_t small_end;      /* end of the last segment sent short (Minshall's Nagle) */
        uint64_t short_to;       /* bytes below may go in a short segment, corked or not */
        bool last_whole;         /* the newest record of the log ends with a full segment */
        uint64_t buffer;         /* bytes that the queue may hold: see sendq.c */
        bool writable_wanted;    /* a write found no room in the buffer */
        bool pool_wanted;        /* a write found no chunk: see sendq.c */
        bool loan_wanted;        /* all loans of the stack were out: see lent.c */
    } snd;

    struct {
        uint64_t record_end[TERN_TCP_RECORDS]; /* in order */
        uint8_t count;
        bool held;             /* the short rest waits: more was promised */
        uint64_t unpushed_end; /* no PSH at this place */
    } marks;

    struct {
        uint64_t irs, nxt;
        uint64_t adv;      /* right edge that was advertised: never moves back */
        uint64_t promised; /* our part of env->promised: adv - nxt while bytes may come */
        uint64_t load;     /* our part of env->load, ... */
        uint64_t loaded;   /* ... counted when so much was promised, at most twice what now is */
        uint64_t head;     /* first byte that the application has not taken */
        uint64_t fin_at;   /* number of the peer's FIN; 0: not seen */
        uint64_t last_ack_sent;
        uint32_t mss;         /* we advertised */
        uint32_t piece_bytes; /* longest piece seen: what counts as a full segment */
        uint32_t frame_bytes; /* running mean of text in a frame: what a slot of the link holds */
        uint8_t wscale;
        bool closed;             /* fin taken: no more bytes */
        bool no_reader;          /* once we sent our FIN: bytes that come are lost, so reset */
        bool window_closed;      /* we advertised less than a segment */
        struct tern_ranges *ooo; /* NULL: no holes */
        uint64_t sack_recent[TERN_TCP_SACK_BLOCKS_MAX]; /* a byte in each range lately added to */
        uint8_t sack_recent_count;
        uint64_t twice_start, twice_end;    /* bytes that came again, to be told; end 0: none */
        uint64_t borrowed_at, borrowed_end; /* borrow.c's; first 0: none */
        uint8_t borrowed_first, borrowed_last;
        /* window.c's */
        uint64_t buffer; /* bytes that may be held */
        tern_time rtt;   /* the receiver's; 0: unknown */
        tern_time rtt_least;
        uint64_t rtt_end; /* without timestamps: the sample is taken when this has come */
        tern_time rtt_at;
        uint32_t rtt_echo;
        tern_time tuned_at;
        uint64_t tuned_head, tuned_bytes;
    } rcv;

    struct {
        uint64_t up;  /* of ours: the number after the urgent byte */
        uint64_t at;  /* the peer's urgent byte; 0: none came yet */
        bool pending; /* the application has not passed it */
        bool taken;   /* it was read out of the stream */
    } urg;            /* urgent.c */

    struct {
        bool timestamps, sack, wscale, ecn; /* offered, then agreed */
        uint32_t ts_recent, ts_offset;
        tern_time ts_recent_at;
        uint64_t hole_at; /* rcv.nxt when the first of the holes came, or not long ago, … */
        uint32_t hole_ts; /* … and ts_recent: what fills a hole was sent no sooner */
    } opt;

    struct {
        bool echo;        /* a mark came: ECE until the peer's CWR */
        bool seen;        /* a segment came that could bear a mark */
        bool cwr_due;     /* the next new segment says that we reacted */
        bool fell_back;   /* a SYN of ours did not offer it: our text bears no marks */
        uint64_t recover; /* echoes of what was sent before this are one and the same */
    } ecn;

    struct {
        bool now; /* due */
        enum tern_cause cause;
        uint32_t bytes;    /* received since the last ACK */
        uint8_t quick;     /* segments still to be ACKed at once */
        bool interactive;  /* our answers carry the ACKs: none at once */
        uint64_t slow_nxt; /* with every: what we admit to have received */
        tern_time every;   /* 0: the rules */
        tern_time challenged_at, answered_at;
    } ack;

    struct {
        enum tern_tcp_recovery state;
        uint64_t recover;      /* snd.nxt when the loss was noticed */
        uint64_t lost_below;   /* unSACKed bytes below are deemed lost … */
        uint64_t resent_below; /* … and those below this have been sent again */
        uint32_t dupacks;
        bool first_due; /* one retransmission goes whatever cwnd says (RFC 6675 §5 (4.3)) */
        struct tern_ranges *sacked; /* NULL: none */
        struct tern_ranges *relost; /* below resent_below, and lost again; NULL: none */
        uint64_t sacked_bytes;      /* of sacked */
        uint32_t retries;           /* timeouts in a row */
    } loss;

    struct tern_sentlog *log; /* NULL: nothing in flight, or no memory for it */

    struct {
        tern_time at;          /* when the newest of what has arrived was sent at the latest, … */
        uint64_t end;          /* … where that ended, … */
        tern_time rtt;         /* … and how long it took; 0: nothing arrived yet */
        tern_time surely_at;   /* what arrived was sent no sooner: the latest such time, … */
        uint64_t surely_end;   /* … and where that ended */
        uint64_t fack;         /* the highest that arrived */
        uint64_t dsack_round;  /* no DSACK counts until this is acknowledged */
        uint32_t window_steps; /* the reordering window, in quarters of the least round trip */
        uint32_t persist;      /* recoveries until window_steps is one again */
        bool reordering_seen;
        uint64_t overtaken_bytes; /* how far, at the most */
    } rack;                       /* RFC 8985 §5.3 */

    struct {
        bool due, out, is_retrans;
        bool untimed;   /* no round trip was measured since the last probe */
        uint32_t bytes; /* of the probe, a FIN's number among them */
        uint64_t end;   /* snd.nxt when the probe went */
    } tlp;              /* RFC 8985 §7.1 */

    struct {
        uint64_t delivered, out, flight; /* bytes, since recovery began; flight: at its start */
    } prr;                               /* RFC 6937 §3 */

    struct {
        bool armed;
        enum tern_frto frto;
        bool resent;       /* something was sent again since, … */
        uint64_t first;    /* … first what begins here */
        bool copied;       /* a copy that went before arrived since */
        bool again;        /* what went again, now or before, may be under way: … */
        uint32_t again_ts; /* … the first of it went at this tick of the timestamp clock, … */
        uint64_t again_bytes;    /* … and so much was not yet reported as arrived twice */
        uint64_t from, below;    /* snd.una before the first of it; the highest of it */
        struct tern_cc_state cc; /* as it was then */
    } undo;

    struct {
        uint64_t total;     /* bytes that arrived at the peer */
        tern_time at;       /* when the last of them was told of, … */
        tern_time burst_at; /* … and had been sent */
        /* until total is above, the rate is the application's; 0: it is not */
        uint64_t app_limited;
        uint64_t rate; /* bytes a second, the latest sample; 0: none */
        bool rate_app_limited;
        uint64_t segs, ce_segs; /* in MSS-sized pieces; told of together with a mark's echo */
    } delivered;

    struct {
        tern_time next; /* no data before */
    } pace;

    struct {
        bool active;
        uint64_t seq; /* the sample is taken when this is acknowledged */
        tern_time at;
    } timed;

    struct {
        tern_time resend;  /* RTO, or the window probe's */
        tern_time reorder; /* what is late is lost by then (RFC 8985 §6.3) */
        tern_time tail;    /* tail loss probe (RFC 8985 §7.2) */
        tern_time pace;    /* data waits until then */
        tern_time delack;
        tern_time wait;    /* TIME-WAIT, FIN-WAIT-2 */
        tern_time give_up; /* connecting */
        tern_time cork;    /* what is held back goes */
    } timer;

    struct {
        tern_time data_sent_at, data_received_at, ack_sent_at, ack_received_at;
        tern_time stuck_at; /* since when bytes wait for an ACK or a window; NEVER: none do */
        uint64_t stuck_una; /* snd.una then */
    } last;

    struct {
        uint32_t path_bytes;  /* packets that are thought to pass */
        uint32_t peer_mss;    /* as its option says, or the default */
        uint32_t good_bytes;  /* the longest that has arrived; 0: none was as long as it may be */
        uint32_t bad_bytes;   /* a probe of that length was lost; 0: none since the search began */
        uint32_t claim_bytes; /* a router says so, unproven; 0: none does */
        uint64_t claim_at;    /* … of the segment that begins here */
        uint64_t full_end;    /* end of the first full segment at this length; 0: none yet */
        uint64_t probe_from, probe_end; /* a probe in flight; end 0: none */
        uint32_t probe_bytes;
        uint64_t resend_below; /* what is sent again below was too long for the path */
        tern_time raise_at;    /* longer packets are tried from then on */
    } mtu;                     /* mtu.c */

    struct {
        uint32_t probes; /* unanswered */
        tern_time probed_at;
        bool due;
    } keep; /* keepalive.c */

    struct {
        /* our SYN or SYN-ACK carries it, with this cookie or asking for one */
        bool option;
        bool waits;           /* our SYN waits for bytes to carry */
        bool asked;           /* our SYN carried the option */
        bool accepted;        /* passive: the peer's SYN had a good cookie */
        bool taken;           /* text of a SYN was taken, by either end */
        bool learned, failed; /* news for the stack: a cookie and an MSS; or better not try again */
        uint16_t mss;         /* of the peer */
        struct tern_fastopen_cookie cookie;
        uint64_t text_end; /* of the text in our SYN; 0: none */
        tern_time timeout; /* for connecting, from the SYN on; 0: none */
    } fastopen;

    struct {
        enum tern_held now;
        tern_time since;
        tern_time spent[TERN_HELD_BUFFER + 1];
    } held; /* held_back.c */

    bool syn_due, rst_due, probe_due;
    uint8_t again_in_row; /* segments in a row that brought nothing but what we had acknowledged */
    bool hop_doubted;     /* is the next hop still there? (RFC 9293 §3.8.3, R1) */
    bool probe_out;       /* all that is in flight is the one byte of a window probe */
    bool stray_rst_due;   /* a reset for a bad ACK, which does not end this connection */
    tern_seq stray_rst_seq;
    enum tern_cause rst_cause;

    struct tern_rtt rtt;
    const struct tern_cc_ops *cc_ops;
    struct tern_cc_state cc;
    struct tern_bytequeue sendq, recvq;
    struct {
        struct tern_loan *first, *last; /* NULL: none */
        struct tern_loan *near;         /* where a look-up ended, or NULL */
        uint32_t count;
    } lent; /* lent.c */

    tern_time opened_at, established_at, closed_at;
    struct {
        uint64_t bytes_sent, bytes_retrans, bytes_acked, bytes_received;
        uint64_t segs_out, segs_in, data_segs_out, data_segs_in;
        uint64_t retrans, rtos, fast_recoveries, dup_acks_in, out_of_order_in, acks_out;
        uint64_t tail_probes, dsacks_in, undone, ecn_reductions;
        uint64_t zero_windows_sent, window_probes_out, keepalives_out;
    } count;
};

struct tern_tcb_options {
    struct tern_endpoint local, remote;
    uint32_t id;
    tern_seq iss;
    uint32_t ts_offset;
    const struct tern_cc_ops *cc;
    tern_time ack_every;
    tern_time connect_timeout; /* 0: TERN_TCP_SYN_RETRIES decides */
    struct {
        bool option; /* in our SYN or SYN-ACK, with the cookie; active and without one: asking */
        bool accept; /* passive: take the SYN's text */
        uint16_t mss;
        struct tern_fastopen_cookie cookie;
    } fastopen;
    struct tern_tcp_settings set;
};

/* OPEN (RFC 9293 §3.10.1). tcb: storage of the caller's, any contents. */
void tern_tcb_open_active(struct tern_tcb *c, struct tern_tcp_env *env,
                          const struct tern_tcb_options *o, tern_time now);
/* A SYN arrived for a listener (RFC 9293 §3.10.7.2): SYN-RECEIVED, SYN-ACK due. */
void tern_tcb_open_passive(struct tern_tcb *c, struct tern_tcp_env *env,
                           const struct tern_tcb_options *o, const struct tern_segment *syn,
                           tern_time now);
/* In TIME-WAIT: what is left of it is for the application alone, and nobody need hear of its end.
 */
void tern_tcb_forget(struct tern_tcb *c);
/* Give all memory back. */
void tern_tcb_fini(struct tern_tcb *c);

/* The five verbs. events: c->events, cleared by the reader. */
void tern_tcb_input(struct tern_tcb *c, const struct tern_segment *seg, tern_time now);
bool tern_tcb_output(struct tern_tcb *c, tern_time now, struct tern_segment_out *out);
/* Only the bare ACK that is due, if one is: between two segments of a burst, so that each is
 * acknowledged as RFC 5681 §4.2 has it while data waits for the end of the burst. */
bool tern_tcb_output_ack(struct tern_tcb *c, tern_time now, struct tern_segment_out *out);
/* Bytes, or a FIN, wait beyond bytes that have not arrived. */
bool tern_tcb_has_hole(const struct tern_tcb *c);
/* Is it text that follows what is here? */
bool tern_tcb_is_next(const struct tern_tcb *c, const struct tern_segment *seg);
/* The duplicate ACK of a segment beyond a hole is due, again. */
void tern_tcb_ack_again(struct tern_tcb *c);
tern_time tern_tcb_deadline(const struct tern_tcb *c);
void tern_tcb_expire(struct tern_tcb *c, tern_time now);

/* The SYN need wait for text no more (RFC 7413 §4.2); no effect where it does not. */
void tern_tcb_fastopen_go(struct tern_tcb *c);

/* The application's calls. */
size_t tern_tcb_write(struct tern_tcb *c, const uint8_t *data, size_t bytes);
size_t tern_tcb_write_space(const struct tern_tcb *c);
/* TERN_ERR_AGAIN: too many are lent. The connection sends yet; bytes: above 0. */
enum tern_err tern_tcb_lend(struct tern_tcb *c, const uint8_t *data, size_t bytes, void *user);
/* The next loan that came back; false: none. */
bool tern_tcp_loan_returned(struct tern_tcp_env *env, void **user, bool *acked);
/* Text of the send queue, in one piece, to where it ends or as many as asked for. */
struct tern_slice tern_tcb_text(struct tern_tcb *c, uint64_t at, size_t bytes_max);
uint64_t tern_tcb_unread(const struct tern_tcb *c); /* in order */
/* Of them, how many can be read in one go, and from where: up to the urgent mark. */
uint64_t tern_tcb_readable(const struct tern_tcb *c, uint64_t *from);
/* A slice of unread text, from `at` on; no longer than bytes_max. */
struct tern_slice tern_tcb_received(const struct tern_tcb *c, uint64_t at, size_t bytes_max);
void tern_tcb_mark_urgent(struct tern_tcb *c); /* the byte written last */
void tern_tcb_mark_record(struct tern_tcb *c); /* marks.c: ends behind the byte written last */
void tern_tcb_mark_more(struct tern_tcb *c);   /* follows the byte written last */
bool tern_tcb_urgent_waits(const struct tern_tcb *c); /* the byte is here, not taken, not passed */
enum tern_err tern_tcb_read_urgent(struct tern_tcb *c, uint8_t *byte, bool peek);
void tern_tcb_skip(struct tern_tcb *c, size_t bytes, tern_time now);
void tern_tcb_shutdown(struct tern_tcb *c, tern_time now);
void tern_tcb_close(struct tern_tcb *c, tern_time now);
void tern_tcb_abort(struct tern_tcb *c, enum tern_cause cause, tern_time now);

/* What was set may be given to tern_tcb_set(), or to an opening. */
bool tern_tcp_settings_valid(const struct tern_tcp_settings *set);
/* Takes effect at once; set: valid. */
void tern_tcb_set(struct tern_tcb *c, const struct tern_tcp_settings *set, tern_time now);

/* An ICMP error about a segment of ours (RFC 5927 §4: seq must be in flight). hard: ends an attempt
 * to connect. */
void tern_tcb_icmp(struct tern_tcb *c, tern_seq seq, bool hard, enum tern_err err, tern_time now);
/* Our own link takes packets of so many bytes only, from now on. */
void tern_tcb_own_mtu(struct tern_tcb *c, uint32_t mtu_bytes);
/* A router says that the path takes packets of so many bytes only (RFC 1191 §3); 0: it does not say
 * how many. About a packet of ours of quoted_bytes, whose text began at seq. */
void tern_tcb_path_mtu(struct tern_tcb *c, tern_seq seq, uint32_t mtu_bytes, uint32_t quoted_bytes,
                       tern_time now);
/* The next hop does not answer: like a hard ICMP error, by our own hand. */
void tern_tcb_unreachable(struct tern_tcb *c, tern_time now);

/* May output() say yes? Cheap, and never a false no. */
bool tern_tcb_wants_output(const struct tern_tcb *c);
/* Nothing is under way, and nothing of it but the block itself is held: rest.c. */
bool tern_tcb_rests(const struct tern_tcb *c);
void tern_tcb_info(const struct tern_tcb *c, tern_time now, struct tern_tcp_info *out);
void tern_tcb_check(const struct tern_tcb *c);

/* Is there room again for writes that found no chunk (snd.pool_wanted)? With a margin, so that they
 * do not come one byte at a time. */
bool tern_tcp_send_chunks_free(const struct tern_tcp_env *env);

/* The reset that a segment for no connection deserves (RFC 9293 §3.10.7.1); false: none, it is one
 * itself. */
bool tern_tcp_reset_for(const struct tern_segment *seg, struct tern_segment_out *out);

static inline uint64_t tern_tcb_unwrap(uint64_t near, tern_seq seq)
{
    return near + (uint64_t)(int64_t)(int32_t)(seq.value - (uint32_t)near);
}

static inline tern_seq tern_tcb_wrap(uint64_t seq)
{
    return tern_seq_of((uint32_t)seq);
}

#endif
