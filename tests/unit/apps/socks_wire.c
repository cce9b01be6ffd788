/* SPDX-License-Identifier: BSD-2-Clause */
/* SOCKS5's messages: whole, cut short at every byte, and wrong. RFC 1928 §3, §4, §6 */
#include "world.h"

#include "apps/socks_wire.h"

struct bytes {
    const char *data;
    size_t length;
};

#define B(text)                                                                                    \
    {                                                                                              \
        text, sizeof(text) - 1                                                                     \
    }

static const struct {
    struct bytes in;
    enum tern_socks_parse verdict;
    size_t used;
    bool no_auth;
} greetings[] = {
    {B(""), TERN_SOCKS_MORE, 0, false},
    {B("\x05\x01\x00"), TERN_SOCKS_WHOLE, 3, true},
    {B("\x05\x02\x00\x02\x05"), TERN_SOCKS_WHOLE, 4, true},
    {B("\x05\x01\x02"), TERN_SOCKS_WHOLE, 3, false},
    {B("\x05\x00"), TERN_SOCKS_BAD, 0, false},
    {B("\x04\x01\x00"), TERN_SOCKS_BAD, 0, false},
    {B("G"), TERN_SOCKS_BAD, 0, false},
};

static void greeting_table(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(greetings); i++) {
        bool no_auth = false;
        size_t used = 0;

        assert_int_equal(tern_socks_greeting_parse((const uint8_t *)greetings[i].in.data,
                                                   greetings[i].in.length, &used, &no_auth),
                         greetings[i].verdict);
        assert_int_equal(used, greetings[i].used);
        assert_int_equal(no_auth, greetings[i].no_auth);
    }
}

static const struct {
    struct bytes in;
    enum tern_socks_parse verdict;
    uint8_t command;
    bool literal;
    const char *host;
    uint16_t port;
} requests[] = {
    {B("\x05\x01\x00\x01\x0a\x00\x00\x02\x00\x50"), TERN_SOCKS_WHOLE, 1, true, "10.0.0.2", 80},
    {B("\x05\x01\x00\x03\x05"
       "a.com\x01\xbb"),
     TERN_SOCKS_WHOLE, 1, false, "a.com", 443},
    {B("\x05\x01\x00\x03\x08"
       "10.0.0.2\x00\x50"),
     TERN_SOCKS_WHOLE, 1, true, "10.0.0.2", 80},
    {B("\x05\x01\x00\x04\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\x00\x50"), TERN_SOCKS_WHOLE, 1,
     true, "2001:db8::1", 80},
    {B("\x05\x02\x00\x01\x0a\x00\x00\x02\x00\x50"), TERN_SOCKS_WHOLE, 2, true, "10.0.0.2", 80},
    {B("\x05\x01\x00\x02\x0a"), TERN_SOCKS_BAD, 0, false, "", 0},
    {B("\x05\x01\x00\x03\x00\x00\x50"), TERN_SOCKS_BAD, 0, false, "", 0},
    {B("\x05\x01\x00\x03\x03"
       "a\0b\x00\x50"),
     TERN_SOCKS_BAD, 0, false, "", 0},
    {B("\x06\x01"), TERN_SOCKS_BAD, 0, false, "", 0},
};

static void request_table(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(requests); i++) {
        struct tern_socks_request request;
        const uint8_t *data = (const uint8_t *)requests[i].in.data;
        size_t length = requests[i].in.length, used = 0, cut;

        if (tern_socks_request_parse(data, length, &used, &request) != requests[i].verdict)
            fail_msg("request row %zu", i);
        if (requests[i].verdict != TERN_SOCKS_WHOLE)
            continue;
        assert_int_equal(used, length);
        assert_int_equal(request.command, requests[i].command);
        assert_int_equal(request.literal, requests[i].literal);
        assert_string_equal(request.host, requests[i].host);
        assert_int_equal(request.port, requests[i].port);
        for (cut = 0; cut < length; cut++)
            assert_int_equal(tern_socks_request_parse(data, cut, &used, &request), TERN_SOCKS_MORE);
    }
}

static void longest_name(void **state)
{
    uint8_t data[TERN_SOCKS_MESSAGE_MAX] = {5, 1, 0, 3, 255};
    struct tern_socks_request request;
    size_t used = 0;

    (void)state;
    memset(data + 5, 'n', 255);
    data[260] = 1;
    data[261] = 2;
    assert_int_equal(tern_socks_request_parse(data, sizeof data, &used, &request),
                     TERN_SOCKS_WHOLE);
    assert_int_equal(used, sizeof data);
    assert_int_equal(strlen(request.host), 255);
    assert_int_equal(request.port, 258);
}

static void replies(void **state)
{
    static const uint8_t v4[] = {5, 0, 0, 1, 10, 0, 0, 2, 0x1f, 0x90};
    const struct tern_endpoint none = {.port = 0};
    struct tern_endpoint bound = world_far(8080);
    uint8_t out[TERN_SOCKS_REPLY_MAX];

    (void)state;
    assert_int_equal(tern_socks_reply_emit(TERN_SOCKS_SUCCEEDED, &bound, out), sizeof v4);
    assert_memory_equal(out, v4, sizeof v4);
    assert_int_equal(tern_socks_reply_emit(TERN_SOCKS_REFUSED, &none, out), 10);
    assert_int_equal(out[1], 5);
    assert_int_equal(out[3], 1);
    bound.addr.b[0] = 0x20; /* no longer IPv4-mapped */
    assert_int_equal(tern_socks_reply_emit(TERN_SOCKS_SUCCEEDED, &bound, out), 22);
    assert_int_equal(out[3], 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(greeting_table),
        cmocka_unit_test(request_table),
        cmocka_unit_test(longest_name),
        cmocka_unit_test(replies),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
