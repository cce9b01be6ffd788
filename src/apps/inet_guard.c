/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * socket(), connect() and getpeername() of this program, in front of the C library's: dynamic
 * linking finds them first, also for calls out of libraries. The first makes the promise "no
 * kernel socket for any of it" hold whatever a library does; the second, with getpeername(), takes
 * libcurl to the SOCKS endpoint while it believes in an address of the Internet (with a Unix
 * address, libcurl 7.88 never uses a connection twice). Threads that do not ask for it, such as
 * slirp's, are not touched.
 */
#undef _GNU_SOURCE /* with it, connect() has a type that standard C cannot define */
#define _DEFAULT_SOURCE
#include "apps/inet_guard.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <tern/err.h>

static _Thread_local bool guarded;
static _Thread_local struct sockaddr_un divert_to;
static _Thread_local socklen_t divert_bytes;

void tern_inet_guard(const struct sockaddr_un *to, socklen_t to_bytes)
{
    guarded = true;
    divert_bytes = 0;
    if (to == NULL)
        return;
    divert_to = *to;
    divert_bytes = to_bytes;
}

void tern_inet_unguard(void)
{
    guarded = false;
}

TERN_EXPORT int socket(int domain, int type, int protocol)
{
    if (guarded && (domain == AF_INET || domain == AF_INET6)) {
        errno = EAFNOSUPPORT;
        return -1;
    }
    return (int)syscall(SYS_socket, domain, type, protocol);
}

static bool is_unix(int fd)
{
    int domain = 0;
    socklen_t bytes = sizeof domain;

    return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &bytes) == 0 && domain == AF_UNIX;
}

TERN_EXPORT int connect(int fd, const struct sockaddr *to, socklen_t bytes)
{
    if (guarded && divert_bytes > 0 && to->sa_family == AF_INET && is_unix(fd))
        return (int)syscall(SYS_connect, fd, &divert_to, divert_bytes);
    return (int)syscall(SYS_connect, fd, to, bytes);
}

/* libcurl takes a peer without a printable address for one whose name is still being resolved. */
TERN_EXPORT int getpeername(int fd, struct sockaddr *out, socklen_t *bytes)
{
    const struct sockaddr_in here = {
        .sin_family = AF_INET,
        .sin_port = htons(1),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };

    if (!guarded || divert_bytes == 0 || *bytes < (socklen_t)sizeof here || !is_unix(fd))
        return (int)syscall(SYS_getpeername, fd, out, bytes);
    memcpy(out, &here, sizeof here);
    *bytes = sizeof here;
    return 0;
}
