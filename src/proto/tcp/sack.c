/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What we tell of bytes beyond a hole, and of bytes that came twice: the blocks of the SACK option
 * (RFC 2018 §4, RFC 2883 §4).
 *
 * rcv.sack_recent holds a byte of each range that was lately added to, the newest first. A
 * duplicate is told of once, in the first block of the next segment that carries blocks; when it
 * lies within bytes beyond a hole, their range follows it as the second. A duplicate that comes
 * before the last was told of takes its place: the option has room for one.
 */
#include "proto/tcp/internal.h"

/* The newest range first (RFC 2018 §4): remember a byte in it, forget others in the same range. */
void tern_tcb_sack_note(struct tern_tcb *c, uint64_t at)
{
    const struct tern_ranges *r = c->rcv.ooo;
    const struct tern_range mine = r->item[tern_ranges_seek(r, at)];
    uint8_t kept = 1;
    uint64_t list[TERN_TCP_SACK_BLOCKS_MAX] = {at};

    for (uint8_t i = 0; i < c->rcv.sack_recent_count && kept < TERN_TCP_SACK_BLOCKS_MAX; i++) {
        const uint64_t other = c->rcv.sack_recent[i];

        if (other < mine.start || other >= mine.end)
            list[kept++] = other;
    }
    memcpy(c->rcv.sack_recent, list, sizeof(list));
    c->rcv.sack_recent_count = kept;
}

void tern_tcb_dsack_note(struct tern_tcb *c, uint64_t start, uint64_t end)
{
    if (!c->opt.sack || end <= start)
        return;
    c->rcv.twice_start = start;
    c->rcv.twice_end = end;
}

/* A segment that ends before the next byte in order has come again; one from before the peer's SYN
 * is an earlier connection's. */
void tern_tcb_dsack_note_old(struct tern_tcb *c, uint64_t seq, uint64_t length)
{
    if (tern_tcb_is_synchronised(c) && seq >= c->rcv.irs && seq < c->rcv.nxt)
        tern_tcb_dsack_note(c, seq, tern_min_u64(seq + length, c->rcv.nxt));
}

/* Bytes beyond the next in order: those at the front of [start, end) that are here already. */
void tern_tcb_dsack_note_held(struct tern_tcb *c, uint64_t start, uint64_t end)
{
    const struct tern_ranges *r = c->rcv.ooo;
    uint16_t i;

    if (r == NULL)
        return;
    i = tern_ranges_seek(r, start);
    if (i == r->count || r->item[i].start >= end)
        return;
    tern_tcb_dsack_note(c, tern_max_u64(start, r->item[i].start),
                        tern_min_u64(end, r->item[i].end));
}

/* Is there anything for the option? */
bool tern_tcb_sack_wanted(const struct tern_tcb *c)
{
    return c->opt.sack && (c->rcv.ooo != NULL || c->rcv.twice_end > 0);
}

/* A FIN that waits behind the last range has arrived as well: its number goes with it. */
static uint64_t sack_end(const struct tern_tcb *c, uint64_t end)
{
    return end + (c->rcv.fin_at != 0 && end == c->rcv.fin_at);
}

static void add_block(struct tern_tcp_header *h, uint64_t start, uint64_t end)
{
    h->sack[h->sack_count].start = tern_tcb_wrap(start);
    h->sack[h->sack_count].end = tern_tcb_wrap(end);
    h->sack_count++;
}

void tern_tcb_sack_fill(struct tern_tcb *c, struct tern_tcp_header *h, uint32_t blocks_max)
{
    const struct tern_ranges *r = c->rcv.ooo;

    h->sack_count = 0;
    if (!tern_tcb_sack_wanted(c))
        return;
    if (c->rcv.twice_end > 0) {
        add_block(h, c->rcv.twice_start, c->rcv.twice_end);
        c->rcv.twice_end = 0;
    }
    for (uint8_t i = 0; r != NULL && i < c->rcv.sack_recent_count && h->sack_count < blocks_max;
         i++) {
        const uint16_t at = tern_ranges_seek(r, c->rcv.sack_recent[i]);

        if (at == r->count || r->item[at].start > c->rcv.sack_recent[i])
            continue; /* filled since */
        add_block(h, r->item[at].start, sack_end(c, r->item[at].end));
    }
}
