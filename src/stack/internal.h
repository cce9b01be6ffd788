/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_STACK_INTERNAL_H
#define TERN_STACK_INTERNAL_H
/*
 * The stack's own structures, and what its files call of each other. Nobody outside src/stack
 * includes this.
 *
 * Two lists drive it: `ready`, the connections that may have something to send, and `events`, the
 * objects of which the application should hear. Connections whose next hop is not resolved wait in
 * `waiting` until the neighbour table changes. One wheel holds a timer for each connection.
 */
#include "base/assert.h"
#include "base/checksum.h"
#include "base/hash.h"
#include "base/lines.h"
#include "base/list.h"
#include "base/pool.h"
#include "base/random.h"
#include "base/table.h"
#include "base/wheel.h"
#include "proto/claim.h"
#include "proto/dgram_queue.h"
#include "proto/icmp_rules.h"
#include "proto/neigh.h"
#include "proto/reass.h"
#include "proto/tcp/tcp.h"
#include "proto/tcp/timewait.h"
#include "wire/eth.h"
#include "wire/flow.h"
#include "wire/udp.h"
#include <tern/ping.h>
#include <tern/stack.h>
#include <tern/trace.h>
#include <tern/udp.h>

#define TERN_HEADERS_BYTES    128    /* room for Ethernet, IP and TCP headers at their longest */
#define TERN_TX_QUEUE_BYTES   262144 /* datagrams, ICMP and resets that wait to be sent */
#define TERN_UDP_QUEUE_BYTES  262144 /* received, a socket */
#define TERN_PING_QUEUE_BYTES 16384
#define TERN_TTL              64 /* RFC 1700; RFC 1122 §3.2.1.7 */

struct tern_event_node {
    struct tern_list link;
    enum tern_event_kind kind;
    uint32_t bits;
    void *user;
};

/* What a connection needs while something goes on: control block, and the lists it stands in. */
struct tern_awake {
    struct tern_tcb tcb;
    struct tern_conn *conn;
    struct tern_list ready;   /* in stack->ready or stack->waiting */
    struct tern_list starved; /* in stack->starved: it wants to write, and chunks are short; or in
                                 stack->loanless: it wants to lend, and others have all loans */
    struct tern_event_node event;
    struct tern_list child; /* in its listener's children or accept queue, until accepted */
    struct tern_listener *listener;
    struct tern_list fastopen; /* in its listener's, whoever owns the handle */
    struct tern_listener *fastopen_of;
    struct tern_list holed;  /* in stack->holed: see tcp_input.c */
    uint32_t holed_acks;     /* duplicate ACKs put off to the end of the burst */
    bool queued;             /* in the accept queue */
    struct tern_list by_use; /* in stack->rest.by_use */
    tern_time used_at;       /* when it was put to the end of that */
    struct {                 /* its next hop, as it was looked up last */
        struct tern_mac mac;
        uint32_t routes; /* as stack->routes then; 0: never */
        tern_time at;
    } hop;
};

/* What a call asked of a resting connection while no block was free: bits, done when one is. */
enum tern_want {
    TERN_WANT_WRITE = 1, /* to hear that a write may be tried again */
    TERN_WANT_SHUTDOWN = 2,
    TERN_WANT_NO_READER = 4,
    TERN_WANT_CLOSE = 8,
    TERN_WANT_ABORT = 16,
};

#define TERN_REST_BYTES 57 /* of a folded block, beside the handle; the rest of it in lines */

/* What it has all its life: the handle, its places in the demux and in the wheel, and the folded
 * block of one that rests. Three cache lines: what a lookup reads, the wheel's, the folded block.
 */
struct tern_conn {
    struct tern_table_node by_pair;
    struct tern_endpoint local, remote;
    uint32_t more; /* of the folded block, in stack->rest.lines */
    union {
        struct tern_awake *awake; /* NULL: it rests */
        struct tern_tcb *tcb;     /* its first member */
    };

    struct tern_timer timer;
    struct tern_stack *stack;
    void *user;               /* the application's: comes with its events */
    struct tern_list wanting; /* in stack->rest.wanting: for a block */

