/* SPDX-License-Identifier: BSD-2-Clause */
/* UDP datagrams (RFC 768; RFC 8200 §8.1): lengths, the optional checksum, every truncation, both
 * ways. */
#include "wire/udp.h"
#include "base/checksum.h"
#include "base/random.h"
#include "test.h"

static struct tern_addr v4_src, v4_dst, v6_src, v6_dst;

static int set_up(void **state)
{
    (void)state;
    v4_src = tern_addr_v4(10, 0, 0, 1);
    v4_dst = tern_addr_v4(10, 0, 0, 2);
    return tern_addr_parse("2001:db8::1", &v6_src) != TERN_ERR_OK ||
           tern_addr_parse("2001:db8::2", &v6_dst) != TERN_ERR_OK;
}

enum sum { GOOD, WRONG, NONE };

static const struct {
    const char *name, *hex;
    enum sum sum;
    bool v6, verified, ok;
    size_t body_bytes;
} rows[] = {
    {"empty", "", NONE, false, false, false, 0},
    {"7 bytes", "00 35 30 39 00 07 00", NONE, false, false, false, 0},
    {"no body", "00 35 30 39 00 08 00 00", GOOD, false, false, true, 0},
    {"a body", "00 35 30 39 00 0b 00 00 61 62 63", GOOD, false, false, true, 3},
    {"a body, IPv6", "00 35 30 39 00 0b 00 00 61 62 63", GOOD, true, false, true, 3},
    {"wrong checksum", "00 35 30 39 00 0b 00 00 61 62 63", WRONG, false, false, false, 0},
    {"wrong checksum, IPv6", "00 35 30 39 00 0b 00 00 61 62 63", WRONG, true, false, false, 0},
    {"wrong checksum, vouched for", "00 35 30 39 00 0b 00 00 61 62 63", WRONG, false, true, true,
     3},
    {"no checksum", "00 35 30 39 00 0b 00 00 61 62 63", NONE, false, false, true, 3},
    {"no checksum, IPv6", "00 35 30 39 00 0b 00 00 61 62 63", NONE, true, false, false, 0},
    {"padding is cut off", "00 35 30 39 00 09 00 00 61 00 00 00", GOOD, false, false, true, 1},
    {"length 0", "00 35 30 39 00 00 00 00 61", NONE, false, false, false, 0},
    {"length 7", "00 35 30 39 00 07 00 00 61", NONE, false, false, false, 0},
    {"length beyond the packet", "00 35 30 39 00 0a 00 00 61", NONE, false, true, false, 0},
};

static void fill_checksum(uint8_t *b, size_t n, bool v6)
{
    size_t bytes = n < 8 ? n : tern_get_be16(b + 4) < n ? tern_get_be16(b + 4) : n;
    struct tern_sum sum = {0};

    tern_sum_add_pseudo(&sum, v6 ? v6_src : v4_src, v6 ? v6_dst : v4_dst, 17, (uint32_t)bytes);
    tern_sum_add(&sum, b, bytes);
    tern_put_be16(b + 6, tern_sum_finish(&sum));
}

static size_t row_bytes(size_t i, uint8_t *b, size_t max)
{
    size_t n = from_hex(rows[i].hex, b, max);

    if (rows[i].sum != NONE)
        fill_checksum(b, n, rows[i].v6);
    if (rows[i].sum == WRONG)
        b[7] ^= 1;
    return n;
}

static bool parse_row(size_t i, tern_span in, struct tern_udp *udp, tern_span *body)
{
    return tern_udp_parse(in, rows[i].v6 ? v6_src : v4_src, rows[i].v6 ? v6_dst : v4_dst,
                          rows[i].verified, udp, body);
}

static void table(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        uint8_t b[64];
        tern_span in = guarded(b, row_bytes(i, b, sizeof b)), body;
        struct tern_udp udp;
        bool ok = parse_row(i, in, &udp, &body);

        if (ok != rows[i].ok)
            fail_msg("%s: %s", rows[i].name, ok ? "let through" : "refused");
        if (!ok)
            continue;
        assert_int_equal(udp.src_port, 53);
        assert_int_equal(udp.dst_port, 12345);
        assert_int_equal(body.bytes, rows[i].body_bytes);
        assert_ptr_equal(body.data, in.data + TERN_UDP_BYTES);
    }
}

