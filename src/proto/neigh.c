/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The neighbour cache.
 *
 * An entry is PENDING (asked, no answer yet), KNOWN (has a MAC, maybe being asked again in the
 * background) or FAILED (nobody answered; remembered for a moment, so that callers hear it).
 *
 * Every entry in use stands in a hash chain. Beside that it stands in up to two lists:
 *   asks   due, then waiting: a request is to be sent / was sent, or a failure is remembered.
 *          All waits are NEIGH_INTERVAL long, so the waiting list is sorted by itself, and its
 *          head is the deadline.
 *   lru    those that may be evicted: everything but PENDING. Used ones go to the recent end.
 *          One that a stranger's request created starts at the other end, and so does a FAILED
 *          one, so that a flood of strangers evicts strangers and not the gateway.
 * PENDING ones fill half of the table at the most: packets in the name of neighbours that do not
 * exist make us ask for them, and must not push out those that do.
 * Everything here takes constant time, whatever the table holds.
 *
 * What ARP says is unproven, so (after RFC 826, minus what only helps forgers):
 *   - an entry is created by our own lookup, or by a request for an address of ours (we are about
 *     to answer, and the asker will talk); never by a reply that nobody asked for or by
 *     gratuitous ARP;
 *   - any ARP from its owner updates an entry, but a MAC that was confirmed within NEIGH_LOCK
 *     is not replaced by another: of two answers the first counts;
 *   - senders that no host can be (0.0.0.0, multicast, a group MAC, our own MAC) teach nothing.
 */
#include "proto/neigh.h"

#include "base/assert.h"

#define NEIGH_INTERVAL    (1 * TERN_SECOND) /* RFC 1122 §2.3.2.1: at most one request a second */
#define NEIGH_TRIES       3
#define NEIGH_POLLS       2                  /* of a refresh's tries, so many are unicast */
#define NEIGH_REACHABLE   (60 * TERN_SECOND) /* RFC 1122 §2.3.2.1: in the order of a minute */
#define NEIGH_FAILED_KEEP NEIGH_INTERVAL     /* so that one sorted list serves all */
#define NEIGH_LOCK        (1 * TERN_SECOND)
#define NONE              UINT32_MAX

enum entry_state { ENTRY_PENDING = 1, ENTRY_KNOWN, ENTRY_FAILED };
enum entry_ask { ASK_NOT, ASK_DUE, ASK_WAITING };

struct tern_neigh_entry {
    struct tern_addr addr;
    struct tern_addr source; /* asks from here */
    struct tern_mac mac;     /* KNOWN */
    uint8_t state;           /* enum entry_state; 0: free */
    uint8_t ask;             /* enum entry_ask */
    uint8_t tries;           /* requests sent in this round */
    bool in_lru;
    tern_time confirmed_at; /* KNOWN */
    tern_time at;           /* ASK_WAITING: until when */
    uint32_t chain_next;    /* hash chain, or the free list */
    uint32_t ask_prev, ask_next;
    uint32_t lru_prev, lru_next;
};

static uint32_t bucket_count(uint32_t count_max)
{
    uint32_t n = 1;

    while (n < count_max)
        n <<= 1;
    return n;
}

size_t tern_neigh_bytes(uint32_t count_max)
{
    TERN_ASSERT(count_max > 0);
    TERN_ASSERT(count_max <= 1u << 24);
    return count_max * sizeof(struct tern_neigh_entry) + bucket_count(count_max) * sizeof(uint32_t);
}

static void clear(struct tern_neigh *n)
{
    for (uint32_t i = 0; i <= n->bucket_mask; i++)
        n->buckets[i] = NONE;
    n->used = 0;
    n->fresh = 0;
    n->free_first = NONE;
    n->lru_first = n->lru_last = NONE;
    n->due_first = n->due_last = NONE;
    n->wait_first = n->wait_last = NONE;
    n->pending_count = 0;
}

