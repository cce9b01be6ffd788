/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A laboratory, and packet links in it: the real kernel answers ARP and TCP made by hand; counters
 * tell what it did; what it may not take is refused; nothing is left behind.
 */
#include "link/lab.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "link/lab_keeper.h"
#include "wait.h"

#define PORT   80
#define BULK   100000
#define ENOUGH 131072

static uint8_t buffer[ENOUGH];
static struct tern_lab *lab;
static struct tern_addr ours, server, kernels;

/* In the server's side: write BULK bytes to whoever connects, until killed. */
static void serve(void *user, void (*ready)(void))
{
    static uint8_t page[BULK];
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    (void)user;
    if (bind(fd, (const void *)&at, sizeof at) != 0 || listen(fd, 4) != 0)
        _exit(1);
    ready();
    for (;;) {
        int c = accept(fd, NULL, NULL);

        if (c < 0)
            _exit(1);
        while (write(c, page, sizeof page) < 0 && errno == EINTR)
            continue; /* a client that resets is no reason to stop serving */
        /* Left open: it acknowledges what the client sends. */
    }
}

static struct tern_lab_options lab_options(void)
{
    ours = tern_addr_v4(10, 9, 0, 77);
    server = tern_addr_v4(10, 9, 0, 1);
    kernels = tern_addr_v4(10, 9, 0, 2);
    return (struct tern_lab_options){.server = {server, 24},
                                     .client_kernel = {kernels, 24},
                                     .server_initcwnd = 100,
                                     .serve = serve};
}

static struct tern_link *open_link(enum tern_mac_choice mac, struct tern_addr address)
{
    struct tern_link_packet_options options = {
        .mac_choice = mac, .seed = 5, .address = address, .socket_fd = -1, .ring_slots = 60};
    struct tern_link *link = NULL;
    char text[TERN_LINK_ERROR_MAX] = "";

    if (tern_link_lab_open(lab, &options, &link, text) != TERN_ERR_OK)
        fail_msg("cannot open the lab's link: %s", text);
    return link;
}

static void info_is_told(void **state)
{
    struct tern_link *link = open_link(TERN_MAC_OWN, ours);
    struct tern_link *again = open_link(TERN_MAC_OWN, ours);
    struct tern_link *host = open_link(TERN_MAC_HOST, ours);

    (void)state;
    assert_string_equal(link->info.name, "lab");
    assert_true(link->info.private_network);
    assert_int_equal(link->info.mtu_bytes, 1500);
    /* Four short slots for each long one, in whole blocks of 128; an eighth is kept back. */
    assert_int_equal(link->info.hold_frames, 384 - 48);
    assert_true(link->info.hold_bytes == 53 * UINT64_C(8064));
    assert_int_equal(link->info.mac.b[0], 0x02);
    assert_memory_equal(&link->info.mac, &again->info.mac, 6);
    assert_memory_not_equal(&link->info.mac, &host->info.mac, 6);
    assert_true(tern_mac_equal(host->info.mac, tern_lab_mac(lab, TERN_LAB_CLIENT)));
    link->ops->close(link);
    again->ops->close(again);
    host->ops->close(host);
}

/* Ask for the server's MAC; the answer must come to ours. */
static void resolve(struct tern_link *link)
{
    struct tern_frame f;
    size_t bytes = put_arp(buffer, 1, link->info.mac, ours, server);

    send_one(link, 0, one_piece(buffer, bytes));
    bytes = next_frame(link, 0x0806, &f, buffer, sizeof buffer);
    assert_true(bytes >= ARP_BYTES);
    assert_int_equal(tern_get_be16(buffer + 20), 2);
    assert_memory_equal(buffer, link->info.mac.b, 6);
    assert_memory_equal(buffer + 22, tern_lab_mac(lab, TERN_LAB_SERVER).b, 6);
    assert_int_equal(tern_get_be32(buffer + 28), tern_addr_to_be32(server));
}

static struct segment segment_to_server(const struct tern_link *link, uint16_t port)
{
    return (struct segment){.src_mac = link->info.mac,
                            .dst_mac = tern_lab_mac(lab, TERN_LAB_SERVER),
                            .src = ours,
                            .dst = server,
                            .sport = port,
                            .dport = PORT,
                            .seq = 1000,
                            .window = 65535};
}

