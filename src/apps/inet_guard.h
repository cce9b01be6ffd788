/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_APPS_INET_GUARD_H
#define TERN_APPS_INET_GUARD_H
/*
 * A thread whose libraries must not reach the kernel's Internet sockets. While its guard is on,
 * whoever calls:
 *   socket()   fails with EAFNOSUPPORT for AF_INET and AF_INET6 (libcurl probes for IPv6 so);
 *   connect()  of a Unix socket to an Internet address goes to the Unix address instead, and
 *              getpeername() says 127.0.0.1 port 1 for it.
 */
#include <sys/socket.h>
#include <sys/un.h>

/* Guard this thread; to is copied. NULL: connect() is left alone. */
void tern_inet_guard(const struct sockaddr_un *to, socklen_t to_bytes);
void tern_inet_unguard(void);

#endif
