/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_UDP_H
#define TERN_UDP_H
/* UDP (RFC 768). All calls: from the stack's thread, between two steps; none blocks. */
#include <tern/event.h>
#include <tern/link.h>

#ifdef __cplusplus
extern "C" {
#endif

/* local->port 0 picks one. TERN_ERR_ADDRESS_IN_USE, TERN_ERR_FULL. */
TERN_EXPORT TERN_NODISCARD enum tern_err tern_udp_open(struct tern_stack *stack,
                                                       const struct tern_endpoint *local,
                                                       void *user, struct tern_udp_socket **out);
TERN_EXPORT void tern_udp_close(struct tern_udp_socket *udp);
/* From now on hear of one peer alone; port 0: of all. Datagrams of others are as if for no socket.
 */
TERN_EXPORT void tern_udp_connect(struct tern_udp_socket *udp, const struct tern_endpoint *peer);
TERN_EXPORT struct tern_endpoint tern_udp_local(const struct tern_udp_socket *udp);
/*
 * Queue one datagram, copied. TERN_ERR_TOO_BIG: does not fit the MTU (nothing is
 * fragmented on the way out); TERN_ERR_NO_ROUTE; TERN_ERR_AGAIN: the send queue is full.
 */
TERN_EXPORT TERN_NODISCARD enum tern_err tern_udp_send(struct tern_udp_socket *udp,
                                                       const struct tern_endpoint *to,
                                                       const void *data, size_t len);
/*
 * Take the oldest datagram. Returns its whole length (bytes beyond len are cut off and lost),
 * TERN_ERR_AGAIN where none waits, or once after an ICMP error what tern_udp_error() would tell.
 */
TERN_EXPORT TERN_NODISCARD ptrdiff_t tern_udp_receive(struct tern_udp_socket *udp,
                                                      struct tern_endpoint *from, void *data,
                                                      size_t len);
/* What ICMP told since it was last asked: TERN_ERR_REFUSED (no such port or protocol),
 * TERN_ERR_UNREACHABLE (a firewall on the way prohibits it), or TERN_ERR_OK. */
TERN_EXPORT enum tern_err tern_udp_error(struct tern_udp_socket *udp);
/* Look at the oldest datagram without taking it: its bytes, valid until the next call on the stack,
 * and their count; TERN_ERR_AGAIN where none waits. */
TERN_EXPORT TERN_NODISCARD ptrdiff_t tern_udp_peek(const struct tern_udp_socket *udp,
                                                   struct tern_endpoint *from,
                                                   struct tern_slice *out);
/* Be done with the datagram that peek showed; none: no effect. */
TERN_EXPORT void tern_udp_skip(struct tern_udp_socket *udp);

#ifdef __cplusplus
}
#endif
#endif
