/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SOCKS5 messages, as they come from whoever reached the endpoint's socket. What is whole stays so
 * with more bytes behind it, and was not with fewer: each beginning of a whole message wants more
 * of it, and none of them is bad, since bytes come in any pieces.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "apps/socks_wire.h"
#include "base/assert.h"

/* Memory of the very size, to see a byte too far. */
static uint8_t *copy_of(const uint8_t *data, size_t bytes)
{
    uint8_t *copy = malloc(bytes > 0 ? bytes : 1);

    TERN_ASSERT(copy != NULL);
    if (bytes > 0)
        memcpy(copy, data, bytes);
    return copy;
}

static enum tern_socks_parse greeting(const uint8_t *data, size_t bytes, size_t *used)
{
    uint8_t *copy = copy_of(data, bytes);
    bool no_auth;
    const enum tern_socks_parse found = tern_socks_greeting_parse(copy, bytes, used, &no_auth);

    free(copy);
    return found;
}

static enum tern_socks_parse request(const uint8_t *data, size_t bytes, size_t *used)
{
    uint8_t *copy = copy_of(data, bytes);
    struct tern_socks_request r;
    const enum tern_socks_parse found = tern_socks_request_parse(copy, bytes, used, &r);

    if (found == TERN_SOCKS_WHOLE) {
        const size_t host = strnlen(r.host, sizeof r.host);

        TERN_ASSERT(host > 0);
        TERN_ASSERT(host < sizeof r.host);
    }
    free(copy);
    return found;
}

typedef enum tern_socks_parse parse_fn(const uint8_t *data, size_t bytes, size_t *used);

static void judge(parse_fn *parse, const uint8_t *data, size_t size)
{
    size_t used = 0, again = 0;

    if (parse(data, size, &used) != TERN_SOCKS_WHOLE)
        return;
    TERN_ASSERT(used > 0);
    TERN_ASSERT(used <= size);
    TERN_ASSERT(used <= TERN_SOCKS_MESSAGE_MAX);
    TERN_ASSERT(parse(data, used, &again) == TERN_SOCKS_WHOLE);
    TERN_ASSERT(again == used);
    for (size_t i = 0; i < used; i++)
        TERN_ASSERT(parse(data, i, &again) == TERN_SOCKS_MORE);
}

static void reply(const uint8_t *data, size_t size)
{
    struct tern_endpoint bound = {.port = (uint16_t)size};
    uint8_t out[TERN_SOCKS_REPLY_MAX];

    if (size < 17)
        return;
    memcpy(bound.addr.b, data + 1, 16);
    TERN_ASSERT(tern_socks_reply_emit(data[0] & 7, &bound, out) <= sizeof out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 2 * TERN_SOCKS_MESSAGE_MAX)
        return 0;
    judge(greeting, data, size);
    judge(request, data, size);
    reply(data, size);
    return 0;
}
