/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The blocks of a capture file. Each is: type, total length, body padded to four bytes, options,
 * total length again. The section length is left unknown, so a file that is cut off is still
 * readable up to there. Times are nanoseconds (if_tsresol 9); epb_flags carries the direction.
 */
#include "link/pcapng.h"

#include <string.h>

#include "base/assert.h"

enum {
    BLOCK_SECTION = 0x0a0d0d0a,
    BLOCK_INTERFACE = 1,
    BLOCK_PACKET = 6,
    BLOCK_SECRETS = 10,
    SECRETS_TLS_KEYS = 0x544c534b, /* "TLSK" */
    BYTE_ORDER_MAGIC = 0x1a2b3c4d,
    LINKTYPE_ETHERNET = 1,
    OPT_END = 0,
    OPT_COMMENT = 1,
    OPT_SECTION_APPLICATION = 4,
    OPT_INTERFACE_NAME = 2,
    OPT_INTERFACE_MAC = 6,
    OPT_INTERFACE_RESOLUTION = 9,
    OPT_PACKET_FLAGS = 2,
    FLAG_INBOUND = 1,
    FLAG_OUTBOUND = 2,
    NANOSECONDS = 9,
};

#define OPTION_HEADER_BYTES 4u
#define PACKET_FIXED_BYTES  28u /* type, length, interface, time twice, two lengths */
#define SECRETS_FIXED_BYTES 16u /* type, length, kind of secrets, their length */
#define TRAILER_BYTES       4u
#define COMMENT_MAX         1024u

static size_t padded(size_t bytes)
{
    return (bytes + 3) & ~(size_t)3;
}

static void put_le16(struct tern_writer *w, unsigned v)
{
    tern_write_u8(w, (uint8_t)v);
    tern_write_u8(w, (uint8_t)(v >> 8));
}

static void put_le32(struct tern_writer *w, uint32_t v)
{
    put_le16(w, v & 0xffff);
    put_le16(w, v >> 16);
}

static void put_padding(struct tern_writer *w, size_t bytes)
{
    static const uint8_t zeros[3] = {0};

    tern_write_bytes(w, zeros, padded(bytes) - bytes);
}

static void put_option(struct tern_writer *w, unsigned code, const void *value, size_t bytes)
{
    put_le16(w, code);
    put_le16(w, (unsigned)bytes);
    tern_write_bytes(w, value, bytes);
    put_padding(w, bytes);
}

static size_t option_bytes(size_t bytes)
{
    return OPTION_HEADER_BYTES + padded(bytes);
}

static void put_section(struct tern_writer *w, const char *application)
{
    size_t name = strlen(application);
    size_t total = 28 + option_bytes(name) + OPTION_HEADER_BYTES;

    put_le32(w, BLOCK_SECTION);
    put_le32(w, (uint32_t)total);
    put_le32(w, BYTE_ORDER_MAGIC);
    put_le16(w, 1); /* version 1.0 */
    put_le16(w, 0);
    put_le32(w, UINT32_MAX); /* section length: unknown */
    put_le32(w, UINT32_MAX);
    put_option(w, OPT_SECTION_APPLICATION, application, name);
    put_option(w, OPT_END, NULL, 0);
    put_le32(w, (uint32_t)total);
}

static void put_interface(struct tern_writer *w, const struct tern_link_info *interface)
{
    const uint8_t resolution = NANOSECONDS;
    size_t name = strlen(interface->name);
    size_t total = 20 + option_bytes(name) + option_bytes(sizeof(interface->mac.b)) +
                   option_bytes(sizeof(resolution)) + OPTION_HEADER_BYTES;

    put_le32(w, BLOCK_INTERFACE);
    put_le32(w, (uint32_t)total);
    put_le16(w, LINKTYPE_ETHERNET);
    put_le16(w, 0);
    put_le32(w, 0); /* no snap length: frames are whole */
    put_option(w, OPT_INTERFACE_NAME, interface->name, name);
    put_option(w, OPT_INTERFACE_MAC, interface->mac.b, sizeof(interface->mac.b));
    put_option(w, OPT_INTERFACE_RESOLUTION, &resolution, sizeof(resolution));
    put_option(w, OPT_END, NULL, 0);
    put_le32(w, (uint32_t)total);
}

void tern_pcapng_begin(struct tern_writer *w, const char *application,
                       const struct tern_link_info *interface)
{
    put_section(w, application);
    put_interface(w, interface);
}

static size_t comment_bytes(const struct tern_pcapng_packet *packet)
{
    size_t bytes = packet->comment == NULL ? 0 : strlen(packet->comment);

    return bytes > COMMENT_MAX ? COMMENT_MAX : bytes;
}

size_t tern_pcapng_packet_bytes(const struct tern_pcapng_packet *packet)
{
    size_t comment = comment_bytes(packet);

    return PACKET_FIXED_BYTES + padded(packet->bytes) + option_bytes(4) +
           (comment == 0 ? 0 : option_bytes(comment)) + OPTION_HEADER_BYTES + TRAILER_BYTES;
}

uint8_t *tern_pcapng_packet(struct tern_writer *w, const struct tern_pcapng_packet *packet)
{
    const uint8_t flags[4] = {packet->outbound ? FLAG_OUTBOUND : FLAG_INBOUND};
    size_t total = tern_pcapng_packet_bytes(packet);
    size_t comment = comment_bytes(packet);
    size_t begin = w->bytes;
    uint8_t *room;

    put_le32(w, BLOCK_PACKET);
    put_le32(w, (uint32_t)total);
    put_le32(w, 0); /* the first interface */
    put_le32(w, (uint32_t)((uint64_t)packet->unix_ns >> 32));
    put_le32(w, (uint32_t)packet->unix_ns);
    put_le32(w, packet->bytes);
    put_le32(w, packet->bytes);
    room = tern_write_room(w, packet->bytes);
    put_padding(w, packet->bytes);
    if (comment > 0)
        put_option(w, OPT_COMMENT, packet->comment, comment);
    put_option(w, OPT_PACKET_FLAGS, flags, sizeof(flags));
    put_option(w, OPT_END, NULL, 0);
    put_le32(w, (uint32_t)total);
    TERN_ASSERT(w->failed || w->bytes - begin == total);
    return w->failed ? NULL : room;
}

size_t tern_pcapng_tls_keys_bytes(size_t bytes)
{
    return SECRETS_FIXED_BYTES + padded(bytes) + TRAILER_BYTES;
}

void tern_pcapng_tls_keys(struct tern_writer *w, const char *lines, size_t bytes)
{
    size_t total = tern_pcapng_tls_keys_bytes(bytes);
    size_t begin = w->bytes;

    put_le32(w, BLOCK_SECRETS);
    put_le32(w, (uint32_t)total);
    put_le32(w, SECRETS_TLS_KEYS);
    put_le32(w, (uint32_t)bytes);
    tern_write_bytes(w, lines, bytes);
    put_padding(w, bytes);
    put_le32(w, (uint32_t)total);
    TERN_ASSERT(w->failed || w->bytes - begin == total);
}
