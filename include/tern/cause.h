/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_CAUSE_H
#define TERN_CAUSE_H
/*
 * Why a frame was sent. Every frame that the stack emits carries one; it becomes
 * the comment in the capture, the event in the log and the words in the picture.
 */
#include <tern/err.h>

#ifdef __cplusplus
extern "C" {
#endif

/* X(name, words) */
#define TERN_CAUSE_LIST(X)                                                                         \
    X(NONE, "no reason recorded")                                                                  \
    X(ARP_PROBE, "ARP probe: is this address anyone's? (RFC 5227 §2.1.1)")                         \
    X(ARP_ANNOUNCE, "ARP announcement: this address is ours now (RFC 5227 §2.3)")                  \
    X(ARP_DEFEND, "ARP defence: somebody else used our address (RFC 5227 §2.4)")                   \
    X(ARP_REQUEST, "ARP request: we need this neighbour's MAC (RFC 826)")                          \
    X(ARP_REPLY, "ARP reply: we were asked for our MAC (RFC 826)")                                 \
    X(ECHO_REQUEST, "ICMP echo request: ping (RFC 792)")                                           \
    X(ECHO_REPLY, "ICMP echo reply: we were pinged (RFC 792)")                                     \
    X(ICMP_ERROR, "ICMP error: a packet could not be delivered here (RFC 1122 §3.2.2)")            \
    X(UDP_SEND, "the application sent a datagram (RFC 768)")                                       \
    X(SYN, "the application connects (RFC 9293 §3.5)")                                             \
    X(SYN_ACK, "answer to a SYN for a listener (RFC 9293 §3.10.7.2)")                              \
    X(SYN_COOKIE, "answer to a SYN that there is no room to remember (RFC 4987 §3.6)")             \
    X(HANDSHAKE_ACK, "the handshake is complete (RFC 9293 §3.10.7.3)")                             \
    X(APP_WRITE, "the application wrote bytes and the windows allow them (RFC 9293 §3.8)")         \
    X(MTU_PROBE, "bytes in a longer packet than before: does the path take it? (RFC 4821 §7)")     \
    X(SECOND_SEGMENT, "ACK: a second full segment arrived (RFC 9293 §3.8.6.3)")                    \
    X(QUICK_ACK, "ACK at once: the start of a flow, or a pushed segment (RFC 9293 §3.8.6.3)")      \
    X(DELAYED_ACK, "ACK: the delay ran out with no data to carry it (RFC 9293 §3.8.6.3)")          \
    X(SLOW_ACK, "ACK: late on purpose, as 'demo slow' asked: no TCP may (RFC 9293 §3.8.6.3)")      \
    X(OUT_OF_ORDER_ACK, "duplicate ACK: a segment arrived beyond a hole (RFC 5681 §4.2)")          \
    X(DUPLICATE_ACK, "ACK: the segment held nothing new (RFC 9293 §3.10.7.4)")                     \
    X(HOLE_FILLED_ACK, "ACK: a hole in the received bytes was filled (RFC 5681 §4.2)")             \
    X(FIN_ACK, "ACK: the peer's FIN arrived (RFC 9293 §3.10.7.4)")                                 \
    X(URGENT, "ACK: urgent data waits before a closed window (RFC 9293 §3.8.5)")                   \
    X(WINDOW_UPDATE, "window update: the application read (RFC 9293 §3.8.6.2.2)")                  \
    X(WINDOW_PROBE, "window probe: the peer's window is closed (RFC 9293 §3.8.6.1)")               \
    X(KEEPALIVE, "keep-alive: is the peer still there? (RFC 9293 §3.8.4)")                         \
    X(RTO, "retransmission: the timer ran out (RFC 6298 §5.4)")                                    \
    X(PATH_MTU, "retransmission: it was too long for the path (RFC 1191 §3)")                      \
    X(FAST_RETRANSMIT, "retransmission: duplicate ACKs say it is lost (RFC 5681 §3.2)")            \
    X(SACK_RETRANSMIT, "retransmission: SACK shows a hole (RFC 6675 §5)")                          \
    X(RACK_RETRANSMIT, "retransmission: what was sent later has arrived (RFC 8985 §6.2)")          \
    X(TAIL_PROBE, "tail loss probe: no ACK for two round trips (RFC 8985 §7.3)")                   \
    X(CHALLENGE_ACK, "challenge ACK: prove that you know the connection (RFC 5961 §3)")            \
    X(FIN, "the application is done sending (RFC 9293 §3.6)")                                      \
    X(RST_NO_CONNECTION, "reset: a segment for no connection (RFC 9293 §3.10.7.1)")                \
    X(RST_ABORT, "reset: the application aborted (RFC 9293 §3.10.5)")                              \
    X(RST_KEEPALIVE, "reset: no keep-alive was answered (RFC 9293 §3.8.4)")                        \
    X(RST_UNREAD, "reset: closed while received bytes were unread (RFC 9293 §3.6.1)")              \
    X(RST_BAD_ACK, "reset: an ACK of what was never sent (RFC 9293 §3.10.7.3)")                    \
    X(TIMEWAIT_ACK, "ACK: the peer's FIN came again in TIME-WAIT (RFC 9293 §3.10.7.4)")

enum tern_cause {
#define TERN_CAUSE_ENUM(name, words) TERN_CAUSE_##name,
    TERN_CAUSE_LIST(TERN_CAUSE_ENUM)
#undef TERN_CAUSE_ENUM
        TERN_CAUSE_COUNT
};

/* Plain words for a cause, with its RFC section; never NULL. */
TERN_EXPORT const char *tern_cause_text(enum tern_cause cause);
/* The name as it stands in the list ("DELAYED_ACK"); never NULL. */
TERN_EXPORT const char *tern_cause_name(enum tern_cause cause);

#ifdef __cplusplus
}
#endif
#endif
