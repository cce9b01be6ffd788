/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_WIRE_DISSECT_H
#define TERN_WIRE_DISSECT_H
/*
 * A packet as somebody's capture holds it, read down to what IP carries: for looking at traffic,
 * not for receiving it. Lengths are those of the headers, since a capture may hold only the
 * beginning of a packet; checksums are not judged, since a capture on the sender's machine holds
 * them before they are filled in.
 */
#include <tern/addr.h>

#include "base/bytes.h"

enum tern_dissect_link {
    TERN_DISSECT_ETHERNET,
    TERN_DISSECT_COOKED,  /* Linux cooked, version 1 */
    TERN_DISSECT_COOKED2, /* version 2 */
    TERN_DISSECT_RAW,     /* IPv4 or IPv6 from the first byte on */
    TERN_DISSECT_LOOPBACK /* BSD's: four bytes of address family, in either byte order */
};

enum tern_dissect_kind {
    TERN_DISSECT_CUT,   /* the capture ends within the headers */
    TERN_DISSECT_BAD,   /* the headers contradict themselves */
    TERN_DISSECT_OTHER, /* neither IP nor ARP */
    TERN_DISSECT_ARP,
    TERN_DISSECT_IP,
};

struct tern_dissect {
    enum tern_dissect_kind kind;
    struct tern_addr src, dst;
    uint8_t protocol; /* behind IPv6's extension headers */
    bool more_fragments;
    bool later_fragment; /* not the first: there is no header of the next protocol in it */
    size_t body_bytes;   /* what IP carries, by its headers */
    tern_span body;      /* as much of it as was captured; ARP: the ARP packet */
};

/* packet: what was captured, from the link's header on; wire_bytes: its length on the wire. */
void tern_dissect(enum tern_dissect_link link, tern_span packet, size_t wire_bytes,
                  struct tern_dissect *out);

#endif
