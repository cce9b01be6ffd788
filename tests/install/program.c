/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program of somebody else's, built against an installed libtern with pkg-config, as C and as
 * C++: a stack on one end of a cable in memory.
 */
#include <stdio.h>
#include <string.h>

#include <tern/tern.h>

int main(void)
{
    struct tern_link_mem_options cable;
    struct tern_link *end[2];
    struct tern_loop *loop;

    memset(&cable, 0, sizeof(cable));
    cable.mtu_bytes = 1500;
    cable.hold_frames = 64;
    cable.mac[0].b[5] = 1;
    cable.mac[1].b[5] = 2;
    if (tern_link_mem_open(&cable, end) != TERN_ERR_OK)
        return 1;
    if (tern_loop_create(end[0], NULL, &loop) != TERN_ERR_OK)
        return 1;
    puts(TERN_VERSION);
    tern_loop_destroy(loop);
    end[1]->ops->close(end[1]);
    return 0;
}
