/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a frame to a step: ARP, ICMP, UDP. TCP goes on in model_tcp.c.
 *
 * A record holds the first bytes of a frame and its whole length, and a capture's packet has been
 * read by src/wire/dissect.c already. What a picture of one conversation tells of the neighbourhood
 * (ARP, pings) is told for tern's own frames alone; of somebody else's capture it is
 * counted.
 */
#include <string.h>

#include "base/assert.h"
#include "report/dns_words.h"
#include "report/model_internal.h"
#include "wire/arp.h"
#include "wire/icmp.h"
#include "wire/ipv4.h"

#define IP_ICMPV6 58
#define UDP_BYTES 8
#define DNS_PORT  53

/* Probes and announcements are one step an address: "is it anyone's? … ours now". */
static struct tern_step *claim_find(struct tern_model *m, enum tern_lane from,
                                    struct tern_addr address)
{
    for (size_t i = m->story.count; i-- > 0;)
        if (m->story.item[i].kind == TERN_STEP_ARP_CLAIM && m->story.item[i].from == from &&
            tern_addr_equal(m->story.item[i].address, address))
            return &m->story.item[i];
    return NULL;
}

static void arp_claim(struct tern_model *m, enum tern_lane from, const struct tern_arp *arp,
                      tern_time at)
{
    bool is_probe = tern_addr_is_any(arp->sender);
    struct tern_step *s = claim_find(m, from, arp->target);

    if (s == NULL) {
        s = model_step_add(m, NULL, TERN_STEP_ARP_CLAIM, from, at);
        if (s == NULL)
            return;
        s->address = arp->target;
        s->count = 0;
    }
    if (is_probe)
        s->count++;
    else
        s->announces++;
    if (is_probe || s->announces == 1)
        s->until = at > s->until ? at : s->until;
}

/* Somebody answers for an address that is being claimed: RFC 5227 §2.1.1. */
static bool arp_conflict(struct tern_model *m, enum tern_lane from, const struct tern_arp *arp)
{
    enum tern_lane other = from == TERN_LANE_LEFT ? TERN_LANE_RIGHT : TERN_LANE_LEFT;
    struct tern_step *s = claim_find(m, other, arp->sender);

    if (s == NULL || s->announces > 0)
        return false;
    s->conflict = true;
    s->mac = arp->sender_mac;
    return true;
}

static void arp_frame(struct tern_model *m, enum tern_lane from, tern_span body, tern_time at)
{
    struct tern_arp arp;

    if (!tern_arp_parse(body, &arp)) {
        (void)model_step_add(m, NULL, TERN_STEP_FRAME, from, at);
        return;
    }
    if (arp.op == TERN_ARP_REQUEST &&
        (tern_addr_is_any(arp.sender) || tern_addr_equal(arp.sender, arp.target))) {
        arp_claim(m, from, &arp, at);
        return;
    }
    if (arp_conflict(m, from, &arp))
        return;
    struct tern_step *s = model_step_add(
        m, NULL, arp.op == TERN_ARP_REQUEST ? TERN_STEP_ARP_ASK : TERN_STEP_ARP_ANSWER, from, at);

    if (s == NULL)
        return;
    s->address = arp.op == TERN_ARP_REQUEST ? arp.target : arp.sender;
    s->mac = arp.sender_mac;
    s->to_us = from != TERN_LANE_LEFT;
}

/* A step like the last is counted there, within the time of a burst. */
static struct tern_step *fold_alike(struct tern_model *m, enum tern_step_kind kind,
                                    const struct model_packet *p)
{
    struct tern_step *last = model_step_last(m, NULL);

    if (last == NULL || last->kind != kind || last->from != p->from || last->words != NULL ||
        !tern_addr_equal(last->address, p->from == TERN_LANE_RIGHT ? p->ip.src : p->ip.dst) ||
        p->at - last->until > m->options.fold_gap)
        return NULL;
    last->count++;
    last->until = p->at;
    return last;
}

static void other_packet(struct tern_model *m, enum tern_step_kind kind,
                         const struct model_packet *p, size_t bytes, uint8_t type, uint8_t code)
{
    struct tern_step *s = kind == TERN_STEP_ICMP ? NULL : fold_alike(m, kind, p);

    if (s == NULL)
        s = model_step_add(m, NULL, kind, p->from, p->at);
    if (s == NULL)
        return;
    s->address = p->from == TERN_LANE_RIGHT ? p->ip.src : p->ip.dst;
    s->icmp_type = type;
    s->icmp_code = code;
    s->bytes = (uint32_t)bytes;
}

static void icmp_packet(struct tern_model *m, const struct model_packet *p)
{
    struct tern_reader r = tern_reader_of(p->ip.body);
    uint8_t type = tern_read_u8(&r), code = tern_read_u8(&r);
    bool is_echo = type == TERN_ICMP_ECHO_REQUEST || type == TERN_ICMP_ECHO_REPLY;
    size_t bytes = p->ip.body_bytes > TERN_ICMP_BYTES ? p->ip.body_bytes - TERN_ICMP_BYTES : 0;

    m->other.icmp++;
    if (p->from_is_known)
        other_packet(m, is_echo ? TERN_STEP_PING : TERN_STEP_ICMP, p, bytes, type, code);
}

