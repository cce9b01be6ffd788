/* SPDX-License-Identifier: BSD-2-Clause */
/* Ethernet headers (RFC 894): plain and tagged, every truncation, both ways. */
#include "wire/eth.h"
#include "base/random.h"
#include "test.h"

#define MACS "02 00 00 00 00 01 02 00 00 00 00 02 "

static const struct {
    const char *name, *hex;
    bool ok;
    uint16_t type;
    size_t header_bytes;
    uint16_t vlan;
} rows[] = {
    {"empty", "", false, 0, 0, 0},
    {"13 bytes", MACS "08", false, 0, 0, 0},
    {"header alone", MACS "08 00", true, 0x0800, 14, 0},
    {"ARP with a body", MACS "08 06 aa bb", true, 0x0806, 14, 0},
    {"unknown type", MACS "12 34 aa", true, 0x1234, 14, 0},
    {"802.3 length", MACS "00 40 aa", true, 0x0040, 14, 0},
    {"802.1Q", MACS "81 00 60 05 08 00 aa bb cc", true, 0x0800, 18, 5},
    {"802.1ad", MACS "88 a8 00 01 86 dd aa", true, 0x86dd, 18, 1},
    {"802.1ad, 802.1Q", MACS "88 a8 00 01 81 00 00 02 08 06 aa", true, 0x0806, 22, 1},
    {"a priority, then a VLAN", MACS "88 a8 60 00 81 00 a0 07 08 00 aa", true, 0x0800, 22, 7},
    {"priorities", MACS "88 a8 60 00 81 00 a0 00 08 00 aa", true, 0x0800, 22, 0},
    {"tag cut off", MACS "81 00 60", false, 0, 0, 0},
    {"type behind the tag cut off", MACS "81 00 60 05 08", false, 0, 0, 0},
    {"second tag cut off", MACS "81 00 60 05 81 00 00 01 08", false, 0, 0, 0},
    {"a third tag", MACS "81 00 00 01 81 00 00 02 81 00 00 03 08 00", true, 0x8100, 22, 1},
};

static void table(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        uint8_t b[64];
        size_t n = from_hex(rows[i].hex, b, sizeof b);
        tern_span in = guarded(b, n), body;
        struct tern_eth eth;

        if (tern_eth_parse(in, &eth, &body) != rows[i].ok)
            fail_msg("%s: %s", rows[i].name, rows[i].ok ? "refused" : "let through");
        if (!rows[i].ok)
            continue;
        if (eth.type != rows[i].type || body.bytes != n - rows[i].header_bytes)
            fail_msg("%s: type %04x, body %zu", rows[i].name, eth.type, body.bytes);
        if (tern_eth_vlan(in) != rows[i].vlan)
            fail_msg("%s: VLAN %u", rows[i].name, tern_eth_vlan(in));
        assert_ptr_equal(body.data, in.data + rows[i].header_bytes);
        assert_memory_equal(eth.dst.b, "\x02\x00\x00\x00\x00\x01", 6);
        assert_memory_equal(eth.src.b, "\x02\x00\x00\x00\x00\x02", 6);
    }
}

static void every_truncation(void **state)
{
    uint8_t b[64];

    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        size_t n = from_hex(rows[i].hex, b, sizeof b);

        for (size_t cut = 0; cut <= n; cut++) {
            struct tern_eth eth;
            tern_span body;
            bool ok = tern_eth_parse(guarded(b, cut), &eth, &body);

            assert_int_equal(ok, rows[i].ok && cut >= rows[i].header_bytes);
        }
    }
}

static void both_ways(void **state)
{
    struct tern_random r;

    (void)state;
    tern_random_init(&r, "wire", 4, "eth");
    for (unsigned round = 0; round < 2000; round++) {
        struct tern_eth in = {0}, out;
        uint8_t b[TERN_ETH_BYTES];
        struct tern_writer w = tern_writer_of(b, sizeof b);
        tern_span body;

        tern_random_bytes(&r, &in.dst, sizeof in.dst);
        tern_random_bytes(&r, &in.src, sizeof in.src);
        in.type = (uint16_t)tern_random_below(&r, 0x8100);
        tern_eth_emit(&in, &w);
        assert_false(w.failed);
        assert_int_equal(w.bytes, TERN_ETH_BYTES);
        assert_true(tern_eth_parse(tern_span_of(b, sizeof b), &out, &body));
        assert_true(tern_mac_equal(in.dst, out.dst));
        assert_true(tern_mac_equal(in.src, out.src));
        assert_int_equal(in.type, out.type);
        assert_int_equal(body.bytes, 0);
    }
}

static void emit_one(struct tern_writer *w)
{
    const struct tern_eth eth = {.dst = tern_mac_broadcast, .type = TERN_ETHERTYPE_ARP};

    tern_eth_emit(&eth, w);
}

static void emit_respects_its_room(void **state)
{
    (void)state;
    check_small_rooms(emit_one, TERN_ETH_BYTES);
    assert_memory_equal(guarded_room(TERN_ETH_BYTES), "\xff\xff\xff\xff\xff\xff", 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table),
        cmocka_unit_test(every_truncation),
        cmocka_unit_test(both_ways),
        cmocka_unit_test(emit_respects_its_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