    uint8_t folded[TERN_REST_BYTES];
    bool owned;            /* the application has the handle */
    bool left;             /* the demux: TIME-WAIT, where a record has its pair */
    uint8_t wants;         /* enum tern_want */
    uint8_t model;         /* which one it was folded against */
    bool over;             /* it rests, and is CLOSED */
    uint16_t link_changes; /* of the stack, when it was folded */
};

_Static_assert(sizeof(struct tern_conn) == 192, "three cache lines");
_Static_assert(offsetof(struct tern_awake, tcb) == 0, "one pointer serves for both");

struct tern_listener {
    struct tern_stack *stack;
    struct tern_table_node by_port;
    struct tern_event_node event;
    struct tern_endpoint local;
    const struct tern_cc_ops *cc;
    tern_time ack_every;
    struct tern_tcp_settings set;
    uint32_t backlog, unfinished_count, waiting_count; /* of children, of accepted */
    tern_time cookies_until;                           /* one that was sent may come back */
    struct tern_list children;                         /* not yet established */
    struct tern_list accepted; /* established, waiting for tern_tcp_accept() */
    struct tern_list fastopen; /* children that were opened fast, and are in SYN-RECEIVED yet */
    uint32_t fastopen_count;
};

struct tern_udp_socket {
    struct tern_stack *stack;
    struct tern_table_node by_port;
    struct tern_event_node event;
    struct tern_endpoint local;
    struct tern_endpoint peer; /* the only one heard; port 0: all are */
    struct tern_dgram_queue queue;
    enum tern_err error; /* what ICMP said; told once */
    uint8_t ring[TERN_UDP_QUEUE_BYTES];
};

struct tern_ping_socket {
    struct tern_stack *stack;
    struct tern_table_node by_id;
    struct tern_event_node event;
    uint16_t id;
    struct tern_dgram_queue queue;
    uint8_t ring[TERN_PING_QUEUE_BYTES];
};

struct tern_own_address {
    bool used;
    uint16_t serial; /* of this use of the slot: packets that wait name both */
    struct tern_cidr cidr;
    struct tern_claim_engine claim;
    struct tern_event_node event;
};

/* SYN cookies that came back, the last of them: none opens a second connection. */
#define TERN_COOKIES_SPENT 256

struct tern_spent_cookies {
    tern_seq cookie[TERN_COOKIES_SPENT];
    uint32_t count; /* ever: the oldest gives way */
};

/* What resting blocks are folded against: a block like them, as it was when none yet rested. */
struct tern_rest_model {
    struct tern_tcb tcb;
    uint32_t users;
};

struct tern_rest {
    struct tern_rest_model model[2]; /* of passive ones; of active ones */
    struct tern_lines lines;
    struct tern_list wanting; /* a block: what they want is in their handles */
    tern_time serve_wait;
    tern_time serve_at;      /* they are looked at again; NEVER: none waits */
    struct tern_list by_use; /* all awake blocks, those not used for longest first */
    uint16_t link_changes;
};

#define TERN_PAIR_BYTES 36 /* two addresses, two ports */

struct tern_stack {
    struct tern_config config;
    tern_time now;
    struct tern_mac mac;
    struct tern_tcp_env tcp;
    struct tern_trace_ring traces;
    struct tern_stack_counters counters;

    struct tern_hash_key demux_key, isn_key, port_key, ts_key, cookie_key, fastopen_key;
    struct { /* of which the demux asked last */
        uint8_t bytes[TERN_PAIR_BYTES];
        uint64_t hash;
    } pair;
    struct tern_spent_cookies spent;
    struct tern_random random;
    uint32_t port_counter, conn_id_next;
    uint16_t ip_id;

    struct tern_wheel wheel;
    struct tern_list ready, waiting, events, starved, loanless, holed;

    struct tern_pool conns, awake, listeners, udps, pings;
    struct tern_rest rest;
    struct tern_timewaits time_waits;
    struct {
        struct tern_pool pool;
        struct tern_table table;
        struct tern_list oldest;
    } fastopen; /* peers' cookies */
    struct tern_table conn_table, listener_table, udp_table, ping_table;

