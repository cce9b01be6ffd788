/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Software segmentation of TCP over IPv4, as an offloading device does it: each frame gets a copy
 * of the headers with its own length, identification, sequence number and checksums; FIN and PSH go
 * on the last frame only, CWR on the first (RFC 3168 §6.1.2).
 */
#include "link/cut.h"

#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/checksum.h"
#include "link/frame.h"

enum {
    ETH_BYTES = 14,
    IP_OFF_TOTAL = 2,
    IP_OFF_ID = 4,
    IP_OFF_CHECKSUM = 10,
    IP_OFF_SRC = 12,
    IP_OFF_DST = 16,
    PROTOCOL_TCP = 6,
    TCP_OFF_SEQ = 4,
    TCP_OFF_FLAGS = 13,
    TCP_OFF_CHECKSUM = 16,
    FLAG_FIN = 0x01,
    FLAG_PSH = 0x08,
    FLAG_CWR = 0x80,
};

bool tern_cut_init(struct tern_cut *cut, const uint8_t *data, size_t bytes, size_t step_bytes)
{
    *cut = (struct tern_cut){
        .data = data,
        .bytes = bytes,
        .header_bytes = tern_frame_tcp4_header_bytes(data, bytes),
        .step_bytes = step_bytes,
    };
    return cut->header_bytes != 0 && step_bytes != 0 && bytes > cut->header_bytes;
}

static void fix_ip(uint8_t *ip, size_t ip_bytes, size_t total_bytes, uint16_t index)
{
    struct tern_sum sum = {0};

    tern_put_be16(ip + IP_OFF_TOTAL, (uint16_t)total_bytes);
    tern_put_be16(ip + IP_OFF_ID, (uint16_t)(tern_get_be16(ip + IP_OFF_ID) + index));
    tern_put_be16(ip + IP_OFF_CHECKSUM, 0);
    tern_sum_add(&sum, ip, ip_bytes);
    tern_put_be16(ip + IP_OFF_CHECKSUM, tern_sum_finish(&sum));
}

static void fix_tcp(const uint8_t *ip, uint8_t *tcp, size_t tcp_bytes, uint32_t offset,
                    uint8_t clear_flags)
{
    struct tern_sum sum = {0};

    tern_put_be32(tcp + TCP_OFF_SEQ, tern_get_be32(tcp + TCP_OFF_SEQ) + offset);
    tcp[TCP_OFF_FLAGS] &= (uint8_t)~clear_flags;
    tern_put_be16(tcp + TCP_OFF_CHECKSUM, 0);
    tern_sum_add_pseudo(&sum, tern_addr_from_be32(tern_get_be32(ip + IP_OFF_SRC)),
                        tern_addr_from_be32(tern_get_be32(ip + IP_OFF_DST)), PROTOCOL_TCP,
                        (uint32_t)tcp_bytes);
    tern_sum_add(&sum, tcp, tcp_bytes);
    tern_put_be16(tcp + TCP_OFF_CHECKSUM, tern_sum_finish(&sum));
}

size_t tern_cut_next(struct tern_cut *cut, uint8_t *out)
{
    size_t left = cut->bytes - cut->header_bytes - cut->done_bytes;
    size_t payload = left < cut->step_bytes ? left : cut->step_bytes;
    size_t frame_bytes = cut->header_bytes + payload;
    size_t ip_bytes = (size_t)(cut->data[ETH_BYTES] & 0x0f) * 4;
    uint8_t clear = 0;

    TERN_ASSERT(cut->done_bytes + cut->header_bytes <= cut->bytes);
    if (payload == 0)
        return 0;
    if (payload < left)
        clear |= FLAG_FIN | FLAG_PSH;
    if (cut->done_bytes > 0)
        clear |= FLAG_CWR;
    memcpy(out, cut->data, cut->header_bytes);
    memcpy(out + cut->header_bytes, cut->data + cut->header_bytes + cut->done_bytes, payload);
    fix_ip(out + ETH_BYTES, ip_bytes, frame_bytes - ETH_BYTES, cut->count);
    fix_tcp(out + ETH_BYTES, out + ETH_BYTES + ip_bytes, frame_bytes - ETH_BYTES - ip_bytes,
            (uint32_t)cut->done_bytes, clear);
    cut->done_bytes += payload;
    cut->count++;
    return frame_bytes;
}
