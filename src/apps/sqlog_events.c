/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The events of the log, one function for each kind of note. Members that are false, 0 or unknown
 * are left out, where docs/sqlog.md says so.
 */
#include "apps/sqlog_events.h"

#include <stdio.h>
#include <string.h>

#define FLAGS_TEXT_MAX 48
#define SACK_TEXT_MAX  128

static void begin(struct tern_json_line *j, const char *name, const struct tern_note *note,
                  tern_time since)
{
    char group[16];

    tern_json_open(j, NULL);
    tern_json_ms(j, "time", note->at - since);
    tern_json_text(j, "name", name);
    if (note->conn_id != 0) {
        (void)snprintf(group, sizeof group, "%u", note->conn_id);
        tern_json_text(j, "group_id", group);
    }
    tern_json_open(j, "data");
}

static void put_cause(struct tern_json_line *j, enum tern_cause cause)
{
    if (cause != TERN_CAUSE_NONE)
        tern_json_text(j, "cause", tern_cause_name(cause));
}

static void put_state(struct tern_json_line *j, const char *key, enum tern_tcp_state state)
{
    tern_json_text(j, key, tern_tcp_state_text(state));
}

static void put_packet(struct tern_json_line *j, const struct tern_note *n, tern_time since)
{
    const uint8_t protocol = n->packet.protocol;

    begin(j, n->kind == TERN_NOTE_PACKET_IN ? "link:packet_received" : "link:packet_sent", n,
          since);
    tern_json_text(j, "protocol", protocol == 17 ? "udp" : protocol == 1 ? "icmp" : "other");
    tern_json_address(j, "source", &n->packet.src);
    tern_json_address(j, "destination", &n->packet.dst);
    tern_json_u64(j, "length_bytes", n->packet.bytes);
    if (protocol == 17) {
        tern_json_u64(j, "source_port", n->packet.src_port);
        tern_json_u64(j, "destination_port", n->packet.dst_port);
    } else if (protocol == 1) {
        tern_json_u64(j, "icmp_type", n->packet.icmp_type);
        tern_json_u64(j, "icmp_code", n->packet.icmp_code);
    }
    put_cause(j, n->packet.cause);
}

static void put_arp(struct tern_json_line *j, const struct tern_note *n, tern_time since)
{
    begin(j, n->kind == TERN_NOTE_ARP_IN ? "arp:packet_received" : "arp:packet_sent", n, since);
    tern_json_text(j, "operation", n->arp.reply ? "reply" : "request");
    tern_json_address(j, "sender", &n->arp.sender);
    tern_json_mac(j, "sender_mac", n->arp.sender_mac);
    tern_json_address(j, "target", &n->arp.target);
    tern_json_mac(j, "target_mac", n->arp.target_mac);
    put_cause(j, n->arp.cause);
}

static void put_flags(struct tern_json_line *j, uint8_t flags)
{
    static const char *const names[] = {"FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"};
    char text[FLAGS_TEXT_MAX] = "";
    size_t at = 0;

    for (unsigned i = 0; i < 8; i++)
        if ((flags >> i & 1) != 0) {
            if (at > 0)
                text[at++] = ' ';
            memcpy(text + at, names[i], 4);
            at += 3;
        }
    tern_json_text(j, "flags", text);
}

static void put_sack(struct tern_json_line *j, const struct tern_note_segment *s)
{
    char text[SACK_TEXT_MAX] = "[";
    int at = 1;

    if (s->sack_count == 0)
        return;
    for (uint8_t i = 0; i < s->sack_count && i < 4; i++)
        at += snprintf(text + at, sizeof text - (size_t)at, "%s[%u,%u]", i > 0 ? "," : "",
                       s->sack[i].start, s->sack[i].end);
    (void)snprintf(text + at, sizeof text - (size_t)at, "]");
    tern_json_raw(j, "sack", text);
}

