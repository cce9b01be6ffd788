/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Does a connection rest? Nothing is under way either way, nothing waits to be read or heard of,
 * and it holds no memory beside its control block. Its clock may run: the keep-alive's, as a rule.
 *
 * Whether it may then be folded away does not depend on this list: what unfolds is the same to the
 * bit (base/fold.h), whatever it holds. The list says for whom it is worth it, and who is not about
 * to need the block again.
 */
#include "proto/tcp/internal.h"

static bool holds_memory(const struct tern_tcb *c)
{
    return c->log != NULL || c->lent.first != NULL || c->sendq.held > 0 || c->recvq.held > 0 ||
           c->rcv.ooo != NULL || c->loss.sacked != NULL || c->loss.relost != NULL;
}

static bool has_settled(const struct tern_tcb *c)
{
    switch (c->state) {
    case TERN_TCP_ESTABLISHED:
    case TERN_TCP_CLOSE_WAIT:
    case TERN_TCP_FIN_WAIT_2:
        return c->snd.una == c->snd.nxt && c->snd.una == c->snd.max;
    case TERN_TCP_CLOSED: /* its handle alone is left */
        return true;
    default:
        return false;
    }
}

bool tern_tcb_rests(const struct tern_tcb *c)
{
    return has_settled(c) && c->events == 0 && !holds_memory(c) && !tern_tcb_wants_output(c) &&
           !c->snd.pool_wanted && !c->snd.loan_wanted && !c->fastopen.learned &&
           !c->fastopen.failed;
}
