/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * socket() of this program, in front of the C library's: dynamic linking finds it first, also for calls out of
 * libraries. It makes the promise "no kernel socket for any of it" hold whatever a library does,
 * for the threads that ask for it; the others (slirp's) are not touched.
 */
#include "apps/inet_guard.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <tern/err.h>

static _Thread_local bool guarded;

void tern_inet_guard(bool on)
{
    guarded = on;
}

TERN_EXPORT int socket(int domain, int type, int protocol)
{
    if (guarded && (domain == AF_INET || domain == AF_INET6)) {
        errno = EAFNOSUPPORT;
        return -1;
    }
    return (int)syscall(SYS_socket, domain, type, protocol);
}
