/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A run of a client: open the streams, begin on all of them at the same moment, hand events to the
 * workload until the time is over or the limit reached, and let those end that have something to
 * say at the end (send: the peer's count).
 *
 * What is measured goes from the moment at which all streams are open to the last byte counted; for
 * conn, whose connections are the measure, from the first connect.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "apps/bench_parts.h"
#include "base/assert.h"
#include "os/clock.h"

#define CONNECT_PATIENCE (10 * TERN_SECOND)
#define END_PATIENCE     (30 * TERN_SECOND)
#define STOP_PATIENCE    (1 * TERN_SECOND)

struct cpu {
    tern_time user, system;
};

static tern_time ns_of(const struct timeval *tv)
{
    return (tern_time)tv->tv_sec * TERN_SECOND + (tern_time)tv->tv_usec * TERN_US;
}

static struct cpu cpu_now(void)
{
    struct rusage usage;

    memset(&usage, 0, sizeof usage);
    (void)getrusage(RUSAGE_SELF, &usage);
    return (struct cpu){ns_of(&usage.ru_utime), ns_of(&usage.ru_stime)};
}

const uint8_t *tern_bench_message(void)
{
    static uint8_t message[TERN_BENCH_MESSAGE_MAX];

    /* Written to, so that it is memory like any other and not the kernel's page of zeros. */
    for (size_t i = 0; message[1] == 0 && i < TERN_BENCH_MESSAGE_MAX; i++)
        message[TERN_BENCH_MESSAGE_MAX - 1 - i] = (uint8_t)(i * 167 + (i >> 8) + 1);
    return message;
}

enum tern_err tern_bench_say(const struct tern_bench_wire *wire, struct tern_bench_line *line,
                             const uint8_t *data, size_t bytes)
{
    ptrdiff_t sent = wire->ops->write(line, data, bytes);

    if (sent == (ptrdiff_t)bytes)
        return TERN_ERR_OK;
    return sent < 0 && sent != TERN_ERR_AGAIN ? (enum tern_err)sent : TERN_ERR_FULL;
}

void tern_bench_stream_close(struct tern_bench_state *b, struct tern_bench_stream *s, bool abort)
{
    TERN_ASSERT(s->line != NULL);
    if (b->plan->work == TERN_BENCH_SEND || b->plan->work == TERN_BENCH_RR)
        b->result->retransmits += b->wire->ops->retransmits(s->line);
    b->wire->ops->close(s->line, abort);
    s->line = NULL;
    b->living--;
}

/* The share of a limit that falls to one of the streams. */
static uint64_t share(const struct tern_bench_plan *plan, uint32_t index)
{
    return plan->limit / plan->streams + (index < plan->limit % plan->streams ? 1 : 0);
}

static enum tern_err connect_all(struct tern_bench_state *b)
{
    const struct tern_bench_plan *plan = b->plan;

    for (uint32_t i = 0; i < plan->streams; i++) {
        struct tern_bench_stream *s = &b->streams[i];
        enum tern_err err;

        s->quota = share(plan, i);
        if (plan->limit != 0 && s->quota == 0)
            continue;
        s->began = tern_clock_now();
        err = b->wire->ops->connect(b->wire, &plan->peer, s, &s->line);
        if (err != TERN_ERR_OK)
            return err;
        b->opening++;
        b->living++;
    }
    return TERN_ERR_OK;
}

/* All are open: off we go. */
static enum tern_err begin_all(struct tern_bench_state *b)
{
    const struct tern_bench_workload *work = &tern_bench_workloads[b->plan->work];
    enum tern_err err = TERN_ERR_OK;

    b->begun = true;
    for (uint32_t i = 0; i < b->plan->streams && err == TERN_ERR_OK; i++)
        if (b->streams[i].line != NULL)
            err = work->begin(b, &b->streams[i]);
    return err;
}

static enum tern_err hear(struct tern_bench_state *b, const struct tern_bench_event *event)
{
    const struct tern_bench_workload *work = &tern_bench_workloads[b->plan->work];
    struct tern_bench_stream *s = event->line->user;
    enum tern_err err = TERN_ERR_OK;

    if ((event->bits & TERN_BENCH_OVER) != 0)
        return event->reason;
    if ((event->bits & TERN_BENCH_OPEN) != 0 && !s->open) {
        s->open = true;
        if (b->opening > 0)
            b->opening--;
        if (b->plan->work == TERN_BENCH_CONN)
            err = work->begin(b, s);
        b->result->connected = b->opening == 0;
    }
    if (!b->begun && b->plan->work != TERN_BENCH_CONN)
        return err; /* the first word is the head's */
    if (err == TERN_ERR_OK && (event->bits & TERN_BENCH_WRITABLE) != 0)
        err = work->writable(b, s);
    if (err == TERN_ERR_OK && s->line != NULL && (event->bits & TERN_BENCH_READABLE) != 0)
        err = work->readable(b, s);
    return err;
}

static bool wants_end(struct tern_bench_state *b)
{
    if (b->plan->stop != NULL && b->plan->stop())
        b->result->stopped = true;
    return b->result->stopped;
}

/* One wait, and what it brought. */
static enum tern_err turn(struct tern_bench_state *b, tern_time until)
{
    struct tern_bench_event events[TERN_BENCH_EVENTS_MAX];
    int count = b->wire->ops->wait(b->wire, events, until);
    enum tern_err err = count < 0 ? (enum tern_err)count : TERN_ERR_OK;

    for (int i = 0; i < count && err == TERN_ERR_OK; i++)
        err = hear(b, &events[i]);
    return err;
}

static enum tern_err open_streams(struct tern_bench_state *b)
{
    tern_time give_up = tern_clock_now() + CONNECT_PATIENCE;
    enum tern_err err = connect_all(b);

    while (err == TERN_ERR_OK && b->opening > 0) {
        err = turn(b, give_up);
        if (wants_end(b))
            return err;
        if (err == TERN_ERR_OK && tern_clock_now() >= give_up)
            err = TERN_ERR_TIMEOUT;
    }
    return err;
}

/* Until the time is over, nothing is left to do, or something goes wrong. */
static enum tern_err work_on(struct tern_bench_state *b, tern_time until)
{
    enum tern_err err = TERN_ERR_OK;

    while (err == TERN_ERR_OK && b->living > 0 && !wants_end(b) && tern_clock_now() < until)
        err = turn(b, until);
    return err;
}

/* The time is over: those that have nothing to wait for close at once. */
static enum tern_err end_all(struct tern_bench_state *b)
{
    const struct tern_bench_workload *work = &tern_bench_workloads[b->plan->work];
    enum tern_err err = TERN_ERR_OK;

    b->timed_out = true;
    for (uint32_t i = 0; i < b->plan->streams && err == TERN_ERR_OK; i++)
        if (b->streams[i].line != NULL)
            err = work->end(b, &b->streams[i]);
    return err;
}

/* The peer's last words. A user who wants an end does not wait long for them. */
static enum tern_err finish(struct tern_bench_state *b)
{
    bool stopped = b->result->stopped;
    tern_time give_up = tern_clock_now() + (stopped ? STOP_PATIENCE : END_PATIENCE);
    enum tern_err err = end_all(b);

    while (err == TERN_ERR_OK && b->living > 0) {
        err = turn(b, give_up);
        if (!stopped && wants_end(b))
            break;
        if (err == TERN_ERR_OK && tern_clock_now() >= give_up)
            return stopped ? TERN_ERR_OK : TERN_ERR_TIMEOUT;
    }
    return err;
}

static enum tern_err measure(struct tern_bench_state *b)
{
    struct cpu cpu_before = cpu_now();
    tern_time began = tern_clock_now();
    struct tern_bench_result *r = b->result;
    struct cpu cpu_after;
    enum tern_err err = TERN_ERR_OK;

    if (b->plan->work != TERN_BENCH_CONN)
        err = begin_all(b);
    if (err == TERN_ERR_OK)
        err = work_on(b, b->plan->limit != 0 ? TERN_TIME_NEVER : began + b->plan->duration);
    if (err == TERN_ERR_OK && b->plan->work == TERN_BENCH_SEND)
        err = finish(b);
    r->elapsed = tern_clock_now() - began;
    cpu_after = cpu_now();
    r->cpu_user = cpu_after.user - cpu_before.user;
    r->cpu_system = cpu_after.system - cpu_before.system;
    return err;
}

enum tern_err tern_bench_run(struct tern_bench_wire *wire, const struct tern_bench_plan *plan,
                             struct tern_bench_result *result)
{
    struct tern_bench_state b = {.wire = wire, .plan = plan, .result = result};
    enum tern_err err = TERN_ERR_MEMORY;

    TERN_ASSERT(plan->streams >= 1 && plan->streams <= TERN_BENCH_STREAMS_MAX);
    TERN_ASSERT(plan->message_bytes >= 1 && plan->message_bytes <= TERN_BENCH_MESSAGE_MAX);
    memset(result, 0, sizeof *result);
    tern_bench_hist_init(&result->latency);
    b.streams = calloc(plan->streams, sizeof *b.streams);
    b.message = tern_bench_message();
    if (b.streams != NULL)
        err = open_streams(&b);
    if (err == TERN_ERR_OK && !result->stopped)
        err = measure(&b);
    for (uint32_t i = 0; b.streams != NULL && i < plan->streams; i++)
        if (b.streams[i].line != NULL)
            tern_bench_stream_close(&b, &b.streams[i], true);
    free(b.streams);
    result->err = err;
    return err;
}
