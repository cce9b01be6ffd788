/* SPDX-License-Identifier: BSD-2-Clause */
/* IPv4 headers (RFC 791 §3.1): lengths, options, flags, checksum, every truncation, both ways. */
#include "wire/ipv4.h"
#include "base/checksum.h"
#include "base/random.h"
#include "test.h"

#define ADDRESSES "0a 00 00 01 0a 00 00 02"

/* The checksum field of each row is zero; fill_checksum() fills it in where sum says so. */
static const struct {
    const char *name, *hex;
    bool sum;
    enum tern_ipv4_verdict verdict;
    size_t header_bytes, body_bytes;
} rows[] = {
    {"empty", "", false, TERN_IPV4_BAD_HEADER, 0, 0},
    {"19 bytes", "45 00 00 13 00 00 00 00 40 06 00 00 0a 00 00 01 0a 00 00", false,
     TERN_IPV4_BAD_HEADER, 0, 0},
    {"header alone", "45 00 00 14 00 00 00 00 40 06 00 00 " ADDRESSES, true, TERN_IPV4_OK, 20, 0},
    {"a body", "45 00 00 17 00 00 00 00 40 06 00 00 " ADDRESSES " 01 02 03", true, TERN_IPV4_OK, 20,
     3},
    {"padding is cut off", "45 00 00 15 00 00 00 00 40 06 00 00 " ADDRESSES " 01 00 00 00 00", true,
     TERN_IPV4_OK, 20, 1},
    {"wrong checksum", "45 00 00 14 00 00 00 00 40 06 00 00 " ADDRESSES, false,
     TERN_IPV4_BAD_CHECKSUM, 0, 0},
    {"version 6", "65 00 00 14 00 00 00 00 40 06 00 00 " ADDRESSES, true, TERN_IPV4_BAD_HEADER, 0,
     0},
    {"version 0", "05 00 00 14 00 00 00 00 40 06 00 00 " ADDRESSES, true, TERN_IPV4_BAD_HEADER, 0,
     0},
    {"header of 16 bytes", "44 00 00 14 00 00 00 00 40 06 00 00 " ADDRESSES, true,
     TERN_IPV4_BAD_HEADER, 0, 0},
    {"header of 0 bytes", "40 00 00 14 00 00 00 00 40 06 00 00 " ADDRESSES, true,
     TERN_IPV4_BAD_HEADER, 0, 0},
    {"header longer than the packet", "46 00 00 14 00 00 00 00 40 06 00 00 " ADDRESSES, true,
     TERN_IPV4_BAD_HEADER, 0, 0},
    {"total shorter than the header", "45 00 00 13 00 00 00 00 40 06 00 00 " ADDRESSES " 00", true,
     TERN_IPV4_BAD_HEADER, 0, 0},
    {"total longer than the frame", "45 00 00 16 00 00 00 00 40 06 00 00 " ADDRESSES " 00", true,
     TERN_IPV4_BAD_HEADER, 0, 0},
    {"total zero", "45 00 00 00 00 00 00 00 40 06 00 00 " ADDRESSES, true, TERN_IPV4_BAD_HEADER, 0,
     0},
    {"options skipped", "46 00 00 1a 00 00 00 00 40 06 00 00 " ADDRESSES " 94 04 00 00 aa bb", true,
     TERN_IPV4_OK, 24, 2},
    {"options that make no sense",
     "47 00 00 1c 00 00 00 00 40 06 00 00 " ADDRESSES " 83 ff 01 00 44 00 05 05", true,
     TERN_IPV4_OK, 28, 0},
    {"options outside of the sum", "46 00 00 18 00 00 00 00 40 06 00 00 " ADDRESSES " 94 04 00 01",
     false, TERN_IPV4_BAD_CHECKSUM, 0, 0},
};

static void fill_checksum(uint8_t *b, size_t n)
{
    size_t header_bytes = (size_t)(b[0] & 0x0f) * 4;
    struct tern_sum sum = {0};

    tern_sum_add(&sum, b, header_bytes < n ? header_bytes : n);
    tern_put_be16(b + 10, tern_sum_finish(&sum));
}

static size_t row_bytes(size_t i, uint8_t *b, size_t max)
{
    size_t n = from_hex(rows[i].hex, b, max);

    if (rows[i].sum)
        fill_checksum(b, n);
    return n;
}

static void table(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        uint8_t b[96];
        tern_span in = guarded(b, row_bytes(i, b, sizeof b)), body;
        struct tern_ipv4 ip;
        enum tern_ipv4_verdict verdict = tern_ipv4_parse(in, &ip, &body);

        if (verdict != rows[i].verdict)
            fail_msg("%s: verdict %d", rows[i].name, (int)verdict);
        if (verdict != TERN_IPV4_OK)
            continue;
        if (body.bytes != rows[i].body_bytes || ip.header_bytes != rows[i].header_bytes)
            fail_msg("%s: header %u, body %zu", rows[i].name, ip.header_bytes, body.bytes);
        assert_ptr_equal(body.data, in.data + ip.header_bytes);
        assert_int_equal(ip.total_bytes, ip.header_bytes + body.bytes);
        assert_int_equal(ip.ttl, 64);
        assert_int_equal(ip.protocol, TERN_IP_TCP);
        assert_true(tern_addr_equal(ip.src, tern_addr_v4(10, 0, 0, 1)));
        assert_true(tern_addr_equal(ip.dst, tern_addr_v4(10, 0, 0, 2)));
    }
}

