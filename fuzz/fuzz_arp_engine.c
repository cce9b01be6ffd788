/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The neighbour cache and the claim of an address, fed with any ARP packets, lookups and waits.
 * The input is a list of commands: a byte that says which, then what it needs. Both structures
 * are checked after each step, and neither may speak for ever at one moment.
 */
#include "fuzz.h"

#include <stdlib.h>

#include "base/assert.h"
#include "proto/claim.h"
#include "proto/neigh.h"

#define COUNT_MAX 4

struct world {
    struct tern_neigh neigh;
    struct tern_claim_engine claim;
    struct tern_random random;
    tern_time now;
};

static const struct tern_mac own = {{2, 0, 0, 0, 0, 1}};

/* Few hosts, so that they meet. */
static struct tern_addr address(uint8_t n)
{
    if (n == 255)
        return tern_addr_v4(0, 0, 0, 0);
    if (n == 254)
        return tern_addr_v4(255, 255, 255, 255);
    return tern_addr_v4(10, 0, 0, n & 15);
}

static void arp(struct world *w, struct tern_reader *in)
{
    struct tern_arp a = {.op = tern_read_u8(in) & 3, .sender_mac = own};

    a.sender = address(tern_read_u8(in));
    a.target = address(tern_read_u8(in));
    a.sender_mac.b[5] = tern_read_u8(in) & 7;
    a.sender_mac.b[0] = tern_read_u8(in);
    tern_claim_input(&w->claim, &a, w->now);
    tern_neigh_input(&w->neigh, &a, tern_addr_equal(a.target, w->claim.addr), w->now);
}

static void drain(struct world *w)
{
    enum tern_cause cause;
    struct tern_arp out;
    struct tern_mac dst;
    uint32_t sent = 0;

    while (tern_neigh_output(&w->neigh, w->now, &out, &dst))
        TERN_ASSERT(++sent <= COUNT_MAX);
    for (sent = 0; tern_claim_output(&w->claim, &w->random, w->now, &out, &cause); sent++)
        TERN_ASSERT(sent < 3);
}

static void step(struct world *w, struct tern_reader *in)
{
    const uint8_t command = tern_read_u8(in);
    struct tern_mac mac;

    switch (command & 3) {
    case 0:
        arp(w, in);
        break;
    case 1:
        (void)tern_neigh_lookup(&w->neigh, tern_addr_v4(10, 0, 0, command >> 4), w->claim.addr,
                                w->now, &mac);
        break;
    case 2:
        w->now += (command >> 2) * 70 * TERN_MS;
        break;
    default:
        w->now += (command >> 2) * TERN_SECOND;
    }
    tern_neigh_expire(&w->neigh, w->now);
    tern_claim_expire(&w->claim, w->now);
    drain(w);
    tern_neigh_check(&w->neigh);
    tern_claim_check(&w->claim);
    TERN_ASSERT(tern_neigh_deadline(&w->neigh) > w->now);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void *memory;
    const struct tern_hash_key key = {{1}};
    struct tern_reader in = tern_reader_of(tern_span_of(data, size));
    struct world w = {.now = 0};

    if (memory == NULL)
        memory = malloc(tern_neigh_bytes(COUNT_MAX));
    TERN_ASSERT(memory != NULL);
    tern_neigh_init(&w.neigh, memory, COUNT_MAX, &key, own);
    tern_random_init(&w.random, "fuzz", 4, "claim");
    tern_claim_init(&w.claim, tern_addr_v4(10, 0, 0, 1), own,
                    (enum tern_claim)(tern_read_u8(&in) % 3), &w.random, w.now);
    for (int i = 0; i < 500 && in.left.bytes > 0; i++)
        step(&w, &in);
    return 0;
}