void tern_neigh_init(struct tern_neigh *n, void *memory, uint32_t count_max,
                     const struct tern_hash_key *key, struct tern_mac own_mac)
{
    const size_t entries_bytes = count_max * sizeof(struct tern_neigh_entry);

    TERN_ASSERT(memory != NULL);
    TERN_ASSERT(count_max > 0);
    *n = (struct tern_neigh){.entries = memory,
                             .buckets = (void *)((uint8_t *)memory + entries_bytes),
                             .count_max = count_max,
                             .bucket_mask = bucket_count(count_max) - 1,
                             .key = *key,
                             .own_mac = own_mac};
    clear(n);
}

static struct tern_neigh_entry *at(const struct tern_neigh *n, uint32_t i)
{
    TERN_ASSERT(i < n->fresh);
    return &n->entries[i];
}

static uint32_t index_of(const struct tern_neigh *n, const struct tern_neigh_entry *e)
{
    return (uint32_t)(e - n->entries);
}

/* ---- lists ---- */

static void lru_remove(struct tern_neigh *n, struct tern_neigh_entry *e)
{
    if (!e->in_lru)
        return;
    *(e->lru_prev == NONE ? &n->lru_first : &at(n, e->lru_prev)->lru_next) = e->lru_next;
    *(e->lru_next == NONE ? &n->lru_last : &at(n, e->lru_next)->lru_prev) = e->lru_prev;
    e->in_lru = false;
}

static void lru_add_recent(struct tern_neigh *n, struct tern_neigh_entry *e)
{
    TERN_ASSERT(!e->in_lru);
    e->lru_prev = n->lru_last;
    e->lru_next = NONE;
    *(n->lru_last == NONE ? &n->lru_first : &at(n, n->lru_last)->lru_next) = index_of(n, e);
    n->lru_last = index_of(n, e);
    e->in_lru = true;
}

static void lru_add_oldest(struct tern_neigh *n, struct tern_neigh_entry *e)
{
    TERN_ASSERT(!e->in_lru);
    e->lru_prev = NONE;
    e->lru_next = n->lru_first;
    *(n->lru_first == NONE ? &n->lru_last : &at(n, n->lru_first)->lru_prev) = index_of(n, e);
    n->lru_first = index_of(n, e);
    e->in_lru = true;
}

static void ask_remove(struct tern_neigh *n, struct tern_neigh_entry *e)
{
    uint32_t *first = e->ask == ASK_DUE ? &n->due_first : &n->wait_first;
    uint32_t *last = e->ask == ASK_DUE ? &n->due_last : &n->wait_last;

    if (e->ask == ASK_NOT)
        return;
    *(e->ask_prev == NONE ? first : &at(n, e->ask_prev)->ask_next) = e->ask_next;
    *(e->ask_next == NONE ? last : &at(n, e->ask_next)->ask_prev) = e->ask_prev;
    e->ask = ASK_NOT;
}

static void ask_add(struct tern_neigh *n, struct tern_neigh_entry *e, enum entry_ask ask)
{
    uint32_t *first = ask == ASK_DUE ? &n->due_first : &n->wait_first;
    uint32_t *last = ask == ASK_DUE ? &n->due_last : &n->wait_last;

    TERN_ASSERT(e->ask == ASK_NOT);
    TERN_ASSERT(ask != ASK_NOT);
    e->ask_prev = *last;
    e->ask_next = NONE;
    *(*last == NONE ? first : &at(n, *last)->ask_next) = index_of(n, e);
    *last = index_of(n, e);
    e->ask = (uint8_t)ask;
}

static void wait_until(struct tern_neigh *n, struct tern_neigh_entry *e, tern_time until)
{
    TERN_ASSERT(n->wait_last == NONE || at(n, n->wait_last)->at <= until);
    e->at = until;
    ask_add(n, e, ASK_WAITING);
}

/* ---- entries ---- */

static uint32_t *chain_of(const struct tern_neigh *n, struct tern_addr addr)
{
    return &n->buckets[tern_hash(&n->key, addr.b, sizeof addr.b) & n->bucket_mask];
}

static struct tern_neigh_entry *find(const struct tern_neigh *n, struct tern_addr addr)
{
    uint32_t i = *chain_of(n, addr);

