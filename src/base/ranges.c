/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sets of ranges of stream offsets.
 *
 * Invariants, walked by tern_ranges_check(): each range has start < end, and each ends before the
 * next one starts, with at least one offset between them (touching ranges are one range). So both
 * the starts and the ends rise, and a binary search over the ends finds any place. Insertion and
 * removal move the tail of the array: the arrays are short (tens of ranges), and the move is one
 * memmove.
 */
#include "base/ranges.h"

#include <string.h>

#include "base/assert.h"

void tern_ranges_init(struct tern_ranges *r, struct tern_range *item, uint16_t count_max)
{
    r->item = item;
    r->count = 0;
    r->count_max = count_max;
}

uint16_t tern_ranges_seek(const struct tern_ranges *r, uint64_t pos)
{
    uint32_t low = 0;
    uint32_t high = r->count;

    while (low < high) { /* halves: 16 turns at most */
        uint32_t middle = (low + high) / 2;

        if (r->item[middle].end > pos)
            high = middle;
        else
            low = middle + 1;
    }
    return (uint16_t)low;
}

/* Take ranges [from, to) out of the array. */
static void remove_items(struct tern_ranges *r, uint32_t from, uint32_t to)
{
    TERN_ASSERT(from <= to);
    TERN_ASSERT(to <= r->count);
    if (from == to)
        return;
    memmove(r->item + from, r->item + to, (r->count - to) * sizeof *r->item);
    r->count = (uint16_t)(r->count - (to - from));
}

static bool insert_item(struct tern_ranges *r, uint32_t at, struct tern_range range)
{
    TERN_ASSERT(at <= r->count);
    if (r->count == r->count_max)
        return false;
    memmove(r->item + at + 1, r->item + at, (r->count - at) * sizeof *r->item);
    r->item[at] = range;
    r->count++;
    return true;
}

bool tern_ranges_add(struct tern_ranges *r, uint64_t start, uint64_t end)
{
    uint32_t first, last;

    TERN_ASSERT(start <= end);
    TERN_ASSERT(r->count <= r->count_max);
    if (start == end)
        return true;
    /* [first, last): those that overlap or touch. One that ends at start ends above start - 1. */
    first = tern_ranges_seek(r, start == 0 ? 0 : start - 1);
    last = tern_ranges_seek(r, end);
    if (last < r->count && r->item[last].start <= end)
        last++;
    if (first == last)
        return insert_item(r, first, (struct tern_range){start, end});
    if (r->item[first].start > start)
        r->item[first].start = start;
    r->item[first].end = r->item[last - 1].end > end ? r->item[last - 1].end : end;
    remove_items(r, first + 1, last);
    return true;
}

bool tern_ranges_remove(struct tern_ranges *r, uint64_t start, uint64_t end)
{
    uint32_t first = tern_ranges_seek(r, start);
    uint32_t last;

    TERN_ASSERT(start <= end);
    if (start == end || first == r->count || r->item[first].start >= end)
        return true;
    if (r->item[first].start < start && r->item[first].end > end) {
        if (!insert_item(r, first, (struct tern_range){r->item[first].start, start}))
            return false;
        r->item[first + 1].start = end;
        return true;
    }
    if (r->item[first].start < start)
        r->item[first++].end = start;
    last = tern_ranges_seek(r, end);
    if (last < r->count && r->item[last].start < end)
        r->item[last].start = end;
    remove_items(r, first, last);
    return true;
}

void tern_ranges_trim(struct tern_ranges *r, uint64_t below)
{
    remove_items(r, 0, tern_ranges_seek(r, below));
    if (r->count > 0 && r->item[0].start < below)
        r->item[0].start = below;
}

void tern_ranges_cut(struct tern_ranges *r, uint64_t from)
{
    uint32_t i = tern_ranges_seek(r, from);

    if (i < r->count && r->item[i].start < from) {
        r->item[i].end = from;
        i++;
    }
    remove_items(r, i, r->count);
}

void tern_ranges_clear(struct tern_ranges *r)
{
    r->count = 0;
}

bool tern_ranges_covers(const struct tern_ranges *r, uint64_t start, uint64_t end)
{
    uint16_t i;

    TERN_ASSERT(start <= end);
    if (start == end)
        return true;
    i = tern_ranges_seek(r, start);
    return i < r->count && r->item[i].start <= start && end <= r->item[i].end;
}

bool tern_ranges_gap(const struct tern_ranges *r, uint64_t start, uint64_t end,
                     struct tern_range *out)
{
    uint16_t i = tern_ranges_seek(r, start);

    TERN_ASSERT(start <= end);
    if (i < r->count && r->item[i].start <= start)
        start = r->item[i++].end;
    if (start >= end)
        return false;
    out->start = start;
    out->end = i < r->count && r->item[i].start < end ? r->item[i].start : end;
    return true;
}

uint64_t tern_ranges_bytes_within(const struct tern_ranges *r, uint64_t start, uint64_t end)
{
    uint64_t bytes = 0;

    TERN_ASSERT(start <= end);
    for (uint32_t i = tern_ranges_seek(r, start); i < r->count && r->item[i].start < end; i++) {
        uint64_t low = r->item[i].start > start ? r->item[i].start : start;
        uint64_t high = r->item[i].end < end ? r->item[i].end : end;

        bytes += high - low;
    }
    return bytes;
}

uint64_t tern_ranges_bytes(const struct tern_ranges *r)
{
    uint64_t bytes = 0;

    for (uint32_t i = 0; i < r->count; i++)
        bytes += r->item[i].end - r->item[i].start;
    return bytes;
}

void tern_ranges_check(const struct tern_ranges *r)
{
    TERN_ASSERT(r->count <= r->count_max);
    for (uint32_t i = 0; i < r->count; i++) {
        TERN_ASSERT(r->item[i].start < r->item[i].end);
        TERN_ASSERT(i == 0 || r->item[i - 1].end < r->item[i].start);
    }
}
