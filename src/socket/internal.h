/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_SOCKET_INTERNAL_H
#define TERN_SOCKET_INTERNAL_H
/*
 * The socket layer's own structures, and what its files call of each other. Nobody outside
 * src/socket includes this.
 *
 * A socket is a slot of a pool, found by its descriptor. It remembers only what the stack does not:
 * Linux's idea of being connected, what was shut down, an error not yet told, options. All else is
 * asked of the connection when a call needs it, so that there is one truth.
 */
#include <errno.h>

#include "base/assert.h"
#include "base/list.h"
#include "base/pool.h"
#include "base/table.h"
#include <tern/socket.h>
#include <tern/tcp.h>
#include <tern/udp.h>

#define TERN_SOCK_BACKLOG_MAX 4096 /* Linux's somaxconn */

enum tern_sock_kind {
    TERN_SOCK_STREAM,
    TERN_SOCK_DGRAM,
    TERN_SOCK_EPOLL,
};

/* What connect() goes by, in Linux's words. */
enum tern_sock_phase {
    TERN_SOCK_UNCONNECTED,
    TERN_SOCK_CONNECTING,
    TERN_SOCK_CONNECTED,
    TERN_SOCK_DISCONNECTING, /* shut down before connect() had told its end: only AF_UNSPEC helps */
};

/* Bits of tern_sock.shut */
enum {
    TERN_SHUT_READ = 1u << 0,
    TERN_SHUT_WRITE = 1u << 1,
};

/* Options that the stack does not keep. Times: 0 is no limit. */
struct tern_sock_options {
    bool reuse_address, reuse_port, broadcast, v6only, recv_inq, recv_error, freebind;
    bool fastopen_connect;
    int priority, mark;
    int receive_buffer, send_buffer; /* as set, doubled; 0: not set */
    int read_lowat;
    int linger2, defer_accept, mtu_discover, fastopen_queue;
    tern_time read_timeout, write_timeout;
};

struct tern_sock {
    struct tern_sockets *table;
    struct tern_table_node by_fd, by_port;
    struct tern_list watches; /* struct tern_watch, of the epolls that watch this */
    uint32_t serial;          /* of this use of the slot: see wait.c */
    int fd;
    enum tern_sock_kind kind;
    bool nonblock, cloexec, closing;

    /* stream and dgram */
    int domain;
    enum tern_sock_phase phase;
    unsigned shut; /* TERN_SHUT_… by our own hand */
    int error;     /* errno value not yet told */
    bool ended;    /* the connection's end was noticed, and its reason taken into error */
    bool deferred; /* connect() returned, and the SYN waits for data (RFC 7413 §4.2) */
    bool full;     /* a write found no room, and the event that there is some has not come */
    bool port_held, port_bound, address_bound; /* in ports; by bind() */
    struct tern_endpoint local, remote;
    struct tern_conn *conn;
    struct tern_listener *listener;
    struct tern_udp_socket *udp;
    struct tern_tcp_settings set; /* while there is neither conn nor listener */
    struct tern_sock_options opt;

    /* epoll */
    struct tern_list members, ready; /* struct tern_watch */
    uint32_t ready_count;
};

struct tern_watch {
    struct tern_list of_sock, of_epoll, ready;
    struct tern_sock *sock, *epoll;
    uint32_t events;
    epoll_data_t data;
};

struct tern_sockets {
    struct tern_sockets_config config;
    struct tern_pool socks, watches;
    struct tern_table fds, ports;
    uint64_t *numbers; /* a bit for each of the table's own numbers that is taken */
    uint32_t serial_next;
};

/* A call that may block: what it waits for, and until when. */
struct tern_wait {
    struct tern_sockets *table;
    struct tern_sock *sock; /* NULL: a call on no socket in particular */
    uint32_t serial;
    bool now_or_never;
    tern_time until;
};

