/* SPDX-License-Identifier: BSD-2-Clause */
/* poll(2): what is true of each descriptor, asked again after each wait. */
#include "socket/internal.h"

static int look(struct tern_sockets *t, struct pollfd *polled, nfds_t count)
{
    int found = 0;

    for (nfds_t i = 0; i < count; i++) {
        struct pollfd *p = &polled[i];
        const uint32_t wanted = (uint32_t)(unsigned short)p->events | POLLERR | POLLHUP | POLLNVAL;

        p->revents = 0;
        if (p->fd < 0)
            continue;
        p->revents = (short)(tern_sockets_ready(t, p->fd) & wanted);
        found += p->revents != 0;
    }
    return found;
}

int tern_poll(struct tern_sockets *t, struct pollfd *polled, nfds_t count, int timeout_ms)
{
    struct tern_wait w;
    int found;

    if (polled == NULL && count > 0)
        return tern_sock_fail(EFAULT);
    (void)tern_sockets_pump(t);
    tern_wait_begin_any(&w, t, timeout_ms);
    while ((found = look(t, polled, count)) == 0) {
        if (!tern_wait_more(&w))
            return errno == EAGAIN ? 0 : -1;
    }
    return found;
}
