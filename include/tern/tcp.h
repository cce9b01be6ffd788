/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_TCP_H
#define TERN_TCP_H
/*
 * TCP connections. All calls: from the stack's thread, between two steps; none blocks.
 *
 * A connection handle is the application's from connect or accept until close or
 * abort. After that the stack finishes on the wire by itself and the handle
 * must not be used again. Bytes are acknowledged by the stack as they arrive;
 * reading slowly closes the window and never delays an ACK.
 */
#include <stddef.h>

#include <tern/event.h>
#include <tern/link.h>

#ifdef __cplusplus
extern "C" {
#endif

/* X(name, text): RFC 9293 §3.3.2 */
#define TERN_TCP_STATE_LIST(X)                                                                     \
    X(CLOSED, "CLOSED")                                                                            \
    X(LISTEN, "LISTEN")                                                                            \
    X(SYN_SENT, "SYN-SENT")                                                                        \
    X(SYN_RECEIVED, "SYN-RECEIVED")                                                                \
    X(ESTABLISHED, "ESTABLISHED")                                                                  \
    X(FIN_WAIT_1, "FIN-WAIT-1")                                                                    \
    X(FIN_WAIT_2, "FIN-WAIT-2")                                                                    \
    X(CLOSE_WAIT, "CLOSE-WAIT")                                                                    \
    X(CLOSING, "CLOSING")                                                                          \
    X(LAST_ACK, "LAST-ACK")                                                                        \
    X(TIME_WAIT, "TIME-WAIT")

enum tern_tcp_state {
#define TERN_TCP_STATE_ENUM(name, text) TERN_TCP_##name,
    TERN_TCP_STATE_LIST(TERN_TCP_STATE_ENUM)
#undef TERN_TCP_STATE_ENUM
        TERN_TCP_STATE_COUNT
};

TERN_EXPORT const char *tern_tcp_state_text(enum tern_tcp_state state);

/* How the largest packet of a path is searched for, beside the ICMP messages that tell of it. */
enum tern_mtu_probe {
    TERN_MTU_PROBE_BLACK_HOLE, /* smaller segments where timeouts look like a black hole; from
                                  there upwards by probes (RFC 4821 §7) */
    TERN_MTU_PROBE_OFF,        /* ICMP alone (RFC 1191) */
    TERN_MTU_PROBE_ALWAYS,     /* from small segments upwards by probes, whatever ICMP says */
};

/*
 * What can be set for a connection, all at once: take what is, change a field, give it back. A
 * listener's settings are inherited by the connections that it accepts. Sizes in bytes, times in
 * nanoseconds; 0 means the default that the comment names.
 */
struct tern_tcp_settings {
    bool nodelay;            /* no Nagle (RFC 9293 §3.7.4) */
    bool cork;               /* full segments only, for at most 200 ms (Linux TCP_CORK) */
    bool quickack;           /* ACK each segment at once (Linux TCP_QUICKACK), for good */
    bool keepalive;          /* RFC 9293 §3.8.4; off by default */
    bool urgent_inline;      /* the urgent byte stays in the stream (RFC 6093 §4); on by default */
    bool fastopen;           /* RFC 7413: listener: take data in a SYN; connect: send data in a SYN,
                           which waits for the first write where the peer's cookie is known */
    bool pacing;             /* spread segments over the round trip; on by default */
    bool restart_after_idle; /* a small window again after a pause (RFC 5681 §4.1); on by default */
    bool ecn;                /* RFC 3168: offered, and agreed to; on by default */
    bool timestamps, sack, window_scale; /* offered, and agreed to (RFC 7323 §2, §3; RFC 2018 §2);
                                            on by default */
    const char *congestion;              /* "cubic", "reno", "bbr"; NULL: the stack's default */
    uint32_t keep_count;  /* probes without an answer that end the connection; 0: 9 */
    uint32_t syn_retries; /* R2 for SYN (RFC 9293 §3.8.3); 0: 6 */
    uint32_t mss_bytes;   /* at most, both ways; 0: what the path takes */
    uint32_t send_buffer_bytes, receive_buffer_bytes; /* fixed; 0: autotuned up to the stack's */
    uint32_t window_clamp_bytes;                      /* never advertise more; 0: no clamp */
    uint32_t notsent_lowat_bytes; /* WRITABLE only while less than this is unsent; 0: off. A write
                                     takes what leaves at once besides, and fills a super-segment */
    uint32_t readable_bytes;      /* READABLE from so many bytes on (SO_RCVLOWAT); 0: 1 */
    uint64_t pacing_rate_max;     /* bytes a second; 0: no limit */
    tern_time keep_idle;          /* 0: 2 hours (RFC 9293 §3.8.4) */
    tern_time keep_interval;      /* 0: 75 s */
    tern_time user_timeout;       /* unacknowledged for so long: over (RFC 5482 §2, RFC 9293
                                     §3.8.3); 0: R2 decides */
    tern_time fin_wait_2;         /* the stay in FIN-WAIT-2 once closed (TCP_LINGER2); 0: 60 s */
    uint64_t note;                /* the application's own: inherited, and changes nothing */
    uint8_t ttl;                  /* 0: 64 */
    uint8_t tos;                  /* DSCP in the upper six bits; the lower two are ECN's */
    uint8_t mtu_probe;            /* enum tern_mtu_probe */
};

TERN_EXPORT void tern_tcp_settings_defaults(struct tern_tcp_settings *settings);

struct tern_tcp_options {
    struct tern_endpoint local;  /* connect: port 0 picks one (RFC 6056 §3.3.3); any address
                                    takes the stack's own for the route */
    struct tern_endpoint remote; /* connect only */
    void *user;                  /* comes back with each event */
    const char *congestion;      /* "cubic", "reno", "bbr"; NULL: the stack's default */
    tern_time ack_every;         /* 0: RFC 9293's rules; else one ACK each so long, as the
                                    program in the origin story did ('demo slow') */
    tern_time connect_timeout;   /* 0: the stack's default (RFC 9293 §3.8.3 R2) */
    const struct tern_tcp_settings *settings; /* copied; NULL: the defaults */
    bool nodelay;                             /* no Nagle, whatever the settings say */
};

/*
 * Start connecting. TERN_ERR_FULL: no control block or port left;
 * TERN_ERR_NO_ROUTE: nothing leads there, or no own address yet, or it is our own;
 * TERN_ERR_ADDRESS_IN_USE: that pair of endpoints is taken, or its answers would come to another
 * stack with which this one shares its address; TERN_ERR_INVAL: an
 * impossible peer (multicast, broadcast, port 0) or an unknown congestion control.
 * TERN_CONN_ESTABLISHED or TERN_CONN_CLOSED follows.
 */
TERN_EXPORT TERN_NODISCARD enum tern_err tern_tcp_connect(struct tern_stack *stack,
                                                          const struct tern_tcp_options *options,
                                                          struct tern_conn **out);

/* Listen on a port of one own address, or of all of them (any address). backlog: so many
 * connections may wait to be accepted, and as many handshakes be unfinished (beyond, SYN cookies).
 * TERN_ERR_ADDRESS_IN_USE, TERN_ERR_FULL, TERN_ERR_INVAL.
 */
TERN_EXPORT TERN_NODISCARD enum tern_err tern_tcp_listen(struct tern_stack *stack,
                                                         const struct tern_tcp_options *options,
                                                         uint32_t backlog,
                                                         struct tern_listener **out);
/* So many connections may wait from now on; those that do already stay. */
TERN_EXPORT void tern_listener_backlog_set(struct tern_listener *listener, uint32_t backlog);
/* Stop listening; connections not yet accepted are reset. */
TERN_EXPORT void tern_tcp_unlisten(struct tern_listener *listener);
/* The next finished connection; TERN_ERR_AGAIN: none. user is given to the connection. */
TERN_EXPORT TERN_NODISCARD enum tern_err tern_tcp_accept(struct tern_listener *listener, void *user,
                                                         struct tern_conn **out);
TERN_EXPORT uint16_t tern_listener_port(const struct tern_listener *listener);

/*
 * Queue bytes for sending: one copy, no system call. Returns the bytes taken, maybe
 * fewer than len (TERN_CONN_WRITABLE follows when there is room again), TERN_ERR_AGAIN
 * where none fit, TERN_ERR_CLOSED after shutdown, or the connection's reason once it is over.
 * AGAIN as well, and WRITABLE afterwards, where the connection rests and no control block is free
 * (awake_max of stack.h). len 0 changes nothing, but that a SYN that waits for text (fastopen) goes
 * without.
 */
TERN_EXPORT TERN_NODISCARD ptrdiff_t tern_tcp_write(struct tern_conn *conn, const void *data,
                                                    size_t len);
/* The same, and the last byte taken is urgent (RFC 9293 §3.8.5): the peer hears where it stands,
 * even while its window is closed. A later one takes the mark over. */
TERN_EXPORT TERN_NODISCARD ptrdiff_t tern_tcp_write_urgent(struct tern_conn *conn, const void *data,
                                                           size_t len);

/*
 * Lend bytes for sending: as tern_tcp_write(), and no copy is made. They stay the application's,
 * which may neither change nor free them before the event TERN_EVENT_LOAN with this user tells that
 * they are free again: once all of them are acknowledged, or nothing is sent any more. The event
 * comes also where the handle was given up meanwhile.
 *   len    at least 1; taken whole, however long: they need no room in the send buffer. But as long
 *          as they fill it, tern_tcp_write() takes nothing
 *   user   comes back with the event; the stack does not look at it
 * TERN_ERR_AGAIN: this connection has 64 loans out, or all connections loans_max: try again once
 * one of its own is back, or on TERN_CONN_WRITABLE. TERN_ERR_INVAL: len 0. TERN_ERR_CLOSED after
 * shutdown, or the connection's reason once it is over: then nothing was lent, and no event comes.
 * Cost: constant. Worth it from some kilobytes on; for less, writing is cheaper.
 */
TERN_EXPORT TERN_NODISCARD enum tern_err tern_tcp_lend(struct tern_conn *conn, const void *data,
                                                       size_t len, void *user);

enum tern_tcp_mark {
    TERN_TCP_MARK_MORE,   /* more follows at once: a short rest waits for it, or for an ACK, or
                             200 ms; without PSH (Linux MSG_MORE) */
    TERN_TCP_MARK_RECORD, /* no segment holds bytes from both sides of this place (MSG_EOR); a
                             number of them is remembered, beyond it the oldest are forgotten */
};
/* Say something of the end of what was written so far: right after the write. */
TERN_EXPORT void tern_tcp_mark(struct tern_conn *conn, enum tern_tcp_mark mark);
/* Room in the connection's own buffer, 0 where notsent_lowat_bytes wait; tern_tcp_write() takes
 * less while the pool is short. */
TERN_EXPORT size_t tern_tcp_write_space(const struct tern_conn *conn);

/*
 * Look at the next received bytes without copying: a slice that stays valid until the next
 * skip, read or close of this connection, and where frames are borrowed (tern_loop_borrow(),
 * tern_stack_input_borrowed()) until the next turn of the loop at the longest. Returns its length
 * (more may follow it), 0 at the end of the stream, TERN_ERR_AGAIN where nothing waits, or the
 * connection's reason.
 */
TERN_EXPORT TERN_NODISCARD ptrdiff_t tern_tcp_peek(const struct tern_conn *conn,
                                                   struct tern_slice *out);
/*
 * The same, several slices in order at once: for writev(2) and its kin. Returns how many slices
 * were filled in, at most max; 0, TERN_ERR_AGAIN or the reason as tern_tcp_peek().
 */
TERN_EXPORT TERN_NODISCARD int tern_tcp_peekv(const struct tern_conn *conn, struct tern_slice *out,
                                              int max);
/* The same, from so many bytes behind the first on. A slice stays valid until its own bytes are
 * skipped or read, or the handle is given up; what else arrives or happens does not touch it. But
 * where frames are borrowed it goes with the turn, as tern_tcp_peek() says. */
TERN_EXPORT TERN_NODISCARD int tern_tcp_peekv_from(const struct tern_conn *conn, uint64_t offset,
                                                   struct tern_slice *out, int max);
/* Be done with bytes that peek showed; this opens the window. An urgent byte that stands before
 * them, out of the stream, is passed with them, and by 0 bytes alone. */
TERN_EXPORT void tern_tcp_skip(struct tern_conn *conn, size_t bytes);
/* peek, copy and skip in one. */
TERN_EXPORT TERN_NODISCARD ptrdiff_t tern_tcp_read(struct tern_conn *conn, void *data, size_t len);

/*
 * Is there an urgent byte that was not read past yet? ahead: bytes before it, 0 at the mark itself;
 * more may have to arrive until it comes. peek and read stop at the mark.
 */
TERN_EXPORT bool tern_tcp_urgent_mark(const struct tern_conn *conn, size_t *ahead);
/*
 * With urgent_inline off the urgent byte is left out of what peek and read show; this takes it.
 * TERN_ERR_AGAIN: announced, but not here yet; TERN_ERR_INVAL: there is none, it was taken, or it
 * stands in the stream. peek: it can be taken again.
 */
TERN_EXPORT TERN_NODISCARD enum tern_err tern_tcp_read_urgent(struct tern_conn *conn, uint8_t *byte,
                                                              bool peek);

/* Send FIN after what was written; receiving goes on (half-close). Again: no effect. */
TERN_EXPORT void tern_tcp_shutdown(struct tern_conn *conn);
/* Nobody reads what comes from now on. It changes nothing before tern_tcp_shutdown(); after it, as
 * nobody could answer either, text that comes is refused by RST (RFC 9293 §3.6.1) and the
 * connection is over, with TERN_ERR_ABORTED. What is unread already stays to be read. */
TERN_EXPORT void tern_tcp_shutdown_read(struct tern_conn *conn);
/* Give up the handle. FIN after what was written; RST instead if received bytes
 * were left unread (RFC 9293 §3.6.1), since they are lost. */
TERN_EXPORT void tern_tcp_close(struct tern_conn *conn);
/* Give up the handle and reset. */
TERN_EXPORT void tern_tcp_abort(struct tern_conn *conn);

/* TERN_ERR_OK while open or after an orderly end; else why it ended. */
TERN_EXPORT enum tern_err tern_tcp_reason(const struct tern_conn *conn);
TERN_EXPORT enum tern_tcp_state tern_tcp_state(const struct tern_conn *conn);
TERN_EXPORT void tern_tcp_set_user(struct tern_conn *conn, void *user);
/* A number that names the connection in traces and statistics, never used twice by a stack. */
TERN_EXPORT uint32_t tern_tcp_id(const struct tern_conn *conn);

TERN_EXPORT void tern_tcp_settings(const struct tern_conn *conn, struct tern_tcp_settings *out);
/* Takes effect at once. TERN_ERR_INVAL, and nothing changed: a field out of its range. */
TERN_EXPORT TERN_NODISCARD enum tern_err tern_tcp_set(struct tern_conn *conn,
                                                      const struct tern_tcp_settings *settings);
TERN_EXPORT void tern_listener_settings(const struct tern_listener *listener,
                                        struct tern_tcp_settings *out);
/* For the connections that come from now on. */
TERN_EXPORT TERN_NODISCARD enum tern_err
tern_listener_set(struct tern_listener *listener, const struct tern_tcp_settings *settings);

/* Bytes that tern_tcp_read() would give: up to the urgent mark, where there is one ahead. */
TERN_EXPORT uint64_t tern_tcp_unread(const struct tern_conn *conn);
/* The urgent byte is here, and was neither taken nor read past: what poll(2) calls POLLPRI. */
TERN_EXPORT bool tern_tcp_urgent_waits(const struct tern_conn *conn);
/* The peer's FIN was taken: what is unread is all that there will be. */
TERN_EXPORT bool tern_tcp_peer_done(const struct tern_conn *conn);
/* Would tern_tcp_accept() find a connection? */
TERN_EXPORT bool tern_listener_is_ready(const struct tern_listener *listener);

/* A port that no listener of that address has, at random; 0: none. */
TERN_EXPORT uint16_t tern_tcp_port_pick(struct tern_stack *stack, struct tern_addr local);
/* The name of a congestion controller, in storage that outlives every connection; of the stack's
 * default for NULL; NULL where there is none of this name. */
TERN_EXPORT const char *tern_tcp_congestion_name(const struct tern_stack *stack, const char *name);

/* How the sender stands to losses: Linux's names for its states. */
enum tern_tcp_ca_state {
    TERN_TCP_CA_OPEN,
    TERN_TCP_CA_DISORDER, /* duplicate ACKs or SACKs, and nothing deemed lost yet */
    TERN_TCP_CA_CWR,      /* slowing down after an ECN mark */
    TERN_TCP_CA_RECOVERY, /* fast recovery */
    TERN_TCP_CA_LOSS,     /* after a timeout */
};

/* What `ss -ti` would say. Times in nanoseconds, the rest in bytes or segments; moments are those
 * of the stack's clock, TERN_TIME_NEVER: not yet. */
struct tern_tcp_info {
    uint32_t id;
    struct tern_endpoint local, remote;
    enum tern_tcp_state state;
    enum tern_tcp_ca_state ca_state;
    enum tern_err reason;
    enum tern_err soft_error; /* what ICMP told last (RFC 9293 §3.9.2.2); OK: nothing */
    const char *congestion;
    tern_time at; /* when all this held */
    tern_time opened_at, established_at, closed_at;
    tern_time data_sent_at, data_received_at, ack_sent_at, ack_received_at; /* the last */
    tern_time rto, srtt, rttvar, rtt_min; /* srtt 0: no sample yet */
    tern_time ato;                        /* delay of a delayed ACK */
    tern_time busy;           /* spent with bytes unsent or unacknowledged; and of that: */
    tern_time rwnd_limited;   /* held back by the peer's window */
    tern_time sndbuf_limited; /* all is sent, and the application waits for room to write */
    uint64_t cwnd_bytes, ssthresh_bytes; /* ssthresh UINT64_MAX: never set */
    uint64_t pacing_rate;                /* bytes a second; 0: not paced */
    uint64_t delivery_rate;              /* bytes a second, the latest sample; 0: none */
    bool delivery_rate_app_limited;
    uint32_t mss_bytes;    /* payload of a full segment out */
    uint32_t advmss_bytes; /* what we told the peer */
    uint32_t rcvmss_bytes; /* the longest that came */
    uint32_t pmtu_bytes;   /* of the path, as far as known */
    uint8_t snd_wscale, rcv_wscale;
    bool timestamps, sack, wscale, ecn, ecn_seen;
    bool syn_data;           /* text in a SYN was taken, ours or the peer's (RFC 7413) */
    bool syn_waits;          /* for the first bytes to carry: */
    uint32_t syn_room_bytes; /* so many at the most */
    uint32_t retransmits;    /* timeouts in a row */
    uint32_t probes;         /* window and keep-alive probes in a row without an answer */
    uint32_t backoff;        /* doublings of the RTO or of the probe's interval */
    uint32_t reordering;     /* segments that may overtake one another and mean no loss */
    uint64_t bytes_sent, bytes_retrans, bytes_acked, bytes_received;
    uint64_t segs_out, segs_in, data_segs_out, data_segs_in; /* in MSS-sized pieces */
    uint64_t retrans, rtos, fast_recoveries, dup_acks_in, out_of_order_in, acks_out;
    uint64_t unacked_bytes, notsent_bytes, unread_bytes;
    uint64_t sacked_bytes, lost_bytes, resent_bytes; /* of those unacknowledged */
    uint64_t delivered_bytes, delivered_segs, delivered_ce_segs;
    uint64_t dsacks_in, keepalives_out;
    uint64_t reorders_seen; /* 0 or more: segments have overtaken one another here */
    uint64_t snd_wnd_bytes, rcv_wnd_bytes;
    uint64_t rcv_space_bytes; /* what the receive buffer is sized for, by autotuning */
    tern_time rcv_rtt;        /* the receiver's own estimate; 0: none */
    uint64_t zero_windows_sent, window_probes_out;
};
TERN_EXPORT void tern_tcp_info(const struct tern_conn *conn, struct tern_tcp_info *out);

#ifdef __cplusplus
}
#endif
#endif
