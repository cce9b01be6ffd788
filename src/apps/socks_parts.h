/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_APPS_SOCKS_PARTS_H
#define TERN_APPS_SOCKS_PARTS_H
/* Between the files of the SOCKS endpoint only. */
#include <pthread.h>

#include "apps/lane.h"
#include "apps/sink.h"
#include "apps/socks.h"

#define TERN_SOCKS_UP_BYTES 65536

enum tern_socks_state {
    TERN_SOCKS_FREE,
    TERN_SOCKS_GREETING,
    TERN_SOCKS_REQUEST,
    TERN_SOCKS_RESOLVING,
    TERN_SOCKS_DIALLING,
    TERN_SOCKS_PUMPING,
};

struct tern_socks_conn {
    struct tern_sink sink; /* first: events find the connection by it */
    struct tern_socks *socks;
    enum tern_socks_state state;
    int fd;                 /* the client */
    struct tern_lane *lane; /* where it reads; NULL: from its end of fd */
    uint64_t lane_words;    /* bytes of the lane that were no connection's */
    uint64_t lane_skipped;  /* bytes of the connection that it read, and that were given back */
    bool lane_unrung;       /* more was put on it, and its bell is still to be rung */
    uint32_t poll_bits;     /* what the loop watches it for now */
    struct tern_conn *conn;
    struct tern_dns_answer addresses;
    int address_next;
    struct tern_socks_outcome outcome;
    bool client_done;          /* its end of stream was passed on */
    bool client_gone;          /* it closed altogether: nothing more can be given to it */
    bool network_done;         /* the peer's end of stream was passed on */
    size_t up_first, up_bytes; /* bytes from the client that TCP had no room for yet */
    uint8_t up[TERN_SOCKS_UP_BYTES];
};

/* A client that this process opened. */
struct tern_socks_newcomer {
    struct tern_socks_newcomer *next;
    struct tern_lane *lane;
    int fd;
};

struct tern_socks {
    struct tern_socks_options options;
    int listen_fd;
    struct sockaddr_un address;
    socklen_t address_bytes;
    uint64_t serial;
    pthread_mutex_t lock;                  /* guards newest, newcomers, shut */
    struct tern_socks_outcome newest;      /* serial 0: none yet */
    struct tern_socks_newcomer *newcomers; /* under lock: clients of this process, not let in yet */
    bool shut;                             /* under lock: none comes any more */
    int conns_count;
    struct tern_socks_conn *conns[TERN_SOCKS_CONNECTIONS_MAX];
};

/* A client came; the fd, and the lane where there is one, are the connection's from now on. */
void tern_socks_conn_start(struct tern_socks_conn *c, struct tern_socks *socks, int fd,
                           struct tern_lane *lane);
/* Give everything back and make the slot free. err: why, for the outcome. */
void tern_socks_conn_end(struct tern_socks_conn *c, enum tern_err err);
/* Watch the client for these bits and no others; 0: for none. */
void tern_socks_conn_watch(struct tern_socks_conn *c, uint32_t poll_bits);
/* Publish what is known. */
void tern_socks_conn_tell(struct tern_socks_conn *c);
/* A slot is free again (called by tern_socks_conn_end). */
void tern_socks_released(struct tern_socks *socks);
void tern_socks_say(const struct tern_socks *socks, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The pump: bytes from the network to the client, and the other way. Both may end the connection.
 * */
void tern_socks_pump_down(struct tern_socks_conn *c);
void tern_socks_pump_up(struct tern_socks_conn *c);
/* Down, by the client's lane: TERN_ERR_AGAIN, or where all was put, 0 for the end of the stream or
 * why it ended. */
int tern_socks_lane_down(struct tern_socks_conn *c);
void tern_socks_lane_skip(struct tern_socks_conn *c); /* what it has read opens the window */
void tern_socks_pump_fd(struct tern_socks_conn *c, uint32_t poll_bits);
void tern_socks_pump_event(struct tern_socks_conn *c, uint32_t event_bits);

#endif
