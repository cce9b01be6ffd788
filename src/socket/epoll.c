/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * epoll. A watch joins a socket to an epoll. When something comes to a socket, its watches that
 * asked for it go to their epolls' ready lists; epoll_wait looks at each there anew, reports what
 * is true now, and puts a level-triggered one back at the end of the list, so that the next wait
 * finds it again while it stays true. An edge-triggered one comes back when more comes.
 *
 * EPOLLERR and EPOLLHUP are always reported. A one-shot watch keeps its flags and loses its events
 * until EPOLL_CTL_MOD.
 */
#include "socket/internal.h"

#include <string.h>

#define FLAGS (EPOLLET | EPOLLONESHOT | EPOLLEXCLUSIVE | EPOLLWAKEUP)

static uint32_t now_true(const struct tern_watch *w)
{
    const uint32_t wanted = w->events & ~(uint32_t)FLAGS;

    return wanted != 0 ? tern_sock_poll(w->sock) & wanted : 0;
}

static struct tern_watch *watch_of_ready(struct tern_list *link)
{
    return TERN_CONTAINER(link, struct tern_watch, ready);
}

/* ---- the ready list ---- */

static void make_ready(struct tern_watch *w)
{
    struct tern_sockets *t = w->epoll->table;

    if (tern_list_is_linked(&w->ready))
        return;
    tern_list_push(&w->epoll->ready, &w->ready);
    w->epoll->ready_count++;
    if (t->config.changed != NULL)
        t->config.changed(t->config.arg, w->epoll->fd, POLLIN | POLLRDNORM);
}

static void make_unready(struct tern_watch *w)
{
    if (!tern_list_is_linked(&w->ready))
        return;
    TERN_ASSERT(w->epoll->ready_count > 0);
    tern_list_remove(&w->ready);
    w->epoll->ready_count--;
}

void tern_epoll_wake(struct tern_sock *s, uint32_t key)
{
    for (struct tern_list *at = s->watches.next; at != &s->watches; at = at->next) {
        struct tern_watch *w = TERN_CONTAINER(at, struct tern_watch, of_sock);
        const uint32_t wanted = w->events & ~(uint32_t)FLAGS;

        if (wanted != 0 && (key == 0 || (key & wanted) != 0))
            make_ready(w);
    }
}

uint32_t tern_epoll_poll(const struct tern_sock *epoll)
{
    for (struct tern_list *at = epoll->ready.next; at != &epoll->ready; at = at->next) {
        if (now_true(watch_of_ready(at)) != 0)
            return POLLIN | POLLRDNORM;
    }
    return 0;
}

static void drop(struct tern_watch *w)
{
    make_unready(w);
    tern_list_remove(&w->of_sock);
    tern_list_remove(&w->of_epoll);
    tern_pool_give(&w->epoll->table->watches, w);
}

void tern_epoll_forget(struct tern_sock *s)
{
    while (!tern_list_is_empty(&s->watches))
        drop(TERN_CONTAINER(s->watches.next, struct tern_watch, of_sock));
    while (!tern_list_is_empty(&s->members))
        drop(TERN_CONTAINER(s->members.next, struct tern_watch, of_epoll));
}

/* ---- create and ctl ---- */

int tern_epoll_create(struct tern_sockets *t, int flags)
{
    struct tern_sock *s;

    if ((flags & ~EPOLL_CLOEXEC) != 0)
        return tern_sock_fail(EINVAL);
    s = tern_sock_new(t, TERN_SOCK_EPOLL);
    if (s == NULL)
        return -1;
    s->cloexec = (flags & EPOLL_CLOEXEC) != 0;
    return s->fd;
}

static struct tern_watch *find(struct tern_sock *epoll, struct tern_sock *s)
{
    for (struct tern_list *at = s->watches.next; at != &s->watches; at = at->next) {
        struct tern_watch *w = TERN_CONTAINER(at, struct tern_watch, of_sock);

        if (w->epoll == epoll)
            return w;
    }
    return NULL;
}

