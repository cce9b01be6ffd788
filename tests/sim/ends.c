/* SPDX-License-Identifier: BSD-2-Clause */
/* One side of one connection. See ends.h. */
#include "ends.h"

#include <stdio.h>

#include "judge.h"
#include "loans.h"
#include "stream.h"
#include "world.h"

#define LENT_MAX  60000
#define ASK_AFTER (60 * TERN_SECOND) /* after the faults: is the other side still there? */

struct end *end_take(struct world *w, uint32_t flow, int side)
{
    struct end *e;

    if (w->ends_count == SIM_ENDS_MAX)
        return NULL;
    e = &w->end[w->ends_count++];
    *e = (struct end){.flow = flow, .side = side, .opened_at = w->now};
    e->next_write = TERN_TIME_NEVER;
    e->name = w->ends_count;
    e->plan = &w->plan.flow[flow].end[side];
    w->ends_live++;
    return e;
}

void end_untake(struct world *w, struct end *e)
{
    (void)e;
    w->ends_count--;
    w->ends_live--;
}

static void give_up(struct world *w, struct end *e, enum tern_err reason)
{
    e->reason = reason;
    e->over = true;
    w->ends_live--;
}

void end_abort(struct world *w, struct end *e)
{
    tern_tcp_abort(e->conn);
    e->rude = true;
    give_up(w, e, TERN_ERR_ABORTED);
}

static void leave(struct world *w, struct end *e)
{
    tern_tcp_close(e->conn);
    e->rude = !e->finished || e->written < e->plan->bytes;
    e->shut = true;
    give_up(w, e, TERN_ERR_OK);
}

/* The stack says that the connection failed. */
static void fail_end(struct world *w, struct end *e, enum tern_err reason)
{
    tern_tcp_close(e->conn);
    e->rude = true;
    give_up(w, e, reason);
    judge_reason(w, e);
}

/* How many bytes may be written by one call from here on: the urgent one by a call of its own. */
static size_t next_piece(const struct end *e, size_t most)
{
    uint64_t n = e->plan->bytes - e->written;

    if (e->plan->urgent_at > e->written)
        n = e->plan->urgent_at - e->written;
    else if (e->plan->urgent_at > 0 && e->plan->urgent_at == e->written)
        n = 1;
    n = n < e->plan->write_max ? n : e->plan->write_max;
    return n < most ? (size_t)n : most;
}

static ptrdiff_t copy_piece(struct end *e, size_t *n, bool urgent)
{
    uint8_t bytes[4096];

    *n = next_piece(e, sizeof(bytes));
    stream_fill((uint32_t)e->name, e->written, bytes, *n);
    return urgent ? tern_tcp_write_urgent(e->conn, bytes, *n) : tern_tcp_write(e->conn, bytes, *n);
}

static ptrdiff_t lend_piece(struct world *w, struct end *e, size_t *n)
{
    enum tern_err err;

    *n = next_piece(e, LENT_MAX);
    err = loan_make(w, e, *n);
    return err == TERN_ERR_OK ? (ptrdiff_t)*n : err;
}

/* False: no more can be written now. */
static bool write_piece(struct world *w, struct end *e)
{
    const bool urgent = e->plan->urgent_at > 0 && e->plan->urgent_at == e->written;
    const bool lends = e->plan->lends && !urgent && e->pieces++ % 3 < 2;
    size_t n;
    const ptrdiff_t taken = lends ? lend_piece(w, e, &n) : copy_piece(e, &n, urgent);

    if (taken == TERN_ERR_AGAIN)
        return false;
    if (taken < 0) {
        fail_end(w, e, (enum tern_err)taken);
        return false;
    }
    e->written += (uint64_t)taken;
    if (e->plan->marks && e->written % 3 < 2)
        tern_tcp_mark(e->conn, e->written % 3 == 0 ? TERN_TCP_MARK_MORE : TERN_TCP_MARK_RECORD);
    if (e->plan->write_pause > 0) {
        e->next_write = w->now + e->plan->write_pause;
        e->pausing = true;
    }
    return (size_t)taken == n && e->plan->write_pause == 0;
}

/* With Fast Open the first bytes may go with the SYN, which waits for them. */
static void write_early(struct world *w, struct end *e)
{
    e->early = true;
    if (e->plan->bytes > 0)
        (void)write_piece(w, e);
    else
        (void)!tern_tcp_write(e->conn, "", 0);
}

static void write_some(struct world *w, struct end *e)
{
    bool more = true;

    if (w->now >= e->next_write)
        e->next_write = TERN_TIME_NEVER, e->pausing = false;
    else
        more = false;
    while (more && e->written < e->plan->bytes)
        more = write_piece(w, e);
    if (e->over || e->shut || e->written < e->plan->bytes)
        return;
    if (e->plan->manner != SIM_ANSWERS || e->finished || judge_read_all(w, e)) {
        tern_tcp_shutdown(e->conn);
        e->shut = true;
    }
}

/* False: no more can be read now. */
static bool read_piece(struct world *w, struct end *e, uint64_t *budget)
{
    struct tern_slice slice;
    const ptrdiff_t n = tern_tcp_peek(e->conn, &slice);

    if (n == TERN_ERR_AGAIN) {
        e->bits &= ~(uint32_t)TERN_CONN_READABLE;
        return false;
    }
    if (n < 0) {
        fail_end(w, e, (enum tern_err)n);
        return false;
    }
    if (n == 0) {
        e->finished = true;
        judge_finish(w, e);
        return false;
    }
    if (slice.bytes > *budget)
        slice.bytes = (size_t)*budget;
    judge_bytes(w, e, slice.data, slice.bytes);
    e->read += slice.bytes;
    *budget -= slice.bytes;
    tern_tcp_skip(e->conn, slice.bytes);
    return true;
}

