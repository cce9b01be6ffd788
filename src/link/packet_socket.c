/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a packet socket is set up. The order matters: it is made for no protocol, so that it receives
 * nothing until it is bound; by then the filter is set, and no foreign frame slips in.
 * Only a bound socket can join a fanout group, and the filter knows its queue until it has.
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

    program.len = (uint16_t)tern_packet_filter(code, options->facts->mac, options->address,
                                               options->lengths, options->queue);
    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) == 0;
}

/* After that the kernel takes no fanout program either. */
static bool lock_filter(int fd)
{
    int one = 1;

    return setsockopt(fd, SOL_SOCKET, SO_LOCK_FILTER, &one, sizeof(one)) == 0;
}

/* How the group divides what arrives among its members, in the order in which they joined. There a
 * packet begins with its IPv4 header. */
static bool set_steering(int fd, uint32_t queues)
{
    struct sock_filter code[TERN_PACKET_STEER_COUNT + 1];
    struct sock_fprog program = {.filter = code, .len = TERN_PACKET_STEER_COUNT + 1};

    tern_packet_steer(code, 0, queues);
    code[TERN_PACKET_STEER_COUNT] = (struct sock_filter){.code = BPF_RET | BPF_A};
    return setsockopt(fd, SOL_PACKET, PACKET_FANOUT_DATA, &program, sizeof(program)) == 0;
}

/* The first has the kernel choose a number that no other group has. */
static bool join_group(int fd, const struct tern_packet_socket_options *options)
{
    const int kind = PACKET_FANOUT_CBPF << 16, unique = PACKET_FANOUT_FLAG_UNIQUEID << 16;
    int joined = 0;
    socklen_t bytes = sizeof(joined);

    if (*options->group >= 0)
        return set_int(fd, PACKET_FANOUT, kind | *options->group);
    if (!set_int(fd, PACKET_FANOUT, kind | unique) ||
        getsockopt(fd, SOL_PACKET, PACKET_FANOUT, &joined, &bytes) != 0)
        return false;
    *options->group = joined & 0xffff;
    return set_steering(fd, options->queue->queues);
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
    uint32_t slot_bytes =
        options->lengths == TERN_PACKET_SHORT || options->lengths == TERN_PACKET_ARP_ONLY
            ? TERN_PACKET_SHORT_SLOT_BYTES
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
    if (options->queue != NULL && !join_group(s->fd, options))
        return "fanout";
    if (!lock_filter(s->fd))
        return "filter";
    return NULL;
}

void tern_packet_socket_strip(struct tern_packet_socket *s)
{
    tern_packet_ring_close(&s->ring);
}
