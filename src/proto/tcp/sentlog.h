/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_PROTO_TCP_SENTLOG_H
#define TERN_PROTO_TCP_SENTLOG_H
/*
 * When what is in flight was sent: the memory of RACK (RFC 8985 §5.2), of the round-trip times and
 * of the delivery rate.
 *
 * Two rings of records, each in the order of transmission: `fresh`, of bytes sent for the first
 * time, whose sequence numbers therefore rise as well, so that a byte is found by bisection and
 * what is too old stands in front; and `again`, of bytes sent again. Neighbours in sequence that
 * were sent within a small part of a round trip share a record, with the time of the last of them:
 * so the rings are short whatever the window, and loss is at most noticed that part of a round trip
 * late. A ring that is full joins the older half, two and two (fresh), or those between which all
 * has arrived, and else forgets its oldest (again): the retransmission timer is there for what is
 * forgotten.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tern/time.h>

#include "base/ranges.h"

#define TERN_SENT_FRESH_MAX 128 /* powers of two */
#define TERN_SENT_AGAIN_MAX 32

struct tern_sent {
    uint64_t start, end;    /* sequence numbers */
    tern_time first_at, at; /* of the first and of the last segment in it */
    uint64_t delivered;     /* what the connection had delivered then, … */
    tern_time delivered_at; /* … and when, … */
    tern_time burst_at;     /* … and when what was delivered last had been sent */
    uint64_t in_flight;     /* this included */
    uint32_t segment;       /* it went in segments of so many bytes, the last maybe shorter */
    bool app_limited;       /* nothing more was there to send */
};

struct tern_sentlog {
    uint32_t fresh_head, fresh_count, again_head, again_count;
    struct tern_sent fresh[TERN_SENT_FRESH_MAX];
    struct tern_sent again[TERN_SENT_AGAIN_MAX];
};

void tern_sentlog_init(struct tern_sentlog *log);
/* Sent for the first time, at the end of all so far, or after some of it was taken back. join: a
 * record that began less than this ago is extended. whole: the record so far ends with a full
 * segment, so that its last segment can be told by counting. */
void tern_sentlog_fresh(struct tern_sentlog *log, const struct tern_sent *s, tern_time join,
                        bool whole);
void tern_sentlog_again(struct tern_sentlog *log, const struct tern_sent *s, tern_time join);
/* Where `again` is full: neighbours join over what has arrived, sacked (NULL: nothing has), if the
 * record that they make began no more than join before its end. */
void tern_sentlog_make_room_again(struct tern_sentlog *log, const struct tern_ranges *sacked,
                                  tern_time join);
/* Everything below has arrived. */
void tern_sentlog_trim(struct tern_sentlog *log, uint64_t below);

/* The fresh record that holds this number; NULL: none. */
const struct tern_sent *tern_sentlog_find(const struct tern_sentlog *log, uint64_t seq);
/* The newest record of `again` that overlaps; NULL: none. */
const struct tern_sent *tern_sentlog_find_again(const struct tern_sentlog *log, uint64_t start,
                                                uint64_t end);
/* In order of transmission, i < count. */
static inline struct tern_sent *tern_sentlog_fresh_at(struct tern_sentlog *log, uint32_t i)
{
    return &log->fresh[(log->fresh_head + i) % TERN_SENT_FRESH_MAX];
}

static inline struct tern_sent *tern_sentlog_again_at(struct tern_sentlog *log, uint32_t i)
{
    return &log->again[(log->again_head + i) % TERN_SENT_AGAIN_MAX];
}

void tern_sentlog_pop_again(struct tern_sentlog *log);
void tern_sentlog_check(const struct tern_sentlog *log);

#endif
