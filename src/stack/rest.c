/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Resting connections: their control blocks are folded away, and unfold when something comes.
 *
 * A control block is more than 2 KiB, and of a million connections few do anything at any moment.
 * So there may be fewer blocks than connections (config.awake_max). Where a block is needed and
 * none is free, one of a connection that rests (proto/tcp/rest.c) is folded: against a model, which
 * is a block like it, into a record that stands in the handle and, what does not fit there, in
 * lines of memory that all share. Folding is exact: it knows no field, so that no field can be
 * forgotten.
 *
 * Who gives up a block is the first that can of those to which nothing happened for longest. They
 * stand in a list, to the end of which a connection goes when something happens to it, but not more
 * often than each 50 ms, because that touches its neighbours. A bounded number of them is looked
 * at, and goes to the end as well where it cannot rest. Below awake_max nothing is ever folded.
 *
 * When no block can be had: a segment is dropped, and its peer sends again. A call that cannot fail
 * is noted in the handle and done when there is a block; those in want of one stand in a list.
 *
 * The model: there are two, for those who called and for those who were called, whose blocks differ
 * in more. The first that rests while nobody uses a model becomes it; then it stays, because
 * records depend on it, but for the endpoints, which the handle has.
 *
 * Invariants: conn->awake is NULL if and only if the connection rests; then it is in no list but
 * wanting, no event waits, and its timer is set, for its deadline or before: an early one wakes it
 * for nothing, once.
 */
#include "base/fold.h"
#include "stack/internal.h"

#define STEPS_MAX       64 /* blocks looked at for one */
#define USE_GRAIN       (50 * TERN_MS)
#define LINES_EACH      4  /* 300 bytes: see docs/internals/many-connections.md */
#define LINES_LEAST     64 /* few connections have no average */
#define SERVE_AGAIN     TERN_MS
#define SERVE_AGAIN_MAX (100 * TERN_MS) /* twice as long each time that there is no block */
#define REST_AT_LEAST   TERN_SECOND     /* until the next timer, or it is not worth it */
#define TCB_WORDS       (sizeof(struct tern_tcb) / 8)
#define FOLD_BYTES_MAX  TERN_FOLD_BYTES_MAX(TCB_WORDS)

_Static_assert(sizeof(struct tern_tcb) % 8 == 0, "folded by words of 8 bytes");
_Static_assert(TCB_WORDS <= TERN_FOLD_WORDS_MAX, "a control block can be folded");

uint32_t tern_rest_awake_count(const struct tern_config *config)
{
    if (config->awake_max == 0 || config->awake_max > config->connections_max)
        return config->connections_max;
    return config->awake_max;
}

uint32_t tern_rest_lines_count(const struct tern_config *config)
{
    const bool rests = tern_rest_awake_count(config) < config->connections_max;

    return rests || config->rest_at_once ? LINES_LEAST + LINES_EACH * config->connections_max : 0;
}

/* ---- folding ---- */

static struct tern_tcb *model_for(struct tern_stack *s, const struct tern_conn *conn)
{
    struct tern_tcb *model = &s->rest.model[conn->model].tcb;

    model->local = conn->local;
    model->remote = conn->remote;
    return model;
}

static bool is_in_no_list(const struct tern_awake *a)
{
    return !tern_list_is_linked(&a->ready) && !tern_list_is_linked(&a->starved) &&
           !tern_list_is_linked(&a->event.link) && !tern_list_is_linked(&a->child) &&
           !tern_list_is_linked(&a->fastopen) && !tern_list_is_linked(&a->holed) &&
           a->listener == NULL;
}

static bool can_rest(const struct tern_stack *s, const struct tern_awake *a)
{
    const tern_time least = s->config.rest_at_once ? 1 : REST_AT_LEAST;

    return a->conn->owned && a->conn->wants == 0 && is_in_no_list(a) && tern_tcb_rests(&a->tcb) &&
           tern_tcb_deadline(&a->tcb) >= s->now + least;
}

static void check_fold(const struct tern_stack *s, const struct tern_tcb *was,
                       const struct tern_tcb *model, const uint8_t *folded)
{
    struct tern_tcb again;

    if (!s->config.rest_at_once)
        return;
    tern_unfold(folded, model, TCB_WORDS, &again);
    TERN_ASSERT(memcmp(&again, was, sizeof again) == 0);
}

