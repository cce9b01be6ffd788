/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_WIRE_IPV4_H
#define TERN_WIRE_IPV4_H
/* IPv4 (RFC 791). Options are skipped on the way in and never sent. */
#include "base/bytes.h"

#define TERN_IPV4_BYTES 20

enum {
    TERN_IP_ICMP = 1,
    TERN_IP_TCP = 6,
    TERN_IP_UDP = 17,
};

struct tern_ipv4 {
    uint8_t tos;
    uint16_t id;
    bool dont_fragment, more_fragments;
    uint16_t fragment_offset_bytes;
    uint8_t ttl;
    uint8_t protocol;
    uint16_t header_bytes; /* in: with options; out: ignored, always 20 */
    uint16_t total_bytes;  /* in: header and body; out: filled from body_bytes */
    struct tern_addr src, dst;
};

enum tern_ipv4_verdict { TERN_IPV4_OK, TERN_IPV4_BAD_HEADER, TERN_IPV4_BAD_CHECKSUM };

/* Of a header without options: all of it sums up to 0xffff (RFC 1071 §1), in any byte order. */
static inline bool tern_ipv4_sum_is_good(const uint8_t *p)
{
    uint32_t word[TERN_IPV4_BYTES / 4];
    uint64_t sum;

    memcpy(word, p, sizeof word);
    sum = (uint64_t)word[0] + word[1] + word[2] + word[3] + word[4];
    sum = (sum >> 32) + (sum & UINT32_MAX);
    sum = (sum >> 16) + (sum & UINT16_MAX); /* 18 bits at most */
    sum = (sum >> 16) + (sum & UINT16_MAX);
    return (sum >> 16) + (sum & UINT16_MAX) == UINT16_MAX;
}

/* body: total length less header, padding behind it cut off. */
enum tern_ipv4_verdict tern_ipv4_parse(tern_span in, struct tern_ipv4 *out, tern_span *body);
/* Emits 20 bytes with the header checksum. */
void tern_ipv4_emit(const struct tern_ipv4 *ip, uint16_t body_bytes, struct tern_writer *w);

#endif
