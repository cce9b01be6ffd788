/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bulk with Debian's lwIP, as a client of `tern bench peer`:
 *
 *   bench-lwip recv|send tap:NAME|lan:IF ADDRESS HOST SECONDS
 *
 * One JSON object on standard output: seconds, bytes, bits_per_second. Received bytes are counted
 * and let go where they lie; sent ones are not copied. On a TAP no offloads are asked for, and an
 * interface must have its own off, for lwIP takes no frame of more than its MTU. One thread, which
 * sleeps in poll(2) when nothing waits.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include <lwip/tcp.h>

#include "lwip_wire.h"

#define QUEUE_BYTES   (16 << 20)
#define PORT          5201
#define HEAD_BYTES    16
#define MESSAGE_BYTES 16384

static struct {
    struct lwip_wire wire;
    bool sends, connected, over, failed;
    struct tcp_pcb *pcb;
    uint64_t received, written, acked;
    uint8_t text[MESSAGE_BYTES];
} bench;

static double now_seconds(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- the interface ---- */

static bool tap_open(const char *name)
{
    struct ifreq r = {.ifr_flags = IFF_TAP | IFF_NO_PI};

    bench.wire.fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK);
    (void)snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
    return bench.wire.fd >= 0 && ioctl(bench.wire.fd, TUNSETIFF, &r) == 0 &&
           ioctl(bench.wire.fd, TUNSETOFFLOAD, 0) == 0;
}

static bool link_open(const char *link)
{
    if (strncmp(link, "tap:", 4) == 0)
        return tap_open(link + 4);
    return strncmp(link, "lan:", 4) == 0 && lwip_wire_packet(&bench.wire, link + 4, QUEUE_BYTES);
}

/* ---- the workload ---- */

static void push(void)
{
    u16_t room;

    if (!bench.sends || bench.over)
        return;
    while ((room = tcp_sndbuf(bench.pcb)) > 0) {
        u16_t n = room < MESSAGE_BYTES ? room : MESSAGE_BYTES;

        if (tcp_write(bench.pcb, bench.text, n, 0) != ERR_OK)
            break;
        bench.written += n;
    }
    (void)tcp_output(bench.pcb);
}

static err_t on_heard(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
    (void)arg;
    (void)err;
    if (p == NULL) {
        bench.over = true;
        return ERR_OK;
    }
    bench.received += p->tot_len;
    tcp_recved(pcb, p->tot_len);
    pbuf_free(p);
    return ERR_OK;
}

static err_t on_sent(void *arg, struct tcp_pcb *pcb, u16_t bytes)
{
    (void)arg;
    (void)pcb;
    bench.acked += bytes;
    push();
    return ERR_OK;
}

/* Where memory was short, nothing else would make us go on. */
static err_t on_poll(void *arg, struct tcp_pcb *pcb)
{
    (void)arg;
    (void)pcb;
    push();
    return ERR_OK;
}

static void on_error(void *arg, err_t err)
{
    (void)arg;
    (void)err;
    bench.pcb = NULL;
    bench.over = bench.failed = true;
}

static err_t on_connected(void *arg, struct tcp_pcb *pcb, err_t err)
{
    uint8_t head[HEAD_BYTES] = {(uint8_t)(bench.sends ? 's' : 'r'), 0, 0, 0, 0, 2, 0, 0};

    (void)arg;
    (void)err;
    bench.connected = true;
    return tcp_write(pcb, head, sizeof(head), TCP_WRITE_FLAG_COPY);
}

static bool connect_to(const char *host)
{
    ip_addr_t to;

    bench.pcb = tcp_new();
    if (bench.pcb == NULL || !ipaddr_aton(host, &to))
        return false;
    tcp_recv(bench.pcb, on_heard);
    tcp_sent(bench.pcb, on_sent);
    tcp_poll(bench.pcb, on_poll, 1);
    tcp_err(bench.pcb, on_error);
    return tcp_connect(bench.pcb, &to, PORT, on_connected) == ERR_OK;
}

static int run(double seconds)
{
    double began = now_seconds(), took;
    uint64_t bytes;

    while (!bench.connected && !bench.over && now_seconds() < began + 10)
        (void)lwip_wire_turn(&bench.wire, 100);
    began = now_seconds();
    bench.acked = 0;
    if (bench.connected)
        push();
    while (!bench.over && now_seconds() < began + seconds)
        (void)lwip_wire_turn(&bench.wire, 100);
    took = now_seconds() - began;
    bytes = bench.sends ? bench.acked : bench.received;
    if (bench.failed || !bench.connected) {
        (void)fprintf(stderr, "bench-lwip: no connection, or it was lost\n");
        return 1;
    }
    tcp_abort(bench.pcb);
    (void)printf("{\"seconds\": %.6f, \"bytes\": %llu, \"bits_per_second\": %.0f}\n", took,
                 (unsigned long long)bytes, 8 * (double)bytes / took);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc != 6) {
        (void)fprintf(stderr, "usage: bench-lwip recv|send tap:NAME|lan:IF ADDRESS HOST SECONDS\n");
        return 2;
    }
    bench.sends = strcmp(argv[1], "send") == 0;
    if (!link_open(argv[2]) || !lwip_wire_up(&bench.wire, argv[3]) || !connect_to(argv[4])) {
        (void)fprintf(stderr, "bench-lwip: %s: %s\n", argv[2], strerror(errno));
        return 1;
    }
    return run(strtod(argv[5], NULL));
}
