/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_LINK_TAP_H
#define TERN_LINK_TAP_H
/* A TAP, whole or one queue of it. */
#include "link/tap_device.h"

/* many_queues: as tern_tap_device_open() has it. Else it is tern_link_tap_open(). */
enum tern_err tern_tap_open(const struct tern_link_tap_options *options, bool many_queues,
                            struct tern_link **out, char *error_text);

#endif
