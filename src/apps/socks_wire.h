/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_APPS_SOCKS_WIRE_H
#define TERN_APPS_SOCKS_WIRE_H
/* SOCKS5 messages (RFC 1928), bytes <-> values, no state. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tern/addr.h>

#define TERN_SOCKS_HOST_MAX    256 /* 255 bytes and a NUL */
#define TERN_SOCKS_MESSAGE_MAX 262 /* the longest message of a client */
#define TERN_SOCKS_REPLY_MAX   22

enum tern_socks_parse {
    TERN_SOCKS_MORE, /* not all of it is there */
    TERN_SOCKS_BAD,  /* not SOCKS5 */
    TERN_SOCKS_WHOLE,
};

/* RFC 1928 §6 */
enum tern_socks_reply {
    TERN_SOCKS_SUCCEEDED = 0,
    TERN_SOCKS_FAILURE = 1,
    TERN_SOCKS_NOT_ALLOWED = 2,
    TERN_SOCKS_NETWORK_UNREACHABLE = 3,
    TERN_SOCKS_HOST_UNREACHABLE = 4,
    TERN_SOCKS_REFUSED = 5,
    TERN_SOCKS_EXPIRED = 6,
    TERN_SOCKS_BAD_COMMAND = 7,
    TERN_SOCKS_BAD_ADDRESS_TYPE = 8,
};

struct tern_socks_request {
    uint8_t command; /* 1: CONNECT */
    bool literal;    /* addr holds the host; else host is a name */
    struct tern_addr addr;
    char host[TERN_SOCKS_HOST_MAX]; /* the name, or the text of the address */
    uint16_t port;
};

/* The client's greeting, RFC 1928 §3. *used: bytes of it; *no_auth: it offers to come without. */
enum tern_socks_parse tern_socks_greeting_parse(const uint8_t *data, size_t bytes, size_t *used,
                                                bool *no_auth);
/* The request, RFC 1928 §4. A name with a NUL or nothing in it is BAD. */
enum tern_socks_parse tern_socks_request_parse(const uint8_t *data, size_t bytes, size_t *used,
                                               struct tern_socks_request *out);
/* The reply, RFC 1928 §6, into out (TERN_SOCKS_REPLY_MAX bytes); returns its length. */
size_t tern_socks_reply_emit(enum tern_socks_reply reply, const struct tern_endpoint *bound,
                             uint8_t *out);

#endif
