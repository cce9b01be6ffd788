/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_EVENT_H
#define TERN_EVENT_H
/*
 * Events: what the application should hear, pulled with tern_stack_event().
 * Bits of one object that come before the pull are merged into one event.
 */
#include <stdbool.h>
#include <stdint.h>

#include <tern/addr.h>

#ifdef __cplusplus
extern "C" {
#endif

enum tern_event_kind {
    TERN_EVENT_CONN,     /* a TCP connection: conn */
    TERN_EVENT_LISTENER, /* connections wait in tern_tcp_accept(): listener */
    TERN_EVENT_UDP,      /* datagrams wait: udp */
    TERN_EVENT_PING,     /* echo replies or errors wait: ping */
    TERN_EVENT_ADDRESS,  /* an own address changed its state: see address and bits */
    TERN_EVENT_LOAN,     /* lent bytes are free again: user is that of tern_tcp_lend() */
};

enum {
    TERN_CONN_ESTABLISHED = 1u << 0, /* the handshake is complete */
    TERN_CONN_READABLE = 1u << 1,    /* bytes wait, or the end of the stream */
    TERN_CONN_WRITABLE = 1u << 2,    /* room again after a short write */
    TERN_CONN_PEER_FIN = 1u << 3,    /* the peer will send no more */
    TERN_CONN_CLOSED = 1u << 4,      /* over, in order or not: see tern_tcp_reason() */
    TERN_CONN_SENT_ALL = 1u << 5,    /* all that was written, and our FIN if any, is acknowledged */
    TERN_CONN_URGENT = 1u << 6,      /* urgent data is under way: see tern_tcp_urgent_mark() */
    TERN_CONN_STALLED = 1u << 7,     /* three timeouts in a row; it goes on trying */
};

enum {
    TERN_ADDRESS_CLAIMED = 1u << 0,  /* probed and announced: ours */
    TERN_ADDRESS_CONFLICT = 1u << 1, /* somebody has it; it was given up or never taken */
};

enum {
    TERN_LOAN_ACKED = 1u << 0, /* the peer has all of them; else the connection ended before */
};

struct tern_conn;
struct tern_listener;
struct tern_udp_socket;
struct tern_ping_socket;
struct tern_stack;

struct tern_event {
    enum tern_event_kind kind;
    uint32_t bits;
    void *user; /* as given at connect, listen, open or lend */
    union {
        struct tern_conn *conn;
        struct tern_listener *listener;
        struct tern_udp_socket *udp;
        struct tern_ping_socket *ping;
    };
    struct tern_addr address; /* TERN_EVENT_ADDRESS */
    struct tern_mac mac;      /* TERN_ADDRESS_CONFLICT: who has it */
};

/* The next event; false: none. The stack's thread. Constant cost. */
TERN_EXPORT bool tern_stack_event(struct tern_stack *stack, struct tern_event *out);

#ifdef __cplusplus
}
#endif
#endif
