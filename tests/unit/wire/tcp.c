/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TCP headers and options (RFC 9293 §3.1, RFC 7323, RFC 2018): well-formed and malformed options,
 * every truncation, both ways.
 */
#include "wire/tcp.h"
#include "base/random.h"
#include "test.h"

/* What a row's options should give, in words. */
static const char *words_of(const struct tern_tcp_header *h, char *text, size_t max)
{
    size_t n = 0;

    text[0] = '\0';
    if (h->has_mss)
        n += (size_t)snprintf(text + n, max - n, "mss %u ", h->mss);
    if (h->has_wscale)
        n += (size_t)snprintf(text + n, max - n, "wscale %u ", h->wscale);
    if (h->sack_permitted)
        n += (size_t)snprintf(text + n, max - n, "sackok ");
    if (h->has_timestamps)
        n += (size_t)snprintf(text + n, max - n, "ts %u %u ", h->ts_value, h->ts_echo);
    for (unsigned i = 0; i < h->sack_count; i++)
        n += (size_t)snprintf(text + n, max - n, "sack %u-%u ", h->sack[i].start.value,
                              h->sack[i].end.value);
    if (h->has_fastopen)
        n += (size_t)snprintf(text + n, max - n, h->fastopen_experimental ? "FOEXP " : "FO ");
    for (unsigned i = 0; i < h->cookie_bytes; i++)
        n += (size_t)snprintf(text + n, max - n, "%02x", h->cookie[i]);
    if (h->cookie_bytes > 0)
        n += (size_t)snprintf(text + n, max - n, " ");
    if (n > 0)
        text[n - 1] = '\0';
    return text;
}