    struct tern_own_address *addresses;
    uint16_t address_serial;  /* of the last that was added */
    struct tern_addr gateway; /* any address: none */
    struct tern_neigh neigh;
    struct tern_reass reass;
    struct tern_icmp_bucket icmp_bucket;

    struct tern_dgram_queue tx;         /* IP payloads to send */
    struct tern_dgram_queue tx_waiting; /* the same, their next hop unresolved */
    uint32_t tx_fragment_at;            /* bytes of the head of tx that went out as fragments */
    uint8_t *tx_ring, *tx_waiting_ring;

    uint8_t (*headers)[TERN_HEADERS_BYTES];     /* of the frames of one output burst */
    uint8_t (*ack_headers)[TERN_HEADERS_BYTES]; /* of ACKs made while input runs */
    struct tern_frame *acks;
    bool borrowing; /* the frames of this input stay until tern_stack_settle() */
    uint32_t acks_count, acks_taken;

    struct { /* addresses of a packet that was for us: input.c */
        struct tern_addr src, dst;
        uint32_t routes; /* as they were then; 0: there was none */
    } welcome;
    /* Counts whatever may lead packets elsewhere, or nowhere: addresses, routes, neighbours. */
    uint32_t routes;
    struct {
        struct tern_flow flow;
        struct tern_conn *conn; /* NULL: none */
        uint32_t routes;        /* as they were then */
        bool stale;             /* the connection is to be brought up to date */
    } last;                     /* the last frame that went to a connection */
};

/* An IP packet as the layers above see it. */
struct tern_packet {
    struct tern_ipv4 ip;
    tern_span header; /* ip as it came, with its options; empty: it came in fragments */
    tern_span body;
    bool verified;     /* the link vouches for the transport checksum */
    bool to_group_mac; /* the frame was broadcast or multicast */
    bool broadcast;    /* to a broadcast or multicast address */
    uint32_t piece_bytes;
    bool stays; /* the body, until tern_stack_settle() */
};

/* iface.c: own addresses, routes, ARP */
struct tern_own_address *tern_stack_own(struct tern_stack *s, struct tern_addr addr); /* claimed */
bool tern_stack_is_broadcast(const struct tern_stack *s, struct tern_addr addr);
bool tern_stack_source_for(struct tern_stack *s, struct tern_addr dst, struct tern_addr *src);
enum tern_neigh_verdict tern_stack_next_hop(struct tern_stack *s, struct tern_addr src,
                                            struct tern_addr dst, struct tern_mac *mac);
/* The same for a connection, remembered for as long as the clock stands still. */
enum tern_neigh_verdict tern_conn_next_hop(struct tern_conn *conn, struct tern_mac *mac);
void tern_stack_doubt_hop(struct tern_stack *s, struct tern_addr src, struct tern_addr dst);
void tern_stack_arp_input(struct tern_stack *s, tern_span body);
bool tern_stack_arp_output(struct tern_stack *s, struct tern_frame *frame, uint8_t *headers);
tern_time tern_stack_iface_deadline(const struct tern_stack *s);
void tern_stack_iface_expire(struct tern_stack *s);
void tern_stack_neighbours_changed(struct tern_stack *s);

/* observe.c: cause NONE for what arrives. The first two only where somebody listens. */
static inline bool tern_stack_is_observed(const struct tern_stack *s)
{
    return s->tcp.observer.tell != NULL;
}
void tern_stack_tell_frame(const struct tern_stack *s, uint32_t bytes);
void tern_stack_tell_input_end(const struct tern_stack *s);
/* Of no segment; body: what IP carries, whole. */
void tern_stack_tell_packet(const struct tern_stack *s, const struct tern_ipv4 *ip, tern_span body,
                            enum tern_cause cause);
void tern_stack_tell_arp(const struct tern_stack *s, const struct tern_arp *arp,
                         enum tern_cause cause);
/* A segment of no connection, or of one in TIME-WAIT. */
void tern_stack_tell_stray(struct tern_stack *s, const struct tern_endpoint *local,
                           const struct tern_endpoint *remote, const struct tern_tcp_header *h,
                           uint32_t text_bytes, enum tern_cause cause);
void tern_stack_tell_address(const struct tern_stack *s, const struct tern_own_address *own,
                             enum tern_address_step step);
