/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Links that wrap another link take it over: its info becomes theirs, and closing the outer one
 * closes the inner one. Here are the calls that a wrapper has nothing to add to.
 */
#include "link/wrap.h"

#include "base/assert.h"

static const struct tern_wrap *wrap_of(const struct tern_link *link)
{
    return (const struct tern_wrap *)(const void *)link;
}

void tern_wrap_init(struct tern_wrap *wrap, const struct tern_link_ops *ops,
                    struct tern_link *inner)
{
    TERN_ASSERT(inner != NULL);
    TERN_ASSERT(&wrap->link != inner);
    wrap->link.ops = ops;
    wrap->link.info = inner->info;
    wrap->inner = inner;
    wrap->mtu_max = UINT32_MAX;
}

int tern_wrap_receive(struct tern_wrap *wrap, tern_time now, struct tern_frame *frames, int max)
{
    int n = wrap->inner->ops->receive(wrap->inner, now, frames, max);

    wrap->link.info.mtu_bytes =
        wrap->inner->info.mtu_bytes < wrap->mtu_max ? wrap->inner->info.mtu_bytes : wrap->mtu_max;
    return n;
}

void tern_wrap_release(struct tern_link *link)
{
    struct tern_link *inner = wrap_of(link)->inner;

    inner->ops->release(inner);
}

int tern_wrap_fd(const struct tern_link *link)
{
    const struct tern_link *inner = wrap_of(link)->inner;

    return inner->ops->fd(inner);
}

tern_time tern_wrap_deadline(const struct tern_link *link)
{
    const struct tern_link *inner = wrap_of(link)->inner;

    return inner->ops->deadline(inner);
}

void tern_wrap_counters(const struct tern_link *link, struct tern_link_counters *out)
{
    const struct tern_link *inner = wrap_of(link)->inner;

    inner->ops->counters(inner, out);
}
