/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_TESTS_WAIT_H
#define TERN_TESTS_WAIT_H
/*
 * For tests against the real kernel: wait for a frame that it will certainly send. The limit is
 * only for failing; nothing passes or fails by how long it takes. Exit code 77 skips.
 */
#include <poll.h>

#include "frames.h"
#include "os/clock.h"

#define GIVE_UP_NS (20 * TERN_SECOND)
#define SKIPPED    77

/*
 * Copy the next frame of the EtherType into out; *f describes it. Others are passed over. 0: none
 * came, or the link failed.
 */
static inline size_t next_frame(struct tern_link *link, uint16_t type, struct tern_frame *f,
                                uint8_t *out, size_t max)
{
    tern_time give_up = tern_clock_now() + GIVE_UP_NS;

    while (tern_clock_now() < give_up) {
        struct pollfd p = {.fd = link->ops->fd(link), .events = POLLIN};
        int n = link->ops->receive(link, tern_clock_now(), f, 1);
        size_t bytes;

        if (n < 0)
            return 0;
        if (n == 0) {
            (void)poll(&p, 1, 50);
            continue;
        }
        bytes = gather(f, out, max);
        link->ops->release(link);
        if (tern_get_be16(out + 12) == type)
            return bytes;
    }
    return 0;
}

#endif
