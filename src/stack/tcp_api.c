/* SPDX-License-Identifier: BSD-2-Clause */
/* The public calls of tcp.h: arguments checked, handed to the engine, the connection brought up to
 * date. */
#include "base/steer.h"
#include "proto/tcp/isn.h"
#include "stack/internal.h"

/* The call's word, the settings' word, the stack's. NULL: no controller is called that. */
static const struct tern_cc_ops *congestion_of(const struct tern_stack *s,
                                               const struct tern_tcp_options *o)
{
    const char *name = o->settings != NULL ? o->settings->congestion : NULL;

    name = o->congestion != NULL ? o->congestion : name;
    return tern_cc_find(name != NULL ? name : s->config.congestion);
}

static bool options_valid(const struct tern_stack *s, const struct tern_tcp_options *o)
{
    return congestion_of(s, o) != NULL &&
           (o->settings == NULL || tern_tcp_settings_valid(o->settings));
}

void tern_tcp_settings_defaults(struct tern_tcp_settings *settings)
{
    memset(settings, 0, sizeof(*settings));
    settings->urgent_inline = true;
    settings->pacing = true;
    settings->restart_after_idle = true;
    settings->ecn = true;
    settings->timestamps = true;
    settings->sack = true;
    settings->window_scale = true;
}

static struct tern_tcp_settings settings_of(const struct tern_tcp_options *o)
{
    struct tern_tcp_settings set;

    if (o->settings != NULL)
        set = *o->settings;
    else
        tern_tcp_settings_defaults(&set);
    set.nodelay = set.nodelay || o->nodelay;
    return set;
}

/* Will the answers come to this stack? They do unless several share the address. */
static bool comes_here(const struct tern_stack *s, const struct tern_endpoint *local,
                       const struct tern_endpoint *remote)
{
    const struct tern_link_info *link = &s->config.link;

    return link->queues < 2 || !tern_addr_is_v4(remote->addr) ||
           tern_steer(local, remote, link->queues) == link->queue;
}

/* RFC 6056 §3.3.3: try ports from a keyed start until one is free for this destination. again: one
 * in TIME-WAIT will do, where that is safe. */
static bool pick_port(struct tern_stack *s, struct tern_endpoint *local,
                      const struct tern_endpoint *remote, bool again)
{
    for (uint32_t i = 0; i < TERN_PORT_EPHEMERAL_COUNT; i++) {
        local->port = tern_port_candidate(&s->port_key, local->addr, remote, s->port_counter++);
        if (comes_here(s, local, remote) && tern_stack_conn_find(s, local, remote) == NULL &&
            tern_stack_listener_find(s, local) == NULL &&
            (again ? !tern_stack_timewait_blocks(s, local, remote)
                   : !tern_stack_timewait_any(s, local, remote)))
            return true;
    }
    return false;
}

static enum tern_err choose_local(struct tern_stack *s, const struct tern_tcp_options *o,
                                  struct tern_endpoint *local)
{
    struct tern_addr src;

    if (!tern_stack_source_for(s, o->remote.addr, &src))
        return TERN_ERR_NO_ROUTE;
    *local = o->local;
    if (tern_addr_is_any(local->addr))
        local->addr = src;
    else if (tern_stack_own(s, local->addr) == NULL)
        return TERN_ERR_NO_ROUTE;
    if (local->port == 0)
        return pick_port(s, local, &o->remote, false) || pick_port(s, local, &o->remote, true)
                   ? TERN_ERR_OK
                   : TERN_ERR_FULL;
    return comes_here(s, local, &o->remote) && tern_stack_conn_find(s, local, &o->remote) == NULL &&
                   !tern_stack_timewait_blocks(s, local, &o->remote)
               ? TERN_ERR_OK
               : TERN_ERR_ADDRESS_IN_USE;
}

enum tern_err tern_tcp_connect(struct tern_stack *s, const struct tern_tcp_options *options,
                               struct tern_conn **out)
{
    struct tern_tcb_options o;
    struct tern_endpoint local;
    struct tern_conn *conn;
    enum tern_err err;

