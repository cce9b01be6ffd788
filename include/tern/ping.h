/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_PING_H
#define TERN_PING_H
/* ICMP echo, the asking side (RFC 792; RFC 1122 §3.2.2.6). The answering side needs no call. */
#include <tern/event.h>
#include <tern/time.h>

#ifdef __cplusplus
extern "C" {
#endif

struct tern_ping_reply {
    struct tern_addr from;
    uint16_t sequence;
    uint8_t ttl;
    uint8_t icmp_type, icmp_code; /* 0/0: an echo reply; else the error that came instead */
    uint32_t bytes;               /* payload length of an echo reply */
    bool intact;                  /* the payload is the one that was sent */
    tern_time sent_at, received_at;
};

TERN_EXPORT TERN_NODISCARD enum tern_err tern_ping_open(struct tern_stack *stack, void *user,
                                                        struct tern_ping_socket **out);
TERN_EXPORT void tern_ping_close(struct tern_ping_socket *ping);
/* Send an echo request with `bytes` bytes of payload (in fragments, if need be); ttl 0: the usual
 * one. TERN_ERR_TOO_BIG, TERN_ERR_NO_ROUTE, TERN_ERR_AGAIN. */
TERN_EXPORT TERN_NODISCARD enum tern_err tern_ping_send(struct tern_ping_socket *ping,
                                                        struct tern_addr to, uint16_t sequence,
                                                        uint8_t ttl, uint32_t bytes);
TERN_EXPORT TERN_NODISCARD enum tern_err tern_ping_receive(struct tern_ping_socket *ping,
                                                           struct tern_ping_reply *out);

#ifdef __cplusplus
}
#endif
#endif
