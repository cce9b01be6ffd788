/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_TEST_CONVERSATION_H
#define TERN_TEST_CONVERSATION_H
/* Hand-made records of frames between 10.9.0.77:50000 (us) and 10.9.0.1:80, for the tests of
 * src/report. */
#include "report/model.h"
#include "wire/arp.h"
#include "wire/tcp.h"

#define TALK_ISN_US   0xfffffff0u /* so that every test wraps */
#define TALK_ISN_PEER 0x7ffffff0u

struct talk {
    struct tern_model *model;
    tern_time now;
    uint32_t frames;
    enum tern_lane from;
    enum tern_cause cause;
    uint16_t gso_bytes;
    uint16_t window;
    uint16_t port;             /* ours; 0: 50000 */
    uint32_t sack_lo, sack_hi; /* offsets in the stream that is acknowledged; hi 0: none */
};

/* Start with an empty model of so many steps (0: the default). */
void talk_open(struct talk *t, size_t steps_max);
void talk_close(struct talk *t);
/* Who speaks next, and when (microseconds). */
void talk_from(struct talk *t, enum tern_lane from, uint32_t at_us);
/* One segment: seq and ack are offsets of the streams (the SYN's is -1); text, or NULL for `bytes`
 * of 'x'. */
void talk_tcp(struct talk *t, uint8_t flags, int64_t seq, int64_t ack, const char *text,
              uint32_t bytes);
void talk_arp(struct talk *t, uint16_t op, struct tern_addr sender, struct tern_addr target);
void talk_udp(struct talk *t, uint16_t from, uint16_t to, const void *data, size_t bytes);
void talk_state(struct talk *t, enum tern_tcp_state to);
struct tern_addr talk_us(void);
struct tern_addr talk_peer(void);

/* SYN, SYN-ACK, ACK at 1,000, 1,100 and 1,200 us, with their states. */
void talk_handshake(struct talk *t);
/* The whole story of `tern demo`: claim, handshake, GET, 100 segments, 50 ACKs, close. */
void talk_tour(struct talk *t);

#endif
