/* SPDX-License-Identifier: BSD-2-Clause */
/* lwIP's interface on a packet socket or a TAP: frames out by write(2), frames in by bursts of
 * read(2). */
#include "lwip_wire.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <lwip/etharp.h>
#include <lwip/init.h>
#include <lwip/timeouts.h>
#include <netif/ethernet.h>

#define ETHERNET_ALL 0x0003 /* ETH_P_ALL, whose header and lwIP's do not mix */
#define FRAME_BYTES  2048
#define BURST        64

static err_t put_frame(struct netif *netif, struct pbuf *p)
{
    const struct lwip_wire *w = netif->state;
    uint8_t frame[FRAME_BYTES];
    const u16_t bytes = pbuf_copy_partial(p, frame, p->tot_len, 0);

    (void)!write(w->fd, frame, bytes); /* a full queue loses a frame, as the network may */
    return ERR_OK;
}

static err_t netif_begin(struct netif *netif)
{
    static const uint8_t mac[6] = {0x02, 0x4c, 0x57, 0x49, 0x50, 0x01};

    memcpy(netif->hwaddr, mac, sizeof(mac));
    netif->hwaddr_len = sizeof(mac);
    netif->mtu = 1500;
    netif->name[0] = 'w';
    netif->name[1] = 'i';
    netif->output = etharp_output;
    netif->linkoutput = put_frame;
    netif->flags =
        NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET | NETIF_FLAG_LINK_UP;
    return ERR_OK;
}

bool lwip_wire_packet(struct lwip_wire *w, const char *interface, int queue_bytes)
{
    const int yes = 1;
    const int index = (int)if_nametoindex(interface);
    const socklen_t size = sizeof(queue_bytes);
    struct sockaddr_ll at = {
        .sll_family = AF_PACKET, .sll_protocol = htons(ETHERNET_ALL), .sll_ifindex = index};
    struct packet_mreq all = {.mr_ifindex = index, .mr_type = PACKET_MR_PROMISC};

    if (index == 0)
        return false;
    w->fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, 0);
    return w->fd >= 0 &&
           (setsockopt(w->fd, SOL_SOCKET, SO_RCVBUFFORCE, &queue_bytes, size) == 0 ||
            setsockopt(w->fd, SOL_SOCKET, SO_RCVBUF, &queue_bytes, size) == 0) &&
           setsockopt(w->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &yes, sizeof(yes)) == 0 &&
           setsockopt(w->fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof(all)) == 0 &&
           bind(w->fd, (const struct sockaddr *)&at, sizeof(at)) == 0;
}

bool lwip_wire_up(struct lwip_wire *w, const char *address)
{
    ip4_addr_t own, mask;
    ip4_addr_t none = {0};

    if (!ip4addr_aton(address, &own) || !ip4addr_aton("255.255.255.0", &mask))
        return false;
    lwip_init();
    if (netif_add(&w->netif, &own, &mask, &none, w, netif_begin, ethernet_input) == NULL)
        return false;
    netif_set_default(&w->netif);
    netif_set_up(&w->netif);
    return true;
}

static void hand_in(struct lwip_wire *w, const uint8_t *frame, u16_t bytes)
{
    /* Not from PBUF_POOL: in Debian's build its buffers are shorter than pbuf_alloc() takes them
     * to be. */
    struct pbuf *p = pbuf_alloc(PBUF_RAW, bytes, PBUF_RAM);

    if (p == NULL)
        return;
    (void)pbuf_take(p, frame, bytes);
    if (w->netif.input(p, &w->netif) != ERR_OK)
        pbuf_free(p);
}

int lwip_wire_turn(struct lwip_wire *w, int most_ms)
{
    struct pollfd wait = {.fd = w->fd, .events = POLLIN};
    const u32_t timer_ms = sys_timeouts_sleeptime();
    uint8_t frame[FRAME_BYTES];
    ssize_t n;
    int count = 0;

    (void)poll(&wait, 1, timer_ms < (u32_t)most_ms ? (int)timer_ms : most_ms);
    for (; count < BURST && (n = read(w->fd, frame, sizeof(frame))) > 0; count++)
        if ((size_t)n < sizeof(frame)) /* else it was cut */
            hand_in(w, frame, (u16_t)n);
    sys_check_timeouts();
    return count;
}
