/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_APPS_SOCKS_H
#define TERN_APPS_SOCKS_H
/*
 * A SOCKS5 endpoint (RFC 1928; CONNECT, no authentication) whose connections are tern's. It lives
 * on the loop's thread and is driven by the loop's events. Its clients are
 *   others    by an abstract Unix socket: bytes go from tern's receive buffer into the socket;
 *   threads   of this process: they read the receive buffer itself, by a lane (apps/lane.h).
 * Backpressure works both ways, so a slow client closes TCP's window and delays no ACK.
 */
#include <sys/socket.h>
#include <sys/un.h>

#include <tern/tern.h>

#include "apps/dns.h"
#include "apps/lane.h"
#include "apps/socks_wire.h"

#define TERN_SOCKS_CONNECTIONS_MAX 64

/* What became of one CONNECT. Times are the loop's; TERN_TIME_NEVER: did not happen. */
struct tern_socks_outcome {
    uint64_t serial; /* 1, 2, 3 …: later requests have larger ones */
    char host[TERN_SOCKS_HOST_MAX];
    uint16_t port;
    enum tern_dns_result dns;
    enum tern_err err; /* what ended it, or kept it from being established; OK: nothing wrong */
    bool established;
    bool ended;
    struct tern_endpoint local, remote;
    tern_time asked_at, resolved_at, dialled_at, established_at, ended_at;
};

/* As --resolve: this host and port is that address, whatever DNS says. */
struct tern_socks_override {
    char *host;    /* "*": any */
    uint16_t port; /* 0: any */
    struct tern_addr addr;
    struct tern_socks_override *next;
};

struct tern_socks_options {
    struct tern_loop *loop;
    struct tern_dns *dns;
    const struct tern_socks_override *overrides; /* kept by the caller */
    bool listen;                                 /* make the abstract Unix socket */
    bool own_process_only;                       /* there, refuse clients of other processes */
    void (*say)(const char *line);               /* what happens, in words; may be NULL */
};

struct tern_socks;

/* TERN_ERR_SYSTEM (see errno), TERN_ERR_MEMORY. */
TERN_NODISCARD enum tern_err tern_socks_create(const struct tern_socks_options *options,
                                               struct tern_socks **out);
/* Clients are closed, their connections too (FIN, or RST where bytes were left unread). Destroy the
 * resolver before, so that no answer comes after. */
void tern_socks_destroy(struct tern_socks *socks);
/* Become a client: greeting, request and all that is to be sent go into *fd, and by the lane come
 * the replies and all that arrives. The lane is for one thread, which closes fd and gives the lane
 * back. Any thread. TERN_ERR_SYSTEM (see errno), TERN_ERR_MEMORY; TERN_ERR_CLOSED after
 * tern_socks_shut(). */
TERN_NODISCARD enum tern_err tern_socks_open(struct tern_socks *socks, int *fd,
                                             struct tern_lane **lane);
/* After each turn of the loop: what clients with a lane have read opens windows, what came for them
 * is put. True: they are told of it in the next turn, which must not sleep before. */
bool tern_socks_turn(struct tern_socks *socks);
/* Cut all lanes, and open no other: their threads may live on when the stack's memory goes. */
void tern_socks_shut(struct tern_socks *socks);
/* Where to connect to, with `listen`: fit for connect(2). Any thread. */
void tern_socks_address(const struct tern_socks *socks, struct sockaddr_un *out, socklen_t *bytes);
/* No client is connected. The loop's thread. */
bool tern_socks_idle(struct tern_socks *socks);
/* The newest request, or false: none whose serial is larger than `after`. Any thread. */
bool tern_socks_outcome(struct tern_socks *socks, uint64_t after, struct tern_socks_outcome *out);

#endif
