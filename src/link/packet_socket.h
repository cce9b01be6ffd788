/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_LINK_PACKET_SOCKET_H
#define TERN_LINK_PACKET_SOCKET_H
/* One AF_PACKET socket with its filter and its ring. */
#include "link/packet_facts.h"
#include "link/packet_filter.h"
#include "link/packet_ring.h"

struct tern_packet_socket {
    int fd; /* -1: there is none */
    struct tern_packet_ring ring;
};

struct tern_packet_socket_options {
    const struct tern_packet_facts *facts;
    struct tern_addr address; /* the filter's */
    enum tern_packet_lengths lengths;
    uint32_t slots;
    bool sends; /* it will send too, and keeps our MAC alive on the device */
    const struct tern_packet_queue *queue; /* one of several; NULL: it is alone */
    int *group; /* with queue: the fanout group of its likes; -1: none yet, and it makes one */
};

/* A new socket; -1 with errno. */
int tern_packet_socket_make(void);
/* Set up s->fd for receiving on an interface. NULL: done; else what failed, with errno. */
const char *tern_packet_socket_setup(struct tern_packet_socket *s,
                                     const struct tern_packet_socket_options *options);
/* Give the ring back; fd stays open. */
void tern_packet_socket_strip(struct tern_packet_socket *s);

#endif
