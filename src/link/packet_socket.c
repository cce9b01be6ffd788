/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a packet socket is opened.
 *
 * The socket is made for no protocol, so that it receives nothing until it is bound; by then the
 * filter is set and locked, and no foreign frame slips in. PACKET_VNET_HDR comes before the ring, or
 * the kernel refuses it. All facts about the interface come from ioctls on this very socket: they
 * answer for the network namespace that the socket was made in, which may be another than
 * ours when it was handed over, and they open no socket of another family.
 *
 * The ring is made of blocks of 15 slots of 69,632 bytes: 4 KiB short of 1 MiB, so the kernel's
 * power-of-two blocks waste little, and the slots follow one another without gaps.
 *
 * Refused here: loopback (frames do not loop back to AF_PACKET), interfaces that are down or
 * not Ethernet, an address that this machine's kernel holds (it would answer for it as well),
 * and the host's MAC while the kernel forwards (it would forward our frames).
 */
#include "link/packet_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

/* After sys/socket.h. */
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <net/if_arp.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/random.h"
#include "link/words.h"
#include "os/netlink.h"

#define SLOTS_DEFAULT     512u
#define SLOTS_MAX         8192u
#define SLOTS_A_BLOCK     15u
#define BLOCK_BYTES       (SLOTS_A_BLOCK * TERN_PACKET_SLOT_BYTES)
#define SEND_BUFFER_BYTES (16 * 1024 * 1024)
#define ADDRESSES_MAX     256

_Static_assert(BLOCK_BYTES % 4096 == 0, "a block is whole pages");

struct name_list {
    char text[160];
    bool found;
    const char *wanted;
};

static void add_name(void *user, const struct tern_interface *interface)
{
    struct name_list *list = user;
    size_t used = strlen(list->text);

    if (strcmp(interface->name, list->wanted) == 0)
        list->found = true;
    if (interface->loopback || used + strlen(interface->name) + 3 > sizeof(list->text))
        return;
    (void)snprintf(list->text + used, sizeof(list->text) - used, "%s%s", used == 0 ? "" : ", ",
                   interface->name);
}

static enum tern_err say_no_interface(const char *name, char *error_text)
{
    struct name_list list = {.wanted = name};
    struct tern_netlink *nl;

    if (tern_netlink_open(&nl) == 0) {
        (void)tern_netlink_interfaces(nl, add_name, &list);
        tern_netlink_close(nl);
    }
    if (list.text[0] == '\0')
        tern_link_say(error_text, "no such interface: %.15s", name);
    else
        tern_link_say(error_text, "no such interface: %.15s; there are: %s", name, list.text);
    return TERN_ERR_NO_DEVICE;
}

/* Does it exist, as far as can be told without a privilege? */
static bool interface_exists(const char *name)
{
    struct tern_interface interface;
    struct tern_netlink *nl;
    int error;

    if (tern_netlink_open(&nl) != 0)
        return true;
    error = tern_netlink_interface(nl, name, &interface);
    tern_netlink_close(nl);
    return error != ENODEV;
}

static enum tern_err make_socket(const struct tern_link_packet_options *options,
                                 struct tern_packet_socket *s, char *error_text)
{
    if (options->socket_fd >= 0) {
        s->fd = options->socket_fd;
        return TERN_ERR_OK;
    }
    if (!interface_exists(options->interface))
        return say_no_interface(options->interface, error_text);
    s->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    s->fd_is_ours = true;
    if (s->fd >= 0)
        return TERN_ERR_OK;
    if (errno == EPERM || errno == EACCES) {
        tern_link_say(error_text, "cannot open %s: needs CAP_NET_RAW", options->interface);
        return TERN_ERR_PERMISSION;
    }
    tern_link_say(error_text, "cannot open %s: %s", options->interface, strerror(errno));
    return TERN_ERR_SYSTEM;
}

static struct ifreq request_for(const char *name)
{
    struct ifreq r = {0};

    (void)snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
    return r;
}

