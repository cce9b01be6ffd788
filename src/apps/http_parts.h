/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_APPS_HTTP_PARTS_H
#define TERN_APPS_HTTP_PARTS_H
/* What the server (http_serve.c) and its connections (http_connection.c) want of each other. */
#include "apps/http_serve.h"

#define TERN_HTTP_SCRATCH_BYTES 65536

/* Memory for what is lent (http_lend.c); false: there is none. */
bool tern_http_lend_init(struct tern_http_server *s);
void tern_http_lend_fini(struct tern_http_server *s);

enum tern_http_lent {
    TERN_HTTP_LENT,      /* bytes went: c->piece_done has moved */
    TERN_HTTP_LEND_WAIT, /* tern_http_server_back() follows, and then there is room */
    TERN_HTTP_LEND_COPY, /* it cannot be done this way now */
    TERN_HTTP_LEND_OVER, /* the connection is over */
    TERN_HTTP_LEND_CUT,  /* the file is not as long as that any more */
};
/* Lend the stack more of the answer's file. */
enum tern_http_lent tern_http_lend(struct tern_http_conn *c, const struct tern_http_piece *piece);

/* It waits for that from now on. */
void tern_http_conn_wait(struct tern_http_conn *c, enum tern_http_wait wait);
/* It is over, and its io was told so: back to the free ones. */
void tern_http_conn_free(struct tern_http_conn *c);
/* What it waited for did not come in time. */
void tern_http_conn_expire(struct tern_http_conn *c);
/* Close it now, in good order where it can be. */
void tern_http_conn_close(struct tern_http_conn *c);
/* A newcomer wants the place of one that waits for a head, or is idle: end it at once. False: the
 * client has yet to take the answer before, and it waits for that from now on. */
bool tern_http_conn_give_way(struct tern_http_conn *c);
/* Answer 503 and close. */
void tern_http_conn_refuse(struct tern_http_conn *c);

#endif