/* A message on its way in or out: the caller's buffers, and how far they are used. */
struct tern_message {
    const struct iovec *parts;
    size_t count;
    size_t bytes;         /* of all parts */
    size_t part, offset;  /* the next byte */
    int flags, out_flags; /* MSG_… */
    struct sockaddr *name;
    socklen_t name_bytes;
    void *control;
    size_t control_bytes;
};

/* Set errno; -1. */
static inline int tern_sock_fail(int error)
{
    errno = error;
    return -1;
}

/* table.c */
struct tern_sock *tern_sock_find(const struct tern_sockets *t, int fd); /* any kind, or NULL */
/* A socket, not an epoll; NULL: errno says EBADF or ENOTSOCK. Its error is brought up to date. */
struct tern_sock *tern_sock_get(struct tern_sockets *t, int fd);
struct tern_sock *tern_sock_new(struct tern_sockets *t, enum tern_sock_kind kind); /* NULL: errno */
void tern_sock_free(struct tern_sock *s);
tern_time tern_sock_now(const struct tern_sockets *t);

/* wait.c. timeout 0: no limit */
void tern_wait_begin(struct tern_wait *w, struct tern_sock *s, bool now_or_never,
                     tern_time timeout);
void tern_wait_begin_any(struct tern_wait *w, struct tern_sockets *t, int timeout_ms);
/* Let time pass; true: try again. false: errno is EAGAIN, EINTR and its like, or EBADF where the
 * socket was closed meanwhile. */
bool tern_wait_more(struct tern_wait *w);

/* state.c: what is true of a socket now */
enum tern_tcp_state tern_sock_state(const struct tern_sock *s); /* as Linux has it: no TIME-WAIT */
/* SYN-SENT or SYN-RECEIVED; but one that was accepted by its SYN's cookie (RFC 7413) is open. */
bool tern_sock_is_connecting(const struct tern_sock *s);
bool tern_sock_read_is_shut(const struct tern_sock *s);
bool tern_sock_write_is_shut(const struct tern_sock *s);
/* Of a socket with a connection: all bytes that came and were not read past, an urgent one among
 * them; and is there an urgent byte out of the stream, here or announced? So many bytes ahead. */
uint64_t tern_sock_unread(const struct tern_sock *s);
bool tern_sock_mark_ahead(const struct tern_sock *s, uint64_t *bytes);
void tern_sock_refresh(struct tern_sock *s);   /* take the reason of an end into error */
int tern_sock_take_error(struct tern_sock *s); /* the error, told now; 0: none */
int tern_sock_errno(enum tern_err err);
uint32_t tern_sock_poll(const struct tern_sock *s); /* POLL… bits, all that are true */
/* Tell epolls and the hook. key: the bits that came, 0: all may have changed. */
void tern_sock_changed(struct tern_sock *s, uint32_t key);
void tern_sock_told(struct tern_sock *s); /* the hook alone: something was taken away */

/* name.c */
/* The endpoint in an address of the caller's; false: errno. */
bool tern_sock_name_in(const struct tern_sock *s, const struct sockaddr *address, socklen_t bytes,
                       struct tern_endpoint *out);
/* AF_UNSPEC, in either form of address. */
bool tern_sock_is_unspecified(const struct sockaddr *address, socklen_t bytes);
/* The same, where an AF_INET socket takes AF_UNSPEC for its own family. */
bool tern_sock_name_in_of_old(const struct tern_sock *s, const struct sockaddr *address,
                              socklen_t bytes, struct tern_endpoint *out);
/* Give an endpoint in the family of the socket, cut to *bytes. address may be NULL. */
void tern_sock_name_out(const struct tern_sock *s, const struct tern_endpoint *e,
                        struct sockaddr *address, socklen_t *bytes);

/* bind.c */
int tern_sock_bind(struct tern_sock *s, const struct tern_endpoint *local);
int tern_sock_autobind(struct tern_sock *s); /* a port, if there is none yet */
void tern_sock_hold_port(struct tern_sock *s, uint16_t port);
void tern_sock_drop_port(struct tern_sock *s);

