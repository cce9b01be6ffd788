/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_LINK_PACKET_ALIVE_H
#define TERN_LINK_PACKET_ALIVE_H
/* Is the interface behind a packet socket still there and up, and what MTU has it by now? */
#include <tern/link.h>

struct tern_packet_alive {
    int index; /* of the interface */
    bool gone, suspect;
    tern_time looked_at, asked_at;
    tern_time down_since; /* TERN_TIME_NEVER: it is up */
};

void tern_packet_alive_init(struct tern_packet_alive *a, int index);
/* The device refused a frame: look at the next occasion, whatever the time. */
void tern_packet_alive_suspect(struct tern_packet_alive *a);
/*
 * Look, which costs some system calls each few milliseconds at the most. fds: the link's sockets,
 * the first of which there is; -1 for others that there are not.
 * mtu_bytes is set where the interface has another by now. Returns 0, or TERN_ERR_LINK once the
 * interface is gone, or has been down for long.
 */
#define TERN_PACKET_SOCKETS 3
int tern_packet_alive_look(struct tern_packet_alive *a, const int fds[TERN_PACKET_SOCKETS],
                           tern_time now, uint32_t *mtu_bytes);
/* When to look though nothing happens. */
tern_time tern_packet_alive_deadline(const struct tern_packet_alive *a);

#endif