static void arm(struct tern_watch *w, const struct epoll_event *event)
{
    w->events = event->events | EPOLLERR | EPOLLHUP; /* which a one-shot takes away again */
    w->data = event->data;
    if (now_true(w) != 0)
        make_ready(w);
}

static int add(struct tern_sock *epoll, struct tern_sock *s, const struct epoll_event *event)
{
    struct tern_watch *w = tern_pool_take(&epoll->table->watches);

    if (w == NULL)
        return tern_sock_fail(ENOSPC);
    memset(w, 0, sizeof(*w));
    w->epoll = epoll;
    w->sock = s;
    tern_list_push(&s->watches, &w->of_sock);
    tern_list_push(&epoll->members, &w->of_epoll);
    arm(w, event);
    return 0;
}

static int change(struct tern_sock *epoll, struct tern_sock *s, int operation,
                  const struct epoll_event *event)
{
    struct tern_watch *w = find(epoll, s);

    if (operation == EPOLL_CTL_ADD)
        return w == NULL ? add(epoll, s, event) : tern_sock_fail(EEXIST);
    if (w == NULL)
        return tern_sock_fail(ENOENT);
    if (operation == EPOLL_CTL_DEL) {
        drop(w);
        return 0;
    }
    if (((w->events | event->events) & EPOLLEXCLUSIVE) != 0)
        return tern_sock_fail(EINVAL);
    arm(w, event);
    return 0;
}

int tern_epoll_ctl(struct tern_sockets *t, int fd, int operation, int other,
                   struct epoll_event *event)
{
    struct tern_sock *epoll = tern_sock_find(t, fd);
    struct tern_sock *s = tern_sock_find(t, other);

    if (operation != EPOLL_CTL_DEL && event == NULL)
        return tern_sock_fail(EFAULT);
    if (epoll == NULL || s == NULL)
        return tern_sock_fail(EBADF);
    if (epoll->kind != TERN_SOCK_EPOLL || s->kind == TERN_SOCK_EPOLL)
        return tern_sock_fail(EINVAL);
    switch (operation) {
    case EPOLL_CTL_ADD:
    case EPOLL_CTL_MOD:
    case EPOLL_CTL_DEL:
        tern_sock_refresh(s);
        return change(epoll, s, operation, event);
    default:
        return tern_sock_fail(EINVAL);
    }
}

/* ---- wait ---- */

/* What is true now; each watch that stood in the list at the start is looked at once. */
static int collect(struct tern_sock *epoll, struct epoll_event *events, int events_max)
{
    int count = 0;

    for (uint32_t left = epoll->ready_count; left > 0 && count < events_max; left--) {
        struct tern_watch *w = watch_of_ready(epoll->ready.next);
        const uint32_t bits = now_true(w);

        make_unready(w);
        if (bits == 0)
            continue;
        events[count].events = bits;
        events[count].data = w->data;
        count++;
        if ((w->events & EPOLLONESHOT) != 0)
            w->events &= FLAGS;
        else if ((w->events & EPOLLET) == 0) {
            tern_list_push(&epoll->ready, &w->ready);
            epoll->ready_count++;
        }
    }
    return count;
}

int tern_epoll_wait(struct tern_sockets *t, int fd, struct epoll_event *events, int events_max,
                    int timeout_ms)
{
    struct tern_sock *epoll = tern_sock_find(t, fd);
    struct tern_wait w;
    uint32_t serial;
    int count;

    if (epoll == NULL)
        return tern_sock_fail(EBADF);
    if (epoll->kind != TERN_SOCK_EPOLL || events_max <= 0)
        return tern_sock_fail(EINVAL);
    if (events == NULL)
        return tern_sock_fail(EFAULT);
    serial = epoll->serial;
    (void)tern_sockets_pump(t);
    tern_wait_begin_any(&w, t, timeout_ms);
    while ((count = collect(epoll, events, events_max)) == 0) {
        if (!tern_wait_more(&w))
            return errno == EAGAIN ? 0 : -1;
        if (epoll->serial != serial)
            return tern_sock_fail(EBADF);
    }
    return count;
}
