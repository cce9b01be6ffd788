/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One connection: requests in, answers out, one after the other.
 *
 *     reading ──request──▶ answering ──sent──▶ reading …   (keep-alive, pipelining)
 *        │                     └──last one──▶ lingering ──their FIN──▶ closed
 *        └──their FIN──▶ closed
 *
 * Bytes that the client sends ahead stay with the stack, whose window holds it back; so a
 * connection costs its struct and what the stack buffers, whoever reads or writes slowly. While an
 * answer is being sent nothing is read. The body of a request means nothing to us: it is answered
 * first, then the body is read and thrown away, up to a limit; beyond it the connection ends.
 *
 * Ending: FIN, then what still comes is thrown away until the client's FIN, so that it reads our
 * last answer and is not reset while it still talks (RFC 9112 §9.6).
 *
 * Files are read, not mapped: a mapped file that shrinks kills the process, and one that changes
 * between a segment and its retransmission would send two truths. A file that is shorter than it
 * was ends the connection short of its Content-Length, which tells the client.
 */
#include <errno.h>
#include <unistd.h>

#include <tern/err.h>

#include "apps/http_log.h"
#include "apps/http_parts.h"
#include "base/assert.h"

/* ---- ends ---- */

static void log_answer(struct tern_http_conn *c)
{
    struct tern_http_server *s = c->server;

    if (s->log == NULL)
        return;
    tern_http_text_clear(&s->line, SIZE_MAX);
    tern_http_log_line(&s->line, c->peer, s->site.wall, &c->parser.request, c->answer.status,
                       c->body_sent);
    if (!s->line.failed)
        s->log(s->log_user, s->line.data, s->line.bytes);
}

/* It is over on the wire, or beyond help. */
static void drop(struct tern_http_conn *c)
{
    if (c->answering)
        log_answer(c);
    c->answering = false;
    c->server->io->abort(c->io);
    tern_http_conn_free(c);
}

static void finish(struct tern_http_conn *c)
{
    c->server->io->close(c->io);
    tern_http_conn_free(c);
}

static void note_progress(struct tern_http_conn *c)
{
    uint64_t left;

    c->server->io->progress(c->io, &c->acked_then, &left);
}

static void linger(struct tern_http_conn *c)
{
    c->lingering = true;
    c->server->io->shutdown(c->io);
    note_progress(c);
    tern_http_conn_wait(c, TERN_HTTP_WAIT_LINGER);
}

void tern_http_conn_close(struct tern_http_conn *c)
{
    if (c->answering)
        drop(c);
    else
        finish(c);
}

/* ---- answering ---- */

/* Whatever of the answer before is still on its way, its time is not this one's. */
static void answer_begins(struct tern_http_conn *c)
{
    if (c->wait == TERN_HTTP_WAIT_SEND)
        tern_http_conn_wait(c, TERN_HTTP_WAIT_HEAD);
    c->answering = true;
    c->piece = 0;
    c->piece_done = 0;
    c->body_sent = 0;
}

static void refuse(struct tern_http_conn *c, int status)
{
    tern_http_refuse(&c->server->site, status, &c->answer);
    answer_begins(c);
}

void tern_http_conn_refuse(struct tern_http_conn *c)
{
    refuse(c, 503);
}

/* RFC 9110 §10.1.1: whoever waits for 100 gets the final answer instead, and may not send the body
 * after all; so nothing that follows could be told apart. */
static bool is_last(const struct tern_http_conn *c)
{
    const struct tern_http_request *r = &c->parser.request;

    return !r->keep_alive || c->server->ending || c->requests >= c->server->limits.requests ||
           (r->body && r->field[TERN_HTTP_EXPECT] != NULL) ||
           r->body_bytes > c->server->limits.body_bytes;
}

static void answer(struct tern_http_conn *c)
{
    struct tern_http_request *r = &c->parser.request;

    c->requests++;
    if (r->body_bytes > c->server->limits.body_bytes && r->method != TERN_HTTP_OTHER)
        tern_http_refuse(&c->server->site, 413, &c->answer);
    else
        tern_http_answer(&c->server->site, r, is_last(c), &c->answer);
    answer_begins(c);
}

/* Of text. False: the connection takes no more now, or is over and freed. */
static bool send_text(struct tern_http_conn *c, const struct tern_http_piece *piece)
{
    const char *text = c->answer.text.data + piece->at + c->piece_done;
    ptrdiff_t n = c->server->io->write(c->io, text, (size_t)(piece->bytes - c->piece_done));

    if (n < 0 && n != TERN_ERR_AGAIN)
        drop(c);
    if (n <= 0)
        return false;
    c->piece_done += (uint64_t)n;
    c->body_sent += c->piece > 0 ? (uint64_t)n : 0;
    return true;
}