static void put_effect(struct tern_json_line *j, const struct tern_note_effect *e, bool in_conn)
{
    if (in_conn) {
        tern_json_u64_some(j, "acked_bytes", e->acked_bytes);
        tern_json_u64_some(j, "sacked_bytes", e->delivered_more);
        tern_json_u64_some(j, "in_order_bytes", e->in_order_bytes);
        tern_json_u64_some(j, "joined_bytes", e->joined_bytes);
        tern_json_u64_some(j, "beyond_bytes", e->beyond_bytes);
        tern_json_true(j, "duplicate_ack", e->duplicate_ack);
        tern_json_true(j, "dsack_received", e->dsack_in);
        tern_json_true(j, "dsack_due", e->dsack_next);
        tern_json_true(j, "fin_taken", e->fin);
    }
    if (e->drop < TERN_DROP_COUNT)
        tern_json_text(j, "dropped", tern_drop_key(e->drop));
}

static void put_segment(struct tern_json_line *j, const struct tern_note *n, tern_time since)
{
    const struct tern_note_segment *s = &n->segment;
    const bool in = n->kind == TERN_NOTE_SEGMENT_IN;

    begin(j, in ? "tcp:segment_received" : "tcp:segment_sent", n, since);
    tern_json_endpoint(j, "local", &s->local);
    tern_json_endpoint(j, "remote", &s->remote);
    tern_json_u64(j, "seq", s->seq);
    tern_json_u64(j, "ack", s->ack);
    put_flags(j, s->flags);
    tern_json_u64(j, "window_bytes", s->window_bytes);
    tern_json_u64(j, "text_bytes", s->text_bytes);
    tern_json_u64(j, "offset_bytes", s->offset_bytes);
    tern_json_u64_some(j, "piece_bytes", s->piece_bytes);
    put_sack(j, s);
    tern_json_u64_some(j, "mss_bytes", s->mss_bytes);
    if (s->has_window_shift)
        tern_json_u64(j, "window_shift", s->window_shift);
    tern_json_true(j, "sack_permitted", s->sack_permitted);
    if (s->has_timestamps) {
        tern_json_u64(j, "ts_value", s->ts_value);
        tern_json_u64(j, "ts_echo", s->ts_echo);
    }
    put_cause(j, s->cause);
    tern_json_true(j, "retransmission", s->again);
    if (in)
        put_effect(j, &s->effect, n->conn_id != 0);
}

static void put_opened(struct tern_json_line *j, const struct tern_note *n, tern_time since)
{
    begin(j, "tcp:connection_opened", n, since);
    tern_json_endpoint(j, "local", &n->opened.local);
    tern_json_endpoint(j, "remote", &n->opened.remote);
    tern_json_bool(j, "passive", n->opened.passive);
    tern_json_text(j, "congestion_control", n->opened.congestion);
}

static void put_state_change(struct tern_json_line *j, const struct tern_note *n, tern_time since)
{
    begin(j, "tcp:state_updated", n, since);
    put_state(j, "from", n->state.from);
    put_state(j, "to", n->state.to);
}

static void put_agreed(struct tern_json_line *j, const struct tern_note *n, tern_time since)
{
    begin(j, "tcp:parameters_set", n, since);
    tern_json_u64(j, "mss_bytes", n->agreed.mss_bytes);
    tern_json_u64(j, "send_window_shift", n->agreed.snd_wscale);
    tern_json_u64(j, "receive_window_shift", n->agreed.rcv_wscale);
    tern_json_bool(j, "sack", n->agreed.sack);
    tern_json_bool(j, "timestamps", n->agreed.timestamps);
    tern_json_bool(j, "ecn", n->agreed.ecn);
}

static void put_closed(struct tern_json_line *j, const struct tern_note *n, tern_time since)
{
    begin(j, "tcp:connection_closed", n, since);
    tern_json_text(j, "reason", tern_err_name(n->closed.reason));
    tern_json_ms(j, "lasted_ms", n->closed.lasted);
    tern_json_u64(j, "sent_bytes", n->closed.bytes_sent);
    tern_json_u64(j, "received_bytes", n->closed.bytes_received);
    tern_json_u64(j, "sent_segments", n->closed.segs_out);
    tern_json_u64(j, "received_segments", n->closed.segs_in);
    tern_json_u64(j, "retransmitted_segments", n->closed.retrans);
}

