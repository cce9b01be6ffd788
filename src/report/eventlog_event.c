/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From an event that tells of a segment, a datagram or an ARP packet its headers are made anew, in
 * the form that they had on the wire, and read as a capture's packet would be, so that the model
 * knows one kind of packet only.
 */
#include "report/eventlog_event.h"

#include <stdlib.h>
#include <string.h>

#include "base/seq.h"
#include "wire/arp.h"
#include "wire/eth.h"
#include "wire/icmp.h"
#include "wire/tcp.h"
#include "wire/udp.h"

#define SHIFT_MAX 14
#define CWND_MAX  (UINT64_C(1) << 40)
#define IP_OTHER  255  /* reserved: nothing that a picture knows */
#define MS_MAX    4e12 /* with the largest epoch it is in tern_time's range */

static uint64_t number(json_t *data, const char *key)
{
    const json_int_t value = json_integer_value(json_object_get(data, key));

    return value < 0 ? 0 : (uint64_t)value;
}

static const char *text(json_t *data, const char *key)
{
    const char *value = json_string_value(json_object_get(data, key));

    return value == NULL ? "" : value;
}

static bool endpoint(json_t *data, const char *key, struct tern_endpoint *out)
{
    char copy[TERN_ENDPOINT_TEXT_MAX];
    const char *value = text(data, key), *colon = strrchr(value, ':');
    unsigned long port;
    size_t bytes;

    if (colon == NULL || strlen(value) >= sizeof copy)
        return false;
    port = strtoul(colon + 1, NULL, 10);
    bytes = (size_t)(colon - value);
    memcpy(copy, value, bytes);
    copy[bytes] = '\0';
    out->port = (uint16_t)port;
    return port <= UINT16_MAX && tern_addr_parse(copy, &out->addr) == TERN_ERR_OK &&
           tern_addr_is_v4(out->addr);
}

/* Nothing happened before the log began; what is too late for a clock is as late as one can be. */
static tern_time time_of(const struct tern_eventlog_events *e, json_t *record)
{
    const double ms = json_number_value(json_object_get(record, "time"));

    return e->epoch + (tern_time)((ms > 0 ? ms < MS_MAX ? ms : MS_MAX : 0) * 1e6);
}

/* The words of a cause that the log names; NULL: none. */
static const char *cause_words(const char *name)
{
    for (int i = 1; i < TERN_CAUSE_COUNT; i++)
        if (strcmp(name, tern_cause_name((enum tern_cause)i)) == 0)
            return tern_cause_text((enum tern_cause)i);
    return NULL;
}

static uint8_t flags_of(const char *words)
{
    static const char *const names[] = {"FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"};
    uint8_t flags = 0;

    for (unsigned i = 0; i < 8; i++)
        if (strstr(words, names[i]) != NULL)
            flags = (uint8_t)(flags | 1u << i);
    return flags;
}

/* ---- packets ---- */

static struct tern_writer headers_of(struct tern_eventlog_events *e)
{
    memset(e->packet, 0, TERN_EVENTLOG_HEADERS_BYTES);
    return tern_writer_of(e->packet, TERN_EVENTLOG_HEADERS_BYTES);
}

/* So many bytes of text follow the headers. */
static void hand_over(struct tern_eventlog_events *e, json_t *record, const struct tern_writer *w,
                      size_t text_bytes, bool sent, const char *comment)
{
    struct tern_model_packet p = {
        .at = time_of(e, record),
        .has_direction = true,
        .sent = sent,
        .comment = comment,
        .pieces_known = true,
        .piece_bytes = (uint32_t)number(json_object_get(record, "data"), "piece_bytes")};

    if (w->failed)
        return;
    e->facts->chosen++;
    tern_dissect(TERN_DISSECT_ETHERNET, tern_span_of(w->data, w->bytes + text_bytes),
                 w->bytes + text_bytes, &p.what);
    tern_model_packet(e->model, &p);
}

/* A SYN's window is never scaled; others are where both SYNs had the option (RFC 7323 §2.2). Of no
 * connection, or of one in TIME-WAIT, the log has it as it stood in the header (docs/sqlog.md). */
