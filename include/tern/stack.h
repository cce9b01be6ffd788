/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_STACK_H
#define TERN_STACK_H
/*
 * The core: a TCP/IP stack that is a function of frames, calls, time and a seed.
 * It makes no system call, reads no clock, takes no memory but what it is brought.
 *
 * One thread a stack; any number of stacks in a process, sharing nothing. The five verbs:
 *   input     frames arrived            output   frames to send, until it says none
 *   deadline  when it needs the clock   expire   that moment has come
 *   event     what the application should hear (event.h)
 * `now` never goes backwards. Calls of tcp.h, udp.h and ping.h happen at the `now` of the
 * last verb.
 */
#include <tern/drop.h>
#include <tern/event.h>
#include <tern/link.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TERN_SEED_BYTES 32

/* Whoever listens to what the stack decides: observe.h. */
struct tern_note;
typedef void tern_observer_fn(void *user, const struct tern_note *note);

struct tern_config {
    uint8_t seed[TERN_SEED_BYTES]; /* all randomness: ISNs, ports, IDs, jitter, hash keys */
    struct tern_link_info link;    /* MAC, MTU, offloads, and how much the link holds */
    uint32_t connections_max;
    /* Control blocks for connections with something under way. 0, or as many as connections: each
     * keeps its own. Fewer: one that has been idle is folded into some hundred bytes when another
     * needs its block, and unfolds when a segment, a timer or a call comes. While all blocks are
     * busy, segments for resting connections are dropped (TERN_DROP_TCP_ASLEEP; their peers send
     * again), opening finds no room, writes say AGAIN, and closing waits. */
    uint32_t awake_max;
    bool rest_at_once; /* for tests: fold whatever rests, at each turn, and see that it is exact */
    uint32_t time_waits_max;     /* beside the connections; the oldest gives way */
    uint32_t fastopen_peers_max; /* whose Fast Open cookies are remembered */
    /* Of the Fast Open cookies that listeners give out. All zero: drawn from the seed, and a cookie
     * lasts a day or two. Else they last as long as the key, which several servers behind one
     * address may share (RFC 7413 §6.3.4). */
    uint8_t fastopen_key[16];
    /* Of the offsets of timestamps. All zero: drawn from the seed. Else a stack that takes an
     * address over from another with the same key and the same clock goes on with its timestamps,
     * so that a peer in TIME-WAIT sees that a connection is a new one (RFC 6191 §2). */
    uint8_t timestamps_key[16];
    uint32_t listeners_max;
    uint32_t udp_sockets_max;
    uint32_t ping_sockets_max;
    uint32_t neighbours_max;
    uint32_t reassembly_max;       /* packets being reassembled at once */
    uint32_t addresses_max;        /* own addresses */
    uint32_t loans_max;            /* of tern_tcp_lend(), all connections together */
    uint32_t chunk_bytes;          /* unit of buffer memory, a power of two */
    uint32_t chunks_max;           /* all connections' buffers together */
    uint32_t send_buffer_bytes;    /* a connection, at most */
    uint32_t receive_buffer_bytes; /* a connection, at most */
    uint32_t traces_count;         /* 0: no traces */
    const char *congestion;        /* "cubic" or "reno" */
    tern_observer_fn *observer;    /* NULL: nobody listens */
    void *observer_user;           /* comes back with each note */
};

/* Sensible figures for one program on one link; seed and link are left for the caller. */
TERN_EXPORT void tern_config_defaults(struct tern_config *config);

/* The memory that a stack with this configuration needs; 0: the configuration is impossible. */
TERN_EXPORT size_t tern_stack_bytes(const struct tern_config *config);

/*
 * Lay a stack out in memory that the caller brings: at least tern_stack_bytes(), zeroed,
 * aligned to 64 bytes. It is all touched lazily, so fresh mmap'd pages cost nothing until used.
 * TERN_ERR_INVAL: impossible configuration; TERN_ERR_MEMORY: too few bytes.
 */
TERN_EXPORT TERN_NODISCARD enum tern_err tern_stack_init(void *memory, size_t bytes,
                                                         const struct tern_config *config,
                                                         tern_time now, struct tern_stack **out);

/* Received frames; nothing of them is kept on return. */
TERN_EXPORT void tern_stack_input(struct tern_stack *stack, const struct tern_frame *frames,
                                  int count, tern_time now);
