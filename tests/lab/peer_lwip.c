/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A peer of another breed: Debian's lwIP on a packet socket, with a MAC and an address of its own.
 *
 *   peer_lwip [-l] [-r N] INTERFACE ADDRESS listen PORT       one conversation
 *   peer_lwip [-l] [-r N] INTERFACE ADDRESS connect HOST PORT
 *   peer_lwip INTERFACE ADDRESS http PORT                     pages until it is killed
 *
 * A conversation is netcat's: standard input, which is a file, goes to the peer and then our FIN;
 * what the peer says goes to standard output. -l: speak only after the peer's FIN. -r N: reset once
 * N bytes are here. http: to each connection, once an empty line was heard, standard input as it
 * is, head and all, and then our FIN.
 *
 * `ready` on standard error: the address answers, and the port is open. Exit 0: both sides ended in
 * order, and all of ours is acknowledged; 7: refused; 56: reset; 28: lwIP gave up; 1: else.
 *
 * lwIP runs in one thread here, without the thread that its operating-system layer would make: we
 * poll the socket for as long as its timers allow, and hand it frames. Offloads of the interface
 * must be off: it takes no frame of more than its MTU, and checks every sum.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lwip/etharp.h>
#include <lwip/init.h>
#include <lwip/netif.h>
#include <lwip/priv/tcp_priv.h>
#include <lwip/tcp.h>
#include <lwip/timeouts.h>
#include <netif/ethernet.h>

#define ETHERNET_ALL  0x0003 /* ETH_P_ALL, whose header and lwIP's do not mix */
#define FRAME_BYTES   2048
#define QUEUE_BYTES   (4 << 20)
#define SILENCE_MS    1000 /* after the end: the peer's last segment may have to be said again */
#define LINGER_MS     20000
#define EXIT_REFUSED  7
#define EXIT_TIMEOUT  28
#define EXIT_RESET    56
#define EXIT_RUNNING  (-1)
#define PATTERN_BYTES 4

struct talk {
    struct tcp_pcb *pcb;
    size_t sent, heard;
    uint8_t last[PATTERN_BYTES]; /* the latest bytes heard, for http */
    bool spoken_to, shut, peer_ended, established;
};

static struct {
    const uint8_t *text; /* what we have to say */
    size_t text_bytes;
    size_t reset_after;
    bool listen_first, http;
    int fd, exit_code;
    struct netif netif;
} peer = {.exit_code = EXIT_RUNNING};

/* ---- the interface ---- */

static err_t put_frame(struct netif *netif, struct pbuf *p)
{
    uint8_t frame[FRAME_BYTES];
    const u16_t bytes = pbuf_copy_partial(p, frame, p->tot_len, 0);

    (void)netif;
    /* A full queue loses a frame, as the network may. */
    (void)!send(peer.fd, frame, bytes, 0);
    return ERR_OK;
}

static err_t netif_begin(struct netif *netif)
{
    static const uint8_t mac[6] = {0x02, 0x4c, 0x57, 0x49, 0x50, 0x01};

    memcpy(netif->hwaddr, mac, sizeof(mac));
    netif->hwaddr_len = sizeof(mac);
    netif->mtu = 1500;
    netif->name[0] = 'p';
    netif->name[1] = 's';
    netif->output = etharp_output;
    netif->linkoutput = put_frame;
    netif->flags =
        NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET | NETIF_FLAG_LINK_UP;
    return ERR_OK;
}

static bool socket_open(const char *interface)
{
    const int queue = QUEUE_BYTES;
    const int index = (int)if_nametoindex(interface);
    struct sockaddr_ll at = {
        .sll_family = AF_PACKET, .sll_protocol = htons(ETHERNET_ALL), .sll_ifindex = index};
    struct packet_mreq all = {.mr_ifindex = index, .mr_type = PACKET_MR_PROMISC};

    peer.fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, 0);
    return peer.fd >= 0 && index > 0 &&
           setsockopt(peer.fd, SOL_SOCKET, SO_RCVBUF, &queue, sizeof(queue)) == 0 &&
           setsockopt(peer.fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof(all)) == 0 &&
           bind(peer.fd, (const struct sockaddr *)&at, sizeof(at)) == 0;
}

