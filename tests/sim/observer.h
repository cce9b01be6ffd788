/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_SIM_OBSERVER_H
#define TERN_SIM_OBSERVER_H
/*
 * A stranger beside the wire, who shares no code with the stack. It sees each frame as a stack
 * sends it, before any fault, and each frame that reaches a stack, and knows from that what either
 * side may say: which bytes it has, how far the window goes, what was promised. It never asks
 * a stack. The rules have names; the first one broken stays, in words.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OBSERVER_NO_TAG UINT32_MAX

struct observer;

/* A frame in one piece, and what its descriptor says is still to be done. */
struct observed {
    const uint8_t *data;
    uint32_t bytes;
    bool sum_open;                  /* the checksum is to be finished: */
    uint32_t sum_start, sum_offset; /* from where, and where it goes */
    uint32_t cut_bytes;             /* text of each piece; 0: not a super-segment */
    uint32_t header_bytes;          /* of a super-segment */
    uint64_t
        unsent; /* frames that the stack has lost by itself up to here: the next hop is silent */
    const char *why; /* what the stack says of it: shown, and not judged */
};

struct observer *observer_create(void);
void observer_destroy(struct observer *o);
/* A new world, with the longest IP packets that each side's link takes. */
void observer_reset(struct observer *o, const uint32_t mtu_bytes[2]);
/* A stack (0, 1) sends. Returns a tag that must come back with what arrives of the frame. */
uint32_t observer_sent(struct observer *o, int from, const struct observed *f, int64_t now);
/* A frame reaches a stack (unless corrupted: then it must have no effect, and is not told of). */
void observer_delivered(struct observer *o, int to, uint32_t tag, const uint8_t *data,
                        uint32_t bytes, int64_t now);
/* The rule that was broken, and how; NULL: none. */
const char *observer_complaint(const struct observer *o);
/* Also print each segment. */
void observer_show(struct observer *o, bool show);
/* By which numbers a stack began the first connection; false: it said no SYN there. A stamp of 0:
 * none. */
bool observer_first(const struct observer *o, int side, uint32_t *isn, uint32_t *stamp);
/* How often numbers, and timestamps, passed 2^31 or 2^32. */
void observer_wraps(const struct observer *o, uint64_t *numbers, uint64_t *stamps);
/* Print a packet script of one connection, as one stack sees it; a number of 0: none. */
void observer_transcribe(struct observer *o, uint32_t number, int side);
/* The connection and the sender of what broke a rule, or, where none was, the last connection. */
uint32_t observer_suspect(const struct observer *o, int *side);

#endif