/* Up to read_max bytes, then a pause. */
static void read_some(struct world *w, struct end *e)
{
    uint64_t budget = e->plan->read_max;

    if (e->finished || w->now < e->next_read || (e->bits & TERN_CONN_READABLE) == 0)
        return;
    while (budget > 0 && !w->failed && read_piece(w, e, &budget)) {
    }
    if (e->plan->read_pause > 0)
        e->next_read = w->now + e->plan->read_pause;
}

/* True: this end is done with, in order or not. */
static bool stops(struct world *w, struct end *e)
{
    if (e->over)
        return true;
    if (e->finished && e->shut)
        leave(w, e);
    else if (e->plan->manner == SIM_ABORTS && e->read + e->written >= e->plan->stop_at)
        end_abort(w, e);
    else if (e->plan->manner == SIM_LEAVES && e->read >= e->plan->stop_at / 2)
        leave(w, e);
    return e->over;
}

/* Long after the faults: whoever still waits asks, and hears or learns that nobody is left. */
static void ask(struct world *w, struct end *e)
{
    struct tern_tcp_settings s;

    tern_tcp_settings(e->conn, &s);
    s.keepalive = true;
    s.keep_idle = 2 * TERN_SECOND;
    s.keep_interval = TERN_SECOND;
    s.keep_count = 5;
    e->asked = true;
    if (tern_tcp_set(e->conn, &s) != TERN_ERR_OK)
        world_fail(w, "keep-alive cannot be set");
}

static tern_time change_at(const struct end *e)
{
    return e->plan->changes && !e->changed && !e->asked ? e->opened_at + e->plan->changes_after
                                                        : TERN_TIME_NEVER;
}

static void change(struct world *w, struct end *e)
{
    e->changed = true;
    if (tern_tcp_set(e->conn, &e->plan->later) != TERN_ERR_OK)
        world_fail(w, "settings cannot be changed");
}

static tern_time next_turn(const struct world *w, const struct end *e)
{
    const tern_time ask_at = w->plan.heal_at + ASK_AFTER;
    tern_time at = e->asked ? TERN_TIME_NEVER : ask_at;

    at = change_at(e) < at ? change_at(e) : at;
    if (!e->established)
        return at;
    if ((e->bits & TERN_CONN_READABLE) != 0 && !e->finished)
        at = e->next_read < at ? e->next_read : at;
    return e->next_write < at ? e->next_write : at;
}

tern_time end_run(struct world *w, struct end *e)
{
    const bool early = e->plan->settings.fastopen && !e->established && e->written == 0 &&
                       (!e->early || (e->bits & TERN_CONN_WRITABLE) != 0);
    const bool wakes = e->bits != 0 || early || next_turn(w, e) <= w->now;

    if (!wakes)
        return next_turn(w, e);
    e->established = e->established || (e->bits & TERN_CONN_ESTABLISHED) != 0;
    if (change_at(e) <= w->now)
        change(w, e);
    if (!e->asked && w->now >= w->plan.heal_at + ASK_AFTER)
        ask(w, e);
    if ((e->bits & TERN_CONN_CLOSED) != 0 && tern_tcp_reason(e->conn) != TERN_ERR_OK) {
        fail_end(w, e, tern_tcp_reason(e->conn));
        return TERN_TIME_NEVER;
    }
    if ((e->bits & (TERN_CONN_ESTABLISHED | TERN_CONN_WRITABLE)) != 0 && e->next_write > w->now &&
        !e->pausing)
        e->next_write = w->now;
    e->bits &= TERN_CONN_READABLE;
    if (early)
        write_early(w, e);
    if (e->established)
        read_some(w, e);
    if (e->established && !e->over && !w->failed)
        write_some(w, e);
    if (w->failed || (e->established && stops(w, e)) || e->over)
        return TERN_TIME_NEVER;
    return next_turn(w, e);
}

void ends_print(const struct world *w)
{
    for (uint32_t i = 0; i < w->ends_count; i++) {
        const struct end *e = &w->end[i];
        struct tern_tcp_info t = {.state = TERN_TCP_CLOSED};

        if (!e->over)
            tern_tcp_info(e->conn, &t);
        printf("  end %u (flow %u, side %d, from %.3f s): wrote %llu of %u, read %llu, %s%s%s%s",
               i + 1, e->flow, e->side, (double)e->opened_at / 1e9, (unsigned long long)e->written,
               e->plan->bytes, (unsigned long long)e->read,
               e->over ? tern_err_text(e->reason) : tern_tcp_state_text(t.state),
               e->shut ? ", shut" : "", e->finished ? ", finished" : "", e->rude ? ", rude" : "");
        if (!e->over)
            printf(", in flight %llu, unsent %llu, cwnd %llu, peer's window %llu, rto %lld ms",
                   (unsigned long long)t.unacked_bytes, (unsigned long long)t.notsent_bytes,
                   (unsigned long long)t.cwnd_bytes, (unsigned long long)t.snd_wnd_bytes,
                   (long long)(t.rto / TERN_MS));
        printf("\n");
    }
}
