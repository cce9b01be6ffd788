/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_SIM_OBSERVER_PARTS_H
#define TERN_SIM_OBSERVER_PARTS_H
/*
 * What the observer's files share: one record for each connection, each time that it is opened
 * anew. Places in a stream are counted from the SYN, which is place 0; text begins at 1.
 */
#include "observer.h"
#include "spans.h"
#include "wire.h"

#define OBSERVER_ISNS 8

/* A number that a half may begin with, and the last SYN that told of it. */
struct opening {
    uint32_t isn;
    struct wire_segment syn;
};

/* What one stack said in one connection, and what reached the other of it. */
struct half {
    bool open; /* a SYN was sent */
    /* more than one: a listener that remembers nothing (cookies) */
    struct opening opening[OBSERVER_ISNS];
    uint32_t openings;
    bool settled; /* which of them it is: [0]; of the others there may be records of their own */
    struct wire_segment syn; /* its last SYN, or the last of all where that is not settled */
    uint64_t end;            /* after the highest place sent */
    uint64_t fin;            /* its place; 0: not sent */
    uint8_t *text;           /* as first sent */
    size_t text_room;
    struct spans said;    /* which places of it were */
    uint64_t unsent;      /* by the whole stack, so far */
    uint64_t lost_end;    /* so far may go what it lost of this half, which nobody saw */
    struct spans arrived; /* at the other stack */
    bool syn_arrived;
    bool begun;       /* it said more than a SYN-ACK, of which a listener may remember nothing */
    bool ecn_arrived; /* with a SYN that asks for ECN or agrees to it */
    uint64_t ack;     /* highest sent: a place in the other's stream */
    uint64_t edge;    /* right edge of the window, highest promised */
    uint64_t edge_arrived; /* the same, of what reached the other */
    uint64_t ack_arrived;
    uint32_t ts_value, ts_arrived;
    bool ts_sent, ts_came, reset;
    bool was_reset;      /* a reset reached this stack which it had to obey */
    int64_t reset_at;    /* when */
    bool may_be_reset;   /* one that it had to obey if text found no room */
    uint64_t unanswered; /* segments that came and were not ACKed yet */
    uint64_t last_ack, last_window, last_sacks; /* of the last segment with ACK */
    uint32_t echoes; /* bare ACKs in a row that say nothing new, in reply to nothing */
};

struct talk {
    uint32_t port[2]; /* of stack 0, of stack 1 */
    uint32_t number;
    struct half half[2]; /* by the stack that speaks */
    struct talk *older;  /* between the same ports, before */
};

/* What a rule looks at: a segment that `me` sends. */
struct look {
    struct observer *o;
    struct talk *talk;
    struct half *me, *other;
    const struct wire_segment *s;
    const struct observed *f;
    int from;
    uint64_t start, end; /* places of its text and flags */
    uint64_t ack;
    uint32_t shift; /* of its window */
    int64_t now;
    uint32_t mtu_bytes;
};

/* The first complaint stays. */
void observer_complain(const struct look *l, const char *rule, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* All rules about a segment, which then are brought up to date with it. */
void observer_judge(const struct look *l);
/* A line of a packet script, as the side sees it that sends it or that it reaches; *last: when the
 * line before it was, 0: none. */
void transcript_print(const struct look *l, bool arrives, int64_t *last);

#endif
