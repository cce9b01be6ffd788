/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_PROTO_ICMP_RULES_H
#define TERN_PROTO_ICMP_RULES_H
/*
 * What ICMP may do here: when an error may be sent (RFC 1122 §3.2.2: never about an ICMP error,
 * a broadcast or multicast, a fragment other than the first, or a source that names no single
 * host), how often (a token bucket, RFC 1812 §4.3.2.8: 50 at once, 100 a second), and what a
 * received error means for a transport (RFC 1122 §4.2.3.9; RFC 5927 §4, §5: a hard error never
 * kills a synchronised connection).
 */
#include "wire/icmp.h"
#include "wire/ipv4.h"
#include <tern/time.h>

struct tern_icmp_bucket {
    uint32_t tokens;
    tern_time filled_at;
};

void tern_icmp_bucket_init(struct tern_icmp_bucket *b, tern_time now);
/* Take a token; false: withheld. */
bool tern_icmp_bucket_take(struct tern_icmp_bucket *b, tern_time now);

/*
 * May an error be sent about this packet?
 *   body              the packet's body (to look whether it is itself an ICMP error)
 *   frame_is_group    it came to a group MAC
 *   dst_is_broadcast  it was sent to a directed or limited broadcast
 */
bool tern_icmp_error_allowed(const struct tern_ipv4 *ip, tern_span body, bool frame_is_group,
                             bool dst_is_broadcast);

/* Bytes of the packet at fault that go into an error: header and as much as keeps the error
 * within 576 bytes (RFC 1812 §4.3.2.3). */
#define TERN_ICMP_QUOTE_BYTES_MAX 548

enum tern_icmp_effect {
    TERN_ICMP_EFFECT_NONE,
    TERN_ICMP_EFFECT_SOFT,    /* remember; report if the connection attempt times out */
    TERN_ICMP_EFFECT_HARD,    /* ends a connection that is not yet synchronised; refused for UDP */
    TERN_ICMP_EFFECT_TOO_BIG, /* path MTU (RFC 1191) */
};
enum tern_icmp_effect tern_icmp_effect_of(const struct tern_icmp *icmp);

/* An ICMP error's quotation: the packet of ours that it is about. */
struct tern_icmp_quote {
    struct tern_addr src, dst; /* ours, the peer's */
    uint8_t protocol;
    uint16_t total_bytes;            /* of that packet */
    uint16_t src_port, dst_port;     /* TCP, UDP */
    uint32_t seq;                    /* TCP */
    uint16_t echo_id, echo_sequence; /* ICMP echo request */
};
/* False: too short, malformed, or about nothing that we send. */
bool tern_icmp_quote_parse(tern_span body, struct tern_icmp_quote *out);

#endif
