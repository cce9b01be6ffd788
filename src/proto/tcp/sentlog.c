/* SPDX-License-Identifier: BSD-2-Clause */
/* The log of transmissions: two rings; see sentlog.h. */
#include "proto/tcp/sentlog.h"

#include "base/assert.h"

void tern_sentlog_init(struct tern_sentlog *log)
{
    log->fresh_head = log->fresh_count = 0;
    log->again_head = log->again_count = 0;
}

static const struct tern_sent *fresh_at(const struct tern_sentlog *log, uint32_t i)
{
    return &log->fresh[(log->fresh_head + i) % TERN_SENT_FRESH_MAX];
}

static const struct tern_sent *again_at(const struct tern_sentlog *log, uint32_t i)
{
    return &log->again[(log->again_head + i) % TERN_SENT_AGAIN_MAX];
}

/* Bytes from here on were taken back: a window probe that was not taken. */
static void cut_fresh(struct tern_sentlog *log, uint64_t from)
{
    while (log->fresh_count > 0) {
        struct tern_sent *last = tern_sentlog_fresh_at(log, log->fresh_count - 1);

        if (last->end <= from)
            return;
        if (last->start < from) {
            last->end = from;
            return;
        }
        log->fresh_count--;
    }
}

/* The later times stand for both; only where the record began is kept. Field by field: a copy of
 * the whole would wait for the caller's stores. */
static void join_to(struct tern_sent *to, const struct tern_sent *s)
{
    to->end = s->end;
    to->at = s->at;
    to->delivered = s->delivered;
    to->delivered_at = s->delivered_at;
    to->burst_at = s->burst_at;
    to->in_flight = s->in_flight;
    to->segment = s->segment;
    to->app_limited = s->app_limited;
}

/* The older half, two and two: it is mostly of what has arrived, or was lost and sent again; of
 * what was sent last the times are to be exact. */
static void halve_older(struct tern_sentlog *log)
{
    const uint32_t pairs = log->fresh_count / 4;

    for (uint32_t i = 0; i < pairs; i++) {
        struct tern_sent pair = *fresh_at(log, 2 * i);

        join_to(&pair, fresh_at(log, 2 * i + 1));
        *tern_sentlog_fresh_at(log, i) = pair;
    }
    for (uint32_t i = 2 * pairs; i < log->fresh_count; i++)
        *tern_sentlog_fresh_at(log, i - pairs) = *fresh_at(log, i);
    log->fresh_count -= pairs;
}

void tern_sentlog_fresh(struct tern_sentlog *log, const struct tern_sent *s, tern_time join,
                        bool whole)
{
    struct tern_sent *last;

    TERN_ASSERT(s->start < s->end);
    cut_fresh(log, s->start);
    last = log->fresh_count > 0 ? tern_sentlog_fresh_at(log, log->fresh_count - 1) : NULL;
    if (last != NULL && last->end == s->start && whole && s->segment == last->segment &&
        s->at - last->first_at <= join) {
        join_to(last, s);
        return;
    }
    if (log->fresh_count == TERN_SENT_FRESH_MAX)
        halve_older(log); /* over gaps, if need be: what lies in them has arrived */
    *tern_sentlog_fresh_at(log, log->fresh_count++) = *s;
}

void tern_sentlog_again(struct tern_sentlog *log, const struct tern_sent *s, tern_time join)
{
    TERN_ASSERT(s->start < s->end);
    if (log->again_count > 0) {
        struct tern_sent *last = tern_sentlog_again_at(log, log->again_count - 1);

        if (last->end == s->start && s->at - last->first_at <= join) {
            join_to(last, s);
            return;
        }
    }
    if (log->again_count == TERN_SENT_AGAIN_MAX)
        tern_sentlog_pop_again(log);
    *tern_sentlog_again_at(log, log->again_count++) = *s;
}

static bool may_join_again(const struct tern_sent *a, const struct tern_sent *b,
                           const struct tern_ranges *sacked, tern_time join)
{
    return a->end <= b->start && b->at - a->first_at <= join &&
           (a->end == b->start || (sacked != NULL && tern_ranges_covers(sacked, a->end, b->start)));
}

void tern_sentlog_make_room_again(struct tern_sentlog *log, const struct tern_ranges *sacked,
                                  tern_time join)
{
    uint32_t kept = 0;

    if (log->again_count < TERN_SENT_AGAIN_MAX)
        return;
    for (uint32_t i = 0; i < log->again_count; i++) {
        const struct tern_sent *s = again_at(log, i);
        struct tern_sent *last = kept > 0 ? tern_sentlog_again_at(log, kept - 1) : NULL;

        if (last != NULL && may_join_again(last, s, sacked, join))
            join_to(last, s);
        else
            *tern_sentlog_again_at(log, kept++) = *s;
    }
    log->again_count = kept;
}

void tern_sentlog_pop_again(struct tern_sentlog *log)
{
    TERN_ASSERT(log->again_count > 0);
    log->again_head = (log->again_head + 1) % TERN_SENT_AGAIN_MAX;
    log->again_count--;
}

void tern_sentlog_trim(struct tern_sentlog *log, uint64_t below)
{
    while (log->fresh_count > 0 && fresh_at(log, 0)->end <= below) {
        log->fresh_head = (log->fresh_head + 1) % TERN_SENT_FRESH_MAX;
        log->fresh_count--;
    }
    while (log->again_count > 0 && again_at(log, 0)->end <= below)
        tern_sentlog_pop_again(log);
}

const struct tern_sent *tern_sentlog_find(const struct tern_sentlog *log, uint64_t seq)
{
    uint32_t low = 0;
    uint32_t high = log->fresh_count;

    while (low < high) { /* the first that ends above seq */
        const uint32_t middle = (low + high) / 2;

        if (fresh_at(log, middle)->end > seq)
            high = middle;
        else
            low = middle + 1;
    }
    if (low == log->fresh_count || fresh_at(log, low)->start > seq)
        return NULL;
    return fresh_at(log, low);
}

const struct tern_sent *tern_sentlog_find_again(const struct tern_sentlog *log, uint64_t start,
                                                uint64_t end)
{
    for (uint32_t i = log->again_count; i > 0; i--) {
        const struct tern_sent *s = again_at(log, i - 1);

        if (s->start < end && s->end > start)
            return s;
    }
    return NULL;
}

void tern_sentlog_check(const struct tern_sentlog *log)
{
    TERN_ASSERT(log->fresh_count <= TERN_SENT_FRESH_MAX);
    TERN_ASSERT(log->again_count <= TERN_SENT_AGAIN_MAX);
    for (uint32_t i = 0; i < log->fresh_count; i++) {
        const struct tern_sent *s = fresh_at(log, i);

        TERN_ASSERT(s->start < s->end);
        TERN_ASSERT(s->first_at <= s->at);
        TERN_ASSERT(i == 0 || fresh_at(log, i - 1)->end <= s->start);
        TERN_ASSERT(i == 0 || fresh_at(log, i - 1)->at <= s->at);
    }
    for (uint32_t i = 0; i < log->again_count; i++) {
        TERN_ASSERT(again_at(log, i)->start < again_at(log, i)->end);
        TERN_ASSERT(i == 0 || again_at(log, i - 1)->at <= again_at(log, i)->at);
    }
}