static void every_truncation(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        uint8_t b[64];
        size_t n = row_bytes(i, b, sizeof b);

        for (size_t cut = 0; cut <= n; cut++) {
            struct tern_udp udp;
            tern_span body;
            bool ok = parse_row(i, guarded(b, cut), &udp, &body);

            assert_int_equal(ok, rows[i].ok && cut >= TERN_UDP_BYTES + rows[i].body_bytes);
        }
    }
}

static void addresses_are_covered(void **state)
{
    uint8_t b[11];
    struct tern_udp udp;
    tern_span in, body;

    (void)state;
    in = guarded(b, row_bytes(3, b, sizeof b));
    assert_true(tern_udp_parse(in, v4_src, v4_dst, false, &udp, &body));
    assert_false(tern_udp_parse(in, tern_addr_v4(10, 0, 0, 3), v4_dst, false, &udp, &body));
    assert_false(tern_udp_parse(in, v4_src, tern_addr_v4(10, 0, 0, 3), false, &udp, &body));
    assert_false(tern_udp_parse(in, v4_src, v6_dst, false, &udp, &body));
}

static void both_ways(void **state)
{
    struct tern_random r;

    (void)state;
    tern_random_init(&r, "wire", 4, "udp");
    for (unsigned round = 0; round < 4000; round++) {
        static uint8_t data[65527], b[65535];
        size_t bytes = tern_random_below(&r, round % 100 == 0 ? sizeof data + 1 : 100);
        struct tern_addr src = round % 2 == 0 ? v4_src : v6_src;
        struct tern_addr dst = round % 2 == 0 ? v4_dst : v6_dst;
        struct tern_udp in = {(uint16_t)tern_random_u32(&r), (uint16_t)tern_random_u32(&r)}, out;
        struct tern_writer w = tern_writer_of(b, sizeof b);
        tern_span body;

        tern_random_bytes(&r, data, bytes);
        tern_udp_emit(&in, src, dst, tern_span_of(data, bytes), &w);
        assert_false(w.failed);
        assert_int_equal(w.bytes, TERN_UDP_BYTES + bytes);
        assert_int_not_equal(tern_get_be16(b + 6), 0);
        assert_true(tern_udp_parse(guarded(b, w.bytes), src, dst, false, &out, &body));
        assert_int_equal(in.src_port, out.src_port);
        assert_int_equal(in.dst_port, out.dst_port);
        assert_int_equal(body.bytes, bytes);
        assert_memory_equal(body.data, data, bytes);
    }
}

/* A sum of zero must not look like "no checksum": among all values of two bytes one gives zero. */
static void zero_is_sent_as_all_ones(void **state)
{
    const struct tern_udp in = {53, 12345};
    unsigned ones = 0;

    (void)state;
    for (unsigned value = 0; value <= 0xffff; value++) {
        uint8_t data[2] = {(uint8_t)(value >> 8), (uint8_t)value}, b[10];
        struct tern_writer w = tern_writer_of(b, sizeof b);
        struct tern_udp out;
        tern_span body;

        tern_udp_emit(&in, v6_src, v6_dst, tern_span_of(data, 2), &w);
        assert_int_not_equal(tern_get_be16(b + 6), 0);
        ones += tern_get_be16(b + 6) == 0xffff;
        assert_true(tern_udp_parse(tern_span_of(b, 10), v6_src, v6_dst, false, &out, &body));
    }
    assert_in_range(ones, 1, 2);
}

static void emit_one(struct tern_writer *w)
{
    const struct tern_udp udp = {1, 2};

    tern_udp_emit(&udp, v4_src, v4_dst, tern_span_of("abcde", 5), w);
}

static void emit_respects_its_room(void **state)
{
    (void)state;
    check_small_rooms(emit_one, TERN_UDP_BYTES + 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table),
        cmocka_unit_test(every_truncation),
        cmocka_unit_test(addresses_are_covered),
        cmocka_unit_test(both_ways),
        cmocka_unit_test(zero_is_sent_as_all_ones),
        cmocka_unit_test(emit_respects_its_room),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
