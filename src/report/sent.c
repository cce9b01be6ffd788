/* SPDX-License-Identifier: BSD-2-Clause */
/* Segments under way: a ring in the order of their bytes. */
#include "report/sent.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

#define ROOM_FIRST 4u

static struct model_sent_segment *at(const struct model_sent *s, uint32_t index)
{
    return &s->item[(s->first + index) & (s->room - 1)];
}

static bool grow(struct model_sent *s)
{
    uint32_t room = s->room == 0 ? ROOM_FIRST : s->room * 2;
    struct model_sent_segment *item = malloc(room * sizeof *item);

    if (item == NULL)
        return false;
    for (uint32_t i = 0; i < s->count; i++)
        item[i] = *at(s, i);
    free(s->item);
    s->item = item;
    s->room = room;
    s->first = 0;
    return true;
}

static void drop_first(struct model_sent *s)
{
    TERN_ASSERT(s->count > 0);
    s->first = (s->first + 1) & (s->room - 1);
    s->count--;
}

void model_sent_add(struct model_sent *s, const struct model_sent_segment *segment,
                    uint32_t room_max)
{
    if (s->count == s->room && (s->room >= room_max || !grow(s))) {
        if (s->room == 0)
            return;
        drop_first(s);
    }
    *at(s, s->count) = *segment;
    s->count++;
}

/* Index of the first segment that ends above a byte. */
static uint32_t seek(const struct model_sent *s, uint64_t byte)
{
    uint32_t low = 0, high = s->count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (at(s, middle)->end > byte)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

struct model_sent_segment *model_sent_find(struct model_sent *s, uint64_t byte)
{
    uint32_t index = seek(s, byte);

    if (index == s->count || at(s, index)->start > byte)
        return NULL;
    return at(s, index);
}

bool model_sent_acked(struct model_sent *s, uint64_t upto, struct model_sent_segment *out,
                      bool *clean)
{
    bool any = false;

    *clean = true;
    while (s->count > 0 && at(s, 0)->end <= upto) {
        uint32_t pieces = any ? out->pieces : 0;

        *out = *at(s, 0);
        out->pieces += pieces;
        *clean = *clean && !out->again;
        any = true;
        drop_first(s);
    }
    return any;
}

void model_sent_fini(struct model_sent *s)
{
    free(s->item);
    memset(s, 0, sizeof *s);
}
