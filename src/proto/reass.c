/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Putting IPv4 fragments together.
 *
 * A packet being reassembled owns a buffer that fits any packet, the ranges of it that have
 * arrived, its whole length once the last fragment came, and the header of its first fragment.
 * It is found by keyed hash and stands in one list by age; since every packet lives equally
 * long, the head of that list is both the next to time out and the one to go when all are in
 * use.
 *
 * What can't be right ends the packet, not only the fragment: an overlap (RFC 5722 §4 says so
 * for IPv6, and the attack is the same here), two different ends, bytes beyond the end. The
 * packet is then POISONED: it keeps its place until it times out, so that the fragments still
 * to come are dropped too and do not start another. A fragment whose bytes are all here
 * already, and the same, is a duplicate and harmless.
 *
 * Fragments that no honest sender makes are dropped by themselves: empty ones, pieces other
 * than the last whose length is not a multiple of 8, ones that end beyond 65,535 bytes ("ping
 * of death"), and those that would split a TCP header (RFC 1858 §3).
 *
 * A completed packet leaves the table at once; its bytes stay where they are until the next call.
 */
#include "proto/reass.h"

#include "base/assert.h"
#include "wire/ecn.h"

#define REASS_TIMEOUT     (30 * TERN_SECOND)
#define REASS_RANGES_MAX  64
#define REASS_BYTES_MAX   (65535 - TERN_IPV4_BYTES)
#define REASS_QUOTE_BYTES 8 /* of the body, for an ICMP error: RFC 792 */
#define TCP_FIRST_MIN     20
#define NONE              UINT32_MAX

struct tern_reass_packet {
    struct tern_ipv4 first; /* header of the fragment at offset 0; before that, its keys only */
    bool have_first, have_end;
    bool poisoned;
    bool marked; /* by a router, on its way (RFC 3168 §5.3) */
    bool plain;  /* a fragment says that its transport knows no marks */
    enum tern_drop poison_reason;
    uint32_t end_bytes; /* length of the whole body; have_end */
    tern_time expires_at;
    struct tern_ranges arrived;
    struct tern_range items[REASS_RANGES_MAX];
    uint32_t chain_next; /* hash chain, or the free list */
    uint32_t age_prev, age_next;
    uint8_t body[65536];
};

static uint32_t bucket_count(uint32_t count_max)
{
    uint32_t n = 1;

    while (n < count_max)
        n <<= 1;
    return n;
}

size_t tern_reass_bytes(uint32_t count_max)
{
    TERN_ASSERT(count_max > 0);
    TERN_ASSERT(count_max <= 1u << 20);
    return count_max * sizeof(struct tern_reass_packet) +
           bucket_count(count_max) * sizeof(uint32_t);
}

void tern_reass_init(struct tern_reass *r, void *memory, uint32_t count_max,
                     const struct tern_hash_key *key)
{
    const size_t packets_bytes = count_max * sizeof(struct tern_reass_packet);

    TERN_ASSERT(memory != NULL);
    TERN_ASSERT(count_max > 0);
    *r = (struct tern_reass){.packets = memory,
                             .buckets = (void *)((uint8_t *)memory + packets_bytes),
                             .count_max = count_max,
                             .bucket_mask = bucket_count(count_max) - 1,
                             .free_first = NONE,
                             .age_first = NONE,
                             .age_last = NONE,
                             .key = *key};
    for (uint32_t i = 0; i <= r->bucket_mask; i++)
        r->buckets[i] = NONE;
}

static struct tern_reass_packet *at(const struct tern_reass *r, uint32_t i)
{
    TERN_ASSERT(i < r->fresh);
    return &r->packets[i];
}

static uint32_t index_of(const struct tern_reass *r, const struct tern_reass_packet *p)
{
    return (uint32_t)(p - r->packets);
}

/* ---- the table ---- */

static uint32_t *chain_of(const struct tern_reass *r, const struct tern_ipv4 *ip)
{
    uint8_t message[35];

    memcpy(message, ip->src.b, 16);
    memcpy(message + 16, ip->dst.b, 16);
    message[32] = ip->protocol;
    tern_put_be16(message + 33, ip->id);
    return &r->buckets[tern_hash(&r->key, message, sizeof message) & r->bucket_mask];
}

/* RFC 791 §3.2: what tells packets apart. */
static bool same_packet(const struct tern_ipv4 *a, const struct tern_ipv4 *b)
{
    return a->id == b->id && a->protocol == b->protocol && tern_addr_equal(a->src, b->src) &&
           tern_addr_equal(a->dst, b->dst);
}

static struct tern_reass_packet *find(const struct tern_reass *r, const struct tern_ipv4 *ip)
{
    uint32_t i = *chain_of(r, ip);

    while (i != NONE && !same_packet(&at(r, i)->first, ip))
        i = at(r, i)->chain_next;
    return i == NONE ? NULL : at(r, i);
}

static void age_remove(struct tern_reass *r, struct tern_reass_packet *p)
{
    *(p->age_prev == NONE ? &r->age_first : &at(r, p->age_prev)->age_next) = p->age_next;
    *(p->age_next == NONE ? &r->age_last : &at(r, p->age_next)->age_prev) = p->age_prev;
}

static void age_add(struct tern_reass *r, struct tern_reass_packet *p)
{
    p->age_prev = r->age_last;
    p->age_next = NONE;
    *(r->age_last == NONE ? &r->age_first : &at(r, r->age_last)->age_next) = index_of(r, p);
    r->age_last = index_of(r, p);
}

static void forget(struct tern_reass *r, struct tern_reass_packet *p)
{
    uint32_t *link = chain_of(r, &p->first);

    TERN_ASSERT(r->used > 0);
    while (*link != index_of(r, p))
        link = &at(r, *link)->chain_next;
    *link = p->chain_next;
    age_remove(r, p);
    p->chain_next = r->free_first;
    r->free_first = index_of(r, p);
    r->used--;
}

static struct tern_reass_packet *create(struct tern_reass *r, const struct tern_ipv4 *ip,
                                        tern_time now)
{
    struct tern_reass_packet *p;
    uint32_t *chain = chain_of(r, ip);

    if (r->used == r->count_max) {
        r->dropped[TERN_DROP_FRAG_FULL]++;
        forget(r, at(r, r->age_first));
    }
    if (r->free_first != NONE) {
        p = at(r, r->free_first);
        r->free_first = p->chain_next;
    } else {
        p = &r->packets[r->fresh++];
    }
    p->first = *ip;
    p->have_first = p->have_end = p->poisoned = p->marked = p->plain = false;
    p->end_bytes = 0;
    p->expires_at = now + REASS_TIMEOUT;
    tern_ranges_init(&p->arrived, p->items, REASS_RANGES_MAX);
    p->chain_next = *chain;
    *chain = index_of(r, p);
    age_add(r, p);
    r->used++;
    return p;
}

/* ---- a fragment ---- */

/* Fragments that are wrong whatever else arrived. */
static bool is_impossible(const struct tern_ipv4 *ip, tern_span body)
{
    const size_t end = ip->fragment_offset_bytes + body.bytes;

    if (body.bytes == 0 || end > REASS_BYTES_MAX)
        return true;
    if (ip->more_fragments && body.bytes % 8 != 0)
        return true;
    if (ip->protocol != TERN_IP_TCP) /* RFC 1858 §3: a TCP header comes in one piece */
        return false;
    if (ip->fragment_offset_bytes == 0)
        return body.bytes < TCP_FIRST_MIN;
    return ip->fragment_offset_bytes < TCP_FIRST_MIN;
}

/* Does it contradict what has arrived about where the packet ends? */
static bool contradicts_end(const struct tern_reass_packet *p, const struct tern_ipv4 *ip,
                            uint32_t end)
{
    const uint16_t n = p->arrived.count;

    if (p->have_end)
        return ip->more_fragments ? end > p->end_bytes : end != p->end_bytes;
    return !ip->more_fragments && n > 0 && p->arrived.item[n - 1].end > end;
}

enum placed { PLACED_NEW, PLACED_DUPLICATE, PLACED_BAD, PLACED_OVERLAP, PLACED_FULL };

static enum placed place(struct tern_reass_packet *p, const struct tern_ipv4 *ip, tern_span body)
{
    const uint32_t start = ip->fragment_offset_bytes;
    const uint32_t end = start + (uint32_t)body.bytes;

    TERN_ASSERT(end <= sizeof p->body);
    if (contradicts_end(p, ip, end))
        return PLACED_BAD;
    if (tern_ranges_bytes_within(&p->arrived, start, end) > 0) {
        if (!tern_ranges_covers(&p->arrived, start, end))
            return PLACED_OVERLAP;
        if (memcmp(p->body + start, body.data, body.bytes) != 0)
            return PLACED_OVERLAP;
        return ip->more_fragments || p->have_end ? PLACED_DUPLICATE : PLACED_OVERLAP;
    }
    if (!tern_ranges_add(&p->arrived, start, end))
        return PLACED_FULL;
    memcpy(p->body + start, body.data, body.bytes);
    if (!ip->more_fragments) {
        p->have_end = true;
        p->end_bytes = end;
    }
    if (start == 0) {
        p->first = *ip;
        p->have_first = true;
    }
    p->marked = p->marked || (ip->tos & TERN_ECN_MASK) == TERN_ECN_CE;
    p->plain = p->plain || (ip->tos & TERN_ECN_MASK) == TERN_ECN_NOT_ECT;
    return PLACED_NEW;
}

static void poison(struct tern_reass *r, struct tern_reass_packet *p, enum tern_drop reason)
{
    r->dropped[reason]++;
    p->poisoned = true;
    p->poison_reason = reason;
    tern_ranges_clear(&p->arrived);
}

/* Whole? Then its header, as if it had never been in pieces, and its bytes. */
static bool complete(struct tern_reass *r, struct tern_reass_packet *p, struct tern_ipv4 *whole,
                     tern_span *whole_body)
{
    uint32_t total_bytes;

    if (!p->have_end || !p->have_first || !tern_ranges_covers(&p->arrived, 0, p->end_bytes))
        return false;
    total_bytes = p->first.header_bytes + p->end_bytes;
    forget(r, p);
    /* it fits, but for the options of the first header; or a mark that may neither be set on a
     * packet of no ECN transport nor be lost (RFC 3168 §5.3) */
    if (total_bytes > UINT16_MAX || (p->marked && p->plain)) {
        r->dropped[TERN_DROP_FRAG_BAD]++;
        return false;
    }
    *whole = p->first;
    if (p->marked)
        whole->tos |= TERN_ECN_CE; /* a mark on a part is one on the whole (RFC 3168 §5.3) */
    whole->more_fragments = false;
    whole->fragment_offset_bytes = 0;
    whole->total_bytes = (uint16_t)total_bytes;
    *whole_body = tern_span_of(p->body, p->end_bytes);
    return true;
}

bool tern_reass_input(struct tern_reass *r, const struct tern_ipv4 *ip, tern_span body,
                      tern_time now, struct tern_ipv4 *whole, tern_span *whole_body)
{
    struct tern_reass_packet *p;

    TERN_ASSERT(ip->more_fragments || ip->fragment_offset_bytes > 0);
    if (is_impossible(ip, body)) {
        r->dropped[TERN_DROP_FRAG_BAD]++;
        return false;
    }
    p = find(r, ip);
    if (p == NULL)
        p = create(r, ip, now);
    if (p->poisoned) {
        r->dropped[p->poison_reason]++;
        return false;
    }
    switch (place(p, ip, body)) {
    case PLACED_NEW:
        return complete(r, p, whole, whole_body);
    case PLACED_DUPLICATE:
        break;
    case PLACED_BAD:
        poison(r, p, TERN_DROP_FRAG_BAD);
        break;
    case PLACED_OVERLAP:
        poison(r, p, TERN_DROP_FRAG_OVERLAP);
        break;
    case PLACED_FULL:
        poison(r, p, TERN_DROP_FRAG_FULL);
        break;
    }
    return false;
}

/* ---- time ---- */

tern_time tern_reass_deadline(const struct tern_reass *r)
{
    return r->age_first == NONE ? TERN_TIME_NEVER : at(r, r->age_first)->expires_at;
}

bool tern_reass_expire_one(struct tern_reass *r, tern_time now, struct tern_ipv4 *first,
                           tern_span *quote)
{
    struct tern_reass_packet *p;

    if (tern_reass_deadline(r) > now)
        return false;
    p = at(r, r->age_first);
    *first = p->first;
    *quote = tern_span_of(p->body, p->have_first && !p->poisoned ? REASS_QUOTE_BYTES : 0);
    if (!p->poisoned)
        r->dropped[TERN_DROP_FRAG_TIMEOUT]++;
    forget(r, p);
    return true;
}

void tern_reass_expire(struct tern_reass *r, tern_time now)
{
    struct tern_ipv4 first;
    tern_span quote;

    for (uint32_t i = 0; i < r->count_max; i++) {
        if (!tern_reass_expire_one(r, now, &first, &quote))
            return;
    }
}

uint64_t tern_reass_dropped(struct tern_reass *r, enum tern_drop reason)
{
    const uint64_t n = r->dropped[reason];

    TERN_ASSERT(reason < TERN_DROP_COUNT);
    r->dropped[reason] = 0;
    return n;
}

/* ---- soundness ---- */

static uint32_t check_ages(const struct tern_reass *r)
{
    uint32_t count = 0, prev = NONE;

    for (uint32_t i = r->age_first; i != NONE; i = at(r, i)->age_next) {
        TERN_ASSERT(at(r, i)->age_prev == prev);
        TERN_ASSERT(prev == NONE || at(r, prev)->expires_at <= at(r, i)->expires_at);
        TERN_ASSERT(++count <= r->used);
        prev = i;
    }
    TERN_ASSERT(r->age_last == prev);
    return count;
}

static void check_packet(const struct tern_reass *r, const struct tern_reass_packet *p)
{
    const uint16_t n = p->arrived.count;

    tern_ranges_check(&p->arrived);
    TERN_ASSERT(find(r, &p->first) == p);
    TERN_ASSERT(p->poisoned == (n == 0));
    TERN_ASSERT(n == 0 || p->arrived.item[n - 1].end <= REASS_BYTES_MAX);
    TERN_ASSERT(n == 0 || !p->have_end || p->arrived.item[n - 1].end <= p->end_bytes);
}

void tern_reass_check(const struct tern_reass *r)
{
    uint32_t used = 0;

    TERN_ASSERT(r->used <= r->count_max);
    for (uint32_t b = 0; b <= r->bucket_mask; b++) {
        for (uint32_t i = r->buckets[b]; i != NONE; i = at(r, i)->chain_next) {
            TERN_ASSERT(++used <= r->used);
            TERN_ASSERT(chain_of(r, &at(r, i)->first) == &r->buckets[b]);
            check_packet(r, at(r, i));
        }
    }
    TERN_ASSERT(used == r->used);
    TERN_ASSERT(check_ages(r) == used);
}
