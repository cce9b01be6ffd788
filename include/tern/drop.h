/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_DROP_H
#define TERN_DROP_H
/*
 * Why a received frame, packet or segment was dropped. Each reason is a counter
 * in tern_stack_counters, a word in the statistics, and the name of a test.
 */
#include <tern/err.h>

#ifdef __cplusplus
extern "C" {
#endif

/* X(name, key, words) */
#define TERN_DROP_LIST(X)                                                                          \
    X(ETH_SHORT, "eth_short", "frame shorter than an Ethernet header")                             \
    X(ETH_NOT_OURS, "eth_not_ours", "frame for another MAC")                                       \
    X(ETH_UNKNOWN_TYPE, "eth_unknown_type", "EtherType that this stack does not speak")            \
    X(ARP_BAD, "arp_bad", "malformed ARP packet")                                                  \
    X(IP_BAD_HEADER, "ip_bad_header", "malformed IP header")                                       \
    X(IP_BAD_CHECKSUM, "ip_bad_checksum", "wrong IP header checksum")                              \
    X(IP_NOT_OURS, "ip_not_ours", "packet for another address")                                    \
    X(IP_BAD_SOURCE, "ip_bad_source", "source address that cannot be a host's")                    \
    X(IP_UNKNOWN_PROTOCOL, "ip_unknown_protocol", "IP protocol that this stack does not speak")    \
    X(FRAG_BAD, "frag_bad", "fragment with impossible offset or length")                           \
    X(FRAG_OVERLAP, "frag_overlap", "fragment that overlaps another with other bytes")             \
    X(FRAG_FULL, "frag_full", "no room to reassemble")                                             \
    X(FRAG_TIMEOUT, "frag_timeout", "fragments that never became whole")                           \
    X(ICMP_BAD, "icmp_bad", "malformed ICMP message or wrong checksum")                            \
    X(ICMP_IGNORED, "icmp_ignored", "ICMP message that concerns nothing here")                     \
    X(ICMP_RATE, "icmp_rate", "ICMP answer withheld by the rate limit")                            \
    X(UDP_BAD, "udp_bad", "malformed UDP datagram or wrong checksum")                              \
    X(UDP_NO_PORT, "udp_no_port", "datagram for a port that nobody opened")                        \
    X(UDP_FULL, "udp_full", "datagram for a full receive queue")                                   \
    X(TCP_BAD_HEADER, "tcp_bad_header", "malformed TCP header")                                    \
    X(TCP_BAD_CHECKSUM, "tcp_bad_checksum", "wrong TCP checksum")                                  \
    X(TCP_NO_CONNECTION, "tcp_no_connection", "segment for no connection")                         \
    X(TCP_LISTEN_FULL, "tcp_listen_full", "SYN for a full listen queue")                           \
    X(TCP_ACCEPT_FULL, "tcp_accept_full", "end of a handshake that nobody accepts")                \
    X(TCP_BAD_COOKIE, "tcp_bad_cookie", "ACK that answers no SYN cookie")                          \
    X(TCP_OUTSIDE_WINDOW, "tcp_outside_window", "segment outside the receive window")              \
    X(TCP_OLD_DUPLICATE, "tcp_old_duplicate", "bytes that had arrived before")                     \
    X(TCP_PAWS, "tcp_paws", "timestamp older than the last (PAWS)")                                \
    X(TCP_BAD_ACK, "tcp_bad_ack", "acknowledgment of what was never sent, or far too old")         \
    X(TCP_BAD_SYN, "tcp_bad_syn", "SYN in the middle of a connection")                             \
    X(TCP_BAD_RST, "tcp_bad_rst", "RST in the window but not at its left edge")                    \
    X(TCP_RATE, "tcp_rate", "challenge ACK or reset withheld by the rate limit")                   \
    X(TCP_NO_ACK, "tcp_no_ack", "segment without ACK where one is required")                       \
    X(TCP_NO_BUFFER, "tcp_no_buffer", "no buffer for out-of-order bytes")                          \
    X(TCP_AFTER_CLOSE, "tcp_after_close", "bytes after the application closed")                    \
    X(TCP_LIMIT, "tcp_limit", "no control block for a new connection")                             \
    X(TCP_ASLEEP, "tcp_asleep", "segment for a resting connection while all blocks are awake")     \
    X(NO_NEIGHBOUR, "no_neighbour", "packet for a neighbour that does not answer ARP")

enum tern_drop {
#define TERN_DROP_ENUM(name, key, words) TERN_DROP_##name,
    TERN_DROP_LIST(TERN_DROP_ENUM)
#undef TERN_DROP_ENUM
        TERN_DROP_COUNT
};

/* Plain words for a drop reason; never NULL. */
TERN_EXPORT const char *tern_drop_text(enum tern_drop drop);
/* The snake_case key used in JSON statistics; never NULL. */
TERN_EXPORT const char *tern_drop_key(enum tern_drop drop);

#ifdef __cplusplus
}
#endif
#endif
