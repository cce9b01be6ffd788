/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a recorded frame to a step: Ethernet, ARP, IPv4, ICMP, UDP. TCP goes on in model_tcp.c.
 *
 * A record holds the first bytes of a frame and its whole length. They are laid into a scratch
 * frame that is zero behind them, so that the parsers of src/wire see lengths as they were; what
 * they could not see is known to be missing and is never shown.
 */
#include <string.h>

#include "base/assert.h"
#include "report/model_internal.h"
#include "wire/arp.h"
#include "wire/eth.h"
#include "wire/icmp.h"
#include "wire/udp.h"

/* Probes and announcements are one step an address: "is it anyone's? … ours now". */
static struct tern_step *claim_find(struct tern_model *m, enum tern_lane from,
                                    struct tern_addr address)
{
    for (size_t i = m->step_count; i-- > 0;)
        if (m->step[i].kind == TERN_STEP_ARP_CLAIM && m->step[i].from == from &&
            tern_addr_equal(m->step[i].address, address))
            return &m->step[i];
    return NULL;
}

static void arp_claim(struct tern_model *m, enum tern_lane from, const struct tern_arp *arp,
                      tern_time at)
{
    bool is_probe = tern_addr_is_any(arp->sender);
    struct tern_step *s = claim_find(m, from, arp->target);

    if (s == NULL) {
        s = model_step_add(m, TERN_STEP_ARP_CLAIM, from, at);
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
    enum tern_lane other = from == TERN_LANE_US ? TERN_LANE_PEER : TERN_LANE_US;
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
        (void)model_step_add(m, TERN_STEP_FRAME, from, at);
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
        m, arp.op == TERN_ARP_REQUEST ? TERN_STEP_ARP_ASK : TERN_STEP_ARP_ANSWER, from, at);

    if (s == NULL)
        return;
    s->address = arp.op == TERN_ARP_REQUEST ? arp.target : arp.sender;
    s->mac = arp.sender_mac;
    s->to_us = from != TERN_LANE_US;
}

/* A step like the last is counted there, within the time of a burst. */
static struct tern_step *fold_alike(struct tern_model *m, enum tern_step_kind kind,
                                    const struct model_packet *p)
{
    struct tern_step *last = model_step_last(m);

    if (last == NULL || last->kind != kind || last->from != p->from ||
        !tern_addr_equal(last->address, p->from == TERN_LANE_PEER ? p->ip.src : p->ip.dst) ||
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
        s = model_step_add(m, kind, p->from, p->at);
    if (s == NULL)
        return;
    s->address = p->from == TERN_LANE_PEER ? p->ip.src : p->ip.dst;
    s->icmp_type = type;
    s->icmp_code = code;
    s->bytes = (uint32_t)bytes;
}

static void icmp_packet(struct tern_model *m, const struct model_packet *p)
{
    struct tern_reader r = tern_reader_of(p->body);
    uint8_t type = tern_read_u8(&r), code = tern_read_u8(&r);
    bool is_echo = type == TERN_ICMP_ECHO_REQUEST || type == TERN_ICMP_ECHO_REPLY;
    size_t bytes = p->body.bytes > TERN_ICMP_BYTES ? p->body.bytes - TERN_ICMP_BYTES : 0;

    other_packet(m, is_echo ? TERN_STEP_PING : TERN_STEP_ICMP, p, bytes, type, code);
}

static void ip_packet(struct tern_model *m, const struct model_packet *p)
{
    struct tern_udp udp;
    tern_span body;

    if (p->ip.fragment_offset_bytes != 0 || p->ip.more_fragments)
        other_packet(m, TERN_STEP_FRAME, p, p->body.bytes, 0, 0);
    else if (p->ip.protocol == TERN_IP_TCP)
        model_tcp(m, p);
    else if (p->ip.protocol == TERN_IP_ICMP)
        icmp_packet(m, p);
    else if (p->ip.protocol == TERN_IP_UDP &&
             tern_udp_parse(p->body, p->ip.src, p->ip.dst, true, &udp, &body))
        other_packet(m, TERN_STEP_UDP, p, body.bytes, 0, 0);
    else
        other_packet(m, TERN_STEP_FRAME, p, p->body.bytes, 0, 0);
}

/* The recorded bytes, with zeroes in the place of those that were not. */
static tern_span frame_lay_out(struct tern_model *m, const struct tern_record *record)
{
    size_t bytes = record->frame_bytes;
    size_t known = record->snap_bytes;

    if (bytes > TERN_FRAME_BYTES_MAX)
        bytes = TERN_FRAME_BYTES_MAX;
    if (known > TERN_RECORD_SNAP_BYTES)
        known = TERN_RECORD_SNAP_BYTES;
    if (known > bytes)
        known = bytes;
    memset(m->scratch, 0, TERN_RECORD_SNAP_BYTES);
    memcpy(m->scratch, record->snap, known);
    return tern_span_of(m->scratch, bytes);
}

static void frame_from(struct tern_model *m, const struct tern_record *record, enum tern_lane from)
{
    tern_span frame = frame_lay_out(m, record);
    struct tern_eth eth;
    struct model_packet p = {.at = record->at,
                             .from = from,
                             .cause = from == TERN_LANE_US ? record->cause : TERN_CAUSE_NONE,
                             .gso_bytes = record->gso_bytes};
    tern_span body;

    if (!m->started) {
        m->started = true;
        m->origin = record->at;
    }
    if (!tern_eth_parse(frame, &eth, &body))
        return;
    if (eth.type == TERN_ETHERTYPE_ARP) {
        arp_frame(m, from, body, record->at);
    } else if (eth.type == TERN_ETHERTYPE_IPV4 &&
               tern_ipv4_parse(body, &p.ip, &p.body) == TERN_IPV4_OK) {
        size_t before = (size_t)(p.body.data - m->scratch);

        TERN_ASSERT(before <= TERN_FRAME_BYTES_MAX);
        p.known_bytes = record->snap_bytes > before ? record->snap_bytes - before : 0;
        ip_packet(m, &p);
    } else {
        (void)model_step_add(m, TERN_STEP_FRAME, from, record->at);
    }
}

void tern_model_frame(struct tern_model *m, const struct tern_record *record)
{
    frame_from(m, record, record->sent ? TERN_LANE_US : TERN_LANE_PEER);
}

void tern_model_kernel_frame(struct tern_model *m, const struct tern_record *record)
{
    m->has_kernel = true;
    frame_from(m, record, TERN_LANE_KERNEL);
}
