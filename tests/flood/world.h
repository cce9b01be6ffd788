/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_TESTS_FLOOD_WORLD_H
#define TERN_TESTS_FLOOD_WORLD_H
/*
 * A victim, a friend and a flood, in virtual time. Victim (10.0.0.1) and friend (10.0.0.2) are
 * stacks of tern, joined by a link with a delay and a rate; they send each other a stream of bytes
 * over one connection. Hostile frames are put right before the victim, beside that link, so that
 * only what the stack itself does with them can slow the friend down.
 *
 * Addresses in 10.0.0.0/8 are neighbours of the victim, and do not exist but for the friend and the
 * gateway 10.0.0.3, which answer ARP; all others are behind the gateway. Some of those are thieves:
 * they open connections to the victim by hand, and the world remembers their numbers.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "wire/arp.h"
#include "wire/eth.h"
#include "wire/icmp.h"
#include "wire/ipv4.h"
#include "wire/tcp.h"
#include "wire/udp.h"
#include <tern/tern.h>

#define STREAM_BYTES (4u << 20) /* each way */
#define WIRE_MAX     4096       /* frames under way */
#define THIEVES_MAX  8192
#define PORT         80
#define FRAME_MAX    1514

/* One direction of the link. */
struct wire {
    struct {
        uint8_t *bytes;
        struct tern_frame frame;
        tern_time at;
    } under_way[WIRE_MAX];
    uint32_t first, count;
    tern_time free_at; /* the sender's end is busy until then */
};

/* A hostile peer's own connection, as it knows it. */
struct thief {
    uint32_t nxt, una, edge; /* its next number; the first of the victim's that it has not
                                acknowledged; the end of what the victim sent */
    bool open;               /* the victim answered its SYN */
};

/* What the victim's program does with a thief's connection. */
enum serve { SERVE_LEAVE, SERVE_CLOSE, SERVE_WRITE, SERVE_NOT_AT_ALL };

struct counts {
    uint64_t hostile;   /* frames in */
    uint64_t strangers; /* the victim's IP packets to others than its friend */
    uint64_t challenges;
    uint64_t requests; /* of ARP */
};

struct flood {
    struct tern_stack *victim, *friend;
    struct tern_listener *listener;
    struct tern_conn *conn[2]; /* the friendship: the victim's end, the friend's */
    void *memory[2];
    size_t memory_bytes[2];
    struct wire to_victim, to_friend;
    uint64_t written[2], read[2];
    tern_time now;
    enum serve serve;
    struct tern_conn *held[THIEVES_MAX]; /* what the victim's program has accepted and not closed */
    uint32_t held_count;
    struct thief thief[THIEVES_MAX];
    struct counts counts;
    uint32_t scale; /* of the victim's tables */
};

/* scale multiplies all of the victim's tables; 1 is small. Establishes the friendship. */
void flood_open(struct flood *f, uint32_t scale);
void flood_close(struct flood *f);

/* A frame right before the victim. */
void flood_input(struct flood *f, const uint8_t *bytes, size_t count);
/* What the victim says now goes to its friend, or is counted and dropped. */
void flood_hear(struct flood *f);
/* Let time pass until `until`, or until both streams are whole. */
void flood_run(struct flood *f, tern_time until);
bool flood_is_done(const struct flood *f);
/* The victim's program: accepts, and does with each what f->serve says. */
void flood_serve(struct flood *f);
/* It gives up all that it holds. */
void flood_drop_held(struct flood *f);

/* Ethernet, IPv4 and a body into out (FRAME_MAX); its length. TCP's checksum is filled in. */
size_t flood_packet(uint8_t *out, struct tern_ipv4 ip, tern_span body);
size_t flood_segment(uint8_t *out, struct tern_addr from, const struct tern_tcp_header *h,
                     tern_span text);
struct tern_addr flood_far(uint32_t n);  /* behind the gateway */
struct tern_addr flood_near(uint32_t n); /* a neighbour, if it existed */

/* Thieves 0 … count - 1 open connections: each is established where the victim lets it be. */
void flood_steal(struct flood *f, uint32_t count);
/* The same thief says something, at an offset from its next number. */
void flood_thief_says(struct flood *f, uint32_t n, uint8_t flags, uint32_t offset, uint16_t window,
                      uint32_t text_bytes);

/* What must hold, or the program ends here. */
void flood_require(bool holds, const char *words, uint64_t found, uint64_t bound);

#endif