/* SYN (its checksum left to the link), SYN-ACK, ACK; returns the server's next sequence number. */
static uint32_t handshake(struct tern_link *link, struct segment *s)
{
    struct tern_frame f;

    s->flags = SYN;
    s->mss = 1460;
    s->wscale = 7;
    send_one(link, 0, tcp_unfinished(buffer, s));
    assert_true(next_frame(link, 0x0800, &f, buffer, sizeof buffer) >= ETH + IP + TCP);
    assert_int_equal(buffer[ETH + IP + 13], SYN | ACK);
    assert_int_equal(tern_get_be32(buffer + ETH + IP + 8), 1001);
    s->ack = tern_get_be32(buffer + ETH + IP + 4) + 1;
    s->seq = 1001;
    s->flags = ACK;
    s->mss = 0;
    s->wscale = 0;
    send_one(link, 0, one_piece(buffer, put_tcp(buffer, s)));
    return s->ack;
}

static void reset(struct tern_link *link, struct segment *s, uint32_t ack)
{
    s->flags = RST | ACK;
    s->ack = ack;
    send_one(link, 0, one_piece(buffer, put_tcp(buffer, s)));
}

/* The kernel's super-segments arrive whole, their checksums unfinished, and described rightly. */
static void a_page_in_super_segments(void **state)
{
    struct tern_link *link = open_link(TERN_MAC_OWN, ours);
    struct segment s = segment_to_server(link, 4001);
    struct tern_link_counters counters;
    uint32_t expected, supers = 0;
    size_t got = 0;

    (void)state;
    resolve(link);
    expected = handshake(link, &s);
    while (got < BULK) {
        struct tern_frame f;
        size_t bytes = next_frame(link, 0x0800, &f, buffer, sizeof buffer);

        assert_true(bytes > ETH + IP + TCP);
        assert_int_equal(tern_get_be32(buffer + ETH + IP + 4), (uint32_t)(expected + got));
        got += bytes - ETH - IP - (size_t)(buffer[ETH + IP + 12] >> 4) * 4;
        if (f.gso == TERN_GSO_NONE)
            continue;
        supers++;
        assert_int_equal(f.gso, TERN_GSO_TCP4);
        assert_int_equal(f.gso_bytes, 1460);
        assert_int_equal(f.header_bytes, ETH + IP + TCP);
        assert_int_equal(f.csum, TERN_CSUM_NEEDS);
        assert_int_equal(f.csum_start, ETH + IP);
        assert_int_equal(f.csum_offset, 16);
    }
    assert_int_equal(got, BULK);
    assert_true(supers > 0);
    reset(link, &s, expected + BULK);
    link->ops->counters(link, &counters);
    assert_int_equal(counters.dropped_in, 0);
    assert_int_equal(counters.dropped_out, 0);
    assert_int_equal(counters.frames_out, 4);
    assert_true(counters.bytes_in > BULK);
    link->ops->close(link);
}

/* A super-segment of ours reaches the kernel's TCP as bytes in order: it acknowledges them all. */
static void a_super_segment_out(void **state)
{
    static uint8_t data[20000];
    struct tern_link *link = open_link(TERN_MAC_OWN, ours);
    struct segment s = segment_to_server(link, 4002);
    struct tern_frame f;
    uint32_t expected, acked = 0;
    size_t bytes;

    (void)state;
    resolve(link);
    expected = handshake(link, &s);
    s.data = data;
    s.bytes = sizeof data;
    s.flags = ACK | PSH;
    f = tcp_unfinished(buffer, &s);
    f.gso = TERN_GSO_TCP4;
    f.gso_bytes = 1460;
    f.header_bytes = ETH + IP + TCP;
    /* In three pieces, as a stack would hand it over. */
    f.piece[2] = (struct tern_slice){buffer + 5000, f.bytes - 5000};
    f.piece[1] = (struct tern_slice){buffer + 54, 5000 - 54};
    f.piece[0].bytes = 54;
    f.piece_count = 3;
    send_one(link, 0, f);
    while (acked != 1001 + sizeof data) {
        bytes = next_frame(link, 0x0800, &f, buffer, sizeof buffer);
        assert_true(bytes > 0);
        acked = tern_get_be32(buffer + ETH + IP + 8);
    }
    s.seq += (uint32_t)sizeof data;
    s.bytes = 0;
    reset(link, &s, expected);
    link->ops->close(link);
}

