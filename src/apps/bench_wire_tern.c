/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The workloads' wire over a tern stack: events pulled after each turn of the loop, received bytes
 * borrowed, long writes lent. The stack belongs to the caller, who also turns the loop where there
 * is more to do in a turn (the verb's statistics). All lines stand in one list, so that destroy()
 * finds them.
 *
 * A line that is closed stays until its loans are back, as their events name it. What is told of a
 * line in one wait is told in one event, however many the stack had.
 */
#include <stdlib.h>
#include <string.h>

#include "apps/bench_wire.h"
#include "base/list.h"

#define BACKLOG    1024
#define COPY_BYTES ((size_t)128 << 10)
#define LEND_BYTES ((size_t)16 << 10) /* from here on: for less, a copy costs less */

struct wire {
    struct tern_bench_wire base;
    struct tern_bench_tern_options options;
    struct tern_stack *stack;
    struct tern_listener *listener;
    struct tern_list lines;
    uint8_t *copy; /* NULL: bytes are borrowed and lent */
    uint64_t batch;
};

struct line {
    struct tern_bench_line base;
    struct tern_list link;
    struct wire *wire;
    struct tern_conn *conn; /* NULL once closed */
    uint32_t loans;
    bool waits_for_loan;
    uint64_t batch; /* in which it was told of last, and where there */
    int place;
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

static ptrdiff_t tern_wire_write(struct tern_bench_line *base, const void *data, size_t len)
{
    struct line *line = (struct line *)base;
    enum tern_err err;

    if (len < LEND_BYTES || line->wire->copy != NULL)
        return tern_tcp_write(line->conn, data, len);
    err = tern_tcp_lend(line->conn, data, len, line);
    line->waits_for_loan = err == TERN_ERR_AGAIN;
    if (err != TERN_ERR_OK)
        return err;
    line->loans++;
    return (ptrdiff_t)len;
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
    line->conn = NULL;
    if (line->loans == 0)
        line_free(line);
}

static uint64_t tern_wire_retransmits(struct tern_bench_line *line)
{
    struct tern_tcp_info info;

    tern_tcp_info(((struct line *)line)->conn, &info);
    return info.retrans;
}

/* What the workload should know of an event of a connection. */
static uint32_t bits_of(const struct tern_event *event, enum tern_err *reason)
{
    uint32_t bits = 0;

    if ((event->bits & TERN_CONN_ESTABLISHED) != 0)
        bits |= TERN_BENCH_OPEN;
    if ((event->bits & (TERN_CONN_READABLE | TERN_CONN_PEER_FIN)) != 0)
        bits |= TERN_BENCH_READABLE;
    if ((event->bits & TERN_CONN_WRITABLE) != 0)
        bits |= TERN_BENCH_WRITABLE;
    if ((event->bits & TERN_CONN_CLOSED) != 0)
        *reason = tern_tcp_reason(event->conn);
    return *reason == TERN_ERR_OK ? bits : bits | TERN_BENCH_OVER;
}

/* A loan is back: there is room for another, or a closed line may go. */
static uint32_t loan_back(struct line *line)
{
    uint32_t bits = line->waits_for_loan ? TERN_BENCH_WRITABLE : 0;

    line->loans--;
    line->waits_for_loan = false;
    if (line->conn != NULL)
        return bits;
    if (line->loans == 0)
        line_free(line);
    return 0;
}

/* Tell of a line, in the event that it has in this batch already where there is one. */
static void tell(struct wire *w, struct tern_bench_event *events, int *count, struct line *line,
                 uint32_t bits, enum tern_err reason)
{
    if (line->batch != w->batch) {
        line->batch = w->batch;
        line->place = (*count)++;
        events[line->place] = (struct tern_bench_event){&line->base, 0, TERN_ERR_OK};
    }
    events[line->place].bits |= bits;
    if (reason != TERN_ERR_OK)
        events[line->place].reason = reason;
}

/* An event of a connection or a loan. */
static void hear_line(struct wire *w, struct tern_bench_event *events, int *count,
                      const struct tern_event *event)
{
    enum tern_err reason = TERN_ERR_OK;
    uint32_t bits =
        event->kind == TERN_EVENT_LOAN ? loan_back(event->user) : bits_of(event, &reason);

    if (bits != 0)
        tell(w, events, count, event->user, bits, reason);
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

    w->batch++;
    while (count < TERN_BENCH_EVENTS_MAX && tern_stack_event(w->stack, &event)) {
        if (event.user != NULL && event.kind != TERN_EVENT_LISTENER)
            hear_line(w, events, &count, &event);
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

    while (!tern_list_is_empty(&w->lines)) {
        struct line *line = TERN_CONTAINER(w->lines.next, struct line, link);

        line->loans = 0; /* nobody hears of them any more */
        if (line->conn != NULL)
            tern_wire_close(&line->base, true);
        else
            line_free(line);
    }
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
