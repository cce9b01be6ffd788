/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Borrowed text: see borrow.h. A connection's borrowed texts follow one another without a gap, from
 * rcv.borrowed_at to rcv.borrowed_end; below and above, its bytes stand in the queue. Nothing else
 * in the engine can tell: chunks are accounted for as if the bytes were in them.
 */
#include "proto/tcp/borrow.h"

#include "proto/tcp/internal.h"

#define WORTH_IT 512 /* bytes; less is copied as fast as it is entered */

size_t tern_tcb_borrow(struct tern_tcb *c, const uint8_t *text, size_t bytes)
{
    struct tern_borrow *b = &c->env->borrow;
    const bool first = c->rcv.borrowed_first == 0;
    uint64_t at = c->rcv.nxt;
    size_t kept;

    if (bytes < WORTH_IT || b->count == TERN_BORROWED_MAX || (!first && at != c->rcv.borrowed_end))
        return 0;
    kept = tern_bytequeue_reserve(&c->recvq, &c->env->chunks, at, bytes);
    if (kept == 0)
        return 0;
    b->item[b->count++] =
        (struct tern_borrowed){.tcb = c, .at = at, .data = text, .bytes = (uint32_t)kept};
    if (first) {
        c->rcv.borrowed_at = at;
        c->rcv.borrowed_first = (uint8_t)b->count;
    } else {
        b->item[c->rcv.borrowed_last - 1].next = b->count;
    }
    c->rcv.borrowed_last = (uint8_t)b->count;
    c->rcv.borrowed_end = at + kept;
    return kept;
}

static void forget(struct tern_tcb *c)
{
    c->rcv.borrowed_first = c->rcv.borrowed_last = 0;
    c->rcv.borrowed_at = c->rcv.borrowed_end = 0;
}

/* Drop the connection's oldest borrowed text. */
static void drop_first(struct tern_tcb *c)
{
    struct tern_borrowed *item = &c->env->borrow.item[c->rcv.borrowed_first - 1];

    item->tcb = NULL;
    c->rcv.borrowed_first = (uint8_t)item->next;
    c->rcv.borrowed_at = item->at + item->bytes;
    if (c->rcv.borrowed_first == 0)
        forget(c);
}

void tern_tcb_borrow_read(struct tern_tcb *c)
{
    const struct tern_borrowed *item = c->env->borrow.item;

    while (c->rcv.borrowed_first != 0) {
        const struct tern_borrowed *b = &item[c->rcv.borrowed_first - 1];

        if (c->rcv.head < b->at + b->bytes)
            return;
        drop_first(c);
    }
}

void tern_tcb_borrow_fini(struct tern_tcb *c)
{
    while (c->rcv.borrowed_first != 0)
        drop_first(c);
}

struct tern_slice tern_tcb_received(const struct tern_tcb *c, uint64_t at, size_t bytes_max)
{
    const struct tern_borrowed *b = c->env->borrow.item;

    if (at >= c->rcv.borrowed_end)
        return tern_bytequeue_slice(&c->recvq, &c->env->chunks, at, bytes_max);
    if (at < c->rcv.borrowed_at)
        return tern_bytequeue_slice(&c->recvq, &c->env->chunks, at,
                                    (size_t)tern_min_u64(bytes_max, c->rcv.borrowed_at - at));
    b += c->rcv.borrowed_first - 1;
    while (at >= b->at + b->bytes)
        b = &c->env->borrow.item[b->next - 1];
    return (struct tern_slice){b->data + (at - b->at),
                               (size_t)tern_min_u64(bytes_max, b->at + b->bytes - at)};
}

void tern_tcp_borrow_settle(struct tern_tcp_env *env)
{
    for (uint32_t i = 0; i < env->borrow.count; i++) {
        struct tern_borrowed *b = &env->borrow.item[i];
        struct tern_tcb *c = b->tcb;
        uint64_t from;
        size_t left;

        if (c == NULL)
            continue;
        from = tern_max_u64(b->at, c->rcv.head);
        left = (size_t)(b->at + b->bytes - from);
        left -= tern_bytequeue_write(&c->recvq, &env->chunks, from, b->data + (from - b->at), left);
        TERN_ASSERT(left == 0); /* the room was taken when it came */
        drop_first(c);
    }
    env->borrow.count = 0;
}
