/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_APPS_INET_GUARD_H
#define TERN_APPS_INET_GUARD_H
/*
 * A thread that must not open kernel sockets of the Internet: while its guard is on, socket() fails with
 * EAFNOSUPPORT for AF_INET and AF_INET6, whoever calls it (libcurl probes for IPv6 so).
 */
#include <stdbool.h>

void tern_inet_guard(bool on);

#endif
