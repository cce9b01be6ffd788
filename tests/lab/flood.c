/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A flood for the lab: TCP segments from addresses that do not answer, over a packet socket, at a
 * steady rate. Its namespace has no way out but to the other nodes of its case.
 *
 *     flood syn|ack|rst INTERFACE MAC ADDRESS PORT RATE SECONDS
 *
 * Sources are 198.18.0.0/15 (RFC 2544), a new one and a new port each time. Prints how many were
 * sent and how long that took: a busy machine may reach less than RATE a second.
 */
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/checksum.h"
#include "wire/eth.h"
#include "wire/ipv4.h"
#include "wire/tcp.h"
#include <tern/tern.h>

#define AT_ONCE     64
#define FRAME_BYTES (TERN_ETH_BYTES + TERN_IPV4_BYTES + TERN_TCP_HEADER_BYTES + 4)
#define RATE_MAX    2000000
#define SECONDS_MAX 60

struct target {
    struct tern_mac mac;
    struct tern_addr addr;
    uint16_t port;
    uint8_t flags;
};

static int usage(void)
{
    fputs("flood syn|ack|rst INTERFACE MAC ADDRESS PORT RATE SECONDS\n", stderr);
    return 2;
}

static int64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * TERN_SECOND + t.tv_nsec;
}

static uint32_t scatter(uint32_t n)
{
    n = (n ^ n >> 16) * 0x7feb352du;
    n = (n ^ n >> 15) * 0x846ca68bu;
    return n ^ n >> 16;
}

static size_t make(const struct target *to, uint32_t n, uint8_t *out)
{
    const struct tern_mac own = {{2, 0xf1, 0, 0xd, 0, 1}};
    const struct tern_eth eth = {to->mac, own, TERN_ETHERTYPE_IPV4};
    const uint32_t bits = scatter(n);
    const struct tern_ipv4 ip = {.ttl = 64,
                                 .protocol = TERN_IP_TCP,
                                 .src = tern_addr_from_be32(0xc6120000u | (bits & 0x1ffff)),
                                 .dst = to->addr};
    const struct tern_tcp_header h = {.src_port = (uint16_t)(1024 + (bits >> 17)),
                                      .dst_port = to->port,
                                      .seq = tern_seq_of(scatter(~n)),
                                      .ack = tern_seq_of(scatter(n + 7)),
                                      .flags = to->flags,
                                      .window = 64240,
                                      .has_mss = to->flags == TERN_TCP_SYN,
                                      .mss = 1460};
    const size_t tcp_bytes = tern_tcp_header_bytes(&h);
    struct tern_writer w = tern_writer_of(out, FRAME_BYTES);
    struct tern_sum sum = {0};
    uint8_t *tcp;

    tern_eth_emit(&eth, &w);
    tern_ipv4_emit(&ip, (uint16_t)tcp_bytes, &w);
    tcp = out + w.bytes;
    tern_tcp_emit(&h, &w);
    tern_sum_add_pseudo(&sum, ip.src, ip.dst, TERN_IP_TCP, (uint32_t)tcp_bytes);
    tern_sum_add(&sum, tcp, tcp_bytes);
    tern_put_be16(tcp + TERN_TCP_OFF_CHECKSUM, tern_sum_finish(&sum));
    return w.bytes;
}

static int open_socket(const char *interface)
{
    const int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    struct sockaddr_ll at = {.sll_family = AF_PACKET};

    at.sll_ifindex = (int)if_nametoindex(interface);
    if (fd < 0 || at.sll_ifindex == 0 || bind(fd, (struct sockaddr *)&at, sizeof at) != 0) {
        perror(interface);
        return -1;
    }
    return fd;
}

/* A burst; how many the device took. */
static uint32_t send_some(int fd, const struct target *to, uint32_t n)
{
    static uint8_t bytes[AT_ONCE][FRAME_BYTES];
    struct iovec part[AT_ONCE];
    struct mmsghdr message[AT_ONCE];
    int sent;

    memset(message, 0, sizeof message);
    for (uint32_t i = 0; i < AT_ONCE; i++) {
        part[i] = (struct iovec){bytes[i], make(to, n + i, bytes[i])};
        message[i].msg_hdr.msg_iov = &part[i];
        message[i].msg_hdr.msg_iovlen = 1;
    }
    sent = sendmmsg(fd, message, AT_ONCE, 0);
    return sent > 0 ? (uint32_t)sent : 0;
}

static void run(int fd, const struct target *to, uint64_t rate, uint64_t seconds)
{
    const int64_t began = now_ns(), end = began + (int64_t)seconds * TERN_SECOND;
    uint64_t sent = 0;
    uint32_t n = 0;

    for (;;) {
        const int64_t now = now_ns();
        const uint64_t due = (uint64_t)(now - began) * rate / (uint64_t)TERN_SECOND;
        const struct timespec rest = {0, 200000};

        if (now >= end)
            break;
        if (sent >= due) {
            nanosleep(&rest, NULL);
            continue;
        }
        sent += send_some(fd, to, n);
        n += AT_ONCE;
    }
    printf("%llu sent in %.3f s\n", (unsigned long long)sent, (double)(now_ns() - began) / 1e9);
}

int main(int argc, char **argv)
{
    struct target to;
    uint64_t port, rate, seconds;
    int fd;

    if (argc != 8 || tern_mac_parse(argv[3], &to.mac) != TERN_ERR_OK ||
        tern_addr_parse(argv[4], &to.addr) != TERN_ERR_OK)
        return usage();
    to.flags = strcmp(argv[1], "syn") == 0   ? TERN_TCP_SYN
               : strcmp(argv[1], "rst") == 0 ? TERN_TCP_RST
                                             : TERN_TCP_ACK;
    port = strtoul(argv[5], NULL, 10);
    rate = strtoul(argv[6], NULL, 10);
    seconds = strtoul(argv[7], NULL, 10);
    if (port == 0 || port > 65535 || rate == 0 || rate > RATE_MAX || seconds > SECONDS_MAX)
        return usage();
    to.port = (uint16_t)port;
    fd = open_socket(argv[2]);
    if (fd < 0)
        return 1;
    run(fd, &to, rate, seconds);
    return 0;
}
