/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_LINK_PACKET_SOCKET_H
#define TERN_LINK_PACKET_SOCKET_H
/*
 * Opening an AF_PACKET socket on an interface: what has to be known and refused before, and
 * the options that have to be set in the right order. packet.c moves frames through the result.
 */
#include <linux/filter.h>

#include <tern/link.h>

#define TERN_PACKET_SLOT_BYTES 69632u /* a 64 KiB frame with its headers: 17 pages */

struct tern_packet_socket {
    int fd;
    bool fd_is_ours; /* not handed over: close it when opening fails */
    int index;       /* of the interface */
    uint32_t mtu_bytes;
    struct tern_mac host_mac; /* the interface's */
    struct tern_mac mac;      /* the one to use */
    uint8_t *ring;
    size_t ring_bytes;
    uint32_t slots;
};

enum tern_err tern_packet_socket_open(const struct tern_link_packet_options *options,
                                      struct tern_packet_socket *out, char *error_text);
void tern_packet_socket_close(struct tern_packet_socket *s);

/*
 * A filter that takes frames to mac or to everybody which hold ARP, or IPv4 to address; all of
 * them where address is any, or not IPv4. Returns the number of instructions.
 */
#define TERN_PACKET_FILTER_MAX 16
unsigned tern_packet_filter(struct sock_filter out[TERN_PACKET_FILTER_MAX], struct tern_mac mac,
                            struct tern_addr address);

#endif
