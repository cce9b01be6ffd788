/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_LINK_PACKET_FACTS_H
#define TERN_LINK_PACKET_FACTS_H
/*
 * What has to be known about an interface before frames go through it, and what has to be refused,
 * in words.
 */
#include <tern/link.h>

struct tern_packet_facts {
    int index; /* of the interface */
    uint32_t mtu_bytes;
    struct tern_mac host_mac; /* the interface's */
    struct tern_mac mac;      /* the one to use */
};

/* fd: any socket of the interface's network namespace. */
enum tern_err tern_packet_facts_read(const struct tern_link_packet_options *options, int fd,
                                     struct tern_packet_facts *out, char *error_text);
/* Does the interface exist, as far as can be told without a socket of its namespace? If not the
 * words say so. */
bool tern_packet_interface_exists(const char *name, char *error_text);

#endif
