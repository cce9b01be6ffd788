/* SPDX-License-Identifier: BSD-2-Clause */
/* A driver that fails at its n-th call: see faulty_link.h. */
#include "faulty_link.h"

#include <stdlib.h>

#include "faults.h"
#include "link/wrap.h"

#define NO_DESCRIPTOR 9999

enum receive_fault { RECEIVE_GONE = 1, RECEIVE_NOTHING, RECEIVE_ONE, RECEIVE_LOSES };
enum transmit_fault { TRANSMIT_GONE = 1, TRANSMIT_NOTHING, TRANSMIT_ONE, TRANSMIT_LOSES };
enum deadline_fault { DEADLINE_NEVER = 1, DEADLINE_NOW };

struct faulty_link {
    struct tern_wrap wrap;
    bool silent; /* frames wait, and neither are they given nor does the deadline tell */
};

static struct faulty_link *faulty_of(const struct tern_link *link)
{
    return (struct faulty_link *)(uintptr_t)link;
}

static struct tern_link *inner_of(const struct tern_link *link)
{
    return faulty_of(link)->wrap.inner;
}

static int faulty_receive(struct tern_link *link, tern_time now, struct tern_frame *frames, int max)
{
    struct tern_link *inner = inner_of(link);
    const uint32_t fault = faults_driver("receive", RECEIVE_LOSES);
    int n;

    faulty_of(link)->silent = fault == RECEIVE_NOTHING;
    switch (fault) {
    case RECEIVE_GONE:
        return TERN_ERR_LINK;
    case RECEIVE_NOTHING:
        return 0;
    case RECEIVE_ONE:
        return inner->ops->receive(inner, now, frames, 1);
    case RECEIVE_LOSES:
        n = inner->ops->receive(inner, now, frames, max);
        if (n > 0)
            inner->ops->release(inner);
        return n > 0 ? 0 : n;
    default:
        return inner->ops->receive(inner, now, frames, max);
    }
}

static int faulty_transmit(struct tern_link *link, tern_time now, const struct tern_frame *frames,
                           int count)
{
    struct tern_link *inner = inner_of(link);

    switch (faults_driver("transmit", TRANSMIT_LOSES)) {
    case TRANSMIT_GONE:
        return TERN_ERR_LINK;
    case TRANSMIT_NOTHING:
        return 0;
    case TRANSMIT_ONE:
        return inner->ops->transmit(inner, now, frames, 1);
    case TRANSMIT_LOSES:
        return count;
    default:
        return inner->ops->transmit(inner, now, frames, count);
    }
}

static int faulty_fd(const struct tern_link *link)
{
    const struct tern_link *inner = inner_of(link);

    return faults_driver("fd", 1) != 0 ? NO_DESCRIPTOR : inner->ops->fd(inner);
}

static tern_time faulty_deadline(const struct tern_link *link)
{
    switch (faults_driver("deadline", DEADLINE_NOW)) {
    case DEADLINE_NEVER:
        return TERN_TIME_NEVER;
    case DEADLINE_NOW:
        return 0;
    default:
        return faulty_of(link)->silent ? TERN_TIME_NEVER : tern_wrap_deadline(link);
    }
}

static void faulty_close(struct tern_link *link)
{
    struct tern_link *inner = inner_of(link);

    inner->ops->close(inner);
    free(faulty_of(link));
}

static const struct tern_link_ops faulty_ops = {
    .receive = faulty_receive,
    .release = tern_wrap_release,
    .transmit = faulty_transmit,
    .fd = faulty_fd,
    .deadline = faulty_deadline,
    .counters = tern_wrap_counters,
    .close = faulty_close,
};

struct tern_link *faulty_link_open(struct tern_link *inner)
{
    struct faulty_link *faulty = calloc(1, sizeof *faulty);

    if (faulty == NULL)
        return NULL;
    tern_wrap_init(&faulty->wrap, &faulty_ops, inner);
    return &faulty->wrap.link;
}
