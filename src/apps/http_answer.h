/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_APPS_HTTP_ANSWER_H
#define TERN_APPS_HTTP_ANSWER_H
/* From a request to all that is to be sent: a head, and pieces of text and of a file. */
#include "apps/http_file.h"
#include "apps/http_range.h"
#include "apps/http_request.h"
#include "apps/http_text.h"
#include "apps/http_type.h"

#define TERN_HTTP_PIECES_MAX (2 * TERN_HTTP_RANGES_MAX + 2)

/* What is served, and how. */
struct tern_http_site {
    int root; /* http_file.h */
    bool listing, dotfiles;
    struct tern_http_types types;
    char boundary[24]; /* between the parts of several ranges; in no file */
    int64_t wall;      /* Unix time of this turn */
    int64_t date_of;   /* which `date` tells */
    char date[30];
};

struct tern_http_piece {
    bool file; /* of the file, else of the text */
    uint64_t at, bytes;
};

/* All zero but file.fd = -1 is one that is free. */
struct tern_http_answer {
    int status;
    bool close; /* it is the connection's last one, and says so */
    struct tern_http_text text;
    struct tern_http_file file;
    struct tern_http_piece piece[TERN_HTTP_PIECES_MAX];
    size_t pieces;
    uint64_t body_bytes; /* as told, without the head */
};

/* root: owned by the caller. boundary: hexadecimal digits that nobody can foresee. */
void tern_http_site_init(struct tern_http_site *site, int root, uint64_t boundary);
void tern_http_site_fini(struct tern_http_site *site);

/* Fill in; close: it is the connection's last answer. The text is failed where memory ran out, and
 * then there is nothing to send. */
void tern_http_answer(struct tern_http_site *site, const struct tern_http_request *request,
                      bool close, struct tern_http_answer *out);
/* The same for a request that was not understood; it is always the last. */
void tern_http_refuse(struct tern_http_site *site, int status, struct tern_http_answer *out);
/* Give back the file, and the text where it is long. */
void tern_http_answer_free(struct tern_http_answer *answer);

#endif
