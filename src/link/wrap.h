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
};

void tern_wrap_init(struct tern_wrap *wrap, const struct tern_link_ops *ops,
                    struct tern_link *inner);
void tern_wrap_release(struct tern_link *link);
int tern_wrap_fd(const struct tern_link *link);
tern_time tern_wrap_deadline(const struct tern_link *link);
void tern_wrap_counters(const struct tern_link *link, struct tern_link_counters *out);

#endif