/* Index, flags, kind, MAC and MTU. */
static enum tern_err read_interface(const char *name, struct tern_packet_socket *s,
                                    char *error_text)
{
    struct ifreq r = request_for(name);

    if (strlen(name) >= IFNAMSIZ || ioctl(s->fd, SIOCGIFINDEX, &r) != 0)
        return say_no_interface(name, error_text);
    s->index = r.ifr_ifindex;
    if (ioctl(s->fd, SIOCGIFFLAGS, &r) != 0)
        return say_no_interface(name, error_text);
    if ((r.ifr_flags & IFF_LOOPBACK) != 0) {
        tern_link_say(error_text,
                      "%s is the loopback: the kernel keeps its frames to itself; use --link lab, "
                      "or --link slirp, which reaches this machine at 10.0.2.2",
                      name);
        return TERN_ERR_UNSUPPORTED;
    }
    if ((r.ifr_flags & IFF_UP) == 0) {
        tern_link_say(error_text, "%s is down; try: sudo ip link set %s up", name, name);
        return TERN_ERR_LINK;
    }
    if (ioctl(s->fd, SIOCGIFHWADDR, &r) != 0 || r.ifr_hwaddr.sa_family != ARPHRD_ETHER) {
        tern_link_say(error_text, "%s is not an Ethernet interface", name);
        return TERN_ERR_UNSUPPORTED;
    }
    memcpy(s->host_mac.b, r.ifr_hwaddr.sa_data, sizeof(s->host_mac.b));
    if (ioctl(s->fd, SIOCGIFMTU, &r) != 0)
        return say_no_interface(name, error_text);
    s->mtu_bytes = r.ifr_mtu > UINT16_MAX ? UINT16_MAX : (uint32_t)r.ifr_mtu;
    return TERN_ERR_OK;
}

static bool kernel_forwards(const char *interface)
{
    char path[80];
    char value = '0';
    ssize_t n;
    int fd;

    (void)snprintf(path, sizeof(path), "/proc/sys/net/ipv4/conf/%.15s/forwarding", interface);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    n = read(fd, &value, 1);
    (void)close(fd);
    return n == 1 && value == '1';
}

static enum tern_err choose_mac(const struct tern_link_packet_options *options,
                                struct tern_packet_socket *s, char *error_text)
{
    struct tern_random random;

    switch (options->mac_choice) {
    case TERN_MAC_HOST:
        s->mac = s->host_mac;
        break;
    case TERN_MAC_GIVEN:
        s->mac = options->mac;
        break;
    case TERN_MAC_OWN:
        tern_random_init(&random, &options->seed, sizeof(options->seed), "mac");
        tern_random_bytes(&random, s->mac.b, sizeof(s->mac.b));
        /* Locally administered, and recognizable: 02:54:45 (T, E) and 24 random bits. */
        memcpy(s->mac.b, "\x02\x54\x45", 3);
        break;
    }
    if (tern_mac_is_group(s->mac)) {
        tern_link_say(error_text, "a group address (odd first byte) cannot be a host's MAC");
        return TERN_ERR_INVAL;
    }
    /* A socket handed over may be of another namespace, whose settings are not ours to read. */
    if (options->socket_fd < 0 && tern_mac_equal(s->mac, s->host_mac) &&
        kernel_forwards(options->interface)) {
        tern_link_say(error_text,
                      "%s forwards packets (ip_forward is 1): with the host's MAC the kernel would "
                      "forward ours; use --mac own, or: sudo sysctl net.ipv4.ip_forward=0",
                      options->interface);
        return TERN_ERR_UNSUPPORTED;
    }
    return TERN_ERR_OK;
}

/* Is the address one that this kernel answers for, on whatever interface? */
static enum tern_err refuse_kernel_address(const struct tern_link_packet_options *options,
                                           const struct tern_packet_socket *s, char *error_text)
{
    struct ifreq list[ADDRESSES_MAX];
    struct ifconf conf = {.ifc_len = (int)sizeof(list), .ifc_req = list};
    char text[TERN_ADDR_TEXT_MAX];

    if (options->allow_kernel_address || !tern_addr_is_v4(options->address))
        return TERN_ERR_OK;
    if (ioctl(s->fd, SIOCGIFCONF, &conf) != 0)
        return TERN_ERR_OK;
    for (size_t i = 0; i < (size_t)conf.ifc_len / sizeof(list[0]); i++) {
        const uint8_t *raw = (const uint8_t *)list[i].ifr_addr.sa_data + 2; /* behind the port */

        if (tern_get_be32(raw) != tern_addr_to_be32(options->address))
            continue;
        tern_link_say(error_text,
                      "%s is this machine's own address (%.15s): the kernel would answer for it "
                      "too; take one that nobody has",
                      tern_addr_text(options->address, text), list[i].ifr_name);
        return TERN_ERR_ADDRESS_IN_USE;
    }
    return TERN_ERR_OK;
}

static bool set_int(int fd, int option, int value)
{
    return setsockopt(fd, SOL_PACKET, option, &value, sizeof(value)) == 0;
}

