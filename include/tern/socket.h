/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_SOCKET_H
#define TERN_SOCKET_H
/*
 * Sockets: the calls of socket(2) over a stack, with Linux's names, options, errno values and
 * semantics. A table of sockets belongs to one stack and one thread; whoever has more threads puts
 * a lock around it. Not part of tern.h, since it includes the system's headers.
 *
 * The calls are libc's with `tern_` in front and the table as their first argument; they
 * return -1 and set errno. None raises SIGPIPE: a write after the end is EPIPE. What they give the
 * stack to send leaves with the next turn of the loop (tern_process(), tern_loop_run()).
 *
 * A descriptor is a number of the table's, or of the caller's (the hook fd_new): so an interposer
 * gives each socket a real descriptor.
 *
 * Blocking. A call on a socket without O_NONBLOCK asks the hook `wait` to let time pass until it
 * can go on; without that hook it fails with EAGAIN (connect: EINPROGRESS), as if O_NONBLOCK were
 * set.
 *
 * Not offered: dup, MSG_ERRQUEUE, MSG_ZEROCOPY, SO_TIMESTAMPING, an epoll in an epoll, IPv6 but for
 * mapped addresses (::ffff:a.b.c.d) on AF_INET6 sockets. Pointers are trusted, but NULL with a
 * length is EFAULT.
 */
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <tern/event.h>
#include <tern/time.h>

