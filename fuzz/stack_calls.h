/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_FUZZ_STACK_CALLS_H
#define TERN_FUZZ_STACK_CALLS_H
/*
 * The application in the fuzz target of the whole stack: its handles, and the calls that two bytes
 * of the input choose. What a call returns must be what its header promises.
 */
#include "base/assert.h"
#include "segment.h"
#include <tern/tern.h>

#define CONNS_MAX 6
#define PEERS_MAX 4

struct world {
    struct tern_stack *stack;
    struct tern_listener *listener;
    struct tern_udp_socket *udp;
    struct tern_ping_socket *ping;
    struct tern_conn *conn[CONNS_MAX]; /* the application's handles */
    struct fuzz_peer peer[PEERS_MAX];  /* [0]: of the active connection; others: to the listener */
    struct tern_tcp_settings settings; /* of all its connections */
    tern_time now;
    uint32_t mtu_bytes;
    uint16_t ip_id;
    bool silent;        /* the peer answers no ARP */
    bool lends;         /* frames are lent to the stack, one at a time */
    uint8_t *lent;      /* … this one, until it is settled */
    uint8_t echo[1500]; /* the last echo request: its number, and what follows */
    size_t echo_bytes;
};

static inline struct tern_addr host(uint8_t n)
{
    return tern_addr_v4(10, 0, 0, n);
}

static inline void keep(struct world *w, struct tern_conn *conn)
{
    for (int i = 0; i < CONNS_MAX; i++)
        if (w->conn[i] == NULL) {
            w->conn[i] = conn;
            return;
        }
    tern_tcp_abort(conn);
}

static inline void call_write(struct tern_conn *conn, uint8_t amount)
{
    static const uint8_t bytes[8192];
    const size_t len = amount * 32u;
    const ptrdiff_t n = tern_tcp_write(conn, bytes, len);

    TERN_ASSERT(n <= (ptrdiff_t)len);
    TERN_ASSERT(n != 0 || len == 0);
}

/* Of bytes that nobody ever changes, so that nobody need hear when they come back. */
static inline void call_lend(struct tern_conn *conn, uint8_t amount)
{
    static const uint8_t bytes[8192];
    const enum tern_err err = tern_tcp_lend(conn, bytes, amount * 32u, NULL);

    TERN_ASSERT((err == TERN_ERR_INVAL) == (amount == 0));
}

static inline void call_read(struct tern_conn *conn, uint8_t amount)
{
    uint8_t bytes[8192];
    struct tern_slice slice;
    const ptrdiff_t there = tern_tcp_peek(conn, &slice);
    const ptrdiff_t n = tern_tcp_read(conn, bytes, amount * 32u);

    TERN_ASSERT(amount == 0 || (n > 0) == (there > 0));
    TERN_ASSERT(there > 0 || amount == 0 || n == there);
}

static inline void call_urgent(struct tern_conn *conn, uint8_t amount)
{
    static const uint8_t bytes[2048];
    size_t ahead;
    uint8_t byte;

    if ((amount & 1) != 0)
        (void)!tern_tcp_write_urgent(conn, bytes, amount * 8u);
    if (tern_tcp_urgent_mark(conn, &ahead))
        (void)!tern_tcp_read_urgent(conn, &byte, (amount & 2) != 0);
    TERN_ASSERT(tern_tcp_unread(conn) <= 1 << 20);
}

static inline void call_set(struct tern_conn *conn, uint8_t how)
{
    static const char *const congestion[] = {"cubic", "reno", "bbr", NULL};
    struct tern_tcp_settings set;

    tern_tcp_settings(conn, &set);
    set.congestion = congestion[how & 3];
    set.nodelay = (how & 4) != 0;
    set.cork = (how & 8) != 0;
    set.quickack = (how & 16) != 0;
    set.mss_bytes = (how & 32) != 0 ? 300 : 0;
    set.readable_bytes = set.notsent_lowat_bytes = (how & 64) != 0 ? 2000 : 0;
    TERN_ASSERT(tern_tcp_set(conn, &set) == TERN_ERR_OK);
}

/* Looking at what came, piece by piece, and being done with some of it. */
static inline void call_look(struct tern_conn *conn, uint8_t amount)
{
    static uint8_t seen[TERN_FRAME_BYTES_MAX];
    struct tern_slice slice[4];
    const int n = tern_tcp_peekv_from(conn, amount & 15, slice, 4);
    size_t all = 0;

    for (int i = 0; i < n; i++) {
        TERN_ASSERT(slice[i].bytes > 0 && slice[i].bytes <= sizeof seen);
        memcpy(seen, slice[i].data, slice[i].bytes); /* they are there */
        all += slice[i].bytes;
    }
    if (all > 0)
        tern_tcp_skip(conn, (amount & 16) != 0 ? all : 1);
    tern_tcp_mark(conn, (amount & 1) != 0 ? TERN_TCP_MARK_MORE : TERN_TCP_MARK_RECORD);
    if (amount == 100)
        tern_tcp_shutdown_read(conn);
}

