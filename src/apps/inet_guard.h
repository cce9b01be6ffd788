/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_APPS_INET_GUARD_H
#define TERN_APPS_INET_GUARD_H
/*
 * A thread whose libraries must not reach the kernel's Internet sockets, but lanes instead
 * (apps/lane.h). While its guard is on, whoever calls:
 *   socket()       fails with EAFNOSUPPORT for AF_INET and AF_INET6 (libcurl probes for IPv6 so);
 *   connect()      of a lane's descriptor to an IPv4 address has succeeded already;
 *   getpeername()  of a lane's descriptor is 127.0.0.1, port 1;
 *   recv()         of a lane's descriptor reads the lane, and never blocks.
 */
#include "apps/lane.h"

void tern_inet_guard(void);
void tern_inet_unguard(void);

/* This thread reads the lane by this descriptor. Both are the guard's from now on.
 * TERN_ERR_MEMORY. */
TERN_NODISCARD enum tern_err tern_inet_guard_enter(int fd, struct tern_lane *lane);
/* close(2), for the descriptor of a lane or any other. */
int tern_inet_guard_close(int fd);

#endif
