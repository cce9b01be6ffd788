/* SPDX-License-Identifier: BSD-2-Clause */
/* What devices and routers do to frames. See finish.h. */
#include "finish.h"

#include <string.h>

static uint32_t sum16(const uint8_t *p, uint32_t bytes)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i + 1 < bytes; i += 2)
        sum += (uint32_t)p[i] << 8 | p[i + 1];
    if ((bytes & 1) != 0)
        sum += (uint32_t)p[bytes - 1] << 8;
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint32_t)sum;
}

static void put16(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
    put16(p, v >> 16);
    put16(p + 2, v & 0xffff);
}

static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void finish_ip(uint8_t *f)
{
    put16(f + 24, 0);
    put16(f + 24, ~sum16(f + 14, 20) & 0xffff);
}

void finish_tcp(uint8_t *f, uint32_t bytes)
{
    const uint32_t tcp_bytes = bytes - 34;
    uint32_t sum;

    put16(f + 16, bytes - 14);
    finish_ip(f);
    put16(f + 50, 0);
    sum = sum16(f + 26, 8) + 6 + tcp_bytes + sum16(f + 34, tcp_bytes);
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    put16(f + 50, ~sum & 0xffff);
}

void finish_cut(uint8_t *piece, const uint8_t *whole, uint32_t header_bytes, uint32_t at,
                uint32_t text_bytes, bool last)
{
    memcpy(piece, whole, header_bytes);
    memcpy(piece + header_bytes, whole + at, text_bytes);
    put32(piece + 38, get32(whole + 38) + at - header_bytes);
    if (!last)
        piece[47] &= (uint8_t)~0x09;
    if (at > header_bytes)
        piece[47] &= (uint8_t)~0x80;
    finish_tcp(piece, header_bytes + text_bytes);
}

bool finish_mark(uint8_t *f, uint32_t bytes)
{
    if (bytes < 34 || f[12] != 0x08 || f[13] != 0x00 || (f[15] & 3) == 0)
        return false;
    f[15] |= 3;
    finish_ip(f);
    return true;
}

uint32_t finish_too_long(uint8_t *out, const uint8_t *frame, uint32_t mtu_bytes)
{
    static const uint8_t router[6] = {2, 0, 0, 0, 0, 254};

    memset(out, 0, FINISH_TOO_LONG_BYTES);
    memcpy(out, frame + 6, 6);
    memcpy(out + 6, router, 6);
    out[12] = 0x08;
    out[14] = 0x45;
    put16(out + 16, FINISH_TOO_LONG_BYTES - 14);
    out[22] = 64;
    out[23] = 1;
    memcpy(out + 26, frame + 30, 3); /* the prefix of both ends */
    out[29] = 254;
    memcpy(out + 30, frame + 26, 4);
    finish_ip(out);
    out[34] = 3;
    out[35] = 4;
    put16(out + 40, mtu_bytes);
    memcpy(out + 42, frame + 14, 28);
    put16(out + 36, ~sum16(out + 34, FINISH_TOO_LONG_BYTES - 34) & 0xffff);
    return FINISH_TOO_LONG_BYTES;
}