/*
 * The same, where the frames stay as they are until tern_stack_settle(): text in order is shown to
 * its reader where it stands (tern_tcp_peek()), and only what was not read by then is copied. So
 * what peek shows is valid until then at the longest. One burst at a time, TERN_BURST_MAX frames at
 * most: settle before the next input.
 */
TERN_EXPORT void tern_stack_input_borrowed(struct tern_stack *stack,
                                           const struct tern_frame *frames, int count,
                                           tern_time now);
/* The frames of tern_stack_input_borrowed() go: nothing of them is kept on return. */
TERN_EXPORT void tern_stack_settle(struct tern_stack *stack);
/* Frames to send, up to max. Their pieces stay valid until the next call on the stack. */
TERN_EXPORT int tern_stack_output(struct tern_stack *stack, struct tern_frame *frames, int max,
                                  tern_time now);
TERN_EXPORT tern_time tern_stack_deadline(const struct tern_stack *stack);
TERN_EXPORT void tern_stack_expire(struct tern_stack *stack, tern_time now);

enum tern_claim {
    TERN_CLAIM_FAST, /* three probes within 0.3 s, then announce; detection and defence go on */
    TERN_CLAIM_RFC,  /* RFC 5227's own seconds */
    TERN_CLAIM_NONE, /* nobody else can be on this link: announce only */
};
/*
 * Take an address of our own. It is used once TERN_ADDRESS_CLAIMED was heard.
 * TERN_ERR_FULL; TERN_ERR_INVAL for what no host may have (multicast, broadcast, any).
 */
TERN_EXPORT TERN_NODISCARD enum tern_err tern_stack_address_add(struct tern_stack *stack,
                                                                const struct tern_cidr *address,
                                                                enum tern_claim claim);
/* Stop using an address: no more answers for it. */
TERN_EXPORT void tern_stack_address_remove(struct tern_stack *stack, struct tern_addr address);
/* Next hop for all that is not on an own prefix; one for each family; any address: none. */
TERN_EXPORT void tern_stack_gateway_set(struct tern_stack *stack, struct tern_addr gateway);

/* Is it an address of our own, probed and announced? */
TERN_EXPORT bool tern_stack_address_is_own(struct tern_stack *stack, struct tern_addr address);
/* The own address from which packets there would leave; false: nothing leads there. */
TERN_EXPORT bool tern_stack_source(struct tern_stack *stack, struct tern_addr destination,
                                   struct tern_addr *out);

/* A neighbour's MAC, if known: for words on the screen. */
TERN_EXPORT bool tern_stack_neighbour(const struct tern_stack *stack, struct tern_addr address,
                                      struct tern_mac *out);

/* The link's MTU changed, or what it offloads or holds; info->mac is not looked at. An MTU that the
 * configuration cannot carry changes nothing. Cost: a walk over the connections. */
TERN_EXPORT void tern_stack_link_changed(struct tern_stack *stack,
                                         const struct tern_link_info *info);

struct tern_stack_counters {
    uint64_t frames_in, bytes_in, frames_out, bytes_out;
    uint64_t drops[TERN_DROP_COUNT];
    uint64_t tcp_segments_in, tcp_segments_out, tcp_retransmits, tcp_resets_in, tcp_resets_out;
    uint64_t connections_opened, connections_accepted, connections_failed;
    uint64_t fastopen_accepted, fastopen_cookies_bad;
    uint64_t syn_cookies_sent, syn_cookies_accepted;
    uint64_t chunks_used, connections_used, time_waits_used;
    uint64_t connections_resting; /* of connections_used */
    uint64_t rests, wakes;        /* ever */
    uint64_t calls_put_off;       /* for want of a control block */
};
TERN_EXPORT void tern_stack_counters(const struct tern_stack *stack,
                                     struct tern_stack_counters *out);

/* Connections that still need the wire (TIME-WAIT does not): for an orderly exit. */
TERN_EXPORT uint32_t tern_stack_connections_unfinished(const struct tern_stack *stack);
/* Reset every connection, and end those in TIME-WAIT (RFC 9293 §3.10.5): the last words before an
 * impatient exit. What late segments of theirs meet then is a reset, or nobody. Handles stay the
 * caller's. Cost: a walk over all of them. */
TERN_EXPORT void tern_stack_abort_all(struct tern_stack *stack);

/* Walk every structure and assert that it is sound. For tests: cost grows with everything. */
TERN_EXPORT void tern_stack_check(const struct tern_stack *stack);

#ifdef __cplusplus
}
#endif
#endif
