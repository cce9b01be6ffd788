/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames for scripts, made and read by hand: Ethernet, IPv4 without options, TCP with the options
 * that scripts can name. Deliberately independent of src/wire.
 */
#include "script.h"

#include <stdio.h>
#include <string.h>

#define ETH    14
#define IP     20
#define TCP_AT (ETH + IP)

const struct tern_mac script_our_mac = {{2, 0x54, 0x45, 0x52, 0x4e, 1}};
const struct tern_mac script_peer_mac = {{2, 0, 0, 0, 0, 2}};

struct tern_addr script_our_addr(void)
{
    return tern_addr_v4(192, 0, 2, 1);
}

struct tern_addr script_peer_addr(void)
{
    return tern_addr_v4(192, 0, 2, 2);
}

static const uint8_t our_ip[4] = {192, 0, 2, 1}, peer_ip[4] = {192, 0, 2, 2};

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

static uint32_t get16(const uint8_t *p)
{
    return (uint32_t)p[0] << 8 | p[1];
}

static uint32_t get32(const uint8_t *p)
{
    return get16(p) << 16 | get16(p + 2);
}

/* RFC 1071, a byte at a time. */
static uint32_t sum_of(const uint8_t *p, uint32_t bytes, uint32_t sum)
{
    for (uint32_t i = 0; i < bytes; i++)
        sum += i % 2 == 0 ? (uint32_t)p[i] << 8 : p[i];
    while (sum > 0xffff)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

static uint32_t tcp_sum(const uint8_t *packet, uint32_t tcp_bytes)
{
    return sum_of(packet + IP, tcp_bytes, sum_of(packet + 12, 8, 0) + 6 + tcp_bytes);
}

static void put_eth_ip(uint8_t *frame, uint8_t protocol, uint32_t body_bytes,
                       const struct script_segment *s)
{
    uint8_t *ip = frame + ETH;

    memcpy(frame, script_our_mac.b, 6);
    memcpy(frame + 6, script_peer_mac.b, 6);
    put16(frame + 12, 0x0800);
    memset(ip, 0, IP);
    ip[0] = 0x45;
    ip[1] = s->tos | s->ecn;
    put16(ip + 2, IP + body_bytes);
    ip[8] = s->has_ttl ? s->ttl : 64;
    ip[9] = protocol;
    memcpy(ip + 12, s->has_from ? s->from : peer_ip, 4);
    memcpy(ip + 16, s->has_to ? s->to : our_ip, 4);
    put16(ip + 10, ~sum_of(ip, IP, 0) & 0xffff);
}

static uint32_t put_options(const struct script_segment *s, uint8_t *p)
{
    uint32_t n = 0;

    if (s->has_mss) {
        p[n] = 2;
        p[n + 1] = 4;
        put16(p + n + 2, s->mss);
        n += 4;
    }
    if (s->sack_permitted) {
        p[n] = 4;
        p[n + 1] = 2;
        n += 2;
    }
    if (s->has_timestamps) {
        p[n] = 8;
        p[n + 1] = 10;
        put32(p + n + 2, s->ts_value);
        put32(p + n + 6, s->ts_echo);
        n += 10;
    }
    if (s->has_wscale) {
        p[n] = 3;
        p[n + 1] = 3;
        p[n + 2] = s->wscale;
        n += 3;
    }
    if (s->block_count > 0) {
        p[n] = 5;
        p[n + 1] = (uint8_t)(2 + 8 * s->block_count);
        for (uint32_t i = 0; i < s->block_count; i++) {
            put32(p + n + 2 + 8 * i, s->block[i].start);
            put32(p + n + 6 + 8 * i, s->block[i].end);
        }
        n += 2u + 8u * s->block_count;
    }
    if (s->has_cookie) {
        p[n] = 34;
        p[n + 1] = (uint8_t)(2 + s->cookie_bytes);
        memcpy(p + n + 2, s->cookie, s->cookie_bytes);
        n += 2u + s->cookie_bytes;
    }
    memcpy(p + n, s->raw, s->raw_bytes);
    n += s->raw_bytes;
    while (n % 4 != 0)
        p[n++] = 1;
    return n;
}

uint32_t script_frame_build(const struct script_segment *raw, struct script_ports ports,
                            const uint8_t *text, uint8_t *frame)
{
    uint8_t *tcp = frame + TCP_AT;
    uint32_t tcp_bytes;

    memset(tcp, 0, 20);
    tcp_bytes = 20 + put_options(raw, tcp + 20);
    put16(tcp, ports.peers);
    put16(tcp + 2, ports.ours);
    put32(tcp + 4, raw->seq);
    put32(tcp + 8, raw->ack);
    tcp[12] = (uint8_t)((raw->has_offset ? raw->offset : tcp_bytes / 4) << 4 | raw->reserved);
    tcp[13] = raw->flags;
    put16(tcp + 14, raw->window);
    put16(tcp + 18, raw->urgent);
    memcpy(tcp + tcp_bytes, text, raw->length);
    tcp_bytes += raw->length;
    put_eth_ip(frame, 6, tcp_bytes, raw);
    put16(tcp + 16, (~tcp_sum(frame + ETH, tcp_bytes) ^ raw->bad_checksum) & 0xffff);
    return TCP_AT + tcp_bytes;
}

uint32_t script_frame_icmp(uint8_t type, uint8_t code, uint16_t mtu, const uint8_t *packet,
                           uint8_t *frame)
{
    const struct script_segment plain = {0};
    uint8_t *icmp = frame + TCP_AT;

    memset(icmp, 0, 8);
    icmp[0] = type;
    icmp[1] = code;
    put16(icmp + 6, mtu);
    memcpy(icmp + 8, packet, 28);
    put16(icmp + 2, ~sum_of(icmp, 36, 0) & 0xffff);
    put_eth_ip(frame, 1, 36, &plain);
    return TCP_AT + 36;
}

uint32_t script_frame_arp(bool reply, uint8_t *frame)
{
    static const uint8_t fixed[8] = {0, 1, 8, 0, 6, 4, 0, 1};

    memcpy(frame, script_our_mac.b, 6);
    memcpy(frame + 6, script_peer_mac.b, 6);
    put16(frame + 12, 0x0806);
    memcpy(frame + 14, fixed, sizeof fixed);
    frame[21] = reply ? 2 : 1;
    memcpy(frame + 22, script_peer_mac.b, 6);
    memcpy(frame + 28, peer_ip, 4);
    memcpy(frame + 32, script_our_mac.b, 6);
    memcpy(frame + 38, our_ip, 4);
    return 42;
}

uint32_t script_frame_cut(const struct tern_frame *frame, const uint8_t *bytes, uint32_t i,
                          uint8_t *out)
{
    const uint32_t headers = frame->gso == TERN_GSO_NONE ? frame->bytes : frame->header_bytes;
    const uint32_t text = frame->bytes - headers, at = i * frame->gso_bytes;
    const uint32_t left = at < text ? text - at : 0;
    const uint32_t mine = left < frame->gso_bytes ? left : frame->gso_bytes;
    uint8_t *ip = out + ETH, *tcp = out + TCP_AT;

    if (i > 0 && left == 0)
        return 0;
    memcpy(out, bytes, headers);
    memcpy(out + headers, bytes + headers + at, mine);
    if (frame->gso != TERN_GSO_NONE) {
        put16(ip + 2, headers - ETH + mine);
        put16(ip + 10, 0);
        put16(ip + 10, ~sum_of(ip, IP, 0) & 0xffff);
        put32(tcp + 4, get32(tcp + 4) + at);
        if (at + mine < text)
            tcp[13] &= (uint8_t)~9u; /* FIN and PSH belong to the last piece */
        if (i > 0)
            tcp[13] &= 0x7f; /* and CWR to the first (RFC 3168 §6.1.2) */
    }
    if (frame->csum == TERN_CSUM_NEEDS) {
        put16(tcp + 16, 0);
        put16(tcp + 16, ~tcp_sum(ip, headers - TCP_AT + mine) & 0xffff);
    }
    return headers + mine;
}

static bool take_option(struct script_segment *s, const uint8_t *p, uint32_t n)
{
    switch (p[0]) {
    case 2:
        s->has_mss = true;
        s->mss = (uint16_t)get16(p + 2);
        return n == 4;
    case 3:
        s->has_wscale = true;
        s->wscale = p[2];
        return n == 3;
    case 4:
        s->sack_permitted = true;
        return n == 2;
    case 5:
        s->block_count = (uint8_t)((n - 2) / 8);
        for (uint32_t i = 0; i < s->block_count && i < SCRIPT_BLOCKS_MAX; i++) {
            s->block[i].start = get32(p + 2 + 8 * i);
            s->block[i].end = get32(p + 6 + 8 * i);
        }
        return n % 8 == 2 && n <= 34;
    case 8:
        s->has_timestamps = true;
        s->ts_value = get32(p + 2);
        s->ts_echo = get32(p + 6);
        return n == 10;
    case 34:
        s->has_cookie = true;
        s->cookie_bytes = (uint8_t)(n - 2);
        if (s->cookie_bytes > SCRIPT_COOKIE_MAX)
            return false;
        memcpy(s->cookie, p + 2, s->cookie_bytes);
        return true;
    default:
        return false; /* we send no others */
    }
}

static bool take_options(struct script_segment *s, const uint8_t *p, uint32_t bytes)
{
    uint32_t at = 0;

    while (at < bytes && p[at] != 0) {
        if (p[at] == 1) {
            at++;
            continue;
        }
        if (at + 2 > bytes || p[at + 1] < 2 || at + p[at + 1] > bytes ||
            !take_option(s, p + at, p[at + 1]))
            return false;
        at += p[at + 1];
    }
    return true;
}

static bool parse_tcp(const uint8_t *packet, uint32_t bytes, struct script_sent *out)
{
    const uint8_t *tcp = packet + IP;
    const uint32_t tcp_bytes = bytes - IP, header = (uint32_t)(tcp[12] >> 4) * 4;
    struct script_segment *s = &out->segment;

    if (header < 20 || header > tcp_bytes || (tcp[12] & 15) != 0 ||
        tcp_sum(packet, tcp_bytes) != 0xffff)
        return false;
    memset(s, 0, sizeof *s);
    out->src_port = (uint16_t)get16(tcp);
    out->dst_port = (uint16_t)get16(tcp + 2);
    s->seq = get32(tcp + 4);
    s->ack = get32(tcp + 8);
    s->flags = tcp[13];
    s->has_window = true;
    s->window = (uint16_t)get16(tcp + 14);
    s->has_urgent = true;
    s->urgent = (uint16_t)get16(tcp + 18);
    s->ecn = packet[1] & 3;
    s->tos = packet[1] & 0xfc;
    s->ttl = packet[8];
    s->length = tcp_bytes - header;
    memcpy(out->bytes, tcp + header, s->length);
    return take_options(s, tcp + 20, header - 20);
}

enum script_frame_kind script_frame_parse(const uint8_t *frame, uint32_t bytes,
                                          struct script_sent *out)
{
    const uint8_t *packet = frame + ETH;

    if (bytes < ETH + 28 || memcmp(frame + 6, script_our_mac.b, 6) != 0)
        return SCRIPT_FRAME_BAD;
    if (get16(frame + 12) == 0x0806)
        return get16(packet + 6) == 1 && memcmp(packet + 24, peer_ip, 4) == 0
                   ? SCRIPT_FRAME_ARP_REQUEST
                   : SCRIPT_FRAME_OTHER;
    if (get16(frame + 12) != 0x0800 || packet[0] != 0x45 || sum_of(packet, IP, 0) != 0xffff ||
        get16(packet + 2) != bytes - ETH || memcmp(frame, script_peer_mac.b, 6) != 0)
        return SCRIPT_FRAME_BAD;
    if (packet[9] != 6)
        return SCRIPT_FRAME_OTHER;
    if (bytes < TCP_AT + 20 || memcmp(packet + 12, our_ip, 4) != 0)
        return SCRIPT_FRAME_BAD;
    return parse_tcp(packet, bytes - ETH, out) ? SCRIPT_FRAME_TCP : SCRIPT_FRAME_BAD;
}

static void print_options(const struct script_segment *s, char *out, size_t room)
{
    size_t n = 0;

    out[0] = '\0';
    if (s->has_mss)
        n += (size_t)snprintf(out + n, room - n, "mss %u,", s->mss);
    if (s->sack_permitted)
        n += (size_t)snprintf(out + n, room - n, "sackOK,");
    if (s->has_timestamps)
        n += (size_t)snprintf(out + n, room - n, "TS val %u ecr %u,", s->ts_value, s->ts_echo);
    if (s->has_wscale)
        n += (size_t)snprintf(out + n, room - n, "wscale %u,", s->wscale);
    for (uint32_t i = 0; i < s->block_count; i++)
        n += (size_t)snprintf(out + n, room - n, "sack %u:%u,", s->block[i].start, s->block[i].end);
    if (s->has_cookie) {
        n += (size_t)snprintf(out + n, room - n, "FO %s", s->any_cookie ? "*" : "");
        for (uint32_t i = 0; i < s->cookie_bytes; i++)
            n += (size_t)snprintf(out + n, room - n, "%02x", s->cookie[i]);
        n += (size_t)snprintf(out + n, room - n, ",");
    }
    if (n > 0)
        out[n - 1] = '\0';
}

void script_segment_print(const struct script_segment *s, char *out, size_t out_bytes)
{
    static const char letters[] = "FSRP.UEW";
    static const char *const marks[] = {"", "[ect1] ", "[ect0] ", "[ce] "};
    char flags[9] = {0}, options[200], urgent[16] = "";
    size_t n = 0;

    for (int i = 0; i < 8; i++) {
        if ((s->flags >> i & 1) != 0)
            flags[n++] = letters[i];
    }
    print_options(s, options, sizeof options);
    if (s->urgent != 0)
        snprintf(urgent, sizeof urgent, " urg %u", s->urgent);
    snprintf(out, out_bytes, "%s%s %u:%u(%u) ack %u win %u%s tos %u ttl %u <%s> why %s",
             marks[s->ecn & 3], flags, s->seq, s->seq + s->length, s->length, s->ack, s->window,
             urgent, s->tos, s->ttl, s->any_options ? "..." : options,
             s->has_cause ? tern_cause_name(s->cause) : "-");
}
