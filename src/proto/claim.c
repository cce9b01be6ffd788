/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Claiming an IPv4 address and keeping it: RFC 5227.
 *
 *   PROBING     three probes ("is this anyone's?"), then a last silence; nothing uses the address
 *   ANNOUNCING  it is ours; two announcements tell everyone
 *   HELD        nothing to do but to listen and, once in ten seconds, to defend
 *   LOST        somebody else has it; this engine will not speak again
 *
 * input() only takes notes, output() makes packets, expire() gives the verdict when the silence
 * after the last probe is over. Each wait is counted from when a probe really left, so a
 * stalled process never squeezes its probes together.
 *
 * Whatever carries our own MAC as its sender is ourselves, reflected by the link, and no conflict.
 * Neither a probe by somebody else while we hold the address (we answer it, as any request: the
 * stack's business) nor a request that merely asks for it while we probe is one.
 */
#include "proto/claim.h"

#include "base/assert.h"

#define PROBES_COUNT    3 /* RFC 5227 §1.1: PROBE_NUM */
#define ANNOUNCES_COUNT 2 /* ANNOUNCE_NUM */
#define FAST_INTERVAL   (70 * TERN_MS)

#define PROBE_WAIT        (1 * TERN_SECOND)
#define PROBE_MIN         (1 * TERN_SECOND)
#define PROBE_MAX         (2 * TERN_SECOND)
#define ANNOUNCE_WAIT     (2 * TERN_SECOND)
#define ANNOUNCE_INTERVAL (2 * TERN_SECOND)
#define DEFEND_INTERVAL   (10 * TERN_SECOND)

static tern_time random_between(struct tern_random *random, tern_time low, tern_time high)
{
    TERN_ASSERT(low < high);
    return low + (tern_time)tern_random_below(random, (uint64_t)(high - low + 1));
}

static void become_ours(struct tern_claim_engine *c, tern_time now)
{
    TERN_ASSERT(c->probes_left == 0);
    c->state = TERN_CLAIM_ANNOUNCING;
    c->announces_left = ANNOUNCES_COUNT;
    c->at = now;
    c->events |= TERN_CLAIM_EVENT_CLAIMED;
}

void tern_claim_init(struct tern_claim_engine *c, struct tern_addr addr, struct tern_mac own_mac,
                     enum tern_claim mode, struct tern_random *random, tern_time now)
{
    TERN_ASSERT(tern_addr_is_v4(addr));
    TERN_ASSERT(!tern_addr_is_any(addr));
    *c = (struct tern_claim_engine){.addr = addr,
                                    .own_mac = own_mac,
                                    .mode = mode,
                                    .state = TERN_CLAIM_PROBING,
                                    .at = now,
                                    .defended_at = TERN_TIME_NEVER};
    if (mode == TERN_CLAIM_NONE) {
        become_ours(c, now);
        return;
    }
    c->probes_left = PROBES_COUNT;
    if (mode ==
        TERN_CLAIM_RFC) /* §2.1.1: so that hosts that start together do not probe together */
        c->at = now + random_between(random, 0, PROBE_WAIT);
}

bool tern_claim_is_ours(const struct tern_claim_engine *c)
{
    return c->state == TERN_CLAIM_ANNOUNCING || c->state == TERN_CLAIM_HELD;
}

static void lose(struct tern_claim_engine *c, struct tern_mac other)
{
    c->state = TERN_CLAIM_LOST;
    c->other_mac = other;
    c->probes_left = 0;
    c->announces_left = 0;
    c->defend_due = false;
    c->at = TERN_TIME_NEVER;
    c->events |= TERN_CLAIM_EVENT_LOST;
}

/* RFC 5227 §2.1.1: another host wants the same address at the same time. */
static bool is_rival_probe(const struct tern_claim_engine *c, const struct tern_arp *arp)
{
    return arp->op == TERN_ARP_REQUEST && tern_addr_is_any(arp->sender) &&
           tern_addr_equal(arp->target, c->addr);
}

void tern_claim_input(struct tern_claim_engine *c, const struct tern_arp *arp, tern_time now)
{
    if (c->state == TERN_CLAIM_LOST || tern_mac_equal(arp->sender_mac, c->own_mac))
        return;
    if (arp->op != TERN_ARP_REQUEST && arp->op != TERN_ARP_REPLY)
        return;
    if (c->state == TERN_CLAIM_PROBING && is_rival_probe(c, arp)) {
        lose(c, arp->sender_mac);
        return;
    }
    if (!tern_addr_equal(arp->sender, c->addr))
        return;
    if (c->state == TERN_CLAIM_PROBING) {
        lose(c, arp->sender_mac);
        return;
    }
    TERN_ASSERT(tern_claim_is_ours(c));
    if (c->defended_at != TERN_TIME_NEVER && now - c->defended_at < DEFEND_INTERVAL) {
        lose(c, arp->sender_mac); /* RFC 5227 §2.4 (b): two in ten seconds; it will not go away */
        return;
    }
    c->defended_at = now;
    c->defend_due = true;
    c->other_mac = arp->sender_mac;
    c->events |= TERN_CLAIM_EVENT_DEFENDED;
}

static tern_time probe_interval(const struct tern_claim_engine *c, struct tern_random *random)
{
    if (c->mode != TERN_CLAIM_RFC)
        return FAST_INTERVAL;
    return c->probes_left > 0 ? random_between(random, PROBE_MIN, PROBE_MAX) : ANNOUNCE_WAIT;
}

static void announcement(const struct tern_claim_engine *c, struct tern_arp *out)
{
    *out = (struct tern_arp){
        .op = TERN_ARP_REQUEST, .sender_mac = c->own_mac, .sender = c->addr, .target = c->addr};
}

static bool output_probe(struct tern_claim_engine *c, struct tern_random *random, tern_time now,
                         struct tern_arp *out, enum tern_cause *cause)
{
    if (c->probes_left == 0)
        return false;
    c->probes_left--;
    c->at = now + probe_interval(c, random);
    *out = (struct tern_arp){.op = TERN_ARP_REQUEST,
                             .sender_mac = c->own_mac,
                             .sender = tern_addr_v4(0, 0, 0, 0),
                             .target = c->addr};
    *cause = TERN_CAUSE_ARP_PROBE;
    return true;
}

static bool output_announcement(struct tern_claim_engine *c, tern_time now, struct tern_arp *out,
                                enum tern_cause *cause)
{
    TERN_ASSERT(c->announces_left > 0);
    c->announces_left--;
    c->at = now + ANNOUNCE_INTERVAL;
    if (c->announces_left == 0) {
        c->state = TERN_CLAIM_HELD;
        c->at = TERN_TIME_NEVER;
    }
    announcement(c, out);
    *cause = TERN_CAUSE_ARP_ANNOUNCE;
    return true;
}

bool tern_claim_output(struct tern_claim_engine *c, struct tern_random *random, tern_time now,
                       struct tern_arp *out, enum tern_cause *cause)
{
    if (c->defend_due) {
        TERN_ASSERT(tern_claim_is_ours(c));
        c->defend_due = false;
        announcement(c, out);
        *cause = TERN_CAUSE_ARP_DEFEND;
        return true;
    }
    if (now < c->at)
        return false;
    switch (c->state) {
    case TERN_CLAIM_PROBING:
        return output_probe(c, random, now, out, cause);
    case TERN_CLAIM_ANNOUNCING:
        return output_announcement(c, now, out, cause);
    case TERN_CLAIM_HELD:
    case TERN_CLAIM_LOST:
        return false;
    }
    return false;
}

tern_time tern_claim_deadline(const struct tern_claim_engine *c)
{
    return c->at;
}

void tern_claim_expire(struct tern_claim_engine *c, tern_time now)
{
    if (c->state == TERN_CLAIM_PROBING && c->probes_left == 0 && now >= c->at)
        become_ours(c, now);
}

uint32_t tern_claim_events(struct tern_claim_engine *c)
{
    const uint32_t events = c->events;

    c->events = 0;
    return events;
}

void tern_claim_check(const struct tern_claim_engine *c)
{
    const bool speaks = c->state == TERN_CLAIM_PROBING || c->state == TERN_CLAIM_ANNOUNCING;

    TERN_ASSERT(speaks == (c->at != TERN_TIME_NEVER));
    TERN_ASSERT(c->state == TERN_CLAIM_PROBING || c->probes_left == 0);
    TERN_ASSERT((c->state == TERN_CLAIM_ANNOUNCING) == (c->announces_left > 0));
    TERN_ASSERT(!c->defend_due || tern_claim_is_ours(c));
}
