/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the packet link relies on, tried with bare system calls in a private namespace: the order of
 * socket options, the ring with offload headers without a privilege, ioctls that answer for the
 * socket's namespace, what a super-segment of the kernel's looks like, and what happens when the
 * interface goes.
 */
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/ethernet.h>
#include <net/if.h>

#include "base/bytes.h"
#include "link/lab.h"
#include "probe.h"

#define SLOT_BYTES  69632u
#define BLOCK_SLOTS 15u
#define WAIT_MS     20000 /* only so that a failure ends */

static struct tern_lab *lab;
static const struct tern_addr server = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 9, 0, 1}};

/* In the server's side: a datagram to everybody for each byte that comes through a pipe. */
static void serve(void *user, void (*ready)(void))
{
    static const uint8_t data[1000];
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9)};
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    int go = *(const int *)user;
    char c;

    to.sin_addr.s_addr = htonl(0x0a0900ff); /* the broadcast address: no neighbour to resolve */
    (void)setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &(int){1}, sizeof(int));
    ready();
    while (read(go, &c, 1) == 1)
        (void)sendto(fd, data, sizeof data, 0, (const void *)&to, sizeof to);
}

static int set(int fd, int option, int value)
{
    return setsockopt(fd, SOL_PACKET, option, &value, sizeof value) == 0 ? 0 : errno;
}

static int make_ring(int fd)
{
    struct tpacket_req req = {.tp_block_size = SLOT_BYTES * BLOCK_SLOTS,
                              .tp_block_nr = 2,
                              .tp_frame_size = SLOT_BYTES,
                              .tp_frame_nr = 2 * BLOCK_SLOTS};

    return setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &req, sizeof req) == 0 ? 0 : errno;
}

static int index_of(int fd, const char *name)
{
    struct ifreq r = {0};

    (void)snprintf(r.ifr_name, sizeof r.ifr_name, "%s", name);
    return ioctl(fd, SIOCGIFINDEX, &r) == 0 ? r.ifr_ifindex : 0;
}

static int bind_to(int fd, int index)
{
    struct sockaddr_ll at = {
        .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = index};

    return bind(fd, (const void *)&at, sizeof at);
}

static void options_in_order(int fd)
{
    struct sock_filter all = {.code = BPF_RET | BPF_K, .k = 0x40000};
    struct sock_fprog program = {.len = 1, .filter = &all};
    int one = 1;

    fact("PACKET_VERSION V2", set(fd, PACKET_VERSION, TPACKET_V2) == 0);
    fact("PACKET_VNET_HDR without a privilege", set(fd, PACKET_VNET_HDR, 1) == 0);
    fact("a ring of slots of 69,632 bytes, 15 a block", make_ring(fd) == 0);
    fact("PACKET_VNET_HDR after the ring is refused: it must come before",
         set(fd, PACKET_VNET_HDR, 0) != 0);
    fact("PACKET_IGNORE_OUTGOING", set(fd, PACKET_IGNORE_OUTGOING, 1) == 0);
    fact("a filter", setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0);
    fact("locked", setsockopt(fd, SOL_SOCKET, SO_LOCK_FILTER, &one, sizeof one) == 0);
    fact("and then not changed any more",
         setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) != 0 &&
             errno == EPERM);
}

static void namespace_of_the_socket(int fd)
{
    struct ifreq list[8];
    struct ifconf conf = {.ifc_len = sizeof list, .ifc_req = list};
    int other = tern_lab_packet_socket(lab, TERN_LAB_SERVER);
    bool found = false;

    fact("SIOCGIFINDEX on a packet socket answers for the socket's namespace",
         index_of(fd, "va") > 0 && index_of(other, "va") == 0 && index_of(other, "vb") > 0);
    fact("so does SIOCGIFCONF", ioctl(other, SIOCGIFCONF, &conf) == 0);
    for (size_t i = 0; i < (size_t)conf.ifc_len / sizeof list[0]; i++)
        found = found || tern_get_be32((const uint8_t *)list[i].ifr_addr.sa_data + 2) ==
                             tern_addr_to_be32(server);
    fact("and lists the address of vb", found);
    (void)close(other);
}