/* With its own MAC the kernel keeps silent; with its own MAC and address it resets. */
static void the_kernel_and_us(void **state)
{
    struct tern_link *link = open_link(TERN_MAC_OWN, ours);
    struct segment s = segment_to_server(link, 4003);
    struct tern_link_packet_options options = {
        .mac_choice = TERN_MAC_HOST, .address = kernels, .socket_fd = -1, .ring_slots = 15};
    char text[TERN_LINK_ERROR_MAX] = "";
    int64_t resets = tern_lab_counter(lab, TERN_LAB_CLIENT, "TcpOutRsts");

    (void)state;
    resolve(link);
    (void)handshake(link, &s);
    reset(link, &s, s.ack);
    link->ops->close(link);
    assert_true(resets >= 0);
    assert_int_equal(tern_lab_counter(lab, TERN_LAB_CLIENT, "TcpOutRsts"), resets);

    assert_int_equal(tern_link_lab_open(lab, &options, &link, text), TERN_ERR_ADDRESS_IN_USE);
    assert_non_null(strstr(text, "10.9.0.2"));
    assert_non_null(strstr(text, "va"));
    options.allow_kernel_address = true;
    assert_int_equal(tern_link_lab_open(lab, &options, &link, text), TERN_ERR_OK);
    s.src_mac = link->info.mac;
    s.src = kernels;
    s.sport = 4004;
    s.seq = 1000;
    s.ack = 0;
    (void)handshake(link, &s);
    link->ops->close(link);
    assert_true(tern_lab_counter(lab, TERN_LAB_CLIENT, "TcpOutRsts") > resets);
}

/* Frames for others do not get past the filter: the next one seen is the answer to us. */
static void foreign_frames_stay_out(void **state)
{
    struct tern_link *link = open_link(TERN_MAC_OWN, ours);
    struct tern_link *other = open_link(TERN_MAC_OWN, tern_addr_v4(10, 9, 0, 78));
    struct segment s = segment_to_server(link, 4005);
    struct tern_frame f;
    int arps = 0;

    (void)state;
    resolve(link);
    (void)handshake(link, &s);
    /* The page comes for `link`; `other` has the same MAC and another address. */
    assert_true(next_frame(link, 0x0800, &f, buffer, sizeof buffer) > 0);
    reset(link, &s, s.ack);
    for (; other->ops->receive(other, 0, &f, 1) == 1; arps++) {
        assert_true(gather(&f, buffer, sizeof buffer) >= ARP_BYTES);
        assert_int_equal(tern_get_be16(buffer + 12), 0x0806);
        other->ops->release(other);
    }
    assert_true(arps > 0); /* the answer to the question above, at least */
    link->ops->close(link);
    other->ops->close(other);
}

static void a_frame_too_long_is_counted(void **state)
{
    struct tern_link *link = open_link(TERN_MAC_OWN, ours);
    struct tern_link_counters counters;

    (void)state;
    memset(buffer, 0, 4000);
    put_eth(buffer, everybody, link->info.mac, 0x0800);
    send_one(link, 0, one_piece(buffer, 4000));
    link->ops->counters(link, &counters);
    assert_int_equal(counters.dropped_out, 1);
    assert_int_equal(counters.frames_out, 0);
    link->ops->close(link);
}

static void counters_by_name(void **state)
{
    (void)state;
    assert_true(tern_lab_counter(lab, TERN_LAB_SERVER, "TcpInSegs") >= 0);
    assert_true(tern_lab_counter(lab, TERN_LAB_SERVER, "TcpExtTCPLossProbes") >= 0);
    assert_true(tern_lab_counter(lab, TERN_LAB_SERVER, "IcmpOutMsgs") >= 0);
    assert_int_equal(tern_lab_counter(lab, TERN_LAB_SERVER, "TcpNoSuchThing"), -1);
    assert_int_equal(tern_lab_counter(lab, TERN_LAB_SERVER, ""), -1);
}

/* A packet socket of the server's side is in its namespace: it finds vb, and no va. */
static void sides_are_apart(void **state)
{
    struct tern_link_packet_options options = {
        .interface = "va", .mac_choice = TERN_MAC_HOST, .ring_slots = 15};
    struct tern_link *link = NULL;
    char text[TERN_LINK_ERROR_MAX] = "";

    (void)state;
    options.socket_fd = tern_lab_packet_socket(lab, TERN_LAB_SERVER);
    assert_true(options.socket_fd >= 0);
    assert_int_equal(tern_link_packet_open(&options, &link, text), TERN_ERR_NO_DEVICE);
    options.interface = "lo";
    assert_int_equal(tern_link_packet_open(&options, &link, text), TERN_ERR_UNSUPPORTED);
    assert_non_null(strstr(text, "loopback"));
    options.interface = tern_lab_interface(lab, TERN_LAB_SERVER);
    assert_int_equal(tern_link_packet_open(&options, &link, text), TERN_ERR_OK);
    assert_true(tern_mac_equal(link->info.mac, tern_lab_mac(lab, TERN_LAB_SERVER)));
    link->ops->close(link);
}