/* Into the handle and lines; false: there are no lines, and nothing has changed. */
static bool store(struct tern_conn *conn, const struct tern_tcb *c)
{
    struct tern_stack *s = conn->stack;
    const struct tern_tcb *model = model_for(s, conn);
    uint8_t folded[FOLD_BYTES_MAX];
    const size_t bytes = tern_fold(c, model, TCB_WORDS, folded);
    const size_t beside = bytes < TERN_REST_BYTES ? bytes : TERN_REST_BYTES;
    uint32_t more;
    bool kept;

    check_fold(s, c, model, folded);
    more = tern_lines_put(&s->rest.lines, folded + beside, bytes - beside, &kept);
    if (!kept)
        return false;
    memcpy(conn->folded, folded, beside);
    conn->more = more;
    conn->over = c->state == TERN_TCP_CLOSED;
    conn->link_changes = s->rest.link_changes;
    return true;
}

static bool fold(struct tern_conn *conn)
{
    struct tern_rest *r = &conn->stack->rest;

    conn->model = !conn->tcb->passive;
    if (r->model[conn->model].users == 0)
        r->model[conn->model].tcb = *conn->tcb;
    if (!store(conn, conn->tcb))
        return false;
    r->model[conn->model].users++;
    return true;
}

static void unfold(const struct tern_conn *conn, struct tern_tcb *out)
{
    struct tern_stack *s = conn->stack;
    uint8_t folded[TERN_REST_BYTES + FOLD_BYTES_MAX + TERN_LINE_BYTES];

    TERN_ASSERT(conn->awake == NULL);
    memcpy(folded, conn->folded, TERN_REST_BYTES);
    (void)tern_lines_get(&s->rest.lines, conn->more, folded + TERN_REST_BYTES,
                         sizeof folded - TERN_REST_BYTES);
    tern_unfold(folded, model_for(s, conn), TCB_WORDS, out);
    if (conn->link_changes != s->rest.link_changes)
        tern_tcb_own_mtu(out, s->tcp.mtu_bytes);
}

static bool rest(struct tern_stack *s, struct tern_awake *a)
{
    struct tern_conn *conn = a->conn;

    if (!fold(conn))
        return false;
    conn->awake = NULL;
    TERN_ASSERT(s->last.conn != conn || !s->last.stale);
    if (s->last.conn == conn)
        s->last.conn = NULL;
    tern_rest_give(s, a);
    if (s->config.rest_at_once)
        memset(a, 0xa5, sizeof *a); /* who still looks at it shall see nonsense */
    s->counters.rests++;
    return true;
}

/* ---- blocks ---- */

void tern_rest_used(struct tern_stack *s, struct tern_awake *a)
{
    if (s->now - a->used_at < USE_GRAIN)
        return;
    tern_list_remove(&a->by_use);
    tern_list_push(&s->rest.by_use, &a->by_use);
    a->used_at = s->now;
}

void tern_rest_give(struct tern_stack *s, struct tern_awake *a)
{
    tern_list_remove(&a->by_use);
    tern_pool_give(&s->awake, a);
}

/* False: of those looked at none can rest. They go to the end, so that others are looked at next.
 */
static bool make_room(struct tern_stack *s)
{
    if (s->rest.lines.count == 0)
        return false;
    for (int i = 0; i < STEPS_MAX && !tern_list_is_empty(&s->rest.by_use); i++) {
        struct tern_awake *a = TERN_CONTAINER(s->rest.by_use.next, struct tern_awake, by_use);

        if (can_rest(s, a) && rest(s, a))
            return true;
        tern_list_remove(&a->by_use);
        tern_list_push(&s->rest.by_use, &a->by_use);
    }
    return false;
}

struct tern_awake *tern_rest_block(struct tern_stack *s)
{
    struct tern_awake *a = tern_pool_take(&s->awake);

    if (a == NULL && make_room(s))
        a = tern_pool_take(&s->awake);
    if (a == NULL)
        return NULL;
    memset((uint8_t *)a + sizeof a->tcb, 0, sizeof *a - sizeof a->tcb);
    tern_list_push(&s->rest.by_use, &a->by_use);
    a->used_at = s->now;
    return a;
}

bool tern_conn_wake(struct tern_conn *conn)
{
    struct tern_stack *s = conn->stack;
    struct tern_awake *a;

    if (conn->awake != NULL)
        return true;
    a = tern_rest_block(s);
    if (a == NULL)
        return false;
    unfold(conn, &a->tcb);
    a->conn = conn;
    a->event.kind = TERN_EVENT_CONN;
    tern_lines_drop(&s->rest.lines, conn->more);
    s->rest.model[conn->model].users--;
    conn->awake = a;
    conn->over = false;
    if (conn->wants == 0) /* else serve() has still to see to it */
        tern_list_remove(&conn->wanting);
    if (!tern_timer_is_set(&conn->timer)) /* it fired in vain */
        tern_wheel_set(&s->wheel, &conn->timer, tern_tcb_deadline(&a->tcb));
    s->counters.wakes++;
    return true;
}

