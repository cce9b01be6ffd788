/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_LINK_TAP_DEVICE_H
#define TERN_LINK_TAP_DEVICE_H
/* Getting hold of a TAP: opened by its name, by a macvtap's path, or handed over; with all
 * offloads, up, and its facts known. */
#include <net/if.h>

#include <tern/link.h>

struct tern_tap_device {
    int fd; /* non-blocking; -1: none */
    char name[IFNAMSIZ];
    struct tern_mac mac; /* of the kernel's end; of a macvtap: the one that its frames must have */
    bool is_macvtap;
    uint32_t mtu_bytes;
    uint32_t queue_frames; /* what the kernel holds for us */
};

/* many_queues: one of several that are opened by one name, which must not be a macvtap's.
 * On failure nothing is open but what was handed over, and error_text says why. */
enum tern_err tern_tap_device_open(const struct tern_link_tap_options *options, bool many_queues,
                                   struct tern_tap_device *out, char *error_text);

#endif