    if (options->remote.port == 0 || tern_addr_is_any(options->remote.addr) ||
        tern_addr_is_multicast(options->remote.addr) ||
        tern_stack_is_broadcast(s, options->remote.addr) || !options_valid(s, options))
        return TERN_ERR_INVAL;
    err = choose_local(s, options, &local);
    if (err != TERN_ERR_OK)
        return err;
    conn = tern_conn_take(s);
    if (conn == NULL)
        return TERN_ERR_FULL;
    tern_stack_tcb_options(s, &o, &local, &options->remote);
    o.iss = tern_stack_isn(s, &o);
    o.cc = congestion_of(s, options);
    o.ack_every = options->ack_every;
    o.connect_timeout = options->connect_timeout;
    o.set = settings_of(options);
    tern_stack_timewait_reuse(s, &o);
    tern_stack_fastopen_offer(s, &o);
    tern_tcb_open_active(conn->tcb, &s->tcp, &o, s->now);
    conn->owned = true;
    conn->user = options->user;
    s->counters.connections_opened++;
    tern_conn_enter(conn);
    tern_conn_update(conn);
    *out = conn;
    return TERN_ERR_OK;
}

enum tern_err tern_tcp_listen(struct tern_stack *s, const struct tern_tcp_options *options,
                              uint32_t backlog, struct tern_listener **out)
{
    struct tern_listener *other = tern_stack_listener_find(s, &options->local);
    struct tern_listener *l;

    if (options->local.port == 0 || backlog == 0 || !options_valid(s, options))
        return TERN_ERR_INVAL;
    /* "any address" has two spellings, one a family */
    if (other != NULL &&
        tern_addr_is_any(other->local.addr) == tern_addr_is_any(options->local.addr))
        return TERN_ERR_ADDRESS_IN_USE;
    l = tern_pool_take(&s->listeners);
    if (l == NULL)
        return TERN_ERR_FULL;
    memset(l, 0, sizeof(*l));
    l->stack = s;
    l->event.kind = TERN_EVENT_LISTENER;
    l->event.user = options->user;
    l->local = options->local;
    l->cc = congestion_of(s, options);
    l->ack_every = options->ack_every;
    l->set = settings_of(options);
    l->set.congestion = l->cc->name;
    l->backlog = backlog;
    tern_list_init(&l->children);
    tern_list_init(&l->accepted);
    tern_list_init(&l->fastopen);
    tern_table_insert(&s->listener_table, &l->by_port, options->local.port);
    *out = l;
    return TERN_ERR_OK;
}

static void reset_children(struct tern_listener *l, struct tern_list *list)
{
    while (!tern_list_is_empty(list)) {
        struct tern_conn *conn = TERN_CONTAINER(list->next, struct tern_awake, child)->conn;

        tern_conn_leave_listener(conn);
        tern_tcb_abort(conn->tcb, TERN_CAUSE_RST_ABORT, l->stack->now);
        tern_conn_update(conn);
    }
}

void tern_tcp_unlisten(struct tern_listener *l)
{
    struct tern_stack *s = l->stack;

    tern_table_remove(&s->listener_table, &l->by_port);
    reset_children(l, &l->children);
    reset_children(l, &l->accepted);
    tern_listener_fastopen_fini(l);
    tern_stack_event_drop(&l->event);
    tern_pool_give(&s->listeners, l);
}

enum tern_err tern_tcp_accept(struct tern_listener *l, void *user, struct tern_conn **out)
{
    struct tern_conn *conn;

    if (tern_list_is_empty(&l->accepted))
        return TERN_ERR_AGAIN;
    conn = TERN_CONTAINER(l->accepted.next, struct tern_awake, child)->conn;
    tern_conn_leave_listener(conn);
    conn->owned = true;
    conn->user = user;
    tern_conn_update(conn);
    *out = conn;
    return TERN_ERR_OK;
}

void tern_listener_backlog_set(struct tern_listener *l, uint32_t backlog)
{
    l->backlog = backlog > 0 ? backlog : 1;
}

uint16_t tern_listener_port(const struct tern_listener *l)
{
    return l->local.port;
}

/* Why a call on a connection that is over fails. */
static enum tern_err ended(const struct tern_tcb *c)
{
    return c->reason != TERN_ERR_OK ? c->reason : TERN_ERR_CLOSED;
}

/* TERN_ERR_OK: it takes bytes to send. */
static enum tern_err may_write(const struct tern_conn *conn, const struct tern_tcb *c)
{
    if (c->state == TERN_TCP_CLOSED || c->state == TERN_TCP_TIME_WAIT)
        return ended(c);
    return c->snd.fin_queued || (conn->wants & TERN_WANT_SHUTDOWN) != 0 ? TERN_ERR_CLOSED
                                                                        : TERN_ERR_OK;
}

