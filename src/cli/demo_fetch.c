/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One page over plain calls of tern_tcp_…: connect, write, read, close. This is what a program that
 * uses the library does, in one place. Each received byte is compared with the one that the server
 * was to send.
 */
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "cli/demo.h"
#include "cli/labpage.h"
#include "cli/talk.h"

#define GIVE_UP     (20 * TERN_SECOND)
#define FIN_WAIT    (3 * TERN_SECOND)
#define SETTLE      (3 * TERN_MS)
#define PORT        80
#define PIECE_BYTES 4096

struct fetch {
    struct demo_net *net;
    const struct demo_fetch_options *options;
    struct demo_fetch *out;
    struct tern_conn *conn;
    struct tern_labpage page;
    char request[256];
    size_t request_bytes;
    tern_time fin_at; /* TERN_TIME_NEVER: when the page is there */
    bool over;
};

static void request_make(struct fetch *f)
{
    int n = snprintf(f->request, sizeof f->request,
                     "GET %s HTTP/1.1\r\nHost: 10.9.0.1\r\nUser-Agent: tern/%s\r\n"
                     "Connection: close\r\n\r\n",
                     f->options->path, TERN_VERSION);

    TERN_ASSERT(n > 0);
    TERN_ASSERT((size_t)n < sizeof f->request);
    f->request_bytes = (size_t)n;
    tern_labpage_answer(f->request, f->request_bytes, &f->page);
    f->out->bytes_wanted = f->page.head_bytes + f->page.body_bytes;
    f->out->intact = true;
}

/* The bytes that the server is to send from an offset on. */
static size_t expected(const struct fetch *f, uint64_t offset, uint8_t *out, size_t len)
{
    const struct tern_labpage *page = &f->page;

    if (offset >= page->head_bytes)
        return tern_labpage_body(page, offset - page->head_bytes, out, len);
    size_t n = page->head_bytes - (size_t)offset;

    if (n > len)
        n = len;
    memcpy(out, page->head + offset, n);
    return n;
}

static void verify(struct fetch *f, const struct tern_slice *slice)
{
    uint8_t piece[PIECE_BYTES];

    for (size_t done = 0; done < slice->bytes;) {
        size_t wanted = slice->bytes - done;
        size_t n = expected(f, f->out->bytes, piece, wanted < sizeof piece ? wanted : sizeof piece);

        if (n == 0 || memcmp(piece, slice->data + done, n) != 0) {
            f->out->intact = false;
            f->out->bytes += slice->bytes - done;
            return;
        }
        done += n;
        f->out->bytes += n;
    }
}

static void read_all(struct fetch *f)
{
    struct tern_slice slice;
    ptrdiff_t n = 1;

    while (n > 0) {
        n = tern_tcp_peek(f->conn, &slice);
        if (n <= 0)
            break;
        verify(f, &slice);
        tern_tcp_skip(f->conn, slice.bytes);
    }
    if (n == TERN_ERR_AGAIN)
        return;
    f->out->err = (enum tern_err)n;
    f->over = true;
}

static void on_established(struct fetch *f)
{
    ptrdiff_t n = tern_tcp_write(f->conn, f->request, f->request_bytes);

    f->out->established = true;
    if (n != (ptrdiff_t)f->request_bytes) {
        f->out->err = TERN_ERR_FULL;
        f->over = true;
        return;
    }
    if (f->options->half_close)
        tern_tcp_shutdown(f->conn);
    if (f->options->fin_after > 0)
        f->fin_at = tern_loop_now(f->net->loop) + f->options->fin_after;
}

static void on_conn(struct fetch *f, uint32_t bits)
{
    enum tern_err reason = tern_tcp_reason(f->conn);

    if ((bits & TERN_CONN_ESTABLISHED) != 0 && !f->out->established)
        on_established(f);
    if (!f->over && (bits & (TERN_CONN_READABLE | TERN_CONN_PEER_FIN)) != 0)
        read_all(f);
    if (!f->over && (bits & TERN_CONN_CLOSED) != 0) {
        f->out->err = reason != TERN_ERR_OK ? reason : TERN_ERR_CLOSED;
        f->over = true;
    }
}

static void pull_events(struct fetch *f)
{
    struct tern_event event;

    while (!f->over && tern_stack_event(f->net->stack, &event))
        if (event.kind == TERN_EVENT_CONN && event.conn == f->conn)
            on_conn(f, event.bits);
}

/* The FIN that was asked for at a certain time. */
static void maybe_fin(struct fetch *f)
{
    if (tern_loop_now(f->net->loop) < f->fin_at)
        return;
    tern_tcp_shutdown(f->conn);
    f->fin_at = TERN_TIME_NEVER;
}

static void run(struct fetch *f, tern_time give_up)
{
    while (!f->over) {
        tern_time until = f->fin_at < give_up ? f->fin_at : give_up;

        if (!demo_net_turn(f->net, until)) {
            f->out->err = tern_talk_interrupted() ? TERN_ERR_ABORTED : TERN_ERR_LINK;
            return;
        }
        maybe_fin(f);
        pull_events(f);
        if (tern_loop_now(f->net->loop) >= give_up) {
            f->out->err = TERN_ERR_TIMEOUT;
            return;
        }
    }
}

/* Let time pass; what comes is the stack's affair. */
static void idle(struct fetch *f, tern_time duration)
{
    tern_time until = tern_loop_now(f->net->loop) + duration;
    struct tern_event event;

    while (tern_loop_now(f->net->loop) < until && demo_net_turn(f->net, until))
        while (tern_stack_event(f->net->stack, &event))
            continue;
}

/* Our FIN and its ACK, and what else is still on its way. */
static void see_it_out(struct fetch *f)
{
    tern_time give_up = tern_loop_now(f->net->loop) + FIN_WAIT;
    struct tern_event event;

    if (f->options->linger > 0)
        idle(f, f->options->linger);
    if (f->out->err == TERN_ERR_OK && !f->options->abort)
        tern_tcp_close(f->conn);
    else
        tern_tcp_abort(f->conn);
    while (tern_stack_connections_unfinished(f->net->stack) > 0 &&
           tern_loop_now(f->net->loop) < give_up && !f->net->lost) {
        tern_time until = tern_loop_now(f->net->loop) + 10 * TERN_MS;

        if (!demo_net_turn(f->net, until < give_up ? until : give_up))
            break;
        while (tern_stack_event(f->net->stack, &event))
            continue;
    }
    idle(f, SETTLE + f->options->ack_every);
}

void demo_fetch(struct demo_net *net, const struct demo_fetch_options *options,
                struct demo_fetch *out)
{
    struct fetch f = {.net = net, .options = options, .out = out, .fin_at = TERN_TIME_NEVER};
    struct tern_tcp_options tcp = {.remote = {DEMO_SERVER_ADDRESS, PORT},
                                   .ack_every = options->ack_every};
    tern_time started = tern_loop_now(net->loop);

    memset(out, 0, sizeof *out);
    request_make(&f);
    out->err = tern_tcp_connect(net->stack, &tcp, &f.conn);
    if (out->err != TERN_ERR_OK)
        return;
    run(&f, started + (options->give_up > 0 ? options->give_up : GIVE_UP));
    out->took = tern_loop_now(net->loop) - started;
    see_it_out(&f);
}