static uint16_t window_field(struct tern_eventlog_pair *p, json_t *record, bool syn, bool sent)
{
    json_t *data = json_object_get(record, "data");
    const json_t *shift = json_object_get(data, "window_shift");
    uint64_t window = number(data, "window_bytes");

    if (syn)
        p->shift[!sent] = shift == NULL || json_integer_value(shift) < 0 ? -1
                          : json_integer_value(shift) > SHIFT_MAX        ? SHIFT_MAX
                                                                  : (int)json_integer_value(shift);
    else if (json_object_get(record, "group_id") != NULL && p->shift[0] >= 0 && p->shift[1] >= 0)
        window >>= p->shift[!sent];
    return (uint16_t)(window > UINT16_MAX ? UINT16_MAX : window);
}

static void take_sack(struct tern_tcp_header *h, json_t *data)
{
    json_t *blocks = json_object_get(data, "sack");

    for (size_t i = 0; i < json_array_size(blocks) && h->sack_count < 4; i++) {
        json_t *block = json_array_get(blocks, i);
        struct tern_sack_block *b = &h->sack[h->sack_count++];

        b->start = tern_seq_of((uint32_t)json_integer_value(json_array_get(block, 0)));
        b->end = tern_seq_of((uint32_t)json_integer_value(json_array_get(block, 1)));
    }
}

static void take_options(struct tern_tcp_header *h, const struct tern_eventlog_pair *p,
                         json_t *data, bool sent)
{
    const uint64_t mss = number(data, "mss_bytes");

    h->has_timestamps = json_object_get(data, "ts_value") != NULL;
    h->ts_value = (uint32_t)number(data, "ts_value");
    h->ts_echo = (uint32_t)number(data, "ts_echo");
    if ((h->flags & TERN_TCP_SYN) == 0)
        return;
    h->has_mss = mss > 0 && mss <= UINT16_MAX;
    h->mss = (uint16_t)(h->has_mss ? mss : 0);
    h->has_wscale = p->shift[!sent] >= 0;
    h->wscale = (uint8_t)(h->has_wscale ? p->shift[!sent] : 0);
    h->sack_permitted = json_is_true(json_object_get(data, "sack_permitted"));
}

static void segment(struct tern_eventlog_events *e, json_t *record, json_t *data, bool sent)
{
    struct tern_writer w = headers_of(e);
    struct tern_endpoint local, remote;
    struct tern_tcp_header h = {.flags = flags_of(text(data, "flags"))};
    const uint64_t text_bytes = number(data, "text_bytes");
    const struct tern_eth eth = {.type = TERN_ETHERTYPE_IPV4};
    struct tern_ipv4 ip = {.ttl = 64, .protocol = TERN_IP_TCP};
    struct tern_eventlog_pair *p;
    size_t header_bytes;

    if (!endpoint(data, "local", &local) || !endpoint(data, "remote", &remote))
        return;
    p = tern_eventlog_pair(&e->conns, &local, &remote);
    if (p == NULL) {
        e->facts->no_room++;
        return;
    }
    h.src_port = sent ? local.port : remote.port;
    h.dst_port = sent ? remote.port : local.port;
    h.seq = tern_seq_of((uint32_t)number(data, "seq"));
    h.ack = tern_seq_of((uint32_t)number(data, "ack"));
    h.window = window_field(p, record, (h.flags & TERN_TCP_SYN) != 0, sent);
    take_options(&h, p, data, sent);
    take_sack(&h, data);
    ip.src = sent ? local.addr : remote.addr;
    ip.dst = sent ? remote.addr : local.addr;
    header_bytes = tern_tcp_header_bytes(&h);
    if (text_bytes > UINT16_MAX - TERN_IPV4_BYTES - header_bytes)
        return;
    tern_eth_emit(&eth, &w);
    tern_ipv4_emit(&ip, (uint16_t)(header_bytes + text_bytes), &w);
    tern_tcp_emit(&h, &w);
    hand_over(e, record, &w, (size_t)text_bytes, sent,
              sent ? cause_words(text(data, "cause")) : NULL);
}

static void arp(struct tern_eventlog_events *e, json_t *record, json_t *data, bool sent)
{
    struct tern_writer w = headers_of(e);
    const struct tern_eth eth = {.type = TERN_ETHERTYPE_ARP};
    struct tern_arp a = {.op = strcmp(text(data, "operation"), "reply") == 0 ? TERN_ARP_REPLY
                                                                             : TERN_ARP_REQUEST};

    if (tern_addr_parse(text(data, "sender"), &a.sender) != TERN_ERR_OK ||
        tern_addr_parse(text(data, "target"), &a.target) != TERN_ERR_OK ||
        !tern_addr_is_v4(a.sender) || !tern_addr_is_v4(a.target) ||
        tern_mac_parse(text(data, "sender_mac"), &a.sender_mac) != TERN_ERR_OK ||
        tern_mac_parse(text(data, "target_mac"), &a.target_mac) != TERN_ERR_OK)
        return;
    tern_eth_emit(&eth, &w);
    tern_arp_emit(&a, &w);
    hand_over(e, record, &w, 0, sent, sent ? cause_words(text(data, "cause")) : NULL);
}

