/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slirp by hand: its router answers ARP, and a TCP conversation with it reaches a server of this
 * machine at
 * 10.0.2.2 (the loopback; nothing else is touched). And the queue between it and the stack, against
 * a plain list.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/random.h"
#include "link/slirp_queue.h"
#include "wait.h"

#define BULK 300000u

static const struct tern_mac mac = {{2, 0x54, 0x45, 1, 2, 3}};
static uint8_t buffer[TERN_FRAME_BYTES_MAX];
static struct tern_link *link0;
static struct tern_addr ours, router;
static struct tern_mac router_mac;

static int open_link(void **state)
{
    const struct tern_link_slirp_options options = {.mac = mac};

    (void)state;
    ours = tern_addr_v4(10, 0, 2, 15);
    router = tern_addr_v4(10, 0, 2, 2);
    return tern_link_slirp_open(&options, &link0, NULL) == TERN_ERR_OK ? 0 : -1;
}

static int close_link(void **state)
{
    (void)state;
    link0->ops->close(link0);
    return 0;
}

static void info_is_told(void **state)
{
    (void)state;
    assert_string_equal(link0->info.name, "slirp");
    assert_true(link0->info.private_network);
    assert_int_equal(link0->info.offloads, 0);
    assert_true(link0->info.hold_bytes > 0);
    assert_true(link0->info.mtu_bytes >= 1500);
    /* Two full segments must fit its window, or it never announces that the window opened. */
    assert_true(2 * (link0->info.mtu_bytes - IP - TCP) <= 65535);
    assert_true(link0->ops->fd(link0) >= 0);
}

static void arp(void **state)
{
    struct tern_frame f;
    size_t bytes;

    (void)state;
    send_one(link0, tern_clock_now(), one_piece(buffer, put_arp(buffer, 1, mac, ours, router)));
    bytes = next_frame(link0, 0x0806, &f, buffer, sizeof buffer);
    assert_true(bytes >= ARP_BYTES);
    assert_int_equal(tern_get_be16(buffer + 20), 2);
    assert_int_equal(tern_get_be32(buffer + 28), tern_addr_to_be32(router));
    assert_memory_equal(buffer + 32, mac.b, 6);
    memcpy(router_mac.b, buffer + 22, 6);
}

/* A server on the loopback; its port. */
static int listen_somewhere(uint16_t *port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t bytes = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (const void *)&at, sizeof at), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (void *)&at, &bytes), 0);
    *port = ntohs(at.sin_port);
    return fd;
}

static struct segment to_router(uint16_t port)
{
    return (struct segment){.src_mac = mac,
                            .dst_mac = router_mac,
                            .src = ours,
                            .dst = router,
                            .sport = 4000,
                            .dport = port,
                            .seq = 500,
                            .window = 65535};
}

static void send_segment(const struct segment *s)
{
    send_one(link0, tern_clock_now(), one_piece(buffer, put_tcp(buffer, s)));
}

/* The next TCP segment in buffer; its flags. */
static uint8_t next_segment(size_t *bytes)
{
    struct tern_frame f;

    *bytes = next_frame(link0, 0x0800, &f, buffer, sizeof buffer);
    assert_true(*bytes >= ETH + IP + TCP);
    assert_true(checksums_right(buffer, *bytes));
    assert_int_equal(f.csum, TERN_CSUM_VALID);
    return buffer[ETH + IP + 13];
}

