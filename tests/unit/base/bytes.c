/* SPDX-License-Identifier: BSD-2-Clause */
/* Big-endian getters and putters, the bounded reader and writer, spans. */
#include "base/bytes.h"
#include "test.h"

static void getters_read_most_significant_first(void **state)
{
    static const uint8_t b[] = {0x81, 0x02, 0xf3, 0x04};
    uint8_t out[4];

    (void)state;
    assert_int_equal(tern_get_be16(b), 0x8102);
    assert_int_equal(tern_get_be32(b), 0x8102f304);
    tern_put_be16(out, 0xfe01);
    assert_memory_equal(out, "\xfe\x01", 2);
    tern_put_be32(out, 0xfe010203);
    assert_memory_equal(out, "\xfe\x01\x02\x03", 4);
}

static void spans_cut(void **state)
{
    static const uint8_t b[5] = {1, 2, 3, 4, 5};
    tern_span s = tern_span_of(b, sizeof b);

    (void)state;
    assert_ptr_equal(tern_span_from(s, 2).data, b + 2);
    assert_int_equal(tern_span_from(s, 2).bytes, 3);
    assert_int_equal(tern_span_from(s, 5).bytes, 0);
    assert_int_equal(tern_span_first(s, 2).bytes, 2);
    assert_int_equal(tern_span_first(s, 9).bytes, 5);
}

static void reader_stays_failed(void **state)
{
    static const uint8_t b[] = {1, 2, 3, 4, 5, 6, 7, 8};
    struct tern_reader r = tern_reader_of(tern_span_of(b, sizeof b));

    (void)state;
    assert_int_equal(tern_read_u8(&r), 1);
    assert_int_equal(tern_read_be16(&r), 0x0203);
    assert_int_equal(tern_read_be32(&r), 0x04050607);
    assert_false(r.failed);
    assert_int_equal(tern_read_be16(&r), 0);
    assert_true(r.failed);
    assert_int_equal(tern_read_u8(&r), 0); /* though one byte is left */
    assert_null(tern_read_bytes(&r, 0));
    assert_int_equal(r.left.bytes, 1);
}

static void reader_takes_the_last_byte(void **state)
{
    static const uint8_t b[] = {1, 2, 3, 4};
    struct tern_reader r = tern_reader_of(tern_span_of(b, sizeof b));

    (void)state;
    assert_int_equal(tern_read_be32(&r), 0x01020304);
    assert_false(r.failed);
    assert_int_equal(r.left.bytes, 0);
    assert_non_null(tern_read_bytes(&r, 0));
    assert_null(tern_read_bytes(&r, SIZE_MAX));
    assert_true(r.failed);
}

static void writer_stays_failed(void **state)
{
    uint8_t b[9];
    struct tern_writer w = tern_writer_of(b, 8);

    (void)state;
    memset(b, 0xee, sizeof b);
    tern_write_u8(&w, 1);
    tern_write_be16(&w, 0x0203);
    tern_write_be32(&w, 0x04050607);
    assert_false(w.failed);
    assert_int_equal(w.bytes, 7);
    tern_write_be16(&w, 0xffff);
    assert_true(w.failed);
    tern_write_u8(&w, 0xff);
    tern_write_bytes(&w, "x", 1);
    assert_int_equal(w.bytes, 7);
    assert_memory_equal(b, "\x01\x02\x03\x04\x05\x06\x07\xee\xee", 9);
}

static void writer_fills_to_the_brim(void **state)
{
    uint8_t b[4];
    struct tern_writer w = tern_writer_of(b, sizeof b);

    (void)state;
    tern_write_bytes(&w, "abcd", 4);
    tern_write_bytes(&w, NULL, 0);
    assert_false(w.failed);
    assert_int_equal(w.bytes, 4);
    assert_memory_equal(b, "abcd", 4);
    assert_null(tern_write_room(&w, SIZE_MAX));
    assert_true(w.failed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(getters_read_most_significant_first),
        cmocka_unit_test(spans_cut),
        cmocka_unit_test(reader_stays_failed),
        cmocka_unit_test(reader_takes_the_last_byte),
        cmocka_unit_test(writer_stays_failed),
        cmocka_unit_test(writer_fills_to_the_brim),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
