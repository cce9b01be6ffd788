/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TIME-WAIT (RFC 9293 §3.3.2, §3.6.1): for two segment lifetimes after an active close, the pair of
 * endpoints answers old duplicates and the peer's FIN, in case that our last ACK was lost, and
 * keeps its old numbers from being taken for a new connection's. A server that closes first has
 * thousands of them, so each is a record of what those answers need, and no control block.
 *
 * All stay equally long, so a list in the order of their ends is all the timer that they need: a
 * new or restarted one goes to its end. When all records are taken, the oldest goes.
 *
 * A record ends early for one thing only, a SYN that can be no old duplicate: RFC 6191 §2 for
 * those with timestamps, a higher sequence number for the others. Resets are not obeyed
 * (RFC 1337 §4, F1): an old duplicate's echo must not free the pair.
 *
 * The record decides; its owner in the stack counts, sends and traces.
 */
#include "proto/tcp/timewait.h"

#include "base/assert.h"

#define ISS_STEP      (UINT32_C(1) << 16) /* beyond the old numbers: a window, were it unscaled */
#define REUSE_TICK_MS 1000                /* our clock must have moved on by so much */

static uint32_t clock_ms(tern_time now)
{
    return (uint32_t)(now / TERN_MS);
}

static void restart(struct tern_timewaits *w, struct tern_timewait *t, tern_time now)
{
    /* not a moment too early, whatever the rounding */
    t->until_ms = clock_ms(now + TERN_TCP_TIME_WAIT_HOLD + TERN_MS - 1);
    tern_list_remove(&t->link);
    tern_list_push(&w->oldest, &t->link);
}

/* The window as the connection would advertise it. */
static uint16_t window_of(const struct tern_tcb *c)
{
    const uint64_t units = (c->rcv.adv - c->rcv.nxt) >> c->rcv.wscale;

    return units > UINT16_MAX ? UINT16_MAX : (uint16_t)units;
}

struct tern_timewait *tern_timewait_add(struct tern_timewaits *w, const struct tern_tcb *c,
                                        uint64_t hash, tern_time now)
{
    struct tern_timewait *t = tern_pool_take(&w->pool);

    TERN_ASSERT(t != NULL);
    TERN_ASSERT(c->state == TERN_TCP_TIME_WAIT);
    *t = (struct tern_timewait){
        .local = c->local,
        .remote = c->remote,
        .conn_id = c->id,
        .snd_nxt = tern_tcb_wrap(c->snd.max),
        .rcv_nxt = tern_tcb_wrap(c->rcv.nxt),
        .ts_recent = c->opt.ts_recent,
        .window = window_of(c),
        .wscale = c->rcv.wscale & 15u,
        .timestamps = c->opt.timestamps,
    };
    tern_table_insert(&w->table, &t->by_pair, hash);
    restart(w, t, now);
    return t;
}

void tern_timewait_remove(struct tern_timewaits *w, struct tern_timewait *t)
{
    tern_table_remove(&w->table, &t->by_pair);
    tern_list_remove(&t->link);
    tern_pool_give(&w->pool, t);
}

struct tern_timewait *tern_timewait_find(const struct tern_timewaits *w,
                                         const struct tern_endpoint *local,
                                         const struct tern_endpoint *remote, uint64_t hash)
{
    struct tern_table_node *node = tern_table_first(&w->table, hash);

    for (; node != NULL; node = tern_table_next(node)) {
        struct tern_timewait *t = TERN_CONTAINER(node, struct tern_timewait, by_pair);

        if (tern_endpoint_equal(&t->local, local) && tern_endpoint_equal(&t->remote, remote))
            return t;
    }
    return NULL;
}

struct tern_timewait *tern_timewait_first(const struct tern_timewaits *w)
{
    if (tern_list_is_empty(&w->oldest))
        return NULL;
    return TERN_CONTAINER(w->oldest.next, struct tern_timewait, link);
}