static ptrdiff_t write_bytes(struct tern_conn *conn, const void *data, size_t len, bool urgent)
{
    struct tern_tcb room;
    const enum tern_err err = may_write(conn, tern_conn_look(conn, &room));
    size_t taken;

    if (err != TERN_ERR_OK)
        return err;
    if (!tern_conn_wake_for(conn, TERN_WANT_WRITE))
        return TERN_ERR_AGAIN;
    if (len == 0) {
        tern_tcb_fastopen_go(conn->tcb);
        tern_conn_update(conn);
        return 0;
    }
    taken = tern_tcb_write(conn->tcb, data, len);
    if (urgent && taken > 0)
        tern_tcb_mark_urgent(conn->tcb);
    tern_conn_update(conn);
    return taken > 0 ? (ptrdiff_t)taken : TERN_ERR_AGAIN;
}

ptrdiff_t tern_tcp_write(struct tern_conn *conn, const void *data, size_t len)
{
    return write_bytes(conn, data, len, false);
}

enum tern_err tern_tcp_lend(struct tern_conn *conn, const void *data, size_t len, void *user)
{
    struct tern_tcb room;
    enum tern_err err = len > 0 ? may_write(conn, tern_conn_look(conn, &room)) : TERN_ERR_INVAL;

    if (err == TERN_ERR_OK && !tern_conn_wake_for(conn, TERN_WANT_WRITE))
        err = TERN_ERR_AGAIN;
    if (err == TERN_ERR_OK)
        err = tern_tcb_lend(conn->tcb, data, len, user);
    if ((err == TERN_ERR_OK || err == TERN_ERR_AGAIN) && conn->awake != NULL)
        tern_conn_update(conn);
    return err;
}

void tern_tcp_mark(struct tern_conn *conn, enum tern_tcp_mark mark)
{
    if (!tern_conn_wake_for(conn, 0))
        return; /* nothing of it is unsent */
    if (mark == TERN_TCP_MARK_MORE)
        tern_tcb_mark_more(conn->tcb);
    else
        tern_tcb_mark_record(conn->tcb);
}

ptrdiff_t tern_tcp_write_urgent(struct tern_conn *conn, const void *data, size_t len)
{
    return write_bytes(conn, data, len, true);
}

bool tern_tcp_urgent_mark(const struct tern_conn *conn, size_t *ahead)
{
    struct tern_tcb room;
    const struct tern_tcb *c = tern_conn_look(conn, &room);

    *ahead = c->urg.pending ? (size_t)(c->urg.at - c->rcv.head) : 0;
    return c->urg.pending;
}

enum tern_err tern_tcp_read_urgent(struct tern_conn *conn, uint8_t *byte, bool peek)
{
    if (conn->awake == NULL && !tern_conn_wake_for(conn, 0))
        return TERN_ERR_AGAIN;
    return tern_tcb_read_urgent(conn->tcb, byte, peek);
}

size_t tern_tcp_write_space(const struct tern_conn *conn)
{
    struct tern_tcb room;

    return tern_tcb_write_space(tern_conn_look(conn, &room));
}

/* Nothing waits: the end of the stream, why it is over, or not yet. */
static enum tern_err nothing_to_read(const struct tern_tcb *c)
{
    if (c->rcv.closed && (c->reason == TERN_ERR_OK || c->state != TERN_TCP_CLOSED))
        return TERN_ERR_OK;
    return c->state == TERN_TCP_CLOSED ? ended(c) : TERN_ERR_AGAIN;
}

int tern_tcp_peekv_from(const struct tern_conn *conn, uint64_t offset, struct tern_slice *out,
                        int max)
{
    struct tern_tcb room;
    const struct tern_tcb *c = tern_conn_look(conn, &room);
    uint64_t at;
    uint64_t unread = tern_tcb_readable(c, &at);
    int count = 0;

    if (unread <= offset) /* what stands behind an urgent mark comes when that is passed */
        return unread > 0 && at + unread < c->rcv.head + tern_tcb_unread(c) ? TERN_ERR_AGAIN
                                                                            : nothing_to_read(c);
    at += offset;
    unread -= offset;
    for (; count < max && unread > 0; count++) {
        out[count] = tern_tcb_received(c, at, (size_t)unread);
        at += out[count].bytes;
        unread -= out[count].bytes;
    }
    return count;
}

int tern_tcp_peekv(const struct tern_conn *conn, struct tern_slice *out, int max)
{
    return tern_tcp_peekv_from(conn, 0, out, max);
}

ptrdiff_t tern_tcp_peek(const struct tern_conn *conn, struct tern_slice *out)
{
    const int count = tern_tcp_peekv(conn, out, 1);

    return count == 1 ? (ptrdiff_t)out->bytes : count;
}

