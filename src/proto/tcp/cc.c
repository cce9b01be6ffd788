/* SPDX-License-Identifier: BSD-2-Clause */
/* The list of congestion controllers, and what they share: windows to start with, slow start. */
#include "proto/tcp/hystart.h"

#include <string.h>

#include "base/assert.h"

static const struct tern_cc_ops *const controllers[] = {&tern_cc_cubic, &tern_cc_reno,
                                                        &tern_cc_bbr};

const struct tern_cc_ops *tern_cc_find(const char *name)
{
    for (size_t i = 0; i < sizeof controllers / sizeof controllers[0]; i++) {
        if (strcmp(controllers[i]->name, name) == 0)
            return controllers[i];
    }
    return NULL;
}

uint64_t tern_cc_initial_window(uint32_t mss)
{
    const uint64_t ten = 10 * (uint64_t)mss;
    const uint64_t two = 2 * (uint64_t)mss;
    const uint64_t most = two > 14600 ? two : 14600;

    TERN_ASSERT(mss > 0);
    return ten < most ? ten : most;
}

void tern_cc_start(struct tern_cc_state *s, uint32_t mss)
{
    *s = (struct tern_cc_state){
        .cwnd = tern_cc_initial_window(mss), .ssthresh = TERN_CC_SSTHRESH_NONE, .mss = mss};
}

/* What HyStart++ leaves of an ACK's bytes. Only the first slow start needs it: later ones end at
 * the ssthresh that was found (RFC 9406 §4.2). */
static uint64_t brake(struct tern_cc_state *s, const struct tern_cc_ack *ack)
{
    if (s->ssthresh != TERN_CC_SSTHRESH_NONE)
        return ack->bytes;
    switch (tern_hystart_on_ack(&s->hystart, ack)) {
    case TERN_HYSTART_LEAVE:
        s->ssthresh = s->cwnd;
        break;
    case TERN_HYSTART_GROW_SLOWLY:
        return ack->bytes / TERN_HYSTART_CSS_DIVISOR;
    case TERN_HYSTART_GROW:
        break;
    }
    return ack->bytes;
}

uint64_t tern_cc_slow_start(struct tern_cc_state *s, const struct tern_cc_ack *ack)
{
    const uint64_t bytes = brake(s, ack);
    const uint64_t limit = s->after_rto ? s->mss : UINT64_MAX;
    const uint64_t wanted = bytes < limit ? bytes : limit;
    const uint64_t room = s->ssthresh - s->cwnd;
    const uint64_t step = wanted < room ? wanted : room;

    TERN_ASSERT(s->cwnd <= s->ssthresh);
    TERN_ASSERT(s->mss > 0);
    if (!ack->cwnd_limited)
        return 0;
    s->cwnd += step;
    if (s->cwnd >= s->ssthresh)
        s->after_rto = false;
    return wanted - step;
}

/* RFC 5681 §4.1, RFC 7661 §4.4 */
void tern_cc_restart(struct tern_cc_state *s)
{
    const uint64_t window = tern_cc_initial_window(s->mss);
    const uint64_t most = s->cwnd - s->cwnd / 4;

    if (s->ssthresh < most)
        s->ssthresh = most;
    if (s->cwnd > window)
        s->cwnd = window;
    s->hystart.started = false;
    TERN_ASSERT(s->cwnd > 0);
}