    while (i != NONE && !tern_addr_equal(at(n, i)->addr, addr))
        i = at(n, i)->chain_next;
    return i == NONE ? NULL : at(n, i);
}

static void set_state(struct tern_neigh *n, struct tern_neigh_entry *e, enum entry_state state)
{
    n->pending_count -= e->state == ENTRY_PENDING ? 1 : 0;
    n->pending_count += state == ENTRY_PENDING ? 1 : 0;
    e->state = (uint8_t)state;
}

static void forget(struct tern_neigh *n, struct tern_neigh_entry *e)
{
    uint32_t *link = chain_of(n, e->addr);

    lru_remove(n, e);
    ask_remove(n, e);
    while (*link != index_of(n, e))
        link = &at(n, *link)->chain_next;
    *link = e->chain_next;
    set_state(n, e, 0);
    e->chain_next = n->free_first;
    n->free_first = index_of(n, e);
    n->used--;
}

static uint32_t pending_max(const struct tern_neigh *n)
{
    return (n->count_max + 1) / 2;
}

/* A new entry in its hash chain and no list; NULL: there are too many PENDING ones. */
static struct tern_neigh_entry *create(struct tern_neigh *n, struct tern_addr addr,
                                       enum entry_state state)
{
    struct tern_neigh_entry *e;
    uint32_t *chain = chain_of(n, addr);

    TERN_ASSERT(find(n, addr) == NULL);
    if (state == ENTRY_PENDING && n->pending_count >= pending_max(n))
        return NULL;
    if (n->used == n->count_max) {
        if (n->lru_first == NONE)
            return NULL;
        forget(n, at(n, n->lru_first));
    }
    if (n->free_first != NONE) {
        e = at(n, n->free_first);
        n->free_first = e->chain_next;
    } else {
        e = &n->entries[n->fresh++];
    }
    *e = (struct tern_neigh_entry){.addr = addr, .chain_next = *chain};
    *chain = index_of(n, e);
    n->used++;
    set_state(n, e, state);
    return e;
}

/* ---- the callers' side ---- */

static void touch(struct tern_neigh *n, struct tern_neigh_entry *e)
{
    if (n->lru_last == index_of(n, e))
        return;
    lru_remove(n, e);
    lru_add_recent(n, e);
}

static void ask_begin(struct tern_neigh *n, struct tern_neigh_entry *e, struct tern_addr source)
{
    e->source = source;
    e->tries = 0;
    ask_add(n, e, ASK_DUE);
}

enum tern_neigh_verdict tern_neigh_lookup(struct tern_neigh *n, struct tern_addr addr,
                                          struct tern_addr source, tern_time now,
                                          struct tern_mac *out)
{
    struct tern_neigh_entry *e = find(n, addr);

    TERN_ASSERT(tern_addr_is_v4(addr));
    TERN_ASSERT(!tern_addr_is_any(addr));
    if (e == NULL) {
        e = create(n, addr, ENTRY_PENDING);
        if (e == NULL) /* enough are being asked: one that answers, or does not, makes room */
            return TERN_NEIGH_BUSY;
        ask_begin(n, e, source);
        tern_tell_neighbour(n->observer, TERN_NEIGHBOUR_ASKED, &addr, NULL, now);
        return TERN_NEIGH_PENDING;
    }
    if (e->state == ENTRY_PENDING)
        return TERN_NEIGH_PENDING;
    if (e->state == ENTRY_FAILED)
        return TERN_NEIGH_FAILED;
    touch(n, e);
    if (e->ask == ASK_NOT && now - e->confirmed_at >= NEIGH_REACHABLE)
        ask_begin(n, e, source);
    *out = e->mac;
    return TERN_NEIGH_RESOLVED;
}

void tern_neigh_doubt(struct tern_neigh *n, struct tern_addr addr, tern_time now)
{
    struct tern_neigh_entry *e = find(n, addr);

    if (e != NULL && e->state == ENTRY_KNOWN && now - e->confirmed_at < NEIGH_REACHABLE)
        e->confirmed_at = now - NEIGH_REACHABLE;
}