/* Options, filled up to four bytes with zeros; and what is read of them. */
static const struct {
    const char *name, *hex, *expected;
} option_rows[] = {
    {"none", "", ""},
    {"MSS", "02 04 05 b4", "mss 1460"},
    {"MSS 0", "02 04 00 00", "mss 0"},
    {"window scale", "01 03 03 07", "wscale 7"},
    {"window scale beyond 14 is passed on", "03 03 ff", "wscale 255"},
    {"SACK permitted", "04 02", "sackok"},
    {"timestamps", "01 01 08 0a 00 00 00 01 00 00 00 02", "ts 1 2"},
    {"one SACK block", "01 01 05 0a 00 00 00 01 00 00 00 02", "sack 1-2"},
    {"three SACK blocks",
     "05 1a 00 00 00 01 00 00 00 02 00 00 00 03 00 00 00 04 ff ff ff ff 00 00 00 00",
     "sack 1-2 sack 3-4 sack 4294967295-0"},
    {"four SACK blocks",
     "05 22 00 00 00 01 00 00 00 02 00 00 00 03 00 00 00 04 00 00 00 05 00 00 00 06 00 00 00 07 "
     "00 00 00 08",
     "sack 1-2 sack 3-4 sack 5-6 sack 7-8"},
    {"a SYN of Linux", "02 04 05 b4 04 02 08 0a 00 00 00 05 00 00 00 00 01 03 03 07",
     "mss 1460 wscale 7 sackok ts 5 0"},
    {"unknown kinds skipped", "fe 06 aa bb cc dd 02 04 05 b4 1e 02", "mss 1460"},
    {"unknown kind of 2 bytes", "fd 02 04 02", "sackok"},
    {"NOPs everywhere", "01 01 01 01 04 02 01 01 01 01 03 03 02 01", "wscale 2 sackok"},
    {"40 NOPs",
     "01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 "
     "01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01",
     ""},
    {"the last byte is a kind", "01 01 01 01 01 01 01 02", ""},
    {"end of options", "04 02 00 02 04 05 b4 00", "sackok"},
    {"the last of two counts", "02 04 05 b4 02 04 00 64", "mss 100"},
    {"length 0", "04 02 02 00 03 03 07", "sackok"},
    {"length 1", "04 02 02 01 03 03 07", "sackok"},
    {"unknown kind, length 0", "04 02 fe 00 03 03 07", "sackok"},
    {"unknown kind, length 1", "fe 01 04 02", ""},
    {"length beyond the header", "04 02 02 ff 05 b4", "sackok"},
    {"length one beyond the header", "01 01 fe 07 00 00 00 00", ""},
    {"unknown kind to the very end", "04 02 fe 06 00 00 00 00", "sackok"},
    {"MSS of 3 bytes", "02 03 05 04 02", ""},
    {"MSS of 5 bytes", "02 05 05 b4 01 04 02", ""},
    {"MSS of 2 bytes", "02 02 04 02", ""},
    {"window scale of 2 bytes", "03 02 04 02", ""},
    {"window scale of 4 bytes", "03 04 07 07 04 02", ""},
    {"SACK permitted of 3 bytes", "04 03 00 03 03 07", ""},
    {"timestamps of 9 bytes", "08 09 00 00 00 01 00 00 00 04 02", ""},
    {"timestamps of 11 bytes", "08 0b 00 00 00 01 00 00 00 02 00 04 02", ""},
    {"a fast-open cookie is asked for", "22 02 04 02", "sackok FO"},
    {"a fast-open cookie of 4 bytes", "22 06 01 02 03 04 04 02", "sackok FO 01020304"},
    {"a fast-open cookie of 16 bytes", "22 12 00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f",
     "FO 000102030405060708090a0b0c0d0e0f"},
    {"an experiment's fast-open cookie", "fe 08 f9 89 01 02 03 04", "FOEXP 01020304"},
    {"an experiment's fast-open request", "fe 04 f9 89", "FOEXP"},
    {"another experiment", "fe 08 f9 88 01 02 03 04 04 02", "sackok"},
    {"an experiment too short to name itself", "fe 03 f9 04 02", "sackok"},
    {"both forms: the kind counts", "fe 08 f9 89 01 02 03 04 22 06 05 06 07 08", "FO 05060708"},
    {"both forms, turned round", "22 06 05 06 07 08 fe 08 f9 89 01 02 03 04", "FO 05060708"},
    {"a fast-open cookie of 5 bytes is none", "22 07 01 02 03 04 05 04 02", "sackok"},
    {"a fast-open cookie of 2 bytes is none", "22 04 01 02 04 02", "sackok"},
    {"a fast-open cookie of 18 bytes is none",
     "22 14 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f 10 11 12 04 02", "sackok"},
    {"a fast-open cookie beyond the header", "04 02 22 08 01 02 03 04", "sackok"},
    {"SACK without a block", "05 02 04 02", ""},
    {"SACK with half a block", "05 06 00 00 00 01 04 02", ""},
    {"SACK with a block and a byte", "05 0b 00 00 00 01 00 00 00 02 00 04 02", ""},
};

/* A header of 20 bytes and these options; returns its length. */
static size_t build(const char *options_hex, uint8_t *b)
{
    size_t n = 20 + from_hex(options_hex, b + 20, 40);

    from_hex("00 50 c3 50 00 00 00 64 ff ff ff ff 50 00 72 10 00 00 00 00", b, 20);
    for (; n % 4 != 0; n++)
        b[n] = 0;
    b[12] = (uint8_t)(n / 4 << 4);
    return n;
}

static void options(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(option_rows); i++) {
        struct tern_tcp_header h;
        uint8_t b[64];
        size_t n = build(option_rows[i].hex, b);
        tern_span in = guarded(b, n), body;
        char text[200];

        if (!tern_tcp_parse(in, &h, &body))
            fail_msg("%s: refused", option_rows[i].name);
        assert_int_equal(body.bytes, 0);
        if (strcmp(words_of(&h, text, sizeof text), option_rows[i].expected) != 0)
            fail_msg("%s: got '%s', expected '%s'", option_rows[i].name, text,
                     option_rows[i].expected);
    }
}

/* What stands behind the header is not taken for options, whatever an option's length says. */
static void the_body_is_never_an_option(void **state)
{
    struct tern_tcp_header h;
    uint8_t b[64];
    tern_span body;

    (void)state;
    build("01 01 01 02", b);
    memcpy(b + 24, "\x04\x05\xb4\x04\x02", 5);
    assert_true(tern_tcp_parse(guarded(b, 29), &h, &body));
    assert_false(h.has_mss);
    assert_false(h.sack_permitted);
    assert_int_equal(body.bytes, 5);
    build("", b);
    memcpy(b + 20, "\x02\x04\x05\xb4", 4);
    assert_true(tern_tcp_parse(guarded(b, 24), &h, &body));
    assert_false(h.has_mss);
    assert_int_equal(body.bytes, 4);
}