/* The file has become shorter than was promised, or cannot be read: no more will come. */
static void cut_short(struct tern_http_conn *c)
{
    log_answer(c);
    c->answering = false;
    tern_http_answer_free(&c->answer);
    linger(c);
}

/* How much of the file to read now: one byte more than there is room for, where there is so much,
 * since only a write that finds no room is told when there is some again. */
static size_t wanted(const struct tern_http_conn *c, uint64_t left)
{
    size_t most = c->server->io->space(c->io) + 1;

    if (most > TERN_HTTP_SCRATCH_BYTES)
        most = TERN_HTTP_SCRATCH_BYTES;
    return left < most ? (size_t)left : most;
}

/* Of the file, by a copy. As send_text(). */
static bool copy_file(struct tern_http_conn *c, const struct tern_http_piece *piece)
{
    uint8_t *scratch = c->server->scratch;
    uint64_t left = piece->bytes - c->piece_done;
    ptrdiff_t n;

    do
        n = pread(c->answer.file.fd, scratch, wanted(c, left), (off_t)(piece->at + c->piece_done));
    while (n < 0 && errno == EINTR);
    if (n <= 0) {
        cut_short(c);
        return false;
    }
    n = c->server->io->write(c->io, scratch, (size_t)n);
    if (n < 0 && n != TERN_ERR_AGAIN)
        drop(c);
    if (n <= 0)
        return false;
    c->piece_done += (uint64_t)n;
    c->body_sent += (uint64_t)n;
    return true;
}

/* Of the file. As send_text(). */
static bool send_file(struct tern_http_conn *c, const struct tern_http_piece *piece)
{
    switch (tern_http_lend(c, piece)) {
    case TERN_HTTP_LENT:
        return true;
    case TERN_HTTP_LEND_WAIT:
        return false;
    case TERN_HTTP_LEND_OVER:
        drop(c);
        return false;
    case TERN_HTTP_LEND_CUT:
        cut_short(c);
        return false;
    case TERN_HTTP_LEND_COPY:
        break;
    }
    return copy_file(c, piece);
}

/* As much as goes. True: all of it. */
static bool send_answer(struct tern_http_conn *c)
{
    if (c->answer.text.failed) { /* out of memory: nothing can be said */
        drop(c);
        return false;
    }
    while (c->piece < c->answer.pieces) {
        const struct tern_http_piece *piece = &c->answer.piece[c->piece];

        if (!(piece->file ? send_file(c, piece) : send_text(c, piece)))
            return false;
        if (c->piece_done == piece->bytes) {
            c->piece++;
            c->piece_done = 0;
        }
    }
    return true;
}

/* The answer is with the stack: what comes next? */
static void answer_ends(struct tern_http_conn *c)
{
    log_answer(c);
    c->answering = false;
    tern_http_answer_free(&c->answer);
    if (c->answer.close || c->server->ending) {
        linger(c);
        return;
    }
    tern_http_conn_wait(c, c->parser.request.body ? TERN_HTTP_WAIT_HEAD : TERN_HTTP_WAIT_IDLE);
    if (!c->parser.request.body)
        tern_http_parser_next(&c->parser);
}

/* ---- reading ---- */

/* Whatever still comes is for nobody. */
static void drain(struct tern_http_conn *c)
{
    const uint8_t *data;
    ptrdiff_t n;

    while ((n = c->server->io->peek(c->io, &data)) > 0)
        c->server->io->skip(c->io, (size_t)n);
    if (n == 0)
        finish(c);
    else if (n != TERN_ERR_AGAIN)
        drop(c);
}

static bool is_taken(const struct tern_http_conn *c)
{
    uint64_t acked, left;

    c->server->io->progress(c->io, &acked, &left);
    return left == 0;
}

/* The client's end of stream between two requests is the end; within one as well: whoever gives up
 * its side in the middle of a request will not finish it. */
static void on_nothing(struct tern_http_conn *c, ptrdiff_t why)
{
    if (why == 0)
        finish(c);
    else if (why != TERN_ERR_AGAIN)
        drop(c);
    else if (c->wait != TERN_HTTP_WAIT_HEAD && tern_http_parser_began(&c->parser))
        tern_http_conn_wait(c, TERN_HTTP_WAIT_HEAD);
    else if (c->wait == TERN_HTTP_WAIT_SEND && is_taken(c))
        tern_http_conn_wait(c, TERN_HTTP_WAIT_IDLE);
}

