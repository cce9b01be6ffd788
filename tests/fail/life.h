/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_TESTS_FAIL_LIFE_H
#define TERN_TESTS_FAIL_LIFE_H
/*
 * A whole small life over the library, from opening a link to giving everything back, for the n-th
 * call to fail in. Whatever fails, it gives back what it has, and says at which step it ended.
 */
#include <stdbool.h>

struct life_end {
    const char *step; /* NULL: everything went well, and every byte is right */
    int error;        /* of that step: errno, or a tern_err; never 0 */
    bool hung;        /* it went on without end */
    bool wrong;       /* bytes that were never sent, or an end that was none */
};

typedef void life_fn(struct life_end *end);

/* Two stacks in one process on a cable in memory, one behind impair, capture and record. */
life_fn life_pair;
/* The same over a driver that fails, and a caller who goes on where a link is gone for a while. */
life_fn life_driver;
/* A stack on slirp, and a server on the host's loopback. */
life_fn life_slirp;
/* A stack on a TAP, and a server at the kernel's end of it. Prepared once, before the first life,
 * in a network of the process's own; the reason why that cannot be, or NULL. */
life_fn life_tap;
const char *life_tap_prepare(void);
/* Two stacks on two queues of it, with one address. */
life_fn life_tap_queues;
const char *life_tap_queues_prepare(void);

#endif