/* UDP and ICMP, of whose bytes a log has the first few only. */
static void packet(struct tern_eventlog_events *e, json_t *record, json_t *data, bool sent)
{
    struct tern_writer w = headers_of(e);
    const struct tern_eth eth = {.type = TERN_ETHERTYPE_IPV4};
    const char *protocol = text(data, "protocol");
    const bool udp = strcmp(protocol, "udp") == 0, icmp = strcmp(protocol, "icmp") == 0;
    struct tern_ipv4 ip = {.ttl = 64,
                           .protocol = udp    ? TERN_IP_UDP
                                       : icmp ? TERN_IP_ICMP
                                              : IP_OTHER};
    const uint64_t bytes = number(data, "length_bytes");
    size_t head;

    if (tern_addr_parse(text(data, "source"), &ip.src) != TERN_ERR_OK ||
        tern_addr_parse(text(data, "destination"), &ip.dst) != TERN_ERR_OK ||
        !tern_addr_is_v4(ip.src) || !tern_addr_is_v4(ip.dst) ||
        bytes > UINT16_MAX - TERN_IPV4_BYTES)
        return;
    tern_eth_emit(&eth, &w);
    tern_ipv4_emit(&ip, (uint16_t)bytes, &w);
    head = w.bytes;
    if (udp && bytes >= TERN_UDP_BYTES) {
        tern_write_be16(&w, (uint16_t)number(data, "source_port"));
        tern_write_be16(&w, (uint16_t)number(data, "destination_port"));
    } else if (icmp && bytes >= TERN_ICMP_BYTES) {
        tern_write_u8(&w, (uint8_t)number(data, "icmp_type"));
        tern_write_u8(&w, (uint8_t)number(data, "icmp_code"));
    }
    hand_over(e, record, &w, (size_t)bytes - (w.bytes - head), sent,
              sent ? cause_words(text(data, "cause")) : NULL);
}

static uint64_t group_id(json_t *record)
{
    return strtoul(text(record, "group_id"), NULL, 10);
}

static void opened(struct tern_eventlog_events *e, json_t *record, json_t *data)
{
    struct tern_endpoint local, remote;

    if (endpoint(data, "local", &local) && endpoint(data, "remote", &remote) &&
        !tern_eventlog_group_set(&e->conns, group_id(record), &local, &remote))
        e->facts->no_room++;
}

static void metrics(struct tern_eventlog_events *e, json_t *record, json_t *data)
{
    const struct tern_eventlog_group *g = tern_eventlog_group(&e->conns, group_id(record));
    struct tern_model_congestion what = {.at = time_of(e, record),
                                         .cwnd = number(data, "cwnd_bytes"),
                                         .ssthresh = number(data, "ssthresh_bytes")};

    if (g == NULL || what.cwnd > CWND_MAX || what.ssthresh > CWND_MAX)
        return;
    what.sender = g->local;
    what.receiver = g->remote;
    tern_model_congestion(e->model, &what);
}

void tern_eventlog_event(struct tern_eventlog_events *e, json_t *record)
{
    const char *name = text(record, "name");
    json_t *data = json_object_get(record, "data");

    if (strcmp(name, "tcp:segment_sent") == 0)
        segment(e, record, data, true);
    else if (strcmp(name, "tcp:segment_received") == 0)
        segment(e, record, data, false);
    else if (strcmp(name, "arp:packet_sent") == 0)
        arp(e, record, data, true);
    else if (strcmp(name, "arp:packet_received") == 0)
        arp(e, record, data, false);
    else if (strcmp(name, "link:packet_sent") == 0)
        packet(e, record, data, true);
    else if (strcmp(name, "link:packet_received") == 0)
        packet(e, record, data, false);
    else if (strcmp(name, "tcp:connection_opened") == 0)
        opened(e, record, data);
    else if (strcmp(name, "tcp:metrics_updated") == 0)
        metrics(e, record, data);
}