bool tern_http_conn_give_way(struct tern_http_conn *c)
{
    TERN_ASSERT(!c->answering && !c->lingering);
    if (c->wait == TERN_HTTP_WAIT_IDLE && !is_taken(c)) {
        note_progress(c);
        tern_http_conn_wait(c, TERN_HTTP_WAIT_SEND);
        return false;
    }
    drop(c);
    return true;
}

/* What the parser made of some bytes. */
static void on_fed(struct tern_http_conn *c, enum tern_http_fed fed)
{
    if (c->parser.body_bytes > c->server->limits.body_bytes) {
        linger(c);
        return;
    }
    switch (fed) {
    case TERN_HTTP_MORE:
        break;
    case TERN_HTTP_ASKED:
        answer(c);
        break;
    case TERN_HTTP_ENDED:
        tern_http_parser_next(&c->parser);
        tern_http_conn_wait(c, TERN_HTTP_WAIT_IDLE);
        break;
    case TERN_HTTP_BAD:
        refuse(c, c->parser.refused);
        break;
    case TERN_HTTP_BROKEN: /* it was answered */
        linger(c);
        break;
    }
}

/* False: nothing more to do now. */
static bool read_some(struct tern_http_conn *c)
{
    const uint8_t *data;
    ptrdiff_t n = c->server->io->peek(c->io, &data);
    enum tern_http_fed fed;
    size_t used;

    if (n <= 0) {
        on_nothing(c, n);
        return false;
    }
    fed = tern_http_parser_feed(&c->parser, data, (size_t)n, &used);
    c->server->io->skip(c->io, used);
    on_fed(c, fed);
    return true;
}

static void wait_for_room(struct tern_http_conn *c)
{
    if (c->wait == TERN_HTTP_WAIT_SEND)
        return;
    note_progress(c);
    tern_http_conn_wait(c, TERN_HTTP_WAIT_SEND);
}

void tern_http_conn_turn(struct tern_http_conn *c)
{
    while (c->wait != TERN_HTTP_WAIT_NONE) {
        if (c->lingering) {
            drain(c);
            return;
        }
        if (!c->answering && !read_some(c))
            return;
        if (!c->answering)
            continue;
        if (send_answer(c))
            answer_ends(c);
        else if (c->answering)
            wait_for_room(c);
        if (c->answering)
            return;
    }
}

/* ---- time ---- */

/* Did the client take what the least rate asks for, since the wait began? What is all taken is. */
static bool is_fast_enough(struct tern_http_conn *c, tern_time over, uint64_t *left)
{
    uint64_t acked;
    uint64_t least = c->server->limits.rate_bytes * (uint64_t)(over / TERN_MS) / 1000;

    c->server->io->progress(c->io, &acked, left);
    return *left == 0 || acked - c->acked_then >= least;
}

/* Waits for the peer to take bytes: SEND, and the other two as long as bytes are on their way. */
static void expire_sending(struct tern_http_conn *c, tern_time over, bool keep)
{
    uint64_t left;

    if (!is_fast_enough(c, over, &left)) {
        drop(c);
    } else if (left > 0 || keep) {
        note_progress(c);
        tern_http_conn_wait(c, c->wait);
    } else {
        finish(c);
    }
}

/* 408 for whoever began and did not end; a connection that never said a word is closed without. */
static void expire_head(struct tern_http_conn *c)
{
    if (c->parser.request.body || !tern_http_parser_began(&c->parser)) {
        finish(c);
        return;
    }
    refuse(c, 408);
    tern_http_conn_turn(c);
}

void tern_http_conn_expire(struct tern_http_conn *c)
{
    const struct tern_http_limits *limits = &c->server->limits;
    uint64_t left;

    switch (c->wait) {
    case TERN_HTTP_WAIT_HEAD:
        expire_head(c);
        break;
    case TERN_HTTP_WAIT_IDLE:
        c->server->io->progress(c->io, &c->acked_then, &left);
        if (left == 0)
            finish(c);
        else
            tern_http_conn_wait(c, TERN_HTTP_WAIT_SEND);
        break;
    case TERN_HTTP_WAIT_SEND:
        expire_sending(c, limits->rate_time, c->answering);
        break;
    default:
        expire_sending(c, limits->linger_time, false);
        break;
    }
}