/* The same page with offloads off: plain frames, each with its checksums complete. */
static void a_page_in_plain_frames(void **state)
{
    struct tern_lab_options options = lab_options();
    struct tern_lab *with_offloads = lab;
    struct tern_link *link;
    struct segment s;
    uint32_t expected;
    size_t got = 0;

    (void)state;
    options.offloads_off = true;
    assert_int_equal(tern_lab_open(&options, &lab, NULL), TERN_ERR_OK);
    link = open_link(TERN_MAC_OWN, ours);
    s = segment_to_server(link, 4006);
    resolve(link);
    expected = handshake(link, &s);
    while (got < BULK) {
        struct tern_frame f;
        size_t bytes = next_frame(link, 0x0800, &f, buffer, sizeof buffer);

        assert_true(bytes > ETH + IP + TCP);
        assert_true(bytes <= 1514);
        assert_int_equal(f.gso, TERN_GSO_NONE);
        assert_int_not_equal(f.csum, TERN_CSUM_NEEDS);
        assert_true(checksums_right(buffer, bytes));
        assert_int_equal(tern_get_be32(buffer + ETH + IP + 4), (uint32_t)(expected + got));
        got += bytes - ETH - IP - (size_t)(buffer[ETH + IP + 12] >> 4) * 4;
    }
    reset(link, &s, expected + BULK);
    link->ops->close(link);
    tern_lab_close(lab);
    lab = with_offloads;
}

/* When the lab is closed, links in it fail instead of waiting, and no process of it is left. */
static void closing_leaves_nothing(void **state)
{
    struct tern_lab_options options = lab_options();
    struct tern_lab *second = NULL;
    struct tern_link_packet_options packet = {
        .mac_choice = TERN_MAC_OWN, .socket_fd = -1, .ring_slots = 15};
    struct tern_link *link = NULL;
    struct tern_frame f;

    (void)state;
    assert_int_equal(tern_lab_open(&options, &second, NULL), TERN_ERR_OK);
    assert_int_equal(tern_link_lab_open(second, &packet, &link, NULL), TERN_ERR_OK);
    tern_lab_close(second);
    tern_lab_close(lab);
    lab = NULL;
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
    assert_int_equal(next_frame(link, 0x0800, &f, buffer, sizeof buffer), 0);
    assert_int_equal(link->ops->receive(link, tern_clock_now(), &f, 1), TERN_ERR_LINK);
    f = one_piece(buffer, 60);
    assert_int_equal(link->ops->transmit(link, 0, &f, 1), TERN_ERR_LINK);
    link->ops->close(link);
}

/* A server that ends before it is ready is an error in words. */
static void serve_nothing(void *user, void (*ready)(void))
{
    (void)user;
    (void)ready;
}

static void a_server_that_fails(void **state)
{
    struct tern_lab_options options = lab_options();
    struct tern_lab *second = NULL;
    char text[TERN_LINK_ERROR_MAX] = "";

    (void)state;
    options.serve = serve_nothing;
    assert_int_equal(tern_lab_open(&options, &second, text), TERN_ERR_SYSTEM);
    assert_non_null(strstr(text, "server"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(info_is_told),
        cmocka_unit_test(a_page_in_super_segments),
        cmocka_unit_test(a_page_in_plain_frames),
        cmocka_unit_test(a_super_segment_out),
        cmocka_unit_test(the_kernel_and_us),
        cmocka_unit_test(foreign_frames_stay_out),
        cmocka_unit_test(a_frame_too_long_is_counted),
        cmocka_unit_test(counters_by_name),
        cmocka_unit_test(sides_are_apart),
        cmocka_unit_test(a_server_that_fails),
        cmocka_unit_test(closing_leaves_nothing),
    };
    struct tern_lab_options options = lab_options();
    char text[TERN_LINK_ERROR_MAX] = "";
    enum tern_err err = tern_lab_open(&options, &lab, text);

    if (err == TERN_ERR_PERMISSION) {
        printf("skipped: %s\n", text);
        return SKIPPED;
    }
    if (err != TERN_ERR_OK) {
        printf("no lab: %s\n", text);
        return 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