/* The slot once it is filled; NULL: not within so many milliseconds. */
static struct tpacket2_hdr *wait_slot(uint8_t *ring, uint32_t slot, int wait_ms)
{
    struct tpacket2_hdr *h = (void *)(ring + (size_t)slot * SLOT_BYTES);

    for (; wait_ms >= 0; wait_ms--) {
        if ((__atomic_load_n(&h->tp_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER) != 0)
            return h;
        (void)poll(NULL, 0, 1);
    }
    return NULL;
}

static void frames_in_the_ring(int fd, int go)
{
    uint8_t *ring =
        mmap(NULL, (size_t)2 * BLOCK_SLOTS * SLOT_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    const struct tpacket2_hdr *h[2];
    struct virtio_net_hdr v;

    if (ring == MAP_FAILED)
        skip_all("the ring cannot be mapped");
    fact("before it is bound a socket of no protocol receives nothing",
         write(go, "x", 1) == 1 && wait_slot(ring, 0, 100) == NULL);
    fact("bind", bind_to(fd, index_of(fd, "va")) == 0);
    fact("a frame is sent", write(go, "x", 1) == 1);
    h[0] = wait_slot(ring, 0, WAIT_MS);
    fact("it is in the first slot", h[0] != NULL);
    fact("another is sent", write(go, "x", 1) == 1);
    h[1] = wait_slot(ring, 1, WAIT_MS);
    fact("it is in the second, right behind", h[1] != NULL);
    if (h[0] == NULL || h[1] == NULL)
        return;
    memcpy(&v, (const uint8_t *)h[0] + h[0]->tp_mac - sizeof v, sizeof v);
    fact("the virtio header ends where the frame begins: its checksum is not filled in",
         (v.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) != 0 && v.csum_start == 34 && v.csum_offset == 6);
    fact("csum_start counts from the Ethernet header on",
         tern_get_be16((const uint8_t *)h[0] + h[0]->tp_mac + 12) == 0x0800);
    fact("the time stamps do not go backwards",
         h[1]->tp_sec > h[0]->tp_sec ||
             (h[1]->tp_sec == h[0]->tp_sec && h[1]->tp_nsec >= h[0]->tp_nsec));
    (void)munmap(ring, (size_t)2 * BLOCK_SLOTS * SLOT_BYTES);
}

static void a_frame_too_long(int fd)
{
    static uint8_t frame[4000];
    struct virtio_net_hdr v = {0};
    uint8_t message[sizeof v + sizeof frame];

    memset(frame, 0xff, 6);
    memcpy(message, &v, sizeof v);
    memcpy(message + sizeof v, frame, sizeof frame);
    fact("a frame beyond the MTU is refused with EMSGSIZE",
         send(fd, message, sizeof message, MSG_DONTWAIT) < 0 && errno == EMSGSIZE);
}

static void the_interface_goes(int fd)
{
    struct pollfd p = {.fd = fd, .events = 0};
    socklen_t bytes = sizeof(int);
    int error = 0;

    tern_lab_close(lab);
    lab = NULL;
    (void)poll(&p, 1, WAIT_MS);
    fact("when the interface goes the socket polls an error", (p.revents & POLLERR) != 0);
    fact("which is ENETDOWN",
         getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &bytes) == 0 && error == ENETDOWN);
}

int main(void)
{
    struct tern_lab_options options = {.server = {server, 24}, .serve = serve};
    char text[TERN_LINK_ERROR_MAX] = "";
    int go[2], fd;

    if (pipe(go) != 0)
        skip_all("no pipe");
    options.serve_user = &go[0];
    if (tern_lab_open(&options, &lab, text) != TERN_ERR_OK)
        skip_all(text);
    fd = tern_lab_packet_socket(lab, TERN_LAB_CLIENT);
    if (fd < 0)
        skip_all("no packet socket");
    options_in_order(fd);
    namespace_of_the_socket(fd);
    frames_in_the_ring(fd, go[1]);
    a_frame_too_long(fd);
    the_interface_goes(fd);
    (void)close(fd);
    return probe_failures == 0 ? 0 : 1;
}
