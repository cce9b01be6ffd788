/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LAB_LWIP_WIRE_H
#define LAB_LWIP_WIRE_H
/*
 * Debian's lwIP on a descriptor that reads and writes Ethernet frames, in one thread, without the
 * thread that its operating-system layer would make: we poll for as long as its timers allow, and
 * hand it frames. Offloads of the interface must be off: it takes no frame of more than its MTU,
 * and checks every sum. lwIP is one to a process, and so is this.
 */
#include <stdbool.h>

#include <lwip/netif.h>

struct lwip_wire {
    int fd; /* does not block */
    struct netif netif;
};

/* A packet socket on an interface, and its queue: as long as asked for, or as we may. False: errno
 * says why. */
bool lwip_wire_packet(struct lwip_wire *w, const char *interface, int queue_bytes);
/* lwIP with this address of a /24, on w->fd, which is open. */
bool lwip_wire_up(struct lwip_wire *w, const char *address);
/* Sleep until a frame or a timer, at most so long; one burst. How many frames there were. */
int lwip_wire_turn(struct lwip_wire *w, int most_ms);

#endif
