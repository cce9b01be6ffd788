/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * base/steer.h for a frame. Of an ICMP error it is the quoted packet that tells whose it is; its
 * header is one of ours, and so without options. What is too short for its numbers is the first
 * queue's, as a packet filter has it.
 */
#include "link/queue_steer.h"

#include <stdbool.h>

#include "base/bytes.h"
#include "base/steer.h"

enum {
    OFF_TYPE = 12,
    OFF_IP = 14,
    TYPE_ARP = 0x0806,
    TYPE_IPV4 = 0x0800,
    IP_BYTES = 20,
    IP_FRAGMENT = 6,
    IP_PROTOCOL = 9,
    IP_SRC = 12,
    IP_DST = 16,
    FRAGMENT_BITS = 0x3fff,
    PORTS_BYTES = 4,
    ICMP_BYTES = 8,
    PLAIN_HEADER = 0x45,
};

static bool has_ports(uint8_t protocol)
{
    return protocol == 6 || protocol == 17;
}

/* Unreachable, time exceeded, parameter problem. */
static bool is_icmp_error(uint8_t type)
{
    return type == 3 || type == 11 || type == 12;
}

static uint32_t sum_of(const uint8_t *ip, const uint8_t *ports)
{
    return tern_get_be32(ip + IP_SRC) + tern_get_be32(ip + IP_DST) + tern_get_be16(ports) +
           tern_get_be16(ports + 2);
}

static uint32_t of_icmp(const uint8_t *icmp, size_t bytes, uint32_t queues)
{
    const uint8_t *quote = icmp + ICMP_BYTES;

    if (bytes < ICMP_BYTES + IP_BYTES + PORTS_BYTES || !is_icmp_error(icmp[0]) ||
        quote[0] != PLAIN_HEADER || !has_ports(quote[IP_PROTOCOL]))
        return 0;
    return tern_steer_sum(sum_of(quote, quote + IP_BYTES), queues);
}

static uint32_t of_ipv4(const uint8_t *ip, size_t bytes, uint32_t queues)
{
    size_t header;

    if (bytes < IP_BYTES || (tern_get_be16(ip + IP_FRAGMENT) & FRAGMENT_BITS) != 0)
        return 0;
    header = 4 * (size_t)(ip[0] & 0xf);
    if (ip[IP_PROTOCOL] == 1)
        return header < bytes ? of_icmp(ip + header, bytes - header, queues) : 0;
    if (!has_ports(ip[IP_PROTOCOL]) || bytes < header + PORTS_BYTES)
        return 0;
    return tern_steer_sum(sum_of(ip, ip + header), queues);
}

uint32_t tern_queue_of(const uint8_t *frame, size_t bytes, uint32_t queues)
{
    if (bytes < OFF_IP)
        return TERN_QUEUE_ANY;
    switch (tern_get_be16(frame + OFF_TYPE)) {
    case TYPE_ARP:
        return TERN_QUEUE_ALL;
    case TYPE_IPV4:
        return of_ipv4(frame + OFF_IP, bytes - OFF_IP, queues);
    default:
        return TERN_QUEUE_ANY;
    }
}
