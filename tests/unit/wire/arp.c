/* SPDX-License-Identifier: BSD-2-Clause */
/* ARP packets (RFC 826): IPv4 over Ethernet and other things, every truncation, both ways. */
#include "wire/arp.h"
#include "base/random.h"
#include "test.h"

#define ENDS "02 00 00 00 00 01 0a 00 00 01 00 00 00 00 00 00 0a 00 00 02"

static const struct {
    const char *name, *hex;
    bool ok;
    uint16_t op;
} rows[] = {
    {"empty", "", false, 0},
    {"request", "00 01 08 00 06 04 00 01 " ENDS, true, 1},
    {"reply", "00 01 08 00 06 04 00 02 " ENDS, true, 2},
    {"padded", "00 01 08 00 06 04 00 02 " ENDS " 00 00 00 00 ff", true, 2},
    {"an operation nobody knows", "00 01 08 00 06 04 12 34 " ENDS, true, 0x1234},
    {"27 bytes", "00 01 08 00 06 04 00 01 02 00 00 00 00 01 0a 00 00 01 00 00 00 00 00 00 0a 00 00",
     false, 0},
    {"IEEE 802 hardware", "00 06 08 00 06 04 00 01 " ENDS, false, 0},
    {"IPv6 protocol", "00 01 86 dd 06 04 00 01 " ENDS, false, 0},
    {"8-byte hardware", "00 01 08 00 08 04 00 01 " ENDS, false, 0},
    {"0-byte hardware", "00 01 08 00 00 04 00 01 " ENDS, false, 0},
    {"16-byte protocol", "00 01 08 00 06 10 00 01 " ENDS, false, 0},
};

static void table(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        uint8_t b[64];
        struct tern_arp arp;
        bool ok = tern_arp_parse(guarded(b, from_hex(rows[i].hex, b, sizeof b)), &arp);

        if (ok != rows[i].ok)
            fail_msg("%s: %s", rows[i].name, ok ? "let through" : "refused");
        if (!ok)
            continue;
        assert_int_equal(arp.op, rows[i].op);
        assert_memory_equal(arp.sender_mac.b, "\x02\x00\x00\x00\x00\x01", 6);
        assert_memory_equal(arp.target_mac.b, "\x00\x00\x00\x00\x00\x00", 6);
        assert_true(tern_addr_equal(arp.sender, tern_addr_v4(10, 0, 0, 1)));
        assert_true(tern_addr_equal(arp.target, tern_addr_v4(10, 0, 0, 2)));
    }
}

static void every_truncation(void **state)
{
    uint8_t b[64];
    size_t n = from_hex(rows[3].hex, b, sizeof b);

    (void)state;
    for (size_t cut = 0; cut <= n; cut++) {
        struct tern_arp arp;

        assert_int_equal(tern_arp_parse(guarded(b, cut), &arp), cut >= TERN_ARP_BYTES);
    }
}

static void both_ways(void **state)
{
    struct tern_random r;

    (void)state;
    tern_random_init(&r, "wire", 4, "arp");
    for (unsigned round = 0; round < 2000; round++) {
        struct tern_arp in, out;
        uint8_t b[TERN_ARP_BYTES];
        struct tern_writer w = tern_writer_of(b, sizeof b);

        in.op = (uint16_t)tern_random_u32(&r);
        in.sender = tern_addr_from_be32(tern_random_u32(&r));
        in.target = tern_addr_from_be32(tern_random_u32(&r));
        tern_random_bytes(&r, &in.sender_mac, sizeof in.sender_mac);
        tern_random_bytes(&r, &in.target_mac, sizeof in.target_mac);
        tern_arp_emit(&in, &w);
        assert_false(w.failed);
        assert_int_equal(w.bytes, TERN_ARP_BYTES);
        assert_true(tern_arp_parse(tern_span_of(b, sizeof b), &out));
        assert_int_equal(in.op, out.op);
        assert_true(tern_mac_equal(in.sender_mac, out.sender_mac));
        assert_true(tern_mac_equal(in.target_mac, out.target_mac));
        assert_true(tern_addr_equal(in.sender, out.sender));
        assert_true(tern_addr_equal(in.target, out.target));
    }
}

static void emit_one(struct tern_writer *w)
{
    const struct tern_arp arp = {.op = TERN_ARP_REQUEST,
                                 .sender = tern_addr_v4(0, 0, 0, 0),
                                 .target = tern_addr_v4(10, 0, 0, 1)};

    tern_arp_emit(&arp, w);
}

static void emit_respects_its_room(void **state)
{
    (void)state;
    check_small_rooms(emit_one, TERN_ARP_BYTES);
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