/* Hand lwIP the frames that wait. How many. */
static int take_frames(void)
{
    uint8_t frame[FRAME_BYTES];
    struct sockaddr_ll from = {0};
    socklen_t from_bytes = sizeof(from);
    ssize_t n;
    int count = 0;

    while (count < 64 && (n = recvfrom(peer.fd, frame, sizeof(frame), MSG_TRUNC,
                                       (struct sockaddr *)&from, &from_bytes)) >= 0) {
        struct pbuf *p;

        count++;
        if (from.sll_pkttype == PACKET_OUTGOING || (size_t)n > sizeof(frame))
            continue;
        /* Not from PBUF_POOL: in Debian's build its buffers are shorter than pbuf_alloc() takes
         * them to be. */
        p = pbuf_alloc(PBUF_RAW, (u16_t)n, PBUF_RAM);
        if (p == NULL)
            continue;
        (void)pbuf_take(p, frame, (u16_t)n);
        if (peer.netif.input(p, &peer.netif) != ERR_OK)
            pbuf_free(p);
    }
    return count;
}

/* One turn: sleep until a frame or a timer, at most so long. Were there frames? */
static bool turn(int most_ms)
{
    struct pollfd wait = {.fd = peer.fd, .events = POLLIN};
    const u32_t timer_ms = sys_timeouts_sleeptime();
    int count = 0;

    (void)poll(&wait, 1, timer_ms < (u32_t)most_ms ? (int)timer_ms : most_ms);
    count = take_frames();
    sys_check_timeouts();
    return count > 0;
}

/* ---- a conversation ---- */

static void over(struct talk *t, int code)
{
    free(t);
    if (!peer.http && peer.exit_code == EXIT_RUNNING)
        peer.exit_code = code;
}

static void say(struct talk *t)
{
    if (t->pcb == NULL || t->shut || (peer.listen_first && !t->peer_ended) ||
        (peer.http && !t->spoken_to))
        return;
    while (t->sent < peer.text_bytes && tcp_sndbuf(t->pcb) > 0) {
        size_t n = peer.text_bytes - t->sent;

        n = n > tcp_sndbuf(t->pcb) ? tcp_sndbuf(t->pcb) : n;
        n = n > 16384 ? 16384 : n;
        if (tcp_write(t->pcb, peer.text + t->sent, (u16_t)n, TCP_WRITE_FLAG_COPY) != ERR_OK)
            break;
        t->sent += n;
    }
    (void)tcp_output(t->pcb);
    if (t->sent == peer.text_bytes && tcp_shutdown(t->pcb, 0, 1) == ERR_OK)
        t->shut = true;
}

/* Both sides have ended: give it up. Nothing is heard of it from then on. */
static void end_if_done(struct talk *t)
{
    if (!t->shut || !t->peer_ended)
        return;
    tcp_arg(t->pcb, NULL);
    tcp_recv(t->pcb, NULL);
    tcp_sent(t->pcb, NULL);
    tcp_poll(t->pcb, NULL, 0);
    tcp_err(t->pcb, NULL);
    if (tcp_close(t->pcb) != ERR_OK) {
        (void)fputs("peer_lwip: tcp_close failed\n", stderr);
        exit(1);
    }
    over(t, 0);
}

static void write_out(const struct pbuf *p)
{
    for (; p != NULL; p = p->next) {
        const uint8_t *at = p->payload;
        size_t left = p->len;

        while (left > 0) {
            const ssize_t n = write(STDOUT_FILENO, at, left);

            if (n <= 0)
                exit(1);
            at += n;
            left -= (size_t)n;
        }
    }
}

/* Is an empty line among what was heard so far? */
static void look_for_empty_line(struct talk *t, const struct pbuf *p)
{
    for (u16_t i = 0; i < p->tot_len; i++) {
        memmove(t->last, t->last + 1, PATTERN_BYTES - 1);
        t->last[PATTERN_BYTES - 1] = pbuf_get_at(p, i);
        if (memcmp(t->last, "\r\n\r\n", PATTERN_BYTES) == 0)
            t->spoken_to = true;
    }
}

static err_t on_heard(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
    struct talk *t = arg;

    (void)err;
    if (p == NULL) {
        t->peer_ended = true;
    } else {
        t->heard += p->tot_len;
        if (peer.http)
            look_for_empty_line(t, p);
        else
            write_out(p);
        tcp_recved(pcb, p->tot_len);
        pbuf_free(p);
    }
    if (peer.reset_after > 0 && t->heard >= peer.reset_after) {
        tcp_arg(pcb, NULL);
        tcp_err(pcb, NULL);
        tcp_abort(pcb);
        over(t, 0);
        return ERR_ABRT;
    }
    say(t);
    end_if_done(t);
    return ERR_OK;
}

static err_t on_sent(void *arg, struct tcp_pcb *pcb, u16_t bytes)
{
    (void)pcb;
    (void)bytes;
    say(arg);
    end_if_done(arg);
    return ERR_OK;
}

/* Where memory was short, nothing else would make us go on. */
static err_t on_poll(void *arg, struct tcp_pcb *pcb)
{
    (void)pcb;
    say(arg);
    end_if_done(arg);
    return ERR_OK;
}

