/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an application says of a place in its stream. "More follows": the short rest waits for it,
 * though not beyond the next ACK or 200 ms, and goes without PSH, for the peer's reader need not
 * hurry (Linux MSG_MORE). "A record ends": no segment holds bytes from both sides (Linux MSG_EOR).
 * RFC 9293 gives TCP no records, and the peer sees none: it is about what leaves together.
 *
 * Ends of records are remembered in order until they are acknowledged, so that what goes again goes
 * in the same pieces; when there are too many, the oldest are forgotten.
 */
#include "proto/tcp/internal.h"

static void forget(struct tern_tcb *c, uint8_t count)
{
    c->marks.count = (uint8_t)(c->marks.count - count);
    memmove(c->marks.record_end, c->marks.record_end + count,
            c->marks.count * sizeof(c->marks.record_end[0]));
}

void tern_tcb_mark_record(struct tern_tcb *c)
{
    uint8_t old = 0;

    while (old < c->marks.count && c->marks.record_end[old] <= c->snd.una)
        old++;
    if (old == 0 && c->marks.count == TERN_TCP_RECORDS)
        old = 1;
    forget(c, old);
    TERN_ASSERT(c->marks.count < TERN_TCP_RECORDS);
    c->marks.record_end[c->marks.count++] = c->snd.end;
}

void tern_tcb_mark_more(struct tern_tcb *c)
{
    c->marks.held = true;
    c->marks.unpushed_end = c->snd.end;
}

uint64_t tern_tcb_record_end(const struct tern_tcb *c, uint64_t from)
{
    for (uint8_t i = 0; i < c->marks.count; i++) {
        if (c->marks.record_end[i] > from)
            return c->marks.record_end[i];
    }
    return UINT64_MAX;
}

bool tern_tcb_is_pushed(const struct tern_tcb *c, uint64_t end)
{
    if (end == c->snd.end)
        return end != c->marks.unpushed_end;
    return tern_tcb_record_end(c, end - 1) == end;
}
