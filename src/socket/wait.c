/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Blocking. A call tries, and where it cannot go on asks tern_wait_more() to let time pass; then it
 * tries again. What came meanwhile is taken before the hook sleeps, so that no event is slept
 * through. The hook may let other threads in, and one of them may close the socket: the slot's
 * serial number tells, since a slot's memory never goes away.
 */
#include "socket/internal.h"

#include <string.h>

static void begin(struct tern_wait *w, struct tern_sockets *t, struct tern_sock *s)
{
    memset(w, 0, sizeof(*w));
    w->table = t;
    w->sock = s;
    w->serial = s != NULL ? s->serial : 0;
    w->until = TERN_TIME_NEVER;
    w->now_or_never = t->config.wait == NULL;
}

static void limit(struct tern_wait *w, tern_time timeout)
{
    if (w->table->config.now != NULL)
        w->until = tern_sock_now(w->table) + timeout;
}

void tern_wait_begin(struct tern_wait *w, struct tern_sock *s, bool now_or_never, tern_time timeout)
{
    begin(w, s->table, s);
    if (timeout > 0)
        limit(w, timeout);
    w->now_or_never = w->now_or_never || now_or_never;
}

void tern_wait_begin_any(struct tern_wait *w, struct tern_sockets *t, int timeout_ms)
{
    begin(w, t, NULL);
    if (timeout_ms > 0)
        limit(w, timeout_ms * TERN_MS);
    w->now_or_never = w->now_or_never || timeout_ms == 0;
}

bool tern_wait_more(struct tern_wait *w)
{
    struct tern_sockets *t = w->table;
    int error = EAGAIN;

    if (w->now_or_never)
        goto out;
    if (tern_sockets_pump(t) > 0)
        return true;
    if (w->until != TERN_TIME_NEVER && tern_sock_now(t) >= w->until)
        goto out;
    error = t->config.wait(t->config.arg, w->until);
    if (w->sock != NULL && (w->sock->serial != w->serial))
        error = EBADF;
    if (error != 0)
        goto out;
    (void)tern_sockets_pump(t);
    if (w->sock != NULL)
        tern_sock_refresh(w->sock);
    return true;
out:
    errno = error;
    return false;
}
