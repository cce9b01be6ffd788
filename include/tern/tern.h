/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_TERN_H
#define TERN_TERN_H
/* The whole public API. */
#define TERN_VERSION "0.1.0"

#include <tern/addr.h>
#include <tern/cause.h>
#include <tern/drop.h>
#include <tern/err.h>
#include <tern/event.h>
#include <tern/link.h>
#include <tern/loop.h>
#include <tern/observe.h>
#include <tern/ping.h>
#include <tern/stack.h>
#include <tern/tcp.h>
#include <tern/time.h>
#include <tern/trace.h>
#include <tern/udp.h>

#endif