/* A step of its own where it is DNS that can be told. */
static bool dns_packet(struct tern_model *m, const struct model_packet *p)
{
    struct tern_reader r = tern_reader_of(p->ip.body);
    unsigned from = tern_read_be16(&r), to = tern_read_be16(&r);
    char words[TERN_DNS_WORDS_BYTES];
    struct tern_step *s;

    if ((from != DNS_PORT && to != DNS_PORT) || p->ip.body.bytes <= UDP_BYTES ||
        !tern_dns_words(tern_span_from(p->ip.body, UDP_BYTES), words))
        return false;
    s = model_step_add(m, NULL, TERN_STEP_UDP, p->from, p->at);
    if (s != NULL)
        s->address = p->from == TERN_LANE_RIGHT ? p->ip.src : p->ip.dst;
    model_step_words(s, words);
    return true;
}

static void udp_packet(struct tern_model *m, const struct model_packet *p)
{
    size_t bytes = p->ip.body_bytes > UDP_BYTES ? p->ip.body_bytes - UDP_BYTES : 0;

    m->other.udp++;
    if (p->from_is_known && !dns_packet(m, p))
        other_packet(m, TERN_STEP_UDP, p, bytes, 0, 0);
}

static void ip_packet(struct tern_model *m, const struct model_packet *p)
{
    if (p->ip.later_fragment || p->ip.more_fragments) {
        m->other.fragments++;
    } else if (p->ip.protocol == TERN_IP_TCP) {
        m->other.tcp++;
        model_tcp(m, p);
        return;
    } else if (p->ip.protocol == TERN_IP_ICMP || p->ip.protocol == IP_ICMPV6) {
        icmp_packet(m, p);
        return;
    } else if (p->ip.protocol == TERN_IP_UDP) {
        udp_packet(m, p);
        return;
    } else {
        m->other.other_ip++;
    }
    if (p->from_is_known)
        other_packet(m, TERN_STEP_FRAME, p, p->ip.body_bytes, 0, 0);
}

static void packet(struct tern_model *m, struct model_packet *p)
{
    if (!m->started) {
        m->started = true;
        m->origin = p->at;
        m->latest = p->at;
    }
    /* Steps and waits are in order; what comes from the past comes now. */
    if (p->at < m->latest) {
        m->other.backwards++;
        p->at = m->latest;
    }
    m->latest = p->at;
    m->other.packets++;
    switch (p->ip.kind) {
    case TERN_DISSECT_IP:
        ip_packet(m, p);
        return;
    case TERN_DISSECT_ARP:
        m->other.arp++;
        if (p->from_is_known)
            arp_frame(m, p->from, p->ip.body, p->at);
        return;
    case TERN_DISSECT_OTHER:
        m->other.not_ip++;
        break;
    default:
        m->other.unreadable++;
        break;
    }
    if (p->from_is_known)
        (void)model_step_add(m, NULL, TERN_STEP_FRAME, p->from, p->at);
}

static void frame_from(struct tern_model *m, const struct tern_record *record, enum tern_lane from)
{
    size_t known =
        record->snap_bytes < TERN_RECORD_SNAP_BYTES ? record->snap_bytes : TERN_RECORD_SNAP_BYTES;
    struct model_packet p = {.at = record->at,
                             .from = from,
                             .from_is_known = true,
                             .cause = from == TERN_LANE_LEFT ? record->cause : TERN_CAUSE_NONE,
                             .pieces_known = true,
                             .gso_bytes = record->gso_bytes,
                             .is_record = true};

    if (known > record->frame_bytes)
        known = record->frame_bytes;
    tern_dissect(TERN_DISSECT_ETHERNET, tern_span_of(record->snap, known), record->frame_bytes,
                 &p.ip);
    packet(m, &p);
}

void tern_model_frame(struct tern_model *m, const struct tern_record *record)
{
    frame_from(m, record, record->sent ? TERN_LANE_LEFT : TERN_LANE_RIGHT);
}

void tern_model_kernel_frame(struct tern_model *m, const struct tern_record *record)
{
    m->has_kernel = true;
    frame_from(m, record, TERN_LANE_KERNEL);
}

/* The cause whose words a comment is; NONE: it is somebody else's. */
static enum tern_cause cause_of(const char *comment)
{
    for (unsigned i = 0; comment != NULL && i < TERN_CAUSE_COUNT; i++)
        if (strcmp(comment, tern_cause_text((enum tern_cause)i)) == 0)
            return (enum tern_cause)i;
    return TERN_CAUSE_NONE;
}

void tern_model_packet(struct tern_model *m, const struct tern_model_packet *in)
{
    struct model_packet p = {.at = in->at,
                             .from = in->sent ? TERN_LANE_LEFT : TERN_LANE_RIGHT,
                             .from_is_known = in->has_direction,
                             .comment = in->comment,
                             .cause = cause_of(in->comment),
                             .pieces_known = in->pieces_known,
                             .gso_bytes = in->piece_bytes,
                             .ip = in->what};

    packet(m, &p);
}
