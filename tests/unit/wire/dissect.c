/* SPDX-License-Identifier: BSD-2-Clause */
/* Packets of captures, read down to what IP carries: each link, each header, every truncation. */
#include "wire/dissect.h"
#include "base/random.h"
#include "test.h"

#define MACS "02 00 00 00 00 01 02 00 00 00 00 02 "
#define IP4  "45 00 00 1c 00 07 40 00 40 06 00 00 0a 00 00 01 0a 00 00 02 "
#define BODY "01 02 03 04 05 06 07 08"
#define IP6(length, next)                                                                          \
    "60 00 00 00 00 " length " " next " 40 fd 00 00 00 00 00 00 00 00 00 00 00 00 00 00 01 "       \
    "fd 00 00 00 00 00 00 00 00 00 00 00 00 00 00 02 "
#define ETH TERN_DISSECT_ETHERNET

static const struct row {
    const char *name, *hex;
    enum tern_dissect_link link;
    enum tern_dissect_kind kind;
    size_t body_bytes;
    bool fragment;
} rows[] = {
    {"IPv4", MACS "08 00 " IP4 BODY, ETH, TERN_DISSECT_IP, 8, false},
    {"padded", MACS "08 00 " IP4 BODY "00 00 00 00 00 00 00 00 00 00", ETH, TERN_DISSECT_IP, 8,
     false},
    {"QinQ", MACS "88 a8 00 01 81 00 00 02 08 00 " IP4 BODY, ETH, TERN_DISSECT_IP, 8, false},
    {"five tags", MACS "81 00 00 01 81 00 00 01 81 00 00 01 81 00 00 01 81 00 00 01 08 00 " IP4,
     ETH, TERN_DISSECT_OTHER, 0, false},
    {"PPPoE", MACS "88 64 11 00 00 01 00 1e 00 21 " IP4 BODY, ETH, TERN_DISSECT_IP, 8, false},
    {"cooked", "00 00 00 01 00 06 02 00 00 00 00 01 00 00 08 00 " IP4 BODY, TERN_DISSECT_COOKED,
     TERN_DISSECT_IP, 8, false},
    {"cooked 2", "08 00 00 00 00 00 00 01 00 01 00 06 02 00 00 00 00 01 00 00 " IP4 BODY,
     TERN_DISSECT_COOKED2, TERN_DISSECT_IP, 8, false},
    {"raw IPv4", IP4 BODY, TERN_DISSECT_RAW, TERN_DISSECT_IP, 8, false},
    {"raw IPv6", IP6("08", "06") BODY, TERN_DISSECT_RAW, TERN_DISSECT_IP, 8, false},
    {"raw nonsense", "00 01 02 03", TERN_DISSECT_RAW, TERN_DISSECT_OTHER, 0, false},
    {"loopback, little", "02 00 00 00 " IP4 BODY, TERN_DISSECT_LOOPBACK, TERN_DISSECT_IP, 8, false},
    {"loopback, big", "00 00 00 02 " IP4 BODY, TERN_DISSECT_LOOPBACK, TERN_DISSECT_IP, 8, false},
    {"loopback, FreeBSD's IPv6", "1c 00 00 00 " IP6("08", "06") BODY, TERN_DISSECT_LOOPBACK,
     TERN_DISSECT_IP, 8, false},
    {"loopback, another family", "07 00 00 00 " IP4, TERN_DISSECT_LOOPBACK, TERN_DISSECT_OTHER, 0,
     false},
    {"extension headers", IP6("18", "00") "3c 00 00 00 00 00 00 00 06 00 00 00 00 00 00 00 " BODY,
     TERN_DISSECT_RAW, TERN_DISSECT_IP, 8, false},
    {"authentication", IP6("14", "33") "06 01 00 00 00 00 00 00 00 00 00 00 " BODY,
     TERN_DISSECT_RAW, TERN_DISSECT_IP, 8, false},
    {"first fragment", IP6("10", "2c") "06 00 00 01 00 00 00 07 " BODY, TERN_DISSECT_RAW,
     TERN_DISSECT_IP, 8, false},
    {"later fragment", IP6("10", "2c") "06 00 00 11 00 00 00 07 " BODY, TERN_DISSECT_RAW,
     TERN_DISSECT_IP, 8, true},
    {"IPv4's later fragment", "45 00 00 1c 00 07 20 10 40 06 00 00 0a 00 00 01 0a 00 00 02 " BODY,
     TERN_DISSECT_RAW, TERN_DISSECT_IP, 8, true},
    {"length 0: a super-segment",
     "45 00 00 00 00 07 40 00 40 06 00 00 0a 00 00 01 0a 00 00 02 " BODY, TERN_DISSECT_RAW,
     TERN_DISSECT_IP, 8, false},
    {"options", "46 00 00 20 00 07 40 00 40 06 00 00 0a 00 00 01 0a 00 00 02 01 01 01 01 " BODY,
     TERN_DISSECT_RAW, TERN_DISSECT_IP, 8, false},
    {"a header of 16 bytes", "44 00 00 1c 00 07 40 00 40 06 00 00 0a 00 00 01 0a 00 00 02 " BODY,
     TERN_DISSECT_RAW, TERN_DISSECT_BAD, 0, false},
    {"shorter than its header", "45 00 00 10 00 07 40 00 40 06 00 00 0a 00 00 01 0a 00 00 02 " BODY,
     TERN_DISSECT_RAW, TERN_DISSECT_BAD, 0, false},
    {"ARP", MACS "08 06 00 01", ETH, TERN_DISSECT_ARP, 2, false},
    {"neither", MACS "88 cc 00 01", ETH, TERN_DISSECT_OTHER, 0, false},
};