static void on_error(void *arg, err_t err)
{
    struct talk *t = arg;

    if (err == ERR_RST)
        over(t, t->established ? EXIT_RESET : EXIT_REFUSED);
    else
        over(t, EXIT_TIMEOUT);
}

static err_t begin(struct talk *t, struct tcp_pcb *pcb)
{
    t->pcb = pcb;
    tcp_arg(pcb, t);
    tcp_recv(pcb, on_heard);
    tcp_sent(pcb, on_sent);
    tcp_poll(pcb, on_poll, 2);
    tcp_err(pcb, on_error);
    return ERR_OK;
}

static struct talk *talk_new(void)
{
    struct talk *t = calloc(1, sizeof(*t));

    if (t == NULL)
        exit(1);
    return t;
}

static err_t on_accept(void *arg, struct tcp_pcb *pcb, err_t err)
{
    struct talk *t;

    (void)arg;
    if (err != ERR_OK || pcb == NULL)
        return ERR_VAL;
    t = talk_new();
    t->established = true;
    (void)begin(t, pcb);
    say(t);
    return ERR_OK;
}

static err_t on_connected(void *arg, struct tcp_pcb *pcb, err_t err)
{
    struct talk *t = arg;

    (void)pcb;
    (void)err;
    t->established = true;
    say(t);
    return ERR_OK;
}

/* ---- the program ---- */

static bool read_text(void)
{
    struct stat st;

    if (fstat(STDIN_FILENO, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size == 0)
        return true; /* nothing to say */
    peer.text_bytes = (size_t)st.st_size;
    peer.text = mmap(NULL, peer.text_bytes, PROT_READ, MAP_PRIVATE, STDIN_FILENO, 0);
    return peer.text != MAP_FAILED;
}

static bool listen_on(u16_t port)
{
    struct tcp_pcb *pcb = tcp_new();

    if (pcb == NULL || tcp_bind(pcb, IP_ADDR_ANY, port) != ERR_OK)
        return false;
    pcb = tcp_listen(pcb);
    if (pcb == NULL)
        return false;
    tcp_accept(pcb, on_accept);
    return true;
}

static bool connect_to(const char *host, u16_t port)
{
    struct talk *t = talk_new();
    struct tcp_pcb *pcb = tcp_new();
    ip_addr_t to;

    if (pcb == NULL || !ipaddr_aton(host, &to))
        return false;
    (void)begin(t, pcb);
    return tcp_connect(pcb, &to, port, on_connected) == ERR_OK;
}

static bool netif_up(const char *address)
{
    ip4_addr_t own, mask;
    ip4_addr_t none = {0};

    if (!ip4addr_aton(address, &own) || !ip4addr_aton("255.255.255.0", &mask))
        return false;
    lwip_init();
    if (netif_add(&peer.netif, &own, &mask, &none, NULL, netif_begin, ethernet_input) == NULL)
        return false;
    netif_set_default(&peer.netif);
    netif_set_up(&peer.netif);
    return true;
}

/* All of ours acknowledged, and nothing heard for a while that would need an answer. */
static void last_words(void)
{
    for (u32_t began = sys_now(); sys_now() - began < LINGER_MS && tcp_active_pcbs != NULL;)
        (void)turn(100);
    for (u32_t heard = sys_now(); sys_now() - heard < SILENCE_MS;)
        if (turn(100))
            heard = sys_now();
}

static int fail(const char *what)
{
    (void)fprintf(stderr, "peer_lwip: %s: %s\n", what, strerror(errno));
    return 1;
}

int main(int argc, char **argv)
{
    int flag;

    while ((flag = getopt(argc, argv, "lr:")) != -1) {
        if (flag == 'l')
            peer.listen_first = true;
        else if (flag == 'r')
            peer.reset_after = strtoul(optarg, NULL, 10);
        else
            return 2;
    }
    argc -= optind;
    argv += optind;
    if (argc < 4)
        return fail("usage: [-l] [-r N] INTERFACE ADDRESS listen|http PORT | connect HOST PORT");
    peer.http = strcmp(argv[2], "http") == 0;
    if (!read_text() || !socket_open(argv[0]) || !netif_up(argv[1]))
        return fail(argv[0]);
    if (strcmp(argv[2], "connect") == 0 && argc > 4) {
        if (!connect_to(argv[3], (u16_t)strtoul(argv[4], NULL, 10)))
            return fail("connect");
    } else if (!listen_on((u16_t)strtoul(argv[3], NULL, 10))) {
        return fail("listen");
    }
    (void)fputs("ready\n", stderr);
    while (peer.exit_code == EXIT_RUNNING)
        (void)turn(1000);
    last_words();
    return peer.exit_code;
}
