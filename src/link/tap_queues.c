/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Several links on one TAP (IFF_MULTI_QUEUE) which share an address: each wraps one queue of it.
 *
 * The kernel sends a flow's frames to the queue on which that flow was last heard from us, within
 * three seconds and for 4,096 flows at once; all others to a queue that it picks by a hash with a
 * key of its own. So a caller's SYN comes to any queue, and what follows to the right one. Which is
 * the right one say both endpoints (base/steer.h), the same as with packet sockets: then a stack
 * can choose local ports that are its own. What comes to a wrong queue is passed on to the right
 * one (link/queue_hub.c), and ARP, of which there is one, to all.
 */
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/assert.h"
#include "link/queue_hub.h"
#include "link/queue_steer.h"
#include "link/tap.h"
#include "link/words.h"
#include "link/wrap.h"

struct queue_link {
    struct tern_wrap wrap;
    struct tern_queue_hub *hub;
    int epoll_fd;
    struct tern_link_counters passed, taken; /* frames and bytes in */
};

static struct queue_link *queue_of(const struct tern_link *link)
{
    return (struct queue_link *)(uintptr_t)link;
}

static void count(struct tern_link_counters *c, const struct tern_frame *frame)
{
    c->frames_in++;
    c->bytes_in += frame->bytes;
}

/* True: it is for us, whoever else has it as well. */
static bool is_ours(struct queue_link *q, const struct tern_frame *frame)
{
    const struct tern_link_info *info = &q->wrap.link.info;
    const uint32_t to = tern_queue_of(frame->piece[0].data, frame->bytes, info->queues);

    if (to == info->queue || to == TERN_QUEUE_ANY)
        return true;
    if (to != TERN_QUEUE_ALL) {
        (void)tern_queue_hub_put(q->hub, to, frame);
        count(&q->passed, frame);
        return false;
    }
    for (uint32_t i = 0; i < info->queues; i++)
        if (i != info->queue)
            (void)tern_queue_hub_put(q->hub, i, frame);
    return true;
}

/* What others passed on comes first: it has waited longer. */
static int queue_receive(struct tern_link *link, tern_time now, struct tern_frame *frames, int max)
{
    struct queue_link *q = queue_of(link);
    int n = tern_queue_hub_take(q->hub, link->info.queue, frames, max), got, kept = n;

    for (int i = 0; i < n; i++)
        count(&q->taken, &frames[i]);
    got = tern_wrap_receive(&q->wrap, now, frames + n, max - n);
    if (got < 0)
        return n > 0 ? n : got;
    for (int i = n; i < n + got; i++)
        if (is_ours(q, &frames[i]))
            frames[kept++] = frames[i];
    return kept;
}

static void queue_release(struct tern_link *link)
{
    const struct queue_link *q = queue_of(link);

    tern_queue_hub_release(q->hub, link->info.queue);
    tern_wrap_release(link);
}

static int queue_transmit(struct tern_link *link, tern_time now, const struct tern_frame *frames,
                          int max)
{
    struct tern_link *inner = queue_of(link)->wrap.inner;

    return inner->ops->transmit(inner, now, frames, max);
}

static int queue_fd(const struct tern_link *link)
{
    return queue_of(link)->epoll_fd;
}

static void queue_counters(const struct tern_link *link, struct tern_link_counters *out)
{
    const struct queue_link *q = queue_of(link);

    tern_wrap_counters(link, out);
    out->frames_in += q->taken.frames_in - q->passed.frames_in;
    out->bytes_in += q->taken.bytes_in - q->passed.bytes_in;
    out->dropped_in += tern_queue_hub_dropped(q->hub, link->info.queue);
}

static void queue_close(struct tern_link *link)
{
    struct queue_link *q = queue_of(link);

    tern_queue_hub_leave(q->hub, link->info.queue);
    if (q->wrap.inner != NULL)
        q->wrap.inner->ops->close(q->wrap.inner);
    if (q->epoll_fd >= 0)
        (void)close(q->epoll_fd);
    free(q);
}

static const struct tern_link_ops queue_ops = {
    .receive = queue_receive,
    .release = queue_release,
    .transmit = queue_transmit,
    .fd = queue_fd,
    .deadline = tern_wrap_deadline,
    .counters = queue_counters,
    .close = queue_close,
};

static bool watch(const struct queue_link *q, int fd)
{
    struct epoll_event e = {.events = EPOLLIN};

    return epoll_ctl(q->epoll_fd, EPOLL_CTL_ADD, fd, &e) == 0;
}

static bool watch_both(struct queue_link *q)
{
    q->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    return q->epoll_fd >= 0 && watch(q, tern_wrap_fd(&q->wrap.link)) &&
           watch(q, tern_queue_hub_fd(q->hub, q->wrap.link.info.queue));
}

static enum tern_err say_no_room(char *error_text)
{
    tern_link_say(error_text, "cannot open the tap's queues: out of memory or descriptors");
    return TERN_ERR_MEMORY;
}

/* On failure the hub still counts this queue's link. */
static enum tern_err open_one(const struct tern_link_tap_options *options,
                              struct tern_queue_hub *hub, uint32_t queue, uint32_t queues,
                              struct tern_link **out, char *error_text)
{
    struct queue_link *q = calloc(1, sizeof(*q));
    struct tern_link *inner;
    enum tern_err err;

    if (q == NULL)
        return say_no_room(error_text);
    err = tern_tap_open(options, true, &inner, error_text);
    if (err != TERN_ERR_OK) {
        free(q);
        return err;
    }
    tern_wrap_init(&q->wrap, &queue_ops, inner);
    q->wrap.link.info.queue = queue;
    q->wrap.link.info.queues = queues;
    q->hub = hub;
    if (watch_both(q)) {
        *out = &q->wrap.link;
        return TERN_ERR_OK;
    }
    if (q->epoll_fd >= 0)
        (void)close(q->epoll_fd);
    inner->ops->close(inner);
    free(q);
    return say_no_room(error_text);
}

static enum tern_err open_all(const struct tern_link_tap_options *options,
                              struct tern_queue_hub *hub, uint32_t queues, struct tern_link **out,
                              char *error_text)
{
    uint32_t opened = 0;
    enum tern_err err = TERN_ERR_OK;

    while (err == TERN_ERR_OK && opened < queues) {
        err = open_one(options, hub, opened, queues, &out[opened], error_text);
        opened += err == TERN_ERR_OK;
    }
    if (err == TERN_ERR_OK)
        return TERN_ERR_OK;
    for (uint32_t i = opened; i < queues; i++)
        tern_queue_hub_leave(hub, i);
    while (opened-- > 0)
        queue_close(out[opened]);
    return err;
}

enum tern_err tern_link_tap_open_queues(const struct tern_link_tap_options *options,
                                        uint32_t queues, struct tern_link **out, char *error_text)
{
    struct tern_queue_hub *hub;

    if (queues == 0 || queues > TERN_LINK_QUEUES_MAX || options->fd >= 0 ||
        options->name[0] == '/') {
        tern_link_say(error_text, "links that share a tap: one to %d of them, on one named tap",
                      TERN_LINK_QUEUES_MAX);
        return TERN_ERR_INVAL;
    }
    hub = tern_queue_hub_create(queues);
    if (hub == NULL)
        return say_no_room(error_text);
    return open_all(options, hub, queues, out, error_text);
}