static void table(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        uint8_t b[160];
        size_t n = from_hex(rows[i].hex, b, sizeof b);
        struct tern_dissect d;

        tern_dissect(rows[i].link, guarded(b, n), n, &d);
        if (d.kind != rows[i].kind || d.body_bytes != rows[i].body_bytes ||
            d.later_fragment != rows[i].fragment)
            fail_msg("%s: kind %d, body of %zu", rows[i].name, d.kind, d.body_bytes);
        if (d.kind == TERN_DISSECT_IP) {
            assert_int_equal(d.body.bytes, 8);
            assert_int_equal(d.body.data[7], 8);
            assert_int_equal(d.src.b[15], 1);
            assert_int_equal(d.dst.b[15], 2);
            if (!rows[i].fragment)
                assert_int_equal(d.protocol, 6);
        }
    }
}

/* Cut when captured: lengths are still those of the headers, and what is not there is not read.
 * With its headers whole it is what it was. */
static void every_truncation(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        uint8_t b[160];
        size_t n = from_hex(rows[i].hex, b, sizeof b);
        struct tern_dissect whole;

        tern_dissect(rows[i].link, tern_span_of(b, n), n, &whole);
        for (size_t cut = 0; cut < n; cut++) {
            struct tern_dissect d;

            tern_dissect(rows[i].link, guarded(b, cut), n, &d);
            if (whole.kind == TERN_DISSECT_IP && b + cut >= whole.body.data &&
                d.kind != TERN_DISSECT_IP)
                fail_msg("%s, cut at %zu: kind %d", rows[i].name, cut, d.kind);
            if (d.kind == TERN_DISSECT_IP && d.body_bytes != rows[i].body_bytes)
                fail_msg("%s, cut at %zu: a body of %zu", rows[i].name, cut, d.body_bytes);
            if (d.kind == TERN_DISSECT_IP)
                assert_true(d.body.bytes <= d.body_bytes);
        }
    }
}

static void any_bytes(void **state)
{
    struct tern_random random;

    (void)state;
    tern_random_init(&random, "dissect", 7, "bytes");
    for (unsigned i = 0; i < 20000; i++) {
        uint8_t b[128];
        size_t n = tern_random_below(&random, sizeof b + 1);
        struct tern_dissect d;

        tern_random_bytes(&random, b, sizeof b);
        if (i % 3 > 0) /* mostly something that looks like IP */
            memcpy(b + 12, i % 3 == 1 ? "\x08\x00\x45" : "\x86\xdd\x60", 3);
        tern_dissect((enum tern_dissect_link)(i % 5), guarded(b, n), n, &d);
        assert_true(d.body.bytes <= n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table),
        cmocka_unit_test(every_truncation),
        cmocka_unit_test(any_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
