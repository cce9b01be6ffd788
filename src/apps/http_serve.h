/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_APPS_HTTP_SERVE_H
#define TERN_APPS_HTTP_SERVE_H
/*
 * A server of files over HTTP/1.1: connections of somebody else's TCP, given by a small table of
 * calls, and a directory. One thread; nothing waits; time is an argument.
 */
#include <tern/addr.h>
#include <tern/err.h>
#include <tern/time.h>

#include "apps/http_answer.h"
#include "apps/http_blocks.h"
#include "base/list.h"

/* What a connection is to this module. All of them: from within the calls below. */
struct tern_http_io {
    /* The bytes that wait, without taking them: how many, 0 at the end of the stream,
     * TERN_ERR_AGAIN: none now, or why the connection is over. */
    ptrdiff_t (*peek)(void *conn, const uint8_t **data);
    void (*skip)(void *conn, size_t bytes);
    /* Queue bytes: how many were taken, TERN_ERR_AGAIN (a call of tern_http_conn_turn() follows
     * when there is room), or why the connection is over. */
    ptrdiff_t (*write)(void *conn, const void *data, size_t bytes);
    size_t (*space)(void *conn); /* what write() would take, about */
    /* Queue bytes that stand still until tern_http_server_back(loan) tells that they are free.
     * TERN_ERR_AGAIN: no more of them now. NULL: this TCP cannot. */
    enum tern_err (*lend)(void *conn, const void *data, size_t bytes, void *loan);
    /* What the peer has acknowledged so far, and what it has yet to. */
    void (*progress)(void *conn, uint64_t *acked, uint64_t *left);
    void (*shutdown)(void *conn); /* FIN after what was written */
    void (*close)(void *conn);    /* the same, and conn is not used again */
    void (*abort)(void *conn);    /* RST, and conn is not used again */
};

struct tern_http_limits {
    uint64_t connections;  /* at once; for more the idle give way. At most 100,000 */
    uint64_t requests;     /* a connection */
    uint64_t head_bytes;   /* of a request, at most TERN_HTTP_HEAD_MAX */
    uint64_t body_bytes;   /* of a request, read and thrown away */
    uint64_t rate_bytes;   /* a second, that a client must take on average; 0: any */
    tern_time head_time;   /* from a request's first byte (or the connection) to its end */
    tern_time idle_time;   /* between two requests */
    tern_time rate_time;   /* over which the rate is measured */
    tern_time linger_time; /* for the client's FIN after ours */
};
void tern_http_limits_defaults(struct tern_http_limits *limits);

/* What a connection waits for, and so how long it may. */
enum tern_http_wait {
    TERN_HTTP_WAIT_NONE,
    TERN_HTTP_WAIT_HEAD,
    TERN_HTTP_WAIT_IDLE,
    TERN_HTTP_WAIT_SEND,
    TERN_HTTP_WAIT_LINGER,
    TERN_HTTP_WAIT_COUNT
};

struct tern_http_server;

/* Bytes that the stack has: of a block, and for whom. The server's own. */
struct tern_http_loan {
    struct tern_list link; /* of the free ones */
    struct tern_http_block *block;
    struct tern_http_conn *conn;
    uint64_t serial; /* of the connection, whose place may be another's by now */
};

/* The server's own. */
struct tern_http_conn {
    struct tern_list link;    /* of the free ones, or of those that wait for the same */
    enum tern_http_wait wait; /* NONE: free */
    tern_time since;
    struct tern_http_server *server;
    void *io; /* what the table's calls get */
    struct tern_http_answer answer;
    size_t piece;        /* of the answer, that is being sent */
    uint64_t piece_done; /* bytes of it */
    uint64_t body_sent;  /* bytes of the body */
    uint64_t acked_then; /* when the wait began */
    uint64_t requests, serial;
    uint32_t loans; /* that are not back */
    bool answering, lingering, counted;
    char peer[TERN_ADDR_TEXT_MAX];
    struct tern_http_parser parser; /* last: long, and touched as far as it is used */
};

struct tern_http_server {
    struct tern_http_site site;
    struct tern_http_limits limits;
    const struct tern_http_io *io;
    /* A line for the access log; NULL: none is wanted. */
    void (*log)(void *user, const char *line, size_t bytes);
    void *log_user;
    tern_time now;
    bool ending;
    /* The rest is the server's own. */
    struct tern_http_conn *conn;
    uint32_t conn_count, served;
    struct tern_list free, waiting[TERN_HTTP_WAIT_COUNT];
    struct tern_http_text line;
    uint8_t *scratch; /* of a file, on its way */
    uint64_t serials;
    struct tern_http_blocks blocks;
    struct tern_http_loan *loan;
    struct tern_list loans_free;
};

/* site: set up by the caller, moved in. False: out of memory (then site is still the caller's). */
bool tern_http_server_init(struct tern_http_server *s, const struct tern_http_site *site,
                           const struct tern_http_limits *limits, const struct tern_http_io *io);
/* All connections are ended now, and no call follows but fini. What was lent stays where it is
 * until then. */
void tern_http_server_close(struct tern_http_server *s);
void tern_http_server_fini(struct tern_http_server *s);
/* A turn begins: the clock, and Unix time in seconds. */
void tern_http_server_clock(struct tern_http_server *s, tern_time now, int64_t wall);
/* May a connection be brought? */
bool tern_http_server_has_room(const struct tern_http_server *s);
/* A connection that was accepted; the caller calls tern_http_conn_turn() at once and whenever
 * something moved on it: bytes came, there is room, or all is acknowledged. There must be room.
 * Where all places are taken, one that is not being answered is ended for it. */
struct tern_http_conn *tern_http_conn_open(struct tern_http_server *s, void *io,
                                           struct tern_addr peer);
/* Read, answer, write, as far as it goes. The connection may be over afterwards. */
void tern_http_conn_turn(struct tern_http_conn *c);
/* Bytes that were lent are free again. */
void tern_http_server_back(struct tern_http_server *s, void *loan);
/* When tern_http_server_expire() wants to be called; TERN_TIME_NEVER. */
tern_time tern_http_server_deadline(const struct tern_http_server *s);
void tern_http_server_expire(struct tern_http_server *s);
/* The server ends: connections without a request are closed, the others after their answer. */
void tern_http_server_end(struct tern_http_server *s);
/* Connections that an answer is being sent to. */
uint32_t tern_http_server_busy(const struct tern_http_server *s);

#endif
