/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SOCKS5 (RFC 1928): the two messages of a client and the reply. A parser looks at what has
 * arrived so far and says that there is more to come, that it is nonsense, or gives the value and
 * how many bytes it took; what follows belongs to the next message.
 */
#include "apps/socks_wire.h"

#include <string.h>

#include "base/bytes.h"

#define VERSION      5
#define TYPE_IPV4    1
#define TYPE_NAME    3
#define TYPE_IPV6    4
#define NO_AUTH      0
#define REQUEST_HEAD 4

static enum tern_socks_parse short_of(const struct tern_reader *r)
{
    return r->failed ? TERN_SOCKS_MORE : TERN_SOCKS_WHOLE;
}

enum tern_socks_parse tern_socks_greeting_parse(const uint8_t *data, size_t bytes, size_t *used,
                                                bool *no_auth)
{
    struct tern_reader r = tern_reader_of(tern_span_of(data, bytes));
    uint8_t version = tern_read_u8(&r);
    uint8_t count = tern_read_u8(&r);
    const uint8_t *methods = tern_read_bytes(&r, count);

    if (bytes > 0 && version != VERSION)
        return TERN_SOCKS_BAD;
    if (methods == NULL || r.failed)
        return TERN_SOCKS_MORE;
    if (count == 0)
        return TERN_SOCKS_BAD;
    *used = bytes - r.left.bytes;
    *no_auth = memchr(methods, NO_AUTH, count) != NULL;
    return TERN_SOCKS_WHOLE;
}

static void read_ipv4(struct tern_reader *r, struct tern_socks_request *out)
{
    out->literal = true;
    out->addr = tern_addr_from_be32(tern_read_be32(r));
    (void)tern_addr_text(out->addr, out->host);
}

static void read_ipv6(struct tern_reader *r, struct tern_socks_request *out)
{
    const uint8_t *p = tern_read_bytes(r, sizeof out->addr.b);

    out->literal = true;
    if (p == NULL)
        return;
    memcpy(out->addr.b, p, sizeof out->addr.b);
    (void)tern_addr_text(out->addr, out->host);
}

/* false: a name that cannot be one. */
static bool read_name(struct tern_reader *r, struct tern_socks_request *out)
{
    uint8_t length = tern_read_u8(r);
    const uint8_t *name = tern_read_bytes(r, length);

    if (r->failed || name == NULL)
        return true;
    if (length == 0 || memchr(name, 0, length) != NULL)
        return false;
    memcpy(out->host, name, length);
    out->host[length] = '\0';
    out->literal = tern_addr_parse(out->host, &out->addr) == TERN_ERR_OK;
    return true;
}

enum tern_socks_parse tern_socks_request_parse(const uint8_t *data, size_t bytes, size_t *used,
                                               struct tern_socks_request *out)
{
    struct tern_reader r = tern_reader_of(tern_span_of(data, bytes));
    const uint8_t *head = tern_read_bytes(&r, REQUEST_HEAD);

    memset(out, 0, sizeof *out);
    if (bytes > 0 && data[0] != VERSION)
        return TERN_SOCKS_BAD;
    if (head == NULL)
        return TERN_SOCKS_MORE;
    out->command = head[1];
    if (head[3] == TYPE_IPV4)
        read_ipv4(&r, out);
    else if (head[3] == TYPE_IPV6)
        read_ipv6(&r, out);
    else if (head[3] != TYPE_NAME || !read_name(&r, out))
        return TERN_SOCKS_BAD;
    out->port = tern_read_be16(&r);
    *used = bytes - r.left.bytes;
    return short_of(&r);
}

size_t tern_socks_reply_emit(enum tern_socks_reply reply, const struct tern_endpoint *bound,
                             uint8_t *out)
{
    bool v4 = tern_addr_is_v4(bound->addr) || tern_addr_is_any(bound->addr);
    size_t address_bytes = v4 ? 4 : sizeof bound->addr.b;

    out[0] = VERSION;
    out[1] = (uint8_t)reply;
    out[2] = 0;
    out[3] = v4 ? TYPE_IPV4 : TYPE_IPV6;
    /* An IPv4 address is the end of its mapped form. */
    memcpy(out + REQUEST_HEAD, bound->addr.b + sizeof bound->addr.b - address_bytes, address_bytes);
    tern_put_be16(out + REQUEST_HEAD + address_bytes, bound->port);
    return REQUEST_HEAD + address_bytes + 2;
}