bool tern_neigh_peek(const struct tern_neigh *n, struct tern_addr addr, struct tern_mac *out)
{
    const struct tern_neigh_entry *e = find(n, addr);

    if (e == NULL || e->state != ENTRY_KNOWN)
        return false;
    *out = e->mac;
    return true;
}

/* ---- the network's side ---- */

static void confirm(struct tern_neigh *n, struct tern_neigh_entry *e, struct tern_mac mac,
                    tern_time now)
{
    const bool new_mac = e->state != ENTRY_KNOWN || !tern_mac_equal(e->mac, mac);

    if (e->state == ENTRY_KNOWN && new_mac && now - e->confirmed_at < NEIGH_LOCK)
        return;
    ask_remove(n, e);
    if (e->state == ENTRY_PENDING)
        lru_add_recent(n, e);
    set_state(n, e, ENTRY_KNOWN);
    e->mac = mac;
    e->confirmed_at = now;
    n->changed = n->changed || new_mac;
    if (new_mac)
        tern_tell_neighbour(n->observer, TERN_NEIGHBOUR_KNOWN, &e->addr, &mac, now);
}

static bool can_be_a_host(const struct tern_neigh *n, const struct tern_arp *arp)
{
    if (tern_addr_is_any(arp->sender) || tern_addr_is_multicast(arp->sender))
        return false;
    if (tern_addr_to_be32(arp->sender) == UINT32_MAX)
        return false;
    return !tern_mac_is_group(arp->sender_mac) && !tern_mac_equal(arp->sender_mac, n->own_mac);
}

void tern_neigh_input(struct tern_neigh *n, const struct tern_arp *arp, bool for_us, tern_time now)
{
    struct tern_neigh_entry *e;

    if (arp->op != TERN_ARP_REQUEST && arp->op != TERN_ARP_REPLY)
        return;
    if (!can_be_a_host(n, arp))
        return;
    e = find(n, arp->sender);
    if (e != NULL) {
        confirm(n, e, arp->sender_mac, now);
        return;
    }
    if (!for_us || arp->op != TERN_ARP_REQUEST || tern_addr_equal(arp->sender, arp->target))
        return;
    e = create(n, arp->sender, ENTRY_KNOWN);
    if (e == NULL)
        return;
    e->mac = arp->sender_mac;
    e->confirmed_at = now;
    lru_add_oldest(n, e);
    tern_tell_neighbour(n->observer, TERN_NEIGHBOUR_KNOWN, &e->addr, &e->mac, now);
}

bool tern_neigh_output(struct tern_neigh *n, tern_time now, struct tern_arp *out,
                       struct tern_mac *dst)
{
    static const struct tern_mac broadcast = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
    struct tern_neigh_entry *e;
    bool unicast;

    if (n->due_first == NONE)
        return false;
    e = at(n, n->due_first);
    TERN_ASSERT(e->ask == ASK_DUE);
    TERN_ASSERT(e->tries < NEIGH_TRIES);
    unicast = e->state == ENTRY_KNOWN && e->tries < NEIGH_POLLS; /* RFC 1122 §2.3.2.1 (2) */
    e->tries++;
    ask_remove(n, e);
    wait_until(n, e, now + NEIGH_INTERVAL);
    *out = (struct tern_arp){
        .op = TERN_ARP_REQUEST, .sender_mac = n->own_mac, .sender = e->source, .target = e->addr};
    *dst = unicast ? e->mac : broadcast;
    if (unicast)
        out->target_mac = e->mac;
    return true;
}

tern_time tern_neigh_deadline(const struct tern_neigh *n)
{
    return n->wait_first == NONE ? TERN_TIME_NEVER : at(n, n->wait_first)->at;
}

