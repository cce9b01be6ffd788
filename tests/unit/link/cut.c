/* SPDX-License-Identifier: BSD-2-Clause */
/* Super-segments cut into frames: lengths, numbers, flags, checksums; and the header finder. */
#include "link/cut.h"

#include "frames.h"
#include "link/frame.h"

static uint8_t whole[70000], piece[70000], data[65000];

static struct segment example(size_t bytes)
{
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 7 + i / 256);
    return (struct segment){.src_mac = {{2, 0, 0, 0, 0, 1}},
                            .dst_mac = {{2, 0, 0, 0, 0, 2}},
                            .src = tern_addr_v4(10, 0, 0, 1),
                            .dst = tern_addr_v4(10, 0, 0, 2),
                            .sport = 1,
                            .dport = 2,
                            .seq = 0xfffffff0, /* wraps on the way */
                            .ack = 77,
                            .flags = ACK | PSH | FIN | 0x80 /* CWR */,
                            .window = 1000,
                            .mss = 1000, /* an option, to be copied too */
                            .data = data,
                            .bytes = bytes};
}

static void lengths_and_contents(void **state)
{
    static const struct {
        size_t bytes, step;
        int frames;
    } row[] = {{1, 1460, 1}, {1460, 1460, 1}, {1461, 1460, 2}, {60000, 1448, 42}, {20, 1, 20}};

    (void)state;
    for (size_t i = 0; i < ROWS(row); i++) {
        struct segment s = example(row[i].bytes);
        struct tern_frame f = tcp_unfinished(whole, &s);
        size_t header = f.bytes - row[i].bytes;
        struct tern_cut cut;
        size_t done = 0, n;
        int frames = 0;

        assert_true(tern_cut_init(&cut, whole, f.bytes, row[i].step));
        assert_int_equal(cut.header_bytes, header);
        while ((n = tern_cut_next(&cut, piece)) > 0) {
            bool last = done + n - header == row[i].bytes;
            uint8_t expected = (uint8_t)(ACK | (last ? PSH | FIN : 0) | (done == 0 ? 0x80 : 0));

            assert_true(n - header <= row[i].step);
            assert_true(checksums_right(piece, n));
            assert_int_equal(tern_get_be16(piece + ETH + 4), 7 + frames);
            assert_int_equal(tern_get_be32(piece + ETH + IP + 4), (uint32_t)(s.seq + done));
            assert_int_equal(piece[ETH + IP + 13], expected);
            assert_memory_equal(piece + header, data + done, n - header);
            done += n - header;
            frames++;
        }
        assert_int_equal(done, row[i].bytes);
        assert_int_equal(frames, row[i].frames);
    }
}

/* Whatever is not TCP over IPv4, or is cut off in its headers, is refused. */
static void not_a_super_segment(void **state)
{
    struct segment s = example(100);
    size_t bytes = put_tcp(whole, &s);
    struct tern_cut cut;

    (void)state;
    assert_true(tern_cut_init(&cut, whole, bytes, 10));
    assert_false(tern_cut_init(&cut, whole, bytes, 0));
    for (size_t n = 0; n <= bytes - 100; n++)
        assert_false(tern_cut_init(&cut, whole, n, 10));
    whole[ETH + 9] = 17;
    assert_false(tern_cut_init(&cut, whole, bytes, 10));
    whole[ETH + 9] = 6;
    whole[ETH] = 0x44; /* a header of 16 bytes */
    assert_false(tern_cut_init(&cut, whole, bytes, 10));
    whole[ETH] = 0x45;
    whole[ETH + IP + 12] = 0x40;
    assert_false(tern_cut_init(&cut, whole, bytes, 10));
    put_arp(whole, 1, everybody, s.src, s.dst);
    assert_false(tern_cut_init(&cut, whole, ARP_BYTES, 10));
}

static void checksums_filled_in(void **state)
{
    struct segment s = example(333);
    struct tern_frame f = tcp_unfinished(whole, &s);

    (void)state;
    assert_false(checksums_right(whole, f.bytes));
    assert_false(tern_frame_fill_checksum(whole, f.bytes, 65535, 65535));
    assert_false(tern_frame_fill_checksum(whole, f.bytes, (uint16_t)(f.bytes - 1), 0));
    assert_true(tern_frame_fill_checksum(whole, f.bytes, f.csum_start, f.csum_offset));
    assert_true(checksums_right(whole, f.bytes));
}

/* Where the sum comes to nothing: RFC 768 writes all ones, TCP (RFC 9293 §3.1) what came out. */
static void checksum_of_zero(void **state)
{
    static const struct {
        uint16_t offset, stored;
    } row[] = {{16, 0}, {6, 0xffff}};

    (void)state;
    for (size_t i = 0; i < ROWS(row); i++) {
        uint8_t header[20] = {0x12, 0x34, 0xed, 0xcb};

        assert_true(tern_frame_fill_checksum(header, sizeof header, 0, row[i].offset));
        assert_int_equal(tern_get_be16(header + row[i].offset), row[i].stored);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lengths_and_contents),
        cmocka_unit_test(not_a_super_segment),
        cmocka_unit_test(checksums_filled_in),
        cmocka_unit_test(checksum_of_zero),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