static void put_timer(struct tern_json_line *j, const struct tern_note *n, tern_time since)
{
    static const char *const steps[] = {"set", "fired", "cancelled"};

    begin(j, "tcp:timer_updated", n, since);
    tern_json_text(j, "timer", tern_timer_text(n->timer.timer));
    tern_json_text(j, "step", steps[n->timer.step]);
    if (n->timer.step == TERN_TIMER_SET)
        tern_json_ms(j, "due_in_ms", n->timer.due - n->at);
}

static void put_loss(struct tern_json_line *j, const struct tern_note *n, tern_time since)
{
    begin(j, "tcp:loss_detected", n, since);
    tern_json_text(j, "by", tern_loss_text(n->loss.by));
    tern_json_u64(j, "offset_bytes", n->loss.offset_bytes);
    tern_json_u64(j, "length_bytes", n->loss.bytes);
    tern_json_true(j, "again", n->loss.again);
}

static void put_recovery(struct tern_json_line *j, const struct tern_note *n, tern_time since)
{
    begin(j, "tcp:recovery_updated", n, since);
    tern_json_text(j, "from", tern_sender_text(n->recovery.from));
    tern_json_text(j, "to", tern_sender_text(n->recovery.to));
}

static void put_undo(struct tern_json_line *j, const struct tern_note *n, tern_time since)
{
    begin(j, "tcp:recovery_undone", n, since);
    tern_json_text(j, "by", tern_undo_text(n->undo.by));
    tern_json_u64(j, "cwnd_before_bytes", n->undo.cwnd_before);
    tern_json_u64(j, "cwnd_bytes", n->undo.cwnd);
}

static void put_metrics(struct tern_json_line *j, const struct tern_note *n, tern_time since)
{
    const struct tern_note_metrics *m = &n->metrics;

    begin(j, "tcp:metrics_updated", n, since);
    tern_json_u64(j, "cwnd_bytes", m->cwnd);
    if (m->ssthresh != UINT64_MAX)
        tern_json_u64(j, "ssthresh_bytes", m->ssthresh);
    tern_json_u64(j, "in_flight_bytes", m->in_flight);
    tern_json_u64(j, "pipe_bytes", m->pipe);
    tern_json_u64_some(j, "pacing_bytes_per_s", m->pacing_rate);
    tern_json_text(j, "phase", tern_phase_text(m->phase));
    if (m->srtt > 0) {
        tern_json_ms(j, "srtt_ms", m->srtt);
        tern_json_ms(j, "rttvar_ms", m->rttvar);
    }
    if (m->rtt_min != TERN_TIME_NEVER)
        tern_json_ms(j, "rtt_min_ms", m->rtt_min);
    tern_json_ms(j, "rto_ms", m->rto);
}

static void put_window(struct tern_json_line *j, const struct tern_note *n, tern_time since)
{
    begin(j, "tcp:window_updated", n, since);
    tern_json_text(j, "whose", n->window.own ? "own" : "peer");
    tern_json_u64(j, "before_bytes", n->window.bytes_before);
    tern_json_u64(j, "window_bytes", n->window.bytes);
}

static void put_drop(struct tern_json_line *j, const struct tern_note *n, tern_time since)
{
    const char *key = tern_drop_key(n->drop.reason);
    const bool tcp = n->conn_id != 0 || strncmp(key, "tcp_", 4) == 0;

    begin(j,
          tcp                                   ? "tcp:segment_dropped"
          : n->drop.reason == TERN_DROP_ARP_BAD ? "arp:packet_dropped"
                                                : "link:packet_dropped",
          n, since);
    tern_json_text(j, "reason", key);
}

static void put_address(struct tern_json_line *j, const struct tern_note *n, tern_time since)
{
    begin(j, "arp:address_updated", n, since);
    tern_json_text(j, "step", tern_address_step_text(n->address.step));
    tern_json_address(j, "address", &n->address.address);
    if (n->address.step == TERN_ADDRESS_DEFENDED || n->address.step == TERN_ADDRESS_LOST)
        tern_json_mac(j, "other_mac", n->address.other);
}

static void put_neighbour(struct tern_json_line *j, const struct tern_note *n, tern_time since)
{
    begin(j, "arp:neighbour_updated", n, since);
    tern_json_text(j, "state", tern_neighbour_text(n->neighbour.state));
    tern_json_address(j, "address", &n->neighbour.address);
    if (n->neighbour.state == TERN_NEIGHBOUR_KNOWN)
        tern_json_mac(j, "mac", n->neighbour.mac);
}

