/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_APPS_SINK_H
#define TERN_APPS_SINK_H
/*
 * Whose event is it? Several modules share one stack (resolver, SOCKS endpoint): each gives as
 * `user` of its sockets the address of a struct tern_sink, which is the first member of its own
 * state.
 */
#include <stddef.h>

#include <tern/event.h>

struct tern_sink {
    void (*hear)(struct tern_sink *sink, const struct tern_event *event);
};

/* Hand an event of a socket to the module that opened it; events without user are nobody's. */
static inline void tern_sink_hear(const struct tern_event *event)
{
    struct tern_sink *sink = event->user;

    if (sink != NULL)
        sink->hear(sink, event);
}

#endif
