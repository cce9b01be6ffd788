/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the stack around the connections tells an observer: frames and bursts, packets that are no
 * segments, segments of no connection, ARP, own addresses. Nothing is told where nobody listens;
 * what runs for each frame asks that before it calls.
 */
#include "proto/tcp/observe.h"
#include "stack/internal.h"

static struct tern_note note_of(const struct tern_stack *s, enum tern_note_kind kind)
{
    return (struct tern_note){.at = s->now, .kind = kind};
}

static void tell(const struct tern_stack *s, const struct tern_note *note)
{
    tern_tell(&s->tcp.observer, note);
}

void tern_stack_tell_frame(const struct tern_stack *s, uint32_t bytes)
{
    struct tern_note note = note_of(s, TERN_NOTE_FRAME_IN);

    note.frame.bytes = bytes;
    tell(s, &note);
}

void tern_stack_tell_input_end(const struct tern_stack *s)
{
    const struct tern_note note = note_of(s, TERN_NOTE_INPUT_END);

    tell(s, &note);
}

/* What a spectator tells packets apart by; zeros of a packet that is too short. */
static void packet_head(struct tern_note *note, tern_span body)
{
    struct tern_reader r = tern_reader_of(body);

    if (note->packet.protocol == TERN_IP_ICMP && body.bytes >= 2) {
        note->packet.icmp_type = tern_read_u8(&r);
        note->packet.icmp_code = tern_read_u8(&r);
    } else if (note->packet.protocol == TERN_IP_UDP && body.bytes >= 4) {
        note->packet.src_port = tern_read_be16(&r);
        note->packet.dst_port = tern_read_be16(&r);
    }
}

void tern_stack_tell_packet(const struct tern_stack *s, const struct tern_ipv4 *ip, tern_span body,
                            enum tern_cause cause)
{
    struct tern_note note;

    if (!tern_stack_is_observed(s) || ip->protocol == TERN_IP_TCP)
        return;
    note = note_of(s, cause == TERN_CAUSE_NONE ? TERN_NOTE_PACKET_IN : TERN_NOTE_PACKET_OUT);
    note.packet.src = ip->src;
    note.packet.dst = ip->dst;
    note.packet.protocol = ip->protocol;
    note.packet.bytes = (uint32_t)body.bytes;
    note.packet.cause = cause;
    packet_head(&note, body);
    tell(s, &note);
}

void tern_stack_tell_arp(const struct tern_stack *s, const struct tern_arp *arp,
                         enum tern_cause cause)
{
    struct tern_note note;

    if (!tern_stack_is_observed(s))
        return;
    note = note_of(s, cause == TERN_CAUSE_NONE ? TERN_NOTE_ARP_IN : TERN_NOTE_ARP_OUT);
    note.arp.reply = arp->op == TERN_ARP_REPLY;
    note.arp.sender = arp->sender;
    note.arp.target = arp->target;
    note.arp.sender_mac = arp->sender_mac;
    note.arp.target_mac = arp->target_mac;
    note.arp.cause = cause;
    tell(s, &note);
}

void tern_stack_tell_stray(struct tern_stack *s, const struct tern_endpoint *local,
                           const struct tern_endpoint *remote, const struct tern_tcp_header *h,
                           uint32_t text_bytes, enum tern_cause cause)
{
    const bool in = cause == TERN_CAUSE_NONE;
    struct tern_note note;

    if (!tern_stack_is_observed(s))
        return;
    note = note_of(s, in ? TERN_NOTE_SEGMENT_IN : TERN_NOTE_SEGMENT_OUT);
    note.segment.local = *local;
    note.segment.remote = *remote;
    note.segment.text_bytes = text_bytes;
    note.segment.cause = cause;
    note.segment.effect.drop = s->tcp.observer.drop;
    tern_note_header(&note.segment, h);
    tell(s, &note);
}

void tern_stack_tell_address(const struct tern_stack *s, const struct tern_own_address *own,
                             enum tern_address_step step)
{
    struct tern_note note;

    if (!tern_stack_is_observed(s))
        return;
    note = note_of(s, TERN_NOTE_ADDRESS);
    note.address.step = step;
    note.address.address = own->cidr.addr;
    note.address.other = own->claim.other_mac;
    tell(s, &note);
}

void tern_stack_tell_waited(const struct tern_stack *s, uint32_t conn_id)
{
    struct tern_note note;

    if (!tern_stack_is_observed(s))
        return;
    note = note_of(s, TERN_NOTE_STATE);
    note.conn_id = conn_id;
    note.state.from = TERN_TCP_TIME_WAIT;
    note.state.to = TERN_TCP_CLOSED;
    tell(s, &note);
}
