/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The workloads' wire over a tern stack: events pulled after each turn of the loop, received bytes
 * borrowed. The stack belongs to the caller, who also turns the loop where there is more to do in
 * a turn (the verb's statistics). All lines stand in one list, so that destroy() finds them.
 */
#include <stdlib.h>
#include <string.h>

#include "apps/bench_wire.h"
#include "base/list.h"

#define BACKLOG    1024
#define COPY_BYTES ((size_t)128 << 10)

struct wire {
    struct tern_bench_wire base;
    struct tern_bench_tern_options options;
    struct tern_stack *stack;
    struct tern_listener *listener;
    struct tern_list lines;
    uint8_t *copy; /* NULL: bytes are borrowed */
};

struct line {
    struct tern_bench_line base;
    struct tern_list link;
    struct wire *wire;
    struct tern_conn *conn;
};

static struct line *line_new(struct wire *w, void *user)
{
    struct line *line = calloc(1, sizeof *line);

    if (line == NULL)
        return NULL;
    line->base.user = user;
    line->wire = w;
    tern_list_push(&w->lines, &line->link);
    return line;
}

static void line_free(struct line *line)
{
    tern_list_remove(&line->link);
    free(line);
}

static enum tern_err tern_wire_listen(struct tern_bench_wire *wire, uint16_t *port)
{
    struct wire *w = (struct wire *)wire;
    struct tern_tcp_options options = {.local = {w->options.address, *port},
                                       .congestion = w->options.common.congestion};
    enum tern_err err;

    if (*port == 0)
        options.local.port = tern_tcp_port_pick(w->stack, w->options.address);
    err = tern_tcp_listen(w->stack, &options, BACKLOG, &w->listener);
    if (err == TERN_ERR_OK)
        *port = tern_listener_port(w->listener);
    return err;
}

static enum tern_err tern_wire_connect(struct tern_bench_wire *wire,
                                       const struct tern_endpoint *peer, void *user,
                                       struct tern_bench_line **out)
{
    struct wire *w = (struct wire *)wire;
    struct line *line = line_new(w, user);
    struct tern_tcp_options options = {
        .remote = *peer, .congestion = w->options.common.congestion, .user = line};
    enum tern_err err;

    if (line == NULL)
        return TERN_ERR_MEMORY;
    err = tern_tcp_connect(w->stack, &options, &line->conn);
    if (err == TERN_ERR_OK)
        *out = &line->base;
    else
        line_free(line);
    return err;
}

static ptrdiff_t tern_wire_peek(struct tern_bench_line *base, struct tern_slice *out)
{
    struct line *line = (struct line *)base;
    ptrdiff_t got = tern_tcp_peek(line->conn, out);

    if (got > 0 && line->wire->copy != NULL) {
        if ((size_t)got > COPY_BYTES)
            got = COPY_BYTES;
        memcpy(line->wire->copy, out->data, (size_t)got);
        *out = (struct tern_slice){line->wire->copy, (size_t)got};
    }
    return got;
}

static void tern_wire_skip(struct tern_bench_line *line, size_t bytes)
{
    tern_tcp_skip(((struct line *)line)->conn, bytes);
}

static ptrdiff_t tern_wire_write(struct tern_bench_line *line, const void *data, size_t len)
{
    return tern_tcp_write(((struct line *)line)->conn, data, len);
}

static void tern_wire_shutdown(struct tern_bench_line *line)
{
    tern_tcp_shutdown(((struct line *)line)->conn);
}

static void tern_wire_nodelay(struct tern_bench_line *line)
{
    struct tern_conn *conn = ((struct line *)line)->conn;
    struct tern_tcp_settings settings;

    tern_tcp_settings(conn, &settings);
    settings.nodelay = true;
    (void)!tern_tcp_set(conn, &settings); /* what it had before was fine */
}

static void tern_wire_close(struct tern_bench_line *base, bool abort)
{
    struct line *line = (struct line *)base;

    if (abort)
        tern_tcp_abort(line->conn);
    else
        tern_tcp_close(line->conn);
    line_free(line);
}

static uint64_t tern_wire_retransmits(struct tern_bench_line *line)
{
    struct tern_tcp_info info;

    tern_tcp_info(((struct line *)line)->conn, &info);
    return info.retrans;
}

/* What the workload should know of an event of a connection. */
static bool translate(const struct tern_event *event, struct tern_bench_event *out)
{
    enum tern_err reason = TERN_ERR_OK;

    out->line = event->user;
    out->bits = 0;
    if ((event->bits & TERN_CONN_ESTABLISHED) != 0)
        out->bits |= TERN_BENCH_OPEN;
    if ((event->bits & (TERN_CONN_READABLE | TERN_CONN_PEER_FIN)) != 0)
        out->bits |= TERN_BENCH_READABLE;
    if ((event->bits & TERN_CONN_WRITABLE) != 0)
        out->bits |= TERN_BENCH_WRITABLE;
    if ((event->bits & TERN_CONN_CLOSED) != 0)
        reason = tern_tcp_reason(event->conn);
    if (reason != TERN_ERR_OK)
        out->bits |= TERN_BENCH_OVER;
    out->reason = reason;
    return out->bits != 0;
}

/* Callers that wait; as many as there is room for. */
static int accept_callers(struct wire *w, struct tern_bench_event *events, int max)
{
    int count = 0;

    while (count < max && w->listener != NULL && tern_listener_is_ready(w->listener)) {
        struct line *line = line_new(w, NULL);

        if (line == NULL)
            break;
        if (tern_tcp_accept(w->listener, line, &line->conn) != TERN_ERR_OK) {
            line_free(line);
            break;
        }
        events[count++] = (struct tern_bench_event){&line->base, TERN_BENCH_CALLER, TERN_ERR_OK};
    }
    return count;
}

/* Callers come last: events of theirs that are older were told by the accept. */
static int pull(struct wire *w, struct tern_bench_event *events)
{
    struct tern_event event;
    int count = 0;

    while (count < TERN_BENCH_EVENTS_MAX && tern_stack_event(w->stack, &event)) {
        if (event.kind == TERN_EVENT_CONN && event.user != NULL)
            count += translate(&event, &events[count]) ? 1 : 0;
        else if (event.kind != TERN_EVENT_LISTENER && w->options.hear != NULL)
            (void)w->options.hear(w->options.user, &event);
    }
    return count + accept_callers(w, events + count, TERN_BENCH_EVENTS_MAX - count);
}

static enum tern_err turn(struct wire *w, tern_time until)
{
    if (w->options.turn != NULL)
        return w->options.turn(w->options.user, until);
    return tern_loop_run(w->options.loop, until);
}

static int tern_wire_wait(struct tern_bench_wire *wire, struct tern_bench_event *events,
                          tern_time until)
{
    struct wire *w = (struct wire *)wire;
    int count = pull(w, events); /* what the last batch had no room for */
    enum tern_err err;

    if (count > 0)
        return count;
    err = turn(w, until);
    return err != TERN_ERR_OK ? (int)err : pull(w, events);
}

static void tern_wire_destroy(struct tern_bench_wire *wire)
{
    struct wire *w = (struct wire *)wire;

    while (!tern_list_is_empty(&w->lines))
        tern_wire_close(&TERN_CONTAINER(w->lines.next, struct line, link)->base, true);
    if (w->listener != NULL)
        tern_tcp_unlisten(w->listener);
    free(w->copy);
    free(w);
}

static const struct tern_bench_ops tern_wire_ops = {
    .listen = tern_wire_listen,
    .connect = tern_wire_connect,
    .peek = tern_wire_peek,
    .skip = tern_wire_skip,
    .write = tern_wire_write,
    .shutdown = tern_wire_shutdown,
    .nodelay = tern_wire_nodelay,
    .close = tern_wire_close,
    .retransmits = tern_wire_retransmits,
    .wait = tern_wire_wait,
    .destroy = tern_wire_destroy,
};

enum tern_err tern_bench_tern_create(const struct tern_bench_tern_options *options,
                                     struct tern_bench_wire **out)
{
    struct wire *w = calloc(1, sizeof *w);

    if (w == NULL)
        return TERN_ERR_MEMORY;
    if (options->common.copy && (w->copy = malloc(COPY_BYTES)) == NULL) {
        free(w);
        return TERN_ERR_MEMORY;
    }
    w->base.ops = &tern_wire_ops;
    w->options = *options;
    w->stack = tern_loop_stack(options->loop);
    tern_list_init(&w->lines);
    tern_loop_wait_set(options->loop, options->common.wait);
    tern_loop_borrow(options->loop, true);
    *out = &w->base;
    return TERN_ERR_OK;
}
