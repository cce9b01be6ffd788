/* SPDX-License-Identifier: BSD-2-Clause */
/* ICMP messages (RFC 792, RFC 1191 §4): what each type holds, checksum, every truncation, both
 * ways. */
#include "wire/icmp.h"
#include "base/checksum.h"
#include "base/random.h"
#include "test.h"

/* Bytes with a zero checksum field, which fill_checksum() fills in. */
static const struct {
    const char *name, *hex;
    struct tern_icmp expected;
    size_t body_bytes;
} rows[] = {
    {"echo request",
     "08 00 00 00 12 34 00 01 61 62 63",
     {.type = 8, .id = 0x1234, .sequence = 1},
     3},
    {"echo reply", "00 00 00 00 ff ff ff fe", {.type = 0, .id = 0xffff, .sequence = 0xfffe}, 0},
    {"port unreachable", "03 03 00 00 00 00 00 00 45 00", {.type = 3, .code = 3}, 2},
    {"port unreachable, unused bytes set", "03 03 00 00 01 02 03 04", {.type = 3, .code = 3}, 0},
    {"fragmentation needed", "03 04 00 00 00 00 05 78 45", {.type = 3, .code = 4, .mtu = 1400}, 1},
    {"fragmentation needed, old router", "03 04 00 00 00 00 00 00", {.type = 3, .code = 4}, 0},
    {"time exceeded", "0b 01 00 00 00 00 00 00 45", {.type = 11, .code = 1}, 1},
    {"parameter problem", "0c 00 00 00 14 00 00 00 45", {.type = 12, .pointer = 20}, 1},
    {"redirect: not read further", "05 01 00 00 0a 00 00 01 45", {.type = 5, .code = 1}, 1},
    {"a type nobody knows", "fe dc 00 00 01 02 03 04", {.type = 0xfe, .code = 0xdc}, 0},
};

static void fill_checksum(uint8_t *b, size_t n)
{
    struct tern_sum sum = {0};

    tern_sum_add(&sum, b, n);
    tern_put_be16(b + 2, tern_sum_finish(&sum));
}

static bool same(const struct tern_icmp *a, const struct tern_icmp *b)
{
    return a->type == b->type && a->code == b->code && a->id == b->id &&
           a->sequence == b->sequence && a->mtu == b->mtu && a->pointer == b->pointer;
}

static void table(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        uint8_t b[64];
        size_t n = from_hex(rows[i].hex, b, sizeof b);
        struct tern_icmp icmp;
        tern_span in, body;

        fill_checksum(b, n);
        in = guarded(b, n);
        if (!tern_icmp_parse(in, &icmp, &body))
            fail_msg("%s: refused", rows[i].name);
        if (!same(&icmp, &rows[i].expected) || body.bytes != rows[i].body_bytes)
            fail_msg("%s: wrong value", rows[i].name);
        assert_ptr_equal(body.data, in.data + TERN_ICMP_BYTES);
    }
}

/* Cut anywhere, or with any bit turned over, no message passes: the checksum covers all of it. */
static void damage_is_noticed(void **state)
{
    uint8_t b[11];
    struct tern_icmp icmp;
    tern_span body;

    (void)state;
    from_hex(rows[0].hex, b, sizeof b);
    fill_checksum(b, sizeof b);
    for (size_t cut = 0; cut < sizeof b; cut++)
        assert_false(tern_icmp_parse(guarded(b, cut), &icmp, &body));
    for (unsigned bit = 0; bit < sizeof b * 8; bit++) {
        b[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_false(tern_icmp_parse(guarded(b, sizeof b), &icmp, &body));
        b[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_true(tern_icmp_parse(guarded(b, sizeof b), &icmp, &body));
}

static void short_even_with_a_good_sum(void **state)
{
    (void)state;
    for (size_t n = 4; n <= TERN_ICMP_BYTES; n++) {
        uint8_t b[TERN_ICMP_BYTES] = {8};
        struct tern_icmp icmp;
        tern_span body;

        fill_checksum(b, n);
        assert_int_equal(tern_icmp_parse(guarded(b, n), &icmp, &body), n == TERN_ICMP_BYTES);
    }
}

/* A value with the fields that its type has, and only those. */
static struct tern_icmp any_icmp(struct tern_random *r)
{
    static const uint8_t types[] = {0, 3, 5, 8, 11, 12, 77};
    struct tern_icmp icmp = {.type = types[tern_random_below(r, ROWS(types))],
                             .code = (uint8_t)tern_random_below(r, 16)};

    if (icmp.type == TERN_ICMP_ECHO_REQUEST || icmp.type == TERN_ICMP_ECHO_REPLY) {
        icmp.id = (uint16_t)tern_random_u32(r);
        icmp.sequence = (uint16_t)tern_random_u32(r);
    }
    if (icmp.type == TERN_ICMP_UNREACHABLE && icmp.code == TERN_ICMP_FRAGMENTATION_NEEDED)
        icmp.mtu = (uint16_t)tern_random_u32(r);
    if (icmp.type == TERN_ICMP_PARAMETER_PROBLEM)
        icmp.pointer = (uint8_t)tern_random_u32(r);
    return icmp;
}

static void both_ways(void **state)
{
    struct tern_random r;

    (void)state;
    tern_random_init(&r, "wire", 4, "icmp");
    for (unsigned round = 0; round < 3000; round++) {
        struct tern_icmp in = any_icmp(&r), out;
        uint8_t data[100], b[TERN_ICMP_BYTES + sizeof data];
        size_t bytes = tern_random_below(&r, sizeof data + 1);
        struct tern_writer w = tern_writer_of(b, sizeof b);
        tern_span body;

        tern_random_bytes(&r, data, bytes);
        tern_icmp_emit(&in, tern_span_of(data, bytes), &w);
        assert_false(w.failed);
        assert_int_equal(w.bytes, TERN_ICMP_BYTES + bytes);
        assert_true(tern_icmp_parse(guarded(b, w.bytes), &out, &body));
        assert_true(same(&in, &out));
        assert_int_equal(body.bytes, bytes);
        assert_memory_equal(body.data, data, bytes);
    }
}

static void emit_one(struct tern_writer *w)
{
    const struct tern_icmp icmp = {.type = TERN_ICMP_ECHO_REQUEST, .id = 7, .sequence = 9};

    tern_icmp_emit(&icmp, tern_span_of("abcde", 5), w);
}

static void emit_respects_its_room(void **state)
{
    (void)state;
    check_small_rooms(emit_one, TERN_ICMP_BYTES + 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table),
        cmocka_unit_test(damage_is_noticed),
        cmocka_unit_test(short_even_with_a_good_sum),
        cmocka_unit_test(both_ways),
        cmocka_unit_test(emit_respects_its_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