tern_time tern_timewait_deadline(const struct tern_timewaits *w, tern_time now)
{
    const struct tern_timewait *t = tern_timewait_first(w);

    if (t == NULL)
        return TERN_TIME_NEVER;
    return (now / TERN_MS + (int32_t)(t->until_ms - clock_ms(now))) * TERN_MS;
}

/* ---- segments that arrive: RFC 9293 §3.10.7.4, what is left of it ---- */

static uint32_t length_of(const struct tern_segment *seg)
{
    return (uint32_t)seg->text.bytes + ((seg->h.flags & TERN_TCP_SYN) != 0) +
           ((seg->h.flags & TERN_TCP_FIN) != 0);
}

/* The first step, as arrive.c has it: an empty segment may stand at the right edge, a reset not. */
static bool is_acceptable(const struct tern_timewait *t, const struct tern_segment *seg)
{
    const int64_t at = tern_seq_diff(seg->h.seq, t->rcv_nxt);
    const int64_t window = (int64_t)t->window << t->wscale;
    const uint32_t len = length_of(seg);

    if (at == 0)
        return true;
    if (len == 0)
        return at > 0 && at < window + ((seg->h.flags & TERN_TCP_RST) == 0);
    return at < window && at + len > 0;
}

/* To empty segments only so often: two ends that disagree would answer each other for ever. */
static bool may_answer(struct tern_timewait *t, const struct tern_segment *seg, tern_time now)
{
    const uint32_t interval_ms = (uint32_t)(TERN_TCP_ANSWER_INTERVAL / TERN_MS);

    if (length_of(seg) > 0)
        return true;
    if (t->answered && clock_ms(now) - t->answered_ms < interval_ms)
        return false;
    t->answered = true;
    t->answered_ms = clock_ms(now);
    return true;
}

static enum tern_timewait_verdict refuse(struct tern_timewait *t, const struct tern_segment *seg,
                                         tern_time now)
{
    if ((seg->h.flags & TERN_TCP_RST) != 0)
        return TERN_TIMEWAIT_DROP;
    return may_answer(t, seg, now) ? TERN_TIMEWAIT_ANSWER : TERN_TIMEWAIT_DROP;
}

static bool is_paws_old(const struct tern_timewait *t, const struct tern_segment *seg)
{
    return t->timestamps && seg->h.has_timestamps && (seg->h.flags & TERN_TCP_RST) == 0 &&
           (int32_t)(seg->h.ts_value - t->ts_recent) < 0;
}

/* In the window, where nothing but a stray can be. */
static enum tern_timewait_verdict take_stray(struct tern_timewait *t,
                                             const struct tern_segment *seg, tern_time now,
                                             enum tern_drop *why, enum tern_cause *cause)
{
    *cause = TERN_CAUSE_CHALLENGE_ACK;
    if ((seg->h.flags & TERN_TCP_RST) != 0) {
        *why = TERN_DROP_TCP_BAD_RST;
        return tern_seq_eq(seg->h.seq, t->rcv_nxt) ? TERN_TIMEWAIT_DROP : TERN_TIMEWAIT_ANSWER;
    }
    if ((seg->h.flags & TERN_TCP_SYN) != 0) {
        *why = TERN_DROP_TCP_BAD_SYN;
        return TERN_TIMEWAIT_ANSWER; /* RFC 5961 §4.2 */
    }
    if ((seg->h.flags & TERN_TCP_ACK) == 0) {
        *why = TERN_DROP_TCP_NO_ACK;
        return TERN_TIMEWAIT_DROP;
    }
    if (tern_seq_gt(seg->h.ack, t->snd_nxt)) {
        *why = TERN_DROP_TCP_BAD_ACK;
        return may_answer(t, seg, now) ? TERN_TIMEWAIT_ANSWER : TERN_TIMEWAIT_DROP;
    }
    if (seg->h.has_timestamps && tern_seq_le(seg->h.seq, t->rcv_nxt))
        t->ts_recent = seg->h.ts_value; /* RFC 7323 §4.3 (2) */
    *why = TERN_DROP_TCP_AFTER_CLOSE;
    return length_of(seg) > 0 ? TERN_TIMEWAIT_DROP : TERN_TIMEWAIT_TAKEN;
}

