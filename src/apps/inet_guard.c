/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * socket(), connect(), getpeername() and recv() of this program, in front of the C library's:
 * dynamic linking finds them first, also for calls out of libraries. The first makes the promise
 * "no kernel socket for any of it" hold whatever a library does; connect() and getpeername() let
 * libcurl believe in an address of the Internet (with a Unix address, libcurl 7.88 never uses a
 * connection twice); recv() takes what the stack's thread has put, without a copy through the
 * kernel. Threads that do not ask for it, such as slirp's, are not touched.
 */
#undef _GNU_SOURCE /* with it, connect() has a type that standard C cannot define */
#define _DEFAULT_SOURCE
#include "apps/inet_guard.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <tern/err.h>

/* Few: as many as libcurl keeps connections. */
struct entry {
    struct entry *next;
    struct tern_lane *lane;
    int fd;
};

static _Thread_local bool guarded;
static _Thread_local struct entry *entries;

void tern_inet_guard(void)
{
    guarded = true;
}

void tern_inet_unguard(void)
{
    guarded = false;
}

/* Where the entry of this descriptor hangs; *NULL: there is none. */
static struct entry **find(int fd)
{
    struct entry **at = &entries;

    while (*at != NULL && (*at)->fd != fd)
        at = &(*at)->next;
    return at;
}

static struct tern_lane *lane_of(int fd)
{
    const struct entry *entry = guarded ? *find(fd) : NULL;

    return entry != NULL ? entry->lane : NULL;
}

enum tern_err tern_inet_guard_enter(int fd, struct tern_lane *lane)
{
    struct entry *entry = malloc(sizeof *entry);

    if (entry == NULL)
        return TERN_ERR_MEMORY;
    *entry = (struct entry){.next = entries, .lane = lane, .fd = fd};
    entries = entry;
    return TERN_ERR_OK;
}

int tern_inet_guard_close(int fd)
{
    struct entry **at = find(fd);
    struct entry *entry = *at;

    if (entry != NULL) {
        *at = entry->next;
        tern_lane_give(entry->lane);
        free(entry);
    }
    return close(fd);
}

TERN_EXPORT int socket(int domain, int type, int protocol)
{
    if (guarded && (domain == AF_INET || domain == AF_INET6)) {
        errno = EAFNOSUPPORT;
        return -1;
    }
    return (int)syscall(SYS_socket, domain, type, protocol);
}

TERN_EXPORT int connect(int fd, const struct sockaddr *to, socklen_t bytes)
{
    if (lane_of(fd) != NULL && to->sa_family == AF_INET)
        return 0;
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

    if (lane_of(fd) == NULL || *bytes < (socklen_t)sizeof here)
        return (int)syscall(SYS_getpeername, fd, out, bytes);
    memcpy(out, &here, sizeof here);
    *bytes = sizeof here;
    return 0;
}

TERN_EXPORT ssize_t recv(int fd, void *data, size_t bytes, int flags)
{
    struct tern_lane *lane = lane_of(fd);

    if (lane != NULL)
        return tern_lane_read(lane, data, bytes, flags);
    return recvfrom(fd, data, bytes, flags, NULL, NULL);
}
