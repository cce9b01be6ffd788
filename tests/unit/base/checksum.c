/* SPDX-License-Identifier: BSD-2-Clause */
/* The Internet checksum against RFC 1071's example and against the plainest possible version. */
#include "base/checksum.h"
#include "base/random.h"
#include "test.h"

#define DATA_BYTES 4096

static uint8_t data[DATA_BYTES + 64];

/* Two bytes at a time, most significant first, an odd last one padded with zero. */
static uint16_t naive(const uint8_t *p, size_t bytes)
{
    uint64_t total = 0;

    for (size_t i = 0; i < bytes; i++)
        total += i % 2 == 0 ? (uint64_t)p[i] << 8 : p[i];
    while (total > 0xffff)
        total = (total & 0xffff) + (total >> 16);
    return (uint16_t)total;
}

static uint16_t whole(const uint8_t *p, size_t bytes)
{
    struct tern_sum sum = {0};

    tern_sum_add(&sum, p, bytes);
    assert_int_equal(sum.odd, bytes % 2);
    return tern_sum_fold(&sum);
}

static void rfc_example(void **state)
{
    static const uint8_t b[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
    struct tern_sum sum = {0};

    (void)state;
    tern_sum_add(&sum, b, sizeof b); /* RFC 1071 §3 */
    assert_int_equal(tern_sum_fold(&sum), 0xddf2);
    assert_int_equal(tern_sum_finish(&sum), 0x220d);
}

static void edges(void **state)
{
    static uint8_t ones[70000];
    struct tern_sum sum = {0};

    (void)state;
    assert_int_equal(tern_sum_fold(&sum), 0);
    assert_int_equal(tern_sum_finish(&sum), 0xffff);
    assert_int_equal(whole(ones, sizeof ones), 0);
    memset(ones, 0xff, sizeof ones);
    for (size_t bytes = 1; bytes <= 200; bytes++)
        assert_int_equal(whole(ones, bytes), naive(ones, bytes));
    assert_int_equal(whole(ones, sizeof ones), 0xffff);
}

static void every_length_and_alignment(void **state)
{
    struct tern_random r;

    (void)state;
    tern_random_init(&r, "checksum", 8, "data");
    tern_random_bytes(&r, data, sizeof data);
    for (size_t align = 0; align < 16; align++)
        for (size_t bytes = 0; bytes <= 260; bytes++)
            assert_int_equal(whole(data + align, bytes), naive(data + align, bytes));
}

static void any_split_gives_the_same(void **state)
{
    struct tern_random r;

    (void)state;
    tern_random_init(&r, "checksum", 8, "split");
    for (unsigned round = 0; round < 3000; round++) {
        size_t start = tern_random_below(&r, 64);
        size_t bytes = tern_random_below(&r, round % 2 == 0 ? 80 : DATA_BYTES);
        struct tern_sum sum = {0};
        size_t done = 0;

        tern_random_bytes(&r, data, 128);
        while (done < bytes) {
            size_t piece = tern_random_below(&r, bytes - done + 1);

            tern_sum_add(&sum, data + start + done, piece);
            done += piece;
            assert_int_equal(sum.odd, done % 2);
        }
        assert_int_equal(tern_sum_fold(&sum), naive(data + start, bytes));
    }
}

static void single_values(void **state)
{
    struct tern_sum sum = {0};
    static const uint8_t b[] = {0xfe, 0xdc, 0x12, 0x34, 0x56, 0x78};

    (void)state;
    tern_sum_add_be16(&sum, 0xfedc);
    tern_sum_add_be32(&sum, 0x12345678);
    assert_int_equal(tern_sum_fold(&sum), naive(b, sizeof b));
}

static void pseudo_header_v4(void **state)
{
    /* RFC 9293 §3.1: source, destination, zero, protocol, length */
    static const uint8_t b[] = {10, 0, 0, 1, 192, 168, 255, 2, 0, 6, 0x12, 0x34};
    struct tern_sum sum = {0};

    (void)state;
    tern_sum_add_pseudo(&sum, tern_addr_v4(10, 0, 0, 1), tern_addr_v4(192, 168, 255, 2), 6, 0x1234);
    assert_false(sum.odd);
    assert_int_equal(tern_sum_fold(&sum), naive(b, sizeof b));
}

static void pseudo_header_v6(void **state)
{
    struct tern_addr src, dst;
    struct tern_sum sum = {0};
    uint8_t b[40];

    (void)state;
    assert_int_equal(tern_addr_parse("2001:db8::1:2", &src), TERN_ERR_OK);
    assert_int_equal(tern_addr_parse("fe80::abcd:ef01", &dst), TERN_ERR_OK);
    memcpy(b, src.b, 16);
    memcpy(b + 16, dst.b, 16);
    memcpy(b + 32, "\x00\x01\x11\x70\x00\x00\x00\x11", 8); /* RFC 8200 §8.1: length, next header */
    tern_sum_add_pseudo(&sum, src, dst, 17, 70000);
    assert_int_equal(tern_sum_fold(&sum), naive(b, sizeof b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc_example),
        cmocka_unit_test(edges),
        cmocka_unit_test(every_length_and_alignment),
        cmocka_unit_test(any_split_gives_the_same),
        cmocka_unit_test(single_values),
        cmocka_unit_test(pseudo_header_v4),
        cmocka_unit_test(pseudo_header_v6),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
