/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A limit that connections share (RFC 5961 §7) is a side channel: an attacker who counts the
 * answers to his own segments learns whether another connection was answered too, and from that
 * its ports and numbers (CVE-2016-5696). So the limit of each second is drawn anew, and what is
 * missing from it says nothing.
 */
#include "proto/tcp/limit.h"

#include "base/assert.h"

bool tern_limit_take(struct tern_limit *l, struct tern_random *r, uint32_t mean, tern_time now)
{
    const uint64_t second = (uint64_t)now / (uint64_t)TERN_SECOND + 1;

    TERN_ASSERT(now >= 0);
    TERN_ASSERT(mean > 1);
    if (l->second != second) {
        l->second = second;
        l->left = mean / 2 + (uint32_t)tern_random_below(r, mean);
    }
    if (l->left == 0)
        return false;
    l->left--;
    return true;
}