void tern_stack_tell_waited(const struct tern_stack *s, uint32_t conn_id); /* TIME-WAIT is over */

/* input.c */
void tern_stack_drop(struct tern_stack *s, enum tern_drop reason);

/* icmp.c */
void tern_stack_icmp_input(struct tern_stack *s, const struct tern_packet *p);
void tern_stack_icmp_error(struct tern_stack *s, const struct tern_packet *p, uint8_t type,
                           uint8_t code);

/* udp.c, ping.c */
void tern_stack_udp_input(struct tern_stack *s, const struct tern_packet *p);
void tern_stack_udp_error(struct tern_stack *s, const struct tern_icmp_quote *quote,
                          enum tern_err error);
void tern_stack_ping_input(struct tern_stack *s, const struct tern_packet *p,
                           const struct tern_icmp *icmp, tern_span data);
void tern_stack_ping_error(struct tern_stack *s, const struct tern_packet *p,
                           const struct tern_icmp *icmp, const struct tern_icmp_quote *quote);

/* tcp_input.c, conn.c, listen.c */
void tern_stack_tcp_input(struct tern_stack *s, const struct tern_packet *p);
/* A packet that is known to be of this connection: what follows its IP header. */
struct tern_tcp_packet {
    tern_span bytes;
    uint32_t piece_bytes;
    uint8_t tos;
    bool verified, stays; /* as in struct tern_packet */
};
void tern_conn_packet(struct tern_conn *conn, const struct tern_tcp_packet *p);
/* Bring it up to date, if that was put off. */
void tern_stack_update_last(struct tern_stack *s);
void tern_stack_tcp_input_end(struct tern_stack *s); /* of a burst */
struct tern_conn *tern_stack_conn_find(struct tern_stack *s, const struct tern_endpoint *local,
                                       const struct tern_endpoint *remote);
struct tern_conn *tern_conn_take(struct tern_stack *s);
uint64_t tern_stack_pair_hash(struct tern_stack *s, const struct tern_endpoint *local,
                              const struct tern_endpoint *remote);
void tern_conn_enter(struct tern_conn *conn);       /* into the demux */
void tern_conn_leave(struct tern_conn *conn);       /* out of it, and of the lists of the wire */
void tern_stack_loan_is_free(struct tern_stack *s); /* those that wanted one hear of it */
void tern_conn_raise(struct tern_conn *conn);       /* its events, to the application */
void tern_conn_abort(struct tern_conn *conn);       /* RFC 9293 §3.10.5 */
void tern_conn_update(struct tern_conn *conn);      /* after any verb: timer, lists, events, free */
bool tern_listener_is_full(const struct tern_listener *l); /* nobody accepts */
/* A segment for no connection. False: it deserves a reset. */
bool tern_listener_input(struct tern_listener *l, const struct tern_endpoint *local,
                         const struct tern_endpoint *remote, const struct tern_segment *seg);
/* An ACK for a handshake of a listener's. True: it is done with. There is no room for what would
 * come of it; or it brings back a cookie that answered the same SYN, whose connection has taken
 * this one's place. */
bool tern_conn_handshake_input(struct tern_conn *conn, const struct tern_segment *seg);
void tern_conn_leave_listener(struct tern_conn *conn);
void tern_conn_queue_for_accept(struct tern_conn *conn); /* if its handshake is finished */
struct tern_listener *tern_stack_listener_find(struct tern_stack *s,
                                               const struct tern_endpoint *local);
/* All but the first number, which a cookie has of its own: tern_stack_isn() (RFC 6528). */
void tern_stack_tcb_options(struct tern_stack *s, struct tern_tcb_options *o,
                            const struct tern_endpoint *local, const struct tern_endpoint *remote);
tern_seq tern_stack_isn(const struct tern_stack *s, const struct tern_tcb_options *o);

