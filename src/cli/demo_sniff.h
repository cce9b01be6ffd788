/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_CLI_DEMO_SNIFF_H
#define TERN_CLI_DEMO_SNIFF_H
/*
 * A second pair of eyes on the lab's client side, which sees what leaves the interface whoever sent
 * it: a frame that left and that tern did not send is the kernel's.
 */
#include "cli/demo.h"

#define DEMO_SNIFF_MAX 128

struct demo_sniff {
    int fd;
    size_t own_count;
    struct tern_record own[DEMO_SNIFF_MAX]; /* what tern sent, in order */
};

/* False: no socket; errno. */
bool demo_sniff_open(struct demo_sniff *sniff, struct tern_lab *lab);
void demo_sniff_close(struct demo_sniff *sniff);
/* A tap of demo_net: remember what tern sends. */
void demo_sniff_tap(void *user, const struct tern_record *record);
/* Tell a model all that was seen, each IP frame in the lane of who sent it. */
void demo_sniff_tell(struct demo_sniff *sniff, struct tern_model *model);

#endif
