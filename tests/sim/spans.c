/* SPDX-License-Identifier: BSD-2-Clause */
/* A set of places in a stream. See spans.h. */
#include "spans.h"

#include <stdlib.h>
#include <string.h>

void spans_clear(struct spans *s)
{
    s->count = 0;
}

void spans_fini(struct spans *s)
{
    free(s->list);
    memset(s, 0, sizeof(*s));
}

/* The first span that ends at a place or later. */
static size_t find(const struct spans *s, uint64_t place)
{
    size_t low = 0, high = s->count;

    while (low < high) {
        const size_t middle = (low + high) / 2;

        if (s->list[middle].end < place)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void make_room(struct spans *s)
{
    if (s->count < s->room)
        return;
    s->room = s->room == 0 ? 16 : 2 * s->room;
    s->list = realloc(s->list, s->room * sizeof(*s->list));
    if (s->list == NULL)
        abort();
}

void spans_add(struct spans *s, uint64_t start, uint64_t end)
{
    const size_t at = find(s, start);
    size_t last = at;

    if (start >= end)
        return;
    while (last < s->count && s->list[last].start <= end) {
        start = s->list[last].start < start ? s->list[last].start : start;
        end = s->list[last].end > end ? s->list[last].end : end;
        last++;
    }
    make_room(s);
    if (last != at + 1 && last < s->count)
        memmove(&s->list[at + 1], &s->list[last], (s->count - last) * sizeof(*s->list));
    s->count = s->count - (last - at) + 1;
    s->list[at] = (struct span){start, end};
}

bool spans_has(const struct spans *s, uint64_t start, uint64_t end)
{
    const size_t at = find(s, start + 1);

    return at < s->count && s->list[at].start <= start && s->list[at].end >= end;
}

uint64_t spans_gap(const struct spans *s, uint64_t from)
{
    const size_t at = find(s, from + 1);

    return at < s->count && s->list[at].start <= from ? s->list[at].end : from;
}

uint64_t spans_end(const struct spans *s)
{
    return s->count == 0 ? 0 : s->list[s->count - 1].end;
}