static inline void call_conn(struct world *w, struct tern_conn **at, uint8_t what, uint8_t amount)
{
    struct tern_tcp_info info;

    (void)w;
    if (*at == NULL)
        return;
    tern_tcp_info(*at, &info);
    switch (what) {
    case 0:
        call_write(*at, amount);
        break;
    case 1:
        call_read(*at, amount);
        break;
    case 2:
        tern_tcp_shutdown(*at);
        break;
    case 3:
        tern_tcp_close(*at);
        *at = NULL;
        break;
    default:
        if (amount > 128)
            call_lend(*at, (uint8_t)(amount - 129));
        else if (amount > 32 && what == 5)
            call_urgent(*at, amount);
        else if (amount > 32 && what == 6)
            call_set(*at, (uint8_t)(amount - 33));
        else if (amount > 32 && what == 7)
            call_look(*at, amount);
        if (amount > 32)
            break;
        tern_tcp_abort(*at);
        *at = NULL;
    }
}

static inline void call_open(struct world *w, uint8_t what, uint8_t amount)
{
    struct tern_tcp_options o = {.nodelay = (amount & 1) != 0, .settings = &w->settings};
    struct tern_conn *conn;

    switch (what & 3) {
    case 0:
        o.remote = (struct tern_endpoint){host(2 + (amount >> 6)), 1000};
        o.local.port = amount < 128 ? 5000 : 0;
        if (tern_tcp_connect(w->stack, &o, &conn) == TERN_ERR_OK)
            keep(w, conn);
        break;
    case 1:
        if (w->listener != NULL && tern_tcp_accept(w->listener, NULL, &conn) == TERN_ERR_OK)
            keep(w, conn);
        break;
    case 2:
        if (w->listener != NULL)
            tern_tcp_unlisten(w->listener);
        w->listener = NULL;
        break;
    default:
        o.local.port = 80;
        if (w->listener == NULL &&
            tern_tcp_listen(w->stack, &o, 1 + (amount >> 5), &w->listener) != TERN_ERR_OK)
            w->listener = NULL;
    }
}

static inline void call_datagram(struct world *w, uint8_t what, uint8_t amount)
{
    uint8_t bytes[4096];
    const struct tern_endpoint local = {host(1), 53};
    const struct tern_endpoint to = {amount > 250 ? host(255) : host(2 + (amount & 3)), 53};
    struct tern_endpoint from;
    struct tern_ping_reply reply;

    memset(bytes, amount, sizeof bytes);
    switch (what & 3) {
    case 0:
        if (w->udp != NULL)
            (void)!tern_udp_send(w->udp, &to, bytes, amount * 8u);
        break;
    case 1:
        while (w->udp != NULL && tern_udp_receive(w->udp, &from, bytes, amount) >= 0) {
        }
        while (tern_ping_receive(w->ping, &reply) == TERN_ERR_OK) {
        }
        break;
    case 2:
        (void)!tern_ping_send(w->ping, to.addr, amount, 64, amount * 40u);
        break;
    default:
        if (w->udp != NULL)
            tern_udp_close(w->udp);
        if (tern_udp_open(w->stack, &local, NULL, &w->udp) != TERN_ERR_OK)
            w->udp = NULL;
    }
}

static inline void call_world(struct world *w, uint8_t what, uint8_t amount)
{
    const struct tern_cidr own = {host(1), 24};
    const struct tern_cidr more = {tern_addr_v4(10, 0, 0, 3 + (amount & 3)), 24};

    switch (what & 7) {
    case 0:
        tern_stack_address_remove(w->stack, amount < 128 ? host(1) : more.addr);
        break;
    case 1:
        (void)!tern_stack_address_add(w->stack, amount < 128 ? &own : &more,
                                      (enum tern_claim)(amount % 3));
        break;
    case 2:
        tern_stack_gateway_set(w->stack, host(amount & 7));
        break;
    case 3:
        if (amount > 200)
            tern_stack_abort_all(w->stack);
        break;
    case 4:
        w->silent = amount < 128;
        break;
    case 5:
        w->ip_id++;
        break;
    case 6:
        (void)tern_stack_connections_unfinished(w->stack);
        break;
    default:
        w->lends = (amount & 1) != 0;
    }
}

static inline void call(struct world *w, struct tern_reader *in, uint8_t which)
{
    const uint8_t amount = tern_read_u8(in);

    switch (which >> 6) {
    case 0:
    case 1:
        call_conn(w, &w->conn[(which & 7) % CONNS_MAX], (which >> 3) & 7, amount);
        break;
    case 2:
        call_open(w, which, amount);
        break;
    default:
        if ((which & 32) != 0)
            call_datagram(w, which, amount);
        else
            call_world(w, which, amount);
    }
}

#endif
