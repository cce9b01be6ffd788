/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_TESTS_FAIL_FAULTS_LIST_H
#define TERN_TESTS_FAIL_FAULTS_LIST_H
/*
 * The calls that can be made to fail: X(result type, function, parameters, arguments, what it
 * returns then, errors). The errors are what the call is known to fail with; a flavour beyond their
 * number takes them round. meson.build has the same names for the linker, which complains where the
 * two differ.
 *
 * FAULT_SHORT: instead of failing, the call does less than asked. FAULT_BACK, FAULT_AHEAD and
 * FAULT_STILL: the clock shows a second less, an hour more, or what it showed before.
 */
#define FAULT_CALLS(X)                                                                             \
    X(void *, malloc, (size_t a), (a), NULL, ENOMEM)                                               \
    X(void *, calloc, (size_t a, size_t b), (a, b), NULL, ENOMEM)                                  \
    X(void *, aligned_alloc, (size_t a, size_t b), (a, b), NULL, ENOMEM)                           \
    X(char *, strdup, (const char *a), (a), NULL, ENOMEM)                                          \
    X(void *, mmap64, (void *a, size_t b, int c, int d, int e, off64_t f), (a, b, c, d, e, f),     \
      MAP_FAILED, ENOMEM)                                                                          \
    X(int, socket, (int a, int b, int c), (a, b, c), -1, EMFILE, ENOBUFS)                          \
    X(int, socketpair, (int a, int b, int c, int *d), (a, b, c, d), -1, EMFILE)                    \
    X(int, bind, (int a, const struct sockaddr *b, socklen_t c), (a, b, c), -1, EADDRINUSE,        \
      ENOMEM)                                                                                      \
    X(int, listen, (int a, int b), (a, b), -1, EADDRINUSE)                                         \
    X(int, accept4, (int a, struct sockaddr *b, socklen_t *c, int d), (a, b, c, d), -1, EMFILE,    \
      ECONNABORTED, EINTR)                                                                         \
    X(int, setsockopt, (int a, int b, int c, const void *d, socklen_t e), (a, b, c, d, e), -1,     \
      ENOMEM, ENOBUFS)                                                                             \
    X(int, getsockopt, (int a, int b, int c, void *d, socklen_t *e), (a, b, c, d, e), -1, ENOBUFS) \
    X(int, ioctl, (int a, unsigned long b, void *c), (a, b, c), -1, ENODEV, EIO)                   \
    X(int, shutdown, (int a, int b), (a, b), -1, ENOTCONN)                                         \
    X(int, open64, (const char *a, int b, unsigned c), (a, b, c), -1, EMFILE, EACCES)              \
    X(int, access, (const char *a, int b), (a, b), -1, EACCES)                                     \
    X(int, fcntl64, (int a, int b, long c), (a, b, c), -1, EMFILE, EINVAL)                         \
    X(int, ftruncate64, (int a, off64_t b), (a, b), -1, EIO)                                       \
    X(int, fchmod, (int a, unsigned b), (a, b), -1, EPERM)                                         \
    X(int, pipe2, (int *a, int b), (a, b), -1, EMFILE)                                             \
    X(int, dup2, (int a, int b), (a, b), -1, EMFILE)                                               \
    X(ssize_t, recvmsg, (int a, struct msghdr *b, int c), (a, b, c), -1, EINTR, EAGAIN,            \
      ECONNRESET)                                                                                  \
    X(ssize_t, sendmsg, (int a, const struct msghdr *b, int c), (a, b, c), -1, EINTR, EAGAIN,      \
      EPIPE)                                                                                       \
    X(ssize_t, writev, (int a, const struct iovec *b, int c), (a, b, c), -1, EAGAIN, EINTR, EIO,   \
      EBADFD)                                                                                      \
    X(int, epoll_create1, (int a), (a), -1, EMFILE, ENOMEM)                                        \
    X(int, epoll_ctl, (int a, int b, int c, struct epoll_event *d), (a, b, c, d), -1, ENOMEM,      \
      ENOSPC)                                                                                      \
    X(int, eventfd, (unsigned a, int b), (a, b), -1, EMFILE)                                       \
    X(int, poll, (struct pollfd * a, nfds_t b, int c), (a, b, c), -1, EINTR, ENOMEM)               \
    X(pid_t, fork, (void), (), -1, EAGAIN)                                                         \
    X(pid_t, waitpid, (pid_t a, int *b, int c), (a, b, c), -1, EINTR, ECHILD)                      \
    X(int, kill, (pid_t a, int b), (a, b), -1, ESRCH)                                              \
    X(int, setpgid, (pid_t a, pid_t b), (a, b), -1, EPERM)                                         \
    X(int, prctl, (int a, unsigned long b, unsigned long c, unsigned long d, unsigned long e),     \
      (a, b, c, d, e), -1, EINVAL)                                                                 \
    X(int, getpriority, (int a, unsigned b), (a, b), -1, ESRCH)                                    \
    X(int, sched_getaffinity, (pid_t a, size_t b, void *c), (a, b, c), -1, ENOSYS)                 \
    X(long, syscall, (long a, long b, long c, long d, long e, long f, long g),                     \
      (a, b, c, d, e, f, g), -1, ENOSYS)                                                           \
    X(int, unshare, (int a), (a), -1, EPERM, ENOSPC)                                               \
    X(int, setns, (int a, int b), (a, b), -1, EPERM)                                               \
    X(ssize_t, getrandom, (void *a, size_t b, unsigned c), (a, b, c), -1, ENOSYS, EINTR)           \
    X(struct mnl_socket *, mnl_socket_open2, (int a, int b), (a, b), NULL, EMFILE)                 \
    X(int, mnl_socket_bind, (struct mnl_socket * a, unsigned b, pid_t c), (a, b, c), -1, ENOMEM)   \
    X(ssize_t, mnl_socket_sendto, (const struct mnl_socket *a, const void *b, size_t c),           \
      (a, b, c), -1, ENOBUFS)                                                                      \
    X(ssize_t, mnl_socket_recvfrom, (const struct mnl_socket *a, void *b, size_t c), (a, b, c),    \
      -1, ENOBUFS, EINTR)                                                                          \
    X(struct Slirp *, slirp_new, (const void *a, const void *b, void *c), (a, b, c), NULL, ENOMEM)

/* The same, where failing is not all: faults.c has their bodies. X(function, errors). */
#define FAULT_CALLS_OWN(X)                                                                         \
    X(realloc, ENOMEM)                                                                             \
    X(read, EINTR, EIO, EAGAIN, FAULT_SHORT)                                                       \
    X(write, ENOSPC, EINTR, EAGAIN, FAULT_SHORT)                                                   \
    X(recv, EINTR, EAGAIN, ECONNRESET, FAULT_SHORT)                                                \
    X(send, EINTR, EAGAIN, EPIPE, FAULT_SHORT)                                                     \
    X(sendmmsg, EAGAIN, ENETDOWN, EMSGSIZE, EINTR, FAULT_SHORT)                                    \
    X(epoll_wait, EINTR)                                                                           \
    X(epoll_pwait2, EINTR, ENOSYS)                                                                 \
    X(clock_gettime, EINVAL, FAULT_BACK, FAULT_AHEAD, FAULT_STILL)

#endif