#ifdef __cplusplus
extern "C" {
#endif

struct tern_sockets;

struct tern_sockets_config {
    struct tern_stack *stack;
    uint32_t sockets_max; /* sockets and epolls, together */
    uint32_t watches_max; /* sockets in all epolls, together */
    int fd_first;         /* without fd_new: the lowest number given out */
    /* What TCP sockets begin with, kept and looked at by each tern_socket(); NULL: the defaults.
     * The note is the sockets' own. */
    const struct tern_tcp_settings *settings;
    void *arg; /* comes back as the first argument of each hook */
    /* A descriptor for a new socket, not in use; or -1, with errno set. NULL: the lowest free
     * number from fd_first on. */
    int (*fd_new)(void *arg);
    /* The socket of this descriptor is closed. NULL: nothing to do. */
    void (*fd_free)(void *arg, int fd);
    /* The clock of the stack. NULL: there is none, and time limits never run out. */
    tern_time (*now)(void *arg);
    /*
     * Return once the stack may have events, and at `until` (TERN_TIME_NEVER: no limit) at the
     * latest; too early is fine. Runs the loop, or sleeps until another thread has. Other calls of
     * this table may be made meanwhile. Returns 0, or an errno value that ends the call (EINTR).
     */
    int (*wait)(void *arg, tern_time until);
    /* What poll says of this descriptor may have changed, or it stayed and more came: bits are
     * what tern_sockets_ready() returns now. May call tern_sockets_ready(), nothing else. */
    void (*changed)(void *arg, int fd, uint32_t bits);
    /* Events of the stack that belong to no socket here. NULL: they are lost. */
    void (*event)(void *arg, const struct tern_event *event);
};

/* Zeroes all, and sets room for 256 sockets and as many watches, and 3 as the first descriptor. */
TERN_EXPORT void tern_sockets_config_defaults(struct tern_sockets_config *config);
/* The memory that a table needs. */
TERN_EXPORT size_t tern_sockets_bytes(const struct tern_sockets_config *config);
/* Lay a table out in memory that the caller brings: at least tern_sockets_bytes(), aligned to 64
 * bytes. TERN_ERR_INVAL: no stack, or no room for a socket; TERN_ERR_MEMORY: too few bytes. */
TERN_EXPORT TERN_NODISCARD enum tern_err tern_sockets_init(void *memory, size_t bytes,
                                                           const struct tern_sockets_config *config,
                                                           struct tern_sockets **out);
/* Close every socket as tern_close() does, without lingering. */
TERN_EXPORT void tern_sockets_fini(struct tern_sockets *sockets);

/* Take all events of the stack and bring the sockets up to date: after each turn of the loop, from
 * outside it. A call that blocks does it by itself. Returns the number of events taken. */
TERN_EXPORT uint32_t tern_sockets_pump(struct tern_sockets *sockets);

/* What poll(2) would say with every bit asked for; POLLNVAL: no socket of this table. */
TERN_EXPORT uint32_t tern_sockets_ready(const struct tern_sockets *sockets, int fd);
/* The connection of a socket, for tern_tcp_info() and its like; NULL: it has none. */
TERN_EXPORT struct tern_conn *tern_sockets_conn(const struct tern_sockets *sockets, int fd);
/* Walk every structure and assert that it is sound. For tests. */
TERN_EXPORT void tern_sockets_check(const struct tern_sockets *sockets);

/* domain AF_INET or AF_INET6; type SOCK_STREAM or SOCK_DGRAM, with SOCK_NONBLOCK and
 * SOCK_CLOEXEC. */
TERN_EXPORT int tern_socket(struct tern_sockets *sockets, int domain, int type, int protocol);
TERN_EXPORT int tern_bind(struct tern_sockets *sockets, int fd, const struct sockaddr *address,
                          socklen_t bytes);
TERN_EXPORT int tern_listen(struct tern_sockets *sockets, int fd, int backlog);
TERN_EXPORT int tern_accept(struct tern_sockets *sockets, int fd, struct sockaddr *address,
                            socklen_t *bytes);
TERN_EXPORT int tern_accept4(struct tern_sockets *sockets, int fd, struct sockaddr *address,
                             socklen_t *bytes, int flags);
/* AF_UNSPEC: give the connection up; the socket can be used again, and this is the only way after a
 * failed attempt that was shut down before its end was told. */
TERN_EXPORT int tern_connect(struct tern_sockets *sockets, int fd, const struct sockaddr *address,
                             socklen_t bytes);
TERN_EXPORT int tern_getsockname(struct tern_sockets *sockets, int fd, struct sockaddr *address,
                                 socklen_t *bytes);
TERN_EXPORT int tern_getpeername(struct tern_sockets *sockets, int fd, struct sockaddr *address,
                                 socklen_t *bytes);
/* Both directions: text that still comes is answered by a reset, and ends the connection. SHUT_RD
 * alone changes nothing on the wire. */
TERN_EXPORT int tern_shutdown(struct tern_sockets *sockets, int fd, int how);
/* With SO_LINGER it may wait; the descriptor is gone whatever it returns. */
TERN_EXPORT int tern_close(struct tern_sockets *sockets, int fd);

TERN_EXPORT ssize_t tern_read(struct tern_sockets *sockets, int fd, void *data, size_t bytes);
TERN_EXPORT ssize_t tern_readv(struct tern_sockets *sockets, int fd, const struct iovec *parts,
                               int count);
TERN_EXPORT ssize_t tern_recv(struct tern_sockets *sockets, int fd, void *data, size_t bytes,
                              int flags);
TERN_EXPORT ssize_t tern_recvfrom(struct tern_sockets *sockets, int fd, void *data, size_t bytes,
                                  int flags, struct sockaddr *from, socklen_t *from_bytes);
TERN_EXPORT ssize_t tern_recvmsg(struct tern_sockets *sockets, int fd, struct msghdr *message,
                                 int flags);
TERN_EXPORT ssize_t tern_write(struct tern_sockets *sockets, int fd, const void *data,
                               size_t bytes);
TERN_EXPORT ssize_t tern_writev(struct tern_sockets *sockets, int fd, const struct iovec *parts,
                                int count);
TERN_EXPORT ssize_t tern_send(struct tern_sockets *sockets, int fd, const void *data, size_t bytes,
                              int flags);
TERN_EXPORT ssize_t tern_sendto(struct tern_sockets *sockets, int fd, const void *data,
                                size_t bytes, int flags, const struct sockaddr *to,
                                socklen_t to_bytes);
TERN_EXPORT ssize_t tern_sendmsg(struct tern_sockets *sockets, int fd, const struct msghdr *message,
                                 int flags);

/* Linux's levels, names and value layouts: SOL_SOCKET, IPPROTO_IP, IPPROTO_IPV6, IPPROTO_TCP. The
 * table of those known is in tern-socket(3). */
TERN_EXPORT int tern_setsockopt(struct tern_sockets *sockets, int fd, int level, int name,
                                const void *value, socklen_t bytes);
TERN_EXPORT int tern_getsockopt(struct tern_sockets *sockets, int fd, int level, int name,
                                void *value, socklen_t *bytes);

/* F_GETFL, F_SETFL, F_GETFD, F_SETFD. */
TERN_EXPORT int tern_fcntl(struct tern_sockets *sockets, int fd, int command, long argument);
/* FIONREAD (SIOCINQ), TIOCOUTQ (SIOCOUTQ), SIOCOUTQNSD, SIOCATMARK, FIONBIO. */
TERN_EXPORT int tern_ioctl(struct tern_sockets *sockets, int fd, unsigned long request,
                           void *argument);

/* Descriptors that are not of this table come back with POLLNVAL. */
TERN_EXPORT int tern_poll(struct tern_sockets *sockets, struct pollfd *polled, nfds_t count,
                          int timeout_ms);
TERN_EXPORT int tern_epoll_create(struct tern_sockets *sockets, int flags);
/* EPOLLET, EPOLLONESHOT; EPOLLEXCLUSIVE and EPOLLWAKEUP are taken and change nothing. */
TERN_EXPORT int tern_epoll_ctl(struct tern_sockets *sockets, int epoll, int operation, int fd,
                               struct epoll_event *event);
TERN_EXPORT int tern_epoll_wait(struct tern_sockets *sockets, int epoll, struct epoll_event *events,
                                int events_max, int timeout_ms);

#ifdef __cplusplus
}
#endif
#endif
