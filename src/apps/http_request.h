/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_APPS_HTTP_REQUEST_H
#define TERN_APPS_HTTP_REQUEST_H
/*
 * Requests of HTTP/1.x out of bytes, by llhttp: the part of a request that a server of files looks
 * at, as text, and nothing of the bytes that came is kept besides. No I/O, no memory but the
 * parser's own.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <llhttp.h>

/* The longest head that any parser takes; the limit in use may be lower. */
#define TERN_HTTP_HEAD_MAX 16384

/* X(name, text in small letters): the fields that are looked at. */
#define TERN_HTTP_FIELD_LIST(X)                                                                    \
    X(HOST, "host")                                                                                \
    X(EXPECT, "expect")                                                                            \
    X(IF_MATCH, "if-match")                                                                        \
    X(IF_NONE_MATCH, "if-none-match")                                                              \
    X(IF_MODIFIED_SINCE, "if-modified-since")                                                      \
    X(IF_UNMODIFIED_SINCE, "if-unmodified-since")                                                  \
    X(IF_RANGE, "if-range")                                                                        \
    X(RANGE, "range")

enum tern_http_field {
#define TERN_HTTP_FIELD_ENUM(name, text) TERN_HTTP_##name,
    TERN_HTTP_FIELD_LIST(TERN_HTTP_FIELD_ENUM)
#undef TERN_HTTP_FIELD_ENUM
        TERN_HTTP_FIELD_COUNT
};

enum tern_http_method {
    TERN_HTTP_GET,
    TERN_HTTP_HEAD,
    TERN_HTTP_OPTIONS,
    TERN_HTTP_OTHER, /* a method that is known, and not for files */
};

struct tern_http_request {
    enum tern_http_method method;
    const char *method_text, *target;         /* "" where it did not come so far */
    const char *field[TERN_HTTP_FIELD_COUNT]; /* NULL: absent. Came it twice: joined by ", " */
    uint8_t field_times[TERN_HTTP_FIELD_COUNT];
    uint8_t minor;       /* HTTP/1.minor */
    bool keep_alive;     /* what the client wishes (RFC 9112 §9.3) */
    bool body;           /* one follows */
    uint64_t body_bytes; /* its length where it was told, else 0 (chunked) */
};

enum tern_http_fed {
    TERN_HTTP_MORE,  /* all bytes were taken, and more are needed */
    TERN_HTTP_ASKED, /* the head is whole: see request. If it has a body, feed on until ENDED */
    TERN_HTTP_ENDED, /* the body is over */
    TERN_HTTP_BAD,   /* see refused; nothing that follows can be understood */
    TERN_HTTP_BROKEN /* the same of a body, after ASKED */
};

struct tern_http_parser {
    llhttp_t llhttp;
    struct tern_http_request request;
    int refused; /* the status of the answer to what is BAD */
    size_t head_bytes, head_bytes_max;
    uint64_t body_bytes; /* that came so far */
    /* The rest is the parser's own. */
    int8_t field; /* which one comes; -1: none of interest */
    uint8_t line; /* how far the first line is */
    bool head_whole, ended, value_began, unknown_method;
    size_t name_bytes;
    char name[24];
    size_t text_bytes;
    uint16_t field_at[TERN_HTTP_FIELD_COUNT];
    char text[TERN_HTTP_HEAD_MAX + 64]; /* target and fields, each ended by a NUL */
};

/* head_bytes_max: at most TERN_HTTP_HEAD_MAX. */
void tern_http_parser_init(struct tern_http_parser *p, size_t head_bytes_max);
/* Make ready for the next request of the connection. */
void tern_http_parser_next(struct tern_http_parser *p);
/* Take bytes; *used of them belonged to this request. */
enum tern_http_fed tern_http_parser_feed(struct tern_http_parser *p, const uint8_t *data,
                                         size_t bytes, size_t *used);
/* Have bytes of a request come, beyond empty lines? */
bool tern_http_parser_began(const struct tern_http_parser *p);

#endif
