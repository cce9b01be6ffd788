/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_PROTO_CLAIM_H
#define TERN_PROTO_CLAIM_H
/*
 * Claiming an IPv4 address (RFC 5227): probe, announce, then defend for as long as it is used.
 * One struct tern_claim_engine for each own address. FAST: three probes 70 ms apart after no
 * initial wait, claimed 70 ms after the last (210 ms in all), then two announcements; RFC:
 * PROBE_WAIT, PROBE_MIN..MAX, ANNOUNCE_WAIT of RFC 5227 §1.1; NONE: announce at once. A conflict
 * while probing (RFC 5227 §2.1.1: any ARP with sender address ours, or a probe for it by another
 * MAC) gives it up. A conflict while claimed is defended once in DEFEND_INTERVAL (10 s); a second
 * within it gives the address up (RFC 5227 §2.4 (b)).
 */
#include "base/random.h"
#include "wire/arp.h"
#include <tern/cause.h>
#include <tern/stack.h>
#include <tern/time.h>

enum tern_claim_state {
    TERN_CLAIM_PROBING,
    TERN_CLAIM_ANNOUNCING, /* ours already; announcements still to send */
    TERN_CLAIM_HELD,
    TERN_CLAIM_LOST,
};

enum {
    TERN_CLAIM_EVENT_CLAIMED = 1u << 0,
    TERN_CLAIM_EVENT_LOST = 1u << 1,
    TERN_CLAIM_EVENT_DEFENDED = 1u << 2,
};

struct tern_claim_engine {
    struct tern_addr addr;
    struct tern_mac own_mac;
    struct tern_mac other_mac; /* who has it (LOST), or tried last (DEFENDED) */
    enum tern_claim mode;
    enum tern_claim_state state;
    uint8_t probes_left, announces_left;
    bool defend_due;
    tern_time at;          /* next probe, announcement or verdict; TERN_TIME_NEVER */
    tern_time defended_at; /* TERN_TIME_NEVER: never */
    uint32_t events;
};

void tern_claim_init(struct tern_claim_engine *c, struct tern_addr addr, struct tern_mac own_mac,
                     enum tern_claim mode, struct tern_random *random, tern_time now);
/* May the address be used? */
bool tern_claim_is_ours(const struct tern_claim_engine *c);
void tern_claim_input(struct tern_claim_engine *c, const struct tern_arp *arp, tern_time now);
/* The next ARP packet that is due (always broadcast) and why; false: none. */
bool tern_claim_output(struct tern_claim_engine *c, struct tern_random *random, tern_time now,
                       struct tern_arp *out, enum tern_cause *cause);
tern_time tern_claim_deadline(const struct tern_claim_engine *c);
void tern_claim_expire(struct tern_claim_engine *c, tern_time now);
uint32_t tern_claim_events(struct tern_claim_engine *c); /* cleared by reading */
void tern_claim_check(const struct tern_claim_engine *c);

#endif
