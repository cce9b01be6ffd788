/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_PROTO_NEIGH_H
#define TERN_PROTO_NEIGH_H
/*
 * The neighbour cache: IP address to MAC, resolved by ARP (RFC 826; RFC 1122 §2.3.2).
 *
 * The stack asks with tern_neigh_lookup() before it sends; while an answer is PENDING the stack
 * keeps the packet where it is (a connection's queue, a datagram queue) and asks again when
 * tern_neigh_changed() says that entries were resolved or failed. Requests go out at once, then
 * after 1 and 2 s (NEIGH_TRIES in all); 1 s later the entry FAILs, and it is forgotten after
 * NEIGH_FAILED_KEEP. An entry that was confirmed within NEIGH_REACHABLE is used as it is; an older
 * one is used and asked again in the background (unicast, at last broadcast). The table is fixed:
 * when full, the least recently used entry that is not pending goes. Lookup by keyed hash. Entries
 * are learnt from answers to our questions and from requests for one of our addresses, updated
 * (never created) by other ARP traffic from their owner.
 */
#include "base/hash.h"
#include "proto/observe.h"
#include "wire/arp.h"
#include <tern/cause.h>
#include <tern/time.h>

enum tern_neigh_verdict {
    TERN_NEIGH_RESOLVED,
    TERN_NEIGH_PENDING,
    TERN_NEIGH_BUSY, /* not even asked: half of the table is being asked already */
    TERN_NEIGH_FAILED,
};

struct tern_neigh_entry; /* in neigh.c */

struct tern_neigh {
    struct tern_neigh_entry *entries;
    uint32_t *buckets;
    uint32_t count_max, bucket_mask;
    uint32_t used;
    uint32_t fresh;                 /* entries below this number have been used */
    uint32_t free_first;            /* those given back */
    uint32_t lru_first, lru_last;   /* least and most recently used */
    uint32_t due_first, due_last;   /* requests to send */
    uint32_t wait_first, wait_last; /* sorted by when their wait ends */
    uint32_t pending_count;
    struct tern_hash_key key;
    struct tern_mac own_mac;
    bool changed;
    const struct tern_observer *observer; /* NULL: none; set after init */
};

size_t tern_neigh_bytes(uint32_t count_max); /* memory behind entries and buckets */
void tern_neigh_init(struct tern_neigh *n, void *memory, uint32_t count_max,
                     const struct tern_hash_key *key, struct tern_mac own_mac);

/* The MAC for an on-link address; source: the own address to ask from. Starts asking where it
 * must. */
enum tern_neigh_verdict tern_neigh_lookup(struct tern_neigh *n, struct tern_addr addr,
                                          struct tern_addr source, tern_time now,
                                          struct tern_mac *out);
/* The transport hears nothing through this neighbour (RFC 9293 §3.8.3, R1): what is known is used,
 * and asked about at the next lookup. */
void tern_neigh_doubt(struct tern_neigh *n, struct tern_addr addr, tern_time now);
/* Look without asking or touching; for words on the screen. */
bool tern_neigh_peek(const struct tern_neigh *n, struct tern_addr addr, struct tern_mac *out);

/* An ARP packet arrived. for_us: its target is one of our claimed addresses. */
void tern_neigh_input(struct tern_neigh *n, const struct tern_arp *arp, bool for_us, tern_time now);
/* A request that is due, addressed to *dst (broadcast or unicast); false: none. */
bool tern_neigh_output(struct tern_neigh *n, tern_time now, struct tern_arp *out,
                       struct tern_mac *dst);
tern_time tern_neigh_deadline(const struct tern_neigh *n);
void tern_neigh_expire(struct tern_neigh *n, tern_time now);
/* Were entries resolved or failed since the last call? (cleared by reading) */
bool tern_neigh_changed(struct tern_neigh *n);
/* Forget everything (MAC changed, link went away). */
void tern_neigh_flush(struct tern_neigh *n, struct tern_mac own_mac);
void tern_neigh_check(const struct tern_neigh *n);

#endif