/* rest.c */
uint32_t tern_rest_awake_count(const struct tern_config *config);
uint32_t tern_rest_lines_count(const struct tern_config *config);
/* A block, from the pool or of one that can rest; NULL: all are busy. */
struct tern_awake *tern_rest_block(struct tern_stack *s);
void tern_rest_give(struct tern_stack *s, struct tern_awake *a);
void tern_rest_used(struct tern_stack *s, struct tern_awake *a); /* something went on */
/* Its block again, if it rested; false: all blocks are busy. Other connections may fold. */
bool tern_conn_wake(struct tern_conn *conn);
/* The same for a call; else what it wanted is done later. want 0: nothing. */
bool tern_conn_wake_for(struct tern_conn *conn, uint8_t want);
/* Of one that tern_conn_wake_for() could not wake; false: no memory for it. */
bool tern_conn_set_at_rest(struct tern_conn *conn, const struct tern_tcp_settings *settings);
/* Its control block to look at, whether or not it rests. */
const struct tern_tcb *tern_conn_look(const struct tern_conn *conn, struct tern_tcb *room);
void tern_rest_serve(struct tern_stack *s); /* those that wanted a block */
void tern_rest_turn(struct tern_stack *s);  /* the end of a verb: config.rest_at_once */
void tern_rest_check(const struct tern_stack *s, const struct tern_conn *conn);

/* fastopen.c */
size_t tern_fastopen_peer_bytes(void);
/* Our own connecting, and what came of it. */
void tern_stack_fastopen_offer(struct tern_stack *s, struct tern_tcb_options *o);
void tern_conn_fastopen_learn(struct tern_conn *conn);
/* A SYN for a listener; a child that it opens fast; its handshake is over. */
void tern_listener_fastopen(struct tern_listener *l, const struct tern_segment *syn,
                            struct tern_tcb_options *o);
void tern_conn_fastopen_begin(struct tern_conn *conn, struct tern_listener *l);
void tern_conn_fastopen_end(struct tern_conn *conn);
void tern_listener_fastopen_fini(struct tern_listener *l);

/* timewait.c */
/* The record takes over. The control block is the caller's to free, if nobody holds its handle. */
void tern_conn_leave_for_time_wait(struct tern_conn *conn);
void tern_conn_time_wait_disowned(struct tern_conn *conn); /* its handle was given up */
void tern_conn_time_wait_abort(struct tern_conn *conn);    /* RFC 9293 §3.10.5 */
bool tern_stack_timewait_input(struct tern_stack *s, const struct tern_endpoint *local,
                               const struct tern_endpoint *remote, const struct tern_segment *seg);
/* For our own connecting: is there a record, and one that we may not reuse? */
bool tern_stack_timewait_any(struct tern_stack *s, const struct tern_endpoint *local,
                             const struct tern_endpoint *remote);
bool tern_stack_timewait_blocks(struct tern_stack *s, const struct tern_endpoint *local,
                                const struct tern_endpoint *remote);
/* A new connection of a pair: its record ends, if there is one, and o->iss is beyond its numbers.
 */
void tern_stack_timewait_reuse(struct tern_stack *s, struct tern_tcb_options *o);
void tern_stack_timewait_expire(struct tern_stack *s);
void tern_stack_timewait_end_all(struct tern_stack *s);

/* output.c */
/* A segment without text; false: no room. */
bool tern_stack_queue_bare(struct tern_stack *s, const struct tern_endpoint *local,
                           const struct tern_endpoint *remote, const struct tern_tcp_header *h,
                           enum tern_cause cause);
/* The same, of no connection: it is told, and where there is no room it is lost. */
void tern_stack_send_bare(struct tern_stack *s, const struct tern_endpoint *local,
                          const struct tern_endpoint *remote, const struct tern_tcp_header *h,
                          enum tern_cause cause);
void tern_stack_frame_conn(struct tern_stack *s, struct tern_conn *conn,
                           const struct tern_segment_out *seg, struct tern_mac dst,
                           struct tern_frame *frame, uint8_t *headers);
/* Queue an IP payload; false: no room. source: any address picks one. */
bool tern_stack_queue(struct tern_stack *s, struct tern_addr src, struct tern_addr dst,
                      uint8_t protocol, uint8_t ttl, enum tern_cause cause, tern_span payload);

/* event.c */
void tern_stack_event_raise(struct tern_stack *s, struct tern_event_node *node, uint32_t bits);
void tern_stack_event_drop(struct tern_event_node *node);

#endif