void tern_tcp_skip(struct tern_conn *conn, size_t bytes)
{
    if (conn->awake == NULL)
        return; /* nothing waits to be read */
    tern_tcb_skip(conn->tcb, bytes, conn->stack->now);
    tern_conn_update(conn);
}

static bool at_urgent_mark(const struct tern_tcb *c)
{
    return c->urg.pending && c->urg.at == c->rcv.head;
}

ptrdiff_t tern_tcp_read(struct tern_conn *conn, void *data, size_t len)
{
    uint8_t *to = data;
    size_t done = 0;

    while (done < len) {
        struct tern_slice slice;
        const ptrdiff_t n = tern_tcp_peek(conn, &slice);

        if (n <= 0 && done == 0)
            return n;
        if (n <= 0 || (done > 0 && at_urgent_mark(conn->tcb)))
            break;
        if (slice.bytes > len - done)
            slice.bytes = len - done;
        memcpy(to + done, slice.data, slice.bytes);
        done += slice.bytes;
        tern_tcb_skip(conn->tcb, slice.bytes, conn->stack->now);
    }
    if (conn->awake != NULL)
        tern_conn_update(conn);
    return (ptrdiff_t)done;
}

void tern_tcp_shutdown(struct tern_conn *conn)
{
    if (!tern_conn_wake_for(conn, TERN_WANT_SHUTDOWN))
        return;
    tern_tcb_shutdown(conn->tcb, conn->stack->now);
    tern_conn_update(conn);
}

void tern_tcp_shutdown_read(struct tern_conn *conn)
{
    if (tern_conn_wake_for(conn, TERN_WANT_NO_READER))
        conn->tcb->rcv.no_reader = true;
}

static void give_up_handle(struct tern_conn *conn)
{
    conn->owned = false;
    conn->user = NULL;
    if (conn->awake != NULL)
        tern_stack_event_drop(&conn->awake->event);
    if (conn->wants == 0) /* else the call is still to be done */
        tern_conn_update(conn);
}

void tern_tcp_close(struct tern_conn *conn)
{
    if (tern_conn_wake_for(conn, TERN_WANT_CLOSE))
        tern_tcb_close(conn->tcb, conn->stack->now);
    give_up_handle(conn);
}

void tern_tcp_abort(struct tern_conn *conn)
{
    if (tern_conn_wake_for(conn, TERN_WANT_ABORT))
        tern_conn_abort(conn);
    give_up_handle(conn);
}

enum tern_err tern_tcp_reason(const struct tern_conn *conn)
{
    struct tern_tcb room;

    return tern_conn_look(conn, &room)->reason;
}

enum tern_tcp_state tern_tcp_state(const struct tern_conn *conn)
{
    struct tern_tcb room;

    return tern_conn_look(conn, &room)->state;
}

void tern_tcp_set_user(struct tern_conn *conn, void *user)
{
    conn->user = user;
}

uint32_t tern_tcp_id(const struct tern_conn *conn)
{
    struct tern_tcb room;

    return tern_conn_look(conn, &room)->id;
}

void tern_tcp_info(const struct tern_conn *conn, struct tern_tcp_info *out)
{
    struct tern_tcb room;

    tern_tcb_info(tern_conn_look(conn, &room), conn->stack->now, out);
}

void tern_tcp_settings(const struct tern_conn *conn, struct tern_tcp_settings *out)
{
    struct tern_tcb room;

    *out = tern_conn_look(conn, &room)->set;
}

enum tern_err tern_tcp_set(struct tern_conn *conn, const struct tern_tcp_settings *settings)
{
    if (!tern_tcp_settings_valid(settings))
        return TERN_ERR_INVAL;
    if (!tern_conn_wake_for(conn, 0) && conn->awake == NULL)
        return tern_conn_set_at_rest(conn, settings) ? TERN_ERR_OK : TERN_ERR_FULL;
    tern_tcb_set(conn->tcb, settings, conn->stack->now);
    tern_conn_update(conn);
    return TERN_ERR_OK;
}

void tern_listener_settings(const struct tern_listener *l, struct tern_tcp_settings *out)
{
    *out = l->set;
}

enum tern_err tern_listener_set(struct tern_listener *l, const struct tern_tcp_settings *settings)
{
    if (!tern_tcp_settings_valid(settings))
        return TERN_ERR_INVAL;
    l->set = *settings;
    if (settings->congestion != NULL)
        l->cc = tern_cc_find(settings->congestion);
    l->set.congestion = l->cc->name;
    return TERN_ERR_OK;
}