static void fixed_part(void **state)
{
    struct tern_tcp_header h;
    uint8_t b[64];
    tern_span in, body;

    (void)state;
    from_hex("12 34 56 78 01 02 03 04 fe dc ba 98 5f ff ab cd 11 11 22 33 aa bb", b, sizeof b);
    in = guarded(b, 22);
    assert_true(tern_tcp_parse(in, &h, &body));
    assert_int_equal(h.src_port, 0x1234);
    assert_int_equal(h.dst_port, 0x5678);
    assert_int_equal(h.seq.value, 0x01020304);
    assert_int_equal(h.ack.value, 0xfedcba98);
    assert_int_equal(h.flags, 0xff); /* the reserved bits beside them are not looked at */
    assert_int_equal(h.window, 0xabcd);
    assert_int_equal(h.urgent, 0x2233);
    assert_int_equal(body.bytes, 2);
    assert_ptr_equal(body.data, in.data + 20);
}

static void data_offsets(void **state)
{
    (void)state;
    for (unsigned offset = 0; offset < 16; offset++) {
        struct tern_tcp_header h;
        uint8_t b[44];
        tern_span body;
        bool ok;

        memset(b, 1, sizeof b);
        build("", b);
        b[12] = (uint8_t)(offset << 4);
        ok = tern_tcp_parse(guarded(b, sizeof b), &h, &body);
        assert_int_equal(ok, offset >= 5 && offset <= 11);
        if (ok)
            assert_int_equal(body.bytes, sizeof b - offset * 4);
    }
}

static void every_truncation(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(option_rows); i++) {
        uint8_t b[64];
        size_t n = build(option_rows[i].hex, b);

        for (size_t cut = 0; cut <= n; cut++) {
            struct tern_tcp_header h;
            tern_span body;

            assert_int_equal(tern_tcp_parse(guarded(b, cut), &h, &body), cut == n);
        }
    }
}

/* Headers whose data offset agrees with every cut, so that options end anywhere in the middle. */
static void options_cut_anywhere(void **state)
{
    struct tern_random r;

    (void)state;
    tern_random_init(&r, "wire", 4, "tcp options");
    for (unsigned round = 0; round < 50000; round++) {
        size_t n = 20 + 4 * tern_random_below(&r, 11);
        struct tern_tcp_header h;
        uint8_t b[60];
        tern_span body;

        build("", b);
        for (size_t i = 20; i < n; i++)
            b[i] = (uint8_t)tern_random_below(&r, tern_random_below(&r, 8) == 0 ? 256 : 12);
        b[12] = (uint8_t)(n / 4 << 4);
        assert_true(tern_tcp_parse(guarded(b, n), &h, &body));
        assert_true(h.sack_count <= TERN_TCP_SACK_BLOCKS_MAX);
        assert_int_equal(body.bytes, 0);
    }
}

static struct tern_tcp_header any_header(struct tern_random *r)
{
    struct tern_tcp_header h = {
        .src_port = (uint16_t)tern_random_u32(r),
        .dst_port = (uint16_t)tern_random_u32(r),
        .seq = tern_seq_of(tern_random_u32(r)),
        .ack = tern_seq_of(tern_random_u32(r)),
        .flags = (uint8_t)tern_random_u32(r),
        .window = (uint16_t)tern_random_u32(r),
        .urgent = (uint16_t)tern_random_u32(r),
        .has_mss = tern_random_below(r, 2) == 0,
        .has_wscale = tern_random_below(r, 2) == 0,
        .has_timestamps = tern_random_below(r, 2) == 0,
        .sack_permitted = tern_random_below(r, 2) == 0,
        .sack_count = (uint8_t)tern_random_below(r, TERN_TCP_SACK_BLOCKS_MAX + 1),
    };

