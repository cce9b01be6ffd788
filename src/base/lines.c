/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records in lines of 64 bytes.
 *
 * A line ends with the number of the next: of the same record, or of the free lines, which stand in
 * one list with the line that was freed last in front. A record that goes gives its lines to that
 * list as a whole, in its own order, so that the next record of that length gets them in the same
 * order. Lines at or above fresh were never used: no list has them.
 */
#include "base/lines.h"

#include <string.h>

#include "base/assert.h"

_Static_assert(sizeof(struct tern_line) == 64, "a line is a cache line");

void tern_lines_init(struct tern_lines *l, void *memory, uint32_t count)
{
    TERN_ASSERT((uintptr_t)memory % sizeof(struct tern_line) == 0);
    TERN_ASSERT(count < TERN_LINE_NONE);
    *l = (struct tern_lines){.line = memory, .count = count, .first_free = TERN_LINE_NONE};
}

uint32_t tern_lines_used(const struct tern_lines *l)
{
    return l->fresh - l->free_count;
}

static uint32_t take(struct tern_lines *l)
{
    const uint32_t index = l->first_free;

    if (index == TERN_LINE_NONE)
        return l->fresh++;
    TERN_ASSERT(index < l->fresh);
    TERN_ASSERT(l->free_count > 0);
    l->first_free = l->line[index].next;
    l->free_count--;
    return index;
}

uint32_t tern_lines_put(struct tern_lines *l, const uint8_t *bytes, size_t count, bool *kept)
{
    const size_t needed = (count + TERN_LINE_BYTES - 1) / TERN_LINE_BYTES;
    uint32_t first = TERN_LINE_NONE;
    uint32_t *link = &first;

    *kept = needed <= l->count - tern_lines_used(l);
    if (!*kept)
        return TERN_LINE_NONE;
    for (size_t done = 0; done < count; done += TERN_LINE_BYTES) {
        const size_t n = count - done < TERN_LINE_BYTES ? count - done : TERN_LINE_BYTES;

        *link = take(l);
        memcpy(l->line[*link].bytes, bytes + done, n);
        link = &l->line[*link].next;
        *link = TERN_LINE_NONE;
    }
    return first;
}

size_t tern_lines_get(const struct tern_lines *l, uint32_t record, uint8_t *out, size_t max)
{
    size_t done = 0;

    for (; record != TERN_LINE_NONE; record = l->line[record].next) {
        TERN_ASSERT(record < l->fresh);
        TERN_ASSERT(done + TERN_LINE_BYTES <= max);
        memcpy(out + done, l->line[record].bytes, TERN_LINE_BYTES);
        done += TERN_LINE_BYTES;
    }
    return done;
}

void tern_lines_drop(struct tern_lines *l, uint32_t record)
{
    uint32_t last = record;
    uint32_t lines = 1;

    if (record == TERN_LINE_NONE)
        return;
    TERN_ASSERT(record < l->fresh);
    for (; l->line[last].next != TERN_LINE_NONE; last = l->line[last].next)
        lines++;
    TERN_ASSERT(lines <= tern_lines_used(l));
    l->line[last].next = l->first_free;
    l->first_free = record;
    l->free_count += lines;
}

void tern_lines_check(const struct tern_lines *l)
{
    uint32_t free_count = 0;

    TERN_ASSERT(l->fresh <= l->count);
    for (uint32_t i = l->first_free; i != TERN_LINE_NONE; i = l->line[i].next) {
        TERN_ASSERT(i < l->fresh);
        TERN_ASSERT(free_count < l->free_count); /* or the list is a ring */
        free_count++;
    }
    TERN_ASSERT(free_count == l->free_count);
}