static bool make_ring(struct tern_packet_socket *s, uint32_t slots)
{
    uint32_t blocks = (slots + SLOTS_A_BLOCK - 1) / SLOTS_A_BLOCK;
    struct tpacket_req req = {
        .tp_block_size = BLOCK_BYTES,
        .tp_block_nr = blocks,
        .tp_frame_size = TERN_PACKET_SLOT_BYTES,
        .tp_frame_nr = blocks * SLOTS_A_BLOCK,
    };
    void *ring;

    if (setsockopt(s->fd, SOL_PACKET, PACKET_RX_RING, &req, sizeof(req)) != 0)
        return false;
    s->ring_bytes = (size_t)blocks * BLOCK_BYTES;
    ring = mmap(NULL, s->ring_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, s->fd, 0);
    if (ring == MAP_FAILED)
        return false;
    s->ring = ring;
    s->slots = req.tp_frame_nr;
    return true;
}

static bool set_filter(const struct tern_packet_socket *s, struct tern_addr address)
{
    struct sock_filter code[TERN_PACKET_FILTER_MAX];
    struct sock_fprog program = {
        .len = (uint16_t)tern_packet_filter(code, s->mac, address),
        .filter = code,
    };
    int one = 1;

    return setsockopt(s->fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) == 0 &&
           setsockopt(s->fd, SOL_SOCKET, SO_LOCK_FILTER, &one, sizeof(one)) == 0;
}

/* Have the device let frames to our MAC through, where it is not its own. */
static bool join_mac(const struct tern_packet_socket *s)
{
    struct packet_mreq m = {
        .mr_ifindex = s->index,
        .mr_type = PACKET_MR_UNICAST,
        .mr_alen = sizeof(s->mac.b),
    };

    if (tern_mac_equal(s->mac, s->host_mac))
        return true;
    memcpy(m.mr_address, s->mac.b, sizeof(s->mac.b));
    return setsockopt(s->fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &m, sizeof(m)) == 0;
}

static bool bind_to(const struct tern_packet_socket *s)
{
    union {
        struct sockaddr any;
        struct sockaddr_ll ll;
    } to = {
        .ll = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = s->index}};

    return bind(s->fd, &to.any, sizeof(to.ll)) == 0;
}

/* Everything that has to be set, in this order. NULL: done; else what failed, with errno. */
static const char *configure(const struct tern_link_packet_options *options,
                             struct tern_packet_socket *s)
{
    int send_bytes = SEND_BUFFER_BYTES;
    uint32_t slots = options->ring_slots == 0 ? SLOTS_DEFAULT : options->ring_slots;

    if (!set_int(s->fd, PACKET_VERSION, TPACKET_V2) || !set_int(s->fd, PACKET_VNET_HDR, 1))
        return "offload headers";
    if (!make_ring(s, slots > SLOTS_MAX ? SLOTS_MAX : slots))
        return "receive ring";
    /* Before Linux 4.20 unknown; packet.c looks at each frame's direction as well. */
    (void)set_int(s->fd, PACKET_IGNORE_OUTGOING, 1);
    if (setsockopt(s->fd, SOL_SOCKET, SO_SNDBUFFORCE, &send_bytes, sizeof(send_bytes)) != 0)
        (void)setsockopt(s->fd, SOL_SOCKET, SO_SNDBUF, &send_bytes, sizeof(send_bytes));
    if (!set_filter(s, options->address))
        return "filter";
    if (!join_mac(s))
        return "own MAC";
    if (!bind_to(s))
        return "bind";
    return NULL;
}

enum tern_err tern_packet_socket_open(const struct tern_link_packet_options *options,
                                      struct tern_packet_socket *out, char *error_text)
{
    const char *failed;
    enum tern_err err;

    TERN_ASSERT(options->interface != NULL);
    *out = (struct tern_packet_socket){.fd = -1};
    err = make_socket(options, out, error_text);
    if (err == TERN_ERR_OK)
        err = read_interface(options->interface, out, error_text);
    if (err == TERN_ERR_OK)
        err = choose_mac(options, out, error_text);
    if (err == TERN_ERR_OK)
        err = refuse_kernel_address(options, out, error_text);
    if (err == TERN_ERR_OK) {
        failed = configure(options, out);
        if (failed == NULL)
            return TERN_ERR_OK;
        tern_link_say(error_text, "cannot open %s: %s: %s", options->interface, failed,
                      strerror(errno));
        err = errno == ENOMEM ? TERN_ERR_MEMORY : TERN_ERR_SYSTEM;
    }
    if (!out->fd_is_ours)
        out->fd = -1;
    tern_packet_socket_close(out);
    return err;
}

void tern_packet_socket_close(struct tern_packet_socket *s)
{
    if (s->ring != NULL)
        (void)munmap(s->ring, s->ring_bytes);
    if (s->fd >= 0)
        (void)close(s->fd);
    *s = (struct tern_packet_socket){.fd = -1};
}
