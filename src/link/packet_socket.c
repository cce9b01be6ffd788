/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a packet socket is set up. The order matters: it is made for no protocol, so that it receives
 * nothing until it is bound; by then the filter is set and locked, and no foreign frame slips in.
 * PACKET_VNET_HDR comes before the ring, or the kernel refuses it.
 *
 * PACKET_MR_UNICAST asks the device to let frames to our MAC through; that is less than promiscuous
 * mode where the hardware can do it. The membership ends with the socket.
 */
#include "link/packet_socket.h"

#include <string.h>
#include <sys/socket.h>

/* After sys/socket.h. */
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>

#include "base/assert.h"

#define SEND_BUFFER_BYTES (16 * 1024 * 1024)

int tern_packet_socket_make(void)
{
    return socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

static bool set_int(int fd, int option, int value)
{
    return setsockopt(fd, SOL_PACKET, option, &value, sizeof(value)) == 0;
}

static bool set_filter(int fd, const struct tern_packet_socket_options *options)
{
    struct sock_filter code[TERN_PACKET_FILTER_MAX];
    struct sock_fprog program = {.filter = code};
    int one = 1;

    program.len =
        (uint16_t)tern_packet_filter(code, options->facts->mac, options->address, options->lengths);
    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) == 0 &&
           setsockopt(fd, SOL_SOCKET, SO_LOCK_FILTER, &one, sizeof(one)) == 0;
}

/* Have the device let frames to our MAC through, where it is not its own. */
static bool join_mac(int fd, const struct tern_packet_facts *facts)
{
    struct packet_mreq m = {
        .mr_ifindex = facts->index,
        .mr_type = PACKET_MR_UNICAST,
        .mr_alen = sizeof(facts->mac.b),
    };

    if (tern_mac_equal(facts->mac, facts->host_mac))
        return true;
    memcpy(m.mr_address, facts->mac.b, sizeof(facts->mac.b));
    return setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &m, sizeof(m)) == 0;
}

static bool bind_to(int fd, int index)
{
    union {
        struct sockaddr any;
        struct sockaddr_ll ll;
    } to = {
        .ll = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = index}};

    return bind(fd, &to.any, sizeof(to.ll)) == 0;
}

static void enlarge_send_buffer(int fd)
{
    int bytes = SEND_BUFFER_BYTES;

    if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes)) != 0)
        (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
}

const char *tern_packet_socket_setup(struct tern_packet_socket *s,
                                     const struct tern_packet_socket_options *options)
{
    uint32_t slot_bytes = options->lengths == TERN_PACKET_SHORT ? TERN_PACKET_SHORT_SLOT_BYTES
                                                                : TERN_PACKET_SLOT_BYTES;

    TERN_ASSERT(s->fd >= 0);
    if (!set_int(s->fd, PACKET_VERSION, TPACKET_V2) || !set_int(s->fd, PACKET_VNET_HDR, 1))
        return "offload headers";
    if (!tern_packet_ring_open(&s->ring, s->fd, slot_bytes, options->slots))
        return "receive ring";
    /* Before Linux 4.20 unknown; the ring's reader looks at each frame's direction as well. */
    (void)set_int(s->fd, PACKET_IGNORE_OUTGOING, 1);
    if (!set_filter(s->fd, options))
        return "filter";
    if (options->sends)
        enlarge_send_buffer(s->fd);
    if (options->sends && !join_mac(s->fd, options->facts))
        return "own MAC";
    if (!bind_to(s->fd, options->facts->index))
        return "bind";
    return NULL;
}

void tern_packet_socket_strip(struct tern_packet_socket *s)
{
    tern_packet_ring_close(&s->ring);
}