static void flags_and_offsets(void **state)
{
    static const struct {
        uint16_t wire;
        bool dont, more;
        uint16_t offset_bytes;
    } flags[] = {
        {0x0000, false, false, 0},   {0x4000, true, false, 0},      {0x2000, false, true, 0},
        {0x8000, false, false, 0},   {0x1fff, false, false, 65528}, {0x2001, false, true, 8},
        {0xffff, true, true, 65528},
    };

    (void)state;
    for (size_t i = 0; i < ROWS(flags); i++) {
        uint8_t b[20];
        struct tern_ipv4 ip;
        tern_span body;

        from_hex("45 b8 00 14 12 34 00 00 01 11 00 00 " ADDRESSES, b, sizeof b);
        tern_put_be16(b + 6, flags[i].wire);
        fill_checksum(b, sizeof b);
        assert_int_equal(tern_ipv4_parse(guarded(b, sizeof b), &ip, &body), TERN_IPV4_OK);
        assert_int_equal(ip.dont_fragment, flags[i].dont);
        assert_int_equal(ip.more_fragments, flags[i].more);
        assert_int_equal(ip.fragment_offset_bytes, flags[i].offset_bytes);
        assert_int_equal(ip.tos, 0xb8);
        assert_int_equal(ip.id, 0x1234);
        assert_int_equal(ip.ttl, 1);
        assert_int_equal(ip.protocol, TERN_IP_UDP);
    }
}

static void every_truncation(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        uint8_t b[96];
        size_t n = row_bytes(i, b, sizeof b);
        size_t total_bytes = rows[i].header_bytes + rows[i].body_bytes;

        for (size_t cut = 0; cut <= n; cut++) {
            struct tern_ipv4 ip;
            tern_span body;
            bool ok = tern_ipv4_parse(guarded(b, cut), &ip, &body) == TERN_IPV4_OK;

            assert_int_equal(ok, rows[i].verdict == TERN_IPV4_OK && cut >= total_bytes);
        }
    }
}

static void every_flipped_bit_is_noticed(void **state)
{
    uint8_t b[20];

    (void)state;
    from_hex(rows[2].hex, b, sizeof b);
    fill_checksum(b, sizeof b);
    for (unsigned bit = 0; bit < 160; bit++) {
        struct tern_ipv4 ip;
        tern_span body;

        b[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_not_equal(tern_ipv4_parse(guarded(b, sizeof b), &ip, &body), TERN_IPV4_OK);
        b[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void both_ways(void **state)
{
    struct tern_random r;

    (void)state;
    tern_random_init(&r, "wire", 4, "ipv4");
    for (unsigned round = 0; round < 2000; round++) {
        uint16_t body_bytes = (uint16_t)tern_random_below(&r, round % 8 == 0 ? 65516 : 100);
        static uint8_t b[65535];
        struct tern_writer w = tern_writer_of(b, sizeof b);
        struct tern_ipv4 in, out;
        tern_span body;

        in.tos = (uint8_t)tern_random_u32(&r);
        in.id = (uint16_t)tern_random_u32(&r);
        in.dont_fragment = tern_random_below(&r, 2) == 0;
        in.more_fragments = tern_random_below(&r, 2) == 0;
        in.fragment_offset_bytes = (uint16_t)(tern_random_below(&r, 8192) * 8);
        in.ttl = (uint8_t)tern_random_u32(&r);
        in.protocol = (uint8_t)tern_random_u32(&r);
        in.header_bytes = 60; /* ignored */
        in.src = tern_addr_from_be32(tern_random_u32(&r));
        in.dst = tern_addr_from_be32(tern_random_u32(&r));
        tern_ipv4_emit(&in, body_bytes, &w);
        assert_false(w.failed);
        assert_int_equal(w.bytes, TERN_IPV4_BYTES);
        assert_int_equal(tern_ipv4_parse(tern_span_of(b, 20u + body_bytes), &out, &body),
                         TERN_IPV4_OK);
        assert_int_equal(in.tos, out.tos);
        assert_int_equal(in.id, out.id);
        assert_int_equal(in.dont_fragment, out.dont_fragment);
        assert_int_equal(in.more_fragments, out.more_fragments);
        assert_int_equal(in.fragment_offset_bytes, out.fragment_offset_bytes);
        assert_int_equal(in.ttl, out.ttl);
        assert_int_equal(in.protocol, out.protocol);
        assert_int_equal(out.header_bytes, TERN_IPV4_BYTES);
        assert_int_equal(out.total_bytes, TERN_IPV4_BYTES + body_bytes);
        assert_int_equal(body.bytes, body_bytes);
        assert_true(tern_addr_equal(in.src, out.src));
        assert_true(tern_addr_equal(in.dst, out.dst));
    }
}

static void emit_one(struct tern_writer *w)
{
    const struct tern_ipv4 ip = {.src = tern_addr_v4(1, 2, 3, 4), .dst = tern_addr_v4(5, 6, 7, 8)};

    tern_ipv4_emit(&ip, 9, w);
}

static void emit_respects_its_room(void **state)
{
    (void)state;
    check_small_rooms(emit_one, TERN_IPV4_BYTES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table),
        cmocka_unit_test(flags_and_offsets),
        cmocka_unit_test(every_truncation),
        cmocka_unit_test(every_flipped_bit_is_noticed),
        cmocka_unit_test(both_ways),
        cmocka_unit_test(emit_respects_its_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