    h.mss = h.has_mss ? (uint16_t)tern_random_u32(r) : 0;
    h.wscale = h.has_wscale ? (uint8_t)tern_random_u32(r) : 0;
    h.ts_value = h.has_timestamps ? tern_random_u32(r) : 0;
    h.ts_echo = h.has_timestamps ? tern_random_u32(r) : 0;
    for (unsigned i = 0; i < h.sack_count; i++) {
        h.sack[i].start = tern_seq_of(tern_random_u32(r));
        h.sack[i].end = tern_seq_of(tern_random_u32(r));
    }
    h.has_fastopen = tern_random_below(r, 4) == 0;
    if (h.has_fastopen && tern_random_below(r, 4) != 0)
        h.cookie_bytes = (uint8_t)(4 + 2 * tern_random_below(r, 7));
    tern_random_bytes(r, h.cookie, h.cookie_bytes);
    h.fastopen_experimental = h.has_fastopen && tern_random_below(r, 2) == 0;
    return h;
}

static void assert_same(const struct tern_tcp_header *a, const struct tern_tcp_header *b)
{
    char a_words[200], b_words[200];

    assert_int_equal(a->src_port, b->src_port);
    assert_int_equal(a->dst_port, b->dst_port);
    assert_true(tern_seq_eq(a->seq, b->seq));
    assert_true(tern_seq_eq(a->ack, b->ack));
    assert_int_equal(a->flags, b->flags);
    assert_int_equal(a->window, b->window);
    assert_int_equal(a->urgent, b->urgent);
    assert_string_equal(words_of(a, a_words, sizeof a_words), words_of(b, b_words, sizeof b_words));
}

/* Blocks that must fit: 40 bytes less the other options, less four for two NOPs, kind and length.
 */
static uint8_t blocks_expected(const struct tern_tcp_header *h)
{
    unsigned others = 0, fit;

    others += h->has_mss ? 4 : 0;
    others += h->has_wscale ? 4 : 0;
    others += h->has_timestamps ? 12 : h->sack_permitted ? 4 : 0;
    others +=
        h->has_fastopen ? ((h->fastopen_experimental ? 4u : 2u) + h->cookie_bytes + 3u) / 4 * 4 : 0;
    fit = others > 28 ? 0 : (40 - others - 4) / 8;
    return (uint8_t)(h->sack_count < fit ? h->sack_count : fit);
}

static void both_ways(void **state)
{
    struct tern_random r;

    (void)state;
    tern_random_init(&r, "wire", 4, "tcp");
    for (unsigned round = 0; round < 5000; round++) {
        struct tern_tcp_header in = any_header(&r), out;
        uint8_t b[TERN_TCP_HEADER_BYTES_MAX];
        struct tern_writer w = tern_writer_of(b, sizeof b);
        tern_span body;

        tern_tcp_emit(&in, &w);
        assert_false(w.failed);
        assert_int_equal(w.bytes, tern_tcp_header_bytes(&in));
        assert_int_equal(w.bytes % 4, 0);
        assert_int_equal(tern_get_be16(b + TERN_TCP_OFF_CHECKSUM), 0);
        assert_true(tern_tcp_parse(guarded(b, w.bytes), &out, &body));
        assert_int_equal(body.bytes, 0);
        in.sack_count = blocks_expected(&in);
        assert_same(&in, &out);
    }
}

static void emit_one(struct tern_writer *w)
{
    struct tern_tcp_header h = {.has_mss = true,
                                .has_wscale = true,
                                .has_timestamps = true,
                                .sack_permitted = true,
                                .sack_count = 4};

    tern_tcp_emit(&h, w);
}

static void emit_respects_its_room(void **state)
{
    (void)state;
    check_small_rooms(emit_one, 20 + 4 + 4 + 12 + 4 + 2 * 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options),          cmocka_unit_test(the_body_is_never_an_option),
        cmocka_unit_test(fixed_part),       cmocka_unit_test(data_offsets),
        cmocka_unit_test(every_truncation), cmocka_unit_test(options_cut_anywhere),
        cmocka_unit_test(both_ways),        cmocka_unit_test(emit_respects_its_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
