/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a captured packet to what IP carries.
 *
 * Two lengths go down through the headers: what was captured (the reader), and what was on the wire
 * (left_bytes). A header that was not captured whole ends the way (CUT). IP's own length wins over
 * the frame's, which may be padded; where it is 0, or IPv6's jumbo, a super-segment was longer than
 * the field can say, and the frame's length is taken (RFC 2675 §3, and Linux's BIG TCP).
 */
#include "wire/dissect.h"

enum {
    TYPE_IPV4 = 0x0800,
    TYPE_ARP = 0x0806,
    TYPE_IPV6 = 0x86dd,
    TYPE_VLAN = 0x8100,
    TYPE_QINQ = 0x88a8,
    TYPE_QINQ_OLD = 0x9100,
    TYPE_PPPOE = 0x8864,
    PPP_IPV4 = 0x0021,
    PPP_IPV6 = 0x0057,
    FAMILY_IPV4 = 2,
    EXT_HOP_BY_HOP = 0,
    EXT_ROUTING = 43,
    EXT_FRAGMENT = 44,
    EXT_AUTH = 51,
    EXT_DESTINATION = 60,
    EXT_MOBILITY = 135,
    TAGS_MAX = 4,
    EXTENSIONS_MAX = 8,
};

struct walk {
    struct tern_reader r;
    size_t left_bytes; /* on the wire, from the reader's place on */
    struct tern_dissect *out;
};

static const uint8_t *take(struct walk *w, size_t bytes)
{
    const uint8_t *p = tern_read_bytes(&w->r, bytes);

    w->left_bytes -= w->left_bytes < bytes ? w->left_bytes : bytes;
    return p;
}

static void end(struct walk *w, size_t bytes)
{
    w->out->kind = TERN_DISSECT_IP;
    w->out->body_bytes = bytes;
    w->out->body = tern_span_first(w->r.left, bytes);
}

static void ipv4(struct walk *w)
{
    size_t wire_bytes = w->left_bytes;
    const uint8_t *p = take(w, 20);

    if (p == NULL)
        return;
    size_t header = (p[0] & 0x0fu) * 4u, total = tern_get_be16(p + 2);
    unsigned fragment = tern_get_be16(p + 6);

    if (header < 20 || (total != 0 && total < header)) {
        w->out->kind = TERN_DISSECT_BAD;
        return;
    }
    if (take(w, header - 20) == NULL)
        return;
    if (total == 0)
        total = wire_bytes > header ? wire_bytes : header;
    w->out->protocol = p[9];
    w->out->src = tern_addr_from_be32(tern_get_be32(p + 12));
    w->out->dst = tern_addr_from_be32(tern_get_be32(p + 16));
    w->out->more_fragments = (fragment & 0x2000) != 0;
    w->out->later_fragment = (fragment & 0x1fff) != 0;
    end(w, total - header);
}

/* One extension header, whose first byte names the next; false: `next` is none of them. */
static bool extension(struct walk *w, uint8_t *next, size_t *payload)
{
    const uint8_t *p;
    size_t bytes;

    if (*next != EXT_HOP_BY_HOP && *next != EXT_ROUTING && *next != EXT_FRAGMENT &&
        *next != EXT_AUTH && *next != EXT_DESTINATION && *next != EXT_MOBILITY)
        return false;
    p = take(w, 8);
    if (p == NULL)
        return false;
    bytes = *next == EXT_FRAGMENT ? 8 : *next == EXT_AUTH ? (p[1] + 2u) * 4u : (p[1] + 1u) * 8u;
    if (*next == EXT_FRAGMENT) {
        w->out->more_fragments = (p[3] & 1) != 0;
        w->out->later_fragment = (tern_get_be16(p + 2) & 0xfff8) != 0;
    }
    if (bytes > 8 && take(w, bytes - 8) == NULL)
        return false;
    *payload -= *payload < bytes ? *payload : bytes;
    *next = p[0];
    return !w->out->later_fragment;
}

static void ipv6(struct walk *w)
{
    const uint8_t *p = take(w, 40);

    if (p == NULL)
        return;
    size_t payload = tern_get_be16(p + 4);
    uint8_t next = p[6];

    if (payload == 0)
        payload = w->left_bytes;
    memcpy(w->out->src.b, p + 8, 16);
    memcpy(w->out->dst.b, p + 24, 16);
    for (unsigned i = 0; i < EXTENSIONS_MAX && extension(w, &next, &payload); i++)
        continue;
    if (w->r.failed)
        return;
    w->out->protocol = next;
    end(w, payload);
}

static void by_version(struct walk *w)
{
    if (w->r.left.bytes == 0)
        return;
    switch (w->r.left.data[0] >> 4) {
    case 4:
        ipv4(w);
        break;
    case 6:
        ipv6(w);
        break;
    default:
        w->out->kind = TERN_DISSECT_OTHER;
        break;
    }
}

static void pppoe(struct walk *w)
{
    const uint8_t *p = take(w, 8);

    if (p == NULL)
        return;
    unsigned protocol = tern_get_be16(p + 6);

    if (protocol == PPP_IPV4 || protocol == PPP_IPV6)
        by_version(w);
    else
        w->out->kind = TERN_DISSECT_OTHER;
}

static void by_type(struct walk *w, unsigned type)
{
    for (unsigned i = 0;
         i < TAGS_MAX && (type == TYPE_VLAN || type == TYPE_QINQ || type == TYPE_QINQ_OLD); i++) {
        const uint8_t *tag = take(w, 4);

        if (tag == NULL)
            return;
        type = tern_get_be16(tag + 2);
    }
    if (type == TYPE_IPV4 || type == TYPE_IPV6) {
        by_version(w);
    } else if (type == TYPE_ARP) {
        w->out->kind = TERN_DISSECT_ARP;
        w->out->body = w->r.left;
        w->out->body_bytes = w->left_bytes;
    } else if (type == TYPE_PPPOE) {
        pppoe(w);
    } else {
        w->out->kind = TERN_DISSECT_OTHER;
    }
}

/* A header of so many bytes with the type of what follows at an offset. */
static void typed(struct walk *w, size_t bytes, size_t type_at)
{
    const uint8_t *p = take(w, bytes);

    if (p != NULL)
        by_type(w, tern_get_be16(p + type_at));
}

/* Known families are small, so that their byte order shows; IPv6's number differs from one system
 * to the next, and the version field tells it apart as well. */
static void loopback(struct walk *w)
{
    const uint8_t *p = take(w, 4);

    if (p == NULL)
        return;
    unsigned family = p[0] != 0 ? p[0] : p[3];

    if (family == FAMILY_IPV4 || family == 10 || family == 24 || family == 28 || family == 30)
        by_version(w);
    else
        w->out->kind = TERN_DISSECT_OTHER;
}

void tern_dissect(enum tern_dissect_link link, tern_span packet, size_t wire_bytes,
                  struct tern_dissect *out)
{
    struct walk w = {.r = tern_reader_of(packet), .left_bytes = wire_bytes, .out = out};

    *out = (struct tern_dissect){.kind = TERN_DISSECT_CUT};
    if (w.left_bytes < packet.bytes)
        w.left_bytes = packet.bytes;
    switch (link) {
    case TERN_DISSECT_ETHERNET:
        typed(&w, 14, 12);
        break;
    case TERN_DISSECT_COOKED:
        typed(&w, 16, 14);
        break;
    case TERN_DISSECT_COOKED2:
        typed(&w, 20, 0);
        break;
    case TERN_DISSECT_RAW:
        by_version(&w);
        break;
    case TERN_DISSECT_LOOPBACK:
        loopback(&w);
        break;
    }
}
