/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_LINK_WRAP_H
#define TERN_LINK_WRAP_H
/*
 * The part that links which wrap another link have in common: the calls that only pass on. Embed
 * struct tern_wrap as the first member.
 */
#include <tern/link.h>

struct tern_wrap {
    struct tern_link link;
    struct tern_link *inner;
    uint32_t mtu_max; /* whatever becomes of the inner link's */
};

void tern_wrap_init(struct tern_wrap *wrap, const struct tern_link_ops *ops,
                    struct tern_link *inner);
/* The inner link's receive(); what has become of its MTU becomes of ours. */
int tern_wrap_receive(struct tern_wrap *wrap, tern_time now, struct tern_frame *frames, int max);
void tern_wrap_release(struct tern_link *link);
int tern_wrap_fd(const struct tern_link *link);
tern_time tern_wrap_deadline(const struct tern_link *link);
void tern_wrap_counters(const struct tern_link *link, struct tern_link_counters *out);

#endif
