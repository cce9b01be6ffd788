/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bytes that the application lends instead of having them copied: stretches of the send queue whose
 * bytes stand in its own memory.
 *
 * A connection's loans stand in a list in the order of their sequence numbers; what lies between
 * them was copied, and stands in the byte queue at the same addresses, which simply holds no chunk
 * where all is lent. At most TERN_TCP_LOANS_MAX a connection, so that a walk along the list is
 * short, and `near` remembers where the last one ended: what is sent comes in order, as a rule.
 *
 * A loan goes back once all of it is acknowledged, or the connection sends no more. It then waits
 * in env->returned until the application hears of it; nobody looks into its bytes any more, but for
 * frames that were handed out before and are valid until the next call.
 *
 * A frame has so many pieces only. A segment that would need more, because many short loans meet in
 * it, is cut short: tern_tcb_fit_pieces().
 */
#include "proto/tcp/internal.h"

#define TEXT_PIECES_MAX (TERN_FRAME_PIECES_MAX - 1) /* beside the header */

/* The first loan that ends above; NULL: there is none. */
static struct tern_loan *loan_at(const struct tern_tcb *c, uint64_t at)
{
    struct tern_loan *near = c->lent.near;
    struct tern_loan *loan = near != NULL && near->start <= at ? near : c->lent.first;

    while (loan != NULL && loan->end <= at)
        loan = loan->next;
    return loan;
}

/* How much of it is lent in one piece, or was copied. */
static uint64_t stretch(const struct tern_loan *loan, uint64_t at, uint64_t bytes)
{
    const uint64_t end = loan == NULL ? UINT64_MAX : at < loan->start ? loan->start : loan->end;

    return tern_min_u64(end - at, bytes);
}

struct tern_slice tern_tcb_text(struct tern_tcb *c, uint64_t at, size_t bytes_max)
{
    struct tern_loan *loan;
    size_t bytes;

    if (c->lent.first == NULL)
        return tern_bytequeue_slice(&c->sendq, &c->env->chunks, at, bytes_max);
    loan = loan_at(c, at);
    bytes = (size_t)stretch(loan, at, bytes_max);
    if (loan == NULL || at < loan->start)
        return tern_bytequeue_slice(&c->sendq, &c->env->chunks, at, bytes);
    c->lent.near = loan;
    return (struct tern_slice){loan->data + (at - loan->start), bytes};
}

uint64_t tern_tcb_fit_pieces(const struct tern_tcb *c, uint64_t at, uint64_t bytes)
{
    const uint64_t chunk_bytes = UINT64_C(1) << c->env->chunks.chunk_shift;
    const struct tern_loan *loan;
    uint64_t fits = 0;

    if (c->lent.first == NULL)
        return bytes;
    loan = loan_at(c, at);
    for (uint32_t pieces = 0; pieces < TEXT_PIECES_MAX && fits < bytes; pieces++) {
        const uint64_t from = at + fits;
        const bool lent = loan != NULL && from >= loan->start;
        uint64_t piece = stretch(loan, from, bytes - fits);

        if (!lent)
            piece = tern_min_u64(piece, chunk_bytes - (from & (chunk_bytes - 1)));
        fits += piece;
        if (loan != NULL && at + fits == loan->end)
            loan = loan->next;
    }
    return fits;
}

enum tern_err tern_tcb_lend(struct tern_tcb *c, const uint8_t *data, size_t bytes, void *user)
{
    struct tern_loan *loan;

    TERN_ASSERT(bytes > 0);
    if (c->lent.count == TERN_TCP_LOANS_MAX)
        return TERN_ERR_AGAIN; /* its own come back */
    loan = tern_pool_take(&c->env->loans);
    c->snd.loan_wanted = loan == NULL;
    if (loan == NULL)
        return TERN_ERR_AGAIN;
    *loan = (struct tern_loan){
        .start = c->snd.end, .end = c->snd.end + bytes, .data = data, .user = user};
    if (c->lent.last != NULL)
        c->lent.last->next = loan;
    else
        c->lent.first = loan;
    c->lent.last = loan;
    c->lent.count++;
    tern_tcb_note_written(c, bytes);
    return TERN_ERR_OK;
}

static void give_back_first(struct tern_tcb *c, bool acked)
{
    struct tern_loan *loan = c->lent.first;

    c->lent.first = loan->next;
    if (c->lent.first == NULL)
        c->lent.last = NULL;
    if (c->lent.near == loan)
        c->lent.near = NULL;
    c->lent.count--;
    loan->acked = acked;
    loan->next = NULL;
    if (c->env->returned_last != NULL)
        c->env->returned_last->next = loan;
    else
        c->env->returned_first = loan;
    c->env->returned_last = loan;
}

void tern_tcb_lent_advance(struct tern_tcb *c, uint64_t head)
{
    while (c->lent.first != NULL && c->lent.first->end <= head)
        give_back_first(c, true);
}

void tern_tcb_lent_clear(struct tern_tcb *c)
{
    while (c->lent.first != NULL)
        give_back_first(c, false);
}

bool tern_tcp_loan_returned(struct tern_tcp_env *env, void **user, bool *acked)
{
    struct tern_loan *loan = env->returned_first;

    if (loan == NULL)
        return false;
    env->returned_first = loan->next;
    if (env->returned_first == NULL)
        env->returned_last = NULL;
    *user = loan->user;
    *acked = loan->acked;
    tern_pool_give(&env->loans, loan);
    return true;
}

void tern_tcb_lent_check(const struct tern_tcb *c)
{
    uint32_t count = 0;
    uint64_t from = c->sendq.head;
    bool near_seen = c->lent.near == NULL;

    for (const struct tern_loan *l = c->lent.first; l != NULL; l = l->next) {
        TERN_ASSERT(count < c->lent.count); /* or the list is a ring */
        TERN_ASSERT(l->start < l->end);
        TERN_ASSERT(l->end > from);
        TERN_ASSERT(count == 0 || l->start >= from);
        TERN_ASSERT(l->next != NULL || l == c->lent.last);
        near_seen = near_seen || l == c->lent.near;
        from = l->end;
        count++;
    }
    TERN_ASSERT(near_seen);
    TERN_ASSERT(count == c->lent.count);
    TERN_ASSERT(from <= c->snd.end);
    TERN_ASSERT((c->lent.first == NULL) == (c->lent.last == NULL));
}
