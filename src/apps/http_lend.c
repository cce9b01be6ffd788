/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files go out as loans: blocks of them (http_blocks.c) that the stack sends from where they stand.
 * A loan remembers its block and its connection. The connection may end before the loan does, and
 * its place go to another: so each has a serial number.
 *
 * Loans take no room in the stack's buffer, so the connection's own measure holds here as well:
 * where write() would take nothing more, nothing more is lent, and each loan that comes back makes
 * the connection look again.
 */
#include <stdlib.h>

#include "apps/http_parts.h"
#include "base/assert.h"

#define BLOCKS_COUNT 256 /* 32 MiB, touched as far as they are used */
#define LOANS_COUNT  2048
#define LEAST_BYTES  16384 /* less is cheaper to copy */
#define STEADY_AFTER 2     /* seconds since the file's last change */

bool tern_http_lend_init(struct tern_http_server *s)
{
    s->loan = calloc(LOANS_COUNT, sizeof *s->loan);
    tern_list_init(&s->loans_free);
    if (s->loan == NULL || !tern_http_blocks_init(&s->blocks, BLOCKS_COUNT)) {
        free(s->loan);
        s->loan = NULL;
        return false;
    }
    for (size_t i = 0; i < LOANS_COUNT; i++)
        tern_list_push(&s->loans_free, &s->loan[i].link);
    return true;
}

void tern_http_lend_fini(struct tern_http_server *s)
{
    tern_http_blocks_fini(&s->blocks);
    free(s->loan);
    s->loan = NULL;
}

static void give_back(struct tern_http_server *s, struct tern_http_loan *loan)
{
    tern_http_block_give(&s->blocks, loan->block);
    loan->block = NULL;
    tern_list_push(&s->loans_free, &loan->link);
}

void tern_http_server_back(struct tern_http_server *s, void *user)
{
    struct tern_http_loan *loan = user;
    struct tern_http_conn *c = loan->conn;
    bool is_same = c->wait != TERN_HTTP_WAIT_NONE && c->serial == loan->serial;

    TERN_ASSERT(loan->block != NULL);
    give_back(s, loan);
    if (!is_same)
        return;
    TERN_ASSERT(c->loans > 0);
    c->loans--;
    if (c->answering)
        tern_http_conn_turn(c);
}

/* A loan with the block in which a place of the file stands; NULL: none now. */
static struct tern_http_loan *take(struct tern_http_conn *c, uint64_t at)
{
    struct tern_http_server *s = c->server;
    const struct tern_http_file *file = &c->answer.file;
    bool steady = file->changed < s->site.wall - STEADY_AFTER;
    struct tern_list *link = tern_list_pop(&s->loans_free);
    struct tern_http_loan *loan;

    if (link == NULL)
        return NULL;
    loan = TERN_CONTAINER(link, struct tern_http_loan, link);
    loan->conn = c;
    loan->serial = c->serial;
    loan->block =
        tern_http_block_take(&s->blocks, file, at / TERN_HTTP_BLOCK_BYTES, steady, s->now);
    if (loan->block == NULL) {
        tern_list_push(&s->loans_free, &loan->link);
        return NULL;
    }
    return loan;
}

enum tern_http_lent tern_http_lend(struct tern_http_conn *c, const struct tern_http_piece *piece)
{
    uint64_t at = piece->at + c->piece_done, left = piece->bytes - c->piece_done;
    size_t within = at % TERN_HTTP_BLOCK_BYTES, bytes;
    struct tern_http_loan *loan;
    enum tern_err err;

    if (c->server->io->lend == NULL || left < LEAST_BYTES)
        return TERN_HTTP_LEND_COPY;
    if (c->server->io->space(c->io) == 0)
        return c->loans > 0 ? TERN_HTTP_LEND_WAIT : TERN_HTTP_LEND_COPY;
    loan = take(c, at);
    if (loan == NULL)
        return TERN_HTTP_LEND_COPY;
    if (loan->block->bytes <= within) {
        give_back(c->server, loan);
        return TERN_HTTP_LEND_CUT;
    }
    bytes = loan->block->bytes - within;
    bytes = bytes < left ? bytes : (size_t)left;
    err = c->server->io->lend(c->io, loan->block->data + within, bytes, loan);
    if (err != TERN_ERR_OK) {
        give_back(c->server, loan);
        if (err != TERN_ERR_AGAIN)
            return TERN_HTTP_LEND_OVER;
        return c->loans > 0 ? TERN_HTTP_LEND_WAIT : TERN_HTTP_LEND_COPY;
    }
    c->loans++;
    c->piece_done += bytes;
    c->body_sent += bytes;
    return TERN_HTTP_LENT;
}
