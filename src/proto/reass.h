/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_PROTO_REASS_H
#define TERN_PROTO_REASS_H
/*
 * IPv4 reassembly (RFC 791 §3.2; RFC 1122 §3.3.2; RFC 5722's spirit for overlaps; RFC 1858).
 * A fixed number of packets at once, each with a buffer for the longest packet and up to
 * REASS_RANGES_MAX (64) separate pieces. Keyed by source, destination, protocol and ID through the
 * keyed hash. When all are in use the oldest goes (counted as FRAG_FULL). Exact duplicates are
 * ignored; an overlap drops the packet (FRAG_OVERLAP). Timeout: 30 s after the first fragment.
 */
#include "base/hash.h"
#include "base/ranges.h"
#include "wire/ipv4.h"
#include <tern/drop.h>
#include <tern/time.h>

struct tern_reass_packet; /* in reass.c */

struct tern_reass {
    struct tern_reass_packet *packets;
    uint32_t *buckets;
    uint32_t count_max, bucket_mask;
    uint32_t used;
    uint32_t fresh;               /* packets below this number have been used */
    uint32_t free_first;          /* those given back */
    uint32_t age_first, age_last; /* oldest first: also the order of their timeouts */
    struct tern_hash_key key;
    /* since the last tern_reass_dropped(): only FRAG_… are used */
    uint64_t dropped[TERN_DROP_COUNT];
};

size_t tern_reass_bytes(uint32_t count_max);
void tern_reass_init(struct tern_reass *r, void *memory, uint32_t count_max,
                     const struct tern_hash_key *key);
/* A fragment (more_fragments or an offset). True: the packet is whole; *whole is its header
 * (offset 0, no more fragments, total_bytes of the whole) and *whole_body its bytes, valid until
 * the next call. */
bool tern_reass_input(struct tern_reass *r, const struct tern_ipv4 *ip, tern_span body,
                      tern_time now, struct tern_ipv4 *whole, tern_span *whole_body);
tern_time tern_reass_deadline(const struct tern_reass *r);
/* Drop what has timed out. */
void tern_reass_expire(struct tern_reass *r, tern_time now);
/*
 * The same for one packet; false: none. For ICMP's time exceeded in reassembly (RFC 1122 §3.3.2):
 * *quote is the start of its body, valid until the next call, and empty where its first fragment
 * never came, so that there is nothing to quote and nothing to send.
 */
bool tern_reass_expire_one(struct tern_reass *r, tern_time now, struct tern_ipv4 *first,
                           tern_span *quote);
/* Drops for a reason since the last call for it. */
uint64_t tern_reass_dropped(struct tern_reass *r, enum tern_drop reason);
void tern_reass_check(const struct tern_reass *r);

#endif
