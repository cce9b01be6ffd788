/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_REPORT_SENT_H
#define TERN_REPORT_SENT_H
/*
 * The segments of one direction that are under way: when each went by, until an ACK covers it. A
 * ring that grows to a bound; then the oldest give way.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tern/time.h>

struct model_sent_segment {
    uint64_t start, end;
    tern_time at;
    uint32_t ts_value;
    uint32_t pieces;
    bool has_ts, again; /* it was sent again: no ACK tells its round trip (Karn) */
};

struct model_sent {
    struct model_sent_segment *item;
    uint32_t first, count, room;
};

/* room_max: where there is no peer to acknowledge, few are enough. */
void model_sent_add(struct model_sent *s, const struct model_sent_segment *segment,
                    uint32_t room_max);
/* The one that holds a byte; NULL: none. Binary search. */
struct model_sent_segment *model_sent_find(struct model_sent *s, uint64_t byte);
/* What an ACK up to an offset covers is taken out. pieces: how many segments that were. The newest
 * goes to *out; false: none was covered. *clean: none of them had been sent again. */
bool model_sent_acked(struct model_sent *s, uint64_t upto, struct model_sent_segment *out,
                      bool *clean);
void model_sent_fini(struct model_sent *s);

#endif