/* connect.c */
/* What connect() does; in_send: sendmsg() does it, with data to come (MSG_FASTOPEN). */
int tern_sock_connect(struct tern_sock *s, const struct tern_endpoint *to, bool now_or_never,
                      bool in_send);
void tern_sock_disconnect(struct tern_sock *s);

/* close.c */
void tern_sock_close(struct tern_sock *s, bool linger);

/* message.c */
void tern_message_rewind(struct tern_message *m);
/* The next piece of the caller's memory, at most max bytes; 0: none left. Moves on behind it. */
size_t tern_message_next(struct tern_message *m, size_t max, uint8_t **piece);
void tern_message_put(struct tern_message *m, const uint8_t *data, size_t bytes);
size_t tern_message_room(const struct tern_message *m);

/* stream_in.c, stream_out.c, dgram.c */
ssize_t tern_stream_receive(struct tern_sock *s, struct tern_message *m);
ssize_t tern_stream_send(struct tern_sock *s, struct tern_message *m);
ssize_t tern_dgram_receive(struct tern_sock *s, struct tern_message *m);
ssize_t tern_dgram_send(struct tern_sock *s, struct tern_message *m);
int tern_dgram_connect(struct tern_sock *s, const struct tern_endpoint *to);
void tern_dgram_refresh(struct tern_sock *s); /* take an ICMP error into error */
bool tern_dgram_waits(const struct tern_sock *s);
size_t tern_dgram_bytes(const struct tern_sock *s); /* of the next datagram; 0: none */

/* epoll.c */
void tern_epoll_wake(struct tern_sock *s, uint32_t key); /* those that watch it */
uint32_t tern_epoll_poll(const struct tern_sock *epoll);
void tern_epoll_forget(struct tern_sock *s); /* all watches on it, and of it */

/* options.c: TCP settings of whatever the socket is now */
void tern_sock_settings(const struct tern_sock *s, struct tern_tcp_settings *out);
int tern_sock_set(struct tern_sock *s,
                  const struct tern_tcp_settings *set); /* 0 or an errno value */

/*
 * Options: a table for each level, of which options.c makes setsockopt and getsockopt. What is not
 * in a table is ENOPROTOOPT.
 */
enum tern_option_kind {
    TERN_OPTION_CUSTOM, /* set and get, or their raw forms; one that lacks: ENOPROTOOPT */
    TERN_OPTION_FLAG,   /* bool in tern_sock_options */
    TERN_OPTION_INT,    /* int there */
    TERN_OPTION_BOOL,   /* bool in tern_tcp_settings */
    TERN_OPTION_U8,     /* the rest there as well */
    TERN_OPTION_U32,
    TERN_OPTION_SECONDS, /* a tern_time */
    TERN_OPTION_MS,
};

struct tern_option {
    int name;
    enum tern_option_kind kind;
    size_t offset;
    int min, max;                               /* beyond: EINVAL; both 0: any */
    int usual;                                  /* what the stack does where the setting is 0 */
    int (*set)(struct tern_sock *s, int value); /* 0 or an errno value */
    int (*get)(const struct tern_sock *s, int *value);
    int (*set_raw)(struct tern_sock *s, const void *value, socklen_t bytes);
    int (*get_raw)(struct tern_sock *s, void *value, socklen_t *bytes);
};

struct tern_options {
    const struct tern_option *option;
    size_t count;
};

extern const struct tern_options tern_options_socket, tern_options_ip, tern_options_ip6,
    tern_options_tcp;

/* Copy a value out as Linux does, cut to the room there is. */
int tern_option_give(const void *from, size_t whole, void *value, socklen_t *bytes);

/* SO_LINGER: kept as the note of the settings, so that a connection has it as its listener had when
 * the handshake was made. */
struct linger tern_sock_linger(const struct tern_sock *s);

/* tcp_info.c */
int tern_sock_tcp_info(struct tern_sock *s, void *value, socklen_t *bytes);

#endif
