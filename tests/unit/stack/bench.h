/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_TESTS_STACK_BENCH_H
#define TERN_TESTS_STACK_BENCH_H
/*
 * A stack on a bench, in virtual time: frames made by hand go in, frames that came out are kept to
 * be looked at. And two of them back to back, each frame of one handed to the other at once (struct
 * pair).
 *
 * The stack's structures are checked each time that it has been heard out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "wire/arp.h"
#include "wire/eth.h"
#include "wire/icmp.h"
#include "wire/ipv4.h"
#include "wire/tcp.h"
#include "wire/udp.h"
#include <tern/tern.h>

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

#define BENCH_SENT_MAX 1024

/* A frame that came out, in one piece. */
struct bench_sent {
    uint8_t *bytes;
    uint32_t count;
    struct tern_frame frame; /* as it was, but for its pieces */
    tern_time at;
};

struct bench {
    struct tern_stack *stack;
    void *memory;
    tern_time now;
    struct bench_sent sent[BENCH_SENT_MAX];
    uint32_t sent_count;
};

struct pair {
    struct bench end[2];
    bool cut; /* nothing arrives */
};

/* 10.0.0.n, and the MAC that its owner has here. */
struct tern_addr bench_addr(uint8_t n);
struct tern_mac bench_mac(uint8_t n);

/* A small stack for 10.0.0.n on a plain link. */
void bench_config(struct tern_config *c, uint8_t n);
/* Opens it with no address. */
void bench_open(struct bench *b, const struct tern_config *c);
/* The same, with 10.0.0.n/24, which no other claims, and 10.0.0.2 known as a neighbour. */
void bench_open_at(struct bench *b, const struct tern_config *c, uint8_t n);
void bench_close(struct bench *b);
void bench_add(struct bench *b, const char *cidr); /* an address that is ours at once */

/* Hear the stack out: what it sends now goes to sent[]. */
void bench_drain(struct bench *b);
void bench_forget(struct bench *b); /* empty sent[] */
/* Let time pass, from one deadline of the stack to the next. */
void bench_advance(struct bench *b, tern_time step);

void bench_input(struct bench *b, const uint8_t *bytes, size_t count);
void bench_frame(struct bench *b, const struct tern_frame *frame);
void bench_arp(struct bench *b, uint16_t op, uint8_t sender, uint8_t target);
/* 10.0.0.n makes itself known. */
void bench_know(struct bench *b, uint8_t n);
/* From 10.0.0.2 where src is empty, to 10.0.0.1 where dst is; ttl 64 where it is 0. */
void bench_ip(struct bench *b, struct tern_ipv4 ip, tern_span body);
void bench_tcp(struct bench *b, struct tern_tcp_header h, tern_span text);
void bench_udp(struct bench *b, uint16_t src_port, uint16_t dst_port, tern_span data);
void bench_icmp(struct bench *b, const struct tern_icmp *icmp, tern_span data);
/* An ICMP error about a packet of 10.0.0.1 to 10.0.0.2 that starts with these ports and number. */
void bench_icmp_error(struct bench *b, uint8_t type, uint8_t code, uint8_t protocol,
                      uint16_t our_port, uint16_t port, uint32_t seq);

/* The nth (from 0) frame in sent[] with this EtherType, or IP packet with this protocol (its
 * transport checksum must be right, however it was left to the link); false: there is none. */
bool bench_sent_arp(const struct bench *b, uint32_t nth, struct tern_arp *out);
bool bench_sent_ip(const struct bench *b, uint8_t protocol, uint32_t nth, struct tern_ipv4 *ip,
                   tern_span *body);
bool bench_sent_tcp(const struct bench *b, uint32_t nth, struct tern_tcp_header *h,
                    tern_span *text);
bool bench_sent_icmp(const struct bench *b, uint32_t nth, struct tern_icmp *icmp, tern_span *data);
uint32_t bench_sent_count(const struct bench *b, uint8_t protocol);

uint64_t bench_drops(const struct bench *b, enum tern_drop reason);
/* All the bits of the events that wait for a kind. */
uint32_t bench_events(struct bench *b, enum tern_event_kind kind);

/* An active connection of 10.0.0.1 to 10.0.0.2:port, established by hand; *peer is the
 * header of a segment that the peer would send next (an ACK). */
struct tern_conn *bench_connect(struct bench *b, uint16_t port, struct tern_tcp_header *peer);
/* The same, and the peer knows SACK. */
struct tern_conn *bench_connect_sack(struct bench *b, uint16_t port, struct tern_tcp_header *peer);

void pair_open(struct pair *p, const struct tern_config *first, const struct tern_config *second);
void pair_open_small(struct pair *p); /* two of bench_config's */
void pair_close(struct pair *p);
/* Frames cross until both are silent; time stands still. */
void pair_settle(struct pair *p);
void pair_run(struct pair *p, tern_time step);
/* end[1] listens on port 80; a connection from end[0] to it, and the handle at end[1]. */
struct tern_listener *pair_listen(struct pair *p, uint32_t backlog);
struct tern_conn *pair_dial(struct pair *p);
void pair_connect(struct pair *p, struct tern_listener *l, struct tern_conn *conn[2]);

#endif