enum tern_timewait_verdict tern_timewait_input(struct tern_timewaits *w, struct tern_timewait *t,
                                               const struct tern_segment *seg, tern_time now,
                                               enum tern_drop *why, enum tern_cause *cause)
{
    const tern_seq end = tern_seq_add(seg->h.seq, length_of(seg));

    *cause = TERN_CAUSE_TIMEWAIT_ACK;
    if (is_paws_old(t, seg)) {
        *why = TERN_DROP_TCP_PAWS;
        return refuse(t, seg, now);
    }
    if (is_acceptable(t, seg))
        return take_stray(t, seg, now, why, cause);
    *why =
        tern_seq_le(end, t->rcv_nxt) ? TERN_DROP_TCP_OLD_DUPLICATE : TERN_DROP_TCP_OUTSIDE_WINDOW;
    if ((seg->h.flags & TERN_TCP_FIN) != 0 && tern_seq_eq(end, t->rcv_nxt))
        restart(w, t, now); /* the peer's FIN again: our ACK was lost */
    return refuse(t, seg, now);
}

void tern_timewait_answer(const struct tern_timewait *t, uint32_t ts_offset, tern_time now,
                          struct tern_tcp_header *out)
{
    *out = (struct tern_tcp_header){
        .src_port = t->local.port,
        .dst_port = t->remote.port,
        .seq = t->snd_nxt,
        .ack = t->rcv_nxt,
        .flags = TERN_TCP_ACK,
        .window = t->window,
        .has_timestamps = t->timestamps,
        .ts_value = t->timestamps ? clock_ms(now) + ts_offset : 0,
        .ts_echo = t->timestamps ? t->ts_recent : 0,
    };
}

/* ---- a new connection of the pair ---- */

bool tern_timewait_reusable(const struct tern_timewait *t, const struct tern_segment *syn)
{
    const uint8_t flags = syn->h.flags & (TERN_TCP_SYN | TERN_TCP_ACK | TERN_TCP_RST);
    const bool later = tern_seq_ge(syn->h.seq, t->rcv_nxt);
    int32_t ticks;

    if (flags != TERN_TCP_SYN)
        return false;
    if (!syn->h.has_timestamps)
        return later;
    if (!t->timestamps)
        return true; /* its timestamps will tell new from old */
    ticks = (int32_t)(syn->h.ts_value - t->ts_recent);
    return ticks > 0 || (ticks == 0 && later);
}

bool tern_timewait_ours_to_reuse(const struct tern_timewait *t, tern_time now)
{
    const uint32_t entered_ms = t->until_ms - (uint32_t)(TERN_TCP_TIME_WAIT_HOLD / TERN_MS);

    return t->timestamps && (int32_t)(clock_ms(now) - entered_ms) >= REUSE_TICK_MS;
}

tern_seq tern_timewait_iss(const struct tern_timewait *t, tern_seq proposed)
{
    return tern_seq_gt(proposed, t->snd_nxt) ? proposed : tern_seq_add(t->snd_nxt, ISS_STEP);
}

void tern_timewait_check(const struct tern_timewaits *w)
{
    const struct tern_list *link = w->oldest.next;
    uint32_t count = 0, last_ms = 0;

    tern_pool_check(&w->pool);
    for (; link != &w->oldest; link = link->next) {
        const struct tern_timewait *t =
            TERN_CONTAINER(link->next->prev, struct tern_timewait, link);

        TERN_ASSERT(++count <= w->pool.used);
        TERN_ASSERT(tern_timewait_find(w, &t->local, &t->remote, t->by_pair.hash) == t);
        TERN_ASSERT(count == 1 || (int32_t)(t->until_ms - last_ms) >= 0);
        last_ms = t->until_ms;
    }
    TERN_ASSERT(count == w->pool.used);
}
