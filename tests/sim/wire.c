/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames as the observer reads them. See wire.h. */
#include "wire.h"

#include <string.h>

#define ETH_BYTES 14
#define IP_BYTES  20
#define TCP_BYTES 20

static uint32_t get16(const uint8_t *p)
{
    return (uint32_t)p[0] << 8 | p[1];
}

static uint32_t get32(const uint8_t *p)
{
    return get16(p) << 16 | get16(p + 2);
}

/* The one's complement sum, not complemented. */
static uint32_t sum(const uint8_t *p, uint32_t bytes, uint64_t start)
{
    uint64_t s = start;

    for (; bytes >= 4; bytes -= 4, p += 4)
        s += get32(p);
    if (bytes >= 2)
        s += (uint64_t)get16(p) << 16;
    if ((bytes & 1) != 0)
        s += bytes == 1 ? (uint64_t)p[0] << 24 : (uint64_t)p[2] << 8;
    s = (s & 0xffffffff) + (s >> 32);
    s = (s & 0xffff) + (s >> 16 & 0xffff) + (s >> 32);
    while (s >> 16 != 0)
        s = (s & 0xffff) + (s >> 16);
    return (uint32_t)s;
}

static bool read_option(struct wire_segment *s, const uint8_t *p, uint32_t bytes)
{
    switch (p[0]) {
    case 2:
        s->has_mss = true;
        s->mss = get16(p + 2);
        return bytes == 4;
    case 3:
        s->has_scale = true;
        s->scale = p[2];
        return bytes == 3;
    case 4:
        s->has_sack_ok = true;
        return bytes == 2;
    case 5:
        s->sack_count = (bytes - 2) / 8;
        for (uint32_t i = 0; i < s->sack_count && i < 4; i++) {
            s->sack[i][0] = get32(p + 2 + 8 * i);
            s->sack[i][1] = get32(p + 6 + 8 * i);
        }
        return bytes >= 10 && (bytes - 2) % 8 == 0 && s->sack_count <= 4;
    case 8:
        s->has_ts = true;
        s->ts_value = get32(p + 2);
        s->ts_echo = get32(p + 6);
        return bytes == 10;
    case 34:
        s->has_fastopen = true;
        return bytes == 2 || (bytes >= 6 && bytes <= 18);
    default:
        return false; /* tern sends no others */
    }
}

static bool read_options(struct wire_segment *s, const uint8_t *p, uint32_t bytes)
{
    uint64_t seen = 0;

    for (uint32_t i = 0; i < bytes;) {
        if (p[i] == 0)
            return true;
        if (p[i] == 1) {
            i++;
            continue;
        }
        if (i + 2 > bytes || p[i + 1] < 2 || i + p[i + 1] > bytes || p[i] > 63)
            return false;
        if ((seen >> p[i] & 1) != 0 || !read_option(s, p + i, p[i + 1]))
            return false;
        seen |= UINT64_C(1) << p[i];
        i += p[i + 1];
    }
    return true;
}

static const char *judge_sum(const struct observed *f, const uint8_t *ip, uint32_t tcp_bytes)
{
    const uint8_t *tcp = ip + IP_BYTES;
    const uint64_t pseudo = sum(ip + 12, 8, ((uint64_t)6 + tcp_bytes) << 16);
    uint64_t open = pseudo;

    if (!f->sum_open)
        return sum(tcp, tcp_bytes, (uint64_t)pseudo << 16) == 0xffff ? NULL
                                                                     : "a wrong TCP checksum";
    if (f->sum_start != ETH_BYTES + IP_BYTES || f->sum_offset != 16)
        return "a checksum to be put in the wrong place";
    while (open >> 16 != 0)
        open = (open & 0xffff) + (open >> 16);
    return get16(tcp + 16) == open ? NULL : "a wrong sum of the pseudo header";
}

static const char *read_tcp(const struct observed *f, const uint8_t *ip, bool sums,
                            struct wire_segment *s)
{
    const uint8_t *tcp = ip + IP_BYTES;
    const uint32_t bytes = s->ip_bytes - IP_BYTES;

    if (bytes < TCP_BYTES)
        return "too short for TCP";
    s->source_port = get16(tcp);
    s->destination_port = get16(tcp + 2);
    s->seq = get32(tcp + 4);
    s->ack = get32(tcp + 8);
    s->header_bytes = (uint32_t)(tcp[12] >> 4) * 4;
    s->flags = tcp[13];
    s->window = get16(tcp + 14);
    s->urgent = get16(tcp + 18);
    if (s->header_bytes < TCP_BYTES || s->header_bytes > bytes || (tcp[12] & 0xf) != 0)
        return "a wrong TCP header length, or reserved bits";
    s->text = tcp + s->header_bytes;
    s->text_bytes = bytes - s->header_bytes;
    if (!read_options(s, tcp + TCP_BYTES, s->header_bytes - TCP_BYTES))
        return "malformed options, or one twice";
    return sums ? judge_sum(f, ip, bytes) : NULL;
}

static const char *read_ip(const struct observed *f, bool sums, const uint8_t *ip,
                           struct wire_segment *s)
{
    if (f->bytes < ETH_BYTES + IP_BYTES || ip[0] != 0x45)
        return "no IPv4 header of 20 bytes";
    s->ip_tos = ip[1];
    s->ip_bytes = get16(ip + 2);
    s->df = (ip[6] & 0x40) != 0;
    s->source = get32(ip + 12);
    s->destination = get32(ip + 16);
    if (f->cut_bytes > 0)
        s->ip_bytes = f->bytes - ETH_BYTES; /* the device writes each piece's own */
    if (s->ip_bytes != f->bytes - ETH_BYTES)
        return "a length in the IP header that is not the frame's";
    if (f->cut_bytes == 0 && sums && sum(ip, IP_BYTES, 0) != 0xffff)
        return "a wrong IP checksum";
    return NULL;
}

enum wire_kind wire_read(const struct observed *f, bool sums, struct wire_segment *s,
                         const char **why)
{
    const uint8_t *ip = f->data + ETH_BYTES;

    memset(s, 0, sizeof(*s));
    *why = NULL;
    if (f->bytes < ETH_BYTES)
        *why = "shorter than an Ethernet header";
    else if (get16(f->data + 12) != 0x0800)
        return WIRE_OTHER;
    else
        *why = read_ip(f, sums, ip, s);
    if (*why != NULL)
        return WIRE_BAD;
    if (ip[9] != 6)
        return WIRE_OTHER;
    *why = read_tcp(f, ip, sums, s);
    return *why == NULL ? WIRE_TCP : WIRE_BAD;
}
