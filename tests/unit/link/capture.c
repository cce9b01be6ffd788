/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Captures: the bytes of the blocks by hand, then a whole file judged by tshark where there is one:
 * times, comments, directions, checksums. And what happens when the disk is full.
 */
#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "frames.h"
#include "link/pcapng.h"

static uint8_t data[70000];

static uint32_t le32(const uint8_t *p)
{
    return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

static void packet_block(void **state)
{
    const struct tern_pcapng_packet packet = {
        .unix_ns = INT64_C(0x0102030405060708), .outbound = true, .comment = "why", .bytes = 5};
    static const uint8_t expected[] = {
        6,   0,   0,   0,   60,  0,   0,   0, 0, 0, 0, 0, /* type, length, interface */
        4,   3,   2,   1,   8,   7,   6,   5,             /* time */
        5,   0,   0,   0,   5,   0,   0,   0,             /* lengths */
        'h', 'e', 'l', 'l', 'o', 0,   0,   0,             /* padded */
        1,   0,   3,   0,   'w', 'h', 'y', 0,             /* opt_comment */
        2,   0,   4,   0,   2,   0,   0,   0, 0, 0, 0, 0, /* epb_flags: outbound; the end */
        60,  0,   0,   0};
    struct tern_writer w = tern_writer_of(data, sizeof data);
    uint8_t *room = tern_pcapng_packet(&w, &packet);

    (void)state;
    assert_non_null(room);
    memcpy(room, "hello", 5);
    assert_int_equal(tern_pcapng_packet_bytes(&packet), sizeof expected);
    assert_int_equal(w.bytes, sizeof expected);
    assert_memory_equal(data, expected, sizeof expected);
    w = tern_writer_of(data, sizeof expected - 1);
    assert_null(tern_pcapng_packet(&w, &packet));
}

static void first_blocks(void **state)
{
    struct tern_link_info info = {.name = "lan:eth0", .mac = {{2, 1, 2, 3, 4, 5}}};
    struct tern_writer w = tern_writer_of(data, sizeof data);
    uint32_t section, interface;

    (void)state;
    tern_pcapng_begin(&w, "tern", &info);
    section = le32(data + 4);
    interface = le32(data + section + 4);
    assert_false(w.failed);
    assert_int_equal(le32(data), 0x0a0d0d0a);
    assert_int_equal(le32(data + 8), 0x1a2b3c4d);
    assert_int_equal(le32(data + section - 4), section);
    assert_int_equal(le32(data + section), 1);
    assert_int_equal(section + interface, w.bytes);
    assert_int_equal(le32(data + w.bytes - 4), interface);
    assert_int_equal(data[section + 8], 1); /* Ethernet */
}

struct bench {
    struct tern_link *ends[2], *capture;
    char path[64];
};

static void open_capture(struct bench *b, const char *path)
{
    const struct tern_link_mem_options options = {
        .mtu_bytes = 1500, .offloads = TERN_OFFLOAD_CSUM_TX | TERN_OFFLOAD_TSO4};

    assert_int_equal(tern_link_mem_open(&options, b->ends), TERN_ERR_OK);
    (void)snprintf(b->path, sizeof b->path, "%s", path);
    if (path[0] == '\0') {
        (void)snprintf(b->path, sizeof b->path, "/tmp/tern-capture-XXXXXX");
        assert_int_equal(close(mkstemp(b->path)), 0);
    }
    assert_int_equal(
        tern_link_capture_open(b->ends[0], b->path, 1700000000 * TERN_SECOND, &b->capture, NULL),
        TERN_ERR_OK);
}

static void close_capture(struct bench *b)
{
    b->capture->ops->close(b->capture);
    b->ends[1]->ops->close(b->ends[1]);
}

/* A little of everything: in, out, unfinished checksums, a super-segment. */
static void carry(struct bench *b)
{
    static uint8_t payload[20000];
    struct segment s = {.src_mac = {{2, 0, 0, 0, 0, 1}},
                        .dst_mac = {{2, 0, 0, 0, 0, 2}},
                        .src = tern_addr_v4(10, 0, 0, 1),
                        .dst = tern_addr_v4(10, 0, 0, 2),
                        .sport = 1000,
                        .dport = 2000,
                        .seq = 100,
                        .flags = SYN,
                        .window = 65535,
                        .data = payload};
    struct tern_frame f = tcp_unfinished(data, &s);

    f.cause = TERN_CAUSE_SYN;
    send_one(b->capture, 1, f);
    s.seq = 101;
    s.flags = ACK;
    s.ack = 1;
    s.bytes = sizeof payload;
    f = tcp_unfinished(data, &s);
    f.gso = TERN_GSO_TCP4;
    f.gso_bytes = 1460;
    f.header_bytes = ETH + IP + TCP;
    f.cause = TERN_CAUSE_APP_WRITE;
    send_one(b->capture, 2, f);
    s.bytes = 33;
    f = tcp_unfinished(data, &s);
    send_one(b->ends[1], 3, f);
    assert_int_equal(b->capture->ops->receive(b->capture, 123456789, &f, 1), 1);
    b->capture->ops->release(b->capture);
}

/* tshark's answer to a question about a file, or the test is skipped. */
static void ask_tshark(const char *path, const char *question, char *out, size_t max)
{
    char command[512];
    FILE *f;
    size_t n;

    if (system("command -v tshark >/dev/null 2>&1") != 0)
        skip();
    (void)snprintf(command, sizeof command, "timeout 60 tshark -r %s %s 2>/dev/null", path,
                   question);
    f = popen(command, "r");
    assert_non_null(f);
    n = fread(out, 1, max - 1, f);
    out[n] = '\0';
    assert_int_equal(pclose(f), 0);
}

static void judged_by_tshark(void **state)
{
    static const char expected[] =
        "1700000000.000000001\t54\t0x00000002\tthe application connects (RFC 9293 §3.5)\t1\t1\n"
        "1700000000.000000002\t20054\t0x00000002\tthe application wrote bytes and the windows "
        "allow them "
        "(RFC 9293 §3.8)\t1\t1\n"
        "1700000000.123456789\t87\t0x00000001\t\t1\t1\n";
    char answer[2048];
    struct bench b;

    (void)state;
    open_capture(&b, "");
    carry(&b);
    assert_int_equal(tern_link_capture_error(b.capture), 0);
    close_capture(&b);
    ask_tshark(b.path,
               "-o tcp.check_checksum:TRUE -o ip.check_checksum:TRUE -T fields "
               "-e frame.time_epoch -e frame.len -e frame.packet_flags_direction "
               "-e frame.comment -e ip.checksum.status -e tcp.checksum.status",
               answer, sizeof answer);
    (void)unlink(b.path);
    assert_string_equal(answer, expected);
}

/* Walk a file's blocks; returns how many there are, and fails where one is not whole. */
static int count_blocks(const char *path)
{
    static uint8_t file[1 << 20];
    FILE *f = fopen(path, "rb");
    size_t bytes, at = 0;
    int count = 0;

    assert_non_null(f);
    bytes = fread(file, 1, sizeof file, f);
    (void)fclose(f);
    for (; at < bytes; count++) {
        uint32_t length = le32(file + at + 4);

        assert_true(at + length <= bytes);
        assert_int_equal(le32(file + at + length - 4), length);
        at += length;
    }
    return count;
}

/* Writing fails in the middle of the second buffer: whole blocks are left, and frames still pass.
 */
static void a_full_disk_stops_the_capture_only(void **state)
{
    struct rlimit before, small;
    struct bench b;
    int sent = 0;

    (void)state;
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 300000;
    open_capture(&b, "");
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    for (; sent < 600; sent++) {
        struct tern_frame f = one_piece(data, 1000);

        send_one(b.capture, sent, f);
        assert_int_equal(b.ends[1]->ops->receive(b.ends[1], 0, &f, 1), 1);
        b.ends[1]->ops->release(b.ends[1]);
    }
    assert_int_equal(tern_link_capture_error(b.capture), EFBIG);
    close_capture(&b);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_true(count_blocks(b.path) > 200);
    assert_true(count_blocks(b.path) < 300);
    (void)unlink(b.path);
}

/* Frames reach the file a second after the first of them, without more traffic. */
static void flushed_in_time(void **state)
{
    struct tern_frame f = one_piece(data, 100);
    struct bench b;

    (void)state;
    open_capture(&b, "");
    assert_true(b.capture->ops->deadline(b.capture) == TERN_TIME_NEVER);
    send_one(b.capture, 5, f);
    assert_int_equal(count_blocks(b.path), 2);
    assert_true(b.capture->ops->deadline(b.capture) == TERN_SECOND + 5);
    assert_int_equal(b.capture->ops->receive(b.capture, TERN_SECOND + 5, &f, 1), 0);
    assert_int_equal(count_blocks(b.path), 3);
    assert_true(b.capture->ops->deadline(b.capture) == TERN_TIME_NEVER);
    close_capture(&b);
    (void)unlink(b.path);
}

static void refused_at_once(void **state)
{
    static const char *const path[] = {"/dev/full", "/nowhere/at/all"};
    const struct tern_link_mem_options options = {.mtu_bytes = 1500};

    (void)state;
    for (size_t i = 0; i < ROWS(path); i++) {
        char text[TERN_LINK_ERROR_MAX] = "";
        struct bench b;

        assert_int_equal(tern_link_mem_open(&options, b.ends), TERN_ERR_OK);
        assert_int_equal(tern_link_capture_open(b.ends[0], path[i], 0, &b.capture, text),
                         TERN_ERR_SYSTEM);
        assert_non_null(strstr(text, path[i]));
        b.ends[0]->ops->close(b.ends[0]);
        b.ends[1]->ops->close(b.ends[1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packet_block),     cmocka_unit_test(first_blocks),
        cmocka_unit_test(judged_by_tshark), cmocka_unit_test(a_full_disk_stops_the_capture_only),
        cmocka_unit_test(flushed_in_time),  cmocka_unit_test(refused_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
