/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The UDP header (RFC 768). Its checksum is optional over IPv4, where zero says that none was sent,
 * and required over IPv6 (RFC 8200 §8.1). A sum that comes out as zero is sent as its other form,
 * 0xffff.
 */
#include "wire/udp.h"

#include "base/assert.h"
#include "base/checksum.h"

#define OFF_SRC_PORT 0
#define OFF_DST_PORT 2
#define OFF_LENGTH   4
#define OFF_CHECKSUM 6

#define PROTOCOL 17

static bool checksum_good(const uint8_t *p, size_t bytes, struct tern_addr src,
                          struct tern_addr dst)
{
    struct tern_sum sum = {0};

    if (tern_addr_is_v4(src) != tern_addr_is_v4(dst))
        return false;
    if (tern_get_be16(p + OFF_CHECKSUM) == 0)
        return tern_addr_is_v4(src);
    tern_sum_add_pseudo(&sum, src, dst, PROTOCOL, (uint32_t)bytes);
    tern_sum_add(&sum, p, bytes);
    return tern_sum_finish(&sum) == 0;
}

bool tern_udp_parse(tern_span in, struct tern_addr src, struct tern_addr dst, bool verified,
                    struct tern_udp *out, tern_span *body)
{
    const uint8_t *p = in.data;
    size_t bytes;

    if (in.bytes < TERN_UDP_BYTES)
        return false;
    bytes = tern_get_be16(p + OFF_LENGTH);
    if (bytes < TERN_UDP_BYTES || bytes > in.bytes)
        return false;
    if (!verified && !checksum_good(p, bytes, src, dst))
        return false;
    out->src_port = tern_get_be16(p + OFF_SRC_PORT);
    out->dst_port = tern_get_be16(p + OFF_DST_PORT);
    *body = tern_span_from(tern_span_first(in, bytes), TERN_UDP_BYTES);
    return true;
}

void tern_udp_emit(const struct tern_udp *udp, struct tern_addr src, struct tern_addr dst,
                   tern_span body, struct tern_writer *w)
{
    uint8_t *p = tern_write_room(w, TERN_UDP_BYTES);
    size_t bytes = TERN_UDP_BYTES + body.bytes;
    struct tern_sum sum = {0};
    uint16_t checksum;

    TERN_ASSERT(bytes <= UINT16_MAX);
    tern_write_bytes(w, body.data, body.bytes);
    if (w->failed)
        return;
    tern_put_be16(p + OFF_SRC_PORT, udp->src_port);
    tern_put_be16(p + OFF_DST_PORT, udp->dst_port);
    tern_put_be16(p + OFF_LENGTH, (uint16_t)bytes);
    tern_put_be16(p + OFF_CHECKSUM, 0);
    tern_sum_add_pseudo(&sum, src, dst, PROTOCOL, (uint32_t)bytes);
    tern_sum_add(&sum, p, bytes);
    checksum = tern_sum_finish(&sum);
    tern_put_be16(p + OFF_CHECKSUM, checksum == 0 ? UINT16_MAX : checksum);
}