const struct tern_tcb *tern_conn_look(const struct tern_conn *conn, struct tern_tcb *room)
{
    if (conn->awake != NULL)
        return conn->tcb;
    unfold(conn, room);
    return room;
}

/* ---- want of them ---- */

static void want(struct tern_conn *conn, uint8_t bits)
{
    struct tern_rest *r = &conn->stack->rest;

    conn->wants |= bits;
    if (tern_list_is_empty(&r->wanting)) {
        r->serve_wait = SERVE_AGAIN;
        r->serve_at = conn->stack->now + r->serve_wait;
    }
    if (!tern_list_is_linked(&conn->wanting))
        tern_list_push(&r->wanting, &conn->wanting);
}

bool tern_conn_wake_for(struct tern_conn *conn, uint8_t bits)
{
    /* what was put off comes first */
    if (conn->wants == 0 && tern_conn_wake(conn))
        return true;
    conn->stack->counters.calls_put_off++;
    want(conn, bits);
    return false;
}

bool tern_conn_set_at_rest(struct tern_conn *conn, const struct tern_tcp_settings *settings)
{
    const uint32_t more = conn->more;
    struct tern_tcb c;

    unfold(conn, &c);
    tern_tcb_set(&c, settings, conn->stack->now);
    if (!store(conn, &c))
        return false;
    tern_lines_drop(&conn->stack->rest.lines, more);
    return true;
}

/* What calls wanted, in the order in which they can have come. */
static void grant(struct tern_conn *conn)
{
    struct tern_stack *s = conn->stack;
    const uint8_t wants = conn->wants;

    conn->wants = 0;
    tern_list_remove(&conn->wanting);
    if ((wants & TERN_WANT_NO_READER) != 0)
        tern_tcp_shutdown_read(conn);
    if ((wants & TERN_WANT_WRITE) != 0)
        conn->tcb->events |= TERN_CONN_WRITABLE;
    if ((wants & TERN_WANT_SHUTDOWN) != 0)
        tern_tcb_shutdown(conn->tcb, s->now);
    if ((wants & TERN_WANT_CLOSE) != 0)
        tern_tcb_close(conn->tcb, s->now);
    if ((wants & TERN_WANT_ABORT) != 0)
        tern_conn_abort(conn);
    tern_conn_update(conn);
}

void tern_rest_serve(struct tern_stack *s)
{
    if (s->now < s->rest.serve_at)
        return;
    while (!tern_list_is_empty(&s->rest.wanting)) {
        struct tern_conn *conn = TERN_CONTAINER(s->rest.wanting.next, struct tern_conn, wanting);

        if (!tern_conn_wake(conn)) {
            if (s->rest.serve_wait < SERVE_AGAIN_MAX)
                s->rest.serve_wait *= 2;
            s->rest.serve_at = s->now + s->rest.serve_wait;
            return;
        }
        s->rest.serve_wait = SERVE_AGAIN;
        grant(conn);
    }
    s->rest.serve_at = TERN_TIME_NEVER;
}

void tern_rest_turn(struct tern_stack *s)
{
    if (!s->config.rest_at_once)
        return;
    for (uint32_t i = 0; i < s->awake.fresh; i++) {
        struct tern_awake *a = tern_pool_at(&s->awake, i);

        if (tern_pool_is_taken(&s->awake, i) && can_rest(s, a))
            (void)rest(s, a);
    }
}

void tern_rest_check(const struct tern_stack *s, const struct tern_conn *conn)
{
    struct tern_tcb room;
    const struct tern_tcb *c = tern_conn_look(conn, &room);

    tern_tcb_check(c);
    if (conn->awake != NULL) {
        TERN_ASSERT(conn->awake->conn == conn);
        TERN_ASSERT(tern_list_is_linked(&conn->wanting) == (conn->wants != 0));
        return;
    }
    TERN_ASSERT(tern_endpoint_equal(&c->local, &conn->local));
    TERN_ASSERT(tern_endpoint_equal(&c->remote, &conn->remote));
    TERN_ASSERT(tern_tcb_rests(c) || tern_list_is_linked(&conn->wanting));
    TERN_ASSERT(s->rest.model[conn->model].users > 0);
    TERN_ASSERT(tern_list_is_linked(&conn->wanting) ||
                (conn->wants == 0 &&
                 (tern_tcb_deadline(c) == TERN_TIME_NEVER ||
                  (tern_timer_is_set(&conn->timer) && conn->timer.at <= tern_tcb_deadline(c)))));
    TERN_ASSERT(conn->over == (c->state == TERN_TCP_CLOSED));
}