typedef void put_fn(struct tern_json_line *j, const struct tern_note *note, tern_time since);

static put_fn *const puts_of[TERN_NOTE_COUNT] = {
    [TERN_NOTE_PACKET_IN] = put_packet,    [TERN_NOTE_PACKET_OUT] = put_packet,
    [TERN_NOTE_ARP_IN] = put_arp,          [TERN_NOTE_ARP_OUT] = put_arp,
    [TERN_NOTE_SEGMENT_IN] = put_segment,  [TERN_NOTE_SEGMENT_OUT] = put_segment,
    [TERN_NOTE_OPENED] = put_opened,       [TERN_NOTE_STATE] = put_state_change,
    [TERN_NOTE_AGREED] = put_agreed,       [TERN_NOTE_CLOSED] = put_closed,
    [TERN_NOTE_TIMER] = put_timer,         [TERN_NOTE_LOSS] = put_loss,
    [TERN_NOTE_RECOVERY] = put_recovery,   [TERN_NOTE_UNDO] = put_undo,
    [TERN_NOTE_METRICS] = put_metrics,     [TERN_NOTE_WINDOW] = put_window,
    [TERN_NOTE_DROP] = put_drop,           [TERN_NOTE_ADDRESS] = put_address,
    [TERN_NOTE_NEIGHBOUR] = put_neighbour,
};

bool tern_sqlog_event(struct tern_json_line *j, const struct tern_note *note, tern_time since)
{
    put_fn *put_it = (unsigned)note->kind < TERN_NOTE_COUNT ? puts_of[note->kind] : NULL;

    if (put_it == NULL)
        return false;
    put_it(j, note, since);
    tern_json_close(j);
    tern_json_close(j);
    return true;
}

static void put_addresses(struct tern_json_line *j, const struct tern_milestone *m)
{
    char text[TERN_MILESTONE_ADDRESSES_MAX * (TERN_ADDR_TEXT_MAX + 4) + 4];
    char one[TERN_ADDR_TEXT_MAX];
    int at = snprintf(text, sizeof text, "[");

    for (int i = 0; i < m->addresses_count; i++)
        at += snprintf(text + at, sizeof text - (size_t)at, "%s\"%s\"", i > 0 ? "," : "",
                       tern_addr_text(m->addresses[i], one));
    (void)snprintf(text + at, sizeof text - (size_t)at, "]");
    tern_json_raw(j, "addresses", text);
}

static void put_milestone(struct tern_json_line *j, const struct tern_milestone *m)
{
    switch (m->kind) {
    case TERN_MILESTONE_DNS_ASKED:
        tern_json_text(j, "query", m->text);
        break;
    case TERN_MILESTONE_DNS_ANSWERED:
        tern_json_text(j, "query", m->text);
        tern_json_text(j, "result", m->more);
        put_addresses(j, m);
        break;
    case TERN_MILESTONE_TLS_DONE:
        tern_json_text(j, "cipher", m->text);
        tern_json_text(j, "alpn", m->more);
        break;
    case TERN_MILESTONE_HTTP_REQUEST:
        tern_json_text(j, "method", m->text);
        tern_json_text(j, "target", m->more);
        tern_json_text(j, "version", m->version);
        break;
    case TERN_MILESTONE_HTTP_RESPONSE:
        tern_json_text(j, "version", m->version);
        tern_json_u64(j, "status", m->number);
        break;
    case TERN_MILESTONE_HTTP_BODY:
        tern_json_u64(j, "length_bytes", m->number);
        break;
    case TERN_MILESTONE_LOST:
        tern_json_u64(j, "count", m->number);
        break;
    }
}

void tern_sqlog_milestone_event(struct tern_json_line *j, const struct tern_milestone *m,
                                tern_time since)
{
    static const char *const names[] = {
        "dns:query_sent",         "dns:answer_received", "tls:handshake_done", "http:request_sent",
        "http:response_received", "http:body_received",  "log:milestones_lost"};
    const struct tern_note when = {.at = m->at};

    begin(j, names[m->kind], &when, since);
    put_milestone(j, m);
    tern_json_close(j);
    tern_json_close(j);
}