static void a_conversation(void **state)
{
    static uint8_t page[BULK], heard[16];
    struct segment s;
    uint16_t port;
    size_t bytes, got = 0;
    uint32_t begin;
    int server = listen_somewhere(&port), c;

    (void)state;
    s = to_router(port);
    s.flags = SYN;
    s.mss = 65480;
    s.wscale = 4; /* slirp takes no scaling; it must not mind */
    send_segment(&s);
    assert_int_equal(next_segment(&bytes), SYN | ACK);
    begin = tern_get_be32(buffer + ETH + IP + 4) + 1;
    s.seq = 501;
    s.ack = begin;
    s.flags = ACK | PSH;
    s.mss = 0;
    s.wscale = 0;
    s.data = (const uint8_t *)"hello";
    s.bytes = 5;
    send_segment(&s);
    c = accept(server, NULL, NULL);
    assert_true(c >= 0);
    assert_int_equal(recv(c, heard, sizeof heard, 0), 5);
    assert_memory_equal(heard, "hello", 5);

    /* More than the window: it must all come, as we acknowledge it. */
    for (uint32_t i = 0; i < BULK; i++)
        page[i] = (uint8_t)(i % 251);
    assert_int_equal(send(c, page, BULK, MSG_DONTWAIT), BULK);
    (void)shutdown(c, SHUT_WR);
    s.seq = 506;
    s.bytes = 0;
    s.flags = ACK;
    for (;;) {
        uint8_t flags = next_segment(&bytes);
        size_t header = (size_t)(buffer[ETH + IP + 12] >> 4) * 4;
        size_t payload = bytes - ETH - IP - header;

        if (payload > 0) {
            assert_int_equal(tern_get_be32(buffer + ETH + IP + 4), (uint32_t)(begin + got));
            assert_memory_equal(buffer + ETH + IP + header, page + got, payload);
            got += payload;
        }
        s.ack = (uint32_t)(begin + got + ((flags & FIN) != 0));
        send_segment(&s);
        if ((flags & FIN) != 0)
            break;
    }
    assert_int_equal(got, BULK);
    s.flags = RST | ACK;
    send_segment(&s);
    (void)close(c);
    (void)close(server);
}

static void a_closed_port_refuses(void **state)
{
    struct segment s;
    uint16_t port;
    size_t bytes;

    (void)state;
    (void)close(listen_somewhere(&port));
    s = to_router(port);
    s.sport = 4001;
    s.flags = SYN;
    send_segment(&s);
    assert_int_equal(next_segment(&bytes) & RST, RST);
}

/* Frames that need offloads are refused and counted. */
static void no_offloads(void **state)
{
    struct segment s = to_router(1);
    struct tern_link_counters before, after;

    (void)state;
    link0->ops->counters(link0, &before);
    send_one(link0, tern_clock_now(), tcp_unfinished(buffer, &s));
    link0->ops->counters(link0, &after);
    assert_int_equal(after.dropped_out, before.dropped_out + 1);
    assert_int_equal(after.frames_out, before.frames_out);
}

/* The queue and a plain list of lengths get the same random calls. */
static void queue_against_a_list(void **state)
{
    static struct tern_slirp_queue q;
    static uint32_t list[TERN_SLIRP_QUEUE_FRAMES];
    static uint8_t frame[TERN_FRAME_BYTES_MAX];
    uint32_t first = 0, count = 0, number = 0, refused = 0, total = 0;
    struct tern_random r;

    (void)state;
    tern_random_init(&r, "queue", 5, "test");
    assert_true(tern_slirp_queue_init(&q));
    for (int turn = 0; turn < 20000; turn++) {
        bool filling = turn / 2000 % 2 == 0;

        if (tern_random_below(&r, 10) < (filling ? 8u : 2u)) {
            uint32_t bytes = 4 + (uint32_t)tern_random_below(&r, TERN_FRAME_BYTES_MAX - 3);

            tern_put_be32(frame, number);
            if (tern_slirp_queue_put(&q, frame, bytes)) {
                list[(first + count++) % ROWS(list)] = bytes;
                number++;
                total += bytes;
            } else {
                refused++;
                assert_true(total > TERN_SLIRP_QUEUE_BYTES / 2);
            }
        } else if (count > 0) {
            struct tern_slice oldest = tern_slirp_queue_peek(&q, 0);
            struct tern_slice newest = tern_slirp_queue_peek(&q, count - 1);

            assert_int_equal(oldest.bytes, list[first % ROWS(list)]);
            assert_int_equal(tern_get_be32(oldest.data), number - count);
            assert_int_equal(tern_get_be32(newest.data), number - 1);
            total -= list[first++ % ROWS(list)];
            count--;
            tern_slirp_queue_skip(&q, 1);
        }
        assert_int_equal(q.count, count);
        assert_int_equal(q.used_bytes, total);
    }
    assert_true(refused > 0);
    assert_false(tern_slirp_queue_put(&q, frame, TERN_FRAME_BYTES_MAX + 1));
    assert_false(tern_slirp_queue_put(&q, frame, 0));
    tern_slirp_queue_fini(&q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(info_is_told),   cmocka_unit_test(arp),
        cmocka_unit_test(a_conversation), cmocka_unit_test(a_closed_port_refuses),
        cmocka_unit_test(no_offloads),    cmocka_unit_test(queue_against_a_list),
    };

    return cmocka_run_group_tests(tests, open_link, close_link);
}
