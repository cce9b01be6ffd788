/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_LINK_PCAPNG_H
#define TERN_LINK_PCAPNG_H
/*
 * Writing pcapng (draft-ietf-opsawg-pcapng): the blocks that a capture of one Ethernet interface
 * needs, as bytes. Little-endian on every machine, since the format carries its byte order.
 */
#include <tern/link.h>

#include "base/bytes.h"

/* The section and its one interface: what a file begins with. */
void tern_pcapng_begin(struct tern_writer *w, const char *application,
                       const struct tern_link_info *interface);

struct tern_pcapng_packet {
    int64_t unix_ns;
    bool outbound;
    const char *comment; /* NULL: none */
    uint32_t bytes;
};

/* A packet's block with everything around its bytes; returns where the caller puts those. NULL (and
 * sticky failure): no room. */
uint8_t *tern_pcapng_packet(struct tern_writer *w, const struct tern_pcapng_packet *packet);
/* Bytes that such a block takes. */
size_t tern_pcapng_packet_bytes(const struct tern_pcapng_packet *packet);

/* TLS keys, as lines of SSLKEYLOGFILE, in a Decryption Secrets Block: they are for what follows. */
void tern_pcapng_tls_keys(struct tern_writer *w, const char *lines, size_t bytes);
/* Bytes that such a block takes. */
size_t tern_pcapng_tls_keys_bytes(size_t bytes);

#endif
