/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Small services on frames, shared by the drivers. A frame is described in pieces that belong to
 * somebody else; whoever has to keep or change one copies it first, so everything here that writes
 * works on such a copy.
 */
#include "link/frame.h"

#include <string.h>

#include "base/bytes.h"
#include "base/checksum.h"

enum {
    ETH_BYTES = 14,
    ETH_OFF_TYPE = 12,
    IP_OFF_PROTOCOL = 9,
    IP_MIN_BYTES = 20,
    TCP_OFF_DATA = 12,
    TCP_MIN_BYTES = 20,
    UDP_OFF_CHECKSUM = 6, /* and nobody else's */
    TYPE_IPV4 = 0x0800,
    PROTOCOL_TCP = 6,
};

size_t tern_frame_copy(const struct tern_frame *frame, uint8_t *out, size_t bytes_max)
{
    size_t done = 0;

    for (uint32_t i = 0; i < frame->piece_count && done < bytes_max; i++) {
        size_t n = frame->piece[i].bytes;

        if (n > bytes_max - done)
            n = bytes_max - done;
        if (n > 0)
            memcpy(out + done, frame->piece[i].data, n);
        done += n;
    }
    return done;
}

bool tern_frame_fill_checksum(uint8_t *data, size_t bytes, uint16_t csum_start,
                              uint16_t csum_offset)
{
    size_t at = (size_t)csum_start + csum_offset;
    struct tern_sum sum = {0};
    uint16_t value;

    if (at + 2 > bytes)
        return false;
    tern_sum_add(&sum, data + csum_start, bytes - csum_start);
    value = tern_sum_finish(&sum);
    /* In UDP a zero means "none" (RFC 768), and all ones is the same sum. TCP has no such
     * exception: peers take all ones there as well, but tshark calls it a bad checksum. */
    if (value == 0 && csum_offset == UDP_OFF_CHECKSUM)
        value = 0xffff;
    tern_put_be16(data + at, value);
    return true;
}

size_t tern_frame_tcp4_header_bytes(const uint8_t *data, size_t bytes)
{
    size_t ip_bytes, tcp_bytes;

    if (bytes < ETH_BYTES + IP_MIN_BYTES || tern_get_be16(data + ETH_OFF_TYPE) != TYPE_IPV4)
        return 0;
    ip_bytes = (size_t)(data[ETH_BYTES] & 0x0f) * 4;
    if (ip_bytes < IP_MIN_BYTES || data[ETH_BYTES + IP_OFF_PROTOCOL] != PROTOCOL_TCP)
        return 0;
    if (bytes < ETH_BYTES + ip_bytes + TCP_MIN_BYTES)
        return 0;
    tcp_bytes = (size_t)(data[ETH_BYTES + ip_bytes + TCP_OFF_DATA] >> 4) * 4;
    if (tcp_bytes < TCP_MIN_BYTES || bytes < ETH_BYTES + ip_bytes + tcp_bytes)
        return 0;
    return ETH_BYTES + ip_bytes + tcp_bytes;
}