/* An entry's wait is over: ask again, give up, or forget that we gave up. */
static void wait_over(struct tern_neigh *n, struct tern_neigh_entry *e, tern_time now)
{
    TERN_ASSERT(e->ask == ASK_WAITING);
    ask_remove(n, e);
    if (e->state == ENTRY_FAILED) {
        tern_tell_neighbour(n->observer, TERN_NEIGHBOUR_FORGOTTEN, &e->addr, NULL, now);
        forget(n, e);
    } else if (e->tries < NEIGH_TRIES) {
        ask_add(n, e, ASK_DUE);
    } else if (e->state == ENTRY_KNOWN) { /* gone: the next lookup asks from the start */
        tern_tell_neighbour(n->observer, TERN_NEIGHBOUR_FORGOTTEN, &e->addr, NULL, now);
        forget(n, e);
    } else {
        tern_tell_neighbour(n->observer, TERN_NEIGHBOUR_FAILED, &e->addr, NULL, now);
        set_state(n, e, ENTRY_FAILED);
        lru_add_oldest(n, e);
        wait_until(n, e, now + NEIGH_FAILED_KEEP);
        n->changed = true;
    }
}

void tern_neigh_expire(struct tern_neigh *n, tern_time now)
{
    for (uint32_t i = 0; i < n->count_max && tern_neigh_deadline(n) <= now; i++)
        wait_over(n, at(n, n->wait_first), now);
}

bool tern_neigh_changed(struct tern_neigh *n)
{
    const bool changed = n->changed;

    n->changed = false;
    return changed;
}

void tern_neigh_flush(struct tern_neigh *n, struct tern_mac own_mac)
{
    clear(n);
    n->own_mac = own_mac;
    n->changed = true; /* whoever waits asks again */
}

/* ---- soundness ---- */

static uint32_t check_lru(const struct tern_neigh *n)
{
    uint32_t count = 0, prev = NONE;

    for (uint32_t i = n->lru_first; i != NONE; i = at(n, i)->lru_next) {
        TERN_ASSERT(at(n, i)->in_lru);
        TERN_ASSERT(at(n, i)->state == ENTRY_KNOWN || at(n, i)->state == ENTRY_FAILED);
        TERN_ASSERT(at(n, i)->lru_prev == prev);
        TERN_ASSERT(++count <= n->used);
        prev = i;
    }
    TERN_ASSERT(n->lru_last == prev);
    return count;
}

static uint32_t check_asks(const struct tern_neigh *n, uint32_t first, uint32_t last,
                           enum entry_ask ask)
{
    uint32_t count = 0, prev = NONE;

    for (uint32_t i = first; i != NONE; i = at(n, i)->ask_next) {
        TERN_ASSERT(at(n, i)->ask == ask);
        TERN_ASSERT(at(n, i)->ask_prev == prev);
        TERN_ASSERT(ask == ASK_DUE || prev == NONE || at(n, prev)->at <= at(n, i)->at);
        TERN_ASSERT(++count <= n->used);
        prev = i;
    }
    TERN_ASSERT(last == prev);
    return count;
}

void tern_neigh_check(const struct tern_neigh *n)
{
    uint32_t used = 0, pending = 0, asking = 0;

    for (uint32_t b = 0; b <= n->bucket_mask; b++) {
        for (uint32_t i = n->buckets[b]; i != NONE; i = at(n, i)->chain_next) {
            const struct tern_neigh_entry *e = at(n, i);

            TERN_ASSERT(chain_of(n, e->addr) == &n->buckets[b]);
            TERN_ASSERT(e->state != ENTRY_PENDING || !e->in_lru);
            TERN_ASSERT(e->state == ENTRY_KNOWN || e->ask != ASK_NOT);
            TERN_ASSERT(++used <= n->used);
            pending += e->state == ENTRY_PENDING ? 1 : 0;
            asking += e->ask != ASK_NOT ? 1 : 0;
        }
    }
    TERN_ASSERT(used == n->used);
    TERN_ASSERT(pending == n->pending_count);
    TERN_ASSERT(check_lru(n) == used - pending);
    TERN_ASSERT(check_asks(n, n->due_first, n->due_last, ASK_DUE) +
                    check_asks(n, n->wait_first, n->wait_last, ASK_WAITING) ==
                asking);
}
